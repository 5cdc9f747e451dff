//! `--server-timeout`, on every request of a command.

use blobcopy::{BlobItem, BlobSnapshotItem, PageRange, PageRangeItem, Pager, builders};

use crate::args::CallArgs;

/// A request, or several, with a limit to the service's own time.
pub(crate) trait Limited: Sized {
    /// The same, with the time that the flags allow.
    fn limited(self, calls: &CallArgs) -> Self;
}

macro_rules! limited {
    ($($builder:ty),+ $(,)?) => {
        $(
            impl Limited for $builder {
                fn limited(self, calls: &CallArgs) -> Self {
                    match calls.server_timeout {
                        Some(limit) => self.server_timeout(limit),
                        None => self,
                    }
                }
            }
        )+
    };
}

limited! {
    Pager<BlobItem>,
    Pager<BlobSnapshotItem>,
    Pager<PageRange>,
    Pager<PageRangeItem>,
    builders::AbortCopy,
    builders::AbortPendingCopy,
    builders::ClearPages,
    builders::CommitBlockList,
    builders::CopyFromUri,
    builders::CreateContainer,
    builders::CreatePageBlob,
    builders::CreateSnapshot,
    builders::DeleteBlob,
    builders::DownloadBlob,
    builders::GetProperties,
    builders::GuardWrites,
    builders::Resize,
    builders::SetSequenceNumber,
    builders::StageBlock,
    builders::StartCopyFromUri,
    builders::StartCopyIncremental,
    builders::UploadBlob,
    builders::UploadPages,
}
