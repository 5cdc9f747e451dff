//! The state of a copy.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};
use time::OffsetDateTime;

use super::{CopyId, CopyStatus, ETag, SnapshotId, VersionId};
use crate::{
    error::{Error, Result},
    wire::redaction::redact,
};

/// The progress of a copy, in bytes: the value of `x-ms-copy-progress`.
///
/// ```
/// use blobcopy::CopyProgress;
///
/// let progress: CopyProgress = "512/2048".parse()?;
/// assert_eq!(progress.fraction(), 0.25);
/// assert_eq!(progress.to_string(), "512/2048");
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CopyProgress {
    /// Bytes copied so far.
    pub copied: u64,
    /// Bytes to copy in total.
    pub total: u64,
}

impl CopyProgress {
    /// So many bytes copied of so many, as tests need it.
    pub fn new(copied: u64, total: u64) -> Self {
        Self { copied, total }
    }

    /// The fraction that is done, from 0 to 1. A copy of 0 bytes returns 1.
    #[allow(clippy::cast_precision_loss)]
    pub fn fraction(&self) -> f64 {
        if self.total == 0 { 1.0 } else { (self.copied as f64 / self.total as f64).min(1.0) }
    }
}

impl fmt::Display for CopyProgress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.copied, self.total)
    }
}

impl FromStr for CopyProgress {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let parsed = text.split_once('/').and_then(|(copied, total)| {
            Some(Self { copied: copied.parse().ok()?, total: total.parse().ok()? })
        });
        parsed.ok_or_else(|| {
            Error::invalid("copy progress", text, "must be <bytes copied>/<bytes in total>")
        })
    }
}

/// The URL of a copy's source, as the service returns it in `x-ms-copy-source`.
///
/// The service may change the URL that it was given (the scheme, a port, the case of percent
/// encodings) and may return a SAS with its signature. `Display`, `Debug` and serialization show
/// `sig=REDACTED`; only [`expose`](CopySourceUrl::expose) returns the original text.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct CopySourceUrl(String);

impl CopySourceUrl {
    /// Wraps the text that the service sent.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The URL exactly as the service returned it. It may contain the signature of a SAS.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The snapshot that the URL names, if any.
    pub fn snapshot(&self) -> Option<SnapshotId> {
        let (_, query) = self.0.split_once('?')?;
        let mut pairs = url::form_urlencoded::parse(query.as_bytes());
        let (_, value) = pairs.find(|(name, _)| name.eq_ignore_ascii_case("snapshot"))?;
        value.parse().ok()
    }
}

impl fmt::Display for CopySourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(&self.0))
    }
}

impl fmt::Debug for CopySourceUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", redact(&self.0))
    }
}

impl Serialize for CopySourceUrl {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&redact(&self.0))
    }
}

/// The state of a copy at one moment.
///
/// From the `x-ms-copy-*` headers of
/// [Get Blob Properties](https://learn.microsoft.com/rest/api/storageservices/get-blob-properties).
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CopyState {
    /// The copy's id.
    pub copy_id: CopyId,
    /// The copy's status.
    pub status: CopyStatus,
    /// How many bytes are copied, of how many in total. `None` in the response to a start.
    ///
    /// An incremental copy counts the whole blob, not the difference: `0/N` while pending and `N/N`
    /// on success, where N is the blob's length.
    pub progress: Option<CopyProgress>,
    /// Why the copy failed, or what blocks it while it is pending: a status, a code and a text from
    /// the service. Their wording may change.
    pub description: Option<String>,
    /// When the copy ended, to the second; `None` while it is pending.
    #[serde(with = "time::serde::rfc3339::option")]
    pub completed_on: Option<OffsetDateTime>,
    /// The destination snapshot that holds the copied content, after an incremental copy has
    /// succeeded.
    pub destination_snapshot: Option<SnapshotId>,
    /// The copy's source.
    pub source: Option<CopySourceUrl>,
    /// The destination's ETag at this moment. It changes while the copy is pending.
    pub etag: Option<ETag>,
    /// When the destination was last modified, as of this moment.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The destination's version id, in accounts with blob versioning.
    pub version_id: Option<VersionId>,
}

impl CopyState {
    pub(crate) fn new(copy_id: CopyId, status: CopyStatus) -> Self {
        Self {
            copy_id,
            status,
            progress: None,
            description: None,
            completed_on: None,
            destination_snapshot: None,
            source: None,
            etag: None,
            last_modified: None,
            version_id: None,
        }
    }

    /// What blocks a copy that has not ended, if the service says so. Usually it can no longer read
    /// the source, for example `403 AuthenticationFailed` after a SAS has expired. Such a copy does
    /// not continue on its own: fix the cause, or abort the copy.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let mut copy = blob.start_copy_from_uri(&source).await?;
    /// let state = copy.poll().await?;
    /// if let Some(trouble) = state.held_up_by() {
    ///     eprintln!("copy {} is held up: {trouble}", copy.id());
    /// }
    /// # Ok(()) });
    /// ```
    pub fn held_up_by(&self) -> Option<&str> {
        self.description.as_deref().filter(|text| !self.status.is_final() && !text.is_empty())
    }

