//! A part of a job, which one worker of several runs.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::order;
use crate::{Error, Result};

/// A part of a job, which one worker of several runs. The shards of a job have no blob in common,
/// and together they have all of them.
///
/// [`Shard::new`] goes by a hash of the name and needs nothing else: each worker lists everything
/// and keeps its own. A shard of a [`JobFile`](super::JobFile) is a range of names. Running a shard
/// twice, or two at once, harms nothing.
///
/// # The hash
///
/// The shard of a blob is `h mod count`, where `h` is the first eight bytes of the SHA-256 of its
/// name in the source container (UTF-8, not encoded as in a URL), read as a big-endian number. It
/// will not change. In Python:
///
/// ```python
/// int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % count
/// ```
///
/// | name | `h` | of 3 | of 16 | of 10,000 |
/// | --- | --- | --- | --- | --- |
/// | `a` | `ca978112ca1bbdca` | 1 | 10 | 2250 |
/// | `disk0.vhd` | `532791a1a411fd3e` | 0 | 14 | 8814 |
/// | `2026/01/02/part-00000.parquet` | `1f1cddf97ceed60e` | 0 | 14 | 6734 |
/// | `é` (U+00E9) | `4a99557e4033c353` | 0 | 3 | 2051 |
/// | `😀` (U+1F600) | `f0443a342c5ef547` | 2 | 7 | 327 |
/// | `a b%20?#` | `7cdb9b6fb4904a7e` | 2 | 14 | 7998 |
///
/// ```
/// use blobcopy::jobs::Shard;
///
/// let shard: Shard = "3/16".parse()?;
/// assert_eq!((shard.index(), shard.count()), (3, 16));
/// assert!(shard.holds("é") && !shard.holds("disk0.vhd"));
/// assert!(Shard::new(16, 16).is_err());
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Shard {
    index: u32,
    count: u32,
    /// The names, where they are a range; otherwise the hash chooses.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<NameRange>,
}

/// The names from one border to the next, by UTF-16 code units.
#[derive(Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct NameRange {
    /// The first name; `None` in the first shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) from: Option<String>,
    /// The name behind the last; `None` in the last shard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) before: Option<String>,
    /// Whether the container lists names in this order, so that a listing can be cut.
    #[serde(default)]
    pub(super) in_order: bool,
}

impl Shard {
    /// The most shards of a job.
    pub const MOST: u32 = 10_000;

    /// Shard `index`, from 0, of `count`, by a hash of the name.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] unless `count` is 1 to [`MOST`](Self::MOST) and `index` less than
    /// `count`.
    pub fn new(index: u32, count: u32) -> Result<Self> {
        Self::checked(index, count, None)
    }

    pub(super) fn checked(index: u32, count: u32, range: Option<NameRange>) -> Result<Self> {
        if !(1..=Self::MOST).contains(&count) || index >= count {
            return Err(refused(&format!("{index}/{count}")));
        }
        Ok(Self { index, count, range })
    }

    /// Which shard this is, from 0.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// How many shards there are.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Whether the blob of this name in the source container belongs to the shard.
    pub fn holds(&self, name: &str) -> bool {
        match &self.range {
            Some(range) => range.holds(name),
            None => of_name(name, self.count) == self.index,
        }
    }

    /// The name at which a listing of the source can start (`startFrom`); `None` if it must start
    /// at its beginning.
    pub fn start_from(&self) -> Option<&str> {
        self.range.as_ref().filter(|range| range.in_order)?.from.as_deref()
    }

    /// Whether no name that is listed after this one belongs to the shard.
    pub fn is_behind(&self, name: &str) -> bool {
        self.range.as_ref().filter(|range| range.in_order).is_some_and(|range| range.ends(name))
    }

    /// The same shard, whose listings start at the first name of all and end with the last.
    pub(super) fn without_cuts(&self) -> Self {
        let range = self.range.clone().map(|range| NameRange { in_order: false, ..range });
        Self { range, ..self.clone() }
    }

    pub(super) fn range(&self) -> Option<&NameRange> {
        self.range.as_ref()
    }
}

impl NameRange {
    fn holds(&self, name: &str) -> bool {
        self.from.as_ref().is_none_or(|from| order::compare(from, name).is_le()) && !self.ends(name)
    }

    fn ends(&self, name: &str) -> bool {
        self.before.as_ref().is_some_and(|before| order::compare(before, name).is_le())
    }
}

/// The shard of a name, by its hash.
fn of_name(name: &str, count: u32) -> u32 {
    let digest = Sha256::digest(name.as_bytes());
    let first = digest.first_chunk().copied().map(u64::from_be_bytes).unwrap_or_default();
    u32::try_from(first % u64::from(count)).unwrap_or_default()
}

fn refused(given: &str) -> Error {
    let rule = "must be INDEX/COUNT, with COUNT from 1 to 10000 and INDEX from 0 to COUNT - 1, \
                such as 3/16";
    Error::invalid("shard", given, rule)
}

