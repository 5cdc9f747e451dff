//! A disk with snapshots, its mirror, and a connection that breaks on purpose.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use ::blobcopy as face;
use blobcopy_simulator::{Op, Simulator, SimulatorTransport};
use face::transport::Transport as _;
use futures_util::TryStreamExt;
use time::{OffsetDateTime, macros::datetime};

use crate::{
    BlobContainerClient, BlobInclude, BlobServiceClient, ClientOptions, Clock, PageBlobClient,
    RetryOptions, SnapshotId,
    disks::{
        MirrorError, SourceSnapshot,
        hop::{Hold, Hop, HopProgress, Sealed},
        lineage::{Lineage, Point},
        source::{Opened, snapshots_of},
    },
    transport::{
        Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind as Kind,
    },
};

const START: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

pub(super) const KIB: u64 = 1 << 10;
pub(super) const MIB: u64 = 1 << 20;

/// How a run ends, as if its process were killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Before the request is sent.
    Unsent,
    /// After it is applied and before it is answered.
    Applied,
    /// While it is on its way: it is applied so many seconds later.
    Late(u64),
}

/// A connection to the simulator. The simulator's types are those of the library as others see it,
/// so each request passes from one build of the crate to the other.
#[derive(Debug, Clone)]
struct Door {
    sim: Simulator,
    inner: SimulatorTransport,
    run: Arc<Mutex<Run>>,
}

/// The requests of a run, and the one at which it is cut off.
#[derive(Debug, Default)]
struct Run {
    sent: u64,
    cut: Option<(u64, Cut)>,
    /// Requests take so many milliseconds at most.
    latency: u64,
}

impl Door {
    async fn pass(&self, request: Request) -> Result<Response, TransportError> {
        let dead = || TransportError::with_message(Kind::Unusable, "the process is dead");
        let (cut, latency) = {
            let mut run = self.run.lock().expect("no test panics while it holds it");
            run.sent += 1;
            let cut = match run.cut {
                Some((last, _)) if run.sent > last => return Err(dead()),
                Some((last, cut)) if run.sent == last => Some(cut),
                _ => None,
            };
            (cut, fastrand::u64(0..=run.latency))
        };
        wait(Duration::from_millis(latency)).await;
        match cut {
            Some(Cut::Unsent) => return Err(dead()),
            Some(Cut::Late(seconds)) => {
                let rule = self.sim.faults().on_any().times(1);
                let _ = rule.land_late(Duration::from_secs(seconds));
            }
            Some(Cut::Applied) | None => {}
        }
        let (method, url, headers, body) = request.into_parts();
        let answered = self.inner.send(face::transport::Request::new(method, url, headers, body));
        let answered = answered.await;
        if cut.is_some() {
            return Err(dead());
        }
        let broken = |error: face::transport::TransportError| {
            TransportError::with_message(Kind::Interrupted, error.to_string())
        };
        let (status, headers, body) = answered.map_err(broken)?.into_parts();
        let pieces: Vec<_> = body.try_collect().await.map_err(broken)?;
        Ok(Response::new(status, headers, Body::from(bytes::Bytes::from(pieces.concat()))))
    }
}

impl Transport for Door {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(self.pass(request))
    }
}

/// A disk in one account, and its mirror in another.
#[derive(Debug)]
pub(super) struct World {
    pub(super) sim: Simulator,
    pub(super) disk: PageBlobClient,
    pub(super) backup: PageBlobClient,
    run: Arc<Mutex<Run>>,
    /// The same by the connection of the runs.
    cut_disk: PageBlobClient,
    cut_backup: PageBlobClient,
}

pub(super) const SOURCE: &str = "https://srcaccount.blob.core.windows.net/disks/disk.vhd";

