//! Writes of pages that nothing older can spoil.

use std::ops::RangeBounds;

use bytes::Bytes;

use super::PageBlobClient;
use crate::{
    error::{Error, Result},
    models::{Conditions, ETag, LeaseId, PageInfo},
    operations::{
        clear_pages::ClearPages,
        set_page_blob_properties::{SequenceNumberAction, SetSequenceNumber},
        settings::copy_source::CopySource,
        upload_pages::UploadPages,
        upload_pages_from_uri::UploadPagesFromUri,
    },
    wire::transport::BoxFuture,
};

/// Page writes of one run, guarded by the blob's sequence number.
///
/// A page write whose response never came may still be applied, minutes later: its connection is
/// gone, but a part of the network delivers it after all. If a program writes a page, loses the
/// response, writes the page again with other content and is done, such a late write brings the old
/// content back, and nobody notices.
///
/// The guard prevents that:
///
/// 1. The program chooses a sequence number above the blob's current one, and notes it where it
///    keeps its state, if it has any. [`number_above`](Self::number_above) chooses one.
/// 2. [`PageBlobClient::guard_writes`] raises the blob's number to it, with the action `max`. A
///    repeat of this request changes nothing, and neither does its late arrival.
/// 3. Every write and clear is made with this value, so it carries the condition
///    `x-ms-if-sequence-number-eq`. Once a later run has raised the number, the service refuses all
///    writes of this run with 412 `SequenceNumberConditionNotMet`, however late they arrive.
///
/// So raise the number for each run, and for each round of a run whose writes replace those of an
/// earlier round.
///
/// ```
/// use blobcopy::GuardedPages;
///
/// # blobcopy_simulator::example(async |service| {
/// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
/// let current = disk.get_properties().await?.sequence_number.unwrap_or_default();
///
/// let pages = disk.guard_writes(GuardedPages::number_above(current)?).await?;
/// pages.upload_pages(0, vec![7; 4096]).await?;
/// pages.clear_pages(4096..8192).await?;
///
/// // Another run takes over: the writes of the first are refused from now on.
/// disk.guard_writes(GuardedPages::number_above(pages.sequence_number())?).await?;
/// let refused = pages.upload_pages(0, vec![1; 512]).await.unwrap_err();
/// assert_eq!(refused.status().unwrap().as_u16(), 412);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone)]
pub struct GuardedPages {
    blob: PageBlobClient,
    number: u64,
    etag: Option<ETag>,
    lease_id: Option<LeaseId>,
}

/// Raises a page blob's sequence number, to guard the writes that follow: returned by
/// [`PageBlobClient::guard_writes`].
///
/// [Set Blob Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-properties)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct GuardWrites {
    raise: SetSequenceNumber,
    pages: GuardedPages,
}

impl GuardWrites {
    fn new(blob: &PageBlobClient, number: u64) -> Self {
        let raise = blob.set_sequence_number(SequenceNumberAction::Max(number));
        Self { raise, pages: blob.guarded_pages(number) }
    }

    /// Conditions on the blob. If they are not met, the service answers 412.
    pub fn conditions(mut self, conditions: Conditions) -> Self {
        self.raise = self.raise.conditions(conditions);
        self
    }

    /// The id of the active lease, also for the writes.
    pub fn lease_id(mut self, id: impl Into<LeaseId>) -> Self {
        let id = id.into();
        self.raise = self.raise.lease_id(&id);
        self.pages.lease_id = Some(id);
        self
    }

    /// How long the service may work on the request, in whole seconds. The service lowers values
    /// above its own limit of 30 seconds.
    pub fn server_timeout(mut self, limit: std::time::Duration) -> Self {
        self.raise = self.raise.server_timeout(limit);
        self
    }

    /// The client request id: 1 to 1024 visible ASCII characters. By default a new GUID.
    pub fn client_request_id(mut self, id: impl Into<String>) -> Self {
        self.raise = self.raise.client_request_id(id);
        self
    }
}

impl IntoFuture for GuardWrites {
    type Output = Result<GuardedPages>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            let Self { raise, pages } = self;
            let raised: PageInfo = raise.await?;
            match raised.sequence_number.filter(|found| *found != pages.number) {
                None => Ok(GuardedPages { etag: raised.etag, ..pages }),
                Some(found) => {
                    let rule = format!("is below the blob's sequence number, {found}");
                    Err(Error::invalid("sequence number", pages.number, &rule))
                }
            }
        })
    }
}

/// # Guarded writes
impl PageBlobClient {
    /// Raises the blob's sequence number to `number`, so that writes which depend on an earlier
    /// number are refused, and gives writes that depend on this one.
    ///
    /// Awaiting it gives [`GuardedPages`], whose page says how to choose the number.
    ///
    /// [Set Blob Properties](https://learn.microsoft.com/rest/api/storageservices/set-blob-properties)
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the blob's number is greater: another run has raised it since the number
    /// was chosen. Nothing has changed then.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let pages = disk.guard_writes(7).await?;
    /// pages.upload_pages(0, vec![1; 512]).await?;
    ///
    /// assert!(disk.guard_writes(6).await.is_err());
    /// # Ok(()) });
    /// ```
    #[doc(alias("x-ms-if-sequence-number-eq", "IfSequenceNumberEqual"))]
    pub fn guard_writes(&self, number: u64) -> GuardWrites {
        GuardWrites::new(self, number)
    }

    /// Writes that depend on the sequence number `number`, without a request: for a blob that was
    /// created with it, or whose number the program has raised before.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk1.vhd");
    /// disk.create(1 << 20).sequence_number(7).await?;
    /// disk.guarded_pages(7).upload_pages(0, vec![1; 512]).await?;
    /// # Ok(()) });
    /// ```
    pub fn guarded_pages(&self, number: u64) -> GuardedPages {
        GuardedPages { blob: self.clone(), number, etag: None, lease_id: None }
    }
}

