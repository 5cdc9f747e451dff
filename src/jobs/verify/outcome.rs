//! What a verification found.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ContentCrc64, ETag, Error, PageRange};

/// The result of [`verify`](super::verify).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Verified {
    /// What the comparison found.
    pub verdict: Verdict,
    /// The scratch blob, if it could not be removed. The service discards it within a week;
    /// [`remove_scratch`](super::remove_scratch) removes it sooner.
    pub scratch_left: Option<ScratchLeft>,
}

impl Verified {
    /// Whether both blobs have the same content.
    pub fn is_identical(&self) -> bool {
        matches!(self.verdict, Verdict::Identical(_))
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.verdict.fmt(f)?;
        match &self.scratch_left {
            None => Ok(()),
            Some(ScratchLeft { url, .. }) => write!(f, " (the scratch blob {url} is left)"),
        }
    }
}

/// Whether two blobs have the same content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// Both have the same content.
    Identical(IdenticalContent),
    /// They differ.
    Different(Differences),
    /// The service cannot read one of them, or cannot write the scratch blob.
    Unverifiable(Unverifiable),
    /// The source does not exist: the service itself answered 404.
    SourceGone,
    /// The destination does not exist: the service itself answered 404.
    DestinationGone,
    /// One of them was modified during the verification, or does not have the ETag that was given.
    Changed(Side),
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Identical(identity) => {
                write!(f, "identical: {} bytes, CRC-64 {}", identity.length, identity.crc64)
            }
            Self::Different(differences) => differences.fmt(f),
            Self::Unverifiable(why) => why.fmt(f),
            Self::SourceGone => f.write_str("the source does not exist"),
            Self::DestinationGone => f.write_str("the destination does not exist"),
            Self::Changed(side) => write!(f, "the {side} was modified during the verification"),
        }
    }
}

/// The proof that two blobs had the same content while they had these ETags.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct IdenticalContent {
    /// The length of both, in bytes.
    pub length: u64,
    /// The CRC-64 (CRC-64/NVME) of the whole content.
    pub crc64: ContentCrc64,
    /// The source's ETag.
    pub source_etag: ETag,
    /// The destination's ETag.
    pub destination_etag: ETag,
}

/// Where two blobs differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Differences {
    /// The source's length in bytes.
    pub source_length: u64,
    /// The destination's length in bytes.
    pub destination_length: u64,
    /// The first ranges that hold a difference, ascending. Their borders are multiples of 512 or
    /// the end of the blob.
    ///
    /// If the lengths differ, the content is not compared: the only range is what the longer blob
    /// has beyond the shorter one.
    pub ranges: Vec<PageRange>,
    /// Whether there may be other differences than those in `ranges`.
    pub may_be_more: bool,
}

impl fmt::Display for Differences {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { source_length, destination_length, ranges, may_be_more } = self;
        if source_length != destination_length {
            return write!(f, "different lengths: {source_length} and {destination_length} bytes");
        }
        f.write_str("different in bytes ")?;
        for (at, range) in ranges.iter().enumerate() {
            write!(f, "{}{range}", if at == 0 { "" } else { ", " })?;
        }
        f.write_str(if *may_be_more { ", and perhaps in others" } else { "" })
    }
}

/// Why two blobs cannot be compared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Unverifiable {
    /// The reason.
    pub reason: UnverifiableReason,
    /// The blob that it is about; `None` for the scratch blob.
    pub side: Option<Side>,
    /// The service's error code, if it refused a request.
    pub code: Option<String>,
    /// The message of that error, without secrets.
    pub message: Option<String>,
}

impl Unverifiable {
    pub(super) fn new(reason: UnverifiableReason, side: Option<Side>) -> Self {
        Self { reason, side, code: None, message: None }
    }

    pub(super) fn because(self, error: &Error) -> Self {
        let code = error.code().map(ToString::to_string);
        Self { code, message: Some(error.to_string()), ..self }
    }
}

impl fmt::Display for Unverifiable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.side {
            Some(Side::Source) => "the source",
            Some(Side::Destination) => "the destination",
            None => "the scratch blob",
        };
        write!(f, "cannot be verified: {what} {}", self.reason)?;
        self.message.as_ref().map_or(Ok(()), |message| write!(f, ": {message}"))
    }
}

/// Why a blob cannot be verified.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum UnverifiableReason {
    /// It is in the archive tier and must be rehydrated first.
    Archived,
    /// It is encrypted with a key of the customer's, which the service does not keep.
    CustomerKey,
    /// It is the destination of incremental copies, which cannot be read: verify a snapshot of it.
    IncrementalCopy,
    /// A copy into it is pending.
    PendingCopy,
    /// The credential, or the SAS made with it, does not allow the request.
    NoPermission,
    /// The service returned no ETag, so a modification would not be noticed.
    NoEtag,
    /// The service returned no CRC-64. It does from service version 2019-02-02.
    NoChecksum,
}

impl fmt::Display for UnverifiableReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Archived => "is archived",
            Self::CustomerKey => "is encrypted with a customer-provided key",
            Self::IncrementalCopy => "is the destination of incremental copies",
            Self::PendingCopy => "has a pending copy",
            Self::NoPermission => "is not permitted",
            Self::NoEtag => "has no ETag",
            Self::NoChecksum => "was read without a CRC-64",
        })
    }
}

/// One of the two blobs of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Side {
    /// The source.
    Source,
    /// The destination.
    Destination,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Source => "source",
            Self::Destination => "destination",
        })
    }
}

/// A scratch blob that could not be removed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ScratchLeft {
    /// Its URL, without a query.
    pub url: String,
    /// Why it could not be removed.
    pub message: String,
}
