//! Which snapshot of a chain is restored.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    Error, Result, SnapshotId,
    disks::{Chain, ChainSnapshot, DatedSnapshot, MirrorError},
};

/// Which snapshot to [restore](crate::disks::DiskBackup::restore).
///
/// As text it is `newest`; a snapshot id with its seven digits after the point; or a time in RFC
/// 3339, for the newest snapshot at or before it. Snapshots of a managed disk may have the same
/// time: of these, the newest is the one whose id comes last, which was copied last.
///
/// ```
/// use blobcopy::disks::RestorePoint;
///
/// let point: RestorePoint = "2026-01-01T00:00:00.1234567Z".parse()?;
/// assert!(matches!(point, RestorePoint::Snapshot(_)));
/// let point: RestorePoint = "2026-01-01T12:00:00+01:00".parse()?;
/// assert!(matches!(point, RestorePoint::AtOrBefore(_)));
/// assert_eq!("newest".parse::<RestorePoint>()?, RestorePoint::Newest);
/// assert!("yesterday".parse::<RestorePoint>().is_err());
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum RestorePoint {
    /// The newest snapshot, by the time of the source snapshots.
    Newest,
    /// The snapshot of the destination with this id or, if there is none, the one that equals the
    /// source snapshot with this id, or else the one that was taken then. The ids of a managed
    /// disk's snapshots are names, and their times may be written like an id.
    Snapshot(SnapshotId),
    /// The newest snapshot of which the source snapshot was taken at this time or before.
    #[serde(with = "time::serde::rfc3339")]
    AtOrBefore(OffsetDateTime),
}

impl RestorePoint {
    /// The snapshot of the chain.
    pub(in crate::disks) fn find<'a>(
        &self,
        chain: &'a Chain,
    ) -> Result<&'a ChainSnapshot, MirrorError> {
        let known = || chain.snapshots.iter().filter(|one| one.equals.is_some());
        let found = match self {
            Self::Newest => chain.newest(),
            Self::AtOrBefore(time) => {
                let before = known().rev();
                before.clone().find(|one| one.time.is_some_and(|found| found <= *time))
            }
            Self::Snapshot(id) => {
                let own: Vec<_> = known().filter(|one| one.snapshot == *id).collect();
                if own.len() > 1 {
                    let why = "is the id of snapshots in several generations: give the time of \
                               the source's";
                    return Err(MirrorError::refused(id, why));
                }
                let equal = |one: &&ChainSnapshot| one.equals.as_deref() == Some(id.as_str());
                let time = DatedSnapshot::from(id).time;
                let then = |one: &&ChainSnapshot| time.is_some() && one.time == time;
                let own = own.first().copied().or_else(|| known().rev().find(equal));
                own.or_else(|| known().rev().find(then))
            }
        };
        found.ok_or_else(|| {
            let why = match self {
                Self::Newest => "has no snapshot to restore".to_owned(),
                Self::Snapshot(id) => format!("has no snapshot {id} that a mirror has made"),
                Self::AtOrBefore(_) => format!("has no snapshot from {self} or before"),
            };
            MirrorError::refused(&chain.name, why)
        })
    }
}

impl From<SnapshotId> for RestorePoint {
    fn from(id: SnapshotId) -> Self {
        Self::Snapshot(id)
    }
}

impl From<&SnapshotId> for RestorePoint {
    fn from(id: &SnapshotId) -> Self {
        Self::Snapshot(id.clone())
    }
}

impl From<&ChainSnapshot> for RestorePoint {
    fn from(snapshot: &ChainSnapshot) -> Self {
        Self::Snapshot(snapshot.snapshot.clone())
    }
}

impl From<OffsetDateTime> for RestorePoint {
    fn from(time: OffsetDateTime) -> Self {
        Self::AtOrBefore(time)
    }
}

impl FromStr for RestorePoint {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        if text == "newest" {
            return Ok(Self::Newest);
        }
        let digits = text.strip_suffix('Z').and_then(|text| text.split_once('.'));
        if digits.is_some_and(|(_, digits)| digits.len() == 7) {
            return Ok(Self::Snapshot(text.parse()?));
        }
        OffsetDateTime::parse(text, &Rfc3339).map(Self::AtOrBefore).map_err(|_| {
            let rule = "must be newest, a snapshot id, or a time such as 2026-01-01T12:00:00Z";
            Error::invalid("restore point", text, rule)
        })
    }
}

impl fmt::Display for RestorePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.pad("newest"),
            Self::Snapshot(id) => id.fmt(f),
            Self::AtOrBefore(time) => f.pad(&time.format(&Rfc3339).unwrap_or_default()),
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    fn chain() -> Chain {
        let snapshot = |generation: u32, day: u8, equals: bool| {
            let time = datetime!(2026-01-01 00:00 UTC).replace_day(day).expect("a day");
            let id = format!("2026-01-{day:02}T00:00:00.0000000Z");
            ChainSnapshot {
                blob: Chain::name_of("disk", generation),
                generation,
                snapshot: "2026-02-01T00:00:00.0000000Z".parse().expect("an id"),
                equals: equals.then_some(id),
                time: equals.then_some(time),
                length: 512,
                etag: None,
            }
        };
        let snapshots = vec![snapshot(1, 1, true), snapshot(2, 3, true), snapshot(3, 9, false)];
        let (foreign, origins) = (Vec::new(), Vec::new());
        let (name, route, base) = ("disk".into(), None, None);
        Chain { name, route, generation: 2, snapshots, foreign, base, taken: 2, origins }
    }

    #[test]
    fn a_point_is_found_by_the_times_of_the_source() {
        let chain = chain();
        let find = |text: &str| {
            let point: RestorePoint = text.parse().expect(text);
            point.find(&chain).map(|one| one.generation).map_err(|error| error.to_string())
        };
        for (text, generation) in [
            ("newest", 2),
            ("2026-01-03T00:00:00Z", 2),
            ("2026-01-02T23:59:59.999Z", 1),
            ("2026-01-03T00:59:59+01:00", 1),
            ("2026-01-01T00:00:00.0000000Z", 1),
            ("2026-01-03T00:00:00.0000000Z", 2),
        ] {
            assert_eq!(find(text), Ok(generation), "{text}");
        }
        let refused = |text: &str| find(text).expect_err(text);
        assert_eq!(
            refused("2025-12-31T23:00:00Z"),
            "disk: has no snapshot from 2025-12-31T23:00:00Z or before"
        );
        assert!(refused("2026-01-09T00:00:00.0000000Z").contains("that a mirror has made"));
        assert!(refused("2026-02-01T00:00:00.0000000Z").contains("several generations"));
    }

    #[test]
    fn of_several_with_one_time_the_one_that_was_copied_last_is_found() {
        let mut chain = chain();
        let names = ["/snapshots/a", "/snapshots/b"];
        for (snapshot, name) in chain.snapshots.iter_mut().zip(names) {
            snapshot.equals = Some(name.into());
            snapshot.time = Some(datetime!(2026-01-05 00:00:00.1234567 UTC));
        }
        // The last has seven digits, as an id has: those of managed disks are no times.
        for text in ["newest", "2026-01-06T00:00:00Z", "2026-01-05T00:00:00.1234567Z"] {
            let point: RestorePoint = text.parse().expect(text);
            let found = point.find(&chain).expect(text);
            assert_eq!(found.equals.as_deref(), Some(names[1]), "{text}");
        }
    }
}
