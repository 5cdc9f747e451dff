//! Two accounts on virtual time.

use std::{collections::BTreeMap, time::Duration};

use blobcopy::{
    BlobContainerClient, BlobServiceClient, Clock, jobs::CopyJob, transport::Transport,
};
use blobcopy_simulator::{Op, Simulator, SimulatorBuilder};
use time::macros::datetime;

/// Two accounts with a container `source` in the first, and `copies` in both.
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
        let clock = Clock::starting_at(datetime!(2026-01-01 12:00 UTC));
        let builder = Simulator::builder()
            .clock(clock)
            .account("near", "bmVhcg==")
            .account("far", "ZmFy")
            .copy_duration(Duration::ZERO);
        let sim = settle(builder).build();
        let client = |account: &str| {
            let text = sim.connection_string_of(account).expect("an account");
            BlobServiceClient::builder_from_connection_string(&text)
                .and_then(|builder| builder.options(sim.client_options()).build())
                .expect("a client")
        };
        let (near, far) = (client("near"), client("far"));
        let world = Self { sim, near, far };
        for container in [world.from(), world.near_to(), world.far_to()] {
            container.create().await.expect("created");
        }
        world
    }

    pub(super) fn from(&self) -> BlobContainerClient {
        self.near.container_client("source")
    }

    pub(super) fn near_to(&self) -> BlobContainerClient {
        self.near.container_client("copies")
    }

    pub(super) fn far_to(&self) -> BlobContainerClient {
        self.far.container_client("copies")
    }

    pub(super) fn near_job(&self) -> CopyJob {
        CopyJob::new(&self.from(), &self.near_to())
    }

    pub(super) fn far_job(&self) -> CopyJob {
        CopyJob::new(&self.from(), &self.far_to())
    }

    /// The containers `source`, and `copies` of both accounts, for a process that reaches the
    /// service by this way.
    pub(super) fn through(
        &self,
        way: impl Transport + Clone + 'static,
    ) -> (BlobContainerClient, BlobContainerClient, BlobContainerClient) {
        let client = |account: &str| {
            let text = self.sim.connection_string_of(account).expect("an account");
            let options = self.sim.client_options().transport(way.clone());
            BlobServiceClient::builder_from_connection_string(&text)
                .and_then(|builder| builder.options(options).build())
                .expect("a client")
        };
        let (near, far) = (client("near"), client("far"));
        let source = near.container_client("source");
        (source, near.container_client("copies"), far.container_client("copies"))
    }

    /// Uploads block blobs whose content is their name.
    pub(super) async fn fill(&self, names: impl IntoIterator<Item = impl AsRef<str>>) {
        for name in names {
            let name = name.as_ref();
            let blob = self.from().block_blob_client(name);
            blob.upload(name.to_owned()).metadata([("name", "x")]).await.expect("uploaded");
        }
    }

    /// Lets whole seconds pass, so that the service's dates differ.
    pub(super) fn later(&self) {
        self.sim.clock().advance(Duration::from_secs(2));
    }

    /// Names and contents.
    pub(super) async fn contents(container: &BlobContainerClient) -> BTreeMap<String, Vec<u8>> {
        let mut contents = BTreeMap::new();
        for item in container.list_blobs().collect_all().await.expect("listed") {
            let download = container.blob_client_of(&item).download().await.expect("found");
            contents.insert(item.name, download.bytes().await.expect("read").to_vec());
        }
        contents
    }

    /// The requests since the last call, without polls, by operation.
    pub(super) fn counted(&self) -> BTreeMap<Op, u64> {
        let mut counts = BTreeMap::new();
        for request in self.sim.requests() {
            *counts.entry(request.op()).or_default() += 1;
        }
        self.sim.forget_requests();
        counts
    }
}
