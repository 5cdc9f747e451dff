//! What a job refuses before it sends anything.

use super::{
    CopyJob,
    task::{Settings, Shared},
};
use crate::{Error, Result};

const MIB: u64 = 1 << 20;

/// The longest blob that one Put Blob From URL copies.
const LONGEST_SINGLE: u64 = 5000 * MIB;

/// The longest block.
const LONGEST_BLOCK: u64 = 4000 * MIB;

impl CopyJob {
    /// Refuses jobs that would copy their own copies or delete what they have copied.
    pub(crate) fn check_safety(&self, shared: &Shared) -> Result<()> {
        check_lengths(&shared.settings)?;
        let Settings { prefix, destination_prefix, moves, .. } = &shared.settings;
        let (from, to) = (shared.from.url()?, shared.to.url()?);
        if self.delete_extra.is_some() && *moves {
            let rule = "must not be combined with move_sources: what an earlier run has moved \
                        would be extra";
            return Err(Error::invalid("delete_extra", "", rule));
        }
        let same_account = shared.from.is_same_account(&shared.to);
        if from != to && !(same_account && shared.from.name() == shared.to.name()) {
            return Ok(());
        }
        let refused = |rule| {
            let place = format!("{}/{destination_prefix}", shared.to.name());
            Err(Error::invalid("destination", place, rule))
        };
        if destination_prefix.starts_with(prefix.as_str()) {
            return refused("must not lie inside the source");
        }
        if self.delete_extra.is_some() && prefix.starts_with(destination_prefix.as_str()) {
            return refused("must not hold the source where extra blobs are deleted");
        }
        Ok(())
    }
}

/// Refuses lengths that the service would refuse for every blob.
fn check_lengths(settings: &Settings) -> Result<()> {
    if settings.single > LONGEST_SINGLE {
        let rule = "must be at most 5000 MiB";
        return Err(Error::invalid("largest_single", settings.single, rule));
    }
    match settings.block {
        Some(block) if !(1..=LONGEST_BLOCK).contains(&block) => {
            let rule = "must be 1 byte to 4000 MiB";
            Err(Error::invalid("block_size", block, rule))
        }
        _ => Ok(()),
    }
}
