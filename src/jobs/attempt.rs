//! One blob: attempts until it is copied, or cannot be.

use super::{
    Failure, Outcome, Receipt, Skipped,
    content::{self, Compared},
    decide::Decision,
    event::Finished,
    moved, patience,
    routes::{self, NotCarried, Why, kept},
    same,
    tally::is_failure,
    task::{Carried, Settings, Task},
};
use crate::{
    AccessTier, BlobClient, BlobItem, BlobProperties, CopyStatus, Error, ErrorCode, Result,
    SnapshotId, Tags, wire::redaction::redact,
};

/// How often a source that changed is taken anew.
const MOST_CHANGES: u32 = 3;

/// How often a destination is looked at again.
const MOST_LOOKS: u32 = 5;

/// A blob that is done with.
#[derive(Debug)]
pub(crate) struct Done {
    pub(crate) finished: Finished,
    pub(crate) length: u64,
    pub(crate) failure: Option<Box<Failure>>,
}

/// What is known of the attempts so far.
#[derive(Debug, Default)]
struct Attempts {
    changes: u32,
    looks: u32,
    faults: u32,
    /// Whether one of them may have written the destination although its answer was lost.
    ambiguous: bool,
    /// The source as it was when they may have written it.
    #[allow(clippy::vec_box, reason = "they come boxed, are rare, and take a kilobyte each")]
    earlier: Vec<Box<BlobItem>>,
    /// The tier that the destination refused.
    refused_tier: Option<AccessTier>,
    /// A snapshot that was taken for the last of them and could not be deleted.
    left_behind: Option<SnapshotId>,
}

/// What comes after an attempt.
enum Next {
    Again(Task),
    /// What is at the destination now may be the copy already.
    Compare(Task),
    Ended(Task, Outcome, Option<Box<Error>>),
}

/// Copies a blob, with as many attempts as make sense.
pub(crate) async fn copy(mut task: Task) -> Done {
    let mut attempts = Attempts::default();
    loop {
        let refused = match routes::carry(&task).await {
            Ok(carried) => {
                let mut done = carried_over(task, carried).await;
                done.finished.tier_not_kept = attempts.refused_tier;
                return done;
            }
            Err(refused) => refused,
        };
        // Boxed, because most blobs never get here.
        match Box::pin(attempts.after(task, refused)).await {
            Next::Again(again) => task = again,
            Next::Compare(task) => {
                let mut done = content::compared_boxed(task).await;
                if attempts.ambiguous && done.finished.outcome == Outcome::Same {
                    done.finished.outcome = Outcome::Copied;
                }
                return done;
            }
            Next::Ended(task, outcome, error) => {
                let mut done = ended(&task, outcome, error.as_deref(), None);
                done.finished.left_behind = attempts.left_behind;
                return done;
            }
        }
    }
}

async fn carried_over(task: Task, carried: Carried) -> Done {
    let outcome = if carried.is_adopted { Outcome::Adopted } else { Outcome::Copied };
    let settings = &task.shared.settings;
    if !settings.moves && !settings.verify {
        return ended(&task, outcome, None, Some(carried));
    }
    // Boxed, because most jobs do neither.
    Box::pin(async move {
        let receipt = match task.shared.settings.verify || !moved::is_proved(task.route, &carried) {
            false => None,
            true => match content::compare(&task, carried.destination_etag.as_ref()).await {
                Compared::Identical(receipt) => receipt,
                // In a move, another run may have ended it.
                Compared::SourceGone => return ended(&task, Outcome::Vanished, None, None),
                Compared::NotIdentical { message, error } => {
                    let mut done = ended(&task, Outcome::Failed, error.as_ref(), Some(carried));
                    if let (Some(failure), Some(message)) = (&mut done.failure, message) {
                        failure.message = message;
                    }
                    return done;
                }
            },
        };
        let (mut outcome, mut error) = (outcome, None);
        if task.shared.settings.moves {
            (outcome, error) = match moved::delete_source(&task, &carried).await {
                Ok(outcome) => (outcome, None),
                Err(error) => (Outcome::Failed, Some(error)),
            };
        }
        let mut done = ended(&task, outcome, error.as_ref(), Some(carried));
        if receipt.is_some() {
            done.finished.receipt = receipt;
        }
        done
    })
    .await
}

