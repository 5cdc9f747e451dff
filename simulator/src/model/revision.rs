//! The content and properties of a base blob, or of one of its snapshots.

use std::{borrow::Cow, collections::BTreeMap};

use http::StatusCode;
use time::OffsetDateTime;

use super::{content::Content, copies::record::CopyRecord, encryption::Encryption, tiers::Tier};
use crate::wire::{
    answer::Answer,
    error::{Code, Refusal},
};

/// Metadata by name. HTTP libraries turn header names into lower case, so the original case of a
/// name is lost.
pub(crate) type Metadata = BTreeMap<String, String>;

/// Tags by key.
pub(crate) type Tags = BTreeMap<String, String>;

/// The content and properties of a base blob, or of one of its snapshots.
#[derive(Debug, Clone)]
pub(crate) struct Revision {
    pub(crate) content: Content,
    pub(crate) headers: ContentHeaders,
    pub(crate) metadata: Metadata,
    pub(crate) tags: Tags,
    pub(crate) etag: String,
    pub(crate) last_modified: OffsetDateTime,
    pub(crate) created: OffsetDateTime,
    /// Changes whenever Put Blob or Copy Blob replaces the blob.
    pub(crate) generation: u64,
    pub(crate) sequence_number: u64,
    pub(crate) tier: Option<Tier>,
    pub(crate) copy: Option<Box<CopyRecord>>,
    /// Whether an incremental copy created it.
    pub(crate) incremental: bool,
    /// Whether an append blob is sealed.
    pub(crate) sealed: bool,
    /// How it is encrypted, if not with the account's own key.
    pub(crate) encryption: Option<Encryption>,
}

/// The standard properties that travel with the content.
#[derive(Debug, Clone, Default)]
pub(crate) struct ContentHeaders {
    /// Borrowed if it is the default, as for nearly all blobs.
    pub(crate) content_type: Option<Cow<'static, str>>,
    pub(crate) encoding: Option<String>,
    pub(crate) language: Option<String>,
    pub(crate) disposition: Option<String>,
    pub(crate) cache_control: Option<String>,
    pub(crate) md5: Option<String>,
}

impl Revision {
    /// Refuses operations that an archived blob does not allow.
    pub(crate) fn online(&self, now: OffsetDateTime) -> Result<(), Refusal> {
        match &self.tier {
            Some(tier) if tier.is_archived(now) => Err(Code::BlobArchived.into()),
            _ => Ok(()),
        }
    }
}

impl Answer {
    /// An answer with the ETag and the date of the blob.
    pub(crate) fn about(status: StatusCode, revision: &Revision) -> Self {
        Self::new(status).dated(&revision.etag, revision.last_modified)
    }
}
