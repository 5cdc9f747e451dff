//! A disk and its snapshots: one family, which differences stay within.

use std::ops::Range;

use time::OffsetDateTime;

use super::{
    LOCATION, SUBSCRIPTION,
    footer::{self, footer},
    grants::{Grant, GrantUrl},
};
use crate::model::{pages::Pages, stamps::Stamps};

/// The name of every blob in an account of managed disks.
pub(super) const BLOB: &str = "abcd";

/// A managed disk, live, with its snapshots and the access that is granted to them.
#[derive(Debug)]
pub(crate) struct Family {
    pub(crate) group: String,
    pub(crate) name: String,
    pub(crate) unique_id: String,
    /// What `incrementalSnapshotFamilyId` says.
    pub(crate) family_id: String,
    pub(crate) account: String,
    /// The container of the disk's own blob, whose snapshots are the disk's.
    pub(super) container: String,
    pub(super) generation: u64,
    created: OffsetDateTime,
    /// Without the footer.
    pub(crate) size: u64,
    /// With the footer.
    pub(super) pages: Pages,
    pub(crate) snapshots: Vec<DiskSnapshot>,
    pub(super) grants: Vec<Grant>,
    /// The most snapshots that had a SAS at one time.
    pub(crate) most_granted: usize,
    /// Whether a bearer token must be beside every SAS.
    pub(crate) needs_bearer: bool,
    pub(crate) urls: GrantUrl,
}

/// A snapshot of a managed disk.
#[derive(Debug, Clone)]
pub(crate) struct DiskSnapshot {
    pub(crate) name: String,
    pub(crate) unique_id: String,
    pub(crate) created: OffsetDateTime,
    /// The size of the disk, without the footer.
    pub(crate) size: u64,
    pub(crate) incremental: bool,
    /// In percent. It cannot be read before all of it is there.
    pub(crate) completion: f64,
    /// The container of its own blob.
    pub(super) container: String,
    /// Its id as a snapshot of the disk's blob.
    pub(super) time: String,
}

impl Family {
    pub(super) fn new(
        group: &str,
        name: &str,
        account: &str,
        size: u64,
        stamps: &mut Stamps,
        created: OffsetDateTime,
    ) -> Self {
        let mut family = Self {
            group: group.to_owned(),
            name: name.to_owned(),
            unique_id: stamps.guid(),
            family_id: stamps.guid(),
            account: account.to_owned(),
            container: super::short(stamps),
            generation: stamps.next(),
            created,
            size,
            pages: Pages::default(),
            snapshots: Vec::new(),
            grants: Vec::new(),
            most_granted: 0,
            needs_bearer: false,
            urls: GrantUrl::default(),
        };
        family.put_footer(stamps.next());
        family
    }

    /// The length of the disk as a blob.
    pub(crate) fn length(&self) -> u64 {
        self.size + footer::LENGTH
    }

    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8], stamp: u64) {
        self.pages.write(offset, bytes, stamp);
    }

    pub(crate) fn clear(&mut self, range: Range<u64>, stamp: u64) {
        self.pages.clear(range, stamp);
    }

    /// Makes it larger; the footer moves to the new end.
    pub(crate) fn grow(&mut self, size: u64, stamp: u64) {
        self.pages.clear(self.size..self.length(), stamp);
        self.size = size;
        self.put_footer(stamp);
    }

    fn put_footer(&mut self, stamp: u64) {
        let footer = footer(self.size, self.created, self.generation);
        self.pages.write(self.size, &footer, stamp);
    }

    pub(crate) fn snapshot(&self, name: &str) -> Option<&DiskSnapshot> {
        self.snapshots.iter().find(|snapshot| snapshot.is_named(name))
    }

    pub(crate) fn snapshot_mut(&mut self, name: &str) -> Option<&mut DiskSnapshot> {
        self.snapshots.iter_mut().find(|snapshot| snapshot.is_named(name))
    }

    /// The snapshot that a URL names: by a container of its own, or by its time.
    pub(crate) fn snapshot_at(&self, container: &str, time: Option<&str>) -> Option<&DiskSnapshot> {
        self.snapshots.iter().find(|snapshot| match time {
            None => snapshot.container == container,
            Some(time) => self.container == container && snapshot.time == time,
        })
    }

    /// The resource id of the disk.
    pub(crate) fn disk_id(&self) -> String {
        self.resource("disks", &self.name)
    }

    /// The resource id of one of its snapshots.
    pub(crate) fn snapshot_id(&self, name: &str) -> String {
        self.resource("snapshots", name)
    }

    fn resource(&self, kind: &str, name: &str) -> String {
        let group = &self.group;
        let provider = format!("providers/Microsoft.Compute/{kind}/{name}");
        format!("/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}/{provider}")
    }
}

impl DiskSnapshot {
    /// Whether this is its name: Resource Manager ignores case.
    pub(crate) fn is_named(&self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    /// Whether it was taken later than another of its disk.
    pub(crate) fn is_after(&self, other: &Self) -> bool {
        self.time > other.time
    }

    /// Where its blob is, as `urls` shows it: the container, and the time of a snapshot.
    pub(super) fn place<'a>(
        &'a self,
        family: &'a Family,
        urls: GrantUrl,
    ) -> (&'a str, Option<&'a str>) {
        match urls {
            GrantUrl::Blob | GrantUrl::BlobWithPolicy => (&self.container, None),
            GrantUrl::Snapshot => (&family.container, Some(&self.time)),
        }
    }
}

/// The resource id of an operation, without the host.
pub(crate) fn operation_path(id: &str) -> String {
    let provider = format!("providers/Microsoft.Compute/locations/{LOCATION}/DiskOperations/{id}");
    format!("/subscriptions/{SUBSCRIPTION}/{provider}")
}
