//! The service's error codes.
//!
//! From [Blob Storage error
//! codes](https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes) and
//! [Common REST API error codes](https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes).

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

use super::words::open_enum;

open_enum! {
    /// Why the service refused: the value of `x-ms-error-code`, or of `Code` in the body.
    ///
    /// Open, since the service adds codes: one that is not known is kept in
    /// [`Other`](ErrorCode::Other).
    ///
    /// ```
    /// use blobcopy::ErrorCode;
    ///
    /// assert_eq!(ErrorCode::from("BlobNotFound"), ErrorCode::BlobNotFound);
    /// assert_eq!(ErrorCode::from("Unheard").as_str(), "Unheard");
    /// ```
    ErrorCode {
        /// The service version or the destination account is too old to copy from another account.
        /// Comes with 400.
        CopyAcrossAccountsNotSupported = "CopyAcrossAccountsNotSupported",
        /// Invalid header value. Comes with 400.
        InvalidHeaderValue = "InvalidHeaderValue",
        /// Invalid input. Comes with 400.
        InvalidInput = "InvalidInput",
        /// Invalid uri. Comes with 400.
        InvalidUri = "InvalidUri",
        /// Invalid query parameter value. Comes with 400.
        InvalidQueryParameterValue = "InvalidQueryParameterValue",
        /// Invalid resource name. Comes with 400.
        InvalidResourceName = "InvalidResourceName",
        /// Invalid md5. Comes with 400.
        InvalidMd5 = "InvalidMd5",
        /// Md5 mismatch. Comes with 400.
        Md5Mismatch = "Md5Mismatch",
        /// Crc64 mismatch. Comes with 400.
        Crc64Mismatch = "Crc64Mismatch",
        /// Invalid metadata. Comes with 400.
        InvalidMetadata = "InvalidMetadata",
        /// Metadata too large. Comes with 400.
        MetadataTooLarge = "MetadataTooLarge",
        /// Empty metadata key. Comes with 400.
        EmptyMetadataKey = "EmptyMetadataKey",
        /// Missing required header. Comes with 400.
        MissingRequiredHeader = "MissingRequiredHeader",
        /// Missing required query parameter. Comes with 400.
        MissingRequiredQueryParameter = "MissingRequiredQueryParameter",
        /// Multiple condition headers not supported. Comes with 400.
        MultipleConditionHeadersNotSupported = "MultipleConditionHeadersNotSupported",
        /// Condition headers not supported. Comes with 400.
        ConditionHeadersNotSupported = "ConditionHeadersNotSupported",
        /// Out of range input. Comes with 400.
        OutOfRangeInput = "OutOfRangeInput",
        /// Out of range query parameter value. Comes with 400.
        OutOfRangeQueryParameterValue = "OutOfRangeQueryParameterValue",
        /// Unsupported header. Comes with 400.
        UnsupportedHeader = "UnsupportedHeader",
        /// Unsupported query parameter. Comes with 400.
        UnsupportedQueryParameter = "UnsupportedQueryParameter",
        /// Invalid blob tier. Comes with 400.
        InvalidBlobTier = "InvalidBlobTier",
        /// Invalid block id. Comes with 400.
        InvalidBlockId = "InvalidBlockId",
        /// Invalid block list. Comes with 400.
        InvalidBlockList = "InvalidBlockList",
        /// Invalid blob or block. Comes with 400.
        InvalidBlobOrBlock = "InvalidBlobOrBlock",
        /// Block list too long. Comes with 400.
        BlockListTooLong = "BlockListTooLong",
        /// Invalid operation. Comes with 400.
        InvalidOperation = "InvalidOperation",
        /// Invalid version for page blob operation. Comes with 400.
        InvalidVersionForPageBlobOperation = "InvalidVersionForPageBlobOperation",
        /// Previous snapshot cannot be newer. Comes with 400.
        PreviousSnapshotCannotBeNewer = "PreviousSnapshotCannotBeNewer",
        /// Invalid xml document. Comes with 400.
        InvalidXmlDocument = "InvalidXmlDocument",
        /// No authentication information. Comes with 401.
        NoAuthenticationInformation = "NoAuthenticationInformation",
        /// Invalid authentication info. Comes with 401.
        InvalidAuthenticationInfo = "InvalidAuthenticationInfo",
        /// The signature or the token is wrong, has expired, or the clock is off by more than 15
        /// minutes. Comes with 403.
        AuthenticationFailed = "AuthenticationFailed",
        /// Authorization failure. Comes with 403.
        AuthorizationFailure = "AuthorizationFailure",
        /// Authorization permission mismatch. Comes with 403.
        AuthorizationPermissionMismatch = "AuthorizationPermissionMismatch",
        /// Authorization protocol mismatch. Comes with 403.
        AuthorizationProtocolMismatch = "AuthorizationProtocolMismatch",
        /// Authorization source i p mismatch. Comes with 403.
        AuthorizationSourceIPMismatch = "AuthorizationSourceIPMismatch",
        /// Authorization service mismatch. Comes with 403.
        AuthorizationServiceMismatch = "AuthorizationServiceMismatch",
        /// Authorization resource type mismatch. Comes with 403.
        AuthorizationResourceTypeMismatch = "AuthorizationResourceTypeMismatch",
        /// Insufficient account permissions. Comes with 403.
        InsufficientAccountPermissions = "InsufficientAccountPermissions",
        /// Account is disabled. Comes with 403.
        AccountIsDisabled = "AccountIsDisabled",
        /// Unauthorized blob overwrite. Comes with 403.
        UnauthorizedBlobOverwrite = "UnauthorizedBlobOverwrite",
        /// Blob not found. Comes with 404.
        BlobNotFound = "BlobNotFound",
        /// Container not found. Comes with 404.
        ContainerNotFound = "ContainerNotFound",
        /// Resource not found. Comes with 404.
        ResourceNotFound = "ResourceNotFound",
        /// Unsupported http verb. Comes with 405.
        UnsupportedHttpVerb = "UnsupportedHttpVerb",
        /// The blob is the destination of a copy that is still pending. Comes with 409.
        PendingCopyOperation = "PendingCopyOperation",
        /// There is no pending copy to abort: it has ended, or never was. Comes with 409.
        NoPendingCopyOperation = "NoPendingCopyOperation",
        /// Another copy than the named one is pending. Comes with 409.
        CopyIdMismatch = "CopyIdMismatch",
        /// The blob is of another type than the operation needs. Comes with 409.
        InvalidBlobType = "InvalidBlobType",
        /// The source of an incremental copy is not a page blob. Comes with 409.
        InvalidSourceBlobType = "InvalidSourceBlobType",
        /// The source of an incremental copy is not the URL of a blob in Azure. Comes with 409.
        InvalidSourceBlobUrl = "InvalidSourceBlobUrl",
        /// The destination is tied to another source by its earlier incremental copies. Comes with
        /// 409.
        IncrementalCopyBlobMismatch = "IncrementalCopyBlobMismatch",
        /// The source of an incremental copy must be a snapshot. Comes with 409.
        IncrementalCopySourceMustBeSnapshot = "IncrementalCopySourceMustBeSnapshot",
        /// This snapshot, or a later one, has been copied already: snapshots must be copied in
        /// ascending order. The service has used three spellings of this code; all are this
        /// variant. Comes with 409.
        IncrementalCopyOfEarlierSnapshotNotAllowed = "IncrementalCopyOfEarlierSnapshotNotAllowed"
            | "IncrementalCopyOfEarlierVersionSnapshotNotAllowed"
            | "IncrementalCopyOfEralierVersionSnapshotNotAllowed",
        /// Incremental copy blob previous snapshot does not exist. Comes with 409.
        IncrementalCopyBlobPreviousSnapshotDoesNotExist = "IncrementalCopyBlobPreviousSnapshotDoesNotExist",
        /// On the destination of incremental copies only properties, further incremental copies and
        /// delete are allowed; read its snapshots instead. Comes with 409.
        OperationNotAllowedOnIncrementalCopyBlob = "OperationNotAllowedOnIncrementalCopyBlob",
        /// The destination of incremental copies cannot itself be copied; copy one of its
        /// snapshots. Comes with 409.
        CopySourceCannotBeIncrementalCopyBlob = "CopySourceCannotBeIncrementalCopyBlob",
        /// Previous snapshot not found. Comes with 409.
        PreviousSnapshotNotFound = "PreviousSnapshotNotFound",
        /// Previous snapshot operation not supported. Comes with 409.
        PreviousSnapshotOperationNotSupported = "PreviousSnapshotOperationNotSupported",
        /// Blob generation mismatch. Comes with 409.
        BlobGenerationMismatch = "BlobGenerationMismatch",
        /// The source was created anew since the last incremental copy, so there is no difference
        /// to copy. Comes with 409.
        BlobOverwritten = "BlobOverwritten",
        /// Blob already exists. Comes with 409.
        BlobAlreadyExists = "BlobAlreadyExists",
        /// Container already exists. Comes with 409.
        ContainerAlreadyExists = "ContainerAlreadyExists",
        /// Container being deleted. Comes with 409.
        ContainerBeingDeleted = "ContainerBeingDeleted",
        /// Container disabled. Comes with 409.
        ContainerDisabled = "ContainerDisabled",
        /// Snapshots present. Comes with 409.
        SnapshotsPresent = "SnapshotsPresent",
        /// Snapshot count exceeded. Comes with 409.
        SnapshotCountExceeded = "SnapshotCountExceeded",
        /// Snapshots of this blob are being taken too fast. Both spellings are this variant. Comes
        /// with 409.
        SnapshotOperationRateExceeded = "SnapshotOperationRateExceeded"
            | "SnaphotOperationRateExceeded",
        /// Lease already present. Comes with 409.
        LeaseAlreadyPresent = "LeaseAlreadyPresent",
        /// Lease already broken. Comes with 409.
        LeaseAlreadyBroken = "LeaseAlreadyBroken",
        /// Lease id mismatch with lease operation. Comes with 409.
        LeaseIdMismatchWithLeaseOperation = "LeaseIdMismatchWithLeaseOperation",
        /// Lease not present with lease operation. Comes with 409.
        LeaseNotPresentWithLeaseOperation = "LeaseNotPresentWithLeaseOperation",
        /// Lease is breaking and cannot be acquired. Comes with 409.
        LeaseIsBreakingAndCannotBeAcquired = "LeaseIsBreakingAndCannotBeAcquired",
        /// Lease is breaking and cannot be changed. Comes with 409.
        LeaseIsBreakingAndCannotBeChanged = "LeaseIsBreakingAndCannotBeChanged",
        /// Lease is broken and cannot be renewed. Comes with 409.
        LeaseIsBrokenAndCannotBeRenewed = "LeaseIsBrokenAndCannotBeRenewed",
        /// Blob archived. Comes with 409.
        BlobArchived = "BlobArchived",
        /// Blob being rehydrated. Comes with 409.
        BlobBeingRehydrated = "BlobBeingRehydrated",
        /// Blob not archived. Comes with 409.
        BlobNotArchived = "BlobNotArchived",
        /// Cannot change to lower tier. Comes with 409.
        CannotChangeToLowerTier = "CannotChangeToLowerTier",
        /// Blob tier inadequate for content length. Comes with 409.
        BlobTierInadequateForContentLength = "BlobTierInadequateForContentLength",
        /// Content length larger than tier limit. Comes with 409.
        ContentLengthLargerThanTierLimit = "ContentLengthLargerThanTierLimit",
        /// Blob immutable due to policy. Comes with 409.
        BlobImmutableDueToPolicy = "BlobImmutableDueToPolicy",
        /// Blob uses customer specified encryption. Comes with 409.
        BlobUsesCustomerSpecifiedEncryption = "BlobUsesCustomerSpecifiedEncryption",
        /// Feature version mismatch. Comes with 409.
        FeatureVersionMismatch = "FeatureVersionMismatch",
        /// Block count exceeds limit. Comes with 409.
        BlockCountExceedsLimit = "BlockCountExceedsLimit",
        /// Sequence number increment too large. Comes with 409.
        SequenceNumberIncrementTooLarge = "SequenceNumberIncrementTooLarge",
        /// System in use. Comes with 409.
        SystemInUse = "SystemInUse",
        /// Resource type mismatch. Comes with 409.
        ResourceTypeMismatch = "ResourceTypeMismatch",
        /// Public access not permitted. Comes with 409.
        PublicAccessNotPermitted = "PublicAccessNotPermitted",
        /// Missing content length header. Comes with 411.
        MissingContentLengthHeader = "MissingContentLengthHeader",
        /// A condition of the request was not met. Comes with 412.
        ConditionNotMet = "ConditionNotMet",
        /// A condition on the destination was not met. Comes with 412.
        TargetConditionNotMet = "TargetConditionNotMet",
        /// A condition on the source was not met. Comes with 412.
        SourceConditionNotMet = "SourceConditionNotMet",
        /// Sequence number condition not met. Comes with 412.
        SequenceNumberConditionNotMet = "SequenceNumberConditionNotMet",
        /// Lease id missing. Comes with 412.
        LeaseIdMissing = "LeaseIdMissing",
        /// Lease id mismatch with blob operation. Comes with 412.
        LeaseIdMismatchWithBlobOperation = "LeaseIdMismatchWithBlobOperation",
        /// Lease id mismatch with container operation. Comes with 412.
        LeaseIdMismatchWithContainerOperation = "LeaseIdMismatchWithContainerOperation",
        /// Lease not present with blob operation. Comes with 412.
        LeaseNotPresentWithBlobOperation = "LeaseNotPresentWithBlobOperation",
        /// Lease lost. Comes with 412.
        LeaseLost = "LeaseLost",
        /// A copy into a leased blob needs an infinite lease. Comes with 412.
        InfiniteLeaseDurationRequired = "InfiniteLeaseDurationRequired",
        /// Append position condition not met. Comes with 412.
        AppendPositionConditionNotMet = "AppendPositionConditionNotMet",
        /// Max blob size condition not met. Comes with 412.
        MaxBlobSizeConditionNotMet = "MaxBlobSizeConditionNotMet",
        /// Request body too large. Comes with 413.
        RequestBodyTooLarge = "RequestBodyTooLarge",
        /// Invalid range. Comes with 416.
        InvalidRange = "InvalidRange",
        /// Invalid page range. Comes with 416.
        InvalidPageRange = "InvalidPageRange",
        /// The service met an error of its own; try again. Comes with 500.
        InternalError = "InternalError",
        /// The operation took longer than the service allows; it may or may not have been applied.
        /// Comes with 500.
        OperationTimedOut = "OperationTimedOut",
        /// The service could not read the copy's source; the source's own status and code say why.
        CannotVerifyCopySource = "CannotVerifyCopySource",
        /// The service is busy, or the account is over one of its limits; try again later. Comes
        /// with 503.
        ServerBusy = "ServerBusy",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_spellings_of_the_earlier_snapshot_code_are_one() {
        for spelling in [
            "IncrementalCopyOfEarlierSnapshotNotAllowed",
            "IncrementalCopyOfEarlierVersionSnapshotNotAllowed",
            "IncrementalCopyOfEralierVersionSnapshotNotAllowed",
        ] {
            let code = ErrorCode::from(spelling);
            assert_eq!(code, ErrorCode::IncrementalCopyOfEarlierSnapshotNotAllowed);
        }
    }
}
