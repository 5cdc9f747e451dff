use time::{Duration, OffsetDateTime, macros::datetime};

use super::*;
use crate::{BlobType, CopyState, Metadata, Tags};

const THEN: OffsetDateTime = datetime!(2026-01-01 12:00 UTC);

const KEPT: Kept = Kept { tags: true, all_metadata: true };

fn blob() -> BlobItem {
    let mut item = BlobItem { name: "a".to_owned(), ..BlobItem::default() };
    let of = &mut item.properties;
    of.blob_type = Some(BlobType::BlockBlob);
    of.content_length = 4;
    of.content_type = Some("text/plain".to_owned());
    of.last_modified = Some(THEN);
    of.content_md5 = Some([1; 16].into());
    of.metadata = Metadata::from([("Owner", "team a")]);
    item.tags = Tags::from([("stage", "done")]);
    item
}

fn with_copy(status: &str) -> BlobItem {
    let mut item = blob();
    item.properties.copy = Some(CopyState::new("id".parse().expect("an id"), status.into()));
    item
}

fn changed(change: impl FnOnce(&mut BlobItem)) -> BlobItem {
    let mut item = blob();
    change(&mut item);
    item
}

/// Each clause of "the same": what is changed at the destination, and what is told of it.
#[test]
fn each_clause_is_a_difference() {
    let second = Duration::SECOND;
    for (destination, expected) in [
        (blob(), None),
        (with_copy("success"), None),
        (with_copy("pending"), Some(Difference::Unfinished)),
        (with_copy("failed"), Some(Difference::Unfinished)),
        (with_copy("aborted"), Some(Difference::Unfinished)),
        (with_copy("paused"), Some(Difference::Unfinished)),
        (
            changed(|to| to.properties.metadata.insert("Blobcopy_Partial", "0x1")),
            Some(Difference::Unfinished),
        ),
        (
            changed(|to| to.properties.blob_type = Some(BlobType::AppendBlob)),
            Some(Difference::Type),
        ),
        (changed(|to| to.properties.content_length = 5), Some(Difference::Length)),
        (
            changed(|to| to.properties.content_md5 = Some([2; 16].into())),
            Some(Difference::ContentMd5),
        ),
        (changed(|to| to.properties.content_type = None), Some(Difference::ContentHeaders)),
        (
            changed(|to| to.properties.content_encoding = Some("gzip".to_owned())),
            Some(Difference::ContentHeaders),
        ),
        (
            changed(|to| to.properties.content_language = Some("en".to_owned())),
            Some(Difference::ContentHeaders),
        ),
        (
            changed(|to| to.properties.content_disposition = Some("inline".to_owned())),
            Some(Difference::ContentHeaders),
        ),
        (
            changed(|to| to.properties.cache_control = Some("no-store".to_owned())),
            Some(Difference::ContentHeaders),
        ),
        (changed(|to| to.properties.metadata = Metadata::from([("owner", "team a")])), None),
        (
            changed(|to| to.properties.metadata = Metadata::from([("owner", "Team a")])),
            Some(Difference::Metadata),
        ),
        (changed(|to| to.properties.metadata = Metadata::new()), Some(Difference::Metadata)),
        (changed(|to| to.tags = Tags::new()), Some(Difference::Tags)),
        (changed(|to| to.properties.last_modified = Some(THEN + second)), None),
        (
            changed(|to| to.properties.last_modified = Some(THEN - second)),
            Some(Difference::NotAfter),
        ),
        (changed(|to| to.properties.last_modified = None), Some(Difference::NotAfter)),
        // In the same second, equal MD5 of both is needed.
        (changed(|to| to.properties.content_md5 = None), Some(Difference::NotAfter)),
        (
            changed(|to| {
                to.properties.content_md5 = None;
                to.properties.last_modified = Some(THEN + second);
            }),
            None,
        ),
    ] {
        let found = difference(&blob(), &destination, KEPT);
        assert_eq!(found, expected, "{destination:?}");
    }
}

#[test]
fn tags_count_only_where_they_are_kept() {
    let destination = changed(|to| to.tags = Tags::new());
    assert_eq!(difference(&blob(), &destination, Kept { tags: false, ..KEPT }), None);
}

#[test]
fn a_media_type_that_is_absent_is_that_of_any_bytes() {
    let source = changed(|from| from.properties.content_type = None);
    let of =
        |media_type: &str| changed(|to| to.properties.content_type = Some(media_type.to_owned()));
    assert_eq!(difference(&source, &of("application/octet-stream"), KEPT), None);
    assert!(difference(&source, &of("text/plain"), KEPT).is_some());
}

#[test]
fn values_that_a_route_cannot_send_are_not_missed() {
    let source = changed(|from| from.properties.metadata.insert("name", "é"));
    assert_eq!(difference(&source, &blob(), KEPT), Some(Difference::Metadata));
    let kept = Kept { all_metadata: false, ..KEPT };
    assert_eq!(difference(&source, &blob(), kept), None);
}
