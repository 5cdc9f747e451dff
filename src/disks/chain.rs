//! The chain at the destination: its generations and their snapshots, with what each equals.

use std::{
    collections::{BTreeMap, HashSet},
    fmt,
};

use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use super::{
    DatedSnapshot, MirrorError, MirrorRoute,
    lineage::{Lineage, decoded},
    lost_lineage::is_lost,
    source::SourceKey,
};
use crate::{
    BlobInclude, BlobItem, BlobProperties, BlobType, CopyState, CopyStatus, ETag, Metadata,
    PageBlobClient, SnapshotId,
};

/// The snapshots of a mirror's destination, oldest first, over all generations.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Chain {
    /// The destination's name.
    pub name: String,
    /// The route of the newest generation; `None` if there is no destination yet.
    pub route: Option<MirrorRoute>,
    /// The newest generation, from 1; 0 if there is no destination yet.
    pub generation: u32,
    /// The snapshots, by the time of the source snapshots that they equal; of those with one time,
    /// by the ids.
    pub snapshots: Vec<ChainSnapshot>,
    /// Blobs that are named like a later generation and were copied from another source than the
    /// first: they are left alone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub foreign: Vec<String>,
    /// The newest generation's base blob.
    #[serde(skip)]
    pub(crate) base: Option<Base>,
    /// The greatest number whose name is taken, by a generation or by any other blob.
    #[serde(skip)]
    pub(crate) taken: u32,
    /// Of which source each of `snapshots` is a copy, as far as that is known.
    #[serde(skip)]
    pub(crate) origins: Vec<Option<Origin>>,
}

/// A snapshot at the destination.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ChainSnapshot {
    /// The name of the blob that it is a snapshot of: the destination's, or that of a later
    /// generation, such as `disk0.vhd.g2`.
    pub blob: String,
    /// Its generation, from 1.
    pub generation: u32,
    /// Its id.
    pub snapshot: SnapshotId,
    /// The id of the source snapshot that it equals. `None` if it was not made by a mirror, or its
    /// copy did not succeed: such a snapshot is left alone.
    pub equals: Option<String>,
    /// When that was taken.
    #[serde(with = "time::serde::rfc3339::option")]
    pub time: Option<OffsetDateTime>,
    /// Its length in bytes.
    pub length: u64,
    /// Its ETag.
    pub etag: Option<ETag>,
}

/// The base blob of the newest generation, as it was listed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Base {
    pub(crate) name: String,
    pub(crate) is_page_blob: bool,
    pub(crate) is_incremental: bool,
    pub(crate) length: u64,
    pub(crate) etag: Option<ETag>,
    pub(crate) copy: Option<CopyState>,
    pub(crate) metadata: Metadata,
    pub(crate) sequence_number: Option<u64>,
    /// Whether it is a base by ranges whose metadata do not say what it equals, though it has
    /// snapshots that hops were sealed with.
    pub(crate) is_lost: bool,
}

impl Chain {
    /// Lists the generations of `destination` and their snapshots, without soft-deleted ones.
    ///
    /// One request for most: the names that begin with the destination's. If many others do, the
    /// list is left after the destination's own, and the later generations are listed apart.
    pub(crate) async fn read(destination: &PageBlobClient) -> Result<Self, MirrorError> {
        if destination.snapshot().is_some() || destination.version_id().is_some() {
            let why = "is a snapshot or version: give the blob, whose snapshots are the backup";
            return Err(MirrorError::refused(destination.url()?, why));
        }
        let container = destination.container_client();
        let name = destination.name();
        let include = [BlobInclude::Snapshots, BlobInclude::Copy, BlobInclude::Metadata];
        let mut listed = Listed::of(name);
        let mut pages = container.list_blobs().prefix(name).include(include).pages();
        let mut is_complete = true;
        while let Some(page) = pages.try_next().await? {
            let is_past = page.items.iter().any(|item| item.name != name);
            page.items.into_iter().for_each(|item| listed.take(item));
            is_complete = page.next_marker.is_none();
            if is_past {
                break;
            }
        }
        if !is_complete {
            let prefix = format!("{name}.g");
            // Those that the first list has shown already are listed again.
            listed.forget_later();
            let mut later = container.list_blobs().prefix(prefix).include(include);
            while let Some(item) = later.try_next().await? {
                listed.take(item);
            }
        }
        Ok(listed.into_chain())
    }

