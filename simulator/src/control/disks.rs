//! Managed disks: what is written to them, their snapshots, and who may read those.

use std::{fmt, ops::Range, sync::Arc, time::Duration};

use time::OffsetDateTime;
use url::Url;

use crate::{
    doors::shared::Shared,
    handle::service::Service,
    model::{
        disks::{self, DiskSnapshot, Family, GrantUrl, url},
        pages::PAGE,
        state::State,
    },
};

/// The largest managed disk: 64 TiB, which no page blob can hold; here as large as a page blob may
/// be, without the footer.
const LARGEST: u64 = (8 << 40) - PAGE;

/// The managed disks of a simulator: see
/// [`Simulator::managed_disks`](crate::Simulator::managed_disks).
///
/// ```
/// # blobcopy_simulator::example(async |_| {
/// use std::time::Duration;
/// use blobcopy::PageBlobClient;
/// use blobcopy_simulator::Simulator;
///
/// let sim = Simulator::builder().build();
/// let disk = sim.managed_disks().create("backups", "disk0", 1 << 30);
/// disk.write(4096, &[7; 512]);
/// let first = disk.snapshot("disk0-1");
/// disk.write(8192, &[8; 1024]);
/// let second = disk.snapshot("disk0-2");
///
/// // URLs with a SAS, as Resource Manager grants them.
/// let hour = Duration::from_secs(3600);
/// let (earlier, url) = (first.grant(hour).unwrap(), second.grant(hour).unwrap());
/// assert!(url.host_str().unwrap().ends_with(".z01.blob.storage.azure.net"));
/// let blob = PageBlobClient::builder(url).options(sim.client_options()).build()?;
/// // The blob has a footer of 512 bytes.
/// assert_eq!(blob.get_properties().await?.content_length, (1 << 30) + 512);
/// let changed = blob.get_managed_disk_page_ranges_diff(&earlier).collect_all().await?;
/// assert_eq!(changed.ranges.len(), 1);
///
/// first.revoke();
/// assert_eq!(disk.granted(), 1);
/// # Ok(()) });
/// ```
#[derive(Debug, Clone)]
pub struct ManagedDisks(pub(crate) Arc<Shared>);

/// A managed disk.
///
/// It is written to by tests only: nothing of it can be written by a request.
#[derive(Clone)]
pub struct ManagedDisk {
    shared: Arc<Shared>,
    number: usize,
}

/// A snapshot of a managed disk.
#[derive(Clone)]
pub struct ManagedSnapshot {
    disk: ManagedDisk,
    name: String,
}

impl ManagedDisks {
    /// Makes a disk of `size` bytes in a resource group.
    ///
    /// If the group has a disk of this name, the new one takes its place: it has another unique id,
    /// and the snapshots of the old one stay.
    ///
    /// # Panics
    ///
    /// If `size` is not a multiple of 512, or more than 8 TiB less 512 bytes.
    pub fn create(&self, group: &str, name: &str, size: u64) -> ManagedDisk {
        check_size(size);
        let (mut service, now) = now(&self.0);
        let number = disks::create(&mut service.state, group, name, size, now);
        ManagedDisk { shared: self.0.clone(), number }
    }

    /// The newest disk of this name.
    pub fn get(&self, group: &str, name: &str) -> Option<ManagedDisk> {
        let number = self.0.current().state.disks.named(group, name)?;
        Some(ManagedDisk { shared: self.0.clone(), number })
    }

    /// How long the operations of Resource Manager take. By default they are done when they are
    /// asked for the first time.
    pub fn operations_take(&self, time: Duration) {
        self.0.current().state.disks.pace = time;
    }

    /// The address of Resource Manager: `https://management.azure.com/` in process, and that of the
    /// listener if there is one.
    ///
    /// Requests need a bearer token for the audience `https://management.azure.com/`, which
    /// [`accept_bearer`](crate::SimulatorBuilder::accept_bearer) decides about, and so https.
    pub fn endpoint(&self) -> Url {
        let server = match self.0.served_at.get() {
            Some(_) => format!("{}://{}", self.0.scheme(), self.0.authority()),
            None => "https://management.azure.com".to_owned(),
        };
        Url::parse(&server).expect("a scheme and an address make a URL")
    }

