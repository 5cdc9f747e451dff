//! What an error of the library means at the terminal: its exit code, and what to do.

use blobcopy::{Error, ServiceError};

use super::{Failure, one_line};
use crate::exit::Exit;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let failure = Self::new(exit(&error), message(&error), advice(&error));
        let (Self::Told(mut told), Error::Service(refusal)) = (failure, &error) else {
            return Self::new(exit(&error), message(&error), advice(&error));
        };
        told.status = Some(refusal.status.as_u16());
        told.code = Some(refusal.code.to_string()).filter(|code| !code.is_empty());
        told.of_source = is_of_source(refusal);
        told.request_id = refusal.request_id.clone();
        Self::Told(told)
    }
}

fn exit(error: &Error) -> Exit {
    match error {
        Error::CopyFailed { .. } => Exit::CopyFailed,
        Error::CopyAborted { .. }
        | Error::CopySuperseded { .. }
        | Error::CopyDestinationGone { .. }
        | Error::NoCopyProperties { .. } => Exit::CopyLost,
        Error::WaitTimedOut { polls_answered: 0, cause: Some(_), .. } => Exit::Unreachable,
        Error::WaitTimedOut { .. } => Exit::Pending,
        Error::InvalidInput { .. } => Exit::Usage,
        Error::Service(_) if !error.is_retryable() => Exit::Refused,
        _ => Exit::Unreachable,
    }
}

fn message(error: &Error) -> String {
    match error {
        Error::Service(refusal) => refused(refusal),
        error => error.to_string(),
    }
}

/// Whether a copy was refused for its source. A copy makes its destination: the blob that it misses
/// is the source.
fn is_of_source(refusal: &ServiceError) -> bool {
    let code = refusal.code.as_str();
    refusal.source_status.is_some()
        || refusal.source_code.is_some()
        || code.contains("CopySource")
        || code.contains("SourceBlob")
        || matches!(code, "SourceConditionNotMet" | "IncrementalCopyOfEarlierSnapshotNotAllowed")
        || is_copy(refusal) && matches!(code, "BlobNotFound" | "BlobArchived")
}

fn is_copy(refusal: &ServiceError) -> bool {
    matches!(refusal.operation, "Copy Blob" | "Copy Blob From URL" | "Incremental Copy Blob")
}

/// What the service said, with the answer of a copy's source.
fn refused(refusal: &ServiceError) -> String {
    let code = match refusal.code.as_str() {
        "" => refusal.status.canonical_reason().unwrap_or("without a code"),
        code => code,
    };
    let mut text = format!("{}: {} {code}", refusal.operation, refusal.status.as_u16());
    let source_code = refusal.source_code.as_ref().map(ToString::to_string);
    if refusal.source_status.is_some() || source_code.is_some() {
        let status = refusal.source_status.map(|status| status.as_u16().to_string());
        let words: Vec<String> = status.into_iter().chain(source_code).collect();
        text = format!("{text}; the source answered {}", words.join(" "));
    }
    let said = one_line(refusal.source_message.as_deref().unwrap_or(&refusal.message));
    if said.is_empty() { text } else { format!("{text}: {said}") }
}

fn advice(error: &Error) -> &'static str {
    match error {
        Error::Service(refusal) => refusal_advice(refusal),
        Error::Transport { .. } | Error::Timeout { .. } if error.may_have_been_applied() => {
            "it may have been done all the same: look with `blobcopy status` before you repeat it"
        }
        Error::Transport { .. } | Error::Timeout { .. } => {
            "check the endpoint, the network and the proxy, and run the command again"
        }
        Error::Credential { .. } => {
            "log in (az login), or name another credential: --login=KIND, --key-file, --sas-file"
        }
        Error::InvalidInput { .. } => "correct the argument; --help shows examples",
        Error::UnexpectedResponse { .. } => {
            "check that the endpoint is the blob service's: a proxy or portal may have answered"
        }
        Error::CopyFailed { .. } => "mend what the service names, and start the copy again",
        Error::CopyAborted { .. } => "start the copy again if it was not meant to be aborted",
        Error::CopySuperseded { .. } => {
            "look at the copy that took its place: blobcopy status DEST"
        }
        Error::CopyDestinationGone { .. } => "start the copy again, if it is still wanted",
        Error::NoCopyProperties { .. } => {
            "check the name: the blob was not copied there, or was written since"
        }
        Error::WaitTimedOut { .. } => {
            "the copy goes on: follow it with `blobcopy status DEST --wait`, or end it with \
             `blobcopy abort DEST`"
        }
        _ => "run the command with -v to see the requests",
    }
}