    /// The chain of what a listing has shown, as tests need it.
    #[cfg(test)]
    pub(crate) fn of_listing(name: &str, items: Vec<BlobItem>) -> Self {
        let mut listed = Listed::of(name);
        items.into_iter().for_each(|item| listed.take(item));
        listed.into_chain()
    }

    /// The name of a generation's blob: `disk`, then `disk.g2` and so on.
    pub(crate) fn name_of(destination: &str, generation: u32) -> String {
        match generation {
            0 | 1 => destination.to_owned(),
            later => format!("{destination}.g{later}"),
        }
    }

    /// The generation that a blob's name stands for: 1 for the destination's own name.
    pub(crate) fn generation_of(destination: &str, name: &str) -> Option<u32> {
        let rest = name.strip_prefix(destination)?;
        if rest.is_empty() {
            return Some(1);
        }
        let number: u32 = rest.strip_prefix(".g")?.parse().ok()?;
        (number > 1 && Self::name_of(destination, number) == name).then_some(number)
    }

    /// The newest generation's base, for a run.
    pub(crate) fn base(&self) -> Option<&Base> {
        self.base.as_ref()
    }

    /// The generation after `generation` whose name is free.
    pub(crate) fn next_free(&self, generation: u32) -> u32 {
        generation.max(self.taken).saturating_add(1)
    }

    /// The snapshot that equals this one of the source.
    pub(crate) fn find(&self, id: &str, time: OffsetDateTime) -> Option<&ChainSnapshot> {
        self.snapshots.iter().find(|found| found.is_equal_to(id, time))
    }

    /// The source snapshots that are there.
    pub(crate) fn keys(&self) -> HashSet<SourceKey> {
        self.snapshots.iter().filter_map(ChainSnapshot::key).collect()
    }

    /// The newest snapshot that equals one of the source.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// disk.create_snapshot().await?;
    /// let mirror = SnapshotMirror::new(&disk, &backup);
    /// mirror.run().await.unwrap();
    /// assert!(mirror.chain().await.unwrap().newest().is_some());
    /// # Ok(()) });
    /// ```
    pub fn newest(&self) -> Option<&ChainSnapshot> {
        self.snapshots.iter().rev().find(|found| found.equals.is_some())
    }
}

/// A destination as it is listed.
#[derive(Debug)]
struct Listed<'a> {
    name: &'a str,
    bases: Vec<(u32, Base)>,
    snapshots: Vec<(ChainSnapshot, Option<Origin>)>,
    /// Where the content of a generation comes from, by what was listed of it.
    sources: BTreeMap<u32, Origin>,
    taken: u32,
}

impl<'a> Listed<'a> {
    fn of(name: &'a str) -> Self {
        Self { name, bases: Vec::new(), snapshots: Vec::new(), sources: BTreeMap::new(), taken: 0 }
    }

    fn forget_later(&mut self) {
        self.bases.retain(|(generation, _)| *generation == 1);
        self.snapshots.retain(|(found, _)| found.generation == 1);
        self.sources.retain(|generation, _| *generation == 1);
    }

