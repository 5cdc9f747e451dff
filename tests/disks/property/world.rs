//! A disk in one account, and what is made of it in another.

use std::{
    sync::{Arc, atomic::Ordering},
    time::Duration,
};

use blobcopy::{
    BlobContainerClient, BlobServiceClient, Clock, PageBlobClient, RetryOptions,
    disks::{DiskBackup, ManagedSnapshots, MirrorRoute, PageBlobSnapshots, SnapshotMirror},
    transport::{BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind},
};
use blobcopy_simulator::{ManagedDisk, Simulator};
use fastrand::Rng;
use time::macros::datetime;

use super::{
    disk::Disk,
    door::{Book, Door, Tear},
    gate::Gate,
};

/// From what to what, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// A page blob, by Incremental Copy Blob.
    Incremental,
    /// A page blob, by ranges.
    Ranges,
    /// A managed disk, by ranges.
    Managed,
}

/// The name of the disk, and of its backup.
pub(super) const NAME: &str = "disk0.vhd";

/// Two accounts on virtual time.
#[derive(Debug)]
pub(super) struct World {
    pub(super) sim: Simulator,
    pub(super) way: Way,
    pub(super) book: Arc<Book>,
    pub(super) managed: Option<ManagedDisk>,
    /// The longest time that a request of a run is under way.
    pub(super) travel: Duration,
    grant_for: Duration,
    in_flight: usize,
}

impl World {
    /// The world of a seed, and its disk.
    pub(super) async fn new(way: Way, seed: u64) -> (Self, Disk) {
        let rng = &mut Rng::with_seed(seed);
        let copies = Duration::from_millis([0, 0, 400, 90_000][rng.usize(..4)]);
        let (mut world, seed) = (Self::of(way, copies, seed), rng.u64(..));
        let skew = time::Duration::seconds(rng.i64(-120..=120));
        world.sim.faults().skew_clock(skew);
        world.travel = Duration::from_millis([20, 20, 2_000][rng.usize(..3)]);
        world.grant_for = Duration::from_secs([14_400, 600, 60][rng.usize(..3)]);
        world.in_flight = rng.usize(1..=16);
        let disk = world.disk(seed).await;
        (world, disk)
    }

    /// A world in which no request takes time.
    pub(super) async fn quiet(way: Way) -> (Self, Disk) {
        let mut world = Self::of(way, Duration::ZERO, 0);
        let disk = world.disk(0).await;
        world.restored().create().await.expect("created");
        (world, disk)
    }

    fn of(way: Way, copies: Duration, seed: u64) -> Self {
        let sim = Simulator::builder()
            .clock(Clock::starting_at(datetime!(2026-01-01 12:00 UTC)))
            .account("near", "bmVhcg==")
            .account("far", "ZmFy")
            .copy_duration(copies)
            .seed(seed)
            .build();
        Self {
            sim,
            way,
            book: Arc::default(),
            managed: None,
            travel: Duration::ZERO,
            grant_for: Duration::from_secs(3600),
            in_flight: 16,
        }
    }

    /// Its disk.
    async fn disk(&mut self, seed: u64) -> Disk {
        for container in [self.source(None), self.backups(None)] {
            container.create().await.expect("created");
        }
        if self.way != Way::Managed {
            return Disk::blob(self.source(None).page_blob_client(NAME), seed).await;
        }
        let disk = self.sim.managed_disks().create("group", NAME, Disk::managed_size());
        self.managed = Some(disk.clone());
        Disk::managed(disk, seed)
    }

    /// A new run, with its own way to the service.
    pub(super) fn mirror(&self, seed: u64, tear: Option<(u64, Tear)>) -> (SnapshotMirror, Door) {
        let (sim, disk) = (&self.sim, self.managed.as_ref());
        let door = Door::new(sim, seed, self.travel, disk, tear, &self.book);
        let backup = self.backups(Some(&door)).page_blob_client(NAME);
        let mirror = match &self.managed {
            Some(disk) => {
                let gate = Gate {
                    disk: disk.clone(),
                    door: door.clone(),
                    book: self.book.clone(),
                    broken: self.client("far", Some(Broken), RetryOptions::none()),
                    clear: self.client("far", None::<Broken>, RetryOptions::default()),
                };
                let options = sim.client_options().transport(door.clone());
                let source = ManagedSnapshots::new(gate).grant_for(self.grant_for);
                SnapshotMirror::new(source.options(options), &backup)
            }
            None => {
                let disk = self.source(Some(&door)).page_blob_client(NAME);
                let mirror = SnapshotMirror::new(PageBlobSnapshots::of(&disk), &backup);
                match self.way {
                    Way::Incremental => mirror.new_generation(),
                    _ => mirror.route(MirrorRoute::Ranges),
                }
            }
        };
        (mirror.in_flight(self.in_flight), door)
    }

    /// Whether a run was torn so far.
    pub(super) fn is_torn(&self) -> bool {
        self.book.torn.load(Ordering::Relaxed) > 0
    }

    /// What is at the destination, without any trouble on the way.
    pub(super) fn backup(&self) -> DiskBackup {
        DiskBackup::of(&self.destination())
    }

    pub(super) fn destination(&self) -> PageBlobClient {
        self.backups(None).page_blob_client(NAME)
    }

    pub(super) fn source(&self, door: Option<&Door>) -> BlobContainerClient {
        let near = self.client("near", door.cloned(), RetryOptions::default());
        near.container_client("disks")
    }

    pub(super) fn backups(&self, door: Option<&Door>) -> BlobContainerClient {
        let far = self.client("far", door.cloned(), RetryOptions::default());
        far.container_client("backups")
    }

    /// Where snapshots are restored.
    pub(super) fn restored(&self) -> BlobContainerClient {
        self.client("far", None::<Door>, RetryOptions::default()).container_client("restored")
    }

    fn client(
        &self,
        account: &str,
        way: Option<impl Transport + Clone + 'static>,
        retry: RetryOptions,
    ) -> BlobServiceClient {
        let text = self.sim.connection_string_of(account).expect("an account");
        let mut options = self.sim.client_options().retry(retry);
        if let Some(way) = way {
            options = options.transport(way);
        }
        BlobServiceClient::builder_from_connection_string(&text)
            .and_then(|builder| builder.options(options).build())
            .expect("a client")
    }
}

/// A network that carries nothing.
#[derive(Debug, Clone)]
struct Broken;

impl Transport for Broken {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let kind = TransportErrorKind::Interrupted;
        Box::pin(async move { Err(TransportError::with_message(kind, "nothing comes through")) })
    }
}