impl GuardedPages {
    /// The greatest sequence number.
    const MOST: u64 = i64::MAX.unsigned_abs();

    /// The longest step to the next number: two million million.
    const LONGEST_STEP: u64 = 1 << 41;

    /// A sequence number above `current`, by a random step.
    ///
    /// The step is random because a blob that is created again starts at any number: a number that
    /// an earlier run may have used must not come back. Steps are so short that the numbers last
    /// for millions of runs.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if there is no greater number: 2^63 - 1 is the last.
    ///
    /// ```
    /// use blobcopy::GuardedPages;
    ///
    /// assert!(GuardedPages::number_above(7)? > 7);
    /// assert!(GuardedPages::number_above((1 << 63) - 1).is_err());
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn number_above(current: u64) -> Result<u64> {
        if current >= Self::MOST {
            let rule = "is the last sequence number, 2^63 - 1, so no number is above it";
            return Err(Error::invalid("sequence number", current, rule));
        }
        let most = Self::MOST.min(current.saturating_add(Self::LONGEST_STEP));
        Ok(fastrand::u64(current + 1..=most))
    }

    /// The sequence number on which all writes depend.
    pub fn sequence_number(&self) -> u64 {
        self.number
    }

    /// The blob's ETag once the number was raised, before any write; `None` from
    /// [`PageBlobClient::guarded_pages`]. What was read on condition of it has been written by
    /// earlier runs only.
    pub fn etag(&self) -> Option<&ETag> {
        self.etag.as_ref()
    }

    /// The page blob.
    pub fn blob(&self) -> &PageBlobClient {
        &self.blob
    }

    /// The id of the blob's lease, for all writes from now on.
    pub fn lease_id(mut self, id: impl Into<LeaseId>) -> Self {
        self.lease_id = Some(id.into());
        self
    }

    /// Writes pages at `offset`; as [`PageBlobClient::upload_pages`].
    ///
    /// Awaiting it gives [`PageInfo`](crate::PageInfo).
    pub fn upload_pages(&self, offset: u64, content: impl Into<Bytes>) -> UploadPages {
        let write = self.blob.upload_pages(offset, content).if_sequence_number_equal(self.number);
        match &self.lease_id {
            None => write,
            Some(id) => write.lease_id(id),
        }
    }

    /// Writes pages at `offset` from a range of a URL; as
    /// [`PageBlobClient::upload_pages_from_uri`].
    ///
    /// Awaiting it gives [`PageInfo`](crate::PageInfo).
    pub fn upload_pages_from_uri(
        &self,
        source: impl Into<CopySource>,
        source_range: impl RangeBounds<u64>,
        offset: u64,
    ) -> UploadPagesFromUri {
        let write = self.blob.upload_pages_from_uri(source, source_range, offset);
        let write = write.if_sequence_number_equal(self.number);
        match &self.lease_id {
            None => write,
            Some(id) => write.lease_id(id),
        }
    }

    /// Clears `range`; as [`PageBlobClient::clear_pages`].
    ///
    /// Awaiting it gives [`PageInfo`](crate::PageInfo).
    pub fn clear_pages(&self, range: impl RangeBounds<u64>) -> ClearPages {
        let clear = self.blob.clear_pages(range).if_sequence_number_equal(self.number);
        match &self.lease_id {
            None => clear,
            Some(id) => clear.lease_id(id),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::offline::{self, sent};

    fn guarded() -> GuardedPages {
        let lease: LeaseId = "11111111-2222-3333-4444-555555555555".parse().expect("a guid");
        offline::blob().page_blob_client().guard_writes(7).lease_id(&lease).pages
    }

    #[tokio::test]
    async fn every_write_carries_the_number_and_the_lease() {
        let pages = guarded();
        let source = "https://example.com/disk.vhd".parse::<url::Url>().expect("a URL");
        for request in [
            pages.upload_pages(0, vec![1; 512]).prepared(),
            pages.upload_pages_from_uri(source, 0..512, 0).prepared(),
            pages.clear_pages(0..512).prepared(),
        ] {
            let headers = request.expect("legal").headers;
            assert_eq!(headers["x-ms-if-sequence-number-eq"], "7");
            assert_eq!(headers["x-ms-lease-id"], "11111111-2222-3333-4444-555555555555");
        }
    }

    #[test]
    fn the_number_is_raised_by_max() {
        let disk = offline::blob().page_blob_client();
        let request = disk.guard_writes(7).raise.prepared().expect("legal");
        let expected = [
            ("content-length", "0"),
            ("x-ms-blob-sequence-number", "7"),
            ("x-ms-sequence-number-action", "max"),
        ];
        assert_eq!(sent(&request.headers), expected);
    }

    #[test]
    fn numbers_grow_by_random_steps_to_the_last() {
        let mut numbers: Vec<_> =
            (0..100).map(|_| GuardedPages::number_above(5).expect("a number")).collect();
        assert!(numbers.iter().all(|number| (6..=5 + GuardedPages::LONGEST_STEP).contains(number)));
        numbers.sort_unstable();
        numbers.dedup();
        assert!(numbers.len() > 90, "{numbers:?}");
        let last = GuardedPages::MOST;
        assert_eq!(GuardedPages::number_above(last - 1).expect("one is left"), last);
        let error = GuardedPages::number_above(last).expect_err("none is left").to_string();
        assert!(error.starts_with("sequence number: "), "{error}");
    }
}
