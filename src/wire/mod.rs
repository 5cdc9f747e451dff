//! What leaves this crate and comes back: the seam to the network, the clock, the forms in which
//! values travel, and how a URL may be shown. It knows nothing of the crate above it.

pub(crate) mod clock;
pub(crate) mod error_body;
pub(crate) mod excerpt;
pub(crate) mod headers;
pub(crate) mod http_date;
pub(crate) mod malformed;
pub(crate) mod redaction;
pub(crate) mod transport;
pub(crate) mod xml;
