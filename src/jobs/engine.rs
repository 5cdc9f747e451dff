//! The engine of a run: the join feeds a bounded number of blobs in flight.

use std::{
    collections::{HashSet, VecDeque},
    future::poll_fn,
    hash::{BuildHasher, RandomState},
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};

use futures_util::{StreamExt, stream::FuturesUnordered};
use tracing::Instrument;

use super::{
    CopyJob, JobEvent, Outcome,
    attempt::{self, Done, ended},
    content,
    decide::{Decision, untouchable},
    event::{Finished, Progress},
    extra::Extra,
    feed::rest,
    join::{Join, Joined},
    stopwatch::Stopwatch,
    tally::Tally,
    task::{Shared, Task},
    trace,
};
use crate::{BlobItem, ErrorCode, Result, transport::BoxFuture, wire::redaction::redact};

/// How often progress is told.
const BETWEEN_PROGRESS: Duration = Duration::from_millis(100);

/// A run that is under way. [`next`](Self::next) drives it from one event to the next.
///
/// All of it is one future: dropping it stops everything, and no blob is kept after its events.
pub(crate) struct Engine {
    job: CopyJob,
    shared: Arc<Shared>,
    join: Join,
    working: FuturesUnordered<BoxFuture<'static, Done>>,
    events: VecDeque<JobEvent>,
    tally: Tally,
    extra: Vec<Extra>,
    extra_count: u64,
    phase: Phase,
    watch: Stopwatch,
    told: Option<Duration>,
    /// The blobs and bytes that a plan foresees.
    planned: Option<(u64, u64)>,
    pages: u64,
    /// The name of the last blob of the source that was taken on.
    last: String,
    /// Up to this name the source was taken on before its listing began again.
    skip_until: Option<String>,
    /// Hashes of the names that a move has begun in the order of the listings. If it turns out that
    /// they have none, and all is listed again, these are at the destination alone.
    begun: HashSet<u64>,
    hasher: RandomState,
    has_created: bool,
    span: tracing::Span,
    /// The requests and retries of its budgets when it began.
    sent_before: (u64, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Copying,
    /// All pairs are known.
    Finishing,
    Deleting,
    Ended,
}

enum Step {
    Pair(Joined),
    AllListed,
    Done(Done),
    /// A page has come.
    Listed,
    Idle,
}

impl Engine {
    pub(crate) fn new(job: CopyJob, planned: Option<(u64, u64)>) -> Result<Self> {
        let shared = Arc::new(job.shared());
        job.check_safety(&shared)?;
        let (source, destination) = job.listings(&shared, job.create);
        Ok(Self {
            join: Join::new(source, destination),
            working: FuturesUnordered::new(),
            events: VecDeque::new(),
            tally: Tally::default(),
            extra: Vec::new(),
            extra_count: 0,
            phase: Phase::Copying,
            watch: Stopwatch::start(),
            told: None,
            planned,
            pages: 0,
            last: String::new(),
            skip_until: None,
            begun: HashSet::new(),
            hasher: RandomState::new(),
            has_created: false,
            span: trace::job(&job, &shared),
            sent_before: shared.sent(),
            job,
            shared,
        })
    }

    /// The next event; `None` after the last.
    pub(crate) async fn next(&mut self) -> Result<Option<JobEvent>> {
        loop {
            if let Some(event) = self.events.pop_front() {
                return Ok(Some(event));
            }
            if self.phase == Phase::Ended {
                return Ok(None);
            }
            match poll_fn(|cx| self.poll_step(cx)).await? {
                Step::Pair(pair) => self.take_on(pair).await?,
                Step::Done(done) => self.done(done),
                Step::Listed => self.tell_listed(),
                Step::AllListed => {
                    self.phase = Phase::Finishing;
                    self.tell_listed();
                }
                Step::Idle if self.skip_until.take().is_some() => self.begin_again(),
                Step::Idle => self.finish(),
            }
        }
    }

    fn poll_step(&mut self, cx: &mut Context<'_>) -> Poll<Result<Step>> {
        let _within = self.span.clone().entered();
        if self.phase == Phase::Copying {
            self.join.poll_ahead(cx)?;
            if self.pages != self.join.source().pages_read {
                self.pages = self.join.source().pages_read;
                return Poll::Ready(Ok(Step::Listed));
            }
        }
        if let Poll::Ready(Some(done)) = self.working.poll_next_unpin(cx) {
            return Poll::Ready(Ok(Step::Done(done)));
        }
        if self.working.len() < self.job.concurrency {
            match self.phase {
                Phase::Copying => {
                    if let Poll::Ready(pair) = self.join.poll_next(cx)? {
                        return Poll::Ready(Ok(pair.map_or(Step::AllListed, Step::Pair)));
                    }
                }
                Phase::Deleting => {
                    if let Some(extra) = self.extra.pop() {
                        let shared = Arc::clone(&self.shared);
                        self.working.push(Box::pin(extra.delete(shared)));
                        // Polled now, so that its wake-up is not missed.
                        cx.waker().wake_by_ref();
                        return Poll::Pending;
                    }
                }
                Phase::Finishing | Phase::Ended => {}
            }
        }
        match self.working.is_empty() && self.phase != Phase::Copying {
            true => Poll::Ready(Ok(Step::Idle)),
            false => Poll::Pending,
        }
    }

    /// Takes on a pair of the join.
    async fn take_on(&mut self, pair: Joined) -> Result<()> {
        match pair {
            Joined::Source(item, existing) => {
                if let Some(until) = &self.skip_until {
                    if *until == item.name {
                        self.skip_until = None;
                    }
                    return Ok(());
                }
                self.last.clear();
                self.last.push_str(&item.name);
                self.consider(item, existing).await
            }
            Joined::Extra(item) => {
                self.take_on_extra(&item);
                Ok(())
            }
            Joined::Reordered => {
                self.extra.clear();
                self.extra_count = 0;
                self.tally.forget_listed();
                let last = std::mem::take(&mut self.last);
                self.skip_until = (!last.is_empty()).then_some(last);
                Ok(())
            }
        }
    }

