//! Policies on cases worked out by hand, and on random histories beside a second implementation.

use proptest::{collection::vec, prelude::*};
use time::macros::{datetime, offset};

use super::*;
use crate::{SnapshotId, disks::KeepDuration};

fn id(text: &str) -> SnapshotId {
    text.parse().expect(text)
}

/// What stays of snapshots at these times: each with its reasons, the oldest first.
fn stays(keep: &Keep, times: &[&str]) -> Vec<String> {
    let ids = times.iter().map(|time| id(&format!("{time}Z")));
    let kept = keep.apply(ids).expect("a policy with rules");
    let line = |one: &Kept| {
        let reasons: Vec<String> = one.reasons.iter().map(Reason::to_string).collect();
        format!("{}: {}", one.snapshot.as_str().trim_end_matches('Z'), reasons.join(", "))
    };
    kept.iter().filter(|one| one.stays()).map(line).collect()
}

/// The twelve Sundays of an example in restic's manual, where `--keep-daily 4` keeps the last four.
const SUNDAYS: [&str; 12] = [
    "2019-09-01T11:00:00",
    "2019-09-08T11:00:00",
    "2019-09-15T11:00:00",
    "2019-09-22T11:00:00",
    "2019-09-29T11:00:00",
    "2019-10-06T11:00:00",
    "2019-10-13T11:00:00",
    "2019-10-20T11:00:00",
    "2019-10-27T11:00:00",
    "2019-11-03T11:00:00",
    "2019-11-10T11:00:00",
    "2019-11-17T11:00:00",
];

#[test]
fn each_rule_keeps_the_newest_of_its_periods() {
    let span = |text: &str| text.parse::<KeepDuration>().expect(text);
    let cases: [(Keep, &[&str], &[&str]); 14] = [
        (
            Keep::new().daily(4),
            &SUNDAYS,
            &[
                "2019-10-27T11:00:00: daily snapshot",
                "2019-11-03T11:00:00: daily snapshot",
                "2019-11-10T11:00:00: daily snapshot",
                "2019-11-17T11:00:00: newest, daily snapshot",
            ],
        ),
        (
            // Three months, and a fourth that is asked for: the oldest stays beside them.
            Keep::new().monthly(4),
            &SUNDAYS,
            &[
                "2019-09-01T11:00:00: oldest monthly snapshot",
                "2019-09-29T11:00:00: monthly snapshot",
                "2019-10-27T11:00:00: monthly snapshot",
                "2019-11-17T11:00:00: newest, monthly snapshot",
            ],
        ),
        (
            // As many months as there are: then the oldest goes.
            Keep::new().monthly(3),
            &SUNDAYS,
            &[
                "2019-09-29T11:00:00: monthly snapshot",
                "2019-10-27T11:00:00: monthly snapshot",
                "2019-11-17T11:00:00: newest, monthly snapshot",
            ],
        ),
        (
            Keep::new().yearly(KeepCount::Unlimited),
            &SUNDAYS,
            &[
                "2019-09-01T11:00:00: oldest yearly snapshot",
                "2019-11-17T11:00:00: newest, yearly snapshot",
            ],
        ),
        (
            Keep::new().last(2).monthly(1),
            &SUNDAYS,
            &[
                "2019-11-10T11:00:00: last snapshot",
                "2019-11-17T11:00:00: newest, last snapshot, monthly snapshot",
            ],
        ),
        (
            // A week back is exactly the tenth, which is not less than a week.
            Keep::new().within(span("7d")),
            &SUNDAYS,
            &["2019-11-17T11:00:00: newest, within 7d"],
        ),
        (
            Keep::new().within(span("7d1h")),
            &SUNDAYS,
            &["2019-11-10T11:00:00: within 7d1h", "2019-11-17T11:00:00: newest, within 7d1h"],
        ),
        (
            // A month before 31 March is 31 February, which is 3 March.
            Keep::new().within(span("1m")),
            &[
                "2026-03-02T23:00:00",
                "2026-03-03T00:00:00",
                "2026-03-03T01:00:00",
                "2026-03-31T00:00:00",
            ],
            &["2026-03-03T01:00:00: within 1m", "2026-03-31T00:00:00: newest, within 1m"],
        ),
        (
            // 2020 has 53 ISO weeks: the last one reaches to Sunday, 3 January 2021.
            Keep::new().weekly(3),
            &[
                "2020-12-27T23:59:59",
                "2020-12-28T00:00:00",
                "2021-01-03T23:59:59",
                "2021-01-04T00:00:00",
            ],
            &[
                "2020-12-27T23:59:59: weekly snapshot",
                "2021-01-03T23:59:59: weekly snapshot",
                "2021-01-04T00:00:00: newest, weekly snapshot",
            ],
        ),
        (
            Keep::new().hourly(2),
            &[
                "2026-01-01T22:59:59",
                "2026-01-01T23:00:00",
                "2026-01-01T23:59:59.9999999",
                "2026-01-03T23:30:00",
            ],
            &[
                "2026-01-01T23:59:59.9999999: hourly snapshot",
                "2026-01-03T23:30:00: newest, hourly snapshot",
            ],
        ),
        (
            // Half past five in India's zone begins a day at 18:30 UTC.
            Keep::new().daily(2).zone(offset!(+5:30)),
            &["2026-01-01T18:29:59", "2026-01-01T18:30:00", "2026-01-02T18:29:59"],
            &["2026-01-01T18:29:59: daily snapshot", "2026-01-02T18:29:59: newest, daily snapshot"],
        ),
        (
            Keep::new().yearly(2).zone(offset!(-8)),
            &["2025-06-01T00:00:00", "2026-01-01T07:59:59", "2026-01-01T08:00:00"],
            &[
                "2026-01-01T07:59:59: yearly snapshot",
                "2026-01-01T08:00:00: newest, yearly snapshot",
            ],
        ),
        (
            Keep::new().daily(9),
            &["2026-01-01T00:00:00"],
            &["2026-01-01T00:00:00: newest, daily snapshot"],
        ),
        (Keep::new().daily(9), &[], &[]),
    ];
    for (keep, times, expected) in cases {
        assert_eq!(stays(&keep, times), expected, "{keep}");
    }
}

