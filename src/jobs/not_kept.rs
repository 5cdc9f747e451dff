//! What the source has that a job does not copy.

use std::{fmt, ops::AddAssign};

use serde::{Deserialize, Serialize};

use crate::{BlobItem, LeaseStatus};

/// What the source has beside the blobs, and what of the blobs their copies do not get.
///
/// It is counted in the listing, so that nobody takes a copy for more than it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
#[non_exhaustive]
pub struct NotKept {
    /// Snapshots.
    pub snapshots: u64,
    /// Versions that are not the current ones.
    pub versions: u64,
    /// Soft-deleted blobs, snapshots and versions.
    pub soft_deleted: u64,
    /// Blobs with an active lease. Their copies have none.
    pub leased: u64,
    /// Blobs with an immutability policy. Their copies have none.
    pub immutable: u64,
    /// Blobs under a legal hold. Their copies are not.
    pub held: u64,
}

impl NotKept {
    /// Each count that is not 0, with words for it.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let Self { snapshots, versions, soft_deleted, leased, immutable, held } = *self;
        [
            ("snapshots", snapshots),
            ("versions", versions),
            ("soft-deleted entries", soft_deleted),
            ("leases", leased),
            ("immutability policies", immutable),
            ("legal holds", held),
        ]
        .into_iter()
        .filter(|(_, count)| *count > 0)
    }

    /// Counts an entry of the source's listing; whether it is a blob of its own.
    pub(crate) fn count(&mut self, item: &BlobItem) -> bool {
        let of = &item.properties;
        if item.is_deleted || item.has_versions_only {
            self.soft_deleted += 1;
        } else if item.snapshot.is_some() {
            self.snapshots += 1;
        } else if of.version_id.is_some() && of.is_current_version != Some(true) {
            self.versions += 1;
        } else {
            self.leased += u64::from(of.lease_status == Some(LeaseStatus::Locked));
            self.immutable += u64::from(of.immutability_policy_expires_on.is_some());
            self.held += u64::from(of.has_legal_hold == Some(true));
            return true;
        }
        false
    }
}

impl AddAssign for NotKept {
    fn add_assign(&mut self, other: Self) {
        let Self { snapshots, versions, soft_deleted, leased, immutable, held } = other;
        self.snapshots += snapshots;
        self.versions += versions;
        self.soft_deleted += soft_deleted;
        self.leased += leased;
        self.immutable += immutable;
        self.held += held;
    }
}

/// Such as `2 snapshots, 1 leases`; `nothing` if all is kept.
impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut counts = self.iter();
        let Some((what, count)) = counts.next() else { return f.write_str("nothing") };
        write!(f, "{count} {what}")?;
        counts.try_for_each(|(what, count)| write!(f, ", {count} {what}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_entry_is_counted_as_what_it_is() {
        let entry = |change: &dyn Fn(&mut BlobItem)| {
            let mut item = BlobItem::default();
            change(&mut item);
            item
        };
        let id = "2026-01-01T00:00:00.1234567Z";
        let mut counts = NotKept::default();
        let blobs = [
            entry(&|_| {}),
            entry(&|item| item.properties.lease_status = Some(LeaseStatus::Locked)),
            entry(&|item| item.properties.has_legal_hold = Some(true)),
            entry(&|item| {
                item.properties.version_id = id.parse().ok();
                item.properties.is_current_version = Some(true);
            }),
            entry(&|item| item.snapshot = id.parse().ok()),
            entry(&|item| item.properties.version_id = id.parse().ok()),
            entry(&|item| item.is_deleted = true),
            entry(&|item| item.has_versions_only = true),
        ];
        let are_blobs = blobs.map(|item| counts.count(&item));
        assert_eq!(are_blobs, [true, true, true, true, false, false, false, false]);
        let text = "1 snapshots, 1 versions, 2 soft-deleted entries, 1 leases, 1 legal holds";
        assert_eq!(counts.to_string(), text);
        counts += counts;
        assert_eq!(counts.soft_deleted, 4);
        assert_eq!(NotKept::default().to_string(), "nothing");
    }
}
