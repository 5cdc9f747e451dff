//! The body of an upload.

use std::{fmt, ops::Deref};

use bytes::Bytes;

use crate::error::{Error, Result};

/// Content to upload. `Debug` shows only its length.
#[derive(Clone, Default)]
pub(crate) struct Content(pub(crate) Bytes);

impl Content {
    /// Refuses content over `mib` MiB.
    pub(crate) fn at_most(&self, mib: usize) -> Result<()> {
        if self.len() <= mib << 20 {
            return Ok(());
        }
        let rule = format!("must be at most {mib} MiB");
        Err(Error::invalid("content length", self.len(), &rule))
    }
}

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
