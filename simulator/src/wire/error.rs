//! The service's refusals: code, status and message, as in
//! [Blob service error codes](https://learn.microsoft.com/rest/api/storageservices/blob-service-error-codes).

use std::borrow::Cow;

use http::StatusCode;

use super::op::Op;

/// Declares every error code that the simulator returns, its status and its default message.
macro_rules! codes {
    ($($code:ident $status:literal $message:literal)*) => {
        /// An error code of the service.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) enum Code { $($code),* }

        impl Code {
            pub(crate) fn as_str(self) -> &'static str {
                match self { $(Self::$code => stringify!($code)),* }
            }

            fn status(self) -> u16 {
                match self { $(Self::$code => $status),* }
            }

            fn message(self) -> &'static str {
                match self { $(Self::$code => $message),* }
            }
        }
    };
}

codes! {
    AllBatchSubRequestsShouldBeSameApi 400 "All batch subrequests should be the same api."
    AppendPositionConditionNotMet 412 "The append position condition specified was not met."
    AuthenticationFailed 403 "Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature."
    AuthorizationFailure 403 "This request is not authorized to perform this operation."
    AuthorizationPermissionMismatch 403 "This request is not authorized to perform this operation using this permission."
    AuthorizationProtocolMismatch 403 "This request is not authorized to perform this operation using this protocol."
    AuthorizationResourceTypeMismatch 403 "This request is not authorized to perform this operation using this resource type."
    AuthorizationServiceMismatch 403 "This request is not authorized to perform this operation using this service."
    AuthorizationSourceIPMismatch 403 "This request is not authorized to perform this operation using this source IP."
    BlobAlreadyExists 409 "The specified blob already exists."
    BlobUsesCustomerSpecifiedEncryption 409 "The blob is encrypted with customer specified encryption, but it was not provided in the request."
    BlobArchived 409 "This operation is not permitted on an archived blob."
    BlobBeingRehydrated 409 "This operation is not permitted because the blob is being rehydrated."
    BlobIsSealed 409 "The specified blob is sealed and its contents can't be modified unless the blob is re-created after a delete."
    BlobNotFound 404 "The specified blob does not exist."
    BlobOverwritten 409 "The blob has been recreated since the previous snapshot was taken."
    BlobTierInadequateForContentLength 409 "Specified blob tier size limit cannot be less than content length."
    BlockCountExceedsLimit 409 "The committed block count cannot exceed the maximum limit of 50,000 blocks, nor the uncommitted count 100,000."
    BlockListTooLong 400 "The block list may not contain more than 50,000 blocks."
    BothCrc64AndMd5HeaderPresent 400 "Both x-ms-content-crc64 header and Content-MD5 header are present."
    BothUserTagsAndSourceTagsCopyPresentException 409 "x-ms-tags and x-ms-copy-source-tag-option: COPY cannot both be given."
    CannotChangeToLowerTier 409 "A higher blob tier has already been explicitly set."
    CannotVerifyCopySource 500 "Could not verify the copy source within the specified time."
    ConditionHeadersNotSupported 400 "Condition headers are not supported."
    ConditionNotMet 412 "The condition specified using HTTP conditional header(s) is not met."
    ContainerAlreadyExists 409 "The specified container already exists."
    ContainerNotFound 404 "The specified container does not exist."
    CopyAcrossAccountsNotSupported 400 "The copy source account and destination account must be the same."
    CopyIdMismatch 409 "The specified copy ID did not match the copy ID for the pending copy operation."
    CopySourceCannotBeIncrementalCopyBlob 409 "Source blob of a copy operation cannot be an incremental copy blob."
    Crc64Mismatch 400 "The CRC64 value specified in the request did not match with the CRC64 value calculated by the server."
    EmptyMetadataKey 400 "The key for one of the metadata key-value pairs is empty."
    ExceedsMaxBatchRequestCount 400 "The batch operation exceeds maximum number of allowed subrequests."
    FeatureVersionMismatch 409 "The operation for AppendBlob requires at least version 2015-02-21."
    IncrementalCopyBlobMismatch 409 "The specified source blob is different than the copy source of the existing incremental copy blob."
    IncrementalCopyBlobPreviousSnapshotDoesNotExist 409 "The previous source snapshot of the incremental copy blob no longer exists."
    IncrementalCopyOfEarlierSnapshotNotAllowed 409 "The specified snapshot is earlier than the last snapshot copied into the incremental copy blob."
    IncrementalCopyOfEarlierVersionSnapshotNotAllowed 409 "The specified snapshot is earlier than the last snapshot copied into the incremental copy blob."
    IncrementalCopySourceMustBeSnapshot 409 "The source for incremental copy request must be a snapshot."
    InfiniteLeaseDurationRequired 412 "The lease ID matched, but the specified lease must be an infinite-duration lease."
    InsufficientAccountPermissions 403 "The account being accessed does not have sufficient permissions to execute this operation."
    InternalError 500 "Server encountered an internal error. Please try again after some time."
    InvalidAuthenticationInfo 400 "Authentication information is not given in the correct format. Check the value of Authorization header."
    InvalidBlobOrBlock 400 "The specified blob or block content is invalid."
    InvalidBlobTier 400 "The specified blob tier is invalid."
    InvalidBlobType 409 "The blob type is invalid for this operation."
    InvalidBlockId 400 "The specified block ID is invalid. The block ID must be Base64-encoded."
    InvalidBlockList 400 "The specified block list is invalid."
    InvalidHeaderValue 400 "The value for one of the HTTP headers is not in the correct format."
    InvalidInput 400 "One of the request inputs is not valid."
    InvalidMd5 400 "The MD5 value specified in the request is invalid."
    InvalidMetadata 400 "The metadata specified is invalid. It has characters that are not permitted."
    InvalidOperation 400 "Invalid operation against a blob snapshot."
    InvalidPageRange 416 "The page range specified is invalid."
    InvalidQueryParameterValue 400 "Value for one of the query parameters specified in the request URI is invalid."
    InvalidRange 416 "The range specified is invalid for the current size of the resource."
    InvalidResourceName 400 "The specified resource name contains invalid characters."
    InvalidSourceBlobType 409 "The copy source blob type is invalid for this operation."
    InvalidSourceBlobUrl 409 "The source URL for incremental copy request must be valid Azure Storage blob URL."
    InvalidTag 400 "The tags specified are invalid. It contains characters that are not permitted."
    InvalidUri 400 "The requested URI does not represent any resource on the server."
    InvalidXmlDocument 400 "The specified XML is not syntactically valid."
    LeaseAlreadyPresent 409 "There is already a lease present."
    LeaseIdMismatchWithBlobOperation 412 "The lease ID specified did not match the lease ID for the blob."
    LeaseIdMismatchWithContainerOperation 412 "The lease ID specified did not match the lease ID for the container."
    LeaseIdMismatchWithLeaseOperation 409 "The lease ID specified did not match the lease ID for the blob/container."
    LeaseIdMissing 412 "There is currently a lease on the blob/container and no lease ID was specified in the request."
    LeaseIsBreakingAndCannotBeAcquired 409 "The lease ID matched, but the lease is currently in breaking state and cannot be acquired until it is broken."
    LeaseIsBreakingAndCannotBeChanged 409 "The lease ID matched, but the lease is currently in breaking state and cannot be changed."
    LeaseIsBrokenAndCannotBeRenewed 409 "The lease ID matched, but the lease has been broken explicitly and cannot be renewed."
    LeaseLost 412 "A lease ID was specified, but the lease for the blob/container has expired."
    LeaseNotPresentWithBlobOperation 412 "There is currently no lease on the blob."
    LeaseNotPresentWithContainerOperation 412 "There is currently no lease on the container."
    LeaseNotPresentWithLeaseOperation 409 "There is currently no lease on the blob/container."
    MaxBlobSizeConditionNotMet 412 "The max blob size condition specified was not met."
    Md5Mismatch 400 "The MD5 value specified in the request did not match with the MD5 value calculated by the server."
    MetadataTooLarge 400 "The size of the specified metadata exceeds the maximum size permitted."
    MissingContentLengthHeader 411 "Content-Length HTTP header is missing."
    MissingRequiredHeader 400 "An HTTP header that's mandatory for this request is not specified."
    MissingRequiredQueryParameter 400 "A query parameter that's mandatory for this request is not specified."
    MultipleConditionHeadersNotSupported 400 "Multiple condition headers are not supported."
    NoAuthenticationInformation 401 "Server failed to authenticate the request. Please refer to the information in the www-authenticate header."
    NoPendingCopyOperation 409 "There is currently no pending copy operation."
    NotImplemented 501 "The simulator does not model this operation."
    OperationNotAllowedOnIncrementalCopyBlob 409 "The specified operation is not allowed on an incremental copy blob."
    OutOfRangeInput 400 "One of the request inputs is out of range."
    OutOfRangeQueryParameterValue 400 "One of the query parameters specified in the request URI is outside the permissible range."
    PendingCopyOperation 409 "There is currently a pending copy operation."
    PreviousSnapshotCannotBeNewer 400 "The prevsnapshot query parameter value cannot be newer than snapshot query parameter value."
    PreviousSnapshotOperationNotSupported 409 "Differential Get Page Ranges is not supported on the previous snapshot."
    PreviousSnapshotNotFound 409 "The previous snapshot is not found."
    PublicAccessNotPermitted 409 "Public access is not permitted on this storage account."
    RequestBodyTooLarge 413 "The request body is too large and exceeds the maximum permissible limit."
    ResourceNotFound 404 "The specified resource does not exist."
    SequenceNumberConditionNotMet 412 "The sequence number condition specified was not met."
    SequenceNumberIncrementTooLarge 409 "The sequence number increment cannot be performed because it would result in overflow of the sequence number."
    SnapshotsPresent 409 "This operation is not permitted because the blob has snapshots."
    SourceConditionNotMet 412 "The source condition specified using HTTP conditional header(s) is not met."
    TargetConditionNotMet 412 "The target condition specified using HTTP conditional header(s) is not met."
    UnsatisfiableCondition 400 "The request includes an unsatisfiable condition for this operation."
    UnauthorizedBlobOverwrite 403 "This request is not authorized to perform blob overwrites."
    UnsupportedHeader 400 "One of the HTTP headers specified in the request is not supported."
    UnsupportedHeaderForNonManagedDisksAccount 400 "A header that is only supported on managed disk accounts was specified."
    UnsupportedHttpVerb 405 "The resource doesn't support specified Http Verb."
}