impl Attempts {
    async fn after(&mut self, mut task: Task, refused: NotCarried) -> Next {
        let NotCarried { why, error, left_behind } = refused;
        // A later attempt finds one that could not be deleted, and tries again.
        self.left_behind = left_behind;
        self.ambiguous |= error.as_ref().is_some_and(|error| error.may_have_been_applied());
        if task.shared.settings.tier
            && error.as_ref().is_some_and(|error| kept::is_about_tier(error))
            && let Some(tier) = kept::tier(&task.item)
        {
            // Without it all else of the blob is kept.
            task.item.properties.access_tier = None;
            self.refused_tier = Some(tier);
            return Next::Again(task);
        }
        match why {
            Why::SourceChanged | Why::SourceGone => {
                let item = match take_anew(&task).await {
                    Ok(item) => item,
                    Err(error) if is_not_there(&error) => {
                        return Next::Ended(task, Outcome::Vanished, None);
                    }
                    Err(error) => return Next::Ended(task, Outcome::Failed, Some(error.into())),
                };
                if self.changes == MOST_CHANGES {
                    return Next::Ended(task, Outcome::Changed, error);
                }
                self.changes += 1;
                let is_gone = why == Why::SourceGone;
                if is_gone && item.properties.etag == task.item.properties.etag {
                    return Next::Ended(task, Outcome::Failed, error);
                }
                let before = std::mem::replace(&mut task.item, item);
                if self.ambiguous {
                    self.earlier.push(before);
                }
                decided_anew(task)
            }
            Why::DestinationChanged => self.look_again(task, error).await,
            Why::Skipped(why) => Next::Ended(task, Outcome::Skipped(why), error),
            Why::Failed => {
                self.faults += 1;
                let pause = error.as_ref().and_then(|error| match &**error {
                    // Its placeholder is at the destination now.
                    Error::CopyFailed { .. } if self.faults <= MOST_CHANGES => Some(None),
                    error => patience::pause(error, self.faults).map(Some),
                });
                match pause {
                    None => Next::Ended(task, Outcome::Failed, error),
                    Some(None) => self.look_again(task, error).await,
                    Some(Some(pause)) => {
                        pause.await;
                        Next::Again(task)
                    }
                }
            }
        }
    }

    /// Reads the destination, which is not as the listing had it.
    async fn look_again(&mut self, mut task: Task, error: Option<Box<Error>>) -> Next {
        if self.looks == MOST_LOOKS {
            return Next::Ended(task, Outcome::Failed, error);
        }
        self.looks += 1;
        let fresh = match look(&task).await {
            Ok(fresh) => fresh,
            Err(error) => return Next::Ended(task, Outcome::Failed, Some(error.into())),
        };
        let Some(fresh) = fresh else {
            task.existing = None;
            return Next::Again(task);
        };
        let difference = same::difference(&task.item, &fresh, task.kept());
        // What differs in its date alone was written by us, or by another run from this source.
        let alike = same::is_alike(&task.item, &fresh, task.kept());
        let Settings { moves, verify, content, .. } = task.shared.settings;
        // To copy over it would put the blob at risk: in a move, another run that has proved this
        // copy may delete the source at any moment.
        if alike && moves || difference.is_none() && (verify || content) {
            task.existing = Some(fresh);
            return Next::Compare(task);
        }
        if difference.is_none() {
            let outcome = if self.ambiguous { Outcome::Copied } else { Outcome::Same };
            return Next::Ended(task, outcome, None);
        }
        let copy = fresh.properties.copy.as_ref();
        let is_pending = copy.is_some_and(|copy| copy.status == CopyStatus::Pending);
        let is_our_source = copy.is_some_and(|copy| task.source().is_source_of(copy));
        if is_pending && !is_our_source {
            return Next::Ended(task, Outcome::Failed, error);
        }
        let was_ours =
            self.earlier.iter().any(|earlier| same::is_alike(earlier, &fresh, task.kept()));
        let is_ours = is_our_source || same::has_mark(&fresh) || alike || was_ours;
        let was_there = task.existing.is_some();
        task.existing = Some(fresh);
        match is_ours {
            true => Next::Again(task),
            // Somebody else has written over the blob since it was listed: that is not lost.
            false if was_there => Next::Ended(task, Outcome::Failed, error),
            false => decided_anew(task),
        }
    }
}

fn decided_anew(task: Task) -> Next {
    match task.decided() {
        (task, Decision::Leave(outcome)) => Next::Ended(task, outcome, None),
        (task, Decision::Copy | Decision::Compare) => Next::Again(task),
    }
}

/// The source as it is now.
async fn take_anew(task: &Task) -> Result<Box<BlobItem>> {
    read(&task.source(), &task.item.name, task.shared.settings.tags).await
}

