//! What is tested from outside the crate, all in one binary.

mod on_azurite;
mod support;
