//! A writable page blob out of a snapshot of a chain.

mod event;
mod mark;
mod own;
mod point;
mod settings;

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

pub(super) use self::settings::{OnEvent, Settings, check_in_flight, with_settings};
pub use self::{event::RestoreEvent, point::RestorePoint};
use self::{
    mark::{Found, Mark},
    own::Own,
};
use super::{
    Chain, ChainSnapshot, MirrorError, SourceSnapshot,
    hop::{HopProgress, fill},
    mirror_ranges::{come_to, watched},
    mirror_run::Teller,
    reads::ReadNote,
    source::Opened,
};
use crate::{
    BlobProperties, Conditions, CopyFromUriOperation, CopyState, ETag, ErrorCode, Metadata,
    PageBlobClient,
    jobs::{Side, Verdict, Verified, verify},
    transport::BoxFuture,
    wire::{clock, redaction::redact},
};

/// Restores a snapshot: returned by [`DiskBackup::restore`](super::DiskBackup::restore) and
/// [`SnapshotMirror::restore`](super::SnapshotMirror::restore).
///
/// Awaiting it gives [`RestoreReport`].
#[must_use = "nothing is restored until it is awaited"]
pub struct Restore<'a> {
    work: Work,
    settings: Settings,
    on_event: Option<OnEvent<'a>>,
}

/// What is restored to where, and how.
#[derive(Debug, Clone)]
pub(super) struct Work {
    destination: PageBlobClient,
    source: Option<PageBlobClient>,
    point: RestorePoint,
    target: PageBlobClient,
    overwrite: bool,
    verify: bool,
    settings: Settings,
    told: Teller<RestoreEvent>,
}

/// What a [`Restore`] did.
#[must_use = "a restore that differs from its snapshot is reported here"]
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct RestoreReport {
    /// The snapshot that was restored, with the id and time of the source snapshot.
    pub snapshot: ChainSnapshot,
    /// The target's URL, without its query.
    pub target: String,
    /// How it was copied.
    pub route: RestoreRoute,
    /// The length of the disk in bytes.
    pub length: u64,
    /// The bytes that this call wrote: by Copy Blob the length, by ranges only those with data.
    pub bytes: u64,
    /// Whether prunes knew meanwhile that the snapshot was read, and left it. They do not if the
    /// credential may not write to the destination's container: stop them before such a restore.
    #[serde(default)]
    pub kept_from_prunes: bool,
    /// Whether a torn restore was gone on with, or one had ended here before: then nothing is
    /// written.
    pub resumed: bool,
    /// Whether the target equals the snapshot; `None` if that was not to be checked.
    pub verdict: Option<Verdict>,
    /// How long it took, with the check.
    pub elapsed: Duration,
}

/// How a snapshot is restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RestoreRoute {
    /// Copy Blob, within the account.
    CopyBlob,
    /// Put Page From URL for each range that holds data.
    Ranges,
}

impl<'a> Restore<'a> {
    pub(super) fn new(
        destination: &PageBlobClient,
        point: RestorePoint,
        target: &PageBlobClient,
    ) -> Self {
        let work = Work {
            destination: destination.clone(),
            source: None,
            point,
            target: target.clone(),
            overwrite: false,
            verify: true,
            settings: Settings::default(),
            told: Teller::default(),
        };
        Self { work, settings: Settings::default(), on_event: None }
    }

    /// The source of the mirror, which is never written to.
    pub(super) fn sparing(mut self, source: Option<&PageBlobClient>) -> Self {
        self.work.source = source.cloned();
        self
    }

    /// What it does, for a drill, which tells the events to others.
    pub(super) fn telling(self, settings: Settings, told: &Teller<RestoreEvent>) -> Work {
        Work { settings, told: told.clone(), ..self.work }
    }

    /// Whether a target that exists is overwritten. By default it is refused, unless it holds a
    /// torn restore of the same snapshot, or equals the snapshot, as after a restore whose last
    /// response was lost.
    pub fn overwrite(mut self, overwrite: bool) -> Self {
        self.work.overwrite = overwrite;
        self
    }

    /// Whether the target is compared with the snapshot at the end, by
    /// [`verify`](crate::jobs::verify()). By default it is.
    pub fn verify(mut self, verify: bool) -> Self {
        self.work.verify = verify;
        self
    }

    async fn run(self) -> Result<RestoreReport, MirrorError> {
        let Self { work, settings, on_event } = self;
        let told = Teller::default();
        let work = Work { settings, told: told.clone(), ..work };
        let mut on_event = on_event.unwrap_or_else(|| Box::new(|_| {}));
        told.during(Box::pin(work.run()), |event| on_event(event)).await
    }
}

