//! A plan with a first copy, two there and one left, drawn wide and narrow while it is run.

use console::measure_text_width;
use serde_json::{Value, json};

use super::*;

/// The time of the so-many-th day of the year.
fn at(day: u8) -> String {
    let (month, day) = (day.saturating_sub(1) / 28 + 1, day.saturating_sub(1) % 28 + 1);
    format!("2026-{month:02}-{day:02}T00:00:00.1234567Z")
}

fn source(day: u8) -> Value {
    json!({ "time": at(day), "id": at(day), "length": 1 << 20 })
}

fn hop(from: u8, to: u8, bytes: u64, cleared: u64) -> Value {
    json!({ "from": source(from), "to": source(to), "generation": 1, "bytes": bytes, "cleared": cleared, "whole": null })
}

fn there(day: u8) -> Value {
    json!({
        "blob": "disk0.vhd", "generation": 1, "snapshot": format!("2026-02-{:02}T00:00:00.0000000Z", day % 28 + u8::from(day.is_multiple_of(28)) * 28),
        "equals": at(day), "time": at(day), "length": 1 << 20, "etag": null,
    })
}

/// A plan in which days 1 to `there` are there, and so many are to be copied after them.
fn plan(days: u8, hops: u8) -> MirrorPlan {
    let made = json!({
        "source": "https://acct.blob.core.windows.net/vhds/disk0.vhd",
        "destination": "https://acct.blob.core.windows.net/backups/disk0.vhd",
        "route": "incremental", "because": "both are page blobs", "generation": 1,
        "chain": {
            "name": "disk0.vhd", "route": "incremental", "generation": 1,
            "snapshots": (1..=days).map(there).collect::<Vec<_>>(),
        },
        "hops": (days..days + hops)
            .map(|day| hop(day.max(1), day + 1, u64::from(day) * 4096, 512 * u64::from(day % 2)))
            .collect::<Vec<_>>(),
        "left": [], "broken": null, "warnings": [],
    });
    serde_json::from_value(made).expect("a plan")
}

fn picture(days: u8, hops: u8) -> Picture {
    Picture::of("vhds/disk0.vhd to backups/disk0.vhd", &plan(days, hops))
}

fn progress(hop: usize, fraction: f64) -> MirrorEvent {
    MirrorEvent::HopProgress { hop, written: 0, fraction }
}

fn done(day: u8) -> MirrorEvent {
    let done = json!({
        "source": source(day), "destination": there(day), "bytes": 4096, "cleared": 0,
        "whole": false, "resumed": false, "copy_id": null,
    });
    MirrorEvent::HopDone(Box::new(serde_json::from_value(done).expect("a hop")))
}

#[test]
fn it_shows_both_sides_and_what_each_hop_moves() {
    let mut picture = picture(2, 2);
    assert_eq!(
        picture.lines(100, 20),
        [
            "vhds/disk0.vhd to backups/disk0.vhd",
            "2026-01-01T00:00:00.1234567Z = 2026-02-01T00:00:00.0000000Z",
            "2026-01-02T00:00:00.1234567Z = 2026-02-02T00:00:00.0000000Z",
            "2026-01-03T00:00:00.1234567Z   8.00 KiB",
            "2026-01-04T00:00:00.1234567Z   12.00 KiB, 512 B cleared",
            "2 snapshots there, 2 to copy: 20.00 KiB",
        ]
    );
    picture.event(&progress(0, 0.43));
    // What comes late is not believed.
    picture.event(&progress(0, 0.2));
    assert_eq!(
        picture.lines(100, 20)[3],
        "2026-01-03T00:00:00.1234567Z >  43% [===========>                  ] 8.00 KiB"
    );
    picture.event(&done(3));
    picture.event(&progress(1, 1.0));
    assert_eq!(
        picture.lines(100, 20)[3..],
        [
            "2026-01-03T00:00:00.1234567Z = 2026-02-03T00:00:00.0000000Z",
            "2026-01-04T00:00:00.1234567Z > 100% [==============================] 12.00 KiB, 512 B cleared",
            "3 snapshots there, 1 to copy: 12.00 KiB",
        ]
    );
    picture.event(&done(4));
    assert_eq!(picture.lines(100, 20).last().map(String::as_str), Some("4 snapshots there"));
}

#[test]
fn what_is_known_only_later_is_shown_then() {
    let mut plan = plan(1, 2);
    plan.hops.iter_mut().for_each(|hop| hop.bytes = None);
    let mut picture = Picture::of("a to b", &plan);
    picture.event(&MirrorEvent::HopProgress { hop: 0, written: 2048, fraction: 0.5 });
    assert_eq!(
        picture.lines(100, 20)[2..],
        [
            "2026-01-02T00:00:00.1234567Z >  50% [==============>               ] 2.00 KiB written",
            "2026-01-03T00:00:00.1234567Z   to copy",
            "1 snapshot there, 2 to copy",
        ]
    );
}

