//! The real windows of a copy by changed ranges, whose ends are noted: the most that a torn run
//! writes again.

use std::sync::{Arc, Mutex};

use blobcopy::{
    Clock, PageBlobClient, PageRange,
    disks::MirrorRoute,
    http::{HeaderMap, StatusCode},
    transport::{BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind},
};
use blobcopy_simulator::{Op, Simulator, SimulatorTransport};

use super::world::World;

const KIB: u64 = 1 << 10;
const GIB: u64 = 1 << 30;

/// The most requests between two notes.
const MOST_REQUESTS: u64 = 4096;

/// The distance of the changes: the first window ends at 2 GiB.
const APART: u64 = 512 * KIB;

/// A disk of 3 GiB with a mirrored snapshot, and another with changes on both sides of the first
/// window's end and across it. How many requests they take.
async fn changed() -> (World, u64) {
    let world = World::new().await;
    let disk = world.disk();
    disk.resize(3 * GIB).await.expect("resized");
    disk.upload_pages(2 * GIB - 8 * KIB, vec![9; 32 << 10]).await.expect("written");
    world.grow(0).await;
    world.mirror().route(MirrorRoute::Ranges).run().await.expect("mirrored");
    let places = 3 * GIB / APART;
    for place in 1..places {
        let content = vec![u8::try_from(place % 250 + 1).expect("small"); 512];
        disk.upload_pages(place * APART, content).await.expect("written");
    }
    // Across the end of the window: written, cleared, written.
    disk.upload_pages(2 * GIB - 2 * KIB, vec![3; 3 << 10]).await.expect("written");
    disk.clear_pages(2 * GIB + KIB..2 * GIB + 2 * KIB).await.expect("cleared");
    disk.upload_pages(2 * GIB + 2 * KIB, vec![4; 512]).await.expect("written");
    disk.create_snapshot().await.expect("taken");
    (world, places - 1 + 2)
}

/// The ranges of a blob that hold data, joined.
async fn ranges(blob: &PageBlobClient) -> Vec<PageRange> {
    let mut joined: Vec<PageRange> = Vec::new();
    for range in blob.get_page_ranges().collect_all().await.expect("listed").ranges {
        match joined.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => joined.push(range),
        }
    }
    joined
}

