use time::macros::datetime;

use super::*;
use crate::{BlobItem, CopyState, Metadata, disks::lineage::Point};

const DAYS: [&str; 4] = [
    "2026-01-01T00:00:00.0000000Z",
    "2026-01-02T00:00:00.0000000Z",
    "2026-01-03T00:00:00.0000000Z",
    "2026-01-04T00:00:00.0000000Z",
];

fn time(day: usize) -> OffsetDateTime {
    datetime!(2026-01-01 00:00 UTC) + time::Duration::days(i64::try_from(day).expect("small"))
}

fn snapshot(day: usize) -> SourceSnapshot {
    SourceSnapshot { time: time(day), id: DAYS[day].into(), length: Some(512) }
}

fn sides(days: &[usize], chain: Chain) -> Sides<'static> {
    Sides {
        source: "https://a/vhds/disk".into(),
        is_managed: false,
        snapshots: days.iter().map(|day| snapshot(*day)).collect(),
        incomplete: Vec::new(),
        destination: "https://b/backups/disk".into(),
        chain,
        other: None,
        found: None,
        route: None,
        new_generation: false,
        pruning: None,
    }
}

fn item(name: &str, snapshot: Option<usize>) -> BlobItem {
    let snapshot = snapshot.map(|day| DAYS[day].parse().expect("an id"));
    BlobItem { name: name.into(), snapshot, ..BlobItem::default() }
}

/// A base by Incremental Copy Blob, with copies of these days.
fn incremental(name: &str, days: &[usize]) -> Vec<BlobItem> {
    let mut items = Vec::new();
    for day in days.iter().map(|day| Some(*day)).chain([None]) {
        let mut item = item(name, day);
        item.properties.is_incremental_copy = true;
        if let Some(day) = day.or(days.last().copied()) {
            let mut copy = CopyState::new("id".parse().expect("an id"), "success".into());
            let url = format!("https://a/vhds/disk?snapshot={}", DAYS[day]);
            copy.source = Some(crate::models::CopySourceUrl::new(url));
            item.properties.copy = Some(copy);
        }
        items.push(item);
    }
    items
}

/// A base by ranges that equals a day, and its snapshots.
fn ranges(equals: usize, days: &[usize]) -> Vec<BlobItem> {
    let lineage = |day: usize, sealed: bool| Lineage {
        source: "https://a/vhds/disk".into(),
        equals: Some(Point { id: DAYS[day].into(), time: time(day) }),
        hop: None,
        sealed,
        lease: None,
    };
    let of = |day: usize, is_snapshot: bool| {
        let mut item = item("disk", is_snapshot.then_some(day));
        item.properties.metadata = lineage(day, is_snapshot).with(&Metadata::new());
        item
    };
    days.iter().map(|day| of(*day, true)).chain([of(equals, false)]).collect()
}

fn chain(items: Vec<BlobItem>) -> Chain {
    Chain::of_listing("disk", items)
}

fn hops(survey: &Survey) -> Vec<(Option<&str>, &str)> {
    let hop = |step: &'_ Step| (step.from.as_ref().map(|from| from.id.clone()), step.to.id.clone());
    let hops = survey.steps.iter().map(hop);
    let place = |id: &str| DAYS.iter().find(|day| **day == id).copied().expect("a day");
    hops.map(|(from, to)| (from.map(|from| place(&from)), place(&to))).collect()
}

#[test]
fn what_is_later_than_the_newest_copy_is_copied() {
    let survey = Survey::of(sides(&[0, 1, 2, 3], chain(incremental("disk", &[1])))).expect("fine");
    assert_eq!(hops(&survey), [(Some(DAYS[1]), DAYS[2]), (Some(DAYS[2]), DAYS[3])]);
    assert_eq!((survey.present, survey.left.len(), survey.broken), (1, 1, None));
    let first = Survey::of(sides(&[0, 1], chain(Vec::new()))).expect("fine");
    assert_eq!(hops(&first), [(None, DAYS[0]), (Some(DAYS[0]), DAYS[1])]);
    assert_eq!(first.steps[0].whole.as_deref(), Some("the first copy"));
}

