//! Whether two blobs have the same content, without downloading it.

mod compare;
mod crc64;
mod outcome;
mod pieces;
mod scratch;
mod union;

pub(crate) use self::{
    crc64::{WholeCrc64, crc64_of},
    union::{RangeList, Union},
};
pub use self::{
    outcome::{
        Differences, IdenticalContent, ScratchLeft, Side, Unverifiable, UnverifiableReason,
        Verdict, Verified,
    },
    scratch::remove_scratch,
};

use std::{
    future,
    sync::{Arc, atomic::AtomicBool},
};

use self::{
    compare::{Blob, Comparison, SMALLEST, Stop, scratch_refused},
    scratch::Scratch,
};
use crate::{
    BlobClient, BlobContainerClient, ETag, Error, PageRange, Result, transport::BoxFuture,
};

/// Compares the content of two blobs inside the service. No byte of it passes through the client.
///
/// Awaiting it gives [`Verified`].
///
/// Put Block From URL makes an uncommitted block from a range of a blob, and answers with the
/// CRC-64 of what the service read. Each piece of both blobs is staged as a block of a scratch blob
/// that is never committed, and the CRCs are compared. Where they differ, smaller ranges find the
/// place, down to 512 bytes. The blobs can be of any type and in any account, and either can be a
/// snapshot or version. Of two page blobs only the ranges that hold data in either are read.
/// Headers, metadata, tags and the blob's type are not compared.
///
/// Both blobs are pinned by their ETags. If one is modified meanwhile, the verdict is
/// [`Verdict::Changed`]; a blob that is in use can be verified by a snapshot of it.
///
/// **What it proves.** A CRC-64 finds accidents: a wrong, missing or shifted byte goes unnoticed
/// with a chance of 1 in 2^64. It does not stop an attacker, who can make content with a given CRC.
///
/// **What it costs.** Two requests (write operations of the destination's account by default, and
/// as many reads) for each 64 MiB: 32,768 for 1 TiB, and about 130 more to find the place of one
/// difference. A small blob takes seven requests. Reading from another region is egress.
///
/// **What it needs.** Permission to read both blobs; and in the scratch container to read, write
/// and delete. A client with a SAS for one blob cannot write the scratch blob beside it, and
/// premium accounts for page blobs have no blocks: give a [`scratch`](Verify::scratch) container.
///
/// **The scratch blob** is named `.blobcopy-verify-` and 32 random digits. It never exists for
/// readers and is not listed, except with
/// [`BlobInclude::UncommittedBlobs`](crate::BlobInclude::UncommittedBlobs). As few block ids are
/// used as requests are in flight, so it holds at most 1 GiB by default. It is removed at the end,
/// also after an error. If the future is dropped, it is removed in the background if the runtime
/// still runs; [`remove_scratch`] removes what an interrupted program left behind.
///
/// # Errors
///
/// Errors of the connection, and refusals that say nothing about the content, such as 503 after all
/// retries. They never become a verdict. What lies in the blobs is a [`Verdict`], also that one is
/// missing or cannot be read.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// use blobcopy::jobs::{Verdict, verify};
///
/// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
/// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
/// backup.start_copy_from_uri(&disk).await?.wait().await?;
/// assert!(verify(&disk, &backup).await?.is_identical());
///
/// backup.upload_pages(4096, vec![1; 512]).await?;
/// let verified = verify(&disk, &backup).await?;
/// let Verdict::Different(found) = verified.verdict else { panic!("{verified}") };
/// assert_eq!(found.ranges[0].to_string(), "4096..4608");
/// # Ok(()) });
/// ```
pub fn verify(source: &BlobClient, destination: &BlobClient) -> Verify {
    Verify {
        source: source.clone(),
        destination: destination.clone(),
        source_etag: None,
        destination_etag: None,
        scratch: None,
        piece: 64 << 20,
        concurrency: 16,
        differences: 16,
    }
}

/// Compares two blobs: returned by [`verify`].
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct Verify {
    source: BlobClient,
    destination: BlobClient,
    source_etag: Option<ETag>,
    destination_etag: Option<ETag>,
    scratch: Option<BlobContainerClient>,
    piece: u64,
    concurrency: usize,
    differences: usize,
}

impl Verify {
    /// The container of the scratch blob, by default the destination's. Pieces are read into it, so
    /// it is best in the region of the blobs.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::verify;
    ///
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let scratch = service.container_client("backups");
    /// assert!(verify(&notes, &notes).scratch(&scratch).await?.is_identical());
    /// # Ok(()) });
    /// ```
    pub fn scratch(mut self, container: &BlobContainerClient) -> Self {
        self.scratch = Some(container.clone());
        self
    }

