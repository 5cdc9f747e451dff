//! Running a mirror.

use std::{
    collections::VecDeque,
    fmt,
    future::poll_fn,
    pin::{Pin, pin},
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures_core::Stream;
use futures_util::StreamExt;
use tokio::time::Instant;

use super::{MirrorError, MirrorEvent, MirrorReport, SnapshotMirror, mirror_work};
use crate::{transport::BoxFuture, wire::clock};

type Result<T> = std::result::Result<T, MirrorError>;

/// Runs a mirror: returned by [`SnapshotMirror::run`].
///
/// Awaiting it gives the [`MirrorReport`]. Dropping its future, or the stream of
/// [`events`](Self::events), stops the run at any moment: copies that the service has accepted go
/// on, the lock is released in the background, and the next run goes on from there. One that begins
/// before the release has come to its end is [`MirrorError::Busy`], unless it waits.
#[must_use = "nothing is sent until it is awaited"]
pub struct RunMirror<'a> {
    mirror: SnapshotMirror,
    on_event: Option<OnEvent<'a>>,
}

type OnEvent<'a> = Box<dyn FnMut(&MirrorEvent) + Send + 'a>;

impl<'a> RunMirror<'a> {
    pub(crate) fn new(mirror: SnapshotMirror) -> Self {
        Self { mirror, on_event: None }
    }

    /// Calls a function with each event, between two steps of the run: a slow function slows it
    /// down.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::disks::{MirrorEvent, SnapshotMirror};
    ///
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// disk.create_snapshot().await?;
    /// let tell = |event: &MirrorEvent| {
    ///     if let MirrorEvent::HopDone(done) = event {
    ///         println!("{} is at {}", done.source, done.destination);
    ///     }
    /// };
    /// SnapshotMirror::new(&disk, &backup).run().on_event(tell).await.unwrap();
    /// # Ok(()) });
    /// ```
    pub fn on_event(mut self, on_event: impl FnMut(&MirrorEvent) + Send + 'a) -> Self {
        self.on_event = Some(Box::new(on_event));
        self
    }

    /// The events of the run as a stream, which drives it. The last event is
    /// [`MirrorEvent::Ended`] with the report. The stream ends after an error.
    ///
    /// ```
    /// use blobcopy::disks::{MirrorEvent, SnapshotMirror};
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").page_blob_client("disk0.vhd");
    /// let backup = service.container_client("backups").page_blob_client("disk0.vhd");
    /// disk.create_snapshot().await?;
    /// let mut events = SnapshotMirror::new(&disk, &backup).run().events();
    /// while let Some(event) = events.try_next().await.unwrap() {
    ///     if let MirrorEvent::HopProgress { fraction, .. } = event {
    ///         println!("{:.0} %", 100.0 * fraction);
    ///     }
    /// }
    /// # Ok(()) });
    /// ```
    pub fn events(self) -> MirrorEvents {
        let told = Teller::default();
        let work = Box::pin(mirror_work::run(self.mirror, told.clone()));
        MirrorEvents { told, work: Some(work), end: None }
    }

    async fn drive(mut self) -> Result<MirrorReport> {
        let mut on_event = self.on_event.take();
        let mut events = self.events();
        let mut report = None;
        while let Some(event) = events.next().await {
            let event = event?;
            if let Some(tell) = &mut on_event {
                tell(&event);
            }
            if let MirrorEvent::Ended(ended) = event {
                report = Some(*ended);
            }
        }
        report.ok_or_else(|| MirrorError::refused("mirror", "it ended without a report"))
    }
}

impl<'a> IntoFuture for RunMirror<'a> {
    type Output = Result<MirrorReport>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.drive())
    }
}

impl fmt::Debug for RunMirror<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunMirror").field("mirror", &self.mirror).finish_non_exhaustive()
    }
}

/// The events of a run: returned by [`RunMirror::events`].
#[must_use = "nothing is sent until it is read"]
pub struct MirrorEvents {
    told: Teller,
    work: Option<BoxFuture<'static, Result<MirrorReport>>>,
    /// The error of the run, until it is given.
    end: Option<MirrorError>,
}

impl Stream for MirrorEvents {
    type Item = Result<MirrorEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(event) = self.told.next() {
                return Poll::Ready(Some(Ok(event)));
            }
            let Some(work) = &mut self.work else {
                return Poll::Ready(self.end.take().map(Err));
            };
            match work.as_mut().poll(cx) {
                // It may have told something before it had to wait.
                Poll::Pending => {
                    return self
                        .told
                        .next()
                        .map_or(Poll::Pending, |event| Poll::Ready(Some(Ok(event))));
                }
                Poll::Ready(ended) => {
                    self.work = None;
                    match ended {
                        Ok(report) => self.told.tell(MirrorEvent::Ended(Box::new(report))),
                        Err(error) => self.end = Some(error),
                    }
                }
            }
        }
    }
}

impl fmt::Debug for MirrorEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MirrorEvents").finish_non_exhaustive()
    }
}

/// Where a run puts its events, until they are read.
#[derive(Debug)]
pub(crate) struct Teller<E = MirrorEvent>(Arc<Mutex<Told<E>>>);

#[derive(Debug)]
struct Told<E> {
    events: VecDeque<E>,
    /// When progress was told last.
    progress: Option<Instant>,
}

impl<E> Default for Teller<E> {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Told { events: VecDeque::new(), progress: None })))
    }
}

impl<E> Clone for Teller<E> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

/// The least time between two events of progress.
pub(crate) const PROGRESS_GAP: Duration = Duration::from_millis(100);

impl<E> Teller<E> {
    pub(crate) fn tell(&self, event: E) {
        self.with(|told| told.events.push_back(event));
    }

    /// Tells progress, unless it was told just now.
    pub(crate) fn progress(&self, event: E) {
        let now = clock::instant();
        self.with(|told| {
            if told.progress.is_none_or(|last| now.duration_since(last) >= PROGRESS_GAP) {
                told.progress = Some(now);
                told.events.push_back(event);
            }
        });
    }

    /// Does `work`, and gives what it tells to `on_event` between its steps.
    pub(crate) async fn during<T>(
        &self,
        work: impl Future<Output = T>,
        mut on_event: impl FnMut(&E),
    ) -> T {
        let mut work = pin!(work);
        poll_fn(|cx| {
            let polled = work.as_mut().poll(cx);
            while let Some(event) = self.next() {
                on_event(&event);
            }
            polled
        })
        .await
    }

    /// Waits until all events have been read: what follows begins after that.
    pub(crate) async fn all_read(&self) {
        poll_fn(|cx| {
            if self.with(|told| told.events.is_empty()) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn next(&self) -> Option<E> {
        self.with(|told| told.events.pop_front())
    }

    fn with<T>(&self, act: impl FnOnce(&mut Told<E>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
