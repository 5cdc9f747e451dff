use time::{Duration, OffsetDateTime, macros::datetime};

use super::*;
use crate::{Metadata, jobs::Skipped};

const THEN: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

fn blob() -> BlobItem {
    let mut item = BlobItem { name: "a".to_owned(), ..BlobItem::default() };
    item.properties.blob_type = Some(BlobType::BlockBlob);
    item.properties.content_length = 4;
    item.properties.last_modified = Some(THEN);
    item
}

fn with(change: impl FnOnce(&mut BlobItem)) -> BlobItem {
    let mut item = blob();
    change(&mut item);
    item
}

fn after(by: Duration) -> BlobItem {
    with(|item| item.properties.last_modified = Some(THEN + by))
}

fn copied(status: &str) -> BlobItem {
    let mut item = after(Duration::HOUR);
    item.properties.copy = Some(CopyState::new("id".parse().expect("an id"), status.into()));
    item
}

fn decided(source: &BlobItem, existing: Option<&BlobItem>, overwrite: Overwrite) -> Decision {
    let kept = Kept { tags: true, all_metadata: true };
    let rules = Rules { overwrite, kept, content: false, moves: false };
    decide(source, existing, rules, |_| true)
}

const EACH: [Overwrite; 4] =
    [Overwrite::Never, Overwrite::IfDifferent, Overwrite::IfNewer, Overwrite::Always];

#[test]
fn each_overwrite_meets_each_destination() {
    use Decision::{Copy, Leave};
    let (same, older) = (after(Duration::HOUR), after(-Duration::HOUR));
    let longer = with(|item| {
        item.properties.content_length = 5;
        item.properties.last_modified = Some(THEN + Duration::HOUR);
    });
    let (kept, is_same) = (Leave(Outcome::Kept), Leave(Outcome::Same));
    for (existing, expected) in [
        (None, [Copy, Copy, Copy, Copy]),
        (Some(&same), [kept, is_same, is_same, Copy]),
        (Some(&older), [kept, Copy, Copy, Copy]),
        (Some(&longer), [kept, Copy, kept, Copy]),
    ] {
        let decided = EACH.map(|overwrite| decided(&blob(), existing, overwrite));
        assert_eq!(decided, expected, "{existing:?}");
    }
}

#[test]
fn what_an_earlier_run_began_is_carried_on() {
    let marked = with(|item| {
        item.properties.metadata = Metadata::from([("blobcopy_partial", "\"0x1\"")]);
    });
    for existing in [copied("pending"), copied("failed"), copied("aborted"), marked] {
        for overwrite in EACH {
            let decided = decided(&blob(), Some(&existing), overwrite);
            assert_eq!(decided, Decision::Copy, "{overwrite:?} {existing:?}");
        }
    }
}

#[test]
fn a_failed_copy_of_another_source_is_an_existing_blob_and_never_the_same() {
    let kept = Kept { tags: true, all_metadata: true };
    let failed = copied("failed");
    for (overwrite, expected) in [
        (Overwrite::Never, Decision::Leave(Outcome::Kept)),
        (Overwrite::IfDifferent, Decision::Copy),
        (Overwrite::IfNewer, Decision::Leave(Outcome::Kept)),
        (Overwrite::Always, Decision::Copy),
    ] {
        let rules = Rules { overwrite, kept, content: false, moves: false };
        assert_eq!(decide(&blob(), Some(&failed), rules, |_| false), expected);
    }
}

