//! What happens to blobs that exist at the destination.

use serde::{Deserialize, Serialize};

/// What a job does about a blob that already exists at the destination.
///
/// A destination whose last copy is pending, failed or was aborted is never taken for the same as
/// its source, whatever is chosen here.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Overwrite {
    /// Leaves every existing blob as it is.
    Never,
    /// Overwrites a blob that is not the same as its source.
    #[default]
    IfDifferent,
    /// Overwrites a blob whose source was modified after it.
    IfNewer,
    /// Overwrites every blob.
    Always,
}
