//! The response to List Blobs.
//!
//! From [List Blobs](https://learn.microsoft.com/rest/api/storageservices/list-blobs).

use std::{borrow::Cow, fmt, str::FromStr};

use percent_encoding::percent_decode_str;
use serde::Serialize;
use time::OffsetDateTime;

use super::{
    BlobProperties, CopyId, CopyProgress, CopySourceUrl, CopyState, CopyStatus, Metadata,
    SnapshotId, Tags, VersionId,
};
use crate::wire::{
    excerpt::{LONGEST_MESSAGE, shown},
    http_date,
    malformed::Malformed,
    redaction,
    xml::Xml,
};

/// A blob, snapshot or version in a listing.
/// [`BlobContainerClient::blob_client_of`](crate::BlobContainerClient::blob_client_of) makes a
/// client for it.
///
/// A field is `None` or empty if the listing does not include it, or the service did not send it or
/// sent it malformed.
#[derive(Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobItem {
    /// The blob's name within its container.
    #[serde(serialize_with = "redaction::serialize")]
    pub name: String,
    /// The snapshot id, if this is a snapshot.
    pub snapshot: Option<SnapshotId>,
    /// The properties, including the version, the metadata and the last copy into the blob.
    pub properties: BlobProperties,
    /// The index tags (from version 2019-12-12).
    pub tags: Tags,
    /// Whether the entry is soft-deleted (from version 2017-07-29).
    pub is_deleted: bool,
    /// When the entry was deleted.
    #[serde(with = "time::serde::rfc3339::option")]
    pub deleted_on: Option<OffsetDateTime>,
    /// For how many more days a soft-deleted entry is kept.
    pub remaining_retention_days: Option<u32>,
    /// Whether the blob is deleted and only versions of it remain (from version 2020-10-02).
    pub has_versions_only: bool,
    /// Whether the metadata is encrypted with a customer-provided key and therefore not listed.
    pub has_encrypted_metadata: bool,
    /// Metadata names that are not valid header names. The service lists them without values; only
    /// old service versions accepted them.
    #[serde(serialize_with = "redaction::serialize")]
    pub invalid_metadata_names: Vec<String>,
}

redaction::debug_redacted!(BlobItem {
    name: text,
    snapshot,
    properties,
    tags,
    is_deleted,
    deleted_on,
    remaining_retention_days,
    has_versions_only,
    has_encrypted_metadata,
    invalid_metadata_names: text,
});

/// One entry of a hierarchical listing: a blob, or a prefix that stands for all blobs below it.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub enum BlobHierarchyItem {
    /// A blob whose name has no delimiter after the prefix of the listing.
    Blob(Box<BlobItem>),
    /// The common prefix of several names, up to and including the delimiter.
    Prefix(#[serde(serialize_with = "redaction::serialize")] String),
}

impl fmt::Debug for BlobHierarchyItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Blob(blob) => f.debug_tuple("Blob").field(blob).finish(),
            Self::Prefix(prefix) => {
                f.debug_tuple("Prefix").field(&redaction::Shown(prefix)).finish()
            }
        }
    }
}

/// The body of one response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct BlobList<T> {
    /// Ordered by name, as received.
    pub(crate) items: Vec<T>,
    /// The marker of the next page; `None` on the last page.
    pub(crate) next_marker: Option<String>,
    /// The prefix of the request, as the service repeats it.
    pub(crate) prefix: Option<String>,
    pub(crate) marker: Option<String>,
    pub(crate) max_results: Option<u32>,
    pub(crate) delimiter: Option<String>,
}

impl<T> Default for BlobList<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            next_marker: None,
            prefix: None,
            marker: None,
            max_results: None,
            delimiter: None,
        }
    }
}

/// The entries of a list: only blobs, or blobs and prefixes.
pub(crate) trait Entry: Sized {
    /// A blob, which `fill` reads.
    fn blob(fill: impl FnOnce(&mut BlobItem) -> Result<(), Malformed>) -> Result<Self, Malformed>;

    /// A prefix, in lists that have prefixes.
    fn prefix(prefix: String) -> Option<Self>;
}