impl FromStr for Shard {
    type Err = Error;

    /// Reads `3/16`: the index, from 0, and the count.
    fn from_str(text: &str) -> Result<Self> {
        let number = |text: &str| -> Option<u32> {
            text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
        };
        let parts = text.split_once('/');
        let numbers = parts.and_then(|(index, count)| Some((number(index)?, number(count)?)));
        let (index, count) = numbers.ok_or_else(|| refused(text))?;
        Self::new(index, count)
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.count)
    }
}

impl fmt::Debug for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = if self.range.is_some() { "names" } else { "hash" };
        write!(f, "Shard({self} by {by})")
    }
}

/// A shard as it is read, before its numbers are checked.
#[derive(Deserialize)]
struct Unchecked {
    index: u32,
    count: u32,
    range: Option<NameRange>,
}

impl TryFrom<Unchecked> for Shard {
    type Error = Error;

    fn try_from(read: Unchecked) -> Result<Self> {
        Self::checked(read.index, read.count, read.range)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_is_the_one_that_is_written_down() {
        for (name, of_3, of_16, of_10_000) in [
            ("", 1, 4, 1652),
            ("a", 1, 10, 2250),
            ("disk0.vhd", 0, 14, 8814),
            ("2026/01/02/part-00000.parquet", 0, 14, 6734),
            ("é", 0, 3, 2051),
            ("😀", 2, 7, 327),
            ("a b%20?#", 2, 14, 7998),
        ] {
            for (count, index) in [(1, 0), (3, of_3), (16, of_16), (10_000, of_10_000)] {
                assert_eq!(of_name(name, count), index, "{name:?} of {count}");
                assert!(Shard::new(index, count).expect("legal").holds(name));
            }
        }
    }

    #[test]
    fn names_of_every_habit_are_spread_evenly() {
        let habits: [fn(u32) -> String; 4] = [
            |n| format!("{n:08}.bin"),
            |n| format!("2026/{:02}/{:02}/part-{n}.parquet", n / 2800 % 12, n / 100 % 28),
            |n| format!("{:x}/{}", n.wrapping_mul(0x9e37_79b1), n * 2),
            |n| format!("{}", n * 256),
        ];
        for (at, name) in habits.iter().enumerate() {
            for count in [2, 7, 16, 64] {
                let mut found = vec![0_u32; count as usize];
                (0..64_000).for_each(|n| found[of_name(&name(n), count) as usize] += 1);
                let even = f64::from(64_000 / count);
                for blobs in found {
                    let off = (f64::from(blobs) - even).abs() / even;
                    assert!(off < 5.0 / even.sqrt(), "habit {at}, {count} shards: {blobs}");
                }
            }
        }
    }

    #[test]
    fn only_numbers_that_fit_make_a_shard() {
        for (text, index, count) in [("0/1", 0, 1), ("3/16", 3, 16), ("9999/10000", 9999, 10_000)] {
            let shard: Shard = text.parse().expect(text);
            assert_eq!(
                (shard.index(), shard.count(), shard.to_string()),
                (index, count, text.into())
            );
        }
        for bad in
            ["", "3", "/", "3/", "/16", "16/16", "0/0", "0/10001", "-1/4", "+1/4", "1/4/8", " 1/4"]
        {
            let error = bad.parse::<Shard>().expect_err(bad).to_string();
            assert!(error.starts_with("shard: ") && error.contains("such as 3/16"), "{error}");
        }
    }

    #[test]
    fn it_is_read_from_json_as_it_was_written_and_checked() {
        let range = NameRange { from: Some("k".into()), before: None, in_order: true };
        for shard in
            [Shard::new(3, 16).expect("legal"), Shard::checked(15, 16, Some(range)).expect("legal")]
        {
            let text = serde_json::to_string(&shard).expect("JSON");
            assert_eq!(serde_json::from_str::<Shard>(&text).expect("JSON"), shard, "{text}");
        }
        let text = serde_json::to_string(&Shard::new(3, 16).expect("legal")).expect("JSON");
        assert_eq!(text, r#"{"index":3,"count":16}"#);
        assert!(serde_json::from_str::<Shard>(r#"{"index":16,"count":16}"#).is_err());
    }

    #[test]
    fn a_listing_is_cut_only_where_it_is_in_order() {
        let range =
            |in_order| NameRange { from: Some("b".into()), before: Some("d".into()), in_order };
        let shard = |in_order| Shard::checked(1, 3, Some(range(in_order))).expect("legal");
        assert_eq!(shard(true).start_from(), Some("b"));
        assert!(shard(true).is_behind("d") && !shard(true).is_behind("cz"));
        assert_eq!(shard(false).start_from(), None);
        assert!(!shard(false).is_behind("e") && !shard(false).holds("e"));
        assert_eq!(shard(true).without_cuts(), shard(false));
        let hashed = Shard::new(1, 3).expect("legal");
        assert!(hashed.start_from().is_none() && !hashed.is_behind("\u{10ffff}"));
    }
}