#[test]
fn an_increment_needs_the_source_snapshot_that_was_copied_last() {
    let of = |days: &[usize]| sides(days, chain(incremental("disk", &[0, 1])));
    let broken = Survey::of(of(&[0, 2])).expect("fine");
    assert_eq!(broken.broken, Some(BrokenSeries::LastSnapshotGone));
    assert!(broken.steps.is_empty());
    let next = Survey::of(Sides { new_generation: true, ..of(&[0, 2]) }).expect("fine");
    assert_eq!((next.broken.clone(), next.steps[0].generation), (None, 2));
    assert_eq!(hops(&next), [(None, DAYS[2])]);
    let gone = MirrorWarning::LastSourceSnapshotGone { snapshot: DAYS[1].into() };
    assert_eq!(Survey::of(of(&[0])).expect("fine").warnings, [gone]);
}

#[test]
fn by_ranges_everything_is_copied_if_that_is_gone() {
    let survey = Survey::of(sides(&[0, 2], chain(ranges(1, &[0, 1])))).expect("fine");
    assert_eq!((survey.route, survey.broken.clone()), (MirrorRoute::Ranges, None));
    assert_eq!(hops(&survey), [(None, DAYS[2])]);
    assert!(survey.steps[0].whole.as_deref().is_some_and(|why| why.contains("gone")));
    let gone = MirrorWarning::LastSourceSnapshotGone { snapshot: DAYS[1].into() };
    assert_eq!(survey.warnings, [gone]);
}

#[test]
fn a_new_generation_whose_first_copy_is_under_way_needs_no_earlier_snapshot() {
    let items = [incremental("disk", &[0, 1]), incremental("disk.g2", &[])].concat();
    let survey = Survey::of(sides(&[2, 3], chain(items))).expect("fine");
    assert_eq!(hops(&survey), [(None, DAYS[2]), (Some(DAYS[2]), DAYS[3])]);
    assert_eq!((survey.steps[0].generation, survey.broken), (2, None));
    // One that is older than what an earlier generation has is not copied after it.
    let items = [incremental("disk", &[1]), incremental("disk.g2", &[])].concat();
    let survey = Survey::of(sides(&[0, 2], chain(items))).expect("fine");
    assert_eq!((hops(&survey), survey.left.len()), (vec![(None, DAYS[2])], 1));
}

#[test]
fn what_is_left_out_is_not_where_the_next_copy_begins() {
    let mut survey =
        Survey::of(sides(&[0, 1, 2, 3], chain(incremental("disk", &[0])))).expect("fine");
    survey.leave(&[snapshot(1), snapshot(2)]);
    assert_eq!(hops(&survey), [(Some(DAYS[0]), DAYS[3])]);
    assert_eq!(survey.left.len(), 2);
}

#[test]
fn two_snapshots_that_equal_one_are_kept_and_told() {
    let mut items = incremental("disk", &[0, 1]);
    let mut again = items[0].clone();
    again.snapshot = Some(DAYS[3].parse().expect("an id"));
    items.push(again);
    let chain = chain(items);
    assert_eq!(chain.snapshots.len(), 3);
    let survey = Survey::of(sides(&[0, 1], chain)).expect("fine");
    assert_eq!(survey.warnings, [MirrorWarning::CopiedTwice { snapshot: DAYS[0].into() }]);
    assert_eq!(survey.present, 2);
}

#[test]
fn a_snapshot_made_again_under_its_name_is_another() {
    let chain = chain(ranges(1, &[1]));
    let mut sides = sides(&[1], chain);
    sides.snapshots[0].time = time(2);
    let survey = Survey::of(sides).expect("fine");
    assert_eq!((survey.present, survey.steps.len()), (0, 1));
    assert_eq!(survey.steps[0].from, None);
}

