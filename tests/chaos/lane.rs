//! One destination, and the copies that the client under test makes into it in sequence.

use std::{sync::Arc, time::Duration};

use blobcopy::{
    AbortOutcome, BlobContainerClient, BlobServiceClient, Conditions, CopyFromUriOperation,
    CopyToken, DeleteSnapshots, ETag, Error, PublicAccessType, RetryOptions, SnapshotId,
};
use bytes::Bytes;
use fastrand::Rng;
use futures_util::TryStreamExt;
use time::OffsetDateTime;

use super::{
    judge::{Job, Limit},
    rival::{PAGES, Rival, Source},
    tally::Group,
    truth::Call,
    world::{World, sleep},
};

/// How many copies a lane makes.
const COPIES: usize = 4;

/// The source of the copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Incremental,
    Pages,
    PagesOfSnapshot,
    Blocks,
}

/// The destinations' names, by kind: each has the blob type that the kind needs.
pub(super) const NAMES: [&str; 4] = ["incremental", "pages", "restored", "blocks"];

/// The source of a copy, as it should arrive.
#[derive(Debug, Clone)]
pub(super) enum Expected {
    Exactly(Bytes),
    /// Its contents at any time between the start and the end.
    Live(Arc<Source>),
}

#[derive(Debug)]
pub(super) struct Lane {
    world: Arc<World>,
    number: usize,
    rng: Rng,
    /// Pages, blocks, and a second blob of each.
    sources: [Arc<Source>; 4],
    /// Snapshots of the pages, and their contents.
    snapshots: Vec<(SnapshotId, Bytes)>,
    to: BlobContainerClient,
    ours: BlobServiceClient,
}

impl Lane {
    pub(super) async fn new(world: Arc<World>, number: usize, mut rng: Rng) -> Self {
        let [from, to] = world.accounts;
        let container = world.clear(from).container_client(&format!("from-{number}"));
        container.create().await.expect("created");
        let source = |name, pages| {
            let container = container.clone();
            Arc::new(Source { container, pages, name, history: Default::default() })
        };
        let sources = [
            source("disk", true),
            source("notes", false),
            source("other-disk", true),
            source("other-notes", false),
        ];
        for source in &sources {
            if source.pages {
                source.disk().create(PAGES).await.expect("created");
            }
            source.change(&world, &mut rng).await;
        }
        let retry = RetryOptions::new()
            .max_retries(rng.u32(0..=5))
            .base_delay(Duration::from_millis([50, 800, 800, 4_000][rng.usize(..4)]));
        let ours = world.spoilt(to, retry);
        let to = world.clear(to).container_client(&format!("to-{number}"));
        Self { world, number, rng, sources, snapshots: Vec::new(), to, ours }
    }

    pub(super) async fn run(mut self) {
        for count in 0..COPIES {
            self.copy(count).await;
        }
    }

    /// One copy, from its start to its end.
    async fn copy(&mut self, count: usize) {
        let kinds = [
            Kind::Incremental,
            Kind::Incremental,
            Kind::Pages,
            Kind::PagesOfSnapshot,
            Kind::Blocks,
        ];
        let kind = self.rng.choice(kinds).expect("there are some");
        self.prepare(kind).await;
        let snapshot = match kind {
            Kind::Incremental | Kind::PagesOfSnapshot => Some(self.snapshot().await),
            Kind::Pages | Kind::Blocks => None,
        };
        let rival = self.rival(kind, snapshot.as_ref().map(|(id, _)| id.clone()));
        let call = format!("seed-{}-lane-{}-copy-{count}", self.world.seed, self.number);
        let expected = match &snapshot {
            Some((_, content)) => Expected::Exactly(content.clone()),
            None => Expected::Live(self.source(kind).clone()),
        };
        let (world, begun) = (self.world.clone(), self.world.now());
        let job = Job::new(
            &world,
            &call,
            format!("/to-{}/{}", self.number, NAMES[kind as usize]),
            expected,
        );
        self.begin(&call, begun, kind, snapshot.is_some());
        let started = self.start(kind, &call, snapshot.map(|(id, _)| id)).await;
        if let Some(copy) = job.start(started) {
            self.follow(copy, &job).await;
        }
        rival.abort();
        let _ = rival.await;
    }

    fn begin(&self, call: &str, begun: OffsetDateTime, kind: Kind, immutable: bool) {
        let mut book = self.world.truth.book();
        book.log.push(format!("{begun} {call} begins: {kind:?}"));
        let call_state = Call { begun, immutable, source: None, attempts: 0, blurred: false };
        book.calls.insert(call.to_owned(), call_state);
        let name = match kind {
            Kind::Incremental => "incremental",
            Kind::Pages => "pages",
            Kind::PagesOfSnapshot => "pages of a snapshot",
            Kind::Blocks => "block blob",
        };
        book.tally.count(Group::Copy, name);
    }

    /// Makes sure that a copy is possible, most of the time.
    async fn prepare(&mut self, kind: Kind) {
        let _ = self.to.create().public_access(PublicAccessType::Blob).await;
        let name = NAMES[kind as usize];
        // A blob that is not tied to an incremental copy cannot be the destination of one.
        if self.rng.u8(..5) == 0 {
            let blob = self.to.blob_client(name);
            let _ = blob.abort_pending_copy().await;
            let _ = blob.delete().snapshots(DeleteSnapshots::Include).await;
        }
        if self.rng.bool() {
            let world = self.world.clone();
            self.source(kind).clone().change(&world, &mut self.rng).await;
        }
        if self.rng.u8(..6) == 0 {
            let at = [0, 100, u64::MAX][self.rng.usize(..3)];
            self.world.sim.copies().fail_next(at, "500 InternalServerError \"Copy failed.\"");
        }
        if self.rng.bool() {
            sleep(Duration::from_millis(self.rng.u64(0..3_000))).await;
        }
    }

