//! What to do about a refusal, where its code says so.

use std::borrow::Cow;

use super::ServiceError;
use crate::models::ErrorCode;

/// Advice, in words of this crate.
type Advice = Cow<'static, str>;

/// Which operations copy a blob, so that they need not find one at their URL.
const COPIES: [&str; 4] =
    ["Copy Blob", "Incremental Copy Blob", "Copy Blob From URL", "Put Blob From URL"];

impl ServiceError {
    /// What to do about it, where the code says so.
    pub(super) fn advice(&self) -> Option<Advice> {
        if let Some(text) = self.fixed_advice() {
            return Some(Cow::Borrowed(text));
        }
        match &self.code {
            ErrorCode::CannotVerifyCopySource => self.advice_on_the_source(),
            ErrorCode::AuthenticationFailed => Some(self.advice_on_authentication()),
            _ => None,
        }
    }

    /// The advice that depends on the code and the operation alone.
    fn fixed_advice(&self) -> Option<&'static str> {
        let copies = COPIES.contains(&self.operation);
        Some(match &self.code {
            ErrorCode::BlobNotFound if copies => NO_SOURCE,
            ErrorCode::PendingCopyOperation => {
                "the destination has a pending copy: wait for it, or abort it with \
                 abort_pending_copy()"
            }
            ErrorCode::IncrementalCopyOfEarlierSnapshotNotAllowed => {
                "this snapshot, or a later one, has been copied already: take a new snapshot"
            }
            ErrorCode::IncrementalCopyBlobMismatch => {
                "the destination was not made by incremental copies of this source: copy to a new \
                 blob, or from the source of its first incremental copy"
            }
            ErrorCode::IncrementalCopyBlobPreviousSnapshotDoesNotExist => {
                "the source's snapshot that was copied last is deleted, so this series cannot go on: \
                 start a new one to a new blob, and keep each snapshot until the next is copied"
            }
            ErrorCode::IncrementalCopySourceMustBeSnapshot => {
                "create a snapshot of the source and copy that"
            }
            ErrorCode::CopySourceCannotBeIncrementalCopyBlob => {
                "the source is the destination of incremental copies: copy one of its snapshots"
            }
            ErrorCode::OperationNotAllowedOnIncrementalCopyBlob => {
                "the destination of incremental copies cannot be read or written: use its \
                 snapshots"
            }
            ErrorCode::BlobOverwritten if self.operation == "Get Page Ranges" => {
                "the blob was created again since the earlier snapshot: list all of its page ranges"
            }
            ErrorCode::BlobOverwritten => {
                "the source was created again: start a new series of incremental copies to a new \
                 blob"
            }
            ErrorCode::InfiniteLeaseDurationRequired => {
                "a copy into a leased blob needs an infinite lease"
            }
            ErrorCode::InvalidHeaderValue if self.blames_the_version() => {
                "the service does not know the service version of the request: set an older one \
                 with ClientOptions::service_version, or start Azurite with --skipApiVersionCheck"
            }
            // An answer to HEAD does not say which header it is about.
            ErrorCode::InvalidHeaderValue if self.message.is_empty() && self.details.is_empty() => {
                "most often the service does not know the service version of the request: set an \
                 older one with ClientOptions::service_version, or start Azurite with \
                 --skipApiVersionCheck"
            }
            ErrorCode::InvalidBlobType if copies => {
                "the destination exists and is a blob of another type, which a copy cannot change: \
                 delete it first, or copy to another name"
            }
            ErrorCode::InvalidBlobType if self.operation == "Get Page Ranges" => {
                "only page blobs have page ranges"
            }
            ErrorCode::InvalidBlobType => {
                "the blob is of another type than the operation needs: get_properties() tells its type"
            }
            ErrorCode::OperationTimedOut if self.operation == "Get Page Ranges" => {
                "the blob has too many ranges for one answer: list it in parts with range(..)"
            }
            ErrorCode::SnapshotsPresent => "delete the snapshots as well, or keep the blob",
            ErrorCode::NoAuthenticationInformation => {
                "the request carried no credential and the blob is not public: give the client a key, \
                 a SAS or a token"
            }
            ErrorCode::AuthorizationPermissionMismatch => {
                "the SAS lacks the permission that the operation needs, or the identity a role such as \
                 Storage Blob Data Contributor; a new role takes effect within 10 minutes"
            }
            ErrorCode::AuthorizationFailure => {
                "most often the account's firewall blocks the network that the request comes from"
            }
            _ if !self.from_service
                && (self.status.is_client_error() || self.status.is_redirection()) =>
            {
                "the answer has none of the service's headers: a proxy or gateway on the way gave it"
            }
            _ => return None,
        })
    }

    /// What to do about a source that the service could not read, by what the source answered.
    fn advice_on_the_source(&self) -> Option<Advice> {
        use ErrorCode::{
            AuthorizationFailure, BlobNotFound, ContainerNotFound, PublicAccessNotPermitted,
        };
        let code = self.source_code.as_ref();
        let text = match self.source_status.unwrap_or(self.status).as_u16() {
            // Who may not read a container is told that there is no such resource: another code.
            404 if matches!(code, Some(BlobNotFound | ContainerNotFound)) => NO_SOURCE,
            403 if code == Some(&AuthorizationFailure) || self.tells_of_a_firewall() => {
                "the firewall of the source's account blocks the service's read: allow the \
                 destination's account there, or copy with upload_pages_from_uri or \
                 stage_block_from_uri from a network that both accounts allow"
            }
            401 | 403 | 404 => {
                if let Some(text) = self.evidence.as_ref().and_then(|e| e.advice_on_source()) {
                    return Some(Cow::Owned(text));
                }
                match code {
                    Some(_) => UNREADABLE,
                    None => UNREADABLE_OR_ABSENT,
                }
            }
            409 if code == Some(&PublicAccessNotPermitted) => {
                "the source is not public: its URL must carry a SAS with read permission"
            }
            304 | 412 => "a condition on the source is not met",
            // Nothing but the service's own timeout: the source gave no answer.
            400 | 408 | 500..=504 if self.source_status.is_none() => {
                "the service got no answer from the source: check the name of its host, and that the \
                 host can be reached from the internet"
            }
            _ => return None,
        };
        Some(Cow::Borrowed(text))
    }

    fn advice_on_authentication(&self) -> Advice {
        let evidence = self.evidence.as_ref();
        let known = evidence.map(|evidence| evidence.advice(self.blames_the_time()));
        known.map_or(Cow::Borrowed("check the key, the SAS or the token"), Cow::Owned)
    }

    /// Whether the refused header is `x-ms-version`. Azurite says so in words only.
    fn blames_the_version(&self) -> bool {
        match self.details.get("HeaderName") {
            Some(name) => name.eq_ignore_ascii_case("x-ms-version"),
            None => self.message.contains("API version"),
        }
    }

    /// Whether a SAS is refused for its start or its expiry.
    fn blames_the_time(&self) -> bool {
        let mut texts = self.details.values().chain([&self.message]);
        texts.any(|text| text.contains("not valid in the specified time frame"))
    }

    /// Whether the source refused the service for where it comes from. Before version 2024-08-04
    /// the message alone says so; that on a missing permission goes on behind it.
    fn tells_of_a_firewall(&self) -> bool {
        const REFUSED: &str = "This request is not authorized to perform this operation.";
        let message = self.source_message.as_ref().unwrap_or(&self.message);
        self.source_code.is_none() && message.trim() == REFUSED
    }
}

const NO_SOURCE: &str = "there is no such source: check its container, its name, and the snapshot or version that it \
     names";

const UNREADABLE: &str = "the service could not read the source: it must be public, or its URL must carry a SAS with \
     read permission that is still valid";

const UNREADABLE_OR_ABSENT: &str = "the service could not read the source: check that its host and the blob exist, and that the \
     blob is public or its URL carries a SAS with read permission that is still valid";

#[cfg(test)]
#[path = "advice_tests.rs"]
mod tests;
