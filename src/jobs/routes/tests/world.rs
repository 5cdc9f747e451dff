//! Two accounts of a simulator, and a connection that breaks on purpose.

use std::{
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use ::blobcopy as face;
use blobcopy_simulator::{Op, SeenRequest, Simulator, SimulatorTransport};
use face::transport::Transport as _;
use futures_util::TryStreamExt;
use time::{OffsetDateTime, macros::datetime};

use crate::{
    BlobContainerClient, BlobInclude, BlobItem, BlobServiceClient, ClientOptions, Clock,
    jobs::{
        Route,
        task::{Settings, Shared, Task},
    },
    transport::{
        Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind as Kind,
    },
};

const START: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// How a run ends, as if its process were killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cut {
    /// Before the request is sent.
    Unsent,
    /// After it is applied and before it is answered.
    Applied,
    /// While it is on its way: it is applied a minute later.
    Late,
}

pub(super) const CUTS: [Cut; 3] = [Cut::Unsent, Cut::Applied, Cut::Late];

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
}

impl Door {
    async fn pass(&self, request: Request) -> Result<Response, TransportError> {
        let dead = || TransportError::with_message(Kind::Unusable, "the process is dead");
        let cut = {
            let mut run = self.run.lock().expect("no test panics while it holds it");
            run.sent += 1;
            match run.cut {
                Some((last, _)) if run.sent > last => return Err(dead()),
                Some((last, cut)) if run.sent == last => Some(cut),
                _ => None,
            }
        };
        match cut {
            Some(Cut::Unsent) => return Err(dead()),
            Some(Cut::Late) => {
                let _ = self.sim.faults().on_any().times(1).land_late(Duration::from_secs(60));
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

/// A container in each of two accounts.
#[derive(Debug)]
pub(super) struct World {
    pub(super) sim: Simulator,
    /// The containers, by connections that do not break.
    pub(super) from: BlobContainerClient,
    pub(super) to: BlobContainerClient,
    run: Arc<Mutex<Run>>,
    /// The same containers by the connection of the runs.
    shared: (BlobContainerClient, BlobContainerClient),
}

impl World {
    pub(super) async fn new() -> Self {
        let clock = face::Clock::starting_at(START);
        let sim = Simulator::builder()
            .account("srcaccount", "c2VjcmV0")
            .account("dstaccount", "c2VjcmV0")
            .clock(clock)
            .build();
        let run = Arc::<Mutex<Run>>::default();
        let whole = [
            client(&sim, "srcaccount", &Arc::default()),
            client(&sim, "dstaccount", &Arc::default()),
        ];
        let cut = [client(&sim, "srcaccount", &run), client(&sim, "dstaccount", &run)];
        let [from, to] = whole.map(|service| service.container_client("disks"));
        let [cut_from, cut_to] = cut.map(|service| service.container_client("disks"));
        from.create().await.expect("created");
        to.create().await.expect("created");
        Self { sim, from, to, run, shared: (cut_from, cut_to) }
    }

    /// Cuts the next run off at its `request`th request, from 1; `None` lets it run.
    pub(super) fn cut(&self, at: Option<(u64, Cut)>) {
        *self.run.lock().expect("no test panics while it holds it") = Run { sent: 0, cut: at };
    }

    /// The requests of the run so far.
    pub(super) fn sent(&self) -> u64 {
        self.run.lock().expect("no test panics while it holds it").sent
    }

    /// The task for a blob, from both listings.
    pub(super) async fn task(&self, name: &str, settings: Settings) -> Task {
        let item = listed(&self.from, name).await.expect("the source is listed");
        let existing = listed(&self.to, name).await;
        let (from, to) = self.shared.clone();
        let shared = Arc::new(Shared { from, to, settings });
        // The tests call the route that they mean.
        let route = Route::BlocksFromUrl;
        let (of_blob, written_by) = (OnceLock::new(), OnceLock::new());
        Task { item, name: name.to_owned(), existing, route, shared, of_blob, written_by }
    }

    /// The requests for an operation that the service has applied or refused.
    pub(super) fn seen(&self, op: Op) -> Vec<SeenRequest> {
        self.sim.requests().into_iter().filter(|request| request.op() == op).collect()
    }

    /// How many snapshots the source has.
    pub(super) async fn snapshots(&self, name: &str) -> usize {
        let listed = self.from.blob_client(name).list_snapshots().collect_all().await;
        listed.expect("listed").len()
    }
}

fn client(sim: &Simulator, account: &str, run: &Arc<Mutex<Run>>) -> BlobServiceClient {
    let door = Door { sim: sim.clone(), inner: sim.transport(), run: Arc::clone(run) };
    let options = ClientOptions::new().transport(door).clock(Clock::starting_at(START));
    let text = sim.connection_string_of(account).expect("an account");
    let builder = BlobServiceClient::builder_from_connection_string(&text).expect("legal");
    builder.options(options).build().expect("a client")
}

async fn listed(container: &BlobContainerClient, name: &str) -> Option<Box<BlobItem>> {
    let include = [BlobInclude::Metadata, BlobInclude::Tags, BlobInclude::Copy];
    let all = container.list_blobs().prefix(name).include(include).collect_all().await;
    all.expect("listed").into_iter().find(|item| item.name == name).map(Box::new)
}

/// The whole content of a blob.
pub(super) async fn content(container: &BlobContainerClient, name: &str) -> bytes::Bytes {
    let opened = container.blob_client(name).download().await.expect("opened");
    opened.bytes().await.expect("read")
}

/// Lets paused time pass, and what is late arrive.
#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
pub(super) async fn pass(seconds: u64) {
    let nothing = std::future::pending::<()>();
    assert!(tokio::time::timeout(Duration::from_secs(seconds), nothing).await.is_err());
}

/// Content that does not repeat.
pub(super) fn bytes(seed: u64, length: usize) -> Vec<u8> {
    let mut content = vec![0; length];
    fastrand::Rng::with_seed(seed).fill(&mut content);
    content
}