    fn source(&self, kind: Kind) -> &Arc<Source> {
        &self.sources[usize::from(kind == Kind::Blocks)]
    }

    /// A snapshot of the pages: a new one, or the last one again.
    async fn snapshot(&mut self) -> (SnapshotId, Bytes) {
        if self.snapshots.is_empty() || self.rng.u8(..3) > 0 {
            let source = &self.sources[0];
            let content = source.current();
            let taken = source.disk().create_snapshot().await.expect("taken");
            self.snapshots.push((taken.snapshot, content));
        }
        self.snapshots.last().expect("one was taken").clone()
    }

    fn rival(&mut self, kind: Kind, snapshot: Option<SnapshotId>) -> tokio::task::JoinHandle<()> {
        if self.rng.u8(..3) == 0 {
            return tokio::spawn(async {});
        }
        let blocks = usize::from(kind == Kind::Blocks);
        let rival = Rival {
            truth: self.world.truth.clone(),
            kind,
            to: self.to.clone(),
            source: self.sources[blocks].clone(),
            other: self.sources[2 + blocks].clone(),
            snapshot,
            rng: Rng::with_seed(self.rng.u64(..)),
        };
        tokio::spawn(rival.run(self.world.clone()))
    }

    async fn start(
        &mut self,
        kind: Kind,
        call: &str,
        snapshot: Option<SnapshotId>,
    ) -> Result<CopyFromUriOperation, Error> {
        let to = self.ours.container_client(self.to.name());
        let source = self.source(kind).clone();
        let absent = self.rng.u8(..8) == 0;
        let conditions =
            if absent { Conditions::new().if_none_match(ETag::ANY) } else { Conditions::new() };
        match (kind, snapshot) {
            (Kind::Incremental, Some(snapshot)) => {
                let blob = to.page_blob_client(NAMES[kind as usize]);
                blob.start_copy_incremental(&source.disk(), &snapshot)
                    .client_request_id(call)
                    .conditions(conditions)
                    .await
            }
            (_, snapshot) => {
                let source = source.container.blob_client(source.name);
                let source = match snapshot {
                    Some(snapshot) => source.with_snapshot(&snapshot),
                    None => source,
                };
                let start = to.blob_client(NAMES[kind as usize]).start_copy_from_uri(&source);
                start.client_request_id(call).conditions(conditions).await
            }
        }
    }

    /// Handles a copy that the client under test has started.
    async fn follow(&mut self, mut copy: CopyFromUriOperation, job: &Job<'_>) {
        if self.rng.u8(..4) == 0 {
            let stored = serde_json::to_string(&copy.token()).expect("serializes");
            let token: CopyToken = serde_json::from_str(&stored).expect("reads back");
            self.world.truth.book().shown.push(stored);
            copy = self.ours.resume(&token).expect("of this account");
        }
        match self.rng.u8(..10) {
            0 => self.stuck(copy, job).await,
            1..=2 => self.abort(copy, job).await,
            3..=5 => {
                let limit =
                    Duration::from_millis([100, 2_000, 20_000, 120_000][self.rng.usize(..4)]);
                let watch = job.watch(Limit::Timeout(limit));
                let ended = copy.wait().timeout(limit).await;
                if watch.end(copy.id(), ended.map(|done| done.into())) {
                    self.wait(copy, job).await;
                }
            }
            6 => {
                let watch = job.watch(Limit::Copy);
                let id = copy.id().clone();
                let states: Result<Vec<_>, _> = copy.progress_stream().try_collect().await;
                watch.end(&id, states.map(|states| states.last().expect("an end").clone().into()));
            }
            _ => self.wait(copy, job).await,
        }
    }

    async fn wait(&mut self, mut copy: CopyFromUriOperation, job: &Job<'_>) {
        let watch = job.watch(Limit::Copy);
        let ended = match self.rng.u8(..4) {
            0 => copy.wait().interval(Duration::from_secs(1)).await,
            _ => copy.wait().on_progress(|_| ()).await,
        };
        watch.end(copy.id(), ended.map(|done| done.into()));
        self.world.truth.book().show(&copy);
    }

    /// A copy that makes no progress while the client waits for it.
    async fn stuck(&mut self, mut copy: CopyFromUriOperation, job: &Job<'_>) {
        let [_, account] = self.world.accounts;
        let blob = copy.blob();
        let (container, name) = (blob.container_name(), blob.name());
        let into = self.world.sim.copies().into_blob_of(account, container, name);
        into.hold();
        let limit = Duration::from_secs(self.rng.u64(1..=600));
        let watch = job.watch(Limit::Timeout(limit));
        let ended = copy.wait().timeout(limit).await;
        let goes_on = watch.end(copy.id(), ended.map(|done| done.into()));
        into.release();
        if goes_on {
            self.wait(copy, job).await;
        }
    }

    async fn abort(&mut self, mut copy: CopyFromUriOperation, job: &Job<'_>) {
        let longest = u64::try_from(self.world.duration.as_millis()).expect("short");
        sleep(Duration::from_millis(self.rng.u64(0..=longest + 100))).await;
        let watch = job.watch(Limit::Copy);
        let outcome = copy.abort().await;
        let aborted = matches!(outcome, Ok(AbortOutcome::Aborted));
        watch.abort(copy.id(), outcome);
        if aborted {
            let watch = job.watch(Limit::Copy);
            let ended = copy.wait().await;
            watch.end(copy.id(), ended.map(|done| done.into()));
        }
    }
}
