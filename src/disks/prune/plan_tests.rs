use time::macros::datetime;

use super::*;
use crate::disks::MirrorRoute;

/// Thirty daily snapshots of a source that were copied within one day.
fn caught_up() -> Chain {
    let snapshots = (0..30).map(|day| {
        let time = datetime!(2026-01-01 06:00 UTC) + time::Duration::days(day);
        snapshot(1, &format!("2026-02-01T00:00:{day:02}.0000000Z"), Some(time))
    });
    chain(1, snapshots.collect())
}

fn chain(generation: u32, snapshots: Vec<ChainSnapshot>) -> Chain {
    let (name, route) = ("disk".to_owned(), Some(MirrorRoute::Incremental));
    let (foreign, origins) = (Vec::new(), Vec::new());
    Chain { name, route, generation, snapshots, foreign, base: None, taken: 0, origins }
}

fn snapshot(generation: u32, id: &str, time: Option<time::OffsetDateTime>) -> ChainSnapshot {
    ChainSnapshot {
        blob: Chain::name_of("disk", generation),
        generation,
        snapshot: id.parse().expect("an id"),
        equals: time.map(|time| time.to_string()),
        time,
        length: 512,
        etag: None,
    }
}

#[test]
fn the_newest_generation_stays_though_it_has_no_snapshot_yet() {
    let plan = PrunePlan::of(&chain(2, Vec::new()), &Keep::new().last(1)).expect("rules");
    assert_eq!(plan.emptied(2).collect::<Vec<_>>(), [1]);
}

#[test]
fn snapshots_that_were_copied_in_one_day_are_judged_by_their_sources() {
    let plan = PrunePlan::of(&caught_up(), &Keep::new().daily(7)).expect("rules");
    assert_eq!(plan.goes().count(), 23);
    let stays: Vec<&PlannedPrune> = plan.snapshots.iter().filter(|one| one.stays()).collect();
    assert_eq!(stays.len(), 7);
    assert_eq!(
        stays[6].to_string(),
        "keep   disk@2026-02-01T00:00:29.0000000Z  2026-01-30 06:00:00  newest, daily snapshot"
    );
    let table = plan.to_string();
    assert!(table.ends_with("keep 7 daily snapshots: 23 of 30 snapshots go"), "{table}");
    assert!(table.starts_with("remove disk@2026-02-01T00:00:00.0000000Z  2026-01-01 06:00:00\n"));
    assert!(PrunePlan::of(&caught_up(), &Keep::new()).is_err(), "no rule");
}

#[test]
fn a_source_snapshot_that_is_there_twice_counts_once() {
    let day = |day| datetime!(2026-01-01 00:00 UTC) + time::Duration::days(day);
    let snapshots = [0, 1, 1, 2].iter().enumerate().map(|(at, days)| {
        snapshot(1, &format!("2026-02-0{}T00:00:00.0000000Z", at + 1), Some(day(*days)))
    });
    let chain = chain(1, snapshots.collect());
    let plan = PrunePlan::of(&chain, &Keep::new().last(2)).expect("rules");
    let fates: Vec<bool> = plan.snapshots.iter().map(PlannedPrune::stays).collect();
    assert_eq!(fates, [false, true, true, true]);
    let plan = PrunePlan::of(&chain, &Keep::new().last(3)).expect("rules");
    assert_eq!(plan.goes().count(), 0, "three days are there");
}

#[test]
fn generations_that_share_an_id_are_told_apart() {
    let (early, late) = (datetime!(2026-01-01 00:00 UTC), datetime!(2026-01-02 00:00 UTC));
    let id = "2026-02-01T00:00:00.0000000Z";
    let two = chain(2, vec![snapshot(1, id, Some(early)), snapshot(2, id, Some(late))]);
    let plan = PrunePlan::of(&two, &Keep::new().last(1)).expect("rules");
    let fates: Vec<bool> = plan.snapshots.iter().map(PlannedPrune::stays).collect();
    assert_eq!(fates, [false, true]);
    assert_eq!(plan.emptied(2).collect::<Vec<_>>(), [1]);
}

#[test]
fn what_no_mirror_made_and_what_the_next_copy_needs_stay() {
    let day = |day| datetime!(2026-01-01 00:00 UTC) + time::Duration::days(day);
    let snapshots = vec![
        snapshot(1, "2026-02-01T00:00:00.0000000Z", None),
        snapshot(1, "2026-02-02T00:00:00.0000000Z", Some(day(0))),
        // The source was made again by a machine whose clock is late.
        snapshot(2, "2026-02-04T00:00:00.0000000Z", Some(day(1))),
        snapshot(1, "2026-02-03T00:00:00.0000000Z", Some(day(9))),
    ];
    let plan = PrunePlan::of(&chain(2, snapshots), &Keep::new().last(1)).expect("rules");
    let fates: Vec<&PruneFate> = plan.snapshots.iter().map(|one| &one.fate).collect();
    assert_eq!(fates[..3], [&PruneFate::LeftAlone, &PruneFate::Goes, &PruneFate::NextNeedsIt]);
    assert!(plan.snapshots[3].stays(), "the newest");
    assert_eq!(plan.emptied(2).count(), 0, "one is left in each");
    let json = serde_json::to_string(&plan).expect("JSON");
    assert_eq!(serde_json::from_str::<PrunePlan>(&json).expect("JSON"), plan);
}
