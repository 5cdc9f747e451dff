//! How many requests and bytes a second an account gets, from all workers of a process.

mod rate;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{sync::Mutex as Turn, time::Instant};

use self::rate::Rate;
use crate::wire::clock;

/// The default limit: what an account takes in most regions. See [Scalability and performance
/// targets](https://learn.microsoft.com/azure/storage/common/scalability-targets-standard-account).
const REQUESTS_PER_SECOND: u32 = 20_000;

/// What one blob takes. See [Scalability targets for Blob
/// Storage](https://learn.microsoft.com/azure/storage/blobs/scalability-targets).
const REQUESTS_PER_SECOND_OF_A_BLOB: u32 = 500;

const PATIENCE: Duration = Duration::from_secs(5 * 60);

/// The longest pause for all, whatever the service demands.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// How much of the time just past may be made up for, beside a nap: timers are no more exact.
const BURST: Duration = Duration::from_millis(20);

/// How much longer than it must the first in line waits, at most, so that the calls behind it go
/// with it: a client that wakes for each call takes more than twice the CPU time. The time is made
/// up for, so no call is lost.
const NAP: Duration = Duration::from_millis(10);

/// For how many calls it waits.
const TOGETHER_AT_MOST: u32 = 8;

/// How soon throttled responses for another blob show that the account is throttled, not one blob.
const TOGETHER: Duration = Duration::from_secs(1);

/// A budget of requests and bytes a second, shared by all clients that draw from it.
///
/// Give one budget to all clients of an account, in
/// [`ClientOptions::budget`](crate::ClientOptions::budget) or with
/// [`with_budget`](crate::BlobServiceClient::with_budget). Each attempt of a call then waits for
/// its turn, in the order of arrival. Clones share the budget.
///
/// When the service throttles (503 `ServerBusy`, 429, 500 `OperationTimedOut`, or
/// `CannotVerifyCopySource` because the copy's source was throttled), the rate is lowered for all
/// clients at once, and a `Retry-After` pauses all of them together. Then the rate rises again:
/// within seconds to the rate that was too high, and from there slowly.
///
/// A throttled attempt does not use up the retries of [`RetryOptions`](crate::RetryOptions): it is
/// repeated until the call has been throttled for the [`patience`](Self::patience), unless the
/// operation is not idempotent and may have been applied. From then on, the retries count.
///
/// Bytes are counted for request bodies; for the source ranges of operations that read from a URL,
/// or the length that their `source_length` declares; and for downloads, whose length is known only
/// when the response begins. Other bytes can be declared with [`spend_bytes`](Self::spend_bytes).
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// use blobcopy::jobs::Budget;
///
/// let budget = Budget::new().requests_per_second(2_000).bytes_per_second(100 << 20);
/// let vhds = service.container_client("vhds").with_budget(&budget);
/// vhds.list_blobs().collect_all().await?;
/// assert_eq!((budget.requests(), budget.throttled()), (1, 0));
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct Budget(Arc<Inner>);

struct Inner {
    state: Mutex<State>,
    /// Held by the call that waits for the next place: the others queue behind it.
    turn: Turn<()>,
    bytes_turn: Turn<()>,
    requests: AtomicU64,
    bytes: AtomicU64,
    throttled: AtomicU64,
    retries: AtomicU64,
    waited_micros: AtomicU64,
    /// The budget that this one also draws from, and this one's number there.
    parent: Option<(Budget, u64)>,
    children: AtomicU64,
}

#[derive(Debug)]
struct State {
    rate: Rate,
    bytes_per_second: Option<u64>,
    /// The limit of budgets for one blob that draw from this one.
    blob_requests_per_second: u32,
    patience: Duration,
    next: Place,
    next_bytes: Place,
    /// When a pause that the service demanded ends.
    paused_until: Option<Instant>,
    /// The child that was throttled last, and when.
    throttled_child: Option<(u64, Instant)>,
}

/// When the next unit may be taken.
#[derive(Debug, Default)]
struct Place(Option<Instant>);

/// The place of one attempt in a budget.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Permit {
    epoch: u64,
    parent_epoch: u64,
}

