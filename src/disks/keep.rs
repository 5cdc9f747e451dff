//! Retention: which snapshots stay, which go, and why.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};
use time::{Date, OffsetDateTime, UtcOffset};

use super::{DatedSnapshot, KeepCount, KeepDuration, KeepRule, Kept, Reason};
use crate::{Error, Result};

/// Which snapshots to keep, in the words and meaning of [restic's
/// `forget`](https://restic.readthedocs.io/en/stable/060_forget.html).
///
/// This is only a policy: it deletes nothing and sends nothing.
///
/// - A snapshot stays if any rule keeps it.
/// - `hourly` to `yearly` keep the newest snapshot of each period. They go back from the newest
///   snapshot and count only periods that have snapshots, however far apart.
/// - If such a rule finds fewer periods than it may keep, the oldest snapshot stays too
///   ([`Reason::Oldest`]). A young chain thus keeps its full history.
/// - `within` counts from the newest snapshot, not from now: a chain that is no longer written does
///   not shrink.
/// - Periods are those of the calendar in UTC or in the [`zone`](Self::zone). Weeks are ISO weeks,
///   from Monday to Sunday.
/// - The newest snapshot always stays, and so does any whose time is unknown.
/// - A policy without rules is refused, since it would delete all but the newest.
///
/// What a policy keeps, it keeps when it is applied again to what is left.
///
/// ```
/// use blobcopy::{SnapshotId, disks::Keep};
///
/// let snapshots = ["2026-01-01T06:00:00Z", "2026-01-01T18:00:00Z", "2026-01-02T06:00:00Z"]
///     .map(|id| id.parse::<SnapshotId>().unwrap());
/// let keep = Keep::new().daily(2).within("6h".parse()?);
///
/// let lines: Vec<_> = keep.apply(&snapshots)?.iter().map(|kept| kept.to_string()).collect();
/// assert_eq!(lines, [
///     "remove 2026-01-01T06:00:00Z         2026-01-01 06:00:00 +00:00",
///     "keep   2026-01-01T18:00:00Z         2026-01-01 18:00:00 +00:00  daily snapshot",
///     "keep   2026-01-02T06:00:00Z         2026-01-02 06:00:00 +00:00  \
///      newest, daily snapshot, within 6h",
/// ]);
/// # Ok::<(), blobcopy::Error>(())
/// ```
///
/// As JSON it has the rules' names; an unknown one is refused:
///
/// ```
/// use blobcopy::disks::Keep;
///
/// let text = r#"{"daily":7,"yearly":"unlimited","within":"1m","zone":"+01:00"}"#;
/// let keep: Keep = serde_json::from_str(text)?;
/// assert_eq!(
///     keep.to_string(),
///     "keep 7 daily, all yearly snapshots and all within 1m of the newest (days begin at \
///      midnight +01:00)",
/// );
/// assert!(serde_json::from_str::<Keep>(r#"{"dayly":7}"#).is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Keep {
    #[serde(skip_serializing_if = "KeepCount::is_off")]
    last: KeepCount,
    #[serde(skip_serializing_if = "KeepCount::is_off")]
    hourly: KeepCount,
    #[serde(skip_serializing_if = "KeepCount::is_off")]
    daily: KeepCount,
    #[serde(skip_serializing_if = "KeepCount::is_off")]
    weekly: KeepCount,
    #[serde(skip_serializing_if = "KeepCount::is_off")]
    monthly: KeepCount,
    #[serde(skip_serializing_if = "KeepCount::is_off")]
    yearly: KeepCount,
    #[serde(skip_serializing_if = "KeepDuration::is_off")]
    within: KeepDuration,
    #[serde(with = "zone_text", skip_serializing_if = "zone_text::is_utc")]
    zone: UtcOffset,
}

impl Keep {
    /// A policy without rules: add at least one.
    ///
    /// ```
    /// use blobcopy::disks::Keep;
    ///
    /// assert!(Keep::new().is_empty() && !Keep::new().last(1).is_empty());
    /// ```
    pub fn new() -> Self {
        Self {
            last: KeepCount::default(),
            hourly: KeepCount::default(),
            daily: KeepCount::default(),
            weekly: KeepCount::default(),
            monthly: KeepCount::default(),
            yearly: KeepCount::default(),
            within: KeepDuration::default(),
            zone: UtcOffset::UTC,
        }
    }

