//! The two ways in: a call in process, and a listener.

mod certificates;
pub(crate) mod fetch;
pub(crate) mod hosts;
mod patience;
pub(crate) mod server;
pub(crate) mod shared;
#[cfg(feature = "https")]
pub(crate) mod tls;
pub(crate) mod transport;
mod watch;
mod web;