impl World {
    /// A disk of this length, without a snapshot.
    pub(super) async fn new(length: u64) -> Self {
        let clock = face::Clock::starting_at(START);
        let sim = Simulator::builder()
            .account("srcaccount", "c2VjcmV0")
            .account("dstaccount", "c2VjcmV0")
            .clock(clock)
            .build();
        let run = Arc::<Mutex<Run>>::default();
        let container = |account: &str, run: &Arc<Mutex<Run>>| container(&sim, account, run);
        let (from, to) =
            (container("srcaccount", &Arc::default()), container("dstaccount", &Arc::default()));
        let (cut_from, cut_to) = (container("srcaccount", &run), container("dstaccount", &run));
        from.create().await.expect("created");
        to.create().await.expect("created");
        let disk = from.page_blob_client("disk.vhd");
        disk.create(length).content_type("application/x-vhd").await.expect("created");
        Self {
            disk,
            backup: to.page_blob_client("backup.vhd"),
            run,
            cut_disk: cut_from.page_blob_client("disk.vhd"),
            cut_backup: cut_to.page_blob_client("backup.vhd"),
            sim,
        }
    }

    /// A disk with data in all its windows, and its first snapshot, which is mirrored.
    pub(super) async fn mirrored(length: u64) -> (Self, SourceSnapshot) {
        let world = Self::new(length).await;
        for at in 0..16 {
            world.write(at * 32 * KIB, 20 * KIB, at).await;
        }
        let first = world.snapshot().await;
        world.carry(&first).await.expect("carried");
        (world, first)
    }

    /// Cuts the next run off at its `request`th request, from 1; `None` lets it run.
    pub(super) fn cut(&self, at: Option<(u64, Cut)>) {
        let mut run = self.run.lock().expect("no test panics while it holds it");
        (run.sent, run.cut) = (0, at);
    }

    /// Lets requests take time, so that late ones land among them.
    pub(super) fn slow_down(&self, milliseconds: u64) {
        self.run.lock().expect("no test panics while it holds it").latency = milliseconds;
    }

    pub(super) async fn write(&self, offset: u64, length: u64, seed: u64) {
        let content = bytes(seed, usize::try_from(length).expect("small"));
        self.disk.upload_pages(offset, content).await.expect("written");
    }

    pub(super) async fn snapshot(&self) -> SourceSnapshot {
        pass(1).await;
        self.disk.create_snapshot().await.expect("taken");
        self.snapshots().await.pop().expect("one")
    }

    /// The snapshots of the source, oldest first.
    pub(super) async fn snapshots(&self) -> Vec<SourceSnapshot> {
        snapshots_of(&self.disk).await.expect("listed")
    }

    /// The hop to `to`.
    pub(super) fn hop(&self, from: Option<&SourceSnapshot>, to: &SourceSnapshot) -> Hop {
        let opened = |at: &SourceSnapshot| Opened::of_blob(&self.cut_disk, at).expect("an id");
        Hop {
            destination: self.cut_backup.clone(),
            source: SOURCE.to_owned(),
            from: from.map(opened),
            to: opened(to),
            last: None,
            in_flight: 4,
            progress: Arc::<HopProgress>::default(),
            lock: None,
            hold: Arc::new(Hold::new().expect("an id")),
        }
    }

    /// Carries a hop as a run of its own.
    pub(super) async fn run(hop: Hop) -> Result<Sealed, MirrorError> {
        let hold = Arc::clone(&hop.hold);
        let sealed = super::super::carry(hop).await?;
        hold.release().await;
        Ok(sealed)
    }

    /// Carries the hop to `to`, from what the mirror has last.
    pub(super) async fn carry(&self, to: &SourceSnapshot) -> Result<Sealed, MirrorError> {
        let last = self.copies().await.pop().map(|(equals, _)| equals);
        let source = self.snapshots().await;
        let from = last.and_then(|last| source.into_iter().find(|at| last.is(at)));
        Self::run(self.hop(from.as_ref(), to)).await
    }

    /// The snapshots of the mirror, oldest first.
    pub(super) async fn copies(&self) -> Vec<(Point, SnapshotId)> {
        let listed = self.backup.list_snapshots().include([BlobInclude::Metadata]);
        let listed = listed.collect_all().await.expect("listed");
        let sealed = listed.into_iter().filter_map(|item| {
            Some((Lineage::read(&item.properties.metadata)?.into_sealed()?, item.snapshot))
        });
        sealed.collect()
    }