impl Entry for BlobItem {
    fn blob(fill: impl FnOnce(&mut Self) -> Result<(), Malformed>) -> Result<Self, Malformed> {
        let mut blob = Self::default();
        fill(&mut blob)?;
        Ok(blob)
    }

    fn prefix(_: String) -> Option<Self> {
        None
    }
}

impl Entry for BlobHierarchyItem {
    fn blob(fill: impl FnOnce(&mut BlobItem) -> Result<(), Malformed>) -> Result<Self, Malformed> {
        let mut blob = Box::<BlobItem>::default();
        fill(&mut blob)?;
        Ok(Self::Blob(blob))
    }

    fn prefix(prefix: String) -> Option<Self> {
        Some(Self::Prefix(prefix))
    }
}

/// The most entries in a page, of blobs or containers.
const LONGEST_PAGE: usize = 5000;

/// Adds an entry to a page. Rejects a page with more entries than the service can send.
pub(super) fn push<T>(items: &mut Vec<T>, item: T) -> Result<(), Malformed> {
    if items.len() >= LONGEST_PAGE {
        return Err(Malformed::new("it has more than 5000 entries"));
    }
    items.push(item);
    Ok(())
}

pub(crate) fn parse<T: Entry>(body: &[u8]) -> Result<BlobList<T>, Malformed> {
    let mut list = BlobList::default();
    let mut xml = Xml::enter(body, "EnumerationResults")?;
    while let Some(element) = xml.child()? {
        match element {
            b"Blobs" => read_blobs(&mut xml, &mut list.items)?,
            b"NextMarker" => list.next_marker = text(&mut xml)?,
            b"Prefix" => list.prefix = Some(name(&mut xml)?).filter(|prefix| !prefix.is_empty()),
            b"Marker" => list.marker = text(&mut xml)?,
            b"MaxResults" => list.max_results = xml.text()?.trim().parse().ok(),
            b"Delimiter" => list.delimiter = text(&mut xml)?,
            _ => xml.skip()?,
        }
    }
    Ok(list)
}

