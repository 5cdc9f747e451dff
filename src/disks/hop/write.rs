//! The pages of a hop, window after window.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError, atomic::Ordering},
};

use futures_util::{Stream, TryStreamExt};

use super::{
    HeldLock, Hop, HopProgress, MirrorError,
    changes::{Change, Changes},
    claim::Claim,
    listing::{Listed, Listing},
    reading::Reading,
    torn::{Torn, of_write},
};
use crate::{GuardedPages, PageRange};

/// What was written and cleared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Moved {
    pub(super) written: u64,
    pub(super) cleared: u64,
}

impl Claim {
    /// Writes all that differs.
    pub(super) async fn write(
        &mut self,
        hop: &Hop,
        reading: &Arc<Reading>,
        moved: &mut Moved,
    ) -> Result<(), Torn> {
        let range = PageRange::from(self.done..self.length);
        let data = Listed::Data(Arc::clone(reading));
        let blob = self.base.blob.clone();
        let mut changes = match (&self.earlier, &hop.from) {
            (Some(earlier), Some(from)) if self.whole.is_none() => {
                let changed = Listed::Changes(Arc::clone(reading), from.clone());
                let touched = Listing::of(Listed::HeldSince(blob.clone(), earlier.clone()), range);
                Changes::difference(changed, Some(touched), data, range)
            }
            // A base that this run has created holds nothing.
            _ => {
                let held = Listing::of(Listed::Held(blob.clone()), range);
                let held = Some(held).filter(|_| !self.is_new);
                Changes::whole(data, held, range)
            }
        };
        let writer = Writer {
            pages: match self.base.lease() {
                Some(lease) => blob.guarded_pages(self.base.guard).lease_id(lease),
                None => blob.guarded_pages(self.base.guard),
            },
            reading,
            in_flight: hop.in_flight.max(1),
            progress: &hop.progress,
            lock: self.base.lock(),
        };
        hop.progress.of.store(self.length, Ordering::Relaxed);
        loop {
            hop.progress.at.store(changes.at, Ordering::Relaxed);
            let start = changes.at;
            writer.write(start, changes.window(), moved, || self.base.writes_pages()).await?;
            if changes.is_done {
                break;
            }
            let mut note = self.base.note.clone();
            if let Some(hop) = &mut note.hop {
                hop.done = changes.at;
            }
            self.base.set_note(note).await?;
        }
        hop.progress.at.store(self.length, Ordering::Relaxed);
        Ok(())
    }
}

/// Writes pages, many at a time.
#[derive(Debug)]
pub(super) struct Writer<'a> {
    pub(super) pages: GuardedPages,
    pub(super) reading: &'a Reading,
    pub(super) in_flight: usize,
    pub(super) progress: &'a HopProgress,
    pub(super) lock: Option<Arc<dyn HeldLock>>,
}

impl Writer<'_> {
    /// Makes the changes, which begin at `start`, and waits for all of them. Calls `writes` before
    /// each.
    pub(super) async fn write(
        &self,
        start: u64,
        changes: impl Stream<Item = Result<Change, Torn>> + Send,
        moved: &mut Moved,
        mut writes: impl FnMut() + Send,
    ) -> Result<(), Torn> {
        let under_way = Mutex::new(UnderWay { starts: BTreeSet::new(), end: start });
        let locked = || under_way.lock().unwrap_or_else(PoisonError::into_inner);
        let locked = &locked;
        let made = changes.map_ok(|change| {
            writes();
            locked().begin(change.range());
            async move {
                self.make(change).await?;
                let mut locked = locked();
                locked.starts.remove(&change.range().start);
                self.progress.at.store(locked.all_before(), Ordering::Relaxed);
                Ok(change)
            }
        });
        let mut made = std::pin::pin!(made.try_buffer_unordered(self.in_flight));
        while let Some(change) = made.try_next().await? {
            let (bytes, sum, shown) = match change {
                Change::Write(range) => (range.len(), &mut moved.written, &self.progress.written),
                Change::Clear(range) => (range.len(), &mut moved.cleared, &self.progress.cleared),
            };
            *sum += bytes;
            shown.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(())
    }

    async fn make(&self, change: Change) -> Result<(), Torn> {
        let check = || self.lock.as_ref().map_or(Ok::<_, MirrorError>(()), |lock| lock.check());
        let blob = self.pages.blob();
        let mut access = self.reading.access();
        loop {
            check()?;
            let made = match change {
                Change::Clear(range) => self.pages.clear_pages(range).await,
                Change::Write(range) => {
                    let source = self.reading.source().await?;
                    self.pages.upload_pages_from_uri(source, range, range.start).await
                }
            };
            match (made, change) {
                (Ok(_), _) => return Ok(()),
                (Err(error), Change::Clear(_)) => return Err(of_write(blob, error)),
                (Err(error), Change::Write(_)) if error.status().is_some_and(|s| s == 412) => {
                    return Err(of_write(blob, error));
                }
                (Err(error), Change::Write(_)) => self.reading.mend(error, &mut access).await?,
            }
        }
    }
}

/// Where the changes that are not answered yet begin.
struct UnderWay {
    starts: BTreeSet<u64>,
    /// The end of the last that was sent.
    end: u64,
}

impl UnderWay {
    fn begin(&mut self, range: PageRange) {
        self.starts.insert(range.start);
        self.end = range.end;
    }

    fn all_before(&self) -> u64 {
        self.starts.first().copied().unwrap_or(self.end)
    }
}