    /// Takes a blob or snapshot, if it is of this chain.
    fn take(&mut self, item: BlobItem) {
        let Some(generation) = Chain::generation_of(self.name, &item.name) else { return };
        let BlobItem { name, snapshot, properties, is_deleted, .. } = item;
        if !is_deleted {
            self.taken = self.taken.max(generation);
        }
        // A later generation is of a mirror only if it looks like one.
        let is_ours = properties.is_incremental_copy || Lineage::is_on(&properties.metadata);
        if is_deleted || (generation > 1 && !is_ours) {
            return;
        }
        let origin = Origin::of(&properties);
        if let Some(origin) = &origin {
            self.sources.entry(generation).or_insert_with(|| origin.clone());
        }
        let Some(snapshot) = snapshot else {
            let base = Base {
                name,
                is_page_blob: properties.blob_type.is_none_or(|found| found == BlobType::PageBlob),
                is_incremental: properties.is_incremental_copy,
                length: properties.content_length,
                etag: properties.etag,
                copy: properties.copy,
                metadata: properties.metadata,
                sequence_number: properties.sequence_number,
                is_lost: false,
            };
            return self.bases.push((generation, base));
        };
        let equals = match properties.is_incremental_copy {
            true => properties.copy.as_ref().and_then(copied),
            false => Lineage::read(&properties.metadata)
                .and_then(Lineage::into_sealed)
                .map(|point| (point.id, Some(point.time))),
        };
        let (equals, time) = equals.map_or((None, None), |(id, time)| (Some(id), time));
        let (length, etag) = (properties.content_length, properties.etag);
        let found = ChainSnapshot { blob: name, generation, snapshot, equals, time, length, etag };
        self.snapshots.push((found, origin));
    }

    fn into_chain(self) -> Chain {
        let Self { name, mut bases, mut snapshots, sources, taken } = self;
        let first = sources.values().next();
        let is_foreign = |generation: &u32| {
            sources.get(generation).zip(first).is_some_and(|(found, first)| found != first)
        };
        let foreign = sources.keys().filter(|found| is_foreign(found));
        let foreign = foreign.map(|found| Chain::name_of(name, *found)).collect();
        bases.retain(|(generation, _)| !is_foreign(generation));
        snapshots.retain(|(found, _)| !is_foreign(&found.generation));
        bases.sort_by_key(|(generation, _)| *generation);
        snapshots.sort_by_cached_key(|(found, _)| {
            let taken = || DatedSnapshot::from(&found.snapshot).time;
            let time = found.time.or_else(taken);
            (time, found.key(), found.generation, found.snapshot.as_str().to_owned())
        });
        let (snapshots, origins): (Vec<ChainSnapshot>, _) = snapshots.into_iter().unzip();
        let mut newest = bases.pop();
        if let Some((generation, base)) = &mut newest {
            let is_of = |found: &ChainSnapshot| found.generation == *generation;
            let has_copies = snapshots.iter().any(|it| is_of(it) && it.equals.is_some());
            base.is_lost =
                base.is_page_blob && !base.is_incremental && has_copies && is_lost(&base.metadata);
        }
        let route = newest.as_ref().and_then(|(_, base)| base.route());
        let generation = newest.as_ref().map_or(0, |(generation, _)| *generation);
        let base = newest.map(|(_, base)| base);
        let name = name.to_owned();
        Chain { name, route, generation, snapshots, foreign, base, taken, origins }
    }
}

/// Where the content of a blob or snapshot comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A blob: its account and cloud, and its path.
    Blob { account: String, cloud: String, path: String },
    /// A managed disk's unique id.
    Disk(String),
}

impl Origin {
    /// By the copy into it, or by its lineage.
    fn of(properties: &BlobProperties) -> Option<Self> {
        if !properties.is_incremental_copy {
            return Lineage::read(&properties.metadata).map(|lineage| Self::named(&lineage.source));
        }
        Some(Self::named(properties.copy.as_ref()?.source.as_ref()?.expose()))
    }

    /// By a URL or a unique id. The service may return a URL in another form, and with a SAS.
    pub(crate) fn named(text: &str) -> Self {
        match url::Url::parse(text) {
            Ok(url) if url.has_host() => {
                let host = url.host_str().unwrap_or_default().to_ascii_lowercase();
                // An account has several hosts, such as one of a zone and the secondary one.
                let (before, cloud) = host.split_once(".blob.").unwrap_or((&host, ""));
                let account = if cloud.is_empty() { None } else { before.split('.').next() };
                let account = account.unwrap_or(before);
                Self::Blob {
                    account: account.strip_suffix("-secondary").unwrap_or(account).to_owned(),
                    cloud: cloud.to_owned(),
                    path: decoded(url.path()).unwrap_or_else(|| url.path().to_owned()),
                }
            }
            _ => Self::Disk(text.to_ascii_lowercase()),
        }
    }
}