impl Work {
    async fn run(self) -> Result<RestoreReport, MirrorError> {
        self.settings.check()?;
        let chain = Chain::read(&self.destination).await?;
        let snapshot = self.point.find(&chain)?.clone();
        let (destination, source) = (&self.destination, self.source.as_ref());
        let own = Own { destination, chain: &chain, source };
        let found = own.look(&self.target).await?;
        self.restore(snapshot, found).await
    }

    /// Restores a snapshot to the target, which has these properties and may be written.
    pub(super) async fn restore(
        self,
        snapshot: ChainSnapshot,
        found: Option<BlobProperties>,
    ) -> Result<RestoreReport, MirrorError> {
        // Before the first look at it: a prune that began earlier may have deleted it.
        let note = ReadNote::leave(&self.destination, &snapshot).await;
        let restored = self.restore_noted(snapshot, found).await;
        let kept_from_prunes = note.is_some();
        if let Some(note) = note {
            note.remove().await;
        }
        restored.map(|report| RestoreReport { kept_from_prunes, ..report })
    }

    async fn restore_noted(
        self,
        snapshot: ChainSnapshot,
        found: Option<BlobProperties>,
    ) -> Result<RestoreReport, MirrorError> {
        let start = clock::instant();
        let from = snapshot.client(&self.destination);
        let mark = Mark::of(&from)?;
        let seen = from.get_properties().await?;
        let mut report = RestoreReport {
            target: redact(self.target.url()?.as_str()).into_owned(),
            route: self.route(),
            length: seen.content_length,
            bytes: 0,
            kept_from_prunes: false,
            resumed: false,
            verdict: None,
            elapsed: Duration::ZERO,
            snapshot,
        };
        self.fetch(&from, &seen, &mark, found, &mut report).await?;
        if self.verify && report.verdict.is_none() {
            self.told.tell(RestoreEvent::Comparing);
            report.verdict = Some(self.check(&from).await?.verdict);
        }
        if !report.is_doubtful() {
            let taken_off = mark.take_off(&self.target).await?;
            // The content is what was compared; its ETag is a new one.
            if let (Some([before, after]), Some(Verdict::Identical(found))) =
                (taken_off, &mut report.verdict)
                && found.destination_etag == before
            {
                found.destination_etag = after;
            }
        }
        report.elapsed = clock::instant() - start;
        Ok(report)
    }

    fn route(&self) -> RestoreRoute {
        let (from, to) = (self.destination.container_client(), self.target.container_client());
        match self.settings.by_ranges || !from.is_same_account(&to) {
            true => RestoreRoute::Ranges,
            false => RestoreRoute::CopyBlob,
        }
    }