impl Budget {
    /// A budget of 20,000 requests a second, without a limit of bytes.
    pub fn new() -> Self {
        Self::with(REQUESTS_PER_SECOND, PATIENCE, None)
    }

    fn with(requests_per_second: u32, patience: Duration, parent: Option<(Self, u64)>) -> Self {
        let state = State {
            rate: Rate::new(f64::from(requests_per_second)),
            bytes_per_second: None,
            blob_requests_per_second: REQUESTS_PER_SECOND_OF_A_BLOB,
            patience,
            next: Place::default(),
            next_bytes: Place::default(),
            paused_until: None,
            throttled_child: None,
        };
        Self(Arc::new(Inner {
            state: Mutex::new(state),
            turn: Turn::default(),
            bytes_turn: Turn::default(),
            requests: AtomicU64::default(),
            bytes: AtomicU64::default(),
            throttled: AtomicU64::default(),
            retries: AtomicU64::default(),
            waited_micros: AtomicU64::default(),
            parent,
            children: AtomicU64::default(),
        }))
    }

    /// The most requests per second, by default 20,000; 0 counts as 1. Applies to all clones.
    ///
    /// The actual rate is lower after the service has throttled; see [`rate`](Self::rate).
    pub fn requests_per_second(self, limit: u32) -> Self {
        self.0.state().rate.set_most(f64::from(limit.max(1)));
        self
    }

    /// The most bytes per second, by default unlimited; 0 counts as 1. Applies to all clones.
    ///
    /// A call that needs more than is left waits until the bytes before it are paid for, so one
    /// call may exceed a second's bytes, and the next one waits longer.
    pub fn bytes_per_second(self, limit: u64) -> Self {
        self.0.state().bytes_per_second = Some(limit.max(1));
        self
    }

    /// The most requests per second to one blob, by default 500, what the service takes of most; 0
    /// counts as 1. Applies to budgets that [`for_one_blob`](Self::for_one_blob) makes from now on.
    ///
    /// Premium page blobs take more, by their size. A higher limit than the service's costs little:
    /// throttled responses lower the rate.
    ///
    /// ```
    /// use blobcopy::jobs::Budget;
    ///
    /// let premium = Budget::new().blob_requests_per_second(5_000);
    /// assert_eq!(premium.for_one_blob().rate(), 5_000.0);
    /// ```
    pub fn blob_requests_per_second(self, limit: u32) -> Self {
        self.0.state().blob_requests_per_second = limit.max(1);
        self
    }

    /// For how long throttled attempts of one call are repeated without using up its retries, by
    /// default 5 minutes. It is also the longest `Retry-After` that is honoured, up to an hour.
    /// Applies to all clones.
    ///
    /// ```
    /// use std::time::Duration;
    /// use blobcopy::jobs::Budget;
    ///
    /// let budget = Budget::new().patience(Duration::from_secs(3600));
    /// # let _ = budget;
    /// ```
    pub fn patience(self, limit: Duration) -> Self {
        self.0.state().patience = limit;
        self
    }

    /// A budget for the calls to one blob, which also count here: 500 requests a second, or
    /// [another limit](Self::blob_requests_per_second).
    ///
    /// The service limits the requests to one blob too. A throttled call lowers the rate of its
    /// blob; when calls to another blob are throttled within a second, it is the account that is
    /// busy, and the rate of the account is lowered too.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::Budget;
    ///
    /// let account = Budget::new();
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// disk.with_budget(&account.for_one_blob()).get_properties().await?;
    /// assert_eq!(account.requests(), 1);
    /// # Ok(()) });
    /// ```
    pub fn for_one_blob(&self) -> Self {
        let account = self.0.parent.as_ref().map_or(self, |(account, _)| account);
        let number = account.0.children.fetch_add(1, Relaxed);
        let patience = self.0.state().patience;
        let limit = account.0.state().blob_requests_per_second;
        Self::with(limit, patience, Some((account.clone(), number)))
    }