/// The headers whose value is a secret.
const SECRETS: [&str; 4] = [
    "authorization",
    "x-ms-copy-source-authorization",
    "x-ms-encryption-key",
    "x-ms-source-encryption-key",
];

/// The headers whose value is a URL, perhaps with a secret in its query.
const URLS: [&str; 2] = ["x-ms-copy-source", "x-ms-previous-snapshot-url"];

/// The error that an operation returns.
#[derive(Debug, Clone)]
pub(crate) struct Refusal(Box<Parts>);

#[derive(Debug, Clone)]
pub(crate) struct Parts {
    pub(crate) status: StatusCode,
    pub(crate) code: Cow<'static, str>,
    pub(crate) message: Cow<'static, str>,
    /// Elements of the body in addition to `Code` and `Message`.
    pub(crate) details: Vec<(&'static str, String)>,
    pub(crate) headers: Vec<(Cow<'static, str>, String)>,
    /// Whether it comes from the service's front end: without `x-ms-version` and without the client
    /// request id.
    pub(crate) from_front: bool,
    /// Whether its code is in a header too.
    pub(crate) coded: bool,
}

impl From<Code> for Refusal {
    fn from(code: Code) -> Self {
        let status = StatusCode::from_u16(code.status());
        Self(Box::new(Parts {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            code: code.as_str().into(),
            message: code.message().into(),
            details: Vec::new(),
            headers: Vec::new(),
            from_front: false,
            coded: true,
        }))
    }
}

impl Refusal {
    /// A refusal with any status and code: an injected fault.
    pub(crate) fn chosen(status: StatusCode, code: String, headers: Vec<(String, String)>) -> Self {
        let mut refusal = Self::of_source(status, &code, "Answered so at the test's request.");
        refusal.0.headers = headers.into_iter().map(|(name, value)| (name.into(), value)).collect();
        refusal
    }

    /// The error of another server, such as that of a copy's source.
    pub(crate) fn of_source(status: StatusCode, code: &str, message: &str) -> Self {
        let mut refusal = Self::from(Code::CannotVerifyCopySource).status(status);
        refusal.0.code = code.to_owned().into();
        refusal.0.message = message.to_owned().into();
        refusal
    }

    /// An error of Azure Resource Manager, which has its own codes.
    pub(crate) fn management(status: StatusCode, code: &str, message: &str) -> Self {
        Self::of_source(status, code, message)
    }

    /// A header with an invalid value, named as the service names it.
    pub(crate) fn bad_header(name: &str, value: &str) -> Self {
        Self::from(Code::InvalidHeaderValue).naming(name, value)
    }

    pub(crate) fn missing_header(name: &str) -> Self {
        Self::from(Code::MissingRequiredHeader).detail("HeaderName", name)
    }

    pub(crate) fn unsupported_header(name: &str, value: &str) -> Self {
        Self::from(Code::UnsupportedHeader).naming(name, value)
    }

    /// Names a header and repeats its value, except secrets in it.
    pub(crate) fn naming(self, name: &str, value: &str) -> Self {
        let shown = match name {
            _ if SECRETS.contains(&name) => "",
            _ if URLS.contains(&name) => value.split('?').next().unwrap_or_default(),
            _ => value,
        };
        self.detail("HeaderName", name).detail("HeaderValue", shown)
    }

    pub(crate) fn bad_query(name: &str, value: &str, reason: &str) -> Self {
        Self::from(Code::InvalidQueryParameterValue)
            .detail("QueryParameterName", name)
            .detail("QueryParameterValue", value)
            .detail("Reason", reason)
    }

    pub(crate) fn missing_query(name: &str) -> Self {
        Self::from(Code::MissingRequiredQueryParameter).detail("QueryParameterName", name)
    }

    /// A request whose authentication failed, with the reason.
    pub(crate) fn unauthenticated(why: impl Into<String>) -> Self {
        Self::from(Code::AuthenticationFailed).detail("AuthenticationErrorDetail", why)
    }

    /// A read whose condition finds nothing changed.
    pub(crate) fn not_modified() -> Self {
        Self::from(Code::ConditionNotMet).status(StatusCode::NOT_MODIFIED)
    }

    /// The copy's source could not be read: the status is that of the source. From 2024-08-04 on
    /// the cause is repeated in headers and body; some operations use its message as their own.
    pub(crate) fn source_unreadable(op: Op, version: &str, cause: &Refusal) -> Self {
        let (status, code, message) = (cause.0.status, &*cause.0.code, &cause.0.message);
        let mut refusal = Self::from(Code::CannotVerifyCopySource).status(status);
        if version >= "2024-08-04" {
            refusal = refusal
                .detail("CopySourceStatusCode", status.as_u16().to_string())
                .detail("CopySourceErrorCode", code)
                .detail("CopySourceErrorMessage", &**message)
                .header("x-ms-copy-source-status-code", status.as_u16().to_string())
                .header("x-ms-copy-source-error-code", code);
        }
        if !matches!(op, Op::PutPageFromUrl | Op::AppendBlockFromUrl) {
            refusal.0.message.clone_from(message);
        }
        refusal
    }

    pub(crate) fn detail(mut self, element: &'static str, text: impl Into<String>) -> Self {
        self.0.details.push((element, text.into()));
        self
    }

    pub(crate) fn header(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.0.headers.push((name.into(), value.into()));
        self
    }

    /// The same refusal with another message.
    pub(crate) fn saying(mut self, message: String) -> Self {
        self.0.message = message.into();
        self
    }

    pub(crate) fn status(mut self, status: StatusCode) -> Self {
        self.0.status = status;
        self
    }

    /// The same refusal from the service's front end.
    pub(crate) fn by_front(mut self) -> Self {
        self.0.from_front = true;
        self
    }

    /// The same refusal without its code in a header.
    pub(crate) fn uncoded(mut self) -> Self {
        self.0.coded = false;
        self
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.0
    }
}
