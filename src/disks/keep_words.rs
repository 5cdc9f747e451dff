//! The words of a retention policy: how many, for how long, and why.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::{Date, Duration, Month, OffsetDateTime};

use crate::{Error, Result};

/// How many snapshots a rule of [`Keep`](super::Keep) keeps.
///
/// As text it is a number, or `unlimited`. `-1` is read as `unlimited` too, as restic does.
///
/// ```
/// use blobcopy::disks::KeepCount;
///
/// assert_eq!("7".parse::<KeepCount>()?, KeepCount::AtMost(7));
/// assert_eq!("-1".parse::<KeepCount>()?, KeepCount::Unlimited);
/// assert_eq!(KeepCount::Unlimited.to_string(), "unlimited");
/// assert!("seven".parse::<KeepCount>().is_err());
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeepCount {
    /// This many at most. 0 turns the rule off.
    AtMost(u32),
    /// All of them.
    Unlimited,
}

impl KeepCount {
    /// Whether the rule is off.
    pub(super) fn is_off(&self) -> bool {
        *self == Self::AtMost(0)
    }

    /// Whether there is room for one more beside `found`.
    pub(super) fn has_room(self, found: usize) -> bool {
        match self {
            Self::AtMost(most) => usize::try_from(most).is_ok_and(|most| found < most),
            Self::Unlimited => true,
        }
    }
}

impl Default for KeepCount {
    fn default() -> Self {
        Self::AtMost(0)
    }
}

impl From<u32> for KeepCount {
    fn from(count: u32) -> Self {
        Self::AtMost(count)
    }
}

impl fmt::Display for KeepCount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(count) => count.fmt(f),
            Self::Unlimited => f.pad("unlimited"),
        }
    }
}

impl FromStr for KeepCount {
    type Err = Error;

    /// Reads a number from 0 to 4294967295, `unlimited` or `-1`.
    fn from_str(text: &str) -> Result<Self> {
        match text {
            "unlimited" | "-1" => Ok(Self::Unlimited),
            _ => number(text).map(Self::AtMost).ok_or_else(|| {
                Error::invalid("count", text, "must be a number from 0 to 4294967295, or unlimited")
            }),
        }
    }
}

impl Serialize for KeepCount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::AtMost(count) => serializer.serialize_u32(*count),
            Self::Unlimited => serializer.serialize_str("unlimited"),
        }
    }
}

impl<'de> Deserialize<'de> for KeepCount {
    /// Reads a number, or text as `from_str` does.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(i64),
            Text(String),
        }
        let text = match Written::deserialize(deserializer)? {
            Written::Number(number) => number.to_string(),
            Written::Text(text) => text,
        };
        text.parse().map_err(de::Error::custom)
    }
}

/// A time span by the calendar, in restic's form: `1y5m7d2h` is 1 year, 5 months, 7 days and 2
/// hours.
///
/// Text may have the units in any order, each at most once. There is no unit for weeks.
///
/// It is subtracted field by field, as restic does. A day that a month does not have counts on into
/// the next: a month before 31 March is 31 February, that is 3 March, or 2 March in a leap year.
///
/// ```
/// use blobcopy::disks::KeepDuration;
///
/// let span: KeepDuration = "1y5m7d2h".parse()?;
/// assert_eq!(span, KeepDuration { years: 1, months: 5, days: 7, hours: 2 });
/// assert_eq!(span.to_string(), "1y5m7d2h");
/// assert_eq!("36h".parse::<KeepDuration>()?, KeepDuration { hours: 36, ..Default::default() });
/// assert!("2w".parse::<KeepDuration>().is_err());
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct KeepDuration {
    /// Calendar years.
    pub years: u32,
    /// Calendar months: any number, not only up to 11.
    pub months: u32,
    /// Days of 24 hours.
    pub days: u32,
    /// Hours.
    pub hours: u32,
}

impl KeepDuration {
    /// Whether it has no length, which turns the rule off.
    pub(super) fn is_off(&self) -> bool {
        *self == Self::default()
    }

