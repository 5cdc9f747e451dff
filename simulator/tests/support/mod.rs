//! What tests stand on.

pub(crate) mod azurite;
pub(crate) mod install;