/// The destination as it is now.
async fn look(task: &Task) -> Result<Option<Box<BlobItem>>> {
    match read(&task.destination(), &task.name, task.shared.settings.tags).await {
        Ok(item) => Ok(Some(item)),
        Err(error) if is_not_there(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads a blob as a listing would have it. Passing errors are ridden out.
async fn read(blob: &BlobClient, name: &str, tags: bool) -> Result<Box<BlobItem>> {
    let mut faults = 0;
    loop {
        let error = match read_once(blob, name, tags).await {
            Ok(item) => return Ok(item),
            Err(error) => error,
        };
        faults += 1;
        match patience::pause(&error, faults) {
            None => return Err(error),
            Some(pause) => pause.await,
        }
    }
}

async fn read_once(blob: &BlobClient, name: &str, tags: bool) -> Result<Box<BlobItem>> {
    let properties = blob.get_properties().await?;
    let tags = match tags && properties.tag_count.is_some_and(|count| count > 0) {
        true => blob.get_tags().await?,
        false => Tags::new(),
    };
    // The blob itself is meant, whatever its current version is.
    let properties = BlobProperties { version_id: None, ..properties };
    Ok(Box::new(BlobItem { name: name.to_owned(), properties, tags, ..BlobItem::default() }))
}

/// Whether the service itself says that there is no such blob. A container that is gone is another
/// matter, and so is a gateway's 404, which has no code.
pub(crate) fn is_not_there(error: &Error) -> bool {
    error.code() == Some(&ErrorCode::BlobNotFound)
}

/// The end of a blob of the source.
pub(crate) fn ended(
    task: &Task,
    outcome: Outcome,
    error: Option<&Error>,
    carried: Option<Carried>,
) -> Done {
    let name = redact(&task.item.name).into_owned();
    let failure = is_failure(outcome).then(|| {
        let urls = (task.source().url(), task.destination().url());
        Box::new(failed(&task.item.name, urls, outcome, error))
    });
    let bytes = carried.as_ref().map_or(0, |carried| carried.bytes);
    let route = carried.is_some().then_some(task.route);
    let receipt = carried.as_ref().and_then(|carried| Receipt::of_copy(task, carried));
    let receipt = receipt.map(Box::new);
    let (changed_metadata, left_behind) =
        carried.map(|carried| (carried.changed_metadata, carried.left_behind)).unwrap_or_default();
    let finished = Finished {
        name,
        outcome,
        route,
        bytes,
        changed_metadata,
        tier_not_kept: None,
        receipt,
        left_behind,
    };
    Done { finished, length: task.item.properties.content_length, failure }
}

/// What is told of a failure.
pub(crate) fn failed(
    name: &str,
    (source, destination): (Result<url::Url>, Result<url::Url>),
    outcome: Outcome,
    error: Option<&Error>,
) -> Failure {
    let shown = |url: Result<url::Url>| match url {
        Ok(mut url) => {
            url.set_query(None);
            redact(url.as_str()).into_owned()
        }
        Err(_) => String::new(),
    };
    let request_id = match error {
        Some(Error::Service(refusal)) => refusal.request_id.clone(),
        _ => None,
    };
    let may_be_mended = match (outcome, error) {
        (Outcome::Skipped(why), _) => why == Skipped::PendingCopy,
        (_, Some(Error::InvalidInput { .. })) => false,
        _ => true,
    };
    Failure {
        name: redact(name).into_owned(),
        source: shown(source),
        destination: shown(destination),
        outcome,
        code: error.and_then(Error::code).map(ToString::to_string),
        message: error.map_or_else(|| reason(outcome).to_owned(), ToString::to_string),
        request_id,
        may_be_mended,
    }
}

/// Why, where no error says so.
fn reason(outcome: Outcome) -> &'static str {
    use Skipped::{CustomerKey, ForeignBlocks, Name, OtherType, Overlap, PendingCopy};
    match outcome {
        Outcome::Changed => "the source was modified again and again",
        Outcome::Skipped(Name) => "the name cannot be used",
        Outcome::Skipped(Overlap) => "its copy would overwrite another blob of the source",
        Outcome::Skipped(OtherType) => "the destination exists and has another blob type",
        Outcome::Skipped(ForeignBlocks) => "the destination has uncommitted blocks of another tool",
        Outcome::Skipped(PendingCopy) => "a copy into the source is pending",
        Outcome::Skipped(CustomerKey) => "the source is encrypted with a customer-provided key",
        _ => "the destination changed during the run",
    }
}