    /// Whether this is a clone of `other`, so that both count the same requests.
    ///
    /// ```
    /// use blobcopy::jobs::Budget;
    ///
    /// let budget = Budget::new();
    /// assert!(budget.is_same(&budget.clone()));
    /// assert!(!budget.is_same(&Budget::new()));
    /// ```
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Waits until `count` more bytes may be moved, and counts them.
    ///
    /// Await it before a call whose bytes the client cannot know, such as Put Blob From URL without
    /// a `source_length`.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::Budget;
    ///
    /// let budget = Budget::new().bytes_per_second(100 << 20);
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let copy = service.container_client("backups").block_blob_client("notes.txt");
    ///
    /// budget.spend_bytes(notes.get_properties().await?.content_length).await;
    /// copy.with_budget(&budget).upload_from_uri(&notes).await?;
    /// # Ok(()) });
    /// ```
    pub async fn spend_bytes(&self, count: u64) {
        if count == 0 {
            return;
        }
        self.0.spend_bytes(count).await;
        if let Some((account, _)) = &self.0.parent {
            account.0.spend_bytes(count).await;
        }
    }
}

/// # Counters
impl Budget {
    /// The attempts that were sent so far.
    pub fn requests(&self) -> u64 {
        self.0.requests.load(Relaxed)
    }

    /// How many of them repeated an attempt that had failed.
    pub fn retries(&self) -> u64 {
        self.0.retries.load(Relaxed)
    }

    /// The bytes that were counted so far.
    pub fn bytes(&self) -> u64 {
        self.0.bytes.load(Relaxed)
    }

    /// The attempts that the service throttled so far.
    pub fn throttled(&self) -> u64 {
        self.0.throttled.load(Relaxed)
    }

    /// How long calls have waited for this budget so far, all added up.
    pub fn waited(&self) -> Duration {
        Duration::from_micros(self.0.waited_micros.load(Relaxed))
    }

    /// The requests per second that are allowed at the moment.
    pub fn rate(&self) -> f64 {
        self.0.state().rate.at(clock::instant())
    }
}

/// What the pipeline does with it.
impl Budget {
    /// Counts an attempt that is repeated.
    pub(crate) fn retried(&self) {
        self.0.retries.fetch_add(1, Relaxed);
        if let Some((account, _)) = &self.0.parent {
            account.0.retries.fetch_add(1, Relaxed);
        }
    }

    /// Waits for the place of an attempt that moves so many bytes.
    pub(crate) async fn admit(&self, bytes: u64) -> Permit {
        self.spend_bytes(bytes).await;
        let epoch = self.0.place().await;
        let parent_epoch = match &self.0.parent {
            Some((account, _)) => account.0.place().await,
            None => 0,
        };
        Permit { epoch, parent_epoch }
    }

    /// Slows all down after a throttled response that may have demanded a pause.
    pub(crate) fn throttled_by_service(&self, permit: Permit, pause: Option<Duration>) {
        let now = clock::instant();
        let longest = self.time_for_throttled().min(LONGEST_PAUSE);
        let pause = pause.unwrap_or_default().min(longest);
        self.0.throttled.fetch_add(1, Relaxed);
        self.0.state().slow_down(permit.epoch, pause, now);
        if let Some((account, number)) = &self.0.parent {
            account.0.throttled.fetch_add(1, Relaxed);
            let mut account = account.0.state();
            let last = account.throttled_child.replace((*number, now));
            let is_account = |(child, at): (u64, Instant)| {
                child != *number && now.saturating_duration_since(at) < TOGETHER
            };
            if last.is_some_and(is_account) {
                account.slow_down(permit.parent_epoch, pause, now);
            }
        }
    }

    /// For how long the throttled attempts of one call are repeated.
    pub(crate) fn time_for_throttled(&self) -> Duration {
        self.0.state().patience
    }

