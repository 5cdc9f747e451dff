//! What to do about an error response, where its code allows advice.

use std::borrow::Cow;

use super::ServiceError;
use crate::models::ErrorCode;

/// Advice to the user.
type Advice = Cow<'static, str>;

/// The operations that copy a blob: for them `BlobNotFound` is about the source.
const COPIES: [&str; 4] =
    ["Copy Blob", "Incremental Copy Blob", "Copy Blob From URL", "Put Blob From URL"];

impl ServiceError {
    /// What to do about this error, if the code allows advice.
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
                "this snapshot or a later one has already been copied: take a new snapshot"
            }
            ErrorCode::IncrementalCopyBlobMismatch => {
                "the destination was not made by incremental copies of this source: copy to a new \
                 blob, or copy from the source of its first incremental copy"
            }
            ErrorCode::IncrementalCopyBlobPreviousSnapshotDoesNotExist => {
                "the source snapshot that was copied last has been deleted, so this series cannot \
                 continue: start a new one to a new blob, and keep each snapshot until the next is \
                 copied"
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
                "the blob was recreated after the earlier snapshot: list all of its page ranges"
            }
            ErrorCode::BlobOverwritten => {
                "the source was recreated: start a new series of incremental copies to a new blob"
            }
            ErrorCode::InfiniteLeaseDurationRequired => {
                "a copy into a leased blob needs an infinite lease"
            }
            ErrorCode::InvalidHeaderValue if self.blames_the_version() => {
                "the service does not know the request's service version: set an older one with \
                 ClientOptions::service_version, or start Azurite with --skipApiVersionCheck"
            }
            // A response to HEAD does not name the header.
            ErrorCode::InvalidHeaderValue if self.message.is_empty() && self.details.is_empty() => {
                "most likely the service does not know the request's service version: set an older \
                 one with ClientOptions::service_version, or start Azurite with \
                 --skipApiVersionCheck"
            }
            ErrorCode::InvalidBlobType if copies => {
                "the destination exists and has another blob type, which a copy cannot change: \
                 delete it first, or copy to another name"
            }
            ErrorCode::InvalidBlobType if self.operation == "Get Page Ranges" => {
                "only page blobs have page ranges"
            }
            ErrorCode::InvalidBlobType => {
                "the operation needs another blob type: get_properties() returns the blob's type"
            }
            ErrorCode::OperationTimedOut if self.operation == "Get Page Ranges" => {
                "the blob has too many ranges for one response: list it in parts with range(..)"
            }
            ErrorCode::SnapshotsPresent => "delete the snapshots as well, or keep the blob",
            ErrorCode::NoAuthenticationInformation => {
                "the request carried no credential and the blob is not public: give the client a \
                 key, a SAS or a token"
            }
            ErrorCode::AuthorizationPermissionMismatch => {
                "the SAS lacks the permission that the operation needs, or the identity lacks a \
                 role such as Storage Blob Data Contributor; a new \
                 role takes effect within 10 minutes"
            }
            ErrorCode::AuthorizationFailure => {
                "most likely the account's firewall blocks the client's network"
            }
            _ if !self.from_service
                && (self.status.is_client_error() || self.status.is_redirection()) =>
            {
                "the response has none of the service's headers: a proxy or gateway sent it"
            }
            _ => return None,
        })
    }

    /// What to do about a source that the service could not read, by the source's response.
    fn advice_on_the_source(&self) -> Option<Advice> {
        use ErrorCode::{
            AuthorizationFailure, BlobNotFound, ContainerNotFound, PublicAccessNotPermitted,
        };
        let code = self.source_code.as_ref();
        let text = match self.source_status.unwrap_or(self.status).as_u16() {
            // A caller without access to a container gets another code: ResourceNotFound.
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
            // Only the service's own timeout: the source did not respond.
            400 | 408 | 500..=504 if self.source_status.is_none() => {
                "the service got no response from the source: check the name of its host, and that \
                 the host can be reached from the internet"
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

    /// Whether the rejected header is `x-ms-version`. Azurite says so only in the message.
    fn blames_the_version(&self) -> bool {
        match self.details.get("HeaderName") {
            Some(name) => name.eq_ignore_ascii_case("x-ms-version"),
            None => self.message.contains("API version"),
        }
    }

    /// Whether a SAS was rejected for its start or expiry.
    fn blames_the_time(&self) -> bool {
        let mut texts = self.details.values().chain([&self.message]);
        texts.any(|text| text.contains("not valid in the specified time frame"))
    }

    /// Whether a firewall at the source blocked the service. Before version 2024-08-04 only the
    /// message says so; the message about a missing permission begins the same way and is longer.
    fn tells_of_a_firewall(&self) -> bool {
        const REFUSED: &str = "This request is not authorized to perform this operation.";
        let message = self.source_message.as_ref().unwrap_or(&self.message);
        self.source_code.is_none() && message.trim() == REFUSED
    }
}

const NO_SOURCE: &str = "there is no such source: check its container, its name, and its snapshot \
     or version";

const UNREADABLE: &str = "the service could not read the source: it must be public, or its URL \
     must carry a SAS with read permission that is still valid";

const UNREADABLE_OR_ABSENT: &str = "the service could not read the source: check that its host and \
     the blob exist, and that the blob is public or its URL carries a SAS with read permission \
     that is still valid";

#[cfg(test)]
#[path = "advice_tests.rs"]
mod tests;
