//! What the metadata of a destination by ranges says of where its content comes from.

use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::{SourceSnapshot, addresses::is_same_blob};
use crate::{LeaseId, Metadata, wire::redaction::redact};

/// The lineage of the base blob of a mirror by ranges, or of one of its snapshots.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Lineage {
    /// The source's unique id: of a managed disk its `sourceUniqueId`; of a page blob its URL
    /// without a query.
    pub(crate) source: String,
    /// The source snapshot that the content equals. While a hop is under way, the one from which
    /// it goes; `None` if that is the first.
    pub(crate) equals: Option<Point>,
    /// The hop that is under way. A snapshot has none.
    pub(crate) hop: Option<HopState>,
    /// Whether it is of a snapshot that a hop was sealed with. One that somebody else takes has the
    /// metadata of the base, and may hold what they wrote to it.
    pub(crate) sealed: bool,
    /// The lease of the run that worked on the base last. It may be over.
    pub(crate) lease: Option<LeaseId>,
}

/// A source snapshot in metadata. Two are equal whatever the case of their ids.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) id: String,
    pub(crate) time: OffsetDateTime,
}

/// How far a hop has come.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct HopState {
    /// The snapshot that the content shall equal.
    pub(crate) to: Point,
    /// Whether everything is copied, and not only what changed since [`Lineage::equals`].
    pub(crate) whole: bool,
    /// The sequence number of the hop's writes.
    pub(crate) guard: u64,
    /// All before this offset is done.
    pub(crate) done: u64,
    /// Whether all pages are written and the snapshot is being taken.
    pub(crate) sealing: bool,
}

impl PartialEq for Point {
    fn eq(&self, other: &Self) -> bool {
        self.time == other.time && self.id.eq_ignore_ascii_case(&other.id)
    }
}

impl Eq for Point {}

impl From<&SourceSnapshot> for Point {
    fn from(snapshot: &SourceSnapshot) -> Self {
        Self { id: snapshot.id.clone(), time: snapshot.time }
    }
}

impl Point {
    pub(crate) fn is(&self, snapshot: &SourceSnapshot) -> bool {
        snapshot.is(&self.id, self.time)
    }
}

impl Lineage {
    const SOURCE: &'static str = "blobcopy_mirror_source";
    const EQUALS: &'static str = "blobcopy_mirror_equals";
    const EQUALS_TIME: &'static str = "blobcopy_mirror_equals_time";
    const TO: &'static str = "blobcopy_mirror_to";
    const TO_TIME: &'static str = "blobcopy_mirror_to_time";
    const WHOLE: &'static str = "blobcopy_mirror_whole";
    const GUARD: &'static str = "blobcopy_mirror_guard";
    const DONE: &'static str = "blobcopy_mirror_done";
    const SEALING: &'static str = "blobcopy_mirror_sealing";
    const SEALED: &'static str = "blobcopy_mirror_sealed";
    const LEASE: &'static str = "blobcopy_mirror_lease";

    /// All names that a mirror uses begin with this.
    pub(crate) const PREFIX: &'static str = "blobcopy_mirror_";

    /// Whether the pair is the mirror's, and not the user's.
    pub(crate) fn has(name: &str) -> bool {
        name.get(..Self::PREFIX.len()).is_some_and(|found| found.eq_ignore_ascii_case(Self::PREFIX))
    }

    /// Whether a blob with this metadata is of a mirror, even if the rest is unreadable.
    pub(crate) fn is_on(metadata: &Metadata) -> bool {
        metadata.get(Self::SOURCE).is_some()
    }

    /// Whether it is of this source. Unique ids of managed disks are compared without case, URLs by
    /// account, container and name.
    pub(crate) fn is_of(&self, source: &str) -> bool {
        Self::is_same_source(&self.source, source)
    }

    /// The same for what metadata say.
    pub(crate) fn is_same_source(noted: &str, source: &str) -> bool {
        let source = redact(source);
        let is_url = source.contains("://");
        match is_url {
            true => noted == source || is_same_blob(noted, &source),
            false => noted.eq_ignore_ascii_case(&source),
        }
    }

    /// The source that the metadata name, even if the rest is unreadable.
    pub(crate) fn source_in(metadata: &Metadata) -> Option<String> {
        decoded(metadata.get(Self::SOURCE)?)
    }

    /// The lineage in the metadata, or `None` if it is not there or unreadable.
    pub(crate) fn read(metadata: &Metadata) -> Option<Self> {
        let point = |id: &str, time: &str| -> Option<Option<Point>> {
            let Some(id) = metadata.get(id) else { return Some(None) };
            let time = OffsetDateTime::parse(metadata.get(time)?, &Rfc3339).ok()?;
            Some(Some(Point { id: decoded(id)?, time }))
        };
        let number = |name: &str| metadata.get(name)?.parse::<u64>().ok();
        let flag = |name: &str| metadata.get(name) == Some("true");
        let hop = match point(Self::TO, Self::TO_TIME)? {
            None => None,
            Some(to) => Some(HopState {
                to,
                whole: flag(Self::WHOLE),
                guard: number(Self::GUARD)?,
                done: number(Self::DONE)?,
                sealing: flag(Self::SEALING),
            }),
        };
        Some(Self {
            source: decoded(metadata.get(Self::SOURCE)?)?,
            equals: point(Self::EQUALS, Self::EQUALS_TIME)?,
            hop,
            sealed: flag(Self::SEALED),
            lease: metadata.get(Self::LEASE).and_then(|id| id.parse().ok()),
        })
    }

