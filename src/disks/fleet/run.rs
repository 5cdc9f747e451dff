//! Running a fleet.

use std::{
    collections::VecDeque,
    fmt,
    pin::Pin,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_util::StreamExt;
use tokio::time::Instant;

use super::{
    super::MirrorError,
    FleetDisk, FleetEvent, FleetFailure, FleetReport, FleetStep, MirrorFleet,
    disk::{self, Outcome},
    feed::{self, Feed, Pool, Step, named},
};
use crate::{jobs::Budget, transport::BoxFuture, wire::clock};

/// Runs a fleet: returned by [`MirrorFleet::run`].
#[must_use = "nothing is sent until it is awaited"]
pub struct RunFleet<'a> {
    fleet: MirrorFleet,
    on_event: Option<OnEvent<'a>>,
}

type OnEvent<'a> = Box<dyn FnMut(&FleetEvent) + Send + 'a>;

impl<'a> RunFleet<'a> {
    pub(super) fn new(fleet: MirrorFleet) -> Self {
        Self { fleet, on_event: None }
    }

    /// Calls a function with each event, between two steps of the run: a slow function slows it
    /// down.
    pub fn on_event<'b>(self, on_event: impl FnMut(&FleetEvent) + Send + 'b) -> RunFleet<'b> {
        RunFleet { fleet: self.fleet, on_event: Some(Box::new(on_event)) }
    }

    /// The events of the run as a stream, which drives it. The last event is
    /// [`FleetEvent::Ended`] with the report. The stream ends after an error.
    ///
    /// ```
    /// use blobcopy::disks::{FleetEvent, MirrorFleet};
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// # let (vhds, backups) = (service.container_client("vhds"), service.container_client("backups"));
    /// # vhds.page_blob_client("disk0.vhd").create_snapshot().await?;
    /// let fleet = MirrorFleet::of_container(&vhds, "", &backups, "");
    /// let mut events = fleet.run().events();
    /// while let Some(event) = events.try_next().await? {
    ///     if let FleetEvent::Finished { outcome, .. } = event {
    ///         println!("{}: {} snapshots copied", outcome.destination, outcome.copied);
    ///     }
    /// }
    /// # Ok(()) });
    /// ```
    pub fn events(self) -> FleetEvents {
        FleetEvents(State::Idle(Box::new(self.fleet)))
    }

    async fn drive(mut self) -> Result<FleetReport, MirrorError> {
        let mut events = FleetEvents(State::Idle(Box::new(self.fleet)));
        let mut report = FleetReport::default();
        while let Some(event) = events.next().await {
            let event = event?;
            if let Some(tell) = &mut self.on_event {
                tell(&event);
            }
            if let FleetEvent::Ended(ended) = event {
                report = *ended;
            }
        }
        Ok(report)
    }
}

impl<'a> IntoFuture for RunFleet<'a> {
    type Output = Result<FleetReport, MirrorError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.drive())
    }
}

impl fmt::Debug for RunFleet<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunFleet").field("fleet", &self.fleet).finish_non_exhaustive()
    }
}

/// The events of a run: returned by [`RunFleet::events`].
#[must_use = "nothing is sent until it is read"]
pub struct FleetEvents(State);

enum State {
    Idle(Box<MirrorFleet>),
    Running(Box<Engine>),
    Ended,
}

impl Stream for FleetEvents {
    type Item = Result<FleetEvent, MirrorError>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if let State::Idle(fleet) = &self.0 {
            match Engine::new(fleet) {
                Ok(engine) => self.0 = State::Running(Box::new(engine)),
                Err(error) => {
                    self.0 = State::Ended;
                    return Poll::Ready(Some(Err(error)));
                }
            }
        }
        let State::Running(engine) = &mut self.0 else { return Poll::Ready(None) };
        let next = engine.poll_next(cx);
        if let Poll::Ready(None | Some(Err(_))) = next {
            self.0 = State::Ended;
        }
        next
    }
}

impl fmt::Debug for FleetEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FleetEvents").finish_non_exhaustive()
    }
}

/// What the disks at work have told and nobody has read yet.
#[derive(Debug, Clone, Default)]
pub(super) struct Told(Arc<Mutex<VecDeque<FleetEvent>>>);

impl Told {
    pub(super) fn push(&self, event: FleetEvent) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push_back(event);
    }

    fn pop(&self) -> Option<FleetEvent> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).pop_front()
    }
}

