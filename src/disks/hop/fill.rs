//! A new page blob with the whole content of a snapshot.

use std::sync::{Arc, atomic::Ordering};

use super::{
    ATTEMPTS, HopProgress, MirrorError, Opened, Reading,
    base::{Base, Note},
    changes::Changes,
    listing::Listed,
    stored::Headers,
    torn::{Torn, is_changed},
    write::{Moved, Writer},
};
use crate::{
    BlobProperties, BlobType, Conditions, ETag, Error, ErrorCode, GuardedPages, Metadata,
    PageBlobClient, PageRange,
    disks::lineage::{Lineage, decoded, encoded},
};

/// Fills a new page blob with the whole content of `from`: for a restore into another account.
/// The blob must not exist, unless `overwrite`. A torn one is gone on with by the next call.
///
/// It gets the content headers and the metadata of `from`, without those of a mirror, and `mark`,
/// which stays. Until it is complete it has metadata that say so, whose names begin with
/// `blobcopy_restore_`. Returns the bytes that this call has written.
pub(crate) async fn fill(
    from: Opened,
    target: PageBlobClient,
    mark: &Metadata,
    overwrite: bool,
    in_flight: usize,
    progress: Arc<HopProgress>,
) -> Result<u64, MirrorError> {
    let reading = Arc::new(Reading::of(&from, None));
    let mut source = reading.properties().await?;
    source.metadata = Lineage::without(&source.metadata);
    for (name, value) in mark.iter() {
        source.metadata.insert(name, value);
    }
    let length = source.content_length;
    let of = identity(&from).await?;
    let mut base = claim(&target, &of, &source, overwrite).await?;
    let Restore(Some(Unfinished { done, .. })) = base.note.clone() else {
        return Err(MirrorError::refused(target.name(), "lost the note of this restore"));
    };
    let mut changes = Changes::whole(
        Listed::Data(Arc::clone(&reading)),
        // It was created empty, and a torn run has written nothing but this content.
        None,
        PageRange::from(done..length),
    );
    let writer = Writer {
        pages: target.guarded_pages(base.guard),
        reading: &reading,
        in_flight: in_flight.max(1),
        progress: &progress,
        lock: None,
    };
    progress.of.store(length, Ordering::Relaxed);
    let mut moved = Moved::default();
    loop {
        progress.at.store(changes.at, Ordering::Relaxed);
        let start = changes.at;
        let window = Box::pin(changes.window());
        match Box::pin(writer.write(start, window, &mut moved, || base.writes_pages())).await {
            Ok(()) => {}
            Err(Torn::Failed(error)) => return Err(error),
            Err(Torn::DiffRefused(code)) => {
                return Err(MirrorError::refused(&from.snapshot, code));
            }
        }
        if changes.is_done {
            break;
        }
        let guard = base.guard;
        base.set_note(Restore(Some(Unfinished { of: of.clone(), guard, done: changes.at })))
            .await?;
    }
    progress.at.store(length, Ordering::Relaxed);
    // A write of this run that lands later is refused: the blob may be in use by then.
    base.set_number(source.sequence_number.unwrap_or_default()).await?;
    base.set_note(Restore(None)).await?;
    Ok(moved.written)
}

/// The note of a restore that is not complete; of a blob without one there is nothing to note.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Restore(Option<Unfinished>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Unfinished {
    /// The snapshot.
    of: String,
    guard: u64,
    /// All before this offset is done.
    done: u64,
}

impl Restore {
    const PREFIX: &'static str = "blobcopy_restore_";
    const OF: &'static str = "blobcopy_restore_of";
    const GUARD: &'static str = "blobcopy_restore_guard";
    const DONE: &'static str = "blobcopy_restore_done";

    fn has(name: &str) -> bool {
        name.get(..Self::PREFIX.len()).is_some_and(|found| found.eq_ignore_ascii_case(Self::PREFIX))
    }
}

impl Note for Restore {
    fn read(metadata: &Metadata) -> Option<Self> {
        let Some(of) = metadata.get(Self::OF) else { return Some(Self(None)) };
        let number = |name: &str| metadata.get(name)?.parse().ok();
        let (of, guard) = (decoded(of)?, number(Self::GUARD)?);
        Some(Self(Some(Unfinished { of, guard, done: number(Self::DONE)? })))
    }

