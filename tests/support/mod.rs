//! What tests stand on.

pub(crate) mod events;
pub(crate) mod script;
