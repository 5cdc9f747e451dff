//! The operations of the service, and how requests map to them.

use std::fmt;

use http::{HeaderMap, Method};

/// Declares every operation: its name in the REST reference, whether it only reads, and the
/// permissions of a SAS, one of which is enough.
macro_rules! operations {
    ($($op:ident $name:literal $kind:ident $permissions:literal)*) => {
        /// An operation of the service, by its name in the
        /// [REST reference](https://learn.microsoft.com/rest/api/storageservices/blob-service-rest-api).
        /// Fault rules name one, and a seen request has one.
        ///
        /// Those about the snapshots of managed disks are of Azure Resource Manager. In a fault
        /// rule their account is the subscription, their container the resource group, and their
        /// blob the snapshot.
        ///
        /// ```
        /// use blobcopy_simulator::Op;
        ///
        /// assert_eq!(Op::IncrementalCopy.to_string(), "Incremental Copy Blob");
        /// ```
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Op {
            $(#[doc = concat!($name, ".")] $op),*
        }

        impl Op {
            /// The name in the REST reference.
            pub fn name(self) -> &'static str {
                match self { $(Self::$op => $name),* }
            }

            /// Whether it changes nothing: anonymous clients may only use such operations.
            pub(crate) fn reads(self) -> bool {
                match self { $(Self::$op => operations!(@ $kind)),* }
            }

            /// The permissions of a SAS, one of which is enough.
            pub(crate) fn permissions(self) -> &'static str {
                match self { $(Self::$op => $permissions),* }
            }
        }
    };
    (@ read) => { true };
    (@ write) => { false };
}

operations! {
    GetServiceProperties "Get Blob Service Properties" read "r"
    SetServiceProperties "Set Blob Service Properties" write "w"
    BlobBatch "Blob Batch" write "racwdxyltfmeopiu"
    GetAccountInformation "Get Account Information" read "racwdxyltfmeopiu"
    ListContainers "List Containers" read "l"
    CreateContainer "Create Container" write "cw"
    DeleteContainer "Delete Container" write "d"
    GetContainerProperties "Get Container Properties" read "r"
    GetContainerMetadata "Get Container Metadata" read "r"
    SetContainerMetadata "Set Container Metadata" write "w"
    GetContainerAcl "Get Container ACL" write ""
    SetContainerAcl "Set Container ACL" write ""
    LeaseContainer "Lease Container" write "wd"
    ListBlobs "List Blobs" read "l"
    PutBlob "Put Blob" write "cw"
    PutBlobFromUrl "Put Blob From URL" write "cw"
    GetBlob "Get Blob" read "r"
    GetBlobProperties "Get Blob Properties" read "r"
    GetBlobMetadata "Get Blob Metadata" read "r"
    SetBlobMetadata "Set Blob Metadata" write "w"
    SetBlobProperties "Set Blob Properties" write "w"
    GetBlobTags "Get Blob Tags" write "t"
    SetBlobTags "Set Blob Tags" write "t"
    SetBlobTier "Set Blob Tier" write "w"
    LeaseBlob "Lease Blob" write "wd"
    DeleteBlob "Delete Blob" write "d"
    SnapshotBlob "Snapshot Blob" write "cw"
    PutBlock "Put Block" write "cw"
    PutBlockFromUrl "Put Block From URL" write "cw"
    PutBlockList "Put Block List" write "cw"
    GetBlockList "Get Block List" read "r"
    AppendBlock "Append Block" write "aw"
    AppendBlockFromUrl "Append Block From URL" write "aw"
    SealAppendBlob "Append Blob Seal" write "w"
    PutPage "Put Page" write "w"
    PutPageFromUrl "Put Page From URL" write "w"
    GetPageRanges "Get Page Ranges" read "r"
    CopyBlob "Copy Blob" write "cw"
    CopyBlobFromUrl "Copy Blob From URL" write "cw"
    IncrementalCopy "Incremental Copy Blob" write "cw"
    AbortCopy "Abort Copy Blob" write "w"
    GetUserDelegationKey "Get User Delegation Key" write ""
    ListDiskSnapshots "Snapshots - List By Resource Group" read ""
    GetDiskSnapshot "Snapshots - Get" read ""
    GrantSnapshotAccess "Snapshots - Grant Access" write ""
    RevokeSnapshotAccess "Snapshots - Revoke Access" write ""
    GetDiskOperation "Disk Operations - Get" read ""
    ManagementNotModelled "an operation of Resource Manager that is not modelled" write ""
    NotModelled "an operation that is not modelled" write ""
}

impl Op {
    /// Whether it is of Azure Resource Manager.
    pub(crate) fn is_management(self) -> bool {
        matches!(
            self,
            Self::ListDiskSnapshots
                | Self::GetDiskSnapshot
                | Self::GrantSnapshotAccess
                | Self::RevokeSnapshotAccess
                | Self::GetDiskOperation
                | Self::ManagementNotModelled
        )
    }

