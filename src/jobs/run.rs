//! Running a job.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll},
};

use futures_core::Stream;
use futures_util::{StreamExt, stream};

use super::{CopyJob, JobEvent, Plan, Report, engine::Engine};
use crate::{Result, transport::BoxFuture};

/// Runs a job: returned by [`CopyJob::run`].
#[must_use = "nothing is sent until it is awaited"]
pub struct RunJob<'a> {
    job: CopyJob,
    on_event: Option<OnEvent<'a>>,
    planned: Option<(u64, u64)>,
}

type OnEvent<'a> = Box<dyn FnMut(&JobEvent) + Send + 'a>;

impl<'a> RunJob<'a> {
    pub(crate) fn new(job: CopyJob) -> Self {
        Self { job, on_event: None, planned: None }
    }

    /// Calls a function with each event, between two steps of the run: a slow function slows it
    /// down.
    pub fn on_event(mut self, on_event: impl FnMut(&JobEvent) + Send + 'a) -> Self {
        self.on_event = Some(Box::new(on_event));
        self
    }

    /// What the job planned, so that progress is known before all is listed.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use blobcopy::jobs::CopyJob;
    ///
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let job = CopyJob::new(&vhds, &backups);
    /// let plan = job.plan().await?;
    /// job.run().planned(&plan).await?;
    /// # Ok(()) });
    /// ```
    pub fn planned(mut self, plan: &Plan) -> Self {
        self.planned = Some((plan.blobs, plan.bytes_listed));
        self
    }

    /// The events of the run as a stream, which drives it. The last event is
    /// [`JobEvent::Ended`] with the report. The stream ends after an error.
    ///
    /// ```
    /// use blobcopy::jobs::{CopyJob, JobEvent};
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let vhds = service.container_client("vhds");
    /// let backups = service.container_client("backups");
    /// let mut events = CopyJob::new(&vhds, &backups).run().events();
    /// while let Some(event) = events.try_next().await? {
    ///     if let JobEvent::Ended(report) = event {
    ///         println!("{} bytes", report.bytes);
    ///     }
    /// }
    /// # Ok(()) });
    /// ```
    pub fn events(self) -> JobEvents {
        let Self { job, planned, .. } = self;
        let begun = stream::try_unfold(None, move |engine: Option<Engine>| {
            let job = job.clone();
            async move {
                let mut engine = match engine {
                    Some(engine) => engine,
                    None => Engine::new(job, planned)?,
                };
                Ok(engine.next().await?.map(|event| (event, Some(engine))))
            }
        });
        JobEvents(begun.boxed())
    }

    async fn drive(mut self) -> Result<Report> {
        let mut engine = Engine::new(self.job, self.planned)?;
        let mut report = Report::default();
        while let Some(event) = engine.next().await? {
            if let Some(tell) = &mut self.on_event {
                tell(&event);
            }
            if let JobEvent::Ended(ended) = event {
                report = *ended;
            }
        }
        Ok(report)
    }
}

impl<'a> IntoFuture for RunJob<'a> {
    type Output = Result<Report>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.drive())
    }
}

impl fmt::Debug for RunJob<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RunJob").field("job", &self.job).finish_non_exhaustive()
    }
}

/// The events of a run: returned by [`RunJob::events`].
#[must_use = "nothing is sent until it is read"]
pub struct JobEvents(Pin<Box<dyn Stream<Item = Result<JobEvent>> + Send>>);

impl Stream for JobEvents {
    type Item = Result<JobEvent>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.as_mut().poll_next(cx)
    }
}

impl fmt::Debug for JobEvents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JobEvents").finish_non_exhaustive()
    }
}
