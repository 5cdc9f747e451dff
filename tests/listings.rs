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
    script.seen().iter().map(|seen| seen.url.query().unwrap_or_default().to_owned()).collect()
}

#[tokio::test(start_paused = true)]
async fn a_stream_reads_page_after_page() {
    // A page may be empty although more follow.
    let script = Script::new([page(&["a", "b"], "m1"), page(&[], "m2"), page(&["c"], "")]);
    let list = script.service().container_client("vhds").list_blobs().page_size(2);
    let names: Vec<String> =
        list.stream().map_ok(|blob| blob.name).try_collect().await.expect("listed");
    assert_eq!(names, ["a", "b", "c"]);
    let first = "restype=container&comp=list&maxresults=2";
    let second = "restype=container&comp=list&marker=m1&maxresults=2";
    let third = "restype=container&comp=list&marker=m2&maxresults=2";
    assert_eq!(queries(&script), [first, second, third]);
}

#[tokio::test(start_paused = true)]
async fn no_page_is_asked_for_before_it_is_read() {
    let script = Script::new([page(&["a"], "m1"), page(&["b"], "")]);
    let list = script.service().container_client("vhds").list_blobs();
    let mut blobs = std::pin::pin!(list.stream());
    blobs.next().await.expect("one").expect("listed");
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_list_by_hierarchy_tells_blobs_from_prefixes() {
    let script = Script::new([page(&["a", "p/", "z"], "")]);
    let list = script.service().container_client("vhds").list_blobs().prefix("x").by_hierarchy("/");
    let items: Vec<BlobHierarchyItem> = list.stream().try_collect().await.expect("listed");
    assert!(matches!(&items[1], BlobHierarchyItem::Prefix(prefix) if prefix == "p/"), "{items:?}");
    assert_eq!(items.len(), 3);
    assert_eq!(queries(&script), ["restype=container&comp=list&prefix=x&delimiter=%2F"]);
}

#[tokio::test(start_paused = true)]
async fn a_page_can_be_taken_up_by_its_marker() {
    let script = Script::new([page(&["a"], "m1"), page(&["b"], "")]);
    let list = script.service().container_client("vhds").list_blobs();
    let first = list.clone().await.expect("listed");
    let second = list.marker(&first.next_marker.expect("more")).await.expect("listed");
    assert_eq!((second.items[0].name.as_str(), second.next_marker), ("b", None));
}

#[tokio::test(start_paused = true)]
async fn a_refusal_ends_the_stream() {
    let script = Script::new([page(&["a"], "m1"), refusal(404, "ContainerNotFound")]);
    let list = script.service().container_client("vhds").list_blobs().include([BlobInclude::Copy]);
    let mut blobs: Vec<_> = list.stream().collect().await;
    assert!(blobs.pop().expect("an end").is_err());
    assert_eq!(blobs.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_list_is_told() {
    let script = Script::new([answer_with("<html>hello</html>")]);
    let error = script.service().list_containers().await.expect_err("a page of a proxy");
    assert!(error.to_string().contains("List Containers"), "{error}");
}
