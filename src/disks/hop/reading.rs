//! What a hop reads: the two source snapshots, whose access may be renewed on the way.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use super::{super::MirrorError, Opened};
use crate::{BlobProperties, CopySource, Error};

/// The snapshots of the source.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) to: Opened,
    pub(super) from: Option<Opened>,
    source: Mutex<Option<Kept>>,
    /// How often access was granted again.
    renewed: AtomicU64,
}

/// The source of copies, for some of them.
#[derive(Debug)]
struct Kept {
    source: CopySource,
    left: u32,
}

/// How many copies have the same source, before it is asked for again.
const BATCH: u32 = 256;

/// How often one request asks for new access.
const RENEWALS: u32 = 4;

impl Reading {
    pub(super) fn of(to: &Opened, from: Option<&Opened>) -> Self {
        let (source, renewed) = (Mutex::default(), AtomicU64::default());
        Self { to: to.clone(), from: from.cloned(), source, renewed }
    }

    /// The properties of the snapshot that is copied.
    pub(super) async fn properties(&self) -> Result<BlobProperties, MirrorError> {
        let mut access = self.access();
        loop {
            match self.to.blob().await?.get_properties().await {
                Ok(properties) => return Ok(properties),
                Err(error) => self.mend(error, &mut access).await?,
            }
        }
    }

    /// The source of the next copy.
    pub(super) async fn source(&self) -> Result<CopySource, MirrorError> {
        let mut kept = self.source.lock().await;
        match &mut *kept {
            Some(kept) if kept.left > 0 => {
                kept.left -= 1;
                Ok(kept.source.clone())
            }
            kept => {
                let source = self.to.copy_source().await?;
                *kept = Some(Kept { source: source.clone(), left: BATCH });
                Ok(source)
            }
        }
    }

    /// The access of a request that is about to be sent.
    pub(super) fn access(&self) -> RequestAccess {
        RequestAccess { renewed: self.renewed.load(Ordering::Acquire), tries: 0 }
    }

    /// Returns if the request that failed can be sent again, and the error otherwise.
    pub(super) async fn mend(
        &self,
        error: Error,
        access: &mut RequestAccess,
    ) -> Result<(), MirrorError> {
        let about_access = matches!(error.status().map(|status| status.as_u16()), Some(401..=404));
        if !about_access || access.tries == RENEWALS {
            return Err(error.into());
        }
        access.tries += 1;
        // One request renews for all.
        let mut kept = self.source.lock().await;
        let renewed = self.renewed.load(Ordering::Acquire);
        if renewed == access.renewed {
            let from = async {
                match &self.from {
                    Some(from) => from.mend(&error).await,
                    None => Ok(false),
                }
            };
            if !self.to.mend(&error).await? && !from.await? {
                return Err(error.into());
            }
            *kept = None;
            self.renewed.store(renewed + 1, Ordering::Release);
        }
        access.renewed = self.renewed.load(Ordering::Acquire);
        Ok(())
    }
}

/// What a request has been through.
#[derive(Debug)]
pub(super) struct RequestAccess {
    renewed: u64,
    tries: u32,
}
