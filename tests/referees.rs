//! Tests that compare the crate with other programs, which need more than Rust.

#![deny(dead_code, reason = "a test that no `tests!` lists would not run")]

#[macro_use]
#[path = "support"]
mod support {
    #[path = "../../simulator/tests/support/azurite.rs"]
    pub(crate) mod azurite;
    #[path = "../../simulator/tests/support/install.rs"]
    pub(crate) mod install;
    #[macro_use]
    #[path = "../../simulator/tests/support/referees.rs"]
    pub(crate) mod referees;
    pub(crate) mod web;
}

mod on_azurite;

use std::process::ExitCode;

fn main() -> ExitCode {
    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/on_azurite");
    support::referees::run(&[FOLDER], on_azurite::tests())
}