    /// Brings the content to the target, or goes on where a torn restore stopped.
    async fn fetch(
        &self,
        from: &PageBlobClient,
        seen: &BlobProperties,
        mark: &Mark,
        found: Option<BlobProperties>,
        report: &mut RestoreReport,
    ) -> Result<(), MirrorError> {
        let was = found.as_ref().map(|found| mark.find(found, seen.content_length));
        let may_be_done = found.as_ref().is_some_and(|found| Mark::may_be_done(found, seen));
        let etag = found.and_then(|found| found.etag).unwrap_or(ETag::ANY);
        let is_foreign = matches!(was, Some(Found::Foreign)) && !self.overwrite;
        if !is_foreign || (may_be_done && self.verify) {
            self.told.tell(RestoreEvent::Started {
                snapshot: report.snapshot.clone(),
                target: report.target.clone(),
                length: report.length,
            });
        }
        let conditions = match was {
            None => Conditions::new().if_none_match(ETag::ANY),
            Some(Found::Pending(id)) => {
                report.resumed = true;
                report.bytes = seen.content_length;
                self.wait(self.target.resume_copy(id)).await?;
                return Ok(());
            }
            Some(Found::Written) if !self.overwrite => {
                report.resumed = true;
                return Ok(());
            }
            Some(Found::Partial) => {
                report.resumed = true;
                return self.fill(from, mark, report).await;
            }
            Some(Found::Foreign) if !self.overwrite => {
                // A restore may have ended here, whose last response was lost.
                if may_be_done && self.verify {
                    self.told.tell(RestoreEvent::Comparing);
                    report.verdict = Some(self.check(from).await?.verdict);
                }
                if report.is_identical() {
                    report.resumed = true;
                    return Ok(());
                }
                let why = match may_be_done && !self.verify {
                    true => {
                        "exists, and may be this snapshot, restored before: run it with its check, \
                         which tells, restore to another blob, or overwrite it"
                    }
                    false => "exists: restore to another blob, or overwrite it",
                };
                return Err(MirrorError::refused(self.target.name(), why));
            }
            Some(Found::Failed | Found::Written | Found::Foreign) => {
                Conditions::new().if_match(etag)
            }
        };
        if report.route == RestoreRoute::Ranges {
            return self.fill(from, mark, report).await;
        }
        let start = self.target.start_copy_from_uri(from).conditions(conditions);
        let copied = match start.metadata(mark.with(&seen.metadata)).await {
            Ok(copy) => self.wait(copy).await,
            Err(error) => Err(error),
        };
        match copied {
            Ok(()) => report.bytes = seen.content_length,
            Err(error) if is_impossible(&error) => return self.fill(from, mark, report).await,
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Waits for a copy of the service, and tells how far it has come.
    async fn wait(&self, mut copy: CopyFromUriOperation) -> crate::Result<()> {
        let tell = |state: &CopyState| {
            if let Some(progress) = state.progress {
                let (written, fraction) = (progress.copied, progress.fraction());
                self.told.progress(RestoreEvent::Progress { written, fraction });
            }
        };
        copy.wait().on_progress(tell).await.map(|_| ())
    }

    async fn fill(
        &self,
        from: &PageBlobClient,
        mark: &Mark,
        report: &mut RestoreReport,
    ) -> Result<(), MirrorError> {
        let ChainSnapshot { snapshot, time, length, .. } = &report.snapshot;
        let (id, length) = (snapshot.to_string(), Some(*length));
        let time = time.unwrap_or(time::OffsetDateTime::UNIX_EPOCH);
        let opened = Opened::of_blob(from, &SourceSnapshot { time, id, length })?;
        let progress = Arc::new(HopProgress::default());
        let target = self.target.clone();
        report.route = RestoreRoute::Ranges;
        let (mark, overwrite) = (mark.with(&Metadata::new()), self.overwrite);
        let filled =
            fill(opened, target, &mark, overwrite, self.settings.in_flight, Arc::clone(&progress));
        let tell = || {
            let (written, fraction) = come_to(&progress);
            self.told.progress(RestoreEvent::Progress { written, fraction });
        };
        report.bytes = watched(&progress, Box::pin(filled), tell).await?;
        Ok(())
    }

    async fn check(&self, from: &PageBlobClient) -> Result<Verified, MirrorError> {
        let verify = verify(from, &self.target).concurrency(self.settings.in_flight);
        Ok(match &self.settings.scratch {
            Some(scratch) => verify.scratch(scratch).await?,
            None => verify.await?,
        })
    }
}

with_settings!(Restore);

/// Whether Copy Blob cannot do it here, whatever is tried.
fn is_impossible(error: &crate::Error) -> bool {
    use ErrorCode::{CopyAcrossAccountsNotSupported, FeatureVersionMismatch};
    matches!(error.code(), Some(CopyAcrossAccountsNotSupported | FeatureVersionMismatch))
}

impl RestoreReport {
    /// Whether the target was compared with the snapshot, and equals it.
    pub fn is_identical(&self) -> bool {
        matches!(self.verdict, Some(Verdict::Identical(_)))
    }

    /// Whether the target may have other content than the snapshot. It keeps its mark then.
    fn is_doubtful(&self) -> bool {
        use Verdict::{Changed, DestinationGone, Different};
        matches!(self.verdict, Some(Different(_) | DestinationGone | Changed(Side::Destination)))
    }
}

impl fmt::Debug for Restore<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { work, settings, .. } = self;
        f.debug_struct("Restore")
            .field("work", work)
            .field("settings", settings)
            .finish_non_exhaustive()
    }
}

impl<'a> IntoFuture for Restore<'a> {
    type Output = Result<RestoreReport, MirrorError>;
    type IntoFuture = BoxFuture<'a, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl fmt::Display for RestoreRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::CopyBlob => "Copy Blob",
            Self::Ranges => "ranges",
        })
    }
}

impl fmt::Display for RestoreReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { snapshot, target, route, length, kept_from_prunes, .. } = self;
        let name = snapshot.to_string();
        write!(f, "{target}: {length} bytes of {} by {route}", redact(&name))?;
        match &self.verdict {
            Some(verdict) => write!(f, ", {verdict}")?,
            None => f.write_str(", not verified")?,
        }
        match kept_from_prunes {
            true => Ok(()),
            false => f.write_str("; prunes did not know that the snapshot was read"),
        }
    }
}
