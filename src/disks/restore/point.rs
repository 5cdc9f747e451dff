//! Which snapshot of a chain is restored.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    Error, Result, SnapshotId,
    disks::{Chain, ChainSnapshot, DatedSnapshot, MirrorError},
    wire::redaction::redact,
};

/// Which snapshot to [restore](crate::disks::DiskBackup::restore).
///
/// As text it is `newest`; a snapshot id with its seven digits after the point; the resource id of
/// a managed disk's snapshot, which begins with `/`; or a time in RFC 3339, for the newest snapshot
/// at or before it. Snapshots of a managed disk may have the same time: of these, the newest is the
/// one whose id comes last, which was copied last.
///
/// ```
/// use blobcopy::disks::RestorePoint;
///
/// let point: RestorePoint = "2026-01-01T00:00:00.1234567Z".parse()?;
/// assert!(matches!(point, RestorePoint::Snapshot(_)));
/// let point: RestorePoint = "2026-01-01T12:00:00+01:00".parse()?;
/// assert!(matches!(point, RestorePoint::AtOrBefore(_)));
/// let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/snapshots/disk0-1";
/// assert_eq!(id.parse::<RestorePoint>()?, RestorePoint::Equals(id.into()));
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
    /// The snapshot that equals this one of the source: its id, in any case; or the last segment of
    /// its resource id, such as `disk0-1`. A name that several snapshots of the source have is
    /// refused.
    Equals(String),
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
                let then = |one: &&ChainSnapshot| time.is_some() && one.time.map(in_ticks) == time;
                let own = own.first().copied().or_else(|| known().rev().find(equal));
                own.or_else(|| known().rev().find(then))
            }
            Self::Equals(name) => equal_to(chain, name)?,
        };
        found.ok_or_else(|| {
            let why = match self {
                Self::Newest => "has no snapshot to restore".to_owned(),
                Self::Snapshot(id) => format!("has no snapshot {id} that a mirror has made"),
                Self::Equals(name) => format!(
                    "has no snapshot that equals {name} of the source: name it by its id, by the \
                     id of the source's or the last part of that, by a time such as \
                     2026-01-01T12:00:00Z, or as newest"
                ),
                Self::AtOrBefore(_) => format!("has no snapshot from {self} or before"),
            };
            MirrorError::refused(&chain.name, why)
        })
    }
}

/// The snapshot whose source snapshot has this id or, if there is none, this name. The last one, if
/// it was copied more than once.
fn equal_to<'a>(chain: &'a Chain, name: &str) -> Result<Option<&'a ChainSnapshot>, MirrorError> {
    let find = |is_it: &dyn Fn(&str) -> bool| {
        let found: Vec<_> =
            chain.snapshots.iter().filter(|one| one.equals.as_deref().is_some_and(is_it)).collect();
        let first = found.first().map(|first| first.key());
        match found.iter().all(|one| Some(one.key()) == first) {
            true => Ok(found.last().copied()),
            false => Err(MirrorError::refused(
                &chain.name,
                format!(
                    "has several snapshots that equal one called {name}: give the time or the id \
                     of one of them"
                ),
            )),
        }
    };
    match find(&|id| id.eq_ignore_ascii_case(name))? {
        Some(found) => Ok(Some(found)),
        None => {
            find(&|id| id.rsplit('/').next().is_some_and(|last| last.eq_ignore_ascii_case(name)))
        }
    }
}

/// A time as a snapshot id holds it, in units of 100 ns.
fn in_ticks(time: OffsetDateTime) -> OffsetDateTime {
    time - time::Duration::nanoseconds((time.nanosecond() % 100).into())
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
        if text.starts_with('/') {
            return Ok(Self::Equals(text.to_owned()));
        }
        let digits = text.strip_suffix('Z').and_then(|text| text.split_once('.'));
        if digits.is_some_and(|(_, digits)| digits.len() == 7) {
            return Ok(Self::Snapshot(text.parse()?));
        }
        OffsetDateTime::parse(text, &Rfc3339).map(Self::AtOrBefore).map_err(|_| {
            let rule = "must be newest, a snapshot id, a resource id that begins with /, or a time \
                        such as 2026-01-01T12:00:00Z";
            Error::invalid("restore point", text, rule)
        })
    }
}

impl fmt::Display for RestorePoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.pad("newest"),
            Self::Snapshot(id) => id.fmt(f),
            Self::Equals(name) => f.pad(&redact(name)),
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

    #[test]
    fn a_managed_snapshot_is_found_by_its_id_in_any_case_its_name_and_its_time() {
        let mut chain = chain();
        let ids = ["/subscriptions/S/g/snapshots/db-001", "/subscriptions/S/g/snapshots/db-002"];
        let time = |day: u8| datetime!(2026-01-01 00:00:00.123456789 UTC).replace_day(day);
        for ((snapshot, id), day) in chain.snapshots.iter_mut().zip(ids).zip([1, 2]) {
            snapshot.equals = Some(id.into());
            snapshot.time = Some(time(day).expect("a day"));
        }
        let find = |point: RestorePoint, chain: &Chain| {
            let found = point.find(chain).map(|one| one.equals.clone().expect("known"));
            found.map_err(|error| error.to_string())
        };
        for text in [ids[0], &ids[0].to_lowercase(), "2026-01-01T00:00:00.1234567Z"] {
            let point: RestorePoint = text.parse().expect(text);
            assert_eq!(find(point, &chain).as_deref(), Ok(ids[0]), "{text}");
        }
        for name in ["db-001", "DB-001"] {
            assert_eq!(find(RestorePoint::Equals(name.into()), &chain).as_deref(), Ok(ids[0]));
        }
        let error = find(RestorePoint::Equals("yesterday".into()), &chain).expect_err("no name");
        assert!(error.contains("has no snapshot that equals yesterday"), "{error}");
        assert!(error.contains("2026-01-01T12:00:00Z, or as newest"), "{error}");
        // Of another group, or made again under its name.
        for other in ["/subscriptions/S/h/snapshots/DB-001", &ids[0].to_uppercase()] {
            chain.snapshots[1].equals = Some(other.into());
            let error = find(RestorePoint::Equals("db-001".into()), &chain).expect_err("two");
            assert!(error.contains("several snapshots that equal one called db-001"), "{error}");
        }
        let whole = find(RestorePoint::Equals(ids[0].into()), &chain).expect_err("made again");
        assert!(whole.contains("give the time"), "{whole}");
    }
}
