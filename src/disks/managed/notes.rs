//! The notes of what a mirror has been granted.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{Result, transport::BoxFuture};

/// Where granted access is noted before it is granted, so that a later run can give it back: the
/// mirror's marker blob.
pub(crate) trait NotedGrants: std::fmt::Debug + Send + Sync {
    /// The ids of the snapshots that a run has been granted, as they were noted last.
    fn noted(&self) -> BoxFuture<'_, Result<Vec<String>>>;

    /// Notes these in place of those before.
    fn note(&self, snapshots: Vec<String>) -> BoxFuture<'_, Result<()>>;
}

/// Of access that others have granted nothing is noted, and the notes of others stay as they are.
#[derive(Debug)]
pub(super) struct NoNotes;

impl NotedGrants for NoNotes {
    fn noted(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    fn note(&self, _: Vec<String>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

/// What a note begins with of a snapshot that is given back, but may be granted late.
const LATE_NOTE: &str = "late ";

/// Until when a snapshot may be granted late, and its id.
pub(super) fn late_note(note: &str) -> Option<(OffsetDateTime, &str)> {
    let (until, id) = note.strip_prefix(LATE_NOTE)?.split_once(' ')?;
    Some((OffsetDateTime::parse(until, &Rfc3339).ok()?, id))
}

/// The note of a snapshot that may be granted late, until then.
pub(super) fn note_of_late(until: OffsetDateTime, id: &str) -> Option<String> {
    Some(format!("{LATE_NOTE}{} {id}", until.format(&Rfc3339).ok()?))
}