    /// The operation of a request, from its method, `restype`, `comp` and headers.
    pub(crate) fn of(
        method: &Method,
        blob: bool,
        restype: Option<&str>,
        comp: Option<&str>,
        headers: &HeaderMap,
    ) -> Self {
        let has = |name: &str| headers.contains_key(name);
        let from_url = has("x-ms-copy-source");
        let head_or_get = method == Method::GET || method == Method::HEAD;
        match (method.as_str(), comp) {
            ("GET" | "HEAD", Some("properties")) if restype == Some("account") => {
                Self::GetAccountInformation
            }
            ("POST", Some("batch")) if !blob => Self::BlobBatch,
            _ if !blob => Self::of_container(method, restype, comp),
            _ if restype.is_some() => Self::NotModelled,
            (_, Some("metadata")) if head_or_get => Self::GetBlobMetadata,
            ("GET", None) => Self::GetBlob,
            ("HEAD", None) => Self::GetBlobProperties,
            ("DELETE", None) => Self::DeleteBlob,
            ("PUT", None) if !from_url => Self::PutBlob,
            ("PUT", None) if has("x-ms-blob-type") => Self::PutBlobFromUrl,
            ("PUT", None) if has("x-ms-requires-sync") => Self::CopyBlobFromUrl,
            ("PUT", None) => Self::CopyBlob,
            ("PUT", Some("metadata")) => Self::SetBlobMetadata,
            ("PUT", Some("properties")) => Self::SetBlobProperties,
            ("GET", Some("tags")) => Self::GetBlobTags,
            ("PUT", Some("tags")) => Self::SetBlobTags,
            ("PUT", Some("tier")) => Self::SetBlobTier,
            ("PUT", Some("lease")) => Self::LeaseBlob,
            ("PUT", Some("snapshot")) => Self::SnapshotBlob,
            ("PUT", Some("block")) if from_url => Self::PutBlockFromUrl,
            ("PUT", Some("block")) => Self::PutBlock,
            ("PUT", Some("blocklist")) => Self::PutBlockList,
            ("GET", Some("blocklist")) => Self::GetBlockList,
            ("PUT", Some("appendblock")) if from_url => Self::AppendBlockFromUrl,
            ("PUT", Some("appendblock")) => Self::AppendBlock,
            ("PUT", Some("seal")) => Self::SealAppendBlob,
            ("PUT", Some("page")) if from_url => Self::PutPageFromUrl,
            ("PUT", Some("page")) => Self::PutPage,
            ("GET", Some("pagelist")) => Self::GetPageRanges,
            ("PUT", Some("incrementalcopy")) => Self::IncrementalCopy,
            ("PUT", Some("copy")) => Self::AbortCopy,
            _ => Self::NotModelled,
        }
    }

    fn of_container(method: &Method, restype: Option<&str>, comp: Option<&str>) -> Self {
        match (method.as_str(), restype, comp) {
            ("GET", None, Some("list")) => Self::ListContainers,
            ("GET", Some("service"), Some("properties")) => Self::GetServiceProperties,
            ("PUT", Some("service"), Some("properties")) => Self::SetServiceProperties,
            ("POST", Some("service"), Some("userdelegationkey")) => Self::GetUserDelegationKey,
            ("PUT", Some("container"), None) => Self::CreateContainer,
            ("DELETE", Some("container"), None) => Self::DeleteContainer,
            ("GET" | "HEAD", Some("container"), None) => Self::GetContainerProperties,
            ("GET" | "HEAD", Some("container"), Some("metadata")) => Self::GetContainerMetadata,
            ("PUT", Some("container"), Some("metadata")) => Self::SetContainerMetadata,
            ("GET" | "HEAD", Some("container"), Some("acl")) => Self::GetContainerAcl,
            ("PUT", Some("container"), Some("acl")) => Self::SetContainerAcl,
            ("PUT", Some("container"), Some("lease")) => Self::LeaseContainer,
            ("GET", Some("container"), Some("list")) => Self::ListBlobs,
            _ => Self::NotModelled,
        }
    }
}

/// Operations that the simulator does not have: `restype` (if it matters), `comp`, and a name.
pub(crate) const NOT_MODELLED: [(&str, &str, &str); 10] = [
    ("service", "stats", "Get Blob Service Stats"),
    ("container", "undelete", "Restore Container (soft delete)"),
    ("container", "rename", "Rename Container"),
    ("", "undelete", "Undelete Blob (soft delete)"),
    ("", "blobs", "Find Blobs by Tags"),
    ("", "query", "Query Blob Contents"),
    ("", "expiry", "Set Blob Expiry"),
    ("", "immutabilityPolicies", "Blob Immutability Policy"),
    ("", "legalhold", "Set Blob Legal Hold"),
    ("", "renameBlob", "Rename Blob"),
];

impl fmt::Display for Op {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
