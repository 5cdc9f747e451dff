//! Many copies followed to their ends: how many requests it takes, and that it tells the truth.

#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::{collections::BTreeMap, env, time::Duration};

use blobcopy::{
    BlobContainerClient, BlobServiceClient, ClientOptions, Clock, CopyFromUriOperation, Error,
    jobs::{CopyWatch, WatchEvent, WatchRound},
};
use blobcopy_simulator::{Op, Simulator};
use futures_util::{StreamExt, TryStreamExt, stream};
use time::macros::datetime;
use tokio::time::Instant;

use crate::support::script::{Script, Step, answer, answer_with, properties};

const SECOND: Duration = Duration::from_secs(1);

struct World {
    sim: Simulator,
    service: BlobServiceClient,
}

impl World {
    async fn new(copies_take: Duration) -> Self {
        Self::with(copies_take, |options| options).await
    }

    async fn with(
        copies_take: Duration,
        options: impl FnOnce(ClientOptions) -> ClientOptions,
    ) -> Self {
        let clock = Clock::starting_at(datetime!(2026-01-01 12:00 UTC));
        let sim = Simulator::builder().clock(clock).copy_duration(copies_take).build();
        let service = BlobServiceClient::builder_from_connection_string(&sim.connection_string());
        let service = service.expect("well formed").options(options(sim.client_options()));
        let service = service.build().expect("a client");
        for name in ["vhds", "backups", "archive"] {
            service.container_client(name).create().await.expect("created");
        }
        let notes = service.container_client("vhds").block_blob_client("notes.txt");
        notes.upload("some notes").await.expect("uploaded");
        Self { sim, service }
    }

    fn container(&self, name: &str) -> BlobContainerClient {
        self.service.container_client(name)
    }

    async fn start(&self, container: &str, name: &str) -> CopyFromUriOperation {
        let notes = self.container("vhds").blob_client("notes.txt");
        let blob = self.container(container).blob_client(name);
        blob.start_copy_from_uri(&notes).await.expect("started")
    }

    async fn start_many(&self, container: &str, count: usize) -> Vec<CopyFromUriOperation> {
        let names = (0..count).map(|number| format!("{number:07}"));
        let started = stream::iter(names).map(async |name| self.start(container, &name).await);
        started.buffered(64).collect().await
    }

    /// How many requests of an operation the simulator has seen lately.
    fn seen(&self, op: Op) -> usize {
        self.sim.requests().iter().filter(|request| request.op() == op).count()
    }
}

/// What a watch tells: the rounds, and the end of each blob: an error's beginning, or nothing.
async fn follow(watch: CopyWatch) -> (Vec<WatchRound>, BTreeMap<String, String>) {
    let (mut rounds, mut ends) = (Vec::new(), BTreeMap::new());
    let mut events = watch.events();
    while let Some(event) = events.try_next().await.expect("no end of the watch itself") {
        let (copy, end) = match event {
            WatchEvent::Round(round) => {
                rounds.push(round);
                continue;
            }
            WatchEvent::Succeeded { copy, done, .. } => {
                assert_eq!(copy.copy_id, done.copy_id);
                (copy, "success".to_owned())
            }
            WatchEvent::Failed { copy, error, .. } => (copy, format!("{error:?}")),
            WatchEvent::Left { copy, .. } => (copy, "left".to_owned()),
            _ => continue,
        };
        let end = end.split([' ', '(']).next().expect("a word").to_owned();
        assert_eq!(ends.insert(format!("{}/{}", copy.container, copy.blob), end), None);
    }
    (rounds, ends)
}

/// 20 requests a round for 100,000 copies: `BLOBCOPY_WATCHED_COPIES=100000` takes a minute or two.
#[tokio::test(start_paused = true)]
async fn five_thousand_copies_take_one_request_a_round() {
    let count = env::var("BLOBCOPY_WATCHED_COPIES");
    let count = count.map_or(20_000, |count| count.parse().expect("a number"));
    let world = World::new(1000 * SECOND).await;
    let copies = world.start_many("backups", count).await;
    let (rounds, ends) = follow(CopyWatch::new().operations(copies).interval(600 * SECOND)).await;
    let most = rounds.iter().map(|round| round.requests).max().expect("rounds");
    let pages = count.div_ceil(5000);
    assert_eq!((rounds.len(), most), (3, pages as u64), "{rounds:?}");
    assert_eq!((world.seen(Op::ListBlobs), world.seen(Op::GetBlobProperties)), (3 * pages, 0));
    assert!(ends.len() == count && ends.values().all(|end| end == "success"));
}

#[tokio::test(start_paused = true)]
async fn a_container_is_watched_by_its_prefix() {
    let world = World::new(60 * SECOND).await;
    world.start_many("backups", 300).await;
    let (rounds, ends) =
        follow(CopyWatch::new().container(&world.container("backups"), "00001")).await;
    assert_eq!(ends.len(), 100);
    assert!(ends.values().all(|end| end == "success"), "{ends:?}");
    assert!(rounds.iter().all(|round| round.requests == 1), "{rounds:?}");
    // All have ended: nothing is left to watch.
    let again = CopyWatch::new().container(&world.container("backups"), "").run().await;
    assert_eq!(again.expect("watched").rounds, 1);
}

