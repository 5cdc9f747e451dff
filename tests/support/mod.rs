//! What tests stand on.

#[path = "../../simulator/tests/support/azurite.rs"]
pub(crate) mod azurite;
pub(crate) mod events;
#[path = "../../simulator/tests/support/install.rs"]
pub(crate) mod install;
pub(crate) mod script;
pub(crate) mod web;
