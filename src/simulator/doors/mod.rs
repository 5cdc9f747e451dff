//! The two ways in: a call in process, and a listener.

pub(crate) mod fetch;
pub(crate) mod server;
pub(crate) mod transport;
