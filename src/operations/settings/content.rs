//! What a request carries as its body.

use std::{fmt, ops::Deref};

use bytes::Bytes;

/// Content that is uploaded: shown by its length only.
#[derive(Clone)]
pub(crate) struct Content(pub(crate) Bytes);

impl Deref for Content {
    type Target = Bytes;

    fn deref(&self) -> &Bytes {
        &self.0
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}
