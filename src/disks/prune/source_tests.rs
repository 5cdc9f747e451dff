use time::{OffsetDateTime, macros::datetime};

use super::*;
use crate::{BlobItem, CopyState, models::CopySourceUrl};

fn id(day: u8) -> String {
    format!("2026-01-{day:02}T00:00:00.0000000Z")
}

fn time(day: u8) -> OffsetDateTime {
    datetime!(2026-01-01 00:00 UTC) + time::Duration::days(i64::from(day) - 1)
}

fn snapshot(day: u8) -> SourceSnapshot {
    SourceSnapshot { time: time(day), id: id(day), length: Some(512) }
}

/// A generation by Incremental Copy Blob: its base, and a snapshot for each copy.
fn generation(name: &str, days: &[u8]) -> Vec<BlobItem> {
    let item = |day: u8, snapshot: Option<String>| {
        let snapshot = snapshot.map(|id| id.parse().expect("an id"));
        let mut item = BlobItem { name: name.into(), snapshot, ..BlobItem::default() };
        item.properties.is_incremental_copy = true;
        let mut copy = CopyState::new("id".parse().expect("an id"), "success".into());
        copy.source = Some(CopySourceUrl::new(format!("https://a/vhds/disk?snapshot={}", id(day))));
        item.properties.copy = Some(copy);
        item
    };
    let copies = days.iter().map(|day| item(*day, Some(id(*day).replace("2026", "2027"))));
    copies.chain(days.last().map(|last| item(*last, None))).collect()
}

fn fates_of(items: Vec<BlobItem>, days: &[u8], also_absent: bool) -> Vec<SourceFate> {
    let chain = Chain::of_listing("disk", items);
    let copies: HashMap<_, _> =
        chain.snapshots.iter().filter_map(|one| Some((one.key()?, one.clone()))).collect();
    let snapshots = days.iter().map(|day| snapshot(*day)).collect();
    let keep = Keep::new().last(1);
    let fates = fates(&chain, &copies, snapshots, &keep, also_absent).expect("rules");
    fates.into_iter().map(|one| one.fate).collect()
}

#[test]
fn what_the_newest_generation_equals_stays_whatever_the_times_say() {
    use SourceFate::{Goes, NextNeedsIt, NotCopiedYet};
    // The disk was made again by a machine whose clock is late.
    let items = [generation("disk", &[1, 2, 9]), generation("disk.g2", &[3, 4])].concat();
    let all = [1, 2, 3, 4, 9, 10];
    let expected = [Goes, Goes, Goes, NextNeedsIt, NextNeedsIt, NotCopiedYet];
    assert_eq!(fates_of(items, &all, false), expected);
}

#[test]
fn what_the_base_equals_stays_though_its_copy_was_deleted() {
    use SourceFate::{Absent, Goes, NextNeedsIt, NotCopiedYet};
    let mut items = generation("disk", &[1, 2, 3]);
    items.remove(2);
    assert_eq!(
        fates_of(items, &[1, 2, 3, 4], true),
        [Goes, NextNeedsIt, NextNeedsIt, NotCopiedYet]
    );
    let mut items = generation("disk", &[1, 2, 3]);
    items.remove(0);
    assert_eq!(fates_of(items, &[1, 2, 3], false), [Absent, Goes, NextNeedsIt]);
}

#[test]
fn a_copy_that_did_not_succeed_is_none() {
    let mut items = generation("disk", &[1, 2, 3]);
    for status in ["failed", "aborted", "pending"] {
        items[0].properties.copy.as_mut().expect("a copy").status = status.into();
        let fates = fates_of(items.clone(), &[1, 2, 3], false);
        assert_eq!(fates[0], SourceFate::Absent, "{status}");
    }
}

#[test]
fn a_chain_of_35000_snapshots_is_judged_at_once() {
    let moment = |at: usize| time(1) + time::Duration::minutes(at as i64 * 15);
    let all: Vec<_> = (0..35_000)
        .map(|at| SourceSnapshot { time: moment(at), id: format!("{at}"), length: None })
        .collect();
    let chain = Chain::of_listing("disk", generation("disk", &[1]));
    let copies = HashMap::new();
    let start = clock::instant();
    let keep = Keep::new().last(1).daily(7);
    let fates = fates(&chain, &copies, all, &keep, false).expect("rules");
    assert_eq!(fates.len(), 35_000);
    assert!(clock::instant() - start < Duration::from_secs(20));
}
