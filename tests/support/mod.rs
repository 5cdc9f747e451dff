//! Shared by the tests.

pub(crate) mod events;
pub(crate) mod script;