#[test]
fn an_empty_policy_is_refused_even_for_no_snapshots() {
    for keep in [
        Keep::new(),
        Keep::new().daily(0).zone(offset!(+1)),
        Keep::new().within(KeepDuration::default()),
        serde_json::from_str("{}").expect("no rule"),
    ] {
        assert!(keep.is_empty());
        let error = keep.apply([] as [SnapshotId; 0]).expect_err("empty").to_string();
        let begins = error.starts_with("retention policy: \"keep nothing");
        assert!(begins && error.contains("daily 7"), "{error}");
    }
}

#[test]
fn order_and_repetition_make_no_difference() {
    let keep = Keep::new().last(2);
    let [a, b, c] =
        ["2026-01-01T00:00:00.0Z", "2026-01-01T00:00:00.1Z", "2026-01-02T00:00:00.0Z"].map(id);
    let expected = keep.apply([&a, &b, &c]).expect("rules");
    assert_eq!(expected.iter().map(Kept::stays).collect::<Vec<_>>(), [false, true, true]);
    for order in [[&c, &b, &a], [&b, &a, &c]] {
        assert_eq!(keep.apply(order).expect("rules"), expected);
        let twice = order.into_iter().chain(order);
        assert_eq!(keep.apply(twice).expect("rules"), expected);
    }
    // Of two with the same time, the one with the later id is the newer.
    let same = [&a, &b].map(|id| (id.clone(), datetime!(2026-01-01 00:00 UTC)));
    let kept = Keep::new().last(1).apply(same).expect("rules");
    assert_eq!((&kept[1].snapshot, kept[0].stays(), kept[1].stays()), (&b, false, true));
}

