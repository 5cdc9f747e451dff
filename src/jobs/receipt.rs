//! What was copied, and what proves it.

use std::collections::HashMap;

use serde::{Deserialize, Deserializer, Serialize, de};
use url::Url;

use super::{
    Route,
    task::{Carried, Piece, Sum, Task},
    verify::{IdenticalContent, WholeCrc64},
};
use crate::{
    BlobClient, ContentCrc64, ContentMd5, CopyId, ETag, PageRange, Result, SnapshotId,
    wire::redaction::redact,
};

/// Says that one blob had the content of another while both had these ETags, and what proves it.
///
/// A run of a [`CopyJob`](super::CopyJob) gives one for each blob that it copied, in
/// [`Finished`](super::Finished); [`Receipt::of_identical`] makes one from a verification. It is
/// stored as one line of JSON and contains no secret. Nothing of it is written to the blobs.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// use blobcopy::jobs::{Proof, Receipt, Verdict, verify};
///
/// let notes = service.container_client("vhds").blob_client("notes.txt");
/// let copy = service.container_client("backups").blob_client("notes.txt");
/// copy.start_copy_from_uri(&notes).await?.wait().await?;
/// let Verdict::Identical(found) = verify(&notes, &copy).await?.verdict else { panic!() };
///
/// let line = serde_json::to_string(&Receipt::of_identical(&notes, &copy, &found)?)?;
/// let receipt: Receipt = serde_json::from_str(&line)?;
/// assert_eq!(receipt.proof, Proof::Crc64(found.crc64));
/// # Ok(()) });
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The source's URL without its query, redacted.
    #[serde(deserialize_with = "bare")]
    pub source: String,
    /// The source's snapshot, if it was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_snapshot: Option<SnapshotId>,
    /// The destination's URL without its query, redacted.
    #[serde(deserialize_with = "bare")]
    pub destination: String,
    /// The length of both in bytes.
    pub length: u64,
    /// The source's ETag.
    pub source_etag: ETag,
    /// The destination's ETag after the copy.
    pub destination_etag: ETag,
    /// The copy's id, if the service copied it in the background.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub copy_id: Option<CopyId>,
    /// The client request id of the requests that wrote the destination: the service's logs have it
    /// beside its own request ids. `None` for a copy that an earlier run had begun in full.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_request_id: Option<String>,
    /// What proves that the content is the same.
    pub proof: Proof,
}

/// What proves that a copy has the content of its source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Proof {
    /// The CRC-64 of the whole content, as the service read it from the source.
    Crc64(ContentCrc64),
    /// A checksum for each range that holds data, as the service read it from the source.
    Ranges(Vec<ProvenRange>),
    /// The service's own success alone.
    ServiceOnly,
}

/// A range of a blob and its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ProvenRange {
    /// The range.
    #[serde(flatten)]
    pub range: PageRange,
    /// Its checksum.
    #[serde(flatten)]
    pub checksum: RangeChecksum,
}

/// The checksum of a range. The service chooses the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RangeChecksum {
    /// A CRC-64.
    Crc64(ContentCrc64),
    /// An MD5.
    Md5(ContentMd5),
}

impl Receipt {
    /// The receipt of a [verification](super::verify()) of these two blobs.
    ///
    /// # Errors
    ///
    /// `InvalidInput` if the name of a blob is not valid, which no verified blob's is.
    pub fn of_identical(
        source: &BlobClient,
        destination: &BlobClient,
        found: &IdenticalContent,
    ) -> Result<Self> {
        Ok(Self {
            source: shown(source.url()?),
            source_snapshot: source.snapshot().cloned(),
            destination: shown(destination.url()?),
            length: found.length,
            source_etag: found.source_etag.clone(),
            destination_etag: found.destination_etag.clone(),
            copy_id: None,
            client_request_id: None,
            proof: Proof::Crc64(found.crc64),
        })
    }

    /// The receipt of a copy; `None` if an ETag is not known, since it would prove nothing later.
    pub(crate) fn of_copy(task: &Task, carried: &Carried) -> Option<Self> {
        let source = task.source();
        Some(Self {
            source: shown(source.url().ok()?),
            source_snapshot: source.snapshot().cloned(),
            destination: shown(task.destination().url().ok()?),
            length: carried.length,
            source_etag: carried.source_etag.clone()?,
            destination_etag: carried.destination_etag.clone()?,
            copy_id: carried.copy_id.clone(),
            client_request_id: task.written_by.get().cloned(),
            proof: Proof::of(&carried.pieces, carried.length, task.route == Route::PagesFromUrl),
        })
    }
}

