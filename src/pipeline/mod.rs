//! How a request travels: prepared, dated, signed, sent, classified, and sent again.
//!
//! [`Pipeline::send`](send::Pipeline::send) is the one function that knows the order.

pub(crate) mod options;
pub(crate) mod request;
pub(crate) mod reqwest_transport;
pub(crate) mod response;
pub(crate) mod retry;
pub(crate) mod secondary;
pub(crate) mod send;
mod tls;
pub(crate) mod tries;
