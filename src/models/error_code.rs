//! The service's error codes.
//!
//! From [Blob Storage error
//! codes](https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes) and
//! [Common REST API error codes](https://learn.microsoft.com/rest/api/storageservices/common-rest-api-error-codes).

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

use super::words::open_enum;

/// An open enum of codes whose documentation is also the text of [`ErrorCode::description`].
macro_rules! error_codes {
    ($(#[$doc:meta])* $name:ident {
        $($(#[doc = $text:literal])+ $variant:ident = $word:literal $(| $alias:literal)*,)+
    }) => {
        open_enum! {
            $(#[$doc])*
            $name {
                $($(#[doc = $text])+ $variant = $word $(| $alias)*,)+
            }
        }

        impl $name {
            #[cfg(test)]
            const ALL: &[Self] = &[$(Self::$variant),+];

            /// The documentation of the code, with its HTTP status.
            fn documentation(&self) -> Option<&'static str> {
                match self {
                    $(Self::$variant => Some(concat!($($text),+)),)+
                    Self::Other(_) => None,
                }
            }
        }
    };
}

error_codes! {
    /// The service's error code: the value of `x-ms-error-code`, or of `Code` in the body.
    ///
    /// The service adds codes over time; an unknown one is kept in [`Other`](ErrorCode::Other).
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
        /// The service does not accept the value of a header; the error's details name the header.
        /// If it is `x-ms-version`, the service does not know that version. Comes with 400.
        InvalidHeaderValue = "InvalidHeaderValue",
        /// One of the request's inputs is not valid. Comes with 400.
        InvalidInput = "InvalidInput",
        /// The request's URL, or the URL in `x-ms-copy-source`, names no resource of the service.
        /// Comes with 400.
        InvalidUri = "InvalidUri",
        /// The service does not accept the value of a query parameter; the error's details name the
        /// parameter. Comes with 400.
        InvalidQueryParameterValue = "InvalidQueryParameterValue",
        /// The name of the container or blob contains invalid characters. Comes with 400.
        InvalidResourceName = "InvalidResourceName",
        /// An MD5 in the request is not 16 bytes in base64. Comes with 400.
        InvalidMd5 = "InvalidMd5",
        /// The content does not match the MD5 in the request. Comes with 400.
        Md5Mismatch = "Md5Mismatch",
        /// The content does not match the CRC-64 in the request. Comes with 400.
        Crc64Mismatch = "Crc64Mismatch",
        /// A metadata name or value contains invalid characters. Comes with 400.
        InvalidMetadata = "InvalidMetadata",
        /// The metadata is larger than 8 KiB. Comes with 400.
        MetadataTooLarge = "MetadataTooLarge",
        /// A metadata name is empty. Comes with 400.
        EmptyMetadataKey = "EmptyMetadataKey",
        /// The request lacks a header that the operation needs; the error's details name it. Comes
        /// with 400.
        MissingRequiredHeader = "MissingRequiredHeader",
        /// The request lacks a query parameter that the operation needs; the error's details name
        /// it. Comes with 400.
        MissingRequiredQueryParameter = "MissingRequiredQueryParameter",
        /// The request has more conditions than the operation accepts; most writes accept one.
        /// Comes with 400.
        MultipleConditionHeadersNotSupported = "MultipleConditionHeadersNotSupported",
        /// The operation accepts no conditions. Comes with 400.
        ConditionHeadersNotSupported = "ConditionHeadersNotSupported",
        /// One of the request's inputs is too large or too small. Comes with 400.
        OutOfRangeInput = "OutOfRangeInput",
        /// A query parameter is outside its range; the error's details name it. Comes with 400.
        OutOfRangeQueryParameterValue = "OutOfRangeQueryParameterValue",
        /// The operation does not accept one of the headers; the error's details name it. Comes
        /// with 400.
        UnsupportedHeader = "UnsupportedHeader",
        /// The operation does not accept one of the query parameters; the error's details name it.
        /// Comes with 400.
        UnsupportedQueryParameter = "UnsupportedQueryParameter",
        /// The blob, because of its type or account, cannot have this access tier. Comes with 400.
        InvalidBlobTier = "InvalidBlobTier",
        /// The block id is not base64, or longer than 64 bytes. Comes with 400.
        InvalidBlockId = "InvalidBlockId",
        /// The list names a block that is neither uncommitted nor part of the blob. Comes with 400.
        InvalidBlockList = "InvalidBlockList",
        /// The block does not fit the blob: all block ids of one blob must have the same length.
        /// Comes with 400.
        InvalidBlobOrBlock = "InvalidBlobOrBlock",
        /// The list names more than 50,000 blocks. Comes with 400.
        BlockListTooLong = "BlockListTooLong",
        /// The resource does not support the operation, such as a write to a snapshot. Comes with
        /// 400.
        InvalidOperation = "InvalidOperation",
        /// The service version is too old for this operation on page blobs. Comes with 400.
        InvalidVersionForPageBlobOperation = "InvalidVersionForPageBlobOperation",
        /// In a page-range diff, the earlier snapshot is newer than the one it is compared with.
        /// Comes with 400.
        PreviousSnapshotCannotBeNewer = "PreviousSnapshotCannotBeNewer",
        /// The request's body is not valid XML for the operation. Comes with 400.
        InvalidXmlDocument = "InvalidXmlDocument",
        /// The request carries no credential, and the resource is not public. Comes with 401.
        NoAuthenticationInformation = "NoAuthenticationInformation",
        /// The `Authorization` header is malformed, or its bearer token is not accepted. Comes with
        /// 401.
        InvalidAuthenticationInfo = "InvalidAuthenticationInfo",
        /// The signature or the token is wrong, the SAS is not valid at this time, or the request's
        /// date is off by more than 15 minutes. Comes with 403.
        AuthenticationFailed = "AuthenticationFailed",
        /// The request is authenticated but not authorized; most likely the account's firewall
        /// blocks the client's network. Comes with 403.
        AuthorizationFailure = "AuthorizationFailure",
        /// The SAS or the identity lacks the permission that the operation needs. Comes with 403.
        AuthorizationPermissionMismatch = "AuthorizationPermissionMismatch",
        /// The SAS requires https, and the request used http. Comes with 403.
        AuthorizationProtocolMismatch = "AuthorizationProtocolMismatch",
        /// The SAS does not allow the client's IP address. Comes with 403.
        AuthorizationSourceIPMismatch = "AuthorizationSourceIPMismatch",
        /// The SAS is not for the blob service. Comes with 403.
        AuthorizationServiceMismatch = "AuthorizationServiceMismatch",
        /// The SAS is not for this type of resource: service, container or blob. Comes with 403.
        AuthorizationResourceTypeMismatch = "AuthorizationResourceTypeMismatch",
        /// The account does not allow the operation, such as a write to a read-only account. Comes
        /// with 403.
        InsufficientAccountPermissions = "InsufficientAccountPermissions",
        /// The account is disabled. Comes with 403.
        AccountIsDisabled = "AccountIsDisabled",
        /// The SAS may only create blobs, and the blob already exists: overwriting it needs the
        /// permission `w`. Comes with 403.
        UnauthorizedBlobOverwrite = "UnauthorizedBlobOverwrite",
        /// There is no such blob, snapshot or version. Comes with 404.
        BlobNotFound = "BlobNotFound",
        /// There is no such container. Comes with 404.
        ContainerNotFound = "ContainerNotFound",
        /// The resource does not exist, or the request may not see it: anonymous requests for a
        /// private container get this. Comes with 404.
        ResourceNotFound = "ResourceNotFound",
        /// The resource does not support this HTTP method. Comes with 405.
        UnsupportedHttpVerb = "UnsupportedHttpVerb",
        /// The blob is the destination of a copy that is still pending. Comes with 409.
        PendingCopyOperation = "PendingCopyOperation",
        /// There is no pending copy to abort: it has ended, or never existed. Comes with 409.
        NoPendingCopyOperation = "NoPendingCopyOperation",
        /// The pending copy has another id. Comes with 409.
        CopyIdMismatch = "CopyIdMismatch",
        /// The operation needs another blob type. A copy cannot change the type of an existing
        /// destination. Comes with 409.
        InvalidBlobType = "InvalidBlobType",
        /// The source of an incremental copy is not a page blob. Comes with 409.
        InvalidSourceBlobType = "InvalidSourceBlobType",
        /// The source of an incremental copy is not the URL of a blob in Azure. Comes with 409.
        InvalidSourceBlobUrl = "InvalidSourceBlobUrl",
        /// The destination was not made by incremental copies of this source. Comes with 409.
        IncrementalCopyBlobMismatch = "IncrementalCopyBlobMismatch",
        /// The source of an incremental copy must be a snapshot. Comes with 409.
        IncrementalCopySourceMustBeSnapshot = "IncrementalCopySourceMustBeSnapshot",
        /// This snapshot or a later one has already been copied: snapshots must be copied in
        /// ascending order. The service has used three spellings of this code; all map to this
        /// variant. Comes with 409.
        IncrementalCopyOfEarlierSnapshotNotAllowed = "IncrementalCopyOfEarlierSnapshotNotAllowed"
            | "IncrementalCopyOfEarlierVersionSnapshotNotAllowed"
            | "IncrementalCopyOfEralierVersionSnapshotNotAllowed",
        /// The source snapshot that was copied last has been deleted, so the service cannot compute
        /// the difference. Comes with 409.
        IncrementalCopyBlobPreviousSnapshotDoesNotExist = "IncrementalCopyBlobPreviousSnapshotDoesNotExist",
        /// The destination of incremental copies allows only Get Blob Properties, further
        /// incremental copies and Delete Blob; read its snapshots instead. Comes with 409.
        OperationNotAllowedOnIncrementalCopyBlob = "OperationNotAllowedOnIncrementalCopyBlob",
        /// The destination of incremental copies cannot itself be copied; copy one of its
        /// snapshots. Comes with 409.
        CopySourceCannotBeIncrementalCopyBlob = "CopySourceCannotBeIncrementalCopyBlob",
        /// In a page-range diff, the earlier snapshot does not exist. Comes with 409.
        PreviousSnapshotNotFound = "PreviousSnapshotNotFound",
        /// The blob does not support page-range diffs. Comes with 409.
        PreviousSnapshotOperationNotSupported = "PreviousSnapshotOperationNotSupported",
        /// In a page-range diff, the blob was recreated after the earlier snapshot. Comes with 409.
        BlobGenerationMismatch = "BlobGenerationMismatch",
        /// The source was recreated after the last incremental copy or the earlier snapshot, so
        /// there is no difference to compute. Comes with 409.
        BlobOverwritten = "BlobOverwritten",
        /// The blob already exists, and the request requires that it does not. Comes with 409.
        BlobAlreadyExists = "BlobAlreadyExists",
        /// The container already exists. Comes with 409.
        ContainerAlreadyExists = "ContainerAlreadyExists",
        /// The container is being deleted; its name becomes available after 30 seconds or more.
        /// Comes with 409.
        ContainerBeingDeleted = "ContainerBeingDeleted",
        /// The container is disabled by an administrator. Comes with 409.
        ContainerDisabled = "ContainerDisabled",
        /// The blob has snapshots, and the request does not say what to do with them. Comes with
        /// 409.
        SnapshotsPresent = "SnapshotsPresent",
        /// The blob has the maximum number of snapshots: 100 for a premium page blob. Comes with
        /// 409.
        SnapshotCountExceeded = "SnapshotCountExceeded",
        /// Snapshots of this blob are being created too fast. Two spellings map to this variant.
        /// Comes with 409.
        SnapshotOperationRateExceeded = "SnapshotOperationRateExceeded"
            | "SnaphotOperationRateExceeded",
        /// The resource already has a lease with another id. Comes with 409.
        LeaseAlreadyPresent = "LeaseAlreadyPresent",
        /// The lease is already broken. Comes with 409.
        LeaseAlreadyBroken = "LeaseAlreadyBroken",
        /// The active lease has another id than the one to change, renew or release. Comes with
        /// 409.
        LeaseIdMismatchWithLeaseOperation = "LeaseIdMismatchWithLeaseOperation",
        /// There is no lease to change, renew, release or break. Comes with 409.
        LeaseNotPresentWithLeaseOperation = "LeaseNotPresentWithLeaseOperation",
        /// The lease is being broken; a new one can be acquired after the break period. Comes with
        /// 409.
        LeaseIsBreakingAndCannotBeAcquired = "LeaseIsBreakingAndCannotBeAcquired",
        /// The lease is being broken, so its id cannot be changed. Comes with 409.
        LeaseIsBreakingAndCannotBeChanged = "LeaseIsBreakingAndCannotBeChanged",
        /// The lease was broken, so it cannot be renewed. Comes with 409.
        LeaseIsBrokenAndCannotBeRenewed = "LeaseIsBrokenAndCannotBeRenewed",
        /// The blob is in the archive tier: it must be rehydrated first. Comes with 409.
        BlobArchived = "BlobArchived",
        /// The blob is being rehydrated from the archive tier. Comes with 409.
        BlobBeingRehydrated = "BlobBeingRehydrated",
        /// The blob is not in the archive tier. Comes with 409.
        BlobNotArchived = "BlobNotArchived",
        /// A page blob's tier can only be raised. Comes with 409.
        CannotChangeToLowerTier = "CannotChangeToLowerTier",
        /// The tier is too low for a page blob of this length. Comes with 409.
        BlobTierInadequateForContentLength = "BlobTierInadequateForContentLength",
        /// The blob is longer than its tier allows. Comes with 409.
        ContentLengthLargerThanTierLimit = "ContentLengthLargerThanTierLimit",
        /// An immutability policy or a legal hold protects the blob. Comes with 409.
        BlobImmutableDueToPolicy = "BlobImmutableDueToPolicy",
        /// The request does not match the customer-provided key or the encryption scope of the
        /// blob. Comes with 409.
        BlobUsesCustomerSpecifiedEncryption = "BlobUsesCustomerSpecifiedEncryption",
        /// The service version is too old for the blob, such as an append blob before 2015-02-21.
        /// Comes with 409.
        FeatureVersionMismatch = "FeatureVersionMismatch",
        /// The blob has the maximum number of blocks: 50,000 committed, 100,000 uncommitted. Comes
        /// with 409.
        BlockCountExceedsLimit = "BlockCountExceedsLimit",
        /// The sequence number cannot be increased any further. Comes with 409.
        SequenceNumberIncrementTooLarge = "SequenceNumberIncrementTooLarge",
        /// A component of the service is in use, so the operation cannot be performed now. Comes
        /// with 409.
        SystemInUse = "SystemInUse",
        /// The operation needs another type of resource. Comes with 409.
        ResourceTypeMismatch = "ResourceTypeMismatch",
        /// The account does not allow public access. Comes with 409.
        PublicAccessNotPermitted = "PublicAccessNotPermitted",
        /// The request has no `Content-Length`. Comes with 411.
        MissingContentLengthHeader = "MissingContentLengthHeader",
        /// A condition of the request was not met. Comes with 412.
        ConditionNotMet = "ConditionNotMet",
        /// A condition on the destination was not met. Comes with 412.
        TargetConditionNotMet = "TargetConditionNotMet",
        /// A condition on the source was not met. Comes with 412.
        SourceConditionNotMet = "SourceConditionNotMet",
        /// The blob's sequence number does not meet the condition of the request. Comes with 412.
        SequenceNumberConditionNotMet = "SequenceNumberConditionNotMet",
        /// The blob or container has a lease, and the request has no lease id. Comes with 412.
        LeaseIdMissing = "LeaseIdMissing",
        /// The blob's lease has another id. Comes with 412.
        LeaseIdMismatchWithBlobOperation = "LeaseIdMismatchWithBlobOperation",
        /// The container's lease has another id. Comes with 412.
        LeaseIdMismatchWithContainerOperation = "LeaseIdMismatchWithContainerOperation",
        /// The request has a lease id, and the blob has no lease. Comes with 412.
        LeaseNotPresentWithBlobOperation = "LeaseNotPresentWithBlobOperation",
        /// The lease with this id has expired or was broken. Comes with 412.
        LeaseLost = "LeaseLost",
        /// A copy into a leased blob needs an infinite lease. Comes with 412.
        InfiniteLeaseDurationRequired = "InfiniteLeaseDurationRequired",
        /// The append blob does not end at the offset in the request. Comes with 412.
        AppendPositionConditionNotMet = "AppendPositionConditionNotMet",
        /// The append blob would become longer than the request allows. Comes with 412.
        MaxBlobSizeConditionNotMet = "MaxBlobSizeConditionNotMet",
        /// The request's body is too large for the operation. Comes with 413.
        RequestBodyTooLarge = "RequestBodyTooLarge",
        /// The range begins beyond the end of the blob. Comes with 416.
        InvalidRange = "InvalidRange",
        /// The range does not consist of whole 512-byte pages within the blob. Comes with 416.
        InvalidPageRange = "InvalidPageRange",
        /// The service had an internal error; try again. Comes with 500.
        InternalError = "InternalError",
        /// The operation took longer than the service allows; it may or may not have been applied.
        /// Comes with 500.
        OperationTimedOut = "OperationTimedOut",
        /// The service could not read the copy's source; the source's own status and code say why.
        /// Any status comes with it.
        CannotVerifyCopySource = "CannotVerifyCopySource",
        /// The service is busy, or the account exceeds one of its limits; try again later. Comes
        /// with 503.
        ServerBusy = "ServerBusy",
    }
}

impl ErrorCode {
    /// What the code means, in a sentence or two; `None` for an unknown code.
    ///
    /// ```
    /// use blobcopy::ErrorCode;
    ///
    /// let code = ErrorCode::BlobNotFound;
    /// assert_eq!(code.description(), Some("There is no such blob, snapshot or version."));
    /// assert_eq!(ErrorCode::from("Unheard").description(), None);
    /// ```
    pub fn description(&self) -> Option<&'static str> {
        let text = self.documentation()?.trim_start();
        Some(text.split(" Comes with ").next().unwrap_or(text))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_says_more_than_the_code() {
        let squeezed = |text: &str| -> String {
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_lowercase()
        };
        for code in ErrorCode::ALL {
            let text = code.description().expect("known");
            assert!(text.ends_with('.') && !text.contains("Comes with"), "{text}");
            assert_ne!(squeezed(text), squeezed(code.as_str()), "{text}");
        }
        assert_eq!(ErrorCode::from("Unheard").description(), None);
    }

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
