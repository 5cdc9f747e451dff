//! What tests stand on.

pub(crate) mod azurite;
pub(crate) mod events;
pub(crate) mod install;
pub(crate) mod script;
pub(crate) mod web;