#[test]
fn soft_deleted_ones_and_torn_hops_are_no_part_of_the_chain() {
    let mut items = incremental("disk", &[0, 1]);
    items[1].is_deleted = true;
    assert_eq!(chain(items).snapshots.len(), 1);
    let mut items = incremental("disk", &[0, 1]);
    items.iter_mut().for_each(|item| item.is_deleted = true);
    assert_eq!((chain(items.clone()).generation, chain(items).snapshots.len()), (0, 0));
    for status in ["failed", "aborted", "pending"] {
        let mut items = incremental("disk", &[0]);
        if let Some(copy) = &mut items[0].properties.copy {
            copy.status = status.into();
        }
        let chain = chain(items);
        assert_eq!((chain.snapshots[0].equals.clone(), chain.newest()), (None, None), "{status}");
    }
}

#[test]
fn the_copies_end_before_the_first_snapshot_that_is_not_complete() {
    let of = |days: &[usize], incomplete: &[usize], chain: Chain| {
        let incomplete = incomplete.iter().map(|day| snapshot(*day)).collect();
        Survey::of(Sides { incomplete, is_managed: true, ..sides(days, chain) }).expect("fine")
    };
    let waits = |day: usize| MirrorWarning::Incomplete { snapshot: DAYS[day].into() };
    let survey = of(&[0, 2, 3], &[1], chain(Vec::new()));
    assert_eq!(hops(&survey), [(None, DAYS[0])]);
    assert_eq!(survey.warnings, [waits(1)]);
    let left: Vec<_> = survey.left.iter().map(|left| left.snapshot.id.as_str()).collect();
    assert_eq!(left, [DAYS[2], DAYS[3]]);
    let because = format!("it is later than {}, which is not complete yet", DAYS[1]);
    assert!(survey.left.iter().all(|left| left.because == because));
    // The newest alone, and nothing that can be copied.
    let survey = of(&[], &[0], chain(Vec::new()));
    assert_eq!((survey.steps.len(), survey.warnings), (0, vec![waits(0)]));
    // What was copied before stays copied, and the mirror goes on from it.
    let survey = of(&[1, 2], &[0], chain(ranges(1, &[1])));
    assert_eq!(hops(&survey), [(Some(DAYS[1]), DAYS[2])]);
    assert!(survey.warnings.is_empty() && survey.left.is_empty());
}

#[test]
fn managed_disks_go_by_ranges_alone() {
    let managed = |chain| Sides { is_managed: true, ..sides(&[0], chain) };
    let survey = Survey::of(managed(chain(Vec::new()))).expect("fine");
    assert_eq!(survey.route, MirrorRoute::Ranges);
    let wanted = Some(MirrorRoute::Incremental);
    let error = Survey::of(Sides { route: wanted, ..managed(chain(Vec::new())) });
    assert!(error.expect_err("refused").to_string().contains("managed disk"));
    let error = Survey::of(managed(chain(incremental("disk", &[0]))));
    assert!(error.expect_err("refused").to_string().contains("cannot read managed disks"));
}

#[test]
fn a_policy_without_rules_is_refused() {
    let keep = Keep::new();
    let sides = sides(&[0, 1], chain(incremental("disk", &[0])));
    Survey::of(Sides { pruning: Some(&keep), ..sides }).expect_err("it would remove all");
}

#[test]
fn a_managed_disk_that_grew_beyond_4_tib_is_copied_whole() {
    let sizes = |lengths: [u64; 3]| {
        let mut sides = Sides { is_managed: true, ..sides(&[0, 1, 2], chain(Vec::new())) };
        for (snapshot, length) in sides.snapshots.iter_mut().zip(lengths) {
            snapshot.length = Some(length);
        }
        let survey = Survey::of(sides).expect("fine");
        survey.steps.into_iter().map(|step| step.whole.is_some()).collect::<Vec<_>>()
    };
    assert_eq!(sizes([BORDER - 512, BORDER, BORDER + 512]), [true, false, true]);
    assert_eq!(sizes([BORDER + 512, 1 << 50, 512]), [true, false, true]);
}

#[test]
fn a_snapshot_that_somebody_took_of_a_base_by_ranges_is_left_alone() {
    let mut items = ranges(1, &[0, 1]);
    let mut foreign = items[2].clone();
    foreign.snapshot = Some(DAYS[3].parse().expect("an id"));
    items.push(foreign);
    let chain = chain(items);
    assert_eq!(chain.snapshots.len(), 3);
    assert_eq!(chain.newest().and_then(|newest| newest.equals.as_deref()), Some(DAYS[1]));
    assert_eq!(chain.snapshots[2].equals, None);
}