/// A run that is under way: all of it is one future, and dropping it stops everything.
struct Engine {
    pool: Pool<(u64, FleetDisk)>,
    told: Told,
    policy: Arc<disk::Policy>,
    begun: u64,
    report: FleetReport,
    /// The budgets that its requests draw from, with their requests and retries when it began.
    budgets: Vec<(Budget, u64, u64)>,
    since: Instant,
    has_ended: bool,
}

impl Engine {
    fn new(fleet: &MirrorFleet) -> Result<Self, MirrorError> {
        let settings = &fleet.settings;
        let budget = settings.budget.clone().unwrap_or_default();
        let feed = Feed::new(&fleet.origin, settings, &budget)?;
        Ok(Self {
            pool: Pool::new(feed, settings.concurrency),
            told: Told::default(),
            policy: Arc::new(disk::Policy::of(settings)?),
            begun: 0,
            report: FleetReport {
                fleet: fleet.fingerprint(),
                shard: settings.shard.clone(),
                ..FleetReport::default()
            },
            budgets: vec![(budget.clone(), budget.requests(), budget.retries())],
            since: clock::instant(),
            has_ended: false,
        })
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<FleetEvent, MirrorError>>> {
        loop {
            if let Some(event) = self.told.pop() {
                return Poll::Ready(Some(Ok(event)));
            }
            if self.has_ended {
                return Poll::Ready(None);
            }
            let (told, policy, begun) = (&self.told, &self.policy, &mut self.begun);
            let budgets = &mut self.budgets;
            let step = self.pool.poll_step(cx, |mirror| {
                for of in feed::budgets_of(&mirror) {
                    if !budgets.iter().any(|(known, ..)| known.is_same(&of)) {
                        budgets.push((of.clone(), of.requests(), of.retries()));
                    }
                }
                let number = *begun;
                *begun += 1;
                let [source, destination] = named(&mirror);
                let disk = FleetDisk { source, destination, ..FleetDisk::default() };
                told.push(FleetEvent::Started {
                    disk: number,
                    source: disk.source.clone(),
                    destination: disk.destination.clone(),
                });
                let outcome = Outcome::new(number, disk, told.clone());
                let work = disk::mirrored(mirror, Arc::clone(policy), outcome);
                Box::pin(async move { (number, work.await) })
            });
            match step {
                // What the disks tell before they wait is read first.
                Poll::Pending => match self.told.pop() {
                    Some(event) => return Poll::Ready(Some(Ok(event))),
                    None => return Poll::Pending,
                },
                Poll::Ready(None) => self.end(),
                Poll::Ready(Some(Step::Done((number, disk)))) => self.done(Some(number), disk),
                Poll::Ready(Some(Step::Refused { source, destination, error })) => {
                    let failure = Some(FleetFailure::new(FleetStep::Mirror, &error));
                    let disk = FleetDisk { source, destination, failure, ..FleetDisk::default() };
                    self.done(None, disk);
                }
                Poll::Ready(Some(Step::Left(left))) => {
                    self.report.left += 1;
                    self.report.left_blobs.push(left.clone());
                    self.told.push(FleetEvent::Left(left));
                }
                // Nothing was done yet, so there is nothing to report.
                Poll::Ready(Some(Step::Unlisted(error))) if self.begun == 0 => {
                    self.has_ended = true;
                    return Poll::Ready(Some(Err(error.into())));
                }
                Poll::Ready(Some(Step::Unlisted(error))) => {
                    let failure = FleetFailure::new(FleetStep::List, &error.into());
                    self.report.unlisted = Some(failure);
                }
            }
        }
    }

    fn done(&mut self, number: Option<u64>, disk: FleetDisk) {
        self.report.disks.push(disk.clone());
        self.told.push(FleetEvent::Finished { disk: number, outcome: Box::new(disk) });
    }

    fn end(&mut self) {
        self.has_ended = true;
        let mut report = std::mem::take(&mut self.report);
        report.sort();
        for (budget, requests, retries) in &self.budgets {
            report.requests += budget.requests() - requests;
            report.retries += budget.retries() - retries;
        }
        report.elapsed = clock::instant().duration_since(self.since);
        self.told.push(FleetEvent::Ended(Box::new(report)));
    }
}
