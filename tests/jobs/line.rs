//! The network between one process and the service: it takes time, and can be cut at any step.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use blobcopy::{
    Clock,
    transport::{BoxFuture, Request, Response, Transport, TransportError},
};
use blobcopy_simulator::SimulatorTransport;
use bytes::Bytes;
use fastrand::Rng;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use tokio::{sync::Notify, task::JoinHandle};

/// The way of the requests of one process.
#[derive(Debug, Clone)]
pub(super) struct Line {
    sim: SimulatorTransport,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rng: Mutex<Rng>,
    /// How far all requests have come: each is sent, arrives, is answered, and has its answer.
    steps: AtomicU64,
    cut_at: u64,
    cut: Notify,
    /// The longest time that a request, or its answer, is under way.
    way: Duration,
    /// How many of a thousand answers come from something between client and service.
    gateway: u32,
    book: Arc<Book>,
}

/// What the lines of all processes have carried.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// The copies, whole or in part, of which a client knows that they are done.
    done: Mutex<BTreeSet<String>>,
    /// Those that were sent again nevertheless.
    repeated: Mutex<Vec<String>>,
    /// Requests that arrive when their sender is dead.
    late: Mutex<Vec<JoinHandle<()>>>,
}

impl Line {
    pub(super) fn new(sim: &blobcopy_simulator::Simulator, seed: u64, book: &Arc<Book>) -> Self {
        let inner = Inner {
            rng: Mutex::new(Rng::with_seed(seed)),
            steps: AtomicU64::default(),
            cut_at: u64::MAX,
            cut: Notify::new(),
            way: Duration::from_millis(20),
            gateway: 0,
            book: book.clone(),
        };
        Self { sim: sim.transport(), inner: Arc::new(inner) }
    }

    /// Is cut when its requests have taken so many steps, four of which are a request.
    pub(super) fn cut_at(self, steps: u64) -> Self {
        self.with(|inner| inner.cut_at = steps.max(1))
    }

    pub(super) fn way(self, longest: Duration) -> Self {
        self.with(|inner| inner.way = longest)
    }

    /// So many of a thousand requests are answered by a gateway: before or after they are applied.
    pub(super) fn gateway(self, of_thousand: u32) -> Self {
        self.with(|inner| inner.gateway = of_thousand)
    }

    fn with(mut self, change: impl FnOnce(&mut Inner)) -> Self {
        change(Arc::get_mut(&mut self.inner).expect("no clone yet"));
        self
    }

    /// Waits until it is cut.
    pub(super) async fn cut(&self) {
        self.inner.cut.notified().await;
    }

    fn rng(&self) -> MutexGuard<'_, Rng> {
        self.inner.rng.lock().expect("no thread panics while it holds it")
    }

    /// One step of a request, the last where the line is cut.
    async fn step(&self) {
        if self.inner.steps.fetch_add(1, Ordering::Relaxed) + 1 >= self.inner.cut_at {
            self.inner.cut.notify_one();
            std::future::pending::<()>().await;
        }
    }

    async fn travel(&self) {
        let longest = u64::try_from(self.inner.way.as_millis()).expect("short");
        let time = self.rng().u64(..=longest);
        sleep(Duration::from_millis(time)).await;
    }
}

impl Transport for Line {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let copies = copies(&request);
            let mut under_way = UnderWay { request: Some(request), line: self.clone() };
            self.step().await;
            self.travel().await;
            self.step().await;
            let by_gateway = self.rng().u32(..1000) < self.inner.gateway;
            let after = by_gateway && self.rng().bool();
            if by_gateway && !after {
                let status = [404, 429, 502, 503][self.rng().usize(..4)];
                under_way.request = None;
                return Ok(page(status));
            }
            let request = under_way.request.take().expect("it is under way");
            if let Some(copies) = &copies {
                self.inner.book.sent(copies);
            }
            let answer = self.sim.send(request).await;
            self.step().await;
            self.travel().await;
            self.step().await;
            if after {
                return Ok(page(504));
            }
            let answer = answer?;
            if let Some(copies) = copies.filter(|_| answer.status().is_success()) {
                self.inner.book.answered(copies);
            }
            Ok(answer)
        })
    }

    fn clock(&self) -> Option<Clock> {
        self.sim.clock()
    }
}

impl Book {
    /// Waits until all has arrived.
    pub(super) async fn settle(&self) {
        loop {
            let late = self.late.lock().expect("no panic").pop();
            let Some(late) = late else { break };
            late.await.expect("an arrival does not panic");
        }
    }

    /// What was copied again although its success was known.
    pub(super) fn repeated(&self) -> Vec<String> {
        self.repeated.lock().expect("no panic").clone()
    }

    fn sent(&self, copies: &str) {
        if self.done.lock().expect("no panic").contains(copies) {
            self.repeated.lock().expect("no panic").push(copies.to_owned());
        }
    }

    fn answered(&self, copies: String) {
        self.done.lock().expect("no panic").insert(copies);
    }
}

/// A request that has not arrived. If its sender dies, it arrives late or not at all.
struct UnderWay {
    request: Option<Request>,
    line: Line,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Some(request) = self.request.take().filter(may_be_late) else { return };
        if self.line.rng().bool() {
            return;
        }
        let delay = Duration::from_millis(self.line.rng().u64(..20_000));
        let sim = self.line.sim.clone();
        let arrival = tokio::spawn(async move {
            sleep(delay).await;
            let _ = sim.send(request).await;
        });
        self.line.inner.book.late.lock().expect("no panic").push(arrival);
    }
}

/// Of a snapshot or scratch that comes when all is over no later run can know.
fn may_be_late(request: &Request) -> bool {
    let query = request.url().query().unwrap_or_default();
    let is_snapshot = request.method() == Method::PUT && query.contains("comp=snapshot");
    !is_snapshot && !is_scratch(request)
}

fn is_scratch(request: &Request) -> bool {
    request.url().path().contains(".blobcopy-verify-")
}

/// What a request copies, if it copies anything.
fn copies(request: &Request) -> Option<String> {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    text("x-ms-copy-source").filter(|_| !is_scratch(request))?;
    let range = text("x-ms-range").or(text("x-ms-source-range")).unwrap_or_default();
    let url = request.url();
    Some(format!("{}?{} {range}", url.path(), url.query().unwrap_or_default()))
}

/// An answer of something between client and service.
fn page(status: u16) -> Response {
    let html = (header::CONTENT_TYPE, HeaderValue::from_static("text/html"));
    Response::new(
        StatusCode::from_u16(status).expect("a status"),
        HeaderMap::from_iter([html]),
        Bytes::from_static(b"<html><body>Not today.</body></html>"),
    )
}

/// Lets paused time pass.
#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
pub(super) async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}
