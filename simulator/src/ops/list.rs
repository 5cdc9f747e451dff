//! List Blobs: flat or by hierarchy, page by page.

use std::{borrow::Cow, collections::btree_map, iter::Peekable};

use http::StatusCode;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use super::list_page::{Asked, Marker};
use crate::{
    model::{
        blob::Blob,
        blobs::Listed,
        container::{Container, Staged},
        content::Content,
        encryption::Encryption,
        leases,
        revision::{Metadata, Revision, Tags},
        settings::ListedSnapshot,
        state::State,
        tiers,
    },
    wire::{
        answer::Answer,
        call::Call,
        dates,
        error::{Code, Refusal},
        names::{Name, Order},
        xml::{self, Xml},
    },
};

/// The bytes that an encoded name leaves unchanged.
const KEPT: &AsciiSet =
    &NON_ALPHANUMERIC.remove(b'/').remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// The version that added object replication, and its element for every blob.
const OBJECT_REPLICATION: &str = "2019-12-12";

/// The values of `include`, and the version that added each. There are no deleted blobs, versions
/// or policies here, as in an account that has them disabled.
const INCLUDE: [(&str, &str); 11] = [
    ("snapshots", "2009-09-19"),
    ("metadata", "2009-09-19"),
    ("uncommittedblobs", "2009-09-19"),
    ("copy", "2012-02-12"),
    ("deleted", "2017-07-29"),
    ("tags", "2019-12-12"),
    ("versions", "2019-12-12"),
    ("deletedwithversions", "2020-10-02"),
    ("immutabilitypolicy", "2020-06-12"),
    ("legalhold", "2020-06-12"),
    ("permissions", "2020-06-12"),
];

/// [List Blobs](https://learn.microsoft.com/rest/api/storageservices/list-blobs).
pub(super) fn blobs(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let name = call.container()?;
    let container = state.accounts.container_mut(&call.route.account, name)?;
    let asked = Asked::of(call, &INCLUDE)?;
    if asked.includes("uncommittedblobs") {
        container.staged.retain(|_, staged| staged.is_alive(call.now));
    }
    let container = &*container;
    let delimiter = call.query.get("delimiter").filter(|delimiter| !delimiter.is_empty());
    if delimiter.is_some() && asked.includes("snapshots") {
        let why = "snapshots cannot be listed by hierarchy";
        return Err(Refusal::bad_query("include", "snapshots", why));
    }
    if call.query.get("endBefore").is_some() || call.query.get("showonly").is_some() {
        return Err(Refusal::from(Code::NotImplemented)
            .detail("Reason", "endBefore and showonly of List Blobs are not modelled"));
    }
    let start_from = call.query.get("startFrom").unwrap_or("");

    let entries = Walk::new(container, &asked, delimiter, start_from);
    let mut failure = None;
    let list = asked.write(call, Some(name), delimiter, |xml, most| {
        xml.element("Blobs", |xml| {
            for (count, entry) in entries.enumerate() {
                if count == most {
                    return Some(entry.marker());
                }
                match entry {
                    Entry::Prefix { prefix, .. } => {
                        xml.element("BlobPrefix", |xml| write_name(xml, call, prefix));
                    }
                    Entry::Uncommitted { name } => write_uncommitted(xml, call, name),
                    Entry::Blob { name, blob, snapshot } => {
                        let revision = match snapshot {
                            Some((_, revision)) => revision,
                            None => &blob.current,
                        };
                        let append = matches!(revision.content, Content::Append(_));
                        if append && !call.since("2015-02-21") {
                            failure = Some(Code::FeatureVersionMismatch);
                        }
                        let listed = state.settings.listed_snapshot;
                        xml.element("Blob", |xml| {
                            write_name(xml, call, name);
                            if let Some((id, _)) = snapshot {
                                xml.text_element("Snapshot", id);
                            }
                            let lease = snapshot.is_none().then_some(blob);
                            xml.element("Properties", |xml| {
                                properties(xml, call, &asked, revision, lease, listed);
                            });
                            if asked.includes("metadata") {
                                match revision.encryption.as_ref().is_some_and(Encryption::hides) {
                                    true => xml.element_with(
                                        "Metadata",
                                        &[("Encrypted", "true")],
                                        |_| {},
                                    ),
                                    false => write_metadata(xml, &revision.metadata),
                                }
                            }
                            if asked.includes("tags") && !revision.tags.is_empty() {
                                write_tags(xml, &revision.tags);
                            }
                            if call.since(OBJECT_REPLICATION) {
                                xml.maybe_element("OrMetadata", None);
                            }
                        });
                    }
                }
            }
            None
        })
    });
    match failure {
        Some(code) => Err(code.into()),
        None => Ok(Answer::new(StatusCode::OK).xml(list)),
    }
}

/// The entries of a list, in order.
enum Entry<'a> {
    Blob { name: &'a str, blob: &'a Blob, snapshot: Option<(&'a str, &'a Revision)> },
    Uncommitted { name: &'a str },
    Prefix { prefix: &'a str, first: &'a str },
}