/// A source snapshot as managed disks have them: names, and times that may be equal.
fn named(id: &str, time: OffsetDateTime) -> SourceSnapshot {
    SourceSnapshot { time, id: id.into(), length: Some(512) }
}

/// A base by ranges that equals the last of these, and a copy of each.
fn copies(of: &[SourceSnapshot]) -> Vec<BlobItem> {
    let item = |point: &SourceSnapshot, snapshot: Option<crate::SnapshotId>| {
        let sealed = snapshot.is_some();
        let lineage = Lineage {
            source: "https://a/vhds/disk".into(),
            equals: Some(Point::from(point)),
            hop: None,
            sealed,
            lease: None,
        };
        let mut item = BlobItem { name: "disk".into(), snapshot, ..BlobItem::default() };
        item.properties.metadata = lineage.with(&Metadata::new());
        item
    };
    let taken = of.iter().enumerate().map(|(at, point)| {
        let (seconds, rest) = (at / 10_000_000, at % 10_000_000);
        let id = format!("2027-01-01T00:00:{seconds:02}.{rest:07}Z");
        item(point, Some(id.parse().expect("an id")))
    });
    taken.chain(of.last().map(|last| item(last, None))).collect()
}

fn left_ids(survey: &Survey) -> Vec<&str> {
    survey.left.iter().map(|left| left.snapshot.id.as_str()).collect()
}

#[test]
fn snapshots_of_one_time_are_copied_in_the_order_of_their_ids() {
    let of = |ids: [&str; 3]| {
        let snapshots = ids.map(|id| named(id, time(1))).to_vec();
        Sides { snapshots, is_managed: true, ..sides(&[], chain(copies(&[named("b", time(1))]))) }
    };
    let survey = Survey::of(of(["a", "B", "C"])).expect("fine");
    let next: Vec<&str> = survey.steps.iter().map(|step| step.to.id.as_str()).collect();
    assert_eq!((next, left_ids(&survey), survey.present), (vec!["C"], vec!["a"], 1));
    assert_eq!(survey.steps[0].from.as_ref().map(|from| from.id.as_str()), Some("B"));
    assert!(survey.left[0].because.contains("the same time"), "{}", survey.left[0].because);
    let all = chain(copies(&[named("b", time(1)), named("a", time(1)), named("A", time(0))]));
    let ids: Vec<_> = all.snapshots.iter().filter_map(|one| one.equals.as_deref()).collect();
    assert_eq!(ids, ["A", "a", "b"]);
}

#[test]
fn a_chain_of_35000_snapshots_is_surveyed_at_once() {
    let moment = |at: usize| time(0) + time::Duration::minutes(at as i64 * 15);
    let all: Vec<_> = (0..35_001).map(|at| named(&format!("snapshot-{at}"), moment(at))).collect();
    let chain = chain(copies(&all[..35_000]));
    let sides = Sides { snapshots: all, is_managed: true, ..sides(&[], chain) };
    let start = crate::wire::clock::instant();
    let survey = Survey::of(sides).expect("fine");
    let took = crate::wire::clock::instant() - start;
    assert_eq!((survey.present, survey.steps.len()), (35_000, 1));
    // It took 200 s when each was compared with all; now less than one.
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
}

#[test]
fn a_policy_for_the_snapshots_of_a_managed_disk_is_judged_by_their_times() {
    let all: Vec<_> = (0..3).map(|day| named(&format!("disk0-{day}"), time(day))).collect();
    let keep = Keep::new().last(1);
    let of = |copied: usize| {
        let base = sides(&[], chain(copies(&all[..copied])));
        let pruning = Some(&keep);
        Survey::of(Sides { snapshots: all.clone(), is_managed: true, pruning, ..base })
    };
    let warning = MirrorWarning::AboutToBePruned { snapshot: "disk0-0".into() };
    assert_eq!(of(1).expect("fine").warnings, [warning]);
    assert_eq!(of(3).expect("fine").warnings, [], "nothing is to be copied");
}
