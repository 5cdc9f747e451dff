//! Runs that are killed after any request, and run again until they are done.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering::SeqCst},
};

use blobcopy::{
    BlobServiceClient, Clock,
    jobs::{CopyJob, Outcome},
    transport::{BoxFuture, Request, Response, Transport, TransportError},
};
use blobcopy_simulator::{Op, Simulator};
use tokio::sync::Notify;

use super::world::World;

/// A transport that dies after some requests: no later one ends.
#[derive(Debug, Clone)]
struct Mortal {
    transport: Arc<dyn Transport>,
    left: Arc<AtomicI64>,
    died: Arc<Notify>,
}

impl Transport for Mortal {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            if self.left.fetch_sub(1, SeqCst) <= 0 {
                self.died.notify_one();
                std::future::pending::<()>().await;
            }
            self.transport.send(request).await
        })
    }

    fn clock(&self) -> Option<Clock> {
        self.transport.clock()
    }
}

impl Mortal {
    fn client(&self, sim: &Simulator, account: &str) -> BlobServiceClient {
        let text = sim.connection_string_of(account).expect("an account");
        let options = sim.client_options().transport(self.clone());
        let builder = BlobServiceClient::builder_from_connection_string(&text).expect("legal");
        builder.options(options).build().expect("a client")
    }
}

async fn filled() -> World {
    let world = World::new().await;
    world.fill(["a", "b", "c/d"]).await;
    let from = world.from();
    from.block_blob_client("large").upload(vec![7; 100_000]).await.expect("uploaded");
    let disk = from.page_blob_client("disk.vhd");
    disk.create(32 << 20).await.expect("created");
    for page in [0, 3, 9000, 20_000] {
        disk.upload_pages(page * 512, vec![5; 512]).await.expect("written");
    }
    let log = from.append_blob_client("log");
    log.create().await.expect("created");
    log.append_block("line").await.expect("appended");
    world.later();
    world
}

#[tokio::test(start_paused = true)]
async fn a_run_killed_after_any_request_ends_when_it_is_run_again() {
    for seed in 0..100 {
        let mut chance = fastrand::Rng::with_seed(seed);
        let world = filled().await;
        let is_far = seed % 2 == 0;
        let expected = World::contents(&world.from()).await;
        world.counted();
        let mut kills = 0;
        loop {
            let mortal = Mortal {
                transport: Arc::new(world.sim.transport()),
                left: Arc::new(AtomicI64::new(chance.i64(1..30))),
                died: Arc::default(),
            };
            let from = mortal.client(&world.sim, "near").container_client("source");
            let account = if is_far { "far" } else { "near" };
            let to = mortal.client(&world.sim, account).container_client("copies");
            let job = CopyJob::new(&from, &to).largest_single(1 << 16).block_size(1 << 14);
            let job = job.concurrency(chance.usize(1..4));
            let report = tokio::select! {
                report = job.run().into_future() => report.expect("a report"),
                () = mortal.died.notified() => {
                    kills += 1;
                    assert!(kills < 50, "seed {seed} never ends");
                    continue;
                }
            };
            assert_eq!(report.failures, 0, "seed {seed}: {report:?}");
            break;
        }
        let (job, to) = match is_far {
            true => (world.far_job().largest_single(1 << 16), world.far_to()),
            false => (world.near_job(), world.near_to()),
        };
        assert_eq!(World::contents(&to).await, expected, "seed {seed}");
        world.later();
        // A copy that ended in the second of its source, without an MD5, is made once more.
        job.run().await.expect("a report");
        world.counted();
        let last = job.run().await.expect("a report");
        assert_eq!(last.count(Outcome::Same), 6, "seed {seed}: {last:?}");
        assert_eq!(world.counted(), [(Op::ListBlobs, 2)].into(), "the last run writes nothing");
        let snapshots = world.from().list_blobs().include([blobcopy::BlobInclude::Snapshots]);
        let left = snapshots.collect_all().await.expect("listed");
        assert!(left.iter().all(|item| item.snapshot.is_none()), "seed {seed}: {left:?}");
    }
}
