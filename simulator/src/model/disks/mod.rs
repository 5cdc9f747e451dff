//! Managed disks, their snapshots, and the access that is granted to them.
//!
//! From public documentation and samples only; nothing of it was tried on the service:
//! [incremental snapshots](https://learn.microsoft.com/azure/virtual-machines/disks-incremental-snapshots),
//! [Grant Access](https://learn.microsoft.com/rest/api/compute/snapshots/grant-access).

mod family;
mod footer;
mod grants;
mod operations;

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use time::OffsetDateTime;

pub use self::grants::GrantUrl;
pub(crate) use self::{
    family::{DiskSnapshot, Family, operation_path},
    grants::{MOST_GRANTED, NotGranted, url},
    operations::{Operation, Operations},
};
use super::{
    account::Account,
    blob::Blob,
    blobs::Blobs,
    container::{Container, PublicAccess},
    content::Content,
    revision::Revision,
    stamps::Stamps,
    state::State,
};

/// What every account of managed disks is called, after a prefix of its own.
pub(crate) const ZONE: &str = "z01";

/// The subscription that has all disks here.
pub(crate) const SUBSCRIPTION: &str = "5bb00000-0000-4000-8000-000000000001";

/// The region of all disks here.
pub(crate) const LOCATION: &str = "westeurope";

/// All managed disks that there ever were, and the operations on their snapshots.
#[derive(Debug, Default)]
pub(crate) struct Disks {
    families: Vec<Family>,
    /// The numbers of the families by account.
    accounts: HashMap<String, usize>,
    /// The numbers of the families by group and snapshot, both in lower case.
    names: BTreeMap<(String, String), usize>,
    pub(crate) operations: Operations,
    /// How long Resource Manager takes to grant or to revoke.
    pub(crate) pace: Duration,
    /// Whether URLs name the account in their path, not in their host.
    pub(crate) path_style: bool,
}

impl Disks {
    pub(crate) fn new(path_style: bool) -> Self {
        Self { path_style, ..Self::default() }
    }

    pub(crate) fn family(&self, number: usize) -> Option<&Family> {
        self.families.get(number)
    }

    pub(crate) fn family_mut(&mut self, number: usize) -> Option<&mut Family> {
        self.families.get_mut(number)
    }

    /// The disk whose snapshots this account holds.
    pub(crate) fn in_account(&self, account: &str) -> Option<&Family> {
        self.family(*self.accounts.get(account)?)
    }

    /// The newest disk with this name.
    pub(crate) fn named(&self, group: &str, name: &str) -> Option<usize> {
        let same = |family: &Family| {
            family.group.eq_ignore_ascii_case(group) && family.name.eq_ignore_ascii_case(name)
        };
        self.families.iter().rposition(same)
    }

    /// Where a snapshot is: the number of its disk and its own.
    pub(crate) fn snapshot(&self, group: &str, name: &str) -> Option<(usize, &DiskSnapshot)> {
        let number = *self.names.get(&key(group, name))?;
        Some((number, self.family(number)?.snapshot(name)?))
    }

    /// The snapshots of a resource group, whichever disk they are of, in the order of their names
    /// from `first` on.
    pub(crate) fn in_group(
        &self,
        group: &str,
        first: &str,
    ) -> impl Iterator<Item = (&Family, &DiskSnapshot)> {
        let first = key(group, first);
        let group = first.0.clone();
        let within = self.names.range(first..).take_while(move |((of, _), _)| *of == group);
        within.filter_map(|((_, name), number)| {
            let family = self.family(*number)?;
            Some((family, family.snapshot(name)?))
        })
    }
}

