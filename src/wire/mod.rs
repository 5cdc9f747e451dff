//! The lowest layer: the transport, the clock, the formats on the wire, and redaction. It imports
//! nothing from the layers above.

pub(crate) mod clock;
pub(crate) mod error_body;
pub(crate) mod excerpt;
pub(crate) mod headers;
pub(crate) mod http_date;
pub(crate) mod malformed;
pub(crate) mod redaction;
pub(crate) mod transport;
pub(crate) mod xml;