#[test]
fn some_kinds_are_told_and_never_copied() {
    let folder = |value: &str| {
        with(|item| {
            item.properties.metadata = Metadata::from([("Hdi_isfolder", value)]);
            item.properties.content_length = 0;
        })
    };
    for (source, expected) in [
        (with(|item| item.properties.is_incremental_copy = true), Some(Skipped::IncrementalCopy)),
        (with(|item| item.name = "disk0.vhd.blobcopy".to_owned()), Some(Skipped::Marker)),
        (
            with(|item| item.properties.access_tier = Some(AccessTier::Archive)),
            Some(Skipped::Archived),
        ),
        (
            with(|item| item.properties.encryption_key_sha256 = Some("c2hh".to_owned())),
            Some(Skipped::CustomerKey),
        ),
        (folder("true"), Some(Skipped::Directory)),
        (folder("false"), None),
        (
            with(|item| item.properties.resource_type = Some("directory".to_owned())),
            Some(Skipped::Directory),
        ),
        (copied("pending"), Some(Skipped::PendingCopy)),
        (copied("failed"), None),
        (
            with(|item| {
                item.properties.metadata = Metadata::from([("Blobcopy_partial", "\"0x1\"")]);
            }),
            Some(Skipped::PendingCopy),
        ),
        (blob(), None),
    ] {
        assert_eq!(skipped(&source), expected, "{source:?}");
    }
}

#[test]
fn a_destination_that_must_not_be_touched_is_not() {
    let base = with(|item| item.properties.is_incremental_copy = true);
    for overwrite in EACH {
        let decided = decided(&blob(), Some(&base), overwrite);
        let expected = Decision::Leave(Outcome::Skipped(Skipped::IncrementalCopy));
        assert_eq!(decided, expected, "{overwrite:?}");
    }
    let page = with(|item| item.properties.blob_type = Some(BlobType::PageBlob));
    let decided = decided(&blob(), Some(&page), Overwrite::Always);
    assert_eq!(decided, Decision::Leave(Outcome::Skipped(Skipped::OtherType)));
}

#[test]
fn one_blob_under_two_names_is_never_written() {
    let named = |etag: &str| {
        let etag = etag.parse().expect("an ETag");
        with(|item| item.properties.etag = Some(etag))
    };
    for overwrite in EACH {
        let decided = decided(&named("\"0x1\""), Some(&named("\"0x1\"")), overwrite);
        assert_eq!(decided, Decision::Leave(Outcome::Same), "{overwrite:?}");
    }
    let other = decided(&named("\"0x1\""), Some(&named("\"0x2\"")), Overwrite::Always);
    assert_eq!(other, Decision::Copy);
}

#[test]
fn content_is_compared_where_all_else_is_the_same() {
    let kept = Kept { tags: true, all_metadata: true };
    let rules = Rules { overwrite: Overwrite::IfDifferent, kept, content: true, moves: false };
    let same = after(Duration::HOUR);
    assert_eq!(decide(&blob(), Some(&same), rules, |_| true), Decision::Compare);
    assert_eq!(decide(&blob(), None, rules, |_| true), Decision::Copy);
}

#[test]
fn a_copy_from_before_its_source_was_archived_is_the_same() {
    let archived = with(|item| item.properties.access_tier = Some(AccessTier::Archive));
    let same = after(Duration::HOUR);
    let longer = with(|item| item.properties.content_length = 5);
    let kept = Kept { tags: true, all_metadata: true };
    let rules = |content| Rules { overwrite: Overwrite::Always, kept, content, moves: false };
    let decided = |existing, content| decide(&archived, existing, rules(content), |_| true);
    let skipped = Decision::Leave(Outcome::Skipped(Skipped::Archived));
    assert_eq!(decided(Some(&same), false), Decision::Leave(Outcome::Same));
    // Its content cannot be compared.
    assert_eq!(decided(Some(&same), true), skipped);
    assert_eq!(decided(Some(&longer), false), skipped);
    assert_eq!(decided(None, false), skipped);
}

#[test]
fn a_move_never_copies_over_what_may_be_a_proved_copy() {
    let kept = Kept { tags: true, all_metadata: true };
    let longer = with(|item| item.properties.content_length = 5);
    for (existing, of_a_move) in [
        (after(Duration::HOUR), Decision::Compare),
        (after(-Duration::HOUR), Decision::Compare),
        (blob(), Decision::Compare),
        (longer, Decision::Copy),
    ] {
        for (moves, expected) in [(true, of_a_move), (false, Decision::Copy)] {
            let rules = Rules { overwrite: Overwrite::Always, kept, content: false, moves };
            assert_eq!(decide(&blob(), Some(&existing), rules, |_| true), expected);
        }
    }
}