#[tokio::test(start_paused = true)]
async fn few_copies_among_many_blobs_are_polled() {
    let world = World::new(60 * SECOND).await;
    world.start_many("backups", 10_002).await;
    tokio::time::sleep(100 * SECOND).await;
    let copies = vec![world.start("backups", "00").await, world.start("backups", "z").await];
    let (rounds, ends) = follow(CopyWatch::new().operations(copies).interval(30 * SECOND)).await;
    assert_eq!(ends.len(), 2);
    // The first listing is given up after a page.
    let requests: Vec<_> = rounds.iter().map(|round| round.requests).collect();
    assert_eq!(requests, [2, 2, 2]);
    assert_eq!((world.seen(Op::ListBlobs), world.seen(Op::GetBlobProperties)), (1, 5));
}

#[tokio::test(start_paused = true)]
async fn every_ending_is_told_as_for_a_single_copy() {
    let world = World::new(100 * SECOND).await;
    let mut copies = world.start_many("backups", 20).await;
    let names = ["fails", "aborted", "superseded", "deleted", "rewritten", "succeeds"];
    for name in names {
        copies.push(world.start("archive", name).await);
    }
    copies.push(world.start("vhds", "alone").await);
    let archive = world.container("archive");
    let into = |name: &str| world.sim.copies().into_blob("archive", name);
    let events = tokio::spawn(follow(CopyWatch::new().operations(copies)));
    tokio::time::sleep(20 * SECOND).await;
    assert!(into("fails").fail(3, "500 InternalError \"Copy failed.\""));
    for name in ["aborted", "superseded", "rewritten"] {
        archive.blob_client(name).abort_pending_copy().await.expect("aborted");
    }
    // Before the next round:
    world.start("archive", "superseded").await;
    archive.block_blob_client("rewritten").upload("other").await.expect("uploaded");
    archive.blob_client("deleted").abort_pending_copy().await.expect("aborted");
    archive.blob_client("deleted").delete().await.expect("deleted");
    let (rounds, ends) = events.await.expect("no panic");
    let end = |name: &str| ends[&format!("archive/{name}")].as_str();
    assert_eq!(
        names.map(end),
        [
            "CopyFailed",
            "CopyAborted",
            "CopySuperseded",
            "CopyDestinationGone",
            "NoCopyProperties",
            "success"
        ]
    );
    assert_eq!((ends.len(), ends["vhds/alone"].as_str()), (27, "success"));
    assert!(rounds.len() > 10, "{rounds:?}");
}

#[tokio::test(start_paused = true)]
async fn an_incremental_copy_names_its_snapshot() {
    let world = World::new(60 * SECOND).await;
    let mut copies = Vec::new();
    for name in ["disk0", "disk1"] {
        let disk = world.container("vhds").page_blob_client(name);
        disk.create(1 << 20).await.expect("created");
        let taken = disk.create_snapshot().await.expect("taken").snapshot;
        let backup = world.container("backups").page_blob_client(name);
        copies.push(backup.start_copy_incremental(&disk, &taken).await.expect("started"));
    }
    let mut events = CopyWatch::new().operations(copies).events();
    let mut named = 0;
    while let Some(event) = events.try_next().await.expect("watched") {
        if let WatchEvent::Succeeded { done, .. } = event {
            assert!(done.destination_snapshot.is_some() && done.source_snapshot.is_some());
            named += 1;
        }
    }
    assert_eq!(named, 2);
}