impl Entry<'_> {
    /// The start of a list that begins with this entry.
    fn marker(&self) -> Marker {
        let (name, snapshot) = match self {
            Self::Blob { name, snapshot, .. } => (name, snapshot.map(|(id, _)| id.to_owned())),
            Self::Uncommitted { name } | Self::Prefix { first: name, .. } => (name, None),
        };
        Marker { name: (*name).to_owned(), snapshot }
    }
}

/// Walks the names of a container in order, and skips those that a prefix covers.
struct Walk<'a> {
    container: &'a Container,
    order: Order,
    asked: &'a Asked<'a>,
    delimiter: Option<&'a str>,
    committed: Peekable<Listed<'a>>,
    staged: Peekable<btree_map::Range<'a, Name, Staged>>,
    /// The blob whose snapshots are being listed.
    within: Option<(&'a str, &'a Blob, btree_map::Range<'a, String, Revision>)>,
    marker: Option<&'a Marker>,
}

impl<'a> Walk<'a> {
    fn new(
        container: &'a Container,
        asked: &'a Asked<'a>,
        delimiter: Option<&'a str>,
        start_from: &str,
    ) -> Self {
        let marker = asked.marker.as_ref();
        let order = container.blobs.order();
        let from = order.later(asked.prefix, start_from);
        let from = order.later(from, marker.map_or("", |marker| &marker.name));
        let (committed, staged) = ranges(container, from);
        Self { container, order, asked, delimiter, committed, staged, within: None, marker }
    }

    /// The next name, and its blob unless that is uncommitted.
    fn next_name(&mut self) -> Option<(&'a str, Option<&'a Blob>)> {
        loop {
            let committed = self.committed.peek().map(|(name, _)| *name);
            let staged = match self.asked.includes("uncommittedblobs") {
                true => self.staged.peek().map(|(name, _)| name.as_str()),
                false => None,
            };
            match (committed, staged) {
                (committed, Some(staged))
                    if committed.is_none_or(|name| self.order.compare(staged, name).is_le()) =>
                {
                    let (_, blocks) = self.staged.next()?;
                    if committed != Some(staged) && blocks.is_alive(self.asked.now) {
                        return Some((staged, None));
                    }
                }
                (Some(name), _) => {
                    return Some((name, self.committed.next().map(|(_, blob)| blob)));
                }
                (None, _) => return None,
            }
        }
    }

    fn prefix_of(&self, name: &'a str) -> Option<&'a str> {
        let delimiter = self.delimiter?;
        let start = self.asked.prefix.len();
        let at = name[start..].find(delimiter)?;
        Some(&name[..start + at + delimiter.len()])
    }
}

type Ranges<'a> = (Peekable<Listed<'a>>, Peekable<btree_map::Range<'a, Name, Staged>>);

fn ranges<'a>(container: &'a Container, from: &str) -> Ranges<'a> {
    let staged = container.staged.range(container.name(from)..);
    (container.blobs.from(from).peekable(), staged.peekable())
}

impl<'a> Iterator for Walk<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        if let Some((name, blob, snapshots)) = &mut self.within {
            let (name, blob) = (*name, *blob);
            if let Some((id, revision)) = snapshots.next() {
                return Some(Entry::Blob { name, blob, snapshot: Some((id, revision)) });
            }
            self.within = None;
            return Some(Entry::Blob { name, blob, snapshot: None });
        }
        let (name, blob) = self.next_name()?;
        if !name.starts_with(self.asked.prefix) {
            return None;
        }
        if let Some(prefix) = self.prefix_of(name) {
            match self.order.successor(prefix) {
                Some(next) => (self.committed, self.staged) = ranges(self.container, &next),
                None => {
                    self.committed.by_ref().for_each(drop);
                    self.staged.by_ref().for_each(drop);
                }
            }
            return Some(Entry::Prefix { prefix, first: name });
        }
        let Some(blob) = blob else { return Some(Entry::Uncommitted { name }) };
        if !self.asked.includes("snapshots") {
            return Some(Entry::Blob { name, blob, snapshot: None });
        }
        // A page may begin in the middle of a blob's snapshots, or after them.
        let snapshots = match self.marker.filter(|marker| marker.name == name) {
            None => blob.snapshots.range::<str, _>(..),
            Some(Marker { snapshot: Some(id), .. }) => blob.snapshots.range(id.clone()..),
            Some(_) => return Some(Entry::Blob { name, blob, snapshot: None }),
        };
        self.within = Some((name, blob, snapshots));
        self.next()
    }
}

fn write_name(xml: &mut Xml, call: &Call, name: &str) {
    let unwritable = call.since("2021-02-12") && !name.chars().all(xml::is_allowed);
    if unwritable {
        let encoded: Cow<'_, str> = utf8_percent_encode(name, KEPT).into();
        xml.element_with("Name", &[("Encoded", "true")], |xml| xml.text(&encoded));
    } else {
        xml.text_element("Name", name);
    }
}