fn refusal_advice(refusal: &ServiceError) -> &'static str {
    let status = refusal.status.as_u16();
    match refusal.code.as_str() {
        "CannotVerifyCopySource" => source_advice(refusal),
        "PendingCopyOperation" => {
            "a copy into it is pending: `blobcopy status DEST --wait` follows it, `blobcopy abort \
             DEST` ends it"
        }
        "NoPendingCopyOperation" => "no copy is pending: `blobcopy status DEST` says how it ended",
        "IncrementalCopyOfEarlierSnapshotNotAllowed" => {
            "this snapshot or a later one is copied already: copy a new one with --snapshot new"
        }
        "IncrementalCopyBlobMismatch" => {
            "DEST is there, and not by incremental copies of this source: copy to a new blob"
        }
        "IncrementalCopySourceMustBeSnapshot" => {
            "name a snapshot: SOURCE@TIME, --snapshot latest or --snapshot new"
        }
        "OperationNotAllowedOnIncrementalCopyBlob" => match refusal.operation {
            "Snapshot Blob" => {
                "the blob is made by incremental copies, and each is a snapshot: name one, \
                 BLOB@TIME or BLOB@latest"
            }
            "Get Blob" | "Get Page Ranges" => {
                "incremental copies are read through their snapshots: name one, BLOB@TIME or \
                 BLOB@latest"
            }
            _ => {
                "the blob is made by incremental copies, and nothing else may be written there: \
                 name another"
            }
        },
        "BlobOverwritten" if refusal.operation == "Get Page Ranges" => {
            "the blob was created again since the first snapshot: compare it with one taken after \
             that"
        }
        "CopySourceCannotBeIncrementalCopyBlob" => {
            "the source is made by incremental copies: copy one of its snapshots, SOURCE@TIME or \
             SOURCE@latest"
        }
        "InvalidSourceBlobType" if refusal.operation == "Incremental Copy Blob" => {
            "only page blobs are copied incrementally: `blobcopy copy SOURCE DEST` copies any blob"
        }
        "InvalidSourceBlobType" => {
            "--sync copies block blobs only: leave it out, and the service copies any blob"
        }
        "BlobOverwritten" => {
            "the source was created again: start a new series of incremental copies to a new blob"
        }
        "InfiniteLeaseDurationRequired" => "a copy into a leased blob needs an infinite lease",
        "SnapshotsPresent" => {
            "delete its snapshots too (--snapshots include), or only them (--snapshots only)"
        }
        "ContainerAlreadyExists" => "--if-missing makes that a success",
        "ContainerNotFound" => "check the account and the name, or `blobcopy create CONTAINER`",
        "ContainerBeingDeleted" => "the container is being deleted: try again in a minute",
        "BlobNotFound" => "check the container, the name, and the snapshot, if one is named",
        "SnapshotNotFound" => "`blobcopy snapshots BLOB` lists those that exist",
        "LeaseIdMissing" => "the blob is leased: give --lease-id",
        "LeaseIdMismatchWithBlobOperation" => "check --lease-id: another lease holds the blob",
        "LeaseNotPresentWithBlobOperation" => "leave --lease-id out: the blob is not leased",
        "ConditionNotMet" | "SourceConditionNotMet" | "TargetConditionNotMet" => {
            "the blob is not as the condition says: look at it, and decide again"
        }
        "SequenceNumberConditionNotMet" => {
            "another program has taken the blob over meanwhile: see which, and put the file again"
        }
        "BlobAlreadyExists" => "name another blob, or leave the condition out",
        "BlobArchived" => "rehydrate it first: copy it with --tier and --rehydrate-priority",
        "InvalidBlobType" if is_copy(refusal) => {
            "DEST is there and of another type, which no copy changes: name another blob, or \
             delete it first"
        }
        "InvalidBlobType" => match refusal.operation {
            "Get Page Ranges" => "only page blobs tell what changed, and this is another blob",
            "Put Blob" | "Put Block" | "Put Block List" => {
                "that blob is of another type: page blobs take --page"
            }
            "Put Page" | "Set Blob Properties" => {
                "that blob is no page blob: leave --page out, or delete it first"
            }
            _ => "that blob is of another type: name another one",
        },
        "AuthenticationFailed" => {
            "check the key, or the SAS and its times, and that this computer's clock is right"
        }
        "AuthorizationFailure" => "the account's firewall or settings do not let this request in",
        "AuthorizationPermissionMismatch" | "AuthorizationProtocolMismatch" => {
            "the SAS or the role does not allow this: get one that does, such as Storage Blob Data \
             Contributor"
        }
        "NoAuthenticationInformation" | "ResourceNotFound" | "PublicAccessNotPermitted" => {
            "it is not public: give a credential, such as --key-file, --sas-file or --login"
        }
        _ if matches!(status, 401 | 403) => {
            "check the credential, and that it allows this on the blob"
        }
        _ if status == 404 => "check the account, the container and the name",
        _ if matches!(status, 429 | 500 | 503) => "the service is busy: run the command again",
        _ if (300..400).contains(&status) => {
            "check the endpoint: something on the way answered in the service's place"
        }
        _ => "mend what the service names, and run the command again",
    }
}

/// What to do about a source that the service could not read.
fn source_advice(refusal: &ServiceError) -> &'static str {
    let code = refusal.source_code.as_ref().map(|code| code.as_str());
    match refusal.source_status.unwrap_or(refusal.status).as_u16() {
        404 if matches!(code, Some("BlobNotFound" | "ContainerNotFound")) => {
            "there is no such source: check its container, its name and its snapshot"
        }
        401 | 403 | 404 | 409 => {
            "the service may not read the source: give its credential with --source-…, or a URL \
             with a SAS"
        }
        304 | 412 => "a condition on the source is not met",
        _ => "check the source, and run the command again",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endings_have_the_codes_that_help_promises() {
        let id: blobcopy::CopyId = "1".parse().expect("an id");
        let bad = "".parse::<blobcopy::CopyId>().expect_err("refused");
        assert_eq!(exit(&bad), Exit::Usage);
        assert!(message(&bad).contains("copy id"), "{}", message(&bad));
        let _ = id;
    }
}
