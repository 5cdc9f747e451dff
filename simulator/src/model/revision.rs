//! What a base blob holds, or one of its snapshots.

use std::{borrow::Cow, collections::BTreeMap};

use http::StatusCode;
use time::OffsetDateTime;

use super::{content::Content, copies::record::CopyRecord, encryption::Encryption, tiers::Tier};
use crate::wire::{
    answer::Answer,
    error::{Code, Refusal},
};

/// Metadata by name. HTTP libraries hand over header names in lower case, so the case in which a
/// name was given cannot be kept.
pub(crate) type Metadata = BTreeMap<String, String>;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// What a base blob, or one of its snapshots, holds.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) content: Content,
    pub(crate) headers: ContentHeaders,
    pub(crate) metadata: Metadata,
    pub(crate) tags: Tags,
    pub(crate) etag: String,
    pub(crate) last_modified: OffsetDateTime,
    pub(crate) created: OffsetDateTime,
    /// Another number whenever the blob is made anew, by Put Blob or Copy Blob.
    pub(crate) generation: u64,
    pub(crate) sequence_number: u64,
    pub(crate) tier: Option<Tier>,
    pub(crate) copy: Option<Box<CopyRecord>>,
    /// Whether an incremental copy made it.
    pub(crate) incremental: bool,
    /// Whether an append blob takes no more.
    pub(crate) sealed: bool,
    /// With what it is encrypted, where that is not the account's own key.
    pub(crate) encryption: Option<Encryption>,
}

/// The standard properties that travel with the content.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContentHeaders {
    /// Borrowed where it is what a blob has without one being given, as nearly all blobs do.
    pub(crate) content_type: Option<Cow<'static, str>>,
    pub(crate) encoding: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) disposition: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) md5: Option<String>,
}

impl Revision {
    /// Refuses what cannot be done with a blob in the archive.
    pub(crate) fn online(&self, now: OffsetDateTime) -> Result<(), Refusal> {
        match &self.tier {
            Some(tier) if tier.is_archived(now) => Err(Code::BlobArchived.into()),
            _ => Ok(()),
        }
    }
}

impl Answer {
    /// An answer that tells the ETag and the date of what was written or read.
    pub(crate) fn about(status: StatusCode, revision: &Revision) -> Self {
        Self::new(status).dated(&revision.etag, revision.last_modified)
    }
}