impl Proof {
    /// What the pieces prove: all of the content, except zeros between the pieces of a page blob.
    fn of(pieces: &[Piece], length: u64, may_have_gaps: bool) -> Self {
        let (mut at, mut whole) = (0, Some(WholeCrc64::new()));
        let mut has_gaps = pieces.is_empty();
        for piece in pieces {
            has_gaps |= piece.offset != at;
            // Pieces that overlap prove nothing of the whole.
            let Some(gap) = piece.offset.checked_sub(at) else { return Self::ServiceOnly };
            whole = match (whole, piece.sum) {
                (Some(mut whole), Sum::Crc64(crc64)) => {
                    whole.push_zeros(gap);
                    whole.push(crc64, piece.length);
                    Some(whole)
                }
                _ => None,
            };
            at = piece.offset + piece.length;
        }
        has_gaps |= at != length;
        if pieces.is_empty() || at > length || (has_gaps && !may_have_gaps) {
            return Self::ServiceOnly;
        }
        match whole {
            Some(mut whole) => {
                whole.push_zeros(length - at);
                Self::Crc64(whole.value())
            }
            None => Self::Ranges(pieces.iter().map(ProvenRange::from).collect()),
        }
    }
}

impl From<&Piece> for ProvenRange {
    fn from(piece: &Piece) -> Self {
        let range = PageRange::from(piece.offset..piece.offset + piece.length);
        let checksum = match piece.sum {
            Sum::Crc64(crc64) => RangeChecksum::Crc64(crc64),
            Sum::Md5(md5) => RangeChecksum::Md5(md5),
        };
        Self { range, checksum }
    }
}

/// Receipts of earlier runs, by the destination's name.
///
/// If there are several for one destination, the last one counts.
///
/// ```
/// use blobcopy::jobs::{Receipt, Receipts};
///
/// let file = r#"{"source":"https://a.example/c/1","destination":"https://b.example/c/1",
///     "length":3,"source_etag":"0x1","destination_etag":"0x2","proof":"service-only"}"#;
/// let lines = serde_json::Deserializer::from_str(file).into_iter::<Receipt>();
/// let receipts: Receipts = lines.collect::<Result<_, _>>()?;
/// assert_eq!(receipts.len(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipts(HashMap<String, Receipt>);

impl Receipts {
    /// None yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many destinations have a receipt.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The receipt of a destination, whatever has become of the blobs since.
    pub fn get(&self, destination: &BlobClient) -> Option<&Receipt> {
        self.0.get(&shown(destination.url().ok()?))
    }

    /// The receipt of a copy from `source` to `destination` that still holds: neither blob was
    /// written since, so both have the ETags of the receipt.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::{Receipt, Receipts, Verdict, verify};
    ///
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let copy = service.container_client("backups").block_blob_client("notes.txt");
    /// copy.start_copy_from_uri(&notes).await?.wait().await?;
    /// let Verdict::Identical(found) = verify(&notes, &copy).await?.verdict else { panic!() };
    /// let receipt = Receipt::of_identical(&notes, &copy, &found)?;
    /// let receipts: Receipts = [receipt].into_iter().collect();
    ///
    /// let (etag, before) = (found.source_etag, found.destination_etag);
    /// assert!(receipts.holding((&notes, &etag), (&copy, &before)).is_some());
    /// copy.upload("overwritten").await?;
    /// let now = copy.get_properties().await?.etag.unwrap();
    /// assert!(receipts.holding((&notes, &etag), (&copy, &now)).is_none());
    /// # Ok(()) });
    /// ```
    pub fn holding(
        &self,
        (source, source_etag): (&BlobClient, &ETag),
        (destination, destination_etag): (&BlobClient, &ETag),
    ) -> Option<&Receipt> {
        self.get(destination).filter(|receipt| {
            receipt.source_etag == *source_etag
                && receipt.destination_etag == *destination_etag
                && receipt.source_snapshot.as_ref() == source.snapshot()
                && source.url().is_ok_and(|url| shown(url) == receipt.source)
        })
    }
}

impl Extend<Receipt> for Receipts {
    fn extend<I: IntoIterator<Item = Receipt>>(&mut self, receipts: I) {
        let named = receipts.into_iter().map(|receipt| (receipt.destination.clone(), receipt));
        self.0.extend(named);
    }
}

impl FromIterator<Receipt> for Receipts {
    fn from_iter<I: IntoIterator<Item = Receipt>>(receipts: I) -> Self {
        let mut all = Self::new();
        all.extend(receipts);
        all
    }
}

/// A URL as a receipt has it.
fn shown(mut url: Url) -> String {
    url.set_query(None);
    url.set_fragment(None);
    // Fails only for a URL without a host, which has none of these.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    redact(url.as_str()).into_owned()
}

/// Reads a URL, and drops what a receipt must not hold.
fn bare<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map(shown).map_err(|_| de::Error::custom("the URL of a blob is malformed"))
}

#[cfg(test)]
#[path = "receipt_tests.rs"]
mod tests;