    /// The id of the subscription that all disks are in.
    pub fn subscription(&self) -> &'static str {
        disks::SUBSCRIPTION
    }
}

impl ManagedDisk {
    /// The name of the disk.
    pub fn name(&self) -> String {
        self.look(|family, _| family.name.clone())
    }

    /// Its resource id: what `creationData.sourceResourceId` of its snapshots says.
    pub fn id(&self) -> String {
        self.look(|family, _| family.disk_id())
    }

    /// Its unique id: what `creationData.sourceUniqueId` of its snapshots says.
    pub fn unique_id(&self) -> String {
        self.look(|family, _| family.unique_id.clone())
    }

    /// Its size in bytes, without the footer.
    pub fn size(&self) -> u64 {
        self.look(|family, _| family.size)
    }

    /// Writes to the disk.
    ///
    /// # Panics
    ///
    /// If the range is not of whole pages of 512 bytes, or beyond the end of the disk.
    pub fn write(&self, offset: u64, bytes: &[u8]) {
        let range = offset..offset + bytes.len() as u64;
        self.change(|family, stamp| {
            check_range(&range, family);
            family.write(offset, bytes, stamp);
        });
    }

    /// Clears a range, as a guest does that discards it.
    ///
    /// # Panics
    ///
    /// If the range is not of whole pages of 512 bytes, or beyond the end of the disk.
    pub fn clear(&self, range: Range<u64>) {
        self.change(|family, stamp| {
            check_range(&range, family);
            family.clear(range, stamp);
        });
    }

    /// Makes the disk larger. The footer moves to its new end.
    ///
    /// # Panics
    ///
    /// If `size` is less than it is now, not a multiple of 512, or more than 8 TiB less 512 bytes.
    pub fn resize(&self, size: u64) {
        check_size(size);
        self.change(|family, stamp| {
            assert!(size >= family.size, "a managed disk cannot be made smaller");
            family.grow(size, stamp);
        });
    }

    /// Takes an incremental snapshot.
    ///
    /// # Panics
    ///
    /// If the resource group has a snapshot of this name.
    pub fn snapshot(&self, name: &str) -> ManagedSnapshot {
        self.take(name, true)
    }

    /// Takes a full snapshot, which no difference can be had with.
    ///
    /// # Panics
    ///
    /// If the resource group has a snapshot of this name.
    pub fn full_snapshot(&self, name: &str) -> ManagedSnapshot {
        self.take(name, false)
    }

    /// Its snapshots, oldest first.
    pub fn snapshots(&self) -> Vec<ManagedSnapshot> {
        let names = self.look(|family, _| {
            family.snapshots.iter().map(|snapshot| snapshot.name.clone()).collect::<Vec<_>>()
        });
        names.into_iter().map(|name| ManagedSnapshot { disk: self.clone(), name }).collect()
    }

    /// Whether a bearer token for `https://disk.azure.com/` must be beside every SAS, as where
    /// `dataAccessAuthMode` is `AzureActiveDirectory`. By default none is needed.
    ///
    /// [`accept_bearer`](crate::SimulatorBuilder::accept_bearer) decides about the token. If it is
    /// a JWT, its audience must fit too.
    pub fn require_bearer(&self, needed: bool) {
        self.change(|family, _| family.needs_bearer = needed);
    }

    /// The form of the URLs that are granted from now on.
    pub fn grant_urls(&self, form: GrantUrl) {
        self.change(|family, _| family.urls = form);
    }

    /// How many snapshots of the disk have a SAS now. There can be five.
    pub fn granted(&self) -> usize {
        self.look(Family::granted)
    }

    /// The most snapshots of the disk that ever had a SAS at the same time.
    pub fn most_granted(&self) -> usize {
        self.look(|family, _| family.most_granted)
    }

    fn take(&self, name: &str, incremental: bool) -> ManagedSnapshot {
        let (mut service, now) = now(&self.shared);
        let disks = &service.state.disks;
        let group = disks.family(self.number).map(|family| family.group.clone());
        let taken = group.is_some_and(|group| disks.snapshot(&group, name).is_some());
        if taken {
            drop(service);
            panic!("the resource group has a snapshot {name:?} already");
        }
        disks::take(&mut service.state, self.number, name, incremental, now);
        ManagedSnapshot { disk: self.clone(), name: name.to_owned() }
    }

