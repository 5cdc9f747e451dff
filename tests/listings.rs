//! Lists, page by page, from scripted answers.

use blobcopy::{BlobHierarchyItem, BlobInclude};
use futures_util::{StreamExt, TryStreamExt};

use crate::support::script::{Script, Step, answer_with, refusal};

/// A page with these names; a name that ends in `/` is a prefix.
fn page(names: &[&str], next: &str) -> Step {
    let entry = |name: &&str| match name.ends_with('/') {
        true => format!("<BlobPrefix><Name>{name}</Name></BlobPrefix>"),
        false => format!("<Blob><Name>{name}</Name><Properties></Properties></Blob>"),
    };
    let entries: String = names.iter().map(entry).collect();
    answer_with(&format!(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults><Blobs>{entries}\
         </Blobs><NextMarker>{next}</NextMarker></EnumerationResults>"
    ))
}

fn queries(script: &Script) -> Vec<String> {
    script.seen().iter().map(|seen| seen.url().query().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_stream_reads_page_after_page() {
    // A page may be empty although more follow.
    let script = Script::new([page(&["a", "b"], "m1"), page(&[], "m2"), page(&["c"], "")]);
    let list = script.service().container_client("vhds").list_blobs().page_size(2);
    let blobs = list.collect_all().await.expect("listed");
    assert_eq!(blobs.iter().map(|blob| blob.name.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    let first = "restype=container&comp=list&maxresults=2";
    let second = "restype=container&comp=list&marker=m1&maxresults=2";
    let third = "restype=container&comp=list&marker=m2&maxresults=2";
    assert_eq!(queries(&script), [first, second, third]);
}

#[tokio::test(start_paused = true)]
async fn no_page_is_asked_for_before_it_is_read() {
    let script = Script::new([page(&["a"], "m1"), page(&["b"], "")]);
    let mut blobs = script.service().container_client("vhds").list_blobs();
    assert_eq!(blobs.try_next().await.expect("listed").expect("one").name, "a");
    assert_eq!(script.seen().len(), 1);
    assert_eq!(blobs.try_next().await.expect("listed").expect("one").name, "b");
    assert_eq!(script.seen().len(), 2);
    assert!(blobs.try_next().await.expect("over").is_none());
}

#[tokio::test(start_paused = true)]
async fn a_list_by_hierarchy_tells_blobs_from_prefixes() {
    let script = Script::new([page(&["a", "p/", "z"], "")]);
    let list = script.service().container_client("vhds").list_blobs().prefix("x").by_hierarchy("/");
    let items: Vec<BlobHierarchyItem> = list.collect_all().await.expect("listed");
    assert!(matches!(&items[1], BlobHierarchyItem::Prefix(prefix) if prefix == "p/"), "{items:?}");
    assert_eq!(items.len(), 3);
    assert_eq!(queries(&script), ["restype=container&comp=list&prefix=x&delimiter=%2F"]);
}

#[tokio::test(start_paused = true)]
async fn a_page_can_be_taken_up_by_its_marker() {
    let script = Script::new([page(&["a"], "m1"), page(&["b"], "")]);
    let list = script.service().container_client("vhds").list_blobs();
    let first = list.clone().pages().try_next().await.expect("listed").expect("a page");
    let mut pages = list.marker(first.next_marker.expect("more")).pages();
    let second = pages.try_next().await.expect("listed").expect("a page");
    assert_eq!((second.items[0].name.as_str(), second.next_marker), ("b", None));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_stream() {
    let script = Script::new([page(&["a"], "m1"), refusal(404, "ContainerNotFound")]);
    let list = script.service().container_client("vhds").list_blobs().include([BlobInclude::Copy]);
    let mut blobs: Vec<_> = list.collect().await;
    assert!(blobs.pop().expect("an end").is_err());
    assert_eq!(blobs.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_list_is_told() {
    let script = Script::new([answer_with("<html>hello</html>")]);
    let error =
        script.service().list_containers().collect_all().await.expect_err("a page of a proxy");
    assert!(error.to_string().contains("List Containers"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_is_collected_begins_where_reading_has_come_to() {
    let script = Script::new([page(&["a", "b", "c"], "m1"), page(&["d"], "")]);
    let mut blobs = script.service().container_client("vhds").list_blobs();
    blobs.try_next().await.expect("listed").expect("one");
    let rest = blobs.collect_all().await.expect("listed");
    assert_eq!(rest.iter().map(|blob| blob.name.as_str()).collect::<Vec<_>>(), ["b", "c", "d"]);
}

#[tokio::test(start_paused = true)]
async fn a_list_that_has_failed_is_not_taken_for_a_whole_one() {
    let script = Script::new([page(&["a"], "m1"), refusal(404, "ContainerNotFound")]);
    let mut blobs = script.service().container_client("vhds").list_blobs();
    blobs.try_next().await.expect("listed").expect("one");
    blobs.try_next().await.expect_err("refused");
    let error = blobs.collect_all().await.expect_err("not whole").to_string();
    assert!(error.contains("start a new list"), "{error}");
    assert_eq!(script.seen().len(), 2);
}

#[tokio::test(start_paused = true)]
async fn a_clone_goes_on_from_the_same_place() {
    let script = Script::new([page(&["a", "b"], "m1"), page(&["c"], ""), page(&["c"], "")]);
    let mut blobs = script.service().container_client("vhds").list_blobs();
    blobs.try_next().await.expect("listed").expect("one");
    for list in [blobs.clone(), blobs] {
        assert_eq!(list.collect_all().await.expect("listed").len(), 2);
    }
}