    /// The user's part of `others`, with this lineage.
    pub(crate) fn with(&self, others: &Metadata) -> Metadata {
        let mut metadata = Self::without(others);
        metadata.insert(Self::SOURCE, encoded(&redact(&self.source)));
        let mut point = |point: &Point, id: &str, time: &str| {
            metadata.insert(id, encoded(&point.id));
            metadata.insert(time, point.time.format(&Rfc3339).unwrap_or_default());
        };
        if let Some(equals) = &self.equals {
            point(equals, Self::EQUALS, Self::EQUALS_TIME);
        }
        if let Some(hop) = &self.hop {
            point(&hop.to, Self::TO, Self::TO_TIME);
            for (name, flag) in [(Self::WHOLE, hop.whole), (Self::SEALING, hop.sealing)] {
                if flag {
                    metadata.insert(name, "true");
                }
            }
            metadata.insert(Self::GUARD, hop.guard.to_string());
            metadata.insert(Self::DONE, hop.done.to_string());
        }
        if self.sealed {
            metadata.insert(Self::SEALED, "true");
        }
        if let Some(lease) = &self.lease {
            metadata.insert(Self::LEASE, lease.to_string());
        }
        metadata
    }

    /// What a snapshot with this lineage equals, if it is one that a hop was sealed with.
    pub(crate) fn into_sealed(self) -> Option<Point> {
        self.equals.filter(|_| self.sealed && self.hop.is_none())
    }

    /// The user's part of metadata.
    pub(crate) fn without(metadata: &Metadata) -> Metadata {
        metadata
            .iter()
            .filter(|(name, _)| !Self::has(name))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    }
}

/// Text as a header can carry it: visible ASCII but `%`.
pub(crate) fn encoded(text: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const ESCAPED: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
    utf8_percent_encode(text, ESCAPED).to_string()
}

/// What [`encoded`] was made from.
pub(crate) fn decoded(text: &str) -> Option<String> {
    let decoded = percent_encoding::percent_decode_str(text).decode_utf8().ok()?;
    Some(decoded.into_owned())
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    #[test]
    fn a_lineage_survives_as_metadata_beside_the_users_own() {
        let point = |id: &str| Point { id: id.into(), time: datetime!(2026-01-01 00:00:00.5 UTC) };
        let hop =
            HopState { to: point("b %ä"), whole: true, guard: 9, done: 1 << 40, sealing: true };
        let users = Metadata::from([("owner", "me"), ("blobcopy_mirror_old", "x")]);
        for (equals, hop, sealed) in [
            (None, Some(hop.clone()), false),
            (Some(point("a")), Some(HopState { whole: false, sealing: false, ..hop }), false),
            (Some(point("a")), None, false),
            (Some(point("a")), None, true),
        ] {
            let lease =
                (!sealed).then(|| "11111111-2222-3333-4444-555555555555".parse().expect("a GUID"));
            let lineage = Lineage { source: "https://a/b c".into(), equals, hop, sealed, lease };
            assert_eq!(lineage.clone().into_sealed().is_some(), sealed);
            let metadata = lineage.with(&users);
            let upper: Metadata = metadata
                .iter()
                .map(|(name, value)| (name.to_ascii_uppercase(), value.to_owned()))
                .collect();
            assert_eq!(Lineage::read(&metadata).as_ref(), Some(&lineage));
            assert_eq!(Lineage::read(&upper).as_ref(), Some(&lineage));
            assert_eq!(Lineage::without(&upper).iter().count(), 1);
        }
        assert_eq!(Lineage::read(&users), None);
        let source = "https://a/b?sv=1&sig=s3cret".to_owned();
        let lineage = Lineage { source, equals: None, hop: None, sealed: false, lease: None };
        let metadata = lineage.with(&users);
        assert!(metadata.iter().all(|(_, value)| !value.contains("s3cret")), "{metadata:?}");
    }

    #[test]
    fn ids_are_the_same_in_any_case_and_urls_are_not() {
        let point = |id: &str| Point { id: id.into(), time: datetime!(2026-01-01 00:00 UTC) };
        assert_eq!(point("/resourceGroups/GRP/a"), point("/resourcegroups/grp/a"));
        assert_ne!(point("a"), point("b"));
        let again = Point { time: datetime!(2026-01-01 00:00:00.0000001 UTC), ..point("a") };
        assert_ne!(point("a"), again, "made again under its name");
        let of = |source: &str| Lineage {
            source: source.into(),
            equals: None,
            hop: None,
            sealed: false,
            lease: None,
        };
        assert!(of("1B-2c").is_of("1b-2C") && !of("1b").is_of("1c"));
        assert!(of("https://a/b").is_of("https://a/b") && !of("https://a/b").is_of("https://a/B"));
        let disk = of("http://acct.blob.core.windows.net/vhds/d");
        assert!(disk.is_of("https://acct-secondary.blob.core.windows.net/vhds/d"));
        assert!(!disk.is_of("https://acct.blob.core.windows.net/vhds/D") && !disk.is_of("d"));
    }
}