/// A blob without committed blocks has neither dates nor an ETag.
fn write_uncommitted(xml: &mut Xml, call: &Call, name: &str) {
    xml.element("Blob", |xml| {
        write_name(xml, call, name);
        xml.element("Properties", |xml| {
            xml.text_element("Content-Length", "0");
            xml.text_element("BlobType", "BlockBlob");
            xml.text_element("AccessTier", tiers::INFERRED);
            xml.text_element("AccessTierInferred", "true");
            leases::list(xml, None, call.now);
            // There is no content yet that could be encrypted.
            xml.text_element("ServerEncrypted", "false");
        });
    });
}

/// `base` is the blob if the entry is not a snapshot; a snapshot has no lease.
fn properties(
    xml: &mut Xml,
    call: &Call,
    asked: &Asked<'_>,
    revision: &Revision,
    base: Option<&Blob>,
    listed: ListedSnapshot,
) {
    let headers = &revision.headers;
    if call.since("2017-11-09") {
        xml.text_element("Creation-Time", &dates::http_date(revision.created));
    }
    xml.text_element("Last-Modified", &dates::http_date(revision.last_modified));
    xml.text_element("Etag", revision.etag.trim_matches('"'));
    xml.text_element("Content-Length", &revision.content.length().to_string());
    xml.maybe_element("Content-Type", headers.content_type.as_deref());
    xml.maybe_element("Content-Encoding", headers.encoding.as_deref());
    xml.maybe_element("Content-Language", headers.language.as_deref());
    xml.maybe_element("Content-CRC64", None);
    xml.maybe_element("Content-MD5", headers.md5.as_deref());
    xml.maybe_element("Cache-Control", headers.cache_control.as_deref());
    xml.maybe_element("Content-Disposition", headers.disposition.as_deref());
    if let Content::Page { .. } = revision.content {
        xml.text_element("x-ms-blob-sequence-number", &revision.sequence_number.to_string());
    }
    xml.text_element("BlobType", revision.content.kind());
    if let Some(tier) = tiers::shown(&revision.content, revision.tier.as_ref(), call) {
        xml.text_element("AccessTier", tier.name);
        if tier.inferred {
            xml.text_element("AccessTierInferred", "true");
        }
        if let Some(way) = tier.under_way {
            xml.text_element("ArchiveStatus", &way.archive_status());
            if tier.tells_priority {
                xml.text_element("RehydratePriority", way.priority());
            }
        }
        if let Some(changed) = tier.changed {
            xml.text_element("AccessTierChangeTime", &dates::http_date(changed));
        }
    }
    if let Some(base) = base {
        leases::list(xml, base.lease.as_ref(), call.now);
    }
    if asked.includes("copy") {
        copy(xml, revision, listed);
    }
    xml.text_element("ServerEncrypted", "true");
    match &revision.encryption {
        Some(Encryption::Key(hash)) => xml.text_element("CustomerProvidedKeySha256", hash),
        Some(Encryption::Scope(scope)) => xml.text_element("EncryptionScope", scope),
        None => {}
    }
    if !revision.tags.is_empty() {
        xml.text_element("TagCount", &revision.tags.len().to_string());
    }
    if revision.sealed {
        xml.text_element("Sealed", "true");
    }
}

fn copy(xml: &mut Xml, revision: &Revision, listed: ListedSnapshot) {
    if let Some(copy) = &revision.copy {
        xml.text_element("CopyId", &copy.id);
        xml.text_element("CopySource", &copy.source);
        xml.text_element("CopyStatus", copy.status.as_str());
        xml.text_element("CopyProgress", &format!("{}/{}", copy.copied, copy.total));
        if let Some(at) = copy.completed_on {
            xml.text_element("CopyCompletionTime", &dates::http_date(at));
        }
        if let Some(description) = &copy.description {
            xml.text_element("CopyStatusDescription", description);
        }
    }
    if revision.incremental {
        xml.text_element("IncrementalCopy", "true");
        let copy = revision.copy.as_ref();
        if let Some(id) = copy.and_then(|copy| copy.destination_snapshot.as_deref()) {
            xml.text_element(listed.element(), id);
        }
    }
}

pub(super) fn write_metadata(xml: &mut Xml, metadata: &Metadata) {
    if metadata.is_empty() {
        return xml.maybe_element("Metadata", None);
    }
    xml.element("Metadata", |xml| {
        for (name, value) in metadata {
            xml.text_element(name, value);
        }
    });
}

pub(super) fn write_tags(xml: &mut Xml, tags: &Tags) {
    xml.element("Tags", |xml| {
        xml.element("TagSet", |xml| {
            for (key, value) in tags {
                xml.element("Tag", |xml| {
                    xml.text_element("Key", key);
                    xml.text_element("Value", value);
                });
            }
        });
    });
}
