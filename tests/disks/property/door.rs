//! The network between one run and the service: it takes time, and tears the run at one request.

use std::{
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use blobcopy::{
    Clock,
    transport::{
        BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind as Kind,
    },
};
use blobcopy_simulator::{ManagedDisk, Simulator, SimulatorTransport};
use fastrand::Rng;
use time::OffsetDateTime;
use tokio::{sync::Notify, task::JoinHandle};

/// What happens at one request of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tear {
    /// The run is killed, and the request never arrives.
    KilledBefore,
    /// The run is killed once the request is applied.
    KilledAfter,
    /// The run is killed, and the request arrives so much later.
    KilledLate(Duration),
    /// The run stands still for so long, and then goes on, whatever others have done meanwhile.
    Frozen(Duration),
    /// From then on nothing comes through: requests or their answers are lost.
    CutOff,
    /// This request is lost, and the client knows.
    Reset,
    /// The answer is lost.
    LostAnswer,
    /// The request seems lost, and arrives so much later.
    Late(Duration),
    /// Somebody revokes all access to the snapshots of a managed disk.
    Revoked,
}

impl Tear {
    pub(super) fn random(rng: &mut Rng) -> Self {
        let late = delay(rng);
        let all = [
            Self::KilledBefore,
            Self::KilledAfter,
            Self::KilledAfter,
            Self::KilledLate(late),
            Self::KilledLate(late),
            Self::Frozen(late),
            Self::Frozen(late),
            Self::CutOff,
            Self::Reset,
            Self::LostAnswer,
            Self::LostAnswer,
            Self::Late(late),
            Self::Late(late),
            Self::Revoked,
        ];
        all[rng.usize(..all.len())]
    }
}

/// How late a request arrives: within the same run, in the next one, or hops later.
fn delay(rng: &mut Rng) -> Duration {
    let longest = [100, 2_000, 60_000, 400_000][rng.usize(..4)];
    Duration::from_millis(rng.u64(..longest))
}

/// The way of the requests of one run.
#[derive(Debug, Clone)]
pub(super) struct Door {
    sim: SimulatorTransport,
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    rng: Mutex<Rng>,
    tear: Option<(u64, Tear)>,
    requests: AtomicU64,
    is_cut: AtomicBool,
    cut: Notify,
    is_down: AtomicBool,
    /// Until when it stands still.
    thaws: Mutex<Option<OffsetDateTime>>,
    /// The longest time that a request, or its answer, is under way.
    way: Duration,
    disk: Option<ManagedDisk>,
    book: Arc<Book>,
}

/// What the doors of all runs have carried.
#[derive(Debug, Default)]
pub(super) struct Book {
    /// The bytes that the service has copied by Put Page From URL.
    pub(super) moved: AtomicU64,
    /// How many tears there were.
    pub(super) torn: AtomicU64,
    /// How often one snapshot too many was to be granted.
    pub(super) refused_grants: AtomicU64,
    late: Mutex<Vec<JoinHandle<()>>>,
}

impl Book {
    /// A run that stands still goes on.
    pub(super) fn alive(&self, run: JoinHandle<()>) {
        self.late.lock().expect("no panic").push(run);
    }

    /// Waits until all has arrived, and all runs have ended.
    pub(super) async fn settle(&self) {
        loop {
            let late = self.late.lock().expect("no panic").pop();
            let Some(late) = late else { break };
            late.await.expect("an arrival does not panic");
        }
    }
}

impl Door {
    pub(super) fn new(
        sim: &Simulator,
        seed: u64,
        way: Duration,
        disk: Option<&ManagedDisk>,
        tear: Option<(u64, Tear)>,
        book: &Arc<Book>,
    ) -> Self {
        let inner = Inner {
            rng: Mutex::new(Rng::with_seed(seed)),
            tear,
            requests: AtomicU64::new(0),
            is_cut: AtomicBool::new(false),
            cut: Notify::new(),
            is_down: AtomicBool::new(false),
            thaws: Mutex::default(),
            way,
            disk: disk.cloned(),
            book: book.clone(),
        };
        Self { sim: sim.transport(), inner: Arc::new(inner) }
    }

    /// Whether the run stands still, or did.
    pub(super) fn was_frozen(&self) -> bool {
        self.thaws().is_some()
    }

    fn thaws(&self) -> Option<OffsetDateTime> {
        *self.inner.thaws.lock().expect("no panic")
    }

    /// Waits until the run is killed, or stands still.
    pub(super) async fn killed(&self) {
        self.inner.cut.notified().await;
    }

    /// How many requests there were.
    pub(super) fn requests(&self) -> u64 {
        self.inner.requests.load(Ordering::Relaxed)
    }

    /// Whether the tear has come.
    pub(super) fn is_torn(&self) -> bool {
        self.inner.tear.is_some_and(|(at, _)| self.requests() >= at)
    }

    /// A call that is no request to the simulator: a grant, or giving one back. It is applied and
    /// answered, or fails, or is never answered. It never arrives late.
    pub(super) async fn pass<T>(&self, apply: impl FnOnce() -> T) -> Result<T, ()> {
        let tear = self.begin().await;
        self.travel().await;
        match tear {
            Some(Tear::KilledBefore | Tear::KilledLate(_)) => self.kill().await,
            Some(Tear::Reset | Tear::Late(_)) => return Err(()),
            _ => self.go_on_if_alive().await,
        }
        let is_down = self.inner.is_down.load(Ordering::Relaxed);
        if is_down && self.rng().bool() {
            return Err(());
        }
        let answer = apply();
        match tear {
            Some(Tear::KilledAfter) => self.kill().await,
            Some(Tear::LostAnswer) => return Err(()),
            _ if is_down => return Err(()),
            _ => {}
        }
        self.travel().await;
        self.go_on_if_alive().await;
        Ok(answer)
    }