    fn look<T>(&self, look: impl FnOnce(&Family, OffsetDateTime) -> T) -> T {
        let (service, now) = now(&self.shared);
        let family = service.state.disks.family(self.number);
        look(family.expect("a disk is never removed"), now)
    }

    /// Changes the disk; the number orders this change among all writes.
    fn change(&self, change: impl FnOnce(&mut Family, u64)) {
        let (mut service, _) = now(&self.shared);
        let State { disks, stamps, .. } = &mut service.state;
        let family = disks.family_mut(self.number);
        change(family.expect("a disk is never removed"), stamps.next());
    }
}

impl ManagedSnapshot {
    /// The name of the snapshot.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its resource id.
    pub fn id(&self) -> String {
        self.disk.look(|family, _| family.snapshot_id(&self.name))
    }

    /// When it was taken, or `None` if it was deleted.
    pub fn created(&self) -> Option<OffsetDateTime> {
        self.look(|snapshot| snapshot.created)
    }

    /// The size of the disk when it was taken, without the footer, or `None` if it was deleted.
    pub fn size(&self) -> Option<u64> {
        self.look(|snapshot| snapshot.size)
    }

    /// Grants access as somebody else would: without Resource Manager, at once. `None` if the
    /// snapshot is deleted or not complete, or if five others of its disk have a SAS.
    pub fn grant(&self, time: Duration) -> Option<Url> {
        let shared = &self.disk.shared;
        let served = shared.served_at.get().map(|_| (shared.scheme(), shared.authority()));
        let (mut service, now) = now(shared);
        let State { disks, stamps, .. } = &mut service.state;
        let path_style = disks.path_style;
        let family = disks.family_mut(self.disk.number)?;
        let grant = family.grant(&self.name, time, stamps, now).ok()?;
        let own = served.as_ref().map(|(scheme, authority)| (*scheme, authority.as_str()));
        url(&family.account, &grant.path(), own, path_style).parse().ok()
    }

    /// Revokes every SAS of it, whoever was given it.
    pub fn revoke(&self) {
        self.disk.change(|family, _| family.revoke(&self.name));
    }

    /// Whether it has a SAS now.
    pub fn is_granted(&self) -> bool {
        self.disk.look(|family, now| family.is_granted(&self.name, now))
    }

    /// How much of it is there, in percent: 100 by default. It cannot be read before it is
    /// complete, as snapshots of Ultra Disks and Premium SSD v2 cannot at first.
    pub fn set_completion(&self, percent: f64) {
        self.disk.change(|family, _| {
            if let Some(snapshot) = family.snapshot_mut(&self.name) {
                snapshot.completion = percent;
            }
        });
    }

    /// Deletes it, and every access to it.
    pub fn delete(&self) {
        let (mut service, _) = now(&self.disk.shared);
        disks::delete(&mut service.state, self.disk.number, &self.name);
    }

    fn look<T>(&self, look: impl FnOnce(&DiskSnapshot) -> T) -> Option<T> {
        self.disk.look(|family, _| family.snapshot(&self.name).map(look))
    }
}

impl fmt::Debug for ManagedDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManagedDisk").field(&self.id()).finish()
    }
}

impl fmt::Debug for ManagedSnapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ManagedSnapshot").field(&self.id()).finish()
    }
}

/// The service, and what time it is by its clock.
fn now(shared: &Shared) -> (std::sync::MutexGuard<'_, Service>, OffsetDateTime) {
    let now = shared.clock.now();
    let service = shared.current();
    let now = service.faults.skewed(now);
    (service, now)
}

fn check_size(size: u64) {
    assert!(size.is_multiple_of(PAGE), "the size of a disk must be a multiple of 512");
    assert!(size <= LARGEST, "a disk here has at most 8 TiB less 512 bytes");
}

fn check_range(range: &Range<u64>, family: &Family) {
    let whole = range.start.is_multiple_of(PAGE) && range.end.is_multiple_of(PAGE);
    assert!(whole, "the range must be of whole pages of 512 bytes");
    assert!(range.end <= family.size, "the range must be within the disk");
}