/// The newest copy has the ranges of its source, and the content of those near the border, and of
/// some others.
async fn is_equal(world: &World) {
    let chain = world.mirror().chain().await.expect("listed");
    let newest = chain.newest().expect("a copy");
    let id: blobcopy::SnapshotId = newest.equals.clone().expect("known").parse().expect("an id");
    let (source, copy) = (world.disk().with_snapshot(&id), newest.client(&world.backup()));
    let all = ranges(&source).await;
    assert!(ranges(&copy).await == all, "other ranges");
    for (number, range) in all.into_iter().enumerate() {
        if number % 100 == 0 || range.start.abs_diff(2 * GIB) < 4 * APART {
            let read = async |blob: &PageBlobClient| {
                let part = blob.download().range(range).await.expect("opened");
                part.bytes().await.expect("read")
            };
            assert!(read(&source).await == read(&copy).await, "{range:?} differs");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_is_torn_after_a_windows_note_writes_nothing_of_that_window_again() {
    let (world, requests) = changed().await;
    world.sim.forget_requests();
    let dead = world.sim.faults().on(Op::PutPageFromUrl).account("far").after(MOST_REQUESTS);
    drop(dead.reset());
    let torn = world.impatient().take_lock().in_flight(8).run().await;
    torn.expect_err("torn");
    world.sim.faults().clear();
    let noted = world.backup().get_properties().await.expect("there").metadata;
    let done: u64 = noted.get("blobcopy_mirror_done").expect("noted").parse().expect("a number");
    assert!((2 * GIB - 2 * KIB..=2 * GIB + APART).contains(&done), "{done}");
    world.sim.forget_requests();

    let report = world.mirror().take_lock().run().await.expect("it goes on");
    assert!(report.hops[0].resumed);
    let starts = world.sim.requests().into_iter().filter_map(|request| {
        let range = request.header("x-ms-range").filter(|_| request.op() == Op::PutPageFromUrl)?;
        range.strip_prefix("bytes=")?.split('-').next()?.parse::<u64>().ok()
    });
    let starts: Vec<u64> = starts.collect();
    assert!(starts.iter().all(|start| *start >= done), "{:?} before {done}", starts.iter().min());
    let again = u64::try_from(starts.len()).expect("few") + MOST_REQUESTS;
    assert!((requests - 1..=requests).contains(&again), "{again} of {requests}");
    is_equal(&world).await;
}

/// How many bytes the source says have changed, from its beginning on.
const CHANGED: u64 = 5 * GIB / 2;

/// Where something has really changed: on both sides of the byte at which the first window ends,
/// across it, and at the end.
const REALLY: [(u64, u64); 4] = [
    (GIB - 5 * MIB, GIB - 5 * MIB + 4 * KIB),
    (GIB - 2 * KIB, GIB + 3 * KIB),
    (GIB + 6 * MIB, GIB + 6 * MIB + 512),
    (CHANGED - KIB, CHANGED),
];

const MIB: u64 = 1 << 20;

/// A way to the service, for a source that says that gigabytes have changed, of which nearly all
/// are zeros: those are not copied, so that no memory is needed for them.
#[derive(Debug, Clone)]
struct Zeros {
    sim: SimulatorTransport,
    seen: Arc<Mutex<Seen>>,
    /// Whether the process dies with the first note: once it is answered, or before it is sent.
    dies: Option<bool>,
}

#[derive(Debug, Default)]
struct Seen {
    /// The ranges that were to be copied.
    copied: Vec<(u64, u64)>,
    is_dead: bool,
}

impl Zeros {
    fn new(sim: &Simulator, dies: Option<bool>) -> Self {
        Self { sim: sim.transport(), seen: Arc::default(), dies }
    }

    fn copied(&self) -> Vec<(u64, u64)> {
        self.seen.lock().expect("no panic").copied.clone()
    }

    async fn pass(&self, request: Request) -> Result<Response, TransportError> {
        let dead = || {
            let kind = TransportErrorKind::Unusable;
            Err(TransportError::with_message(kind, "the process is dead"))
        };
        if self.seen.lock().expect("no panic").is_dead {
            return dead();
        }
        let text = |name: &str| request.headers().get(name)?.to_str().ok().map(str::to_owned);
        let range = text("x-ms-range").and_then(|range| {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some((first.parse::<u64>().ok()?, last.parse::<u64>().ok()? + 1))
        });
        if request.url().query().is_some_and(|query| query.contains("prevsnapshot"))
            && request.url().path().starts_with("/near/")
        {
            let (start, end) = range.expect("a range");
            let (status, mut headers, _) = self.sim.send(request).await?.into_parts();
            headers.remove("content-length");
            let last = end.min(CHANGED) - 1;
            let item = format!("<PageRange><Start>{start}</Start><End>{last}</End></PageRange>");
            let item = if start < CHANGED { item } else { String::new() };
            let body = format!("<?xml version=\"1.0\"?><PageList>{item}</PageList>");
            return Ok(Response::new(status, headers, bytes::Bytes::from(body)));
        }
        if let (Some(range), Some(_)) = (range, text("x-ms-copy-source")) {
            self.seen.lock().expect("no panic").copied.push(range);
            if !REALLY.iter().any(|(start, end)| *start < range.1 && range.0 < *end) {
                let id = "11111111-2222-3333-4444-555555555555".parse().expect("a value");
                let headers =
                    HeaderMap::from_iter([("x-ms-request-id".parse().expect("a name"), id)]);
                return Ok(Response::new(StatusCode::CREATED, headers, bytes::Bytes::new()));
            }
        }
        let is_note = text("x-ms-meta-blobcopy_mirror_done").is_some_and(|done| done != "0");
        let dies = self.dies.filter(|_| is_note);
        if dies.is_some() {
            self.seen.lock().expect("no panic").is_dead = true;
        }
        match dies {
            None => self.sim.send(request).await,
            Some(false) => dead(),
            Some(true) => {
                drop(self.sim.send(request).await);
                dead()
            }
        }
    }
}

impl Transport for Zeros {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.pass(request))
    }

    fn clock(&self) -> Option<Clock> {
        self.sim.clock()
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_ends_at_one_gib_and_no_more_than_that_is_written_again() {
    for is_noted in [true, false] {
        let world = World::new().await;
        let disk = world.disk();
        disk.resize(3 * GIB).await.expect("resized");
        world.grow(0).await;
        world.mirror().route(MirrorRoute::Ranges).run().await.expect("mirrored");
        for (number, (start, end)) in REALLY.into_iter().enumerate() {
            let length = usize::try_from(end - start).expect("small");
            let content = vec![u8::try_from(number + 5).expect("small"); length];
            disk.upload_pages(start, content).await.expect("written");
        }
        disk.create_snapshot().await.expect("taken");

        let dying = Zeros::new(&world.sim, Some(is_noted));
        world.through(dying.clone()).run().await.expect_err("it dies");
        let found = world.backup().get_properties().await.expect("there").metadata;
        let done = if is_noted { GIB } else { 0 };
        assert_eq!(found.get("blobcopy_mirror_done"), Some(done.to_string().as_str()));
        let first = dying.copied();
        assert!(first.iter().all(|(_, end)| *end <= GIB), "{:?}", first.iter().max());

        let living = Zeros::new(&world.sim, None);
        let report = world.through(living.clone()).take_lock().run().await.expect("it goes on");
        assert!(report.hops[0].resumed && !report.hops[0].whole);
        let second = living.copied();
        assert!(second.iter().all(|(start, _)| *start >= done), "{:?}", second.iter().min());
        let bytes =
            |ranges: &[(u64, u64)]| ranges.iter().map(|(start, end)| end - start).sum::<u64>();
        let again = bytes(&first) + bytes(&second) - CHANGED;
        assert_eq!(again, GIB - done, "at most a window");

        let chain = world.mirror().chain().await.expect("listed");
        let newest = chain.newest().expect("a copy");
        let id: blobcopy::SnapshotId =
            newest.equals.clone().expect("known").parse().expect("an id");
        let (source, copy) = (disk.with_snapshot(&id), newest.client(&world.backup()));
        for (start, end) in REALLY {
            let near = start - 2 * KIB..end + 2 * KIB;
            let read = async |blob: &PageBlobClient| {
                let part = blob.download().range(near.clone()).await.expect("opened");
                part.bytes().await.expect("read")
            };
            assert!(read(&source).await == read(&copy).await, "{near:?} differs");
        }
    }
}