    /// Counts a request, and says what happens to it.
    async fn begin(&self) -> Option<Tear> {
        self.go_on_if_alive().await;
        let number = self.inner.requests.fetch_add(1, Ordering::Relaxed) + 1;
        let (_, tear) = self.inner.tear.filter(|(at, _)| *at == number)?;
        self.inner.book.torn.fetch_add(1, Ordering::Relaxed);
        if tear == Tear::CutOff {
            self.inner.is_down.store(true, Ordering::Relaxed);
        }
        if let Tear::Frozen(time) = tear {
            *self.inner.thaws.lock().expect("no panic") = Some(self.now() + time);
            self.inner.cut.notify_one();
            sleep(time).await;
        }
        if let Some(disk) = self.inner.disk.as_ref().filter(|_| tear == Tear::Revoked) {
            disk.snapshots().iter().for_each(blobcopy_simulator::ManagedSnapshot::revoke);
        }
        Some(tear)
    }

    async fn kill(&self) {
        self.inner.is_cut.store(true, Ordering::Relaxed);
        self.inner.cut.notify_one();
        std::future::pending().await
    }

    async fn go_on_if_alive(&self) {
        if self.inner.is_cut.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
        let rest = self.thaws().map(|thaws| thaws - self.now());
        if let Some(rest) = rest.and_then(|rest| Duration::try_from(rest).ok()) {
            sleep(rest).await;
        }
    }

    fn now(&self) -> OffsetDateTime {
        self.sim.clock().expect("the simulator's").now()
    }

    fn rng(&self) -> MutexGuard<'_, Rng> {
        self.inner.rng.lock().expect("no thread panics while it holds it")
    }

    async fn travel(&self) {
        let longest = u64::try_from(self.inner.way.as_millis()).expect("short");
        let time = self.rng().u64(..=longest);
        sleep(Duration::from_millis(time)).await;
    }

    /// The request arrives after a while.
    fn land(&self, request: Request, delay: Duration) {
        let sim = self.sim.clone();
        let arrival = tokio::spawn(async move {
            sleep(delay).await;
            let _ = sim.send(request).await;
        });
        self.inner.book.late.lock().expect("no panic").push(arrival);
    }
}

impl Transport for Door {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let tear = self.begin().await;
            let mut under_way = UnderWay { request: Some(request), door: self.clone() };
            self.travel().await;
            if !self.inner.is_cut.load(Ordering::Relaxed) {
                self.go_on_if_alive().await;
            }
            if self.inner.is_cut.load(Ordering::Relaxed) {
                drop(under_way);
                std::future::pending::<()>().await;
                unreachable!("the run is dead");
            }
            let request = under_way.request.take().expect("it is under way");
            match tear {
                Some(Tear::KilledBefore) => self.kill().await,
                Some(Tear::KilledLate(delay)) => {
                    self.land(request, delay);
                    self.kill().await;
                    unreachable!("the run is dead");
                }
                Some(Tear::Reset) => return Err(lost(Kind::Interrupted)),
                Some(Tear::Late(delay)) => {
                    self.land(request, delay);
                    return Err(lost(Kind::Timeout));
                }
                _ => {}
            }
            let is_down = self.inner.is_down.load(Ordering::Relaxed);
            if is_down && self.rng().bool() {
                return Err(lost(Kind::Interrupted));
            }
            let moves = moves(&request);
            let answer = self.sim.send(request).await;
            if answer.as_ref().is_ok_and(|answer| answer.status().is_success()) {
                self.inner.book.moved.fetch_add(moves, Ordering::Relaxed);
            }
            match tear {
                Some(Tear::KilledAfter) => self.kill().await,
                Some(Tear::LostAnswer) => return Err(lost(Kind::Interrupted)),
                _ if is_down => return Err(lost(Kind::Interrupted)),
                _ => {}
            }
            self.travel().await;
            self.go_on_if_alive().await;
            answer
        })
    }

    fn clock(&self) -> Option<Clock> {
        self.sim.clock()
    }
}

/// A request that has not arrived. If its sender dies or gives up, it arrives late or not at all.
struct UnderWay {
    request: Option<Request>,
    door: Door,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        let Some(request) = self.request.take() else { return };
        let delay = {
            let mut rng = self.door.rng();
            rng.bool().then(|| delay(&mut rng))
        };
        // Not when the runtime itself ends.
        if let Some(delay) = delay.filter(|_| tokio::runtime::Handle::try_current().is_ok()) {
            self.door.land(request, delay);
        }
    }
}

/// The bytes that a request copies by Put Page From URL.
fn moves(request: &Request) -> u64 {
    let text = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
    let is_page = request.url().query().is_some_and(|query| query.contains("comp=page"));
    if !is_page || text("x-ms-copy-source").is_none() {
        return 0;
    }
    let range = text("x-ms-range").or(text("range")).and_then(|range| range.strip_prefix("bytes="));
    let (first, last) = range.and_then(|range| range.split_once('-')).expect("a range");
    let [first, last] = [first, last].map(|at| at.parse::<u64>().expect("a number"));
    last + 1 - first
}

fn lost(kind: Kind) -> TransportError {
    TransportError::with_message(kind, "the connection was broken, as the test has it")
}

/// Lets paused time pass.
#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
pub(super) async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}
