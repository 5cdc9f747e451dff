//! What leaves this crate and comes back: the seam to the network, and how a URL may be shown.
//! Below everything else, since errors and models tell of both.

pub(crate) mod excerpt;
pub(crate) mod redaction;
pub(crate) mod transport;
