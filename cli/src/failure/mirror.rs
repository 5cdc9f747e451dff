//! What an error of a mirror means at the terminal.

use blobcopy::{
    Error,
    disks::{BrokenSeries, MirrorError},
};

use super::Failure;
use crate::{exit::Exit, names};

impl From<MirrorError> for Failure {
    fn from(error: MirrorError) -> Self {
        let message = shown(&error);
        let (exit, advice) = match error {
            MirrorError::Call(error) => return Self::of_mirrors_call(error),
            MirrorError::Busy { .. } => (
                Exit::Unfinished,
                "wait for it with --wait; if that run is known to be dead, --take-lock breaks its \
                 lock, which ends by itself within a minute",
            ),
            MirrorError::LockLost { .. } => {
                (Exit::Unfinished, "run the same command again: it goes on where this one stopped")
            }
            MirrorError::NotNow { .. } => {
                (Exit::Unfinished, "run the same command again, when that has passed")
            }
            MirrorError::TooManySnapshots { .. } => (
                Exit::Refused,
                "remove some with `blobcopy prune`, or mirror with rules such as --keep-last",
            ),
            MirrorError::SeriesBroken { destination, reason, .. } => {
                return Self::series_broken(&destination, &reason);
            }
            MirrorError::Refused { .. } => {
                (Exit::Refused, "mend what is named, and run the command again; --plan looks first")
            }
            _ => (Exit::Refused, "mend what is named, and run the command again"),
        };
        Self::new(exit, message, advice)
    }
}

impl Failure {
    /// A call of a mirror, a restore or a prune: it names the blob or container, which may be on
    /// either side.
    fn of_mirrors_call(error: Error) -> Self {
        let url = match &error {
            Error::Service(refusal) => Some(refusal.url.clone()),
            _ => None,
        };
        let failure = Self::from(error);
        let is = |codes: &[&str]| codes.iter().any(|code| failure.is_code(code));
        // These commands have no flags for leases and conditions.
        let advice = if is(&["LeaseIdMissing", "LeaseIdMismatchWithBlobOperation"]) {
            Some(
                "somebody else holds a lease on the blob, such as a machine that uses the disk: \
                 end that, or name another blob",
            )
        } else if is(&["ConditionNotMet", "TargetConditionNotMet", "BlobAlreadyExists"]) {
            Some(
                "another program changed the blob meanwhile: look at it, and run the command again",
            )
        } else {
            None
        };
        let failure = match advice {
            Some(advice) => failure.advising(advice),
            None => failure,
        };
        match url.and_then(|url| url.parse().ok()) {
            Some(url) => failure.at(&url),
            None => failure,
        }
    }

    /// A series of incremental copies that cannot go on.
    pub(crate) fn series_broken(destination: &str, reason: &BrokenSeries) -> Self {
        let destination = names::of_source(destination);
        Self::new(
            Exit::Hopeless,
            format!("{destination}: the series of incremental copies is broken: {reason}"),
            "go on in a new blob beside it, whose first copy is a whole one: add --new-generation",
        )
    }
}

/// What happened. A name that only looks like a secret is shown as it is.
fn shown(error: &MirrorError) -> String {
    let mut text = error.to_string();
    if let MirrorError::Busy { destination, .. } | MirrorError::LockLost { destination, .. } = error
    {
        text = text.replacen(destination, &names::of_source(destination), 1);
    }
    text
}