    /// The source's ETag, from a listing or receipt. If it has another one, the verdict is
    /// [`Verdict::Changed`].
    pub fn source_etag(mut self, etag: impl Into<ETag>) -> Self {
        self.source_etag = Some(etag.into());
        self
    }

    /// The destination's ETag, from a listing or receipt. If it has another one, the verdict is
    /// [`Verdict::Changed`].
    pub fn destination_etag(mut self, etag: impl Into<ETag>) -> Self {
        self.destination_etag = Some(etag.into());
        self
    }

    /// The length of a piece in bytes: a multiple of 512 up to 4000 MiB, by default 64 MiB.
    ///
    /// The service reads a piece within one request. With longer pieces there are fewer requests,
    /// but each must end within the
    /// [attempt timeout](crate::ClientOptions::attempt_timeout).
    pub fn piece(mut self, bytes: u64) -> Self {
        self.piece = bytes;
        self
    }

    /// How many requests are in flight at a time: 2 to 64, by default 16.
    pub fn concurrency(mut self, requests: usize) -> Self {
        self.concurrency = requests;
        self
    }

    /// How many differences are looked for, by default 16. The comparison ends with the last of
    /// them. A range that differs in every sixteenth counts as one.
    pub fn differences(mut self, most: usize) -> Self {
        self.differences = most;
        self
    }

    fn check(&self) -> Result<()> {
        const LONGEST: u64 = 4000 << 20;
        if !(SMALLEST..=LONGEST).contains(&self.piece) || !self.piece.is_multiple_of(SMALLEST) {
            let rule = "must be a multiple of 512, up to 4000 MiB";
            return Err(Error::invalid("piece", self.piece, rule));
        }
        if !(2..=64).contains(&self.concurrency) {
            return Err(Error::invalid("concurrency", self.concurrency, "must be 2 to 64"));
        }
        if self.differences == 0 {
            return Err(Error::invalid("differences", self.differences, "must be 1 or more"));
        }
        Ok(())
    }

    async fn run(self) -> Result<Verified> {
        self.check()?;
        let (verdict, scratch_left) = match self.compare().await {
            Ok(found) => found,
            Err(Stop::Verdict(verdict)) => (*verdict, None),
            Err(Stop::Error(error)) => return Err(error),
        };
        Ok(Verified { verdict, scratch_left })
    }

    async fn compare(self) -> Result<(Verdict, Option<ScratchLeft>), Stop> {
        let container = self.scratch.unwrap_or_else(|| self.destination.container_client());
        let (source, destination) = future_of_both(
            Blob::find(self.source, Side::Source, self.source_etag),
            Blob::find(self.destination, Side::Destination, self.destination_etag),
        )
        .await?;
        if source.length != destination.length {
            return Ok((different_lengths(source.length, destination.length), None));
        }
        if source.length == 0 {
            let (source_etag, destination_etag) = (source.etag, destination.etag);
            let crc64 = WholeCrc64::new().value();
            let identity = IdenticalContent { length: 0, crc64, source_etag, destination_etag };
            return Ok((Verdict::Identical(identity), None));
        }
        let scratch = Scratch::open(&container).await.map_err(scratch_refused)?;
        let comparison = Arc::new(Comparison {
            source,
            destination,
            scratch,
            piece: self.piece,
            in_flight: self.concurrency / 2,
            most: self.differences,
            is_over: AtomicBool::new(false),
        });
        let verdict = comparison.run().await;
        let left = comparison.scratch.remove().await;
        match verdict {
            Ok(verdict) => Ok((verdict, left)),
            Err(Stop::Verdict(verdict)) => Ok((*verdict, left)),
            Err(error) => Err(error),
        }
    }
}

/// Waits for both, so that of two verdicts the source's wins, whichever comes first.
async fn future_of_both<T>(
    one: impl Future<Output = Result<T, Stop>>,
    other: impl Future<Output = Result<T, Stop>>,
) -> Result<(T, T), Stop> {
    let (one, other) = futures_util::future::join(one, other).await;
    Ok((one?, other?))
}

fn different_lengths(source_length: u64, destination_length: u64) -> Verdict {
    let shorter = source_length.min(destination_length);
    let longer = source_length.max(destination_length);
    let ranges = vec![PageRange::from(shorter..longer)];
    Verdict::Different(Differences { source_length, destination_length, ranges, may_be_more: true })
}

impl future::IntoFuture for Verify {
    type Output = Result<Verified>;
    type IntoFuture = BoxFuture<'static, Result<Verified>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}