/// Makes a disk of `size` bytes with its account. A disk of the same name stays, with its
/// snapshots, as a disk that was deleted does.
pub(crate) fn create(
    state: &mut State,
    group: &str,
    name: &str,
    size: u64,
    now: OffsetDateTime,
) -> usize {
    let State { accounts, stamps, disks, .. } = state;
    let account = format!("md-{}.{ZONE}", short(stamps));
    let (properties, keys, order) = Default::default();
    let mut containers = BTreeMap::new();
    let family = Family::new(group, name, &account, size, stamps, now);
    let place = container(stamps, now);
    containers.insert(family.container.clone(), place);
    let empty = Account { name: account.clone(), keys, properties, order, containers };
    accounts.0.insert(account.clone(), empty);
    disks.accounts.insert(account, disks.families.len());
    disks.families.push(family);
    disks.families.len() - 1
}

/// Takes a snapshot of a disk. It is a blob of its own, and a snapshot of the disk's blob.
pub(crate) fn take(
    state: &mut State,
    number: usize,
    name: &str,
    incremental: bool,
    now: OffsetDateTime,
) {
    let State { accounts, stamps, disks, .. } = state;
    let Some(family) = disks.families.get_mut(number) else { return };
    let Some(account) = accounts.0.get_mut(&family.account) else { return };
    let revision = Revision {
        content: Content::Page { length: family.length(), pages: family.pages.clone() },
        headers: Default::default(),
        metadata: Default::default(),
        tags: Default::default(),
        etag: stamps.etag(),
        last_modified: now,
        created: now,
        generation: family.generation,
        sequence_number: 0,
        tier: None,
        copy: None,
        incremental: false,
        sealed: false,
        encryption: None,
    };
    let time = stamps.snapshot(now);
    let own = short(stamps);
    let mut alone = container(stamps, now);
    alone.blobs.put(family::BLOB, revision.clone());
    account.containers.insert(own.clone(), alone);
    if let Some(shared) = account.containers.get_mut(&family.container) {
        let blob: &mut Blob = match shared.blobs.get(family::BLOB) {
            Some(_) => shared.blobs.get_mut(family::BLOB).expect("it was just found"),
            None => shared.blobs.put(family::BLOB, revision.clone()),
        };
        blob.current = revision.clone();
        blob.snapshots.insert(time.clone(), revision);
    }
    let unique_id = stamps.guid();
    let size = family.size;
    disks.names.insert(key(&family.group, name), number);
    let name = name.to_owned();
    let completion = 100.0;
    family.snapshots.push(DiskSnapshot {
        name,
        unique_id,
        created: now,
        size,
        incremental,
        completion,
        container: own,
        time,
    });
}

/// Deletes a snapshot, and every access to it.
pub(crate) fn delete(state: &mut State, number: usize, name: &str) {
    let State { accounts, disks, .. } = state;
    let Some(family) = disks.families.get_mut(number) else { return };
    family.revoke(name);
    let Some(at) = family.snapshots.iter().position(|it| it.is_named(name)) else { return };
    let gone = family.snapshots.remove(at);
    disks.names.remove(&key(&family.group, name));
    let Some(account) = accounts.0.get_mut(&family.account) else { return };
    account.containers.remove(&gone.container);
    let shared = account.containers.get_mut(&family.container);
    if let Some(blob) = shared.and_then(|shared| shared.blobs.get_mut(family::BLOB)) {
        blob.snapshots.remove(&gone.time);
    }
}

/// Resource Manager ignores the case of both.
fn key(group: &str, snapshot: &str) -> (String, String) {
    (group.to_ascii_lowercase(), snapshot.to_ascii_lowercase())
}

/// A short name such as the service makes up.
fn short(stamps: &mut Stamps) -> String {
    stamps.guid().replace('-', "").chars().take(12).collect()
}

fn container(stamps: &mut Stamps, now: OffsetDateTime) -> Container {
    Container {
        etag: stamps.etag(),
        last_modified: now,
        metadata: Default::default(),
        public_access: PublicAccess::None,
        policies: Vec::new(),
        lease: None,
        blobs: Blobs::default(),
        staged: Default::default(),
    }
}