fn read_blobs<T: Entry>(xml: &mut Xml<'_>, items: &mut Vec<T>) -> Result<(), Malformed> {
    // A `BlobItem` takes a kilobyte and is costly to move, so space is reserved. Few entries take
    // less XML than this; excess space is never touched.
    items.reserve((xml.remaining() / 512).min(LONGEST_PAGE));
    while let Some(element) = xml.child()? {
        match element {
            b"Blob" => push(items, T::blob(|blob| read_blob(xml, blob))?)?,
            b"BlobPrefix" => {
                let mut prefix = String::new();
                while let Some(element) = xml.child()? {
                    match element {
                        b"Name" => prefix = name(xml)?,
                        _ => xml.skip()?,
                    }
                }
                if let Some(prefix) = T::prefix(prefix) {
                    push(items, prefix)?;
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn read_blob(xml: &mut Xml<'_>, item: &mut BlobItem) -> Result<(), Malformed> {
    let mut copy = CopyElements::default();
    while let Some(element) = xml.child()? {
        match element {
            b"Name" => item.name = name(xml)?,
            b"Properties" => read_properties(xml, item, &mut copy)?,
            b"Metadata" => {
                item.has_encrypted_metadata = xml.attribute("Encrypted").as_deref() == Some("true");
                let invalid = &mut item.invalid_metadata_names;
                metadata(xml, &mut item.properties.metadata, invalid)?;
            }
            b"Snapshot" => item.snapshot = SnapshotId::from_service(&xml.text()?),
            b"VersionId" => item.properties.version_id = VersionId::from_service(&xml.text()?),
            b"IsCurrentVersion" => item.properties.is_current_version = flag(xml)?,
            b"Deleted" => item.is_deleted = flag(xml)?.unwrap_or(false),
            b"HasVersionsOnly" => item.has_versions_only = flag(xml)?.unwrap_or(false),
            b"Tags" => read_tags(xml, &mut item.tags)?,
            b"OrMetadata" => {
                while let Some(element) = xml.child()? {
                    let rule = str::from_utf8(element)?;
                    let rule = rule.strip_prefix("or-").unwrap_or(rule).to_owned();
                    item.properties.replication_status.insert(rule, xml.text()?.into_owned());
                }
            }
            _ => xml.skip()?,
        }
    }
    item.properties.copy = copy.into_state(&item.properties);
    Ok(())
}

/// Reads metadata below the element that was just opened. Each invalid name is the text of an
/// element `x-ms-invalid-name`.
pub(super) fn metadata(
    xml: &mut Xml<'_>,
    pairs: &mut Metadata,
    invalid: &mut Vec<String>,
) -> Result<(), Malformed> {
    while let Some(element) = xml.child()? {
        match element {
            b"x-ms-invalid-name" => invalid.push(xml.text()?.into_owned()),
            name => pairs.insert(str::from_utf8(name)?, xml.text()?),
        }
    }
    Ok(())
}

fn read_properties<'a>(
    xml: &mut Xml<'a>,
    item: &mut BlobItem,
    copy: &mut CopyElements,
) -> Result<(), Malformed> {
    let of = &mut item.properties;
    while let Some(element) = xml.child()? {
        match element {
            b"Creation-Time" => of.created_on = date(xml)?,
            b"Last-Modified" => of.last_modified = date(xml)?,
            b"Etag" => of.etag = value(xml)?,
            b"Content-Length" => of.content_length = length(xml)?,
            b"Content-Type" => of.content_type = text(xml)?,
            b"Content-Encoding" => of.content_encoding = text(xml)?,
            b"Content-Language" => of.content_language = text(xml)?,
            b"Content-MD5" => of.content_md5 = value(xml)?,
            b"Content-Disposition" => of.content_disposition = text(xml)?,
            b"Cache-Control" => of.cache_control = text(xml)?,
            b"x-ms-blob-sequence-number" => of.sequence_number = value(xml)?,
            b"BlobType" => of.blob_type = word(xml)?,
            b"LeaseStatus" => of.lease_status = word(xml)?,
            b"LeaseState" => of.lease_state = word(xml)?,
            b"LeaseDuration" => of.lease_duration = word(xml)?,
            b"CopyId" => copy.id = CopyId::from_service(&xml.text()?),
            b"CopyStatus" => copy.status = word(xml)?,
            b"CopySource" => copy.source = text(xml)?.map(CopySourceUrl::new),
            b"CopyProgress" => copy.progress = value(xml)?,
            b"CopyCompletionTime" => copy.completed_on = date(xml)?,
            b"CopyStatusDescription" => {
                copy.description = text(xml)?.map(|text| shown(&text, LONGEST_MESSAGE));
            }
            // The specification has the first name; services of 2026 send the second.
            b"DestinationSnapshot" | b"CopyDestinationSnapshot" => {
                copy.destination_snapshot = SnapshotId::from_service(&xml.text()?);
            }
            b"IncrementalCopy" => of.is_incremental_copy = flag(xml)?.unwrap_or(false),
            b"ServerEncrypted" => of.is_server_encrypted = flag(xml)?,
            b"CustomerProvidedKeySha256" => of.encryption_key_sha256 = text(xml)?,
            b"EncryptionScope" => of.encryption_scope = text(xml)?,
            b"AccessTier" => of.access_tier = word(xml)?,
            b"AccessTierInferred" => of.is_access_tier_inferred = flag(xml)?,
            b"AccessTierChangeTime" => of.access_tier_changed_on = date(xml)?,
            b"SmartAccessTier" => of.smart_access_tier = word(xml)?,
            b"ArchiveStatus" => of.archive_status = word(xml)?,
            b"RehydratePriority" => of.rehydrate_priority = word(xml)?,
            b"TagCount" => of.tag_count = value(xml)?,
            b"Sealed" => of.is_sealed = flag(xml)?,
            b"LastAccessTime" => of.last_accessed_on = date(xml)?,
            b"Expiry-Time" => of.expires_on = date(xml)?,
            b"ImmutabilityPolicyUntilDate" => of.immutability_policy_expires_on = date(xml)?,
            b"ImmutabilityPolicyMode" => of.immutability_policy_mode = word(xml)?,
            b"LegalHold" => of.has_legal_hold = flag(xml)?,
            b"Owner" => of.owner = text(xml)?,
            b"Group" => of.group = text(xml)?,
            b"Permissions" => of.permissions = text(xml)?,
            b"Acl" => of.acl = text(xml)?,
            b"ResourceType" => of.resource_type = text(xml)?,
            b"DeletedTime" => item.deleted_on = date(xml)?,
            b"RemainingRetentionDays" => item.remaining_retention_days = value(xml)?,
            _ => xml.skip()?,
        }
    }
    Ok(())
}

fn read_tags(xml: &mut Xml<'_>, tags: &mut Tags) -> Result<(), Malformed> {
    while let Some(set) = xml.child()? {
        if set != b"TagSet" {
            xml.skip()?;
            continue;
        }
        while let Some(_tag) = xml.child()? {
            let (mut key, mut value) = (Cow::Borrowed(""), Cow::Borrowed(""));
            while let Some(element) = xml.child()? {
                match element {
                    b"Key" => key = xml.text()?,
                    b"Value" => value = xml.text()?,
                    _ => xml.skip()?,
                }
            }
            tags.insert(key, value);
        }
    }
    Ok(())
}

/// The elements about a copy, in any order.
#[derive(Default)]
struct CopyElements {
    id: Option<CopyId>,
    status: Option<CopyStatus>,
    source: Option<CopySourceUrl>,
    progress: Option<CopyProgress>,
    completed_on: Option<OffsetDateTime>,
    description: Option<String>,
    destination_snapshot: Option<SnapshotId>,
}

impl CopyElements {
    /// The state of a copy, if both its id and its status are present.
    fn into_state(self, of: &BlobProperties) -> Option<CopyState> {
        let mut state = CopyState::new(self.id?, self.status?);
        state.source = self.source;
        state.progress = self.progress;
        state.completed_on = self.completed_on;
        state.description = self.description;
        state.destination_snapshot = self.destination_snapshot;
        state.etag = of.etag.clone();
        state.last_modified = of.last_modified;
        state.version_id = of.version_id.clone();
        Some(state)
    }
}

/// The text of a name. The service encodes names with characters that XML cannot hold (from version
/// 2021-02-12).
pub(super) fn name(xml: &mut Xml<'_>) -> Result<String, Malformed> {
    let encoded = xml.attribute("Encoded").as_deref() == Some("true");
    let text = xml.text()?;
    match encoded {
        true => Ok(percent_decode_str(&text).decode_utf8_lossy().into_owned()),
        false => Ok(text.into_owned()),
    }
}

pub(super) fn text(xml: &mut Xml<'_>) -> Result<Option<String>, Malformed> {
    let text = xml.text()?;
    Ok((!text.is_empty()).then(|| text.into_owned()))
}

/// A word; unknown words are accepted.
pub(super) fn word<T: for<'w> From<&'w str>>(xml: &mut Xml<'_>) -> Result<Option<T>, Malformed> {
    let text = xml.text()?;
    Ok((!text.is_empty()).then(|| T::from(&text)))
}

/// A value; malformed ones count as absent, so that one odd element does not cost the whole page.
pub(super) fn value<T: FromStr>(xml: &mut Xml<'_>) -> Result<Option<T>, Malformed> {
    Ok(xml.text()?.trim().parse().ok())
}

/// A flag; absent if it is neither true nor false.
pub(super) fn flag(xml: &mut Xml<'_>) -> Result<Option<bool>, Malformed> {
    let text = xml.text()?;
    Ok(match text.trim() {
        text if text.eq_ignore_ascii_case("true") => Some(true),
        text if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    })
}

/// A date; absent if it is not an HTTP date.
pub(super) fn date(xml: &mut Xml<'_>) -> Result<Option<OffsetDateTime>, Malformed> {
    Ok(http_date::parse(xml.text()?.trim()))
}

/// The length of a blob. A malformed one is an error, because a wrong length is worse than none.
/// Prefixes and deleted versions may have none.
fn length(xml: &mut Xml<'_>) -> Result<u64, Malformed> {
    let text = xml.text()?;
    match text.trim() {
        "" => Ok(0),
        text => text.parse().map_err(|_| {
            let text: String = text.chars().take(80).collect();
            Malformed::new(format!("Content-Length is {text:?}"))
        }),
    }
}

#[cfg(test)]
#[path = "listing_tests.rs"]
mod tests;
