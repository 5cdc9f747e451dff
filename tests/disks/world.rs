//! A disk, its snapshots, and where they are mirrored to.

use std::time::Duration;

use blobcopy::{
    BlobServiceClient, ClientOptions, Clock, PageBlobClient, RetryOptions, SnapshotId,
    disks::{Chain, SnapshotMirror},
    transport::Transport,
};
use blobcopy_simulator::{Op, Simulator, SimulatorBuilder};
use time::macros::datetime;

pub(super) const MIB: u64 = 1 << 20;

/// A disk of 16 MiB in account `near`, and backups in both accounts.
pub(super) struct World {
    pub(super) sim: Simulator,
    pub(super) near: BlobServiceClient,
    pub(super) far: BlobServiceClient,
}

impl World {
    pub(super) async fn new() -> Self {
        Self::of(|builder| builder).await
    }

    pub(super) async fn of(settle: impl FnOnce(SimulatorBuilder) -> SimulatorBuilder) -> Self {
        let builder = Simulator::builder()
            .clock(Clock::starting_at(datetime!(2026-01-01 12:00 UTC)))
            .account("near", "bmVhcg==")
            .account("far", "ZmFy")
            .copy_duration(Duration::ZERO);
        let sim = settle(builder).build();
        let near = client(&sim, "near", sim.client_options());
        let far = client(&sim, "far", sim.client_options());
        for (service, name) in [(&near, "vhds"), (&near, "backups"), (&far, "backups")] {
            service.container_client(name).create().await.expect("created");
        }
        let world = Self { sim, near, far };
        world.disk().create(16 * MIB).await.expect("created");
        world
    }

    pub(super) fn disk(&self) -> PageBlobClient {
        self.near.container_client("vhds").page_blob_client("disk0.vhd")
    }

    pub(super) fn backup(&self) -> PageBlobClient {
        self.far.container_client("backups").page_blob_client("disk0.vhd")
    }

    pub(super) fn mirror(&self) -> SnapshotMirror {
        SnapshotMirror::new(&self.disk(), &self.backup())
    }

    /// A mirror whose requests are tried once, as if each failure were the last.
    pub(super) fn impatient(&self) -> SnapshotMirror {
        let options = || self.sim.client_options().retry(RetryOptions::none());
        let (near, far) =
            (client(&self.sim, "near", options()), client(&self.sim, "far", options()));
        let disk = near.container_client("vhds").page_blob_client("disk0.vhd");
        let backup = far.container_client("backups").page_blob_client("disk0.vhd");
        SnapshotMirror::new(&disk, &backup)
    }

    /// The mirror of a process that reaches the service by this way.
    pub(super) fn through(&self, way: impl Transport + Clone + 'static) -> SnapshotMirror {
        let options = || self.sim.client_options().transport(way.clone());
        let near = client(&self.sim, "near", options());
        let far = client(&self.sim, "far", options());
        let disk = near.container_client("vhds").page_blob_client("disk0.vhd");
        let backup = far.container_client("backups").page_blob_client("disk0.vhd");
        SnapshotMirror::new(&disk, &backup)
    }

    /// Writes a page that says `number`, and takes a snapshot a quarter of an hour later.
    pub(super) async fn grow(&self, number: u64) -> SnapshotId {
        let at = (number * 7 * 4096) % (16 * MIB);
        let content = vec![u8::try_from(number % 250 + 1).expect("small"); 4096];
        self.disk().upload_pages(at, content).await.expect("written");
        if number % 5 == 4 {
            self.disk().clear_pages(0..4096).await.expect("cleared");
        }
        self.sim.clock().advance(Duration::from_secs(900));
        self.disk().create_snapshot().await.expect("taken").snapshot
    }

    /// Takes so many snapshots.
    pub(super) async fn grown(&self, count: u64) -> Vec<SnapshotId> {
        let mut taken = Vec::new();
        for number in 0..count {
            taken.push(self.grow(number).await);
        }
        taken
    }

    /// Checks that the destination has a snapshot that equals each of these, byte for byte, and no
    /// other.
    pub(super) async fn expect_equal(&self, taken: &[SnapshotId]) -> Chain {
        let chain = self.mirror().chain().await.expect("listed");
        let equals: Vec<_> = chain.snapshots.iter().map(|found| found.equals.clone()).collect();
        let wanted: Vec<_> = taken.iter().map(|id| Some(id.to_string())).collect();
        assert_eq!(equals, wanted);
        for (found, id) in chain.snapshots.iter().zip(taken) {
            let copy = content(&found.client(&self.backup())).await;
            assert!(copy == content(&self.disk().with_snapshot(id)).await, "{found} differs");
        }
        chain
    }

    /// The requests since the last call.
    pub(super) fn counted(&self) -> u64 {
        let count = self.sim.requests().len();
        self.sim.forget_requests();
        u64::try_from(count).expect("few")
    }

    /// The requests of one kind since they were forgotten.
    pub(super) fn sent(&self, op: Op) -> usize {
        self.sim.requests().iter().filter(|request| request.op() == op).count()
    }
}

pub(super) fn client(sim: &Simulator, account: &str, options: ClientOptions) -> BlobServiceClient {
    let text = sim.connection_string_of(account).expect("an account");
    BlobServiceClient::builder_from_connection_string(&text)
        .and_then(|builder| builder.options(options).build())
        .expect("a client")
}

pub(super) async fn content(blob: &PageBlobClient) -> Vec<u8> {
    blob.download().await.expect("found").bytes().await.expect("read").to_vec()
}
