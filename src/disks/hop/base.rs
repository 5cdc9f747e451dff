//! A blob that this run writes to, with a note in its metadata of what is under way.

use std::sync::Arc;

use super::{
    ATTEMPTS, HeldLock, MirrorError,
    stored::Headers,
    torn::{is_changed, taken_over},
};
use crate::{
    BlobProperties, Conditions, ETag, Error, LeaseId, Metadata, PageBlobClient,
    SequenceNumberAction,
};

/// A note in metadata of what is under way.
pub(super) trait Note: Clone + PartialEq + Send + Sync {
    /// The note in `metadata`, if it can be read.
    fn read(metadata: &Metadata) -> Option<Self>;

    /// `others`, with this note in place of any in it.
    fn with(&self, others: &Metadata) -> Metadata;

    /// The sequence number of the run that works on the blob.
    fn guard(&self) -> Option<u64>;
}

/// The blob, as this run has left it.
#[derive(Debug)]
pub(super) struct Base<N> {
    pub(super) blob: PageBlobClient,
    /// The sequence number of this run's writes.
    pub(super) guard: u64,
    pub(super) length: u64,
    /// What was last noted.
    pub(super) note: N,
    /// The metadata, with those of its user.
    metadata: Metadata,
    /// Its content headers.
    headers: Headers,
    /// Its sequence number.
    number: u64,
    /// `None` once pages may have been written.
    etag: Option<ETag>,
    lock: Option<Arc<dyn HeldLock>>,
    /// This run's lease on it, if it has one.
    lease: Option<LeaseId>,
}

/// A change of the blob that depends on its ETag, so that it changes nothing if it lands late.
#[derive(Debug, Clone, PartialEq)]
enum Step<N> {
    Note(N),
    Headers(Headers),
    Length(u64),
    Number(u64),
}

impl<N: Note> Base<N> {
    /// A blob as it was `seen`, which has the note of this run. Its ETag is now `etag`.
    pub(super) fn noted(
        blob: &PageBlobClient,
        (note, guard): (N, u64),
        seen: &BlobProperties,
        etag: Option<ETag>,
        (lock, lease): (Option<Arc<dyn HeldLock>>, Option<LeaseId>),
    ) -> Self {
        Self {
            blob: blob.clone(),
            guard,
            length: seen.content_length,
            note,
            metadata: seen.metadata.clone(),
            headers: seen.into(),
            number: seen.sequence_number.unwrap_or_default(),
            etag,
            lock,
            lease,
        }
    }

    /// The same blob, whose content headers are these.
    pub(super) fn with_headers(self, headers: Headers) -> Self {
        Self { headers, ..self }
    }

    /// Whether the lock is still held.
    pub(super) fn check(&self) -> Result<(), MirrorError> {
        self.lock.as_ref().map_or(Ok(()), |lock| lock.check())
    }

    pub(super) fn lock(&self) -> Option<Arc<dyn HeldLock>> {
        self.lock.clone()
    }

    pub(super) fn lease(&self) -> Option<&LeaseId> {
        self.lease.as_ref()
    }

    /// The ETag, if no page was written since it was seen.
    pub(super) fn etag(&self) -> Option<&ETag> {
        self.etag.as_ref()
    }

    /// Pages are being written, so the ETag changes.
    pub(super) fn writes_pages(&mut self) {
        self.etag = None;
    }

    /// Notes `note`, even if it is noted already: the ETag changes in any case.
    pub(super) async fn set_note(&mut self, note: N) -> Result<(), MirrorError> {
        self.take(Step::Note(note)).await
    }

    /// Raises the sequence number to that of this run. All writes that depend on another are
    /// refused from now on.
    pub(super) async fn raise(&mut self) -> Result<(), MirrorError> {
        if self.number == self.guard {
            return Ok(());
        }
        self.take(Step::Number(self.guard)).await
    }

    /// Sets the sequence number.
    pub(super) async fn set_number(&mut self, number: u64) -> Result<(), MirrorError> {
        self.take(Step::Number(number)).await
    }

    pub(super) async fn resize(&mut self, length: u64) -> Result<(), MirrorError> {
        self.take(Step::Length(length)).await
    }

