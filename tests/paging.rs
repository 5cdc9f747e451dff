//! Lists whose pages never end, or that return more than the service can.

use blobcopy::{BlobServiceClient, Error, SnapshotId};
use futures_util::{StreamExt, TryStreamExt};

use crate::support::script::{Script, Step};

fn page(body: &str) -> Step {
    let length = ("x-ms-blob-content-length".to_owned(), "1024".to_owned());
    Step::Answer { status: 200, headers: vec![length], body: body.to_owned() }
}

/// A page of any kind of list, without entries and with a next marker.
fn leads_to(marker: &str) -> [Step; 2] {
    ["EnumerationResults", "PageList"]
        .map(|root| page(&format!("<{root}><NextMarker>{marker}</NextMarker></{root}>")))
}

type List = fn(
    &BlobServiceClient,
) -> std::pin::Pin<Box<dyn Future<Output = Result<usize, Error>> + Send + '_>>;

fn snapshot() -> SnapshotId {
    "2026-01-01T00:00:00.1234567Z".parse().expect("a snapshot")
}

/// Every call that follows markers, with its number of entries; those of page ranges last.
fn lists() -> [(&'static str, List); 11] {
    macro_rules! count {
        ($stream:expr) => {
            Box::pin(async move { Ok($stream.try_collect::<Vec<_>>().await?.len()) })
        };
    }
    macro_rules! disk {
        ($service:ident) => {
            $service.container_client("vhds").page_blob_client("disk0.vhd")
        };
    }
    [
        ("blobs", |s| count!(s.container_client("vhds").list_blobs())),
        ("pages of blobs", |s| count!(s.container_client("vhds").list_blobs().pages())),
        ("hierarchy", |s| count!(s.container_client("vhds").list_blobs().by_hierarchy("/"))),
        ("snapshots", |s| count!(disk!(s).list_snapshots())),
        ("all blobs", |s| {
            let list = s.container_client("vhds").list_blobs();
            Box::pin(async move { Ok(list.collect_all().await?.len()) })
        }),
        ("containers", |s| count!(s.list_containers())),
        ("ranges", |s| count!(disk!(s).get_page_ranges())),
        ("whole ranges", |s| {
            Box::pin(
                async move { Ok(disk!(s).get_page_ranges().collect_all().await?.ranges.len()) },
            )
        }),
        ("differences", |s| count!(disk!(s).get_page_ranges_diff(snapshot()))),
        ("whole differences", |s| {
            Box::pin(async move {
                Ok(disk!(s).get_page_ranges_diff(snapshot()).collect_all().await?.ranges.len())
            })
        }),
        ("size of differences", |s| {
            Box::pin(async move { disk!(s).diff_size(snapshot()).await.map(|_| 0) })
        }),
    ]
}

/// The page for this kind of list.
fn of_kind(name: &str, [blobs, ranges]: [Step; 2]) -> Step {
    if name.contains("ranges") || name.contains("differences") { ranges } else { blobs }
}

#[tokio::test(start_paused = true)]
async fn a_marker_that_leads_to_its_own_page_ends_the_list() {
    for (name, list) in lists() {
        let script = Script::new([of_kind(name, leads_to("m1"))]);
        let error = list(&script.service()).await.expect_err(name);
        assert!(matches!(error, Error::UnexpectedResponse { .. }), "{name}: {error:?}");
        assert!(error.to_string().contains("NextMarker"), "{name}: {error}");
        assert_eq!(script.seen().len(), 2, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn markers_that_lead_in_a_circle_end_the_list() {
    for (name, list) in lists() {
        let circle = (0..300).map(|page| of_kind(name, leads_to(&format!("m{}", page % 5))));
        let script = Script::new(circle);
        let error = list(&script.service()).await.expect_err(name);
        assert!(error.to_string().contains("NextMarker"), "{name}: {error}");
        assert!(script.seen().len() < 20, "{name}: {} pages", script.seen().len());
    }
}

#[tokio::test(start_paused = true)]
async fn a_list_that_goes_on_is_followed() {
    for (name, list) in lists() {
        let pages = (0..300).map(|page| of_kind(name, leads_to(&format!("m{page}"))));
        let last = of_kind(name, leads_to(""));
        let script = Script::new(pages.chain([last]));
        list(&script.service()).await.expect(name);
        assert_eq!(script.seen().len(), 301, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn ranges_that_were_read_while_the_blob_was_written_have_no_etag() {
    let page = |etag: &str, marker: &str| {
        let headers = [("ETag", etag), ("x-ms-blob-content-length", "1024")];
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
        let body = format!("<PageList><NextMarker>{marker}</NextMarker></PageList>");
        Step::Answer { status: 200, headers, body }
    };
    for (etags, expected) in [
        (["\"1\"", "\"1\"", "\"1\""], Some("\"1\"")),
        (["\"1\"", "\"2\"", "\"2\""], None),
        (["\"1\"", "\"2\"", "\"1\""], None),
    ] {
        let pages = || {
            let pages = etags.iter().zip(["m1", "m2", ""]);
            Script::new(pages.map(|(etag, marker)| page(etag, marker)))
        };
        let disk = |script: Script| {
            script.service().container_client("vhds").page_blob_client("disk0.vhd")
        };
        let ranges = disk(pages()).get_page_ranges().collect_all().await.expect("listed");
        assert_eq!(ranges.etag.as_ref().map(|etag| etag.as_str()), expected, "{etags:?}");
        let ranges =
            disk(pages()).get_page_ranges_diff(snapshot()).collect_all().await.expect("listed");
        assert_eq!(ranges.etag.as_ref().map(|etag| etag.as_str()), expected, "{etags:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_single_page_that_leads_to_itself_is_refused() {
    let [blobs, _] = leads_to("m1");
    let service = Script::new([blobs]).service();
    let vhds = service.container_client("vhds");
    assert!(vhds.list_blobs().pages().next().await.expect("a page").is_ok());
    assert!(vhds.list_blobs().marker("m1").next().await.expect("an end").is_err());
    let folders = vhds.list_blobs().by_hierarchy("/");
    assert!(folders.marker("m1").next().await.expect("an end").is_err());
    assert!(service.list_containers().marker("m1").next().await.expect("an end").is_err());
}

#[tokio::test(start_paused = true)]
async fn a_page_of_more_than_the_service_sends_is_refused() {
    let page = |list: &str, item: &str, count: usize| {
        let items = item.repeat(count);
        page(&format!("<EnumerationResults><{list}>{items}</{list}></EnumerationResults>"))
    };
    let full = Script::new([page("Blobs", "<Blob/>", 5000)]).service();
    let listed =
        full.container_client("vhds").list_blobs().collect_all().await.expect("a full page");
    assert_eq!(listed.len(), 5000);
    let blobs = Script::new([page("Blobs", "<Blob/>", 1_000_000)]).service();
    let mut stream = blobs.container_client("vhds").list_blobs();
    let containers = Script::new([page("Containers", "<Container/>", 5001)]).service();
    for error in [
        stream.next().await.expect("an answer").map(|_| ()),
        containers.list_containers().collect_all().await.map(|_| ()),
    ] {
        let error = error.expect_err("too many").to_string();
        assert!(error.contains("more than 5000 entries"), "{error}");
    }
}