#[tokio::test(start_paused = true)]
async fn busy_rounds_are_repeated_and_an_outage_has_an_end() {
    let world = World::new(60 * SECOND).await;
    let copies = world.start_many("backups", 50).await;
    world.sim.faults().on(Op::ListBlobs).times(8).answer(503, "ServerBusy").retry_after(7 * SECOND);
    let (rounds, ends) = follow(CopyWatch::new().operations(copies)).await;
    assert!(ends.len() == 50 && ends.values().all(|end| end == "success"), "{ends:?}");
    assert!(rounds.len() > 2, "{rounds:?}");

    let copies = world.start_many("archive", 50).await;
    world.sim.faults().on_any().reset();
    let begun = Instant::now();
    let error = CopyWatch::new().operations(copies).run().await.expect_err("an outage");
    assert!(matches!(error, Error::Transport { .. }), "{error}");
    assert!((3600 * SECOND..4000 * SECOND).contains(&begun.elapsed()), "{:?}", begun.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_container_that_may_not_be_listed_is_polled() {
    let world = World::new(60 * SECOND).await;
    let copies = world.start_many("backups", 5).await;
    world.sim.faults().on(Op::ListBlobs).answer(403, "AuthorizationPermissionMismatch");
    let (_, ends) = follow(CopyWatch::new().operations(copies)).await;
    assert!(ends.len() == 5 && ends.values().all(|end| end == "success"), "{ends:?}");
    let unknown = CopyWatch::new().container(&world.container("backups"), "").run().await;
    unknown.expect_err("nothing can be learnt");
}

#[tokio::test(start_paused = true)]
async fn what_is_pending_at_the_end_of_the_time_is_left() {
    let world = World::new(86_400 * SECOND).await;
    let copies = world.start_many("backups", 3).await;
    let begun = Instant::now();
    let (_, ends) = follow(CopyWatch::new().operations(copies).timeout(60 * SECOND)).await;
    assert_eq!(begun.elapsed().as_secs(), 60);
    assert!(ends.len() == 3 && ends.values().all(|end| end == "left"), "{ends:?}");
}

#[tokio::test(start_paused = true)]
async fn an_older_service_version_is_listed_from_its_beginning() {
    let old =
        |options: ClientOptions| options.service_version("2019-12-12".parse().expect("a version"));
    let world = World::with(60 * SECOND, old).await;
    let copies = world.start_many("backups", 40).await;
    let (rounds, ends) = follow(CopyWatch::new().operations(copies)).await;
    assert!(ends.len() == 40 && ends.values().all(|end| end == "success"), "{ends:?}");
    assert!(rounds.iter().all(|round| round.requests == 1), "{rounds:?}");
}

/// A listing of one page.
fn listing(blobs: &[(&str, &str, &str)]) -> Step {
    let blob = |(name, id, status): &(&str, &str, &str)| {
        format!(
            "<Blob><Name>{name}</Name><Properties><Content-Length>5</Content-Length>\
             <BlobType>BlockBlob</BlobType><CopyId>{id}</CopyId><CopyStatus>{status}</CopyStatus>\
             <CopyProgress>2/5</CopyProgress></Properties></Blob>"
        )
    };
    let blobs: String = blobs.iter().map(blob).collect();
    answer_with(&format!("<EnumerationResults><Blobs>{blobs}</Blobs></EnumerationResults>"))
}

#[tokio::test(start_paused = true)]
async fn a_name_that_no_url_can_have_is_followed_by_listings() {
    let pending = listing(&[("a/../b", "id-1", "pending"), ("c", "id-2", "pending")]);
    let over = listing(&[("a/../b", "id-1", "success")]);
    let script = Script::new([pending.clone(), pending, over, properties("id-2", "failed", "")]);
    let container = script.service().container_client("backups");
    let (_, ends) = follow(CopyWatch::new().container(&container, "")).await;
    assert_eq!(ends["backups/a/../b"], "success");
    assert_eq!(ends["backups/c"], "CopyFailed");
    assert_eq!(script.methods(), ["GET", "GET", "GET", "HEAD"]);
}

#[tokio::test(start_paused = true)]
async fn a_listing_in_another_order_does_not_lose_a_copy() {
    // Both are listed only when the listing starts at its beginning.
    let pending = properties("id-1", "pending", "");
    let both = |status| listing(&[("a/b", "id-1", status), ("a-b", "id-2", status)]);
    let script = Script::new([
        listing(&[("a-b", "id-2", "pending")]),
        pending,
        both("pending"),
        both("success"),
    ]);
    let container = script.service().container_client("backups");
    let copies = [("a/b", "id-1"), ("a-b", "id-2")].map(|(name, id)| {
        container.blob_client(name).resume_copy(id.parse::<blobcopy::CopyId>().expect("an id"))
    });
    let (rounds, ends) = follow(CopyWatch::new().operations(copies)).await;
    assert!(ends.len() == 2 && ends.values().all(|end| end == "success"), "{ends:?}");
    assert_eq!(rounds.iter().map(|round| round.requests).collect::<Vec<_>>(), [2, 1, 1]);
    let queries = script.seen();
    let starts = |at: usize| queries[at].url().query().is_some_and(|q| q.contains("startFrom="));
    assert_eq!((starts(0), starts(2), starts(3)), (true, false, false));
}

#[tokio::test(start_paused = true)]
async fn what_a_gateway_says_ends_nothing() {
    let gone = answer(404, "server: nginx");
    let script = Script::new([gone.clone(), gone, properties("id-1", "success", "")]);
    let blob = script.service().container_client("backups").blob_client("b");
    let copy = blob.resume_copy("id-1".parse::<blobcopy::CopyId>().expect("an id"));
    let (rounds, ends) = follow(CopyWatch::new().operation(copy)).await;
    assert_eq!((rounds.len(), ends["backups/b"].as_str()), (3, "success"));
}

#[tokio::test(start_paused = true)]
async fn a_status_that_nobody_knows_is_no_end() {
    let script =
        Script::new([properties("id-1", "resting", ""), properties("id-1", "success", "")]);
    let blob = script.service().container_client("backups").blob_client("b");
    let copy = blob.resume_copy("id-1".parse::<blobcopy::CopyId>().expect("an id"));
    let (rounds, ends) = follow(CopyWatch::new().operation(copy)).await;
    assert_eq!((rounds.len(), ends["backups/b"].as_str()), (2, "success"));
}