    /// Sets the content headers, if they are others.
    pub(super) async fn set_headers(&mut self, headers: Headers) -> Result<(), MirrorError> {
        if self.headers == headers {
            return Ok(());
        }
        self.take(Step::Headers(headers)).await
    }

    async fn take(&mut self, step: Step<N>) -> Result<(), MirrorError> {
        let mut refused: Option<Error> = None;
        // The ETag that the last attempt depended on.
        let mut before = None;
        for _ in 0..ATTEMPTS {
            self.check()?;
            let etag = match self.etag.clone() {
                Some(etag) => etag,
                None => {
                    let etag = self.look(&step, refused.as_ref()).await?;
                    // An attempt whose answer was lost. A note that was there already says nothing:
                    // the ETag must change.
                    if refused.is_some() && self.is_taken(&step) && etag != before {
                        return Ok(());
                    }
                    etag.unwrap_or(ETag::ANY)
                }
            };
            before = Some(etag.clone());
            let error = match self.send(&step, Conditions::new().if_match(etag)).await {
                Ok(etag) => {
                    self.etag = etag;
                    match step {
                        Step::Note(note) => self.note = note,
                        Step::Headers(headers) => self.headers = headers,
                        Step::Length(length) => self.length = length,
                        Step::Number(number) => self.number = number,
                    }
                    return Ok(());
                }
                Err(error) => error,
            };
            if !is_changed(&error) && !error.may_have_been_applied() {
                return Err(error.into());
            }
            // Applied and not answered, or a late write of pages of this run came between.
            self.etag = None;
            refused = Some(error);
        }
        let why = "it changes all the time";
        Err(MirrorError::kept_changing(self.blob.name(), why, refused))
    }

    async fn send(&self, step: &Step<N>, unchanged: Conditions) -> Result<Option<ETag>, Error> {
        macro_rules! leased {
            ($set:expr) => {
                match &self.lease {
                    Some(lease) => $set.lease_id(lease),
                    None => $set,
                }
            };
        }
        match step {
            Step::Note(note) => {
                let set = leased!(self.blob.set_metadata(note.with(&self.metadata)));
                set.conditions(unchanged).await.map(|set| set.etag)
            }
            Step::Headers(headers) => {
                let set = leased!(headers.set(self.blob.set_properties()));
                set.conditions(unchanged).await.map(|set| set.etag)
            }
            Step::Length(length) => {
                let set = leased!(self.blob.resize(*length));
                set.conditions(unchanged).await.map(|set| set.etag)
            }
            Step::Number(number) => {
                // `update` would do while the ETag is the one that was seen. `max` also holds if
                // the service has told none.
                let action = match *number >= self.number {
                    true => SequenceNumberAction::Max(*number),
                    false => SequenceNumberAction::Update(*number),
                };
                let set = leased!(self.blob.set_sequence_number(action));
                set.conditions(unchanged).await.map(|set| set.etag)
            }
        }
    }

    /// Whether the blob is as the step would leave it.
    fn is_taken(&self, step: &Step<N>) -> bool {
        match step {
            Step::Note(note) => self.note == *note,
            Step::Headers(headers) => self.headers == *headers,
            Step::Length(length) => self.length == *length,
            Step::Number(number) => self.number == *number,
        }
    }

    /// Reads the state of the blob, which must have a note of this run.
    async fn look(
        &mut self,
        step: &Step<N>,
        refused: Option<&Error>,
    ) -> Result<Option<ETag>, MirrorError> {
        let seen = self.blob.get_properties().await?;
        let note = N::read(&seen.metadata);
        let is_own = |note: &N| {
            note.guard() == Some(self.guard)
                || matches!(step, Step::Note(last) if refused.is_some() && last == note)
        };
        let Some(note) = note.filter(is_own) else { return Err(self.lost(refused.cloned())) };
        self.note = note;
        self.headers = (&seen).into();
        self.metadata = seen.metadata;
        self.length = seen.content_length;
        self.number = seen.sequence_number.unwrap_or_default();
        self.etag = seen.etag.clone();
        Ok(seen.etag)
    }

    fn lost(&self, cause: Option<Error>) -> MirrorError {
        let cause = cause.unwrap_or_else(|| {
            Error::invalid("note of this run", self.blob.name(), "is no longer in the metadata")
        });
        taken_over(&self.blob, cause)
    }
}