    /// Keeps the `count` newest snapshots, whenever they were taken.
    ///
    /// Here and in the other rules, 0 turns the rule off, and
    /// [`Unlimited`](KeepCount::Unlimited) has no end.
    ///
    /// ```
    /// use blobcopy::disks::{Keep, KeepCount};
    ///
    /// assert_eq!(Keep::new().last(3).to_string(), "keep 3 last snapshots");
    /// let all = Keep::new().last(KeepCount::Unlimited);
    /// assert_eq!(all.to_string(), "keep all last snapshots");
    /// ```
    #[must_use]
    pub fn last(mut self, count: impl Into<KeepCount>) -> Self {
        self.last = count.into();
        self
    }

    /// Keeps the newest snapshot of each of the last `count` hours that have one.
    ///
    /// ```
    /// # use blobcopy::disks::Keep;
    /// assert_eq!(Keep::new().hourly(24).to_string(), "keep 24 hourly snapshots");
    /// ```
    #[must_use]
    pub fn hourly(mut self, count: impl Into<KeepCount>) -> Self {
        self.hourly = count.into();
        self
    }

    /// Keeps the newest snapshot of each of the last `count` days that have one.
    ///
    /// ```
    /// # use blobcopy::disks::Keep;
    /// assert_eq!(Keep::new().daily(7).to_string(), "keep 7 daily snapshots");
    /// ```
    #[must_use]
    pub fn daily(mut self, count: impl Into<KeepCount>) -> Self {
        self.daily = count.into();
        self
    }

    /// Keeps the newest snapshot of each of the last `count` ISO weeks that have one.
    ///
    /// ```
    /// # use blobcopy::disks::Keep;
    /// assert_eq!(Keep::new().weekly(4).to_string(), "keep 4 weekly snapshots");
    /// ```
    #[must_use]
    pub fn weekly(mut self, count: impl Into<KeepCount>) -> Self {
        self.weekly = count.into();
        self
    }

    /// Keeps the newest snapshot of each of the last `count` months that have one.
    ///
    /// ```
    /// # use blobcopy::disks::Keep;
    /// assert_eq!(Keep::new().monthly(12).to_string(), "keep 12 monthly snapshots");
    /// ```
    #[must_use]
    pub fn monthly(mut self, count: impl Into<KeepCount>) -> Self {
        self.monthly = count.into();
        self
    }

    /// Keeps the newest snapshot of each of the last `count` years that have one.
    ///
    /// ```
    /// # use blobcopy::disks::Keep;
    /// assert_eq!(Keep::new().yearly(10).to_string(), "keep 10 yearly snapshots");
    /// ```
    #[must_use]
    pub fn yearly(mut self, count: impl Into<KeepCount>) -> Self {
        self.yearly = count.into();
        self
    }

    /// Keeps every snapshot taken less than `span` before the newest. One that is exactly that old
    /// is not kept by this rule. A span of 0 turns the rule off.
    ///
    /// ```
    /// use blobcopy::disks::Keep;
    ///
    /// let keep = Keep::new().within("1m15d".parse()?);
    /// assert_eq!(keep.to_string(), "keep all within 1m15d of the newest");
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    #[must_use]
    pub fn within(mut self, span: KeepDuration) -> Self {
        self.within = span;
        self
    }

    /// The zone in which hours, days, weeks, months and years begin; UTC by default.
    ///
    /// It is a fixed offset: it does not follow daylight saving time.
    ///
    /// ```
    /// use blobcopy::{SnapshotId, disks::Keep, time::macros::offset};
    ///
    /// // 23:30 and 00:30 UTC are on the same day in Rome, at 00:30 and 01:30.
    /// let snapshots =
    ///     ["2026-01-01T23:30:00Z", "2026-01-02T00:30:00Z", "2026-01-02T23:30:00Z"]
    ///         .map(|id| id.parse::<SnapshotId>().unwrap());
    /// let stays = |keep: Keep| -> blobcopy::Result<Vec<bool>> {
    ///     Ok(keep.apply(&snapshots)?.iter().map(|kept| kept.stays()).collect())
    /// };
    /// assert_eq!(stays(Keep::new().daily(2))?, [true, false, true]);
    /// assert_eq!(stays(Keep::new().daily(2).zone(offset!(+1)))?, [false, true, true]);
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    #[must_use]
    pub fn zone(mut self, zone: UtcOffset) -> Self {
        self.zone = zone;
        self
    }