    fn with(&self, others: &Metadata) -> Metadata {
        let own = others.iter().filter(|(name, _)| !Self::has(name));
        let mut metadata: Metadata =
            own.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        if let Some(Unfinished { of, guard, done }) = &self.0 {
            metadata.insert(Self::OF, encoded(of));
            metadata.insert(Self::GUARD, guard.to_string());
            metadata.insert(Self::DONE, done.to_string());
        }
        metadata
    }

    fn guard(&self) -> Option<u64> {
        self.0.as_ref().map(|unfinished| unfinished.guard)
    }
}

/// What the restore is of: the same snapshot has the same.
async fn identity(from: &Opened) -> Result<String, MirrorError> {
    let mut url = from.blob().await?.url()?;
    url.set_query(None);
    Ok(format!("{url} {}", from.snapshot.id))
}

/// The target, created or gone on with.
async fn claim(
    target: &PageBlobClient,
    of: &str,
    source: &BlobProperties,
    overwrite: bool,
) -> Result<Base<Restore>, MirrorError> {
    let mut changed: Option<Error> = None;
    for _ in 0..ATTEMPTS {
        let found = match target.get_properties().await {
            Ok(found) => Some(found),
            Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => None,
            Err(error) => return Err(error.into()),
        };
        let note = found.as_ref().and_then(|found| Restore::read(&found.metadata));
        let unfinished = note.and_then(|note| note.0);
        let number = found.as_ref().and_then(|found| found.sequence_number);
        let noted = unfinished.as_ref().map(|unfinished| unfinished.guard);
        let above = number.max(noted).unwrap_or_default();
        let guard = GuardedPages::number_above(if above > 1 << 62 { 0 } else { above })?;
        let fits = |unfinished: &Unfinished, found: &BlobProperties| {
            unfinished.of == of
                && found.content_length == source.content_length
                && matches!(found.blob_type, None | Some(BlobType::PageBlob))
        };
        let claimed = match (&found, unfinished) {
            (Some(found), Some(last)) if fits(&last, found) => {
                take_over(target, found, Unfinished { guard, ..last }).await
            }
            (Some(_), last) if !overwrite => {
                let why = match last {
                    Some(_) => "holds a part of another restore: delete it, or overwrite it",
                    None => "exists: choose another name, or overwrite it",
                };
                return Err(MirrorError::refused(target.name(), why));
            }
            (found, _) => {
                let unfinished = Unfinished { of: of.to_owned(), guard, done: 0 };
                create(target, found.as_ref(), source, unfinished).await
            }
        };
        match claimed {
            Ok(mut base) => {
                base.raise().await?;
                return Ok(base);
            }
            Err(error)
                if is_changed(&error)
                    || error.code() == Some(&ErrorCode::BlobAlreadyExists)
                    || error.may_have_been_applied() =>
            {
                changed = Some(error);
            }
            Err(error) => return Err(error.into()),
        }
    }
    let why = "somebody else changes it all the time";
    Err(MirrorError::kept_changing(target.name(), why, changed))
}

async fn take_over(
    target: &PageBlobClient,
    found: &BlobProperties,
    unfinished: Unfinished,
) -> Result<Base<Restore>, Error> {
    let guard = unfinished.guard;
    let note = Restore(Some(unfinished));
    let unchanged = Conditions::new().if_match(found.etag.clone().unwrap_or(ETag::ANY));
    let set = target.set_metadata(note.with(&found.metadata)).conditions(unchanged).await?;
    Ok(Base::noted(target, (note, guard), found, set.etag, (None, None)))
}

async fn create(
    target: &PageBlobClient,
    found: Option<&BlobProperties>,
    source: &BlobProperties,
    unfinished: Unfinished,
) -> Result<Base<Restore>, Error> {
    let unchanged = match found {
        Some(found) => Conditions::new().if_match(found.etag.clone().unwrap_or(ETag::ANY)),
        None => Conditions::new().if_none_match(ETag::ANY),
    };
    let guard = unfinished.guard;
    let note = Restore(Some(unfinished));
    let metadata = note.with(&source.metadata);
    let create = target.create(source.content_length).sequence_number(guard);
    let create = Headers::from(source).create(create).metadata(metadata.clone());
    let created = create.conditions(unchanged).await?;
    let seen = BlobProperties {
        content_length: source.content_length,
        sequence_number: Some(guard),
        metadata,
        ..BlobProperties::default()
    };
    Ok(Base::noted(target, (note, guard), &seen, created.etag, (None, None)))
}
