//! The operations of the service, and which one a request asks for.

use std::fmt;

use http::{HeaderMap, Method};

/// An operation of the service, by its name in the
/// [REST reference](https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api):
/// what a fault is aimed at, and what a request that was seen asked for.
///
/// ```
/// use blobcopy::simulator::Op;
///
/// assert_eq!(Op::IncrementalCopy.to_string(), "Incremental Copy Blob");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Op {
    /// Create Container.
    CreateContainer,
    /// Delete Container.
    DeleteContainer,
    /// Get Container Properties.
    GetContainerProperties,
    /// Put Blob: a block, page or append blob made anew.
    PutBlob,
    /// Get Blob.
    GetBlob,
    /// Get Blob Properties.
    GetBlobProperties,
    /// Delete Blob.
    DeleteBlob,
    /// Snapshot Blob.
    SnapshotBlob,
    /// Put Page, to write or to clear.
    PutPage,
    /// Get Page Ranges, whole or as a difference.
    GetPageRanges,
    /// Copy Blob, asynchronous.
    CopyBlob,
    /// Incremental Copy Blob.
    IncrementalCopy,
    /// Abort Copy Blob.
    AbortCopy,
    /// Get User Delegation Key.
    GetUserDelegationKey,
    /// Anything that the simulator does not model, and answers with 501.
    NotModelled,
}

impl Op {
    /// The name in the REST reference.
    pub fn name(self) -> &'static str {
        match self {
            Self::CreateContainer => "Create Container",
            Self::DeleteContainer => "Delete Container",
            Self::GetContainerProperties => "Get Container Properties",
            Self::PutBlob => "Put Blob",
            Self::GetBlob => "Get Blob",
            Self::GetBlobProperties => "Get Blob Properties",
            Self::DeleteBlob => "Delete Blob",
            Self::SnapshotBlob => "Snapshot Blob",
            Self::PutPage => "Put Page",
            Self::GetPageRanges => "Get Page Ranges",
            Self::CopyBlob => "Copy Blob",
            Self::IncrementalCopy => "Incremental Copy Blob",
            Self::AbortCopy => "Abort Copy Blob",
            Self::GetUserDelegationKey => "Get User Delegation Key",
            Self::NotModelled => "an operation that is not modelled",
        }
    }

    /// Which operation a request asks for, from its method, `restype`, `comp` and headers.
    pub(crate) fn of(
        method: &Method,
        blob: bool,
        restype: Option<&str>,
        comp: Option<&str>,
        headers: &HeaderMap,
    ) -> Self {
        let has = |name: &str| headers.contains_key(name);
        match (method.as_str(), blob, restype, comp) {
            ("PUT", false, Some("container"), None) => Self::CreateContainer,
            ("DELETE", false, Some("container"), None) => Self::DeleteContainer,
            ("GET" | "HEAD", false, Some("container"), None) => Self::GetContainerProperties,
            ("GET", true, None, None) => Self::GetBlob,
            ("HEAD", true, None, None) => Self::GetBlobProperties,
            ("DELETE", true, None, None) => Self::DeleteBlob,
            ("PUT", true, None, None) if !has("x-ms-copy-source") => Self::PutBlob,
            // With a blob type it is Put Blob From URL, with the other header Copy Blob From URL.
            ("PUT", true, None, None) if has("x-ms-blob-type") => Self::NotModelled,
            ("PUT", true, None, None) if has("x-ms-requires-sync") => Self::NotModelled,
            ("PUT", true, None, None) => Self::CopyBlob,
            ("PUT", true, None, Some("incrementalcopy")) => Self::IncrementalCopy,
            ("PUT", true, None, Some("copy")) => Self::AbortCopy,
            ("PUT", true, None, Some("snapshot")) => Self::SnapshotBlob,
            ("PUT", true, None, Some("page")) if !has("x-ms-copy-source") => Self::PutPage,
            ("GET", true, None, Some("pagelist")) => Self::GetPageRanges,
            ("POST", false, Some("service"), Some("userdelegationkey")) => {
                Self::GetUserDelegationKey
            }
            _ => Self::NotModelled,
        }
    }

    /// Whether it changes nothing: only such operations are open to an anonymous caller.
    pub(crate) fn reads(self) -> bool {
        matches!(
            self,
            Self::GetContainerProperties
                | Self::GetBlob
                | Self::GetBlobProperties
                | Self::GetPageRanges
        )
    }

    /// The permissions of a SAS, one of which is needed.
    pub(crate) fn permissions(self) -> &'static str {
        match self {
            Self::GetBlob | Self::GetBlobProperties | Self::GetPageRanges => "r",
            Self::GetContainerProperties => "r",
            Self::PutBlob | Self::CopyBlob | Self::IncrementalCopy | Self::SnapshotBlob => "cw",
            Self::CreateContainer => "cw",
            Self::PutPage | Self::AbortCopy => "w",
            Self::DeleteBlob | Self::DeleteContainer => "d",
            Self::GetUserDelegationKey | Self::NotModelled => "",
        }
    }
}

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