    /// The status and progress, without the description.
    pub(crate) fn standing(&self) -> String {
        match self.progress {
            Some(progress) => format!("{} at {progress}", self.status),
            None => self.status.to_string(),
        }
    }
}

/// Shows the status and, if known, the progress and the description: `pending at 512/2048`.
impl fmt::Display for CopyState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.standing())?;
        match self.description.as_deref() {
            Some(text) if !text.is_empty() => write!(f, ": {text}"),
            _ => Ok(()),
        }
    }
}

/// A copy that succeeded, and the state of its destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct CompletedCopy {
    /// The copy's id.
    pub copy_id: CopyId,
    /// The final progress. `None` if the response to the start already said `success`: it carries
    /// no progress.
    ///
    /// It counts the whole blob, even for an incremental copy, which transfers only the difference.
    /// For the bytes transferred, use [`diff_size`](crate::PageBlobClient::diff_size) between the
    /// last two destination snapshots.
    pub progress: Option<CopyProgress>,
    /// The source snapshot that was copied, if the source was a snapshot.
    pub source_snapshot: Option<SnapshotId>,
    /// The destination's new snapshot, after an incremental copy. `None` for it only if the service
    /// did not name the snapshot in several polls.
    pub destination_snapshot: Option<SnapshotId>,
    /// When the copy ended, to the second.
    #[serde(with = "time::serde::rfc3339::option")]
    pub completed_on: Option<OffsetDateTime>,
    /// The destination's ETag in the response that reported the end.
    pub etag: Option<ETag>,
    /// When the destination was last modified, in the same response.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
    /// The destination's version id, in accounts with blob versioning.
    pub version_id: Option<VersionId>,
}

impl From<CopyState> for CompletedCopy {
    fn from(state: CopyState) -> Self {
        Self {
            copy_id: state.copy_id,
            progress: state.progress,
            source_snapshot: state.source.as_ref().and_then(CopySourceUrl::snapshot),
            destination_snapshot: state.destination_snapshot,
            completed_on: state.completed_on,
            etag: state.etag,
            last_modified: state.last_modified,
            version_id: state.version_id,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_reads_and_shows_itself_as_the_service_does() {
        let progress: CopyProgress = "0/2048".parse().expect("well formed");
        assert_eq!((progress.copied, progress.total), (0, 2048));
        assert_eq!(progress.to_string(), "0/2048");
        for bad in ["", "5", "a/b", "-1/5", "1/2/3"] {
            assert!(bad.parse::<CopyProgress>().is_err(), "{bad}");
        }
    }

    #[test]
    fn the_fraction_of_nothing_is_all_of_it() {
        assert_eq!(CopyProgress { copied: 0, total: 0 }.fraction(), 1.0);
        assert_eq!(CopyProgress { copied: 9, total: 3 }.fraction(), 1.0);
    }

    #[test]
    fn a_state_shows_what_holds_it_up() {
        let mut state = CopyState::new("id".parse().expect("an id"), CopyStatus::Pending);
        assert_eq!((state.to_string().as_str(), state.held_up_by()), ("pending", None));
        state.progress = Some(CopyProgress { copied: 512, total: 2048 });
        assert_eq!(state.to_string(), "pending at 512/2048");
        state.description = Some("403 AuthenticationFailed \"Copy failed.\"".to_owned());
        let shown = "pending at 512/2048: 403 AuthenticationFailed \"Copy failed.\"";
        assert_eq!((state.to_string().as_str(), state.held_up_by().is_some()), (shown, true));
        state.status = CopyStatus::Failed;
        assert_eq!(state.held_up_by(), None);
    }

    #[test]
    fn a_source_names_its_snapshot() {
        let snapshot = |url: &str| CopySourceUrl::new(url).snapshot();
        let named = snapshot("https://a:443/c/b?sp=r&Snapshot=2026-01-01T00%3a00%3a00.1234567Z");
        assert_eq!(named.expect("named"), "2026-01-01T00:00:00.1234567Z");
        for none in ["https://a/c/b", "https://a/c/b?sp=r", "https://a/c/b?snapshot=now", ""] {
            assert_eq!(snapshot(none), None, "{none}");
        }
    }

    #[test]
    fn an_echoed_signature_is_never_shown() {
        let source = CopySourceUrl::new("https://a/c/b?sp=r&sig=SECRET&se=x");
        for shown in [
            source.to_string(),
            format!("{source:?}"),
            serde_json::to_string(&source).expect("serializes"),
        ] {
            assert!(shown.contains("sig=REDACTED&se=x") && !shown.contains("SECRET"), "{shown}");
        }
        assert!(source.expose().contains("SECRET"));
    }
}