    /// Whether no rule is set.
    pub fn is_empty(&self) -> bool {
        self.within.is_off() && self.counts().iter().all(|(_, count)| count.is_off())
    }

    /// Says for each snapshot whether it stays, and why.
    ///
    /// The snapshots can be in any order. One that is given more than once counts once. The result
    /// has each once: first those whose time is unknown, then from the oldest to the newest.
    ///
    /// A snapshot has the time of its id, unless it is given with another. For the destination of
    /// a mirror give the time of the source snapshot that it equals: those that were copied on one
    /// day would otherwise be taken for snapshots of that day.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidInput`] if the policy [is empty](Self::is_empty).
    ///
    /// ```
    /// use blobcopy::{SnapshotId, disks::Keep, time::macros::datetime};
    ///
    /// // Copied within a minute, from snapshots that are a day apart.
    /// let copies = [
    ///     ("2026-02-01T00:00:10Z", datetime!(2026-01-01 00:00 UTC)),
    ///     ("2026-02-01T00:00:20Z", datetime!(2026-01-02 00:00 UTC)),
    /// ];
    /// let copies = copies.map(|(id, time)| (id.parse::<SnapshotId>().unwrap(), time));
    /// let kept = Keep::new().daily(2).apply(copies)?;
    /// assert!(kept.iter().all(|kept| kept.stays()));
    /// assert!(Keep::new().apply(kept.iter().map(|kept| &kept.snapshot)).is_err());
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn apply<S: Into<DatedSnapshot>>(
        &self,
        snapshots: impl IntoIterator<Item = S>,
    ) -> Result<Vec<Kept>> {
        if self.is_empty() {
            let rule = "has no rule and would keep only the newest: set one, such as daily 7";
            return Err(Error::invalid("retention policy", self, rule));
        }
        let mut kept = self.without_reasons(snapshots.into_iter().map(Into::into));
        for one in kept.iter_mut().filter(|one| one.time.is_none()) {
            one.reasons.push(Reason::UnknownTime);
        }
        let unknown = kept.partition_point(|one| one.time.is_none());
        let times: Vec<OffsetDateTime> = kept.iter().filter_map(|one| one.time).collect();
        for (at, reason) in self.reasons(&times) {
            kept[unknown + at].reasons.push(reason);
        }
        Ok(kept)
    }

    /// The snapshots, each once and in order.
    fn without_reasons(&self, snapshots: impl Iterator<Item = DatedSnapshot>) -> Vec<Kept> {
        let mut times = BTreeMap::new();
        for DatedSnapshot { snapshot, time } in snapshots {
            let time = time.and_then(|time| in_zone(time, self.zone));
            let known = times.entry(snapshot).or_insert(time);
            if *known != time {
                *known = None;
            }
        }
        let kept = times.into_iter();
        let kept = kept.map(|(snapshot, time)| Kept { snapshot, time, reasons: Vec::new() });
        let mut kept: Vec<Kept> = kept.collect();
        kept.sort_by_key(|one| one.time);
        kept
    }

    /// The reasons to keep those of `times`, which go from the oldest to the newest.
    fn reasons(&self, times: &[OffsetDateTime]) -> Vec<(usize, Reason)> {
        let Some((newest, older)) = times.split_last() else { return Vec::new() };
        let mut reasons = vec![(older.len(), Reason::Newest)];
        for (rule, count) in self.counts() {
            let mut found = Vec::new();
            let mut last = None;
            for (at, time) in times.iter().enumerate().rev() {
                let period = period(rule, at, *time);
                if last != Some(period) && count.has_room(found.len()) {
                    found.push((at, Reason::Rule(rule)));
                    last = Some(period);
                }
            }
            let has_oldest = found.last().is_some_and(|(at, _)| *at == 0);
            if !has_oldest && count.has_room(found.len()) {
                found.push((0, Reason::Oldest(rule)));
            }
            reasons.append(&mut found);
        }
        if !self.within.is_off() {
            let limit = self.within.before(*newest);
            let within = times.iter().map(|time| limit.is_none_or(|limit| *time > limit));
            let within = within.enumerate().filter(|(_, within)| *within);
            reasons.extend(within.map(|(at, _)| (at, Reason::Within(self.within))));
        }
        reasons
    }