    /// The time this long before `newest`, in its zone; `None` if that is before all times.
    pub(super) fn before(self, newest: OffsetDateTime) -> Option<OffsetDateTime> {
        let months = i64::from(newest.year()) * 12 + i64::from(u8::from(newest.month()))
            - 1
            - i64::from(self.years) * 12
            - i64::from(self.months);
        let year = i32::try_from(months.div_euclid(12)).ok()?;
        let month = Month::January.nth_next(u8::try_from(months.rem_euclid(12)).ok()?);
        let first = Date::from_calendar_date(year, month, 1).ok()?;
        let days = i64::from(newest.day()) - 1 - i64::from(self.days);
        let date = first.checked_add(Duration::days(days))?;
        newest.replace_date(date).checked_sub(Duration::hours(i64::from(self.hours)))
    }
}

impl fmt::Display for KeepDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(self.years, 'y'), (self.months, 'm'), (self.days, 'd'), (self.hours, 'h')];
        let written: String =
            units.iter().filter(|unit| unit.0 > 0).map(|(n, unit)| format!("{n}{unit}")).collect();
        f.pad(if written.is_empty() { "0h" } else { &written })
    }
}

impl FromStr for KeepDuration {
    type Err = Error;

    /// Reads `1y5m7d2h`: numbers from 0 to 4294967295, each with its unit.
    fn from_str(text: &str) -> Result<Self> {
        const RULE: &str = "must be years, months, days and hours such as 1y5m7d2h or 36h";
        let refused = || Error::invalid("duration", text, RULE);
        let (mut years, mut months, mut days, mut hours) = (None, None, None, None);
        let mut rest = text;
        while let Some(at) = rest.find(|c: char| !c.is_ascii_digit()) {
            let count = number(&rest[..at]).ok_or_else(refused)?;
            let unit = match rest.as_bytes()[at] {
                b'y' => &mut years,
                b'm' => &mut months,
                b'd' => &mut days,
                b'h' => &mut hours,
                _ => return Err(refused()),
            };
            if unit.replace(count).is_some() {
                return Err(refused());
            }
            rest = &rest[at + 1..];
        }
        if text.is_empty() || !rest.is_empty() {
            return Err(refused());
        }
        let [years, months, days, hours] =
            [years, months, days, hours].map(Option::unwrap_or_default);
        Ok(Self { years, months, days, hours })
    }
}

impl Serialize for KeepDuration {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for KeepDuration {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// A rule of [`Keep`](super::Keep) that counts: all but `within`.
///
/// ```
/// use blobcopy::disks::KeepRule;
///
/// assert_eq!(KeepRule::Daily.to_string(), "daily");
/// assert_eq!(serde_json::to_string(&KeepRule::Daily)?, r#""daily""#);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum KeepRule {
    /// The newest snapshots, whenever they were taken.
    Last,
    /// The newest snapshot of each hour, from minute 0 to 59.
    Hourly,
    /// The newest snapshot of each day, from midnight.
    Daily,
    /// The newest snapshot of each ISO week, from Monday.
    Weekly,
    /// The newest snapshot of each month.
    Monthly,
    /// The newest snapshot of each year.
    Yearly,
}

impl fmt::Display for KeepRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Last => "last",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
            Self::Weekly => "weekly",
            Self::Monthly => "monthly",
            Self::Yearly => "yearly",
        })
    }
}

/// Why a snapshot stays.
///
/// ```
/// use blobcopy::disks::{KeepRule, Reason};
///
/// assert_eq!(Reason::Rule(KeepRule::Daily).to_string(), "daily snapshot");
/// assert_eq!(Reason::Oldest(KeepRule::Weekly).to_string(), "oldest weekly snapshot");
/// assert_eq!(Reason::Within("7d".parse()?).to_string(), "within 7d");
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Reason {
    /// It is the newest, which always stays.
    Newest,
    /// Its time is unknown, so no rule can judge it.
    UnknownTime,
    /// It is one of those that this rule keeps.
    Rule(KeepRule),
    /// It is the oldest, and this rule found fewer periods with snapshots than it may keep.
    Oldest(KeepRule),
    /// It was taken less than this before the newest.
    Within(KeepDuration),
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Newest => f.write_str("newest"),
            Self::UnknownTime => f.write_str("time unknown"),
            Self::Rule(rule) => write!(f, "{rule} snapshot"),
            Self::Oldest(rule) => write!(f, "oldest {rule} snapshot"),
            Self::Within(span) => write!(f, "within {span}"),
        }
    }
}

/// A number of digits alone: no sign, no space.
fn number(text: &str) -> Option<u32> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}