/// A plan whose later snapshots are in a second generation.
fn two_generations() -> MirrorPlan {
    let mut plan = plan(3, 2);
    plan.chain.snapshots[2].generation = 2;
    plan.hops.iter_mut().for_each(|hop| hop.generation = 2);
    plan.hops[0].whole = Some("a new generation".to_owned());
    plan
}

#[test]
fn later_generations_are_named() {
    let plan = two_generations();
    let mut picture = Picture::of("a to b", &plan);
    assert_eq!(
        picture.lines(100, 20)[2..],
        [
            "2026-01-02T00:00:00.1234567Z = 2026-02-02T00:00:00.0000000Z",
            "2026-01-03T00:00:00.1234567Z = 2026-02-03T00:00:00.0000000Z in .g2",
            "2026-01-04T00:00:00.1234567Z   12.00 KiB, 512 B cleared, everything, to .g2",
            "2026-01-05T00:00:00.1234567Z   16.00 KiB, to .g2",
            "3 snapshots there, 2 to copy: 28.00 KiB",
        ]
    );
    picture.event(&progress(0, 0.5));
    let row = "2026-01-04T00:00:00.1234567Z >  50% 12.00 KiB, 512 B cleared, everything, to .g2";
    assert_eq!(picture.lines(80, 20)[4], row, "there is no room for a bar");
    let row = "2026-01-04T00:00:00.1234567Z >  50% [==============>               ] \
               12.00 KiB, 512 B cleared, everything, to .g2";
    assert_eq!(picture.lines(120, 20)[4], row);
    assert_eq!(picture.lines(40, 20)[3], "2026-01-03 00:00:00 = there, in .g2");
}

#[test]
fn nothing_is_cut_off_at_80_columns() {
    for (days, hops) in [(0, 0), (0, 1), (1, 1), (20, 20), (0, 200), (200, 1), (200, 55)] {
        let mut picture = picture(days, hops);
        picture.event(&progress(0, 0.5));
        for width in [80, 120] {
            let lines = picture.lines(width, 14);
            assert!(lines.len() <= 14, "{lines:#?}");
            assert!(lines.iter().all(|line| !line.ends_with('…')), "{lines:#?}");
        }
    }
    let lines = picture(0, 0).lines(80, 14);
    assert_eq!(lines[1..], ["no snapshots yet"]);
}

#[test]
fn a_narrow_terminal_has_short_times() {
    let mut picture = picture(1, 2);
    picture.event(&progress(0, 0.43));
    assert_eq!(
        picture.lines(40, 20),
        [
            "vhds/disk0.vhd to backups/disk0.vhd",
            "2026-01-01 00:00:00 = there",
            "2026-01-02 00:00:00 >  43% 4.00 KiB",
            "2026-01-03 00:00:00   8.00 KiB",
            "1 snapshot there, 2 to copy: 12.00 KiB",
        ]
    );
}

#[test]
fn what_is_not_copied_says_why_and_waiting_is_said() {
    let mut plan = plan(1, 0);
    let left = json!({ "snapshot": source(1), "because": "it is older than the newest copied" });
    plan.left.push(serde_json::from_value(left).expect("one that is left"));
    let mut picture = Picture::of("a to b", &plan);
    let wait = json!({
        "destination": "https://acct.blob.core.windows.net/backups/disk0.vhd",
        "marker": "disk0.vhd.blobcopy", "waited": { "secs": 61, "nanos": 0 },
    });
    picture.event(&MirrorEvent::Waiting(serde_json::from_value(wait).expect("a wait")));
    let lines = picture.lines(100, 20);
    let left = "2026-01-01T00:00:00.1234567Z - not copied: it is older than the newest copied";
    assert!(lines.iter().any(|line| line == left), "{lines:#?}");
    let waits = "another run holds the lease on disk0.vhd.blobcopy: waiting for it for 1 min";
    assert_eq!(lines.last().map(String::as_str), Some(waits));
}

#[test]
fn a_long_chain_keeps_to_the_screen_and_shows_where_it_is() {
    for (days, hops) in [(0, 25), (25, 0), (20, 5), (5, 20), (24, 1), (12, 12)] {
        let mut picture = picture(days, hops);
        for hop in 0..=usize::from(hops) {
            for (width, height) in [(100, 12), (40, 8), (20, 5), (1, 1)] {
                let lines = picture.lines(width, height);
                assert!(lines.len() <= height.max(5), "{days} {hops} {height}: {lines:#?}");
                let wide = lines.iter().find(|line| measure_text_width(line) > width);
                assert!(wide.is_none(), "{width}: {wide:?}");
            }
            if hop < usize::from(hops) {
                picture.event(&progress(hop, 0.5));
                let lines = picture.lines(100, 12);
                assert!(lines.iter().any(|line| line.contains("> ")), "{lines:#?}");
                picture.event(&done(days + 1 + u8::try_from(hop).expect("few")));
            }
        }
    }
    let lines = picture(20, 5).lines(100, 10);
    assert_eq!([&*lines[1], &*lines[8]], ["… earlier: 17 there", "… later: 2 to copy"]);
    assert_eq!(lines.len(), 10);
}