    fn counts(&self) -> [(KeepRule, KeepCount); 6] {
        [
            (KeepRule::Last, self.last),
            (KeepRule::Hourly, self.hourly),
            (KeepRule::Daily, self.daily),
            (KeepRule::Weekly, self.weekly),
            (KeepRule::Monthly, self.monthly),
            (KeepRule::Yearly, self.yearly),
        ]
    }
}

impl Default for Keep {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for Keep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let counts = self.counts();
        let counts = counts.iter().filter(|(_, count)| !count.is_off());
        let counts: Vec<String> = counts
            .map(|(rule, count)| match count {
                KeepCount::AtMost(count) => format!("{count} {rule}"),
                KeepCount::Unlimited => format!("all {rule}"),
            })
            .collect();
        let mut parts = Vec::new();
        if !counts.is_empty() {
            parts.push(format!("{} snapshots", counts.join(", ")));
        }
        if !self.within.is_off() {
            parts.push(format!("all within {} of the newest", self.within));
        }
        match parts.is_empty() {
            true => f.write_str("keep nothing")?,
            false => write!(f, "keep {}", parts.join(" and "))?,
        }
        match self.zone.is_utc() {
            true => Ok(()),
            false => write!(f, " (days begin at midnight {})", zone_text::written(self.zone)),
        }
    }
}

/// The period of a time by a rule: times of the same one are of equal value.
fn period(rule: KeepRule, at: usize, time: OffsetDateTime) -> (i64, u8) {
    let day = |date: Date| i64::from(date.to_julian_day());
    match rule {
        KeepRule::Last => (i64::try_from(at).unwrap_or(i64::MAX), 0),
        KeepRule::Hourly => (day(time.date()), time.hour()),
        KeepRule::Daily => (day(time.date()), 0),
        KeepRule::Weekly => {
            let (year, week, _) = time.to_iso_week_date();
            (i64::from(year), week)
        }
        KeepRule::Monthly => (i64::from(time.year()), u8::from(time.month())),
        KeepRule::Yearly => (i64::from(time.year()), 0),
    }
}

/// The time in the zone, if both have years from 0 to 9999, as snapshots and JSON have.
fn in_zone(time: OffsetDateTime, zone: UtcOffset) -> Option<OffsetDateTime> {
    let utc = time.checked_to_offset(UtcOffset::UTC)?;
    let local = utc.checked_to_offset(zone)?;
    (utc.year() >= 0 && local.year() >= 0).then_some(local)
}

/// Zones as text: `+01:00`.
mod zone_text {
    use serde::{Deserialize, Deserializer, Serializer, de};
    use time::{UtcOffset, macros::format_description};

    pub(super) fn written(zone: UtcOffset) -> String {
        let text = zone.to_string();
        text.strip_suffix(":00").map_or(text.clone(), str::to_owned)
    }

    pub(super) fn is_utc(zone: &UtcOffset) -> bool {
        zone.is_utc()
    }

    pub(super) fn serialize<S: Serializer>(zone: &UtcOffset, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&written(*zone))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<UtcOffset, D::Error> {
        let text = String::deserialize(from)?;
        let short = format_description!("[offset_hour sign:mandatory]:[offset_minute]");
        let long =
            format_description!("[offset_hour sign:mandatory]:[offset_minute]:[offset_second]");
        let read = UtcOffset::parse(&text, short).or_else(|_| UtcOffset::parse(&text, long));
        read.map_err(|_| de::Error::custom("a zone must be an offset such as +01:00"))
    }
}

#[cfg(test)]
#[path = "keep_tests.rs"]
mod tests;