#[test]
fn a_snapshot_whose_time_is_unknown_stays_and_counts_for_no_rule() {
    let odd = SnapshotId::from_service("yesterday").expect("some text");
    let [a, b] = ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"].map(id);
    let twice = |id: &SnapshotId, time| DatedSnapshot { snapshot: id.clone(), time };
    let (early, late) = (datetime!(2025-01-01 00:00 UTC), datetime!(-1-01-01 00:00 UTC));
    for unknown in [
        vec![DatedSnapshot::from(&odd)],
        vec![twice(&odd, None), twice(&odd, Some(early))],
        vec![twice(&odd, Some(early)), twice(&odd, Some(early + time::Duration::SECOND))],
        vec![twice(&odd, Some(late))],
    ] {
        let all = [DatedSnapshot::from(&b), DatedSnapshot::from(&a)].into_iter().chain(unknown);
        let kept = Keep::new().last(1).apply(all).expect("rules");
        let lines: Vec<String> = kept.iter().map(Kept::to_string).collect();
        assert_eq!(
            lines,
            [
                "keep   yesterday                    -                           time unknown",
                "remove 2026-01-01T00:00:00Z         2026-01-01 00:00:00 +00:00",
                "keep   2026-01-02T00:00:00Z         2026-01-02 00:00:00 +00:00  \
                 newest, last snapshot",
            ]
        );
    }
    // The last hour of the year 9999 is in no year that can be told, further east.
    let last = id("9999-12-31T23:30:00Z");
    let kept = Keep::new().last(1).zone(offset!(+1)).apply([&last, &a]).expect("rules");
    assert_eq!((kept[0].time, &kept[0].reasons[..]), (None, &[Reason::UnknownTime][..]));
    assert!(kept[1].reasons.contains(&Reason::Newest));
}