    /// The lineage of the mirror's base.
    pub(super) async fn lineage(&self) -> Lineage {
        let seen = self.backup.get_properties().await.expect("there");
        Lineage::read(&seen.metadata).expect("a lineage")
    }

    /// The mirror has these snapshots, each once and byte for byte, and no hop is under way.
    pub(super) async fn has(&self, snapshots: &[SourceSnapshot], context: &str) {
        let copies = self.copies().await;
        let found: Vec<_> = copies.iter().map(|(equals, _)| equals.id.clone()).collect();
        let expected: Vec<_> = snapshots.iter().map(|at| at.id.clone()).collect();
        assert_eq!(found, expected, "{context}");
        for ((_, copy), source) in copies.iter().zip(snapshots) {
            let id: SnapshotId = source.id.parse().expect("an id");
            let (source, copy) = (self.disk.with_snapshot(id), self.backup.with_snapshot(copy));
            is_same(&source, &copy, context).await;
        }
        let lineage = self.lineage().await;
        assert_eq!(lineage.hop, None, "{context}");
        assert_eq!(lineage.equals, snapshots.last().map(Point::from), "{context}");
    }

    pub(super) fn count(&self, op: Op) -> u64 {
        self.sim.count(op)
    }

    /// The bytes that the service was told to copy.
    pub(super) fn moved(&self) -> u64 {
        let copies = self.sim.requests().into_iter();
        let copies = copies.filter(|seen| seen.op() == Op::PutPageFromUrl);
        let length = |range: &str| -> Option<u64> {
            let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
            Some(last.parse::<u64>().ok()? + 1 - first.parse::<u64>().ok()?)
        };
        copies.map(|seen| seen.header("x-ms-range").and_then(length).expect("a range")).sum()
    }
}

/// Both have the same length, content and ranges.
pub(super) async fn is_same(a: &PageBlobClient, b: &PageBlobClient, context: &str) {
    assert_eq!(ranges(a).await, ranges(b).await, "{context}");
    let (a, b) = (content(a).await, content(b).await);
    assert_eq!(a.len(), b.len(), "{context}");
    let differs = a.iter().zip(&b).position(|(a, b)| a != b);
    assert_eq!(differs, None, "{context}");
}

async fn ranges(disk: &PageBlobClient) -> Vec<(u64, u64)> {
    let mut joined = Vec::<(u64, u64)>::new();
    for range in disk.get_page_ranges().collect_all().await.expect("listed").ranges {
        match joined.last_mut() {
            Some(last) if last.1 == range.start => last.1 = range.end,
            _ => joined.push((range.start, range.end)),
        }
    }
    joined
}

pub(super) async fn content(disk: &PageBlobClient) -> bytes::Bytes {
    disk.download().await.expect("opened").bytes().await.expect("read")
}

fn container(sim: &Simulator, account: &str, run: &Arc<Mutex<Run>>) -> BlobContainerClient {
    let door = Door { sim: sim.clone(), inner: sim.transport(), run: Arc::clone(run) };
    let options = ClientOptions::new().transport(door).clock(Clock::starting_at(START));
    let options = options.retry(RetryOptions::new());
    let text = sim.connection_string_of(account).expect("an account");
    let builder = BlobServiceClient::builder_from_connection_string(&text).expect("legal");
    let service = builder.options(options).build().expect("a client");
    service.container_client("disks")
}

/// Lets paused time pass, and what is late arrive.
pub(super) async fn pass(seconds: u64) {
    wait(Duration::from_secs(seconds)).await;
}

#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
pub(super) async fn wait(span: Duration) {
    let nothing = std::future::pending::<()>();
    assert!(tokio::time::timeout(span, nothing).await.is_err());
}

/// Content that does not repeat.
pub(super) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut content = vec![0; length];
    fastrand::Rng::with_seed(seed).fill(&mut content);
    content
}