/// The source snapshot that a snapshot of an incremental base holds, by the copy that made it.
pub(crate) fn copied(copy: &CopyState) -> Option<(String, Option<OffsetDateTime>)> {
    if copy.status != CopyStatus::Success {
        return None;
    }
    let id = copy.source.as_ref()?.snapshot()?;
    let time = DatedSnapshot::from(&id).time;
    Some((id.to_string(), time))
}

impl Base {
    /// The route that has made it; `None` if no mirror has.
    pub(crate) fn route(&self) -> Option<MirrorRoute> {
        match (self.is_incremental, Lineage::is_on(&self.metadata)) {
            (true, _) => Some(MirrorRoute::Incremental),
            (false, true) => Some(MirrorRoute::Ranges),
            (false, false) => self.is_lost.then_some(MirrorRoute::Ranges),
        }
    }

    /// The copy into it that is under way.
    pub(crate) fn pending(&self) -> Option<&CopyState> {
        self.copy.as_ref().filter(|copy| !copy.status.is_final())
    }
}

impl ChainSnapshot {
    /// The source snapshot that it equals, if that is known.
    pub(crate) fn key(&self) -> Option<SourceKey> {
        Some(SourceKey::of(self.equals.as_deref()?, self.time?))
    }

    /// Whether it equals this snapshot of the source.
    pub(crate) fn is_equal_to(&self, id: &str, time: OffsetDateTime) -> bool {
        self.time == Some(time)
            && self.equals.as_deref().is_some_and(|equals| equals.eq_ignore_ascii_case(id))
    }

    /// A client for it. `destination` is the mirror's.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::SnapshotMirror;
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().await?.snapshot;
    /// let report = SnapshotMirror::new(&disk, &backup).run().await.unwrap();
    /// let copy = report.hops[0].destination.client(&backup);
    /// let content = disk.with_snapshot(&taken).download().await?.bytes().await?;
    /// assert_eq!(copy.download().await?.bytes().await?, content);
    /// # Ok(()) });
    /// ```
    pub fn client(&self, destination: &PageBlobClient) -> PageBlobClient {
        let container = destination.container_client();
        container.page_blob_client(&self.blob).with_snapshot(&self.snapshot)
    }
}

impl fmt::Display for ChainSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@{}", self.blob, self.snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_source_has_several_addresses() {
        let named = |url: &str| Origin::named(url);
        let source = named("https://acct.blob.core.windows.net/vhds/disk%200.vhd");
        for same in [
            "https://ACCT.blob.core.windows.net/vhds/disk%200.vhd?snapshot=x&sig=y",
            "https://acct-secondary.blob.core.windows.net/vhds/disk%200.vhd",
            "https://acct.z01.blob.core.windows.net/vhds/disk 0.vhd",
        ] {
            assert_eq!(named(same), source, "{same}");
        }
        for other in [
            "https://acct2.blob.core.windows.net/vhds/disk%200.vhd",
            "https://acct.blob.core.chinacloudapi.cn/vhds/disk%200.vhd",
            "https://acct.blob.core.windows.net/vhds/Disk%200.vhd",
            "acct",
        ] {
            assert_ne!(named(other), source, "{other}");
        }
        assert_eq!(named("1B-2c"), named("1b-2C"));
    }

    #[test]
    fn what_is_listed_again_is_there_once() {
        let item = |name: &str, snapshot: Option<&str>| {
            let snapshot = snapshot.map(|id| id.parse().expect("an id"));
            let mut item = BlobItem { name: name.into(), snapshot, ..BlobItem::default() };
            item.properties.is_incremental_copy = true;
            item
        };
        let time = Some("2026-01-01T00:00:00.0000000Z");
        let mut listed = Listed::of("disk");
        let later = || [item("disk.g2", time), item("disk.g2", None)];
        let first = [item("disk", time), item("disk", None)];
        first.into_iter().chain(later()).for_each(|item| listed.take(item));
        listed.forget_later();
        later().into_iter().for_each(|item| listed.take(item));
        let chain = listed.into_chain();
        assert_eq!((chain.generation, chain.snapshots.len()), (2, 2));
    }
}
