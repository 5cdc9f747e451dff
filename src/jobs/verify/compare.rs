//! Compares pieces of two blobs by the CRC-64 of what the service reads, and finds where they
//! differ.

use std::{
    ops::Range,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_core::Stream;
use futures_util::{StreamExt, TryStreamExt, future, stream};

use super::{
    crc64::WholeCrc64,
    outcome::{Differences, IdenticalContent, Side, Unverifiable, UnverifiableReason, Verdict},
    pieces::Pieces,
    scratch::Scratch,
};
use crate::{
    BlobClient, BlobProperties, BlobType, Conditions, ContentCrc64, CopyStatus, ETag, Error,
    ErrorCode, PageRange,
};

/// The shortest range that is looked at alone: a page of a page blob.
pub(super) const SMALLEST: u64 = 512;

/// Into how many parts a range that differs is cut.
const PARTS: u64 = 16;

/// Why a comparison ends before its last piece.
#[derive(Debug)]
pub(super) enum Stop {
    Verdict(Box<Verdict>),
    Error(Error),
}

impl From<Verdict> for Stop {
    fn from(verdict: Verdict) -> Self {
        Self::Verdict(Box::new(verdict))
    }
}

/// One of the two blobs, pinned by its ETag.
#[derive(Debug, Clone)]
pub(super) struct Blob {
    pub(super) client: BlobClient,
    pub(super) side: Side,
    pub(super) etag: ETag,
    pub(super) length: u64,
    pub(super) is_page: bool,
}

impl Blob {
    /// Looks at a blob: whether it exists, has the ETag that the caller expects, and can be read.
    pub(super) async fn find(
        client: BlobClient,
        side: Side,
        expected: Option<ETag>,
    ) -> Result<Self, Stop> {
        let properties = look(&client, side).await?;
        check_readable(&properties, client.snapshot().is_some(), side)?;
        let Some(etag) = properties.etag else {
            return Err(Verdict::Unverifiable(Unverifiable::new(
                UnverifiableReason::NoEtag,
                Some(side),
            ))
            .into());
        };
        if expected.is_some_and(|expected| expected != etag) {
            return Err(Verdict::Changed(side).into());
        }
        let is_page = properties.blob_type == Some(BlobType::PageBlob);
        Ok(Self { client, side, etag, length: properties.content_length, is_page })
    }

    /// The CRC-64 of a range, which the service reads into a block.
    async fn crc64(&self, scratch: &Scratch, range: Range<u64>) -> Result<ContentCrc64, Stop> {
        let mut slot = scratch.slot();
        let pinned = Conditions::new().if_match(&self.etag);
        let staged = scratch
            .blob()
            .stage_block_from_uri(&slot.id, &self.client)
            .source_range(range)
            .source_conditions(pinned);
        match staged.await {
            Ok(block) => block.content_crc64.ok_or_else(|| {
                Verdict::Unverifiable(Unverifiable::new(
                    UnverifiableReason::NoChecksum,
                    Some(self.side),
                ))
                .into()
            }),
            Err(error) => {
                slot.refused(&error);
                Err(self.refused(error).await)
            }
        }
    }

    /// What it means that a request to read this blob was refused.
    pub(super) async fn refused(&self, error: Error) -> Stop {
        use ErrorCode::{
            BlobArchived, BlobBeingRehydrated, BlobNotFound, BlobUsesCustomerSpecifiedEncryption,
            CannotVerifyCopySource, ConditionNotMet, CopySourceCannotBeIncrementalCopyBlob,
            SourceConditionNotMet,
        };
        let Error::Service(refusal) = &error else { return Stop::Error(error) };
        if error.is_retryable() {
            return Stop::Error(error);
        }
        let unverifiable = |reason| {
            let why = Unverifiable::new(reason, Some(self.side)).because(&error);
            Stop::from(Verdict::Unverifiable(why))
        };
        match &refusal.code {
            SourceConditionNotMet | ConditionNotMet => return Verdict::Changed(self.side).into(),
            CopySourceCannotBeIncrementalCopyBlob => {
                return unverifiable(UnverifiableReason::IncrementalCopy);
            }
            // The list of page ranges: deleted since.
            BlobNotFound => {}
            CannotVerifyCopySource => {
                let status = refusal.source_status.unwrap_or(refusal.status).as_u16();
                match &refusal.source_code {
                    _ if matches!(status, 304 | 412) => return Verdict::Changed(self.side).into(),
                    Some(BlobArchived | BlobBeingRehydrated) => {
                        return unverifiable(UnverifiableReason::Archived);
                    }
                    Some(BlobUsesCustomerSpecifiedEncryption) => {
                        return unverifiable(UnverifiableReason::CustomerKey);
                    }
                    _ => {}
                }
            }
            BlobArchived | BlobBeingRehydrated => {
                return unverifiable(UnverifiableReason::Archived);
            }
            BlobUsesCustomerSpecifiedEncryption => {
                return unverifiable(UnverifiableReason::CustomerKey);
            }
            // What does not read this blob alone is about the scratch blob.
            _ if refusal.operation == "Put Block From URL" => return scratch_refused(error),
            _ if is_forbidden(&error) => return unverifiable(UnverifiableReason::NoPermission),
            _ => return Stop::Error(error),
        }
        // Older service versions do not pass the source's code on: look at the blob itself.
        match look(&self.client, self.side).await {
            Err(stop) => stop,
            Ok(now) if now.etag.as_ref() != Some(&self.etag) => Verdict::Changed(self.side).into(),
            Ok(now) => match check_readable(&now, self.client.snapshot().is_some(), self.side) {
                Err(stop) => stop,
                Ok(()) if is_forbidden(&error) => unverifiable(UnverifiableReason::NoPermission),
                Ok(()) => Stop::Error(error),
            },
        }
    }
}

/// Whether the service may not read a source: any other status than these is not about rights.
fn is_forbidden(error: &Error) -> bool {
    let Error::Service(refusal) = error else { return false };
    let status = refusal.source_status.unwrap_or(refusal.status).as_u16();
    matches!(status, 401 | 403 | 404)
        || refusal.source_code == Some(ErrorCode::PublicAccessNotPermitted)
}

/// What it means that a request to the scratch blob was refused.
pub(super) fn scratch_refused(error: Error) -> Stop {
    match error.status().map(|status| status.as_u16()) {
        Some(401 | 403) => {
            let why = Unverifiable::new(UnverifiableReason::NoPermission, None).because(&error);
            Verdict::Unverifiable(why).into()
        }
        _ => Stop::Error(error),
    }
}

async fn look(client: &BlobClient, side: Side) -> Result<BlobProperties, Stop> {
    let error = match client.get_properties().await {
        Ok(properties) => return Ok(properties),
        Err(error) => error,
    };
    let unverifiable = |reason| {
        Stop::from(Verdict::Unverifiable(Unverifiable::new(reason, Some(side)).because(&error)))
    };
    Err(match (error.code(), error.status().map(|status| status.as_u16())) {
        (Some(ErrorCode::BlobNotFound | ErrorCode::ContainerNotFound), _) => match side {
            Side::Source => Verdict::SourceGone.into(),
            Side::Destination => Verdict::DestinationGone.into(),
        },
        (Some(ErrorCode::BlobUsesCustomerSpecifiedEncryption), _) => {
            unverifiable(UnverifiableReason::CustomerKey)
        }
        // So the service answers a caller who may not see the container.
        (Some(ErrorCode::ResourceNotFound), _) | (_, Some(401 | 403)) => {
            unverifiable(UnverifiableReason::NoPermission)
        }
        _ => Stop::Error(error),
    })
}

fn check_readable(blob: &BlobProperties, is_snapshot: bool, side: Side) -> Result<(), Stop> {
    let is_pending = |copy: &crate::CopyState| copy.status == CopyStatus::Pending;
    let reason = if blob.access_tier == Some(crate::AccessTier::Archive) {
        UnverifiableReason::Archived
    } else if blob.encryption_key_sha256.is_some() {
        UnverifiableReason::CustomerKey
    } else if blob.is_incremental_copy && !is_snapshot {
        UnverifiableReason::IncrementalCopy
    } else if blob.copy.as_ref().is_some_and(is_pending) {
        UnverifiableReason::PendingCopy
    } else {
        return Ok(());
    };
    Err(Verdict::Unverifiable(Unverifiable::new(reason, Some(side))).into())
}

/// A comparison of two blobs of one length.
#[derive(Debug)]
pub(super) struct Comparison {
    pub(super) source: Blob,
    pub(super) destination: Blob,
    pub(super) scratch: Scratch,
    /// The length of a piece.
    pub(super) piece: u64,
    /// How many pieces are compared at a time, with two requests each.
    pub(super) in_flight: usize,
    /// How many differences are looked for.
    pub(super) most: usize,
    /// Whether the verdict is found, so that no more requests are sent.
    pub(super) is_over: AtomicBool,
}

/// A piece, and what its comparison found.
enum Compared {
    Same(Range<u64>, ContentCrc64),
    Different(Vec<PageRange>),
}

impl Comparison {
    pub(super) async fn run(self: &Arc<Self>) -> Result<Verdict, Stop> {
        let pieces = Pieces::of(&self.source, &self.destination, self.piece);
        let comparison = Arc::clone(self);
        let pieces = stream::try_unfold(pieces, move |mut pieces: Pieces| {
            let is_over = comparison.is_over();
            async move {
                let next = if is_over { None } else { pieces.next().await? };
                Ok(next.map(|piece| (piece, pieces)))
            }
        });
        let compared = pieces.map_ok(|piece| {
            let comparison = Arc::clone(self);
            async move { comparison.compare(piece).await }
        });
        // Results come in the order of the pieces, so the first differences are the first ones.
        let mut compared = Box::pin(compared.try_buffered(self.in_flight));
        let verdict = self.gather(&mut compared).await;
        // The requests in flight end before the scratch blob is removed: a block that is staged
        // after that would stay.
        self.is_over.store(true, Ordering::Relaxed);
        while compared.next().await.is_some() {}
        verdict
    }

    async fn gather(
        &self,
        compared: &mut (impl Stream<Item = Result<Compared, Stop>> + Unpin),
    ) -> Result<Verdict, Stop> {
        let (mut whole, mut found) = (WholeCrc64::new(), Vec::new());
        while let Some(compared) = compared.try_next().await? {
            match compared {
                Compared::Same(piece, crc64) => {
                    whole.push_zeros(piece.start.saturating_sub(whole.length()));
                    whole.push(crc64, piece.end - piece.start);
                }
                Compared::Different(ranges) => found.extend(ranges),
            }
            if found.len() >= self.most {
                break;
            }
        }
        if found.is_empty() {
            whole.push_zeros(self.source.length.saturating_sub(whole.length()));
            return Ok(self.identical(whole));
        }
        let may_be_more = found.len() >= self.most;
        found.truncate(self.most);
        Ok(Verdict::Different(Differences {
            source_length: self.source.length,
            destination_length: self.destination.length,
            ranges: joined(found),
            may_be_more,
        }))
    }

    fn identical(&self, whole: WholeCrc64) -> Verdict {
        Verdict::Identical(IdenticalContent {
            length: whole.length(),
            crc64: whole.value(),
            source_etag: self.source.etag.clone(),
            destination_etag: self.destination.etag.clone(),
        })
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }

    async fn compare(&self, piece: Range<u64>) -> Result<Compared, Stop> {
        let [source, destination] = self.crc64s(piece.clone()).await?;
        match source == destination {
            true => Ok(Compared::Same(piece, source)),
            false => Ok(Compared::Different(self.narrow(piece).await?)),
        }
    }

    async fn crc64s(&self, range: Range<u64>) -> Result<[ContentCrc64; 2], Stop> {
        let (source, destination) = future::try_join(
            self.source.crc64(&self.scratch, range.clone()),
            self.destination.crc64(&self.scratch, range),
        )
        .await?;
        Ok([source, destination])
    }

    /// The first places where the blobs differ in `range`, which is known to differ.
    ///
    /// A range that differs in each of its parts is one place: else blobs that have nothing in
    /// common would be compared page by page.
    async fn narrow(&self, range: Range<u64>) -> Result<Vec<PageRange>, Stop> {
        let mut found = Vec::new();
        let mut rest = vec![range];
        while let Some(range) = rest.pop().filter(|_| !self.is_over() && found.len() < self.most) {
            let (parts, mut different) = (parts(&range), Vec::new());
            if parts.len() > 1 {
                for part in parts.iter().take_while(|_| !self.is_over()) {
                    let [source, destination] = self.crc64s(part.clone()).await?;
                    if source != destination {
                        different.push(part.clone());
                    }
                }
            }
            // None differs only if the CRCs of different parts are equal by chance.
            match different.is_empty() || different.len() == parts.len() {
                true => found.push(PageRange::from(range)),
                false => rest.extend(different.into_iter().rev()),
            }
        }
        Ok(found)
    }
}

/// Up to 16 parts of a range, whole pages except at its end.
fn parts(range: &Range<u64>) -> Vec<Range<u64>> {
    let part = (range.end - range.start).div_ceil(PARTS).next_multiple_of(SMALLEST);
    let starts = (0..PARTS).map(|n| range.start + n * part).take_while(|start| *start < range.end);
    starts.map(|start| start..range.end.min(start + part)).collect()
}

/// Joins ranges that touch.
fn joined(ranges: Vec<PageRange>) -> Vec<PageRange> {
    let mut joined: Vec<PageRange> = Vec::new();
    for range in ranges {
        match joined.last_mut().filter(|last| last.end == range.start) {
            Some(last) => last.end = range.end,
            None => joined.push(range),
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_whole_pages_and_cover_the_range() {
        assert_eq!(parts(&(0..512)), vec![0..512; 1]);
        assert_eq!(parts(&(512..700)), vec![512..700; 1]);
        assert_eq!(parts(&(0..1300)), [0..512, 512..1024, 1024..1300]);
        let cut = parts(&(4096..4096 + (64 << 20)));
        assert_eq!((cut.len(), cut[0].clone()), (16, 4096..4096 + (4 << 20)));
        for length in [513, 8192, 8193, 20_000, 1 << 20] {
            let cut = parts(&(512..512 + length));
            assert!(cut.windows(2).all(|pair| pair[0].end == pair[1].start), "{cut:?}");
            assert_eq!((cut[0].start, cut[cut.len() - 1].end), (512, 512 + length));
            assert!(cut.len() <= 16 && cut.len() > 1);
        }
    }

    #[test]
    fn ranges_that_touch_are_one() {
        let ranges = [0..512, 512..1024, 2048..2560].map(PageRange::from).to_vec();
        assert_eq!(joined(ranges), [PageRange::from(0..1024), PageRange::from(2048..2560)]);
    }
}