#[test]
fn policies_and_what_they_say_are_read_from_json_as_they_were_written() {
    let keep = Keep::new()
        .last(1)
        .hourly(2)
        .daily(3)
        .weekly(4)
        .monthly(5)
        .yearly(KeepCount::Unlimited)
        .within("1y5m7d2h".parse().expect("a span"))
        .zone(offset!(-0:30));
    let text = serde_json::to_string(&keep).expect("JSON");
    let written = r#"{"last":1,"hourly":2,"daily":3,"weekly":4,"monthly":5,"yearly":"unlimited","within":"1y5m7d2h","zone":"-00:30"}"#;
    assert_eq!(text, written);
    assert_eq!(serde_json::from_str::<Keep>(&text).expect("JSON"), keep);
    for zone in [offset!(-12), offset!(+14), offset!(+5:45), offset!(+1:02:03), offset!(-1:02:03)] {
        let keep = keep.clone().zone(zone);
        let text = serde_json::to_string(&keep).expect("JSON");
        assert_eq!(serde_json::from_str::<Keep>(&text).expect("JSON"), keep, "{text}");
        let kept = keep.apply([id("2026-01-01T00:00:00.1234567Z")]).expect("rules");
        let text = serde_json::to_string(&kept).expect("JSON");
        assert_eq!(serde_json::from_str::<Vec<Kept>>(&text).expect("JSON"), kept, "{text}");
    }
    for bad in
        [r#"{"dayly":7}"#, r#"{"daily":-2}"#, r#"{"daily":1.5}"#, r#"{"zone":"Rome","last":1}"#]
    {
        assert!(serde_json::from_str::<Keep>(bad).is_err(), "{bad}");
    }
    let keep: Keep = serde_json::from_str(r#"{"daily":"7","last":-1}"#).expect("JSON");
    assert_eq!(keep, Keep::new().daily(7).last(KeepCount::Unlimited));
}

#[test]
fn spans_and_counts_are_read_in_restics_form_alone() {
    for (text, written) in
        [("1y5m7d2h", "1y5m7d2h"), ("2h7d", "7d2h"), ("0d", "0h"), ("0y1m", "1m"), ("007d", "7d")]
    {
        assert_eq!(text.parse::<KeepDuration>().expect(text).to_string(), written);
    }
    for bad in ["", "7", "d", "7w", "-7d", "+7d", " 7d", "7 d", "7d7d", "7d3", "4294967296h", "7é"]
    {
        let error = bad.parse::<KeepDuration>().expect_err(bad).to_string();
        assert!(error.starts_with("duration: ") && error.contains("such as 1y5m7d2h"), "{error}");
    }
    for bad in ["", "-2", "+1", "1.5", "all", "4294967296", " 1"] {
        let error = bad.parse::<KeepCount>().expect_err(bad).to_string();
        assert!(error.contains("or unlimited"), "{error}");
    }
}

#[test]
fn spans_longer_than_time_keep_everything() {
    let most = u32::MAX;
    for span in [
        KeepDuration { years: most, months: most, days: most, hours: most },
        KeepDuration { days: most, ..KeepDuration::default() },
        KeepDuration { hours: most, ..KeepDuration::default() },
        KeepDuration { years: 12_000, ..KeepDuration::default() },
    ] {
        let all = ["0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z"].map(id);
        let kept = Keep::new().within(span).apply(&all).expect("rules");
        assert!(kept.iter().all(Kept::stays), "{span}");
    }
}

/// The rules again, from restic's manual: each snapshot is judged alone, by arithmetic on seconds.
mod reference {
    use std::collections::BTreeSet;

    /// Of the rules: how many they keep, `None` for all.
    pub(super) type Counts = [Option<usize>; 6];

    /// Years, months, days, hours.
    pub(super) type Span = [i64; 4];

    /// Whether each snapshot stays. Times are in ticks of 100 ns since 1970, all different.
    pub(super) fn stay(times: &[i64], counts: Counts, within: Span, east: i64) -> Vec<bool> {
        let local: Vec<i64> = times.iter().map(|time| time + east * SECOND).collect();
        let newest = *local.iter().max().expect("a snapshot");
        let oldest = *local.iter().min().expect("a snapshot");
        let limit = before(newest, within);
        let mut stays: Vec<bool> = local
            .iter()
            .map(|time| *time == newest || (within != [0; 4] && *time > limit))
            .collect();
        for (rule, count) in counts.into_iter().enumerate() {
            let periods: Vec<i64> = local.iter().map(|time| period(rule, *time)).collect();
            let counted = |of: &dyn Fn(i64) -> bool| {
                let those = (0..local.len()).filter(|at| of(local[*at]));
                those.map(|at| periods[at]).collect::<BTreeSet<_>>().len()
            };
            let fits = |found: usize| count.is_none_or(|count| found < count);
            for (at, time) in local.iter().enumerate() {
                let newest_of_its_period = (0..local.len())
                    .all(|other| periods[other] != periods[at] || local[other] <= *time);
                stays[at] |= newest_of_its_period && fits(counted(&|other| other > *time));
                stays[at] |= *time == oldest && fits(counted(&|_| true));
            }
        }
        stays
    }

    pub(super) const SECOND: i64 = 10_000_000;
    const HOUR: i64 = 3600 * SECOND;
    const DAY: i64 = 24 * HOUR;

    /// A number for the period: last, hour, day, week, month, year.
    fn period(rule: usize, time: i64) -> i64 {
        let days = time.div_euclid(DAY);
        let (year, month, _) = civil(days);
        match rule {
            0 => time,
            1 => time.div_euclid(HOUR),
            2 => days,
            // 1970 began on a Thursday, three days into its week.
            3 => (days + 3).div_euclid(7),
            4 => year * 12 + month,
            _ => year,
        }
    }

    fn before(time: i64, [years, months, days, hours]: Span) -> i64 {
        let (mut year, mut month, day) = civil(time.div_euclid(DAY));
        year -= years;
        for _ in 0..months {
            month -= 1;
            if month < 0 {
                (year, month) = (year - 1, 11);
            }
        }
        let date = first_of(year) + (0..month).map(|m| of_month(year, m)).sum::<i64>() + day - days;
        date * DAY + time.rem_euclid(DAY) - hours * HOUR
    }

    /// The year, the month and the day of the month, both from 0.
    fn civil(mut days: i64) -> (i64, i64, i64) {
        let mut year = 1970;
        while days < 0 {
            year -= 1;
            days += of_year(year);
        }
        while days >= of_year(year) {
            days -= of_year(year);
            year += 1;
        }
        let mut month = 0;
        while days >= of_month(year, month) {
            days -= of_month(year, month);
            month += 1;
        }
        (year, month, days)
    }

    /// The days from 1970 to the first of a year.
    fn first_of(year: i64) -> i64 {
        (1970..year).map(of_year).sum::<i64>() - (year..1970).map(of_year).sum::<i64>()
    }

    fn of_year(year: i64) -> i64 {
        365 + i64::from(is_leap(year))
    }

    fn is_leap(year: i64) -> bool {
        year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0)
    }

    fn of_month(year: i64, month: i64) -> i64 {
        match month {
            1 => 28 + i64::from(is_leap(year)),
            3 | 5 | 8 | 10 => 30,
            _ => 31,
        }
    }
}

/// Times in ticks of 100 ns, all different and in no order: gaps of seconds, hours or months.
fn history() -> impl Strategy<Value = Vec<i64>> {
    let gap = prop_oneof![
        1 => 1..20_000_000_i64,
        3 => (1..7_200_i64).prop_map(|seconds| seconds * reference::SECOND),
        // Whole hours fall on borders, and on the limit of `within`.
        3 => (1..100_i64).prop_map(|hours| hours * 3600 * reference::SECOND),
        2 => (1..90_i64).prop_map(|days| days * 86_400 * reference::SECOND),
        1 => (1..800_i64).prop_map(|days| days * 86_400 * reference::SECOND),
    ];
    let start = (-1_000_000_i64..500_000).prop_map(|hours| hours * 3600 * reference::SECOND);
    (start, vec(gap, 0..40))
        .prop_map(|(start, gaps)| {
            let later = gaps.into_iter().scan(start, |time, gap| {
                *time += gap;
                Some(*time)
            });
            std::iter::once(start).chain(later).collect::<Vec<_>>()
        })
        .prop_shuffle()
}

fn count() -> impl Strategy<Value = Option<usize>> {
    prop_oneof![4 => Just(Some(0)), 4 => (1..6_usize).prop_map(Some), 1 => Just(None)]
}

fn span() -> impl Strategy<Value = [i64; 4]> {
    let some = (0..3_i64, 0..30_i64, 0..90_i64, 0..72_i64).prop_map(|(y, m, d, h)| [y, m, d, h]);
    let one = (0..4_usize, 1..9_i64).prop_map(|(unit, count)| {
        let mut span = [0; 4];
        span[unit] = count;
        span
    });
    prop_oneof![2 => Just([0; 4]), 1 => some, 2 => one]
}

fn snapshot(ticks: i64) -> SnapshotId {
    let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(ticks) * 100).expect("a time");
    let format = &time::format_description::well_known::Rfc3339;
    id(&time.format(format).expect("text"))
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 512, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn a_second_implementation_agrees(
        times in history(),
        counts in [count(), count(), count(), count(), count(), count()],
        within in span(),
        quarters in -48..=56_i32,
    ) {
        let of = |count: Option<usize>| {
            let most = |count| KeepCount::AtMost(u32::try_from(count).expect("few"));
            count.map_or(KeepCount::Unlimited, most)
        };
        let [years, months, days, hours] = within.map(|unit| u32::try_from(unit).expect("few"));
        let keep = Keep::new()
            .last(of(counts[0]))
            .hourly(of(counts[1]))
            .daily(of(counts[2]))
            .weekly(of(counts[3]))
            .monthly(of(counts[4]))
            .yearly(of(counts[5]))
            .within(KeepDuration { years, months, days, hours })
            .zone(UtcOffset::from_whole_seconds(quarters * 900).expect("an offset"));
        prop_assume!(!keep.is_empty());

        let mut expected: Vec<(i64, bool)> = times.iter().copied()
            .zip(reference::stay(&times, counts, within, i64::from(quarters) * 900))
            .collect();
        expected.sort_unstable();
        let expected: Vec<_> =
            expected.into_iter().map(|(time, stays)| (snapshot(time), stays)).collect();
        let kept = keep.apply(times.iter().map(|time| snapshot(*time))).expect("rules");
        let found: Vec<_> = kept.iter().map(|one| (one.snapshot.clone(), one.stays())).collect();
        prop_assert_eq!(found, expected, "{}", keep);
        prop_assert_eq!(kept.last().expect("one").reasons[0], Reason::Newest);

        // What stays, stays when the policy is applied to it again, for the same reasons.
        let left: Vec<Kept> = kept.into_iter().filter(Kept::stays).collect();
        let again = keep.apply(left.iter().map(|one| &one.snapshot)).expect("rules");
        prop_assert!(again.iter().all(Kept::stays), "{}: {:?}", keep, again);
    }
}