    /// Counts bytes that move already: later calls wait for them.
    pub(crate) fn owe_bytes(&self, count: u64) {
        let now = clock::instant();
        self.0.owe_bytes(count, now);
        if let Some((account, _)) = &self.0.parent {
            account.0.owe_bytes(count, now);
        }
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for the next place, in the order of arrival. Returns the epoch of the rate.
    async fn place(&self) -> u64 {
        let taken = match self.turn.try_lock() {
            Ok(_turn) => self.state().take(clock::instant()).ok(),
            Err(_) => None,
        };
        let epoch = match taken {
            Some(epoch) => epoch,
            None => self.wait(&self.turn, State::take).await,
        };
        self.requests.fetch_add(1, Relaxed);
        epoch
    }

    /// Waits in line until `take` gets what it wants; it says when to try again.
    async fn wait<T>(
        &self,
        line: &Turn<()>,
        take: impl Fn(&mut State, Instant) -> Result<T, Instant>,
    ) -> T {
        let begun = clock::instant();
        let _turn = line.lock().await;
        loop {
            let now = clock::instant();
            let taken = take(&mut self.state(), now);
            match taken {
                Ok(taken) => {
                    let micros = now.saturating_duration_since(begun).as_micros();
                    let micros = u64::try_from(micros).unwrap_or(u64::MAX);
                    self.waited_micros.fetch_add(micros, Relaxed);
                    return taken;
                }
                Err(until) => clock::sleep(until.saturating_duration_since(now)).await,
            }
        }
    }

    async fn spend_bytes(&self, count: u64) {
        if self.state().bytes_per_second.is_some() {
            self.wait(&self.bytes_turn, |state, now| state.take_bytes(count, now)).await;
        }
        self.bytes.fetch_add(count, Relaxed);
    }

    fn owe_bytes(&self, count: u64, now: Instant) {
        let mut state = self.state();
        let cost = state.time_for_bytes(count);
        state.next_bytes.add(cost, BURST, now);
        self.bytes.fetch_add(count, Relaxed);
    }
}

impl State {
    /// Takes the place of one attempt, or says when to try again.
    fn take(&mut self, now: Instant) -> Result<u64, Instant> {
        if let Some(until) = self.paused_until.filter(|until| *until > now) {
            return Err(until);
        }
        let cost = Duration::from_secs_f64(1.0 / self.rate.at(now));
        let nap = nap(cost);
        self.next.take(cost, BURST + nap, now).map_err(|until| until + nap)?;
        Ok(self.rate.sends(now))
    }

    fn take_bytes(&mut self, count: u64, now: Instant) -> Result<(), Instant> {
        let cost = self.time_for_bytes(count);
        self.next_bytes.take(cost, BURST, now)
    }

    fn time_for_bytes(&self, count: u64) -> Duration {
        let Some(limit) = self.bytes_per_second else { return Duration::ZERO };
        let nanos = u128::from(count) * 1_000_000_000 / u128::from(limit);
        Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    fn slow_down(&mut self, epoch: u64, pause: Duration, now: Instant) {
        self.rate.lower(epoch, pause, now);
        self.next.not_before(now + pause);
        if !pause.is_zero() {
            let until = now + pause;
            self.paused_until = Some(self.paused_until.map_or(until, |other| other.max(until)));
        }
    }
}

/// How much longer the first in line waits if each place costs so much.
fn nap(cost: Duration) -> Duration {
    match cost > NAP / 2 {
        true => Duration::ZERO,
        false => NAP.min(cost * TOGETHER_AT_MOST),
    }
}

impl Place {
    /// Takes a place that costs so much time, if the places before it are paid for. Of the time
    /// just past, `burst` may be made up for.
    fn take(&mut self, cost: Duration, burst: Duration, now: Instant) -> Result<(), Instant> {
        match self.0.filter(|next| *next > now) {
            Some(next) => Err(next),
            None => {
                self.add(cost, burst, now);
                Ok(())
            }
        }
    }

    fn add(&mut self, cost: Duration, burst: Duration, now: Instant) {
        let earliest = now.checked_sub(burst).unwrap_or(now);
        let next = self.0.map_or(earliest, |next| next.max(earliest));
        self.0 = Some(next.checked_add(cost).unwrap_or(next));
    }

    fn not_before(&mut self, then: Instant) {
        self.0 = self.0.map(|next| next.max(then));
    }
}

impl Default for Budget {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Budget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Budget")
            .field("rate", &self.rate())
            .field("requests", &self.requests())
            .field("bytes", &self.bytes())
            .field("throttled", &self.throttled())
            .field("waited", &self.waited())
            .finish_non_exhaustive()
    }
}
