//! Snapshots with their times, and what a policy says of them.

use std::fmt;

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339, macros::format_description};

use super::Reason;
use crate::SnapshotId;

/// A snapshot and when it was taken.
///
/// Made from an id, it has the id's time; made from a pair, the given one.
///
/// ```
/// use blobcopy::{SnapshotId, disks::DatedSnapshot, time::macros::datetime};
///
/// let id: SnapshotId = "2026-01-01T00:00:00.1234567Z".parse()?;
/// let time = DatedSnapshot::from(&id).time.unwrap();
/// assert_eq!(time, datetime!(2026-01-01 00:00:00.1234567 UTC));
/// let other = DatedSnapshot::from((id, datetime!(2025-12-31 00:00 UTC)));
/// assert_eq!(other.time, Some(datetime!(2025-12-31 00:00 UTC)));
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct DatedSnapshot {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// When it was taken; `None` if that is unknown. Such a snapshot is always kept.
    pub time: Option<OffsetDateTime>,
}

impl From<SnapshotId> for DatedSnapshot {
    fn from(snapshot: SnapshotId) -> Self {
        let time = OffsetDateTime::parse(snapshot.as_str(), &Rfc3339).ok();
        Self { snapshot, time }
    }
}

impl From<&SnapshotId> for DatedSnapshot {
    fn from(snapshot: &SnapshotId) -> Self {
        snapshot.clone().into()
    }
}

impl From<(SnapshotId, OffsetDateTime)> for DatedSnapshot {
    fn from((snapshot, time): (SnapshotId, OffsetDateTime)) -> Self {
        Self { snapshot, time: Some(time) }
    }
}

/// What a [policy](super::Keep) says of a snapshot.
///
/// `Display` is a line of a table: `keep` or `remove`, the id, the time in the policy's zone, and
/// the reasons.
///
/// ```
/// use blobcopy::{SnapshotId, disks::{Keep, Reason}};
///
/// let id: SnapshotId = "2026-01-01T00:00:00.1234567Z".parse()?;
/// let kept = &Keep::new().within("1d".parse()?).apply([&id])?[0];
/// assert!(kept.stays() && kept.reasons.contains(&Reason::Newest));
/// assert_eq!(
///     kept.to_string(),
///     "keep   2026-01-01T00:00:00.1234567Z 2026-01-01 00:00:00 +00:00  newest, within 1d",
/// );
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Kept {
    /// The snapshot.
    pub snapshot: SnapshotId,
    /// The time by which it was judged, in the policy's zone. `None` if it is unknown: the id is no
    /// time, it was given with two times, or the time is outside the years 0 to 9999. JSON has it
    /// in UTC.
    #[serde(default, with = "in_utc")]
    pub time: Option<OffsetDateTime>,
    /// Why it stays, or nothing: then it goes.
    pub reasons: Vec<Reason>,
}

impl Kept {
    /// Whether the snapshot stays.
    pub fn stays(&self) -> bool {
        !self.reasons.is_empty()
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let format = format_description!(
            "[year]-[month]-[day] [hour]:[minute]:[second] [offset_hour sign:mandatory]:[offset_minute]"
        );
        let action = if self.stays() { "keep" } else { "remove" };
        let time = self.time.and_then(|time| time.format(format).ok());
        let time = time.as_deref().unwrap_or("-");
        let reasons: Vec<String> = self.reasons.iter().map(Reason::to_string).collect();
        let line = format!("{action:<6} {:<28} {time:<26}  {}", self.snapshot, reasons.join(", "));
        f.write_str(line.trim_end())
    }
}

/// Times as RFC 3339 text in UTC: an offset with seconds has no other form.
mod in_utc {
    use serde::{Deserializer, Serializer};
    use time::{OffsetDateTime, UtcOffset, serde::rfc3339::option};

    pub(super) fn serialize<S: Serializer>(
        time: &Option<OffsetDateTime>,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        option::serialize(&time.and_then(|time| time.checked_to_offset(UtcOffset::UTC)), to)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Option<OffsetDateTime>, D::Error> {
        option::deserialize(from)
    }
}
