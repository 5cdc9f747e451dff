//! How a request travels: prepared, dated, signed, sent, classified, and sent again.

pub(crate) mod clock;
pub(crate) mod redaction;
pub(crate) mod transport;