    async fn consider(
        &mut self,
        item: Box<BlobItem>,
        existing: Option<Box<BlobItem>>,
    ) -> Result<()> {
        let (task, decision) = self.shared.consider(item, existing);
        match decision {
            Decision::Leave(outcome) => self.done(ended(&task, outcome, None, None)),
            Decision::Compare => {
                let span = trace::blob(&self.span, &task);
                self.working.push(Box::pin(content::compared(task).instrument(span)));
            }
            Decision::Copy => {
                if self.join.destination().is_missing && !self.has_created {
                    self.create().await?;
                }
                self.start(task);
            }
        }
        Ok(())
    }

    /// Creates the destination's container. Another run may have done so meanwhile.
    async fn create(&mut self) -> Result<()> {
        self.has_created = true;
        match self.shared.to.create().await {
            Err(error) if error.code() != Some(&ErrorCode::ContainerAlreadyExists) => Err(error),
            _ => Ok(()),
        }
    }

    fn start(&mut self, task: Task) {
        if self.shared.settings.moves && !self.join.is_indexed() {
            let name = rest(self.join.source_prefix(), &task.item.name);
            self.begun.insert(self.hasher.hash_one(name));
        }
        self.events.push_back(JobEvent::Started {
            name: redact(&task.item.name).into_owned(),
            route: task.route,
            bytes: task.item.properties.content_length,
        });
        let span = trace::blob(&self.span, &task);
        self.working.push(Box::pin(attempt::copy(task).instrument(span)));
    }

    fn take_on_extra(&mut self, item: &BlobItem) {
        let name = rest(self.join.destination_prefix(), &item.name);
        if self.join.is_indexed() && self.begun.contains(&self.hasher.hash_one(name)) {
            return;
        }
        if let Some(why) = untouchable(item) {
            return self.finish_extra(&item.name, Outcome::Skipped(why));
        }
        self.extra_count += 1;
        match self.job.delete_extra {
            Some(max) if self.extra_count <= max => self.extra.push(Extra::of(item)),
            // More than are allowed: none is deleted.
            Some(_) => {
                for extra in std::mem::take(&mut self.extra) {
                    self.finish_extra(extra.name(), Outcome::Extra);
                }
                self.finish_extra(&item.name, Outcome::Extra);
            }
            None => self.finish_extra(&item.name, Outcome::Extra),
        }
    }

    fn finish_extra(&mut self, name: &str, outcome: Outcome) {
        let finished = Finished {
            name: redact(name).into_owned(),
            outcome,
            route: None,
            bytes: 0,
            changed_metadata: Vec::new(),
            tier_not_kept: None,
            receipt: None,
            left_behind: None,
        };
        trace::finished(&self.span, &finished);
        self.tally.count_extra(outcome);
        self.events.push_back(JobEvent::Finished(finished));
    }

    fn done(&mut self, done: Done) {
        let Done { finished, length, failure } = done;
        match self.phase {
            // No blob of the source.
            Phase::Deleting => self.tally.count_extra(finished.outcome),
            _ => self.tally.count(&finished, length),
        }
        trace::finished(&self.span, &finished);
        self.events.push_back(JobEvent::Finished(finished));
        if let Some(failure) = failure {
            trace::failed(&self.span, &failure);
            self.tally.fail(&failure);
            self.events.push_back(JobEvent::Failed(*failure));
        }
        let now = self.watch.elapsed();
        if self.told.is_none_or(|told| now >= told + BETWEEN_PROGRESS) {
            self.told = Some(now);
            self.tell_progress(now);
        }
    }

    fn tell_progress(&mut self, now: Duration) {
        let source = self.join.source();
        let is_complete = source.is_complete() || self.planned.is_some();
        let planned = self.planned.unwrap_or_default();
        let all = (source.blobs.max(planned.0), source.bytes.max(planned.1));
        let done = (self.tally.blobs, self.tally.bytes);
        self.events.push_back(JobEvent::Progress(Progress::new(done, all, is_complete, now)));
    }

    fn tell_listed(&mut self) {
        let source = self.join.source();
        self.events.push_back(JobEvent::Listed {
            blobs: source.blobs,
            bytes: source.bytes,
            is_complete: source.is_complete(),
        });
    }

    /// The blob up to which all was done is gone, so what came after it has been skipped. All is
    /// listed again, now that nothing is in flight: no blob is worked on twice at once.
    fn begin_again(&mut self) {
        self.extra.clear();
        self.extra_count = 0;
        self.tally.forget_listed();
        self.join.restart();
        self.phase = Phase::Copying;
    }

    /// Everything in flight has ended.
    fn finish(&mut self) {
        if self.phase == Phase::Finishing && !self.extra.is_empty() {
            self.phase = Phase::Deleting;
            return;
        }
        self.phase = Phase::Ended;
        let now = self.watch.elapsed();
        self.tell_progress(now);
        let source = self.join.source();
        let mut report = std::mem::take(&mut self.tally.report);
        report.job = self.job.fingerprint().ok();
        report.shard = self.job.part().cloned();
        let (requests, retries) = self.shared.sent();
        report.requests = requests - self.sent_before.0;
        report.retries = retries - self.sent_before.1;
        report.elapsed = now;
        report.not_kept = source.not_kept;
        report.index_bytes = self.join.index_bytes();
        trace::ended(&self.span, &report);
        self.events.push_back(JobEvent::Ended(Box::new(report)));
    }
}
