//! The pipeline: every request is prepared, dated, signed, sent, classified and maybe retried.
//!
//! Only [`Pipeline::send`](send::Pipeline::send) knows the order.

pub(crate) mod budget;
pub(crate) mod options;
pub(crate) mod request;
pub(crate) mod reqwest_transport;
pub(crate) mod response;
pub(crate) mod retry;
pub(crate) mod secondary;
pub(crate) mod send;
mod tls;
pub(crate) mod tries;
