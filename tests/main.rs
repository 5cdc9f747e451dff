//! What is tested from outside the crate, all in one binary.

mod bad_input;
mod copies;
mod on_azurite;
mod support;
