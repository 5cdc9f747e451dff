//! A full page of List Blobs.

use std::{fmt::Write, hint::black_box};

use blobcopy::{
    BlobContainerClient, BlobInclude, BlobItem, BlobPage, BlobServiceClient, ClientOptions,
    CopyStatus,
    transport::{BoxFuture, Request, Response, Transport, TransportError},
};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderMap, StatusCode};
use quick_xml::{Reader, events::Event};
use tokio::runtime::{Builder, Runtime};

use crate::{
    clients,
    measure::{Report, Row, interleave, processor_ns},
};

const TURNS: usize = 60;
const BLOBS: usize = 5000;

/// From the call of `list_blobs` to the typed page; the floor is quick-xml, which reads the same
/// bytes and keeps nothing.
///
/// Besides parsing it builds and signs a request and passes a body on without a copy: some
/// microseconds of a hundred thousand. Dropping the page is not timed.
pub(crate) fn parsing(report: &Report) {
    let row = Row { name: "listing 5000 blobs", floor: "quick-xml's bare walk", target: Some(2.5) };
    if !report.wants(row.name) {
        return;
    }
    let body = Bytes::from(page());
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let container = container(body.clone());
    check(&list(&runtime, &container));

    let [ours, floor] = interleave(
        report.turns(TURNS),
        [&mut || timed(|| list(&runtime, &container)), &mut || timed(|| walk(&body))],
    );
    report.row(&row, &ours, &floor);
}

/// The CPU time of one call. Dropping the result is not timed.
fn timed<T>(call: impl FnOnce() -> T) -> f64 {
    let before = processor_ns();
    let made = black_box(call());
    let after = processor_ns();
    drop(made);
    after - before
}

fn list(runtime: &Runtime, container: &BlobContainerClient) -> BlobPage<BlobItem> {
    use BlobInclude::{Copy, Metadata, Snapshots};
    let list = container.list_blobs().include([Copy, Metadata, Snapshots]).page_size(5000);
    runtime.block_on(async { list.pages().try_next().await.unwrap().unwrap() })
}

fn walk(body: &[u8]) -> usize {
    let mut reader = Reader::from_reader(body);
    let mut events = 0;
    while !matches!(black_box(reader.read_event().unwrap()), Event::Eof) {
        events += 1;
    }
    events
}

/// A call that reads nothing would be fast for the wrong reason.
fn check(page: &BlobPage<BlobItem>) {
    assert_eq!(page.items.len(), BLOBS);
    let copies = page.items.iter().filter_map(|blob| blob.properties.copy.as_ref());
    let ended = copies.filter(|copy| copy.status == CopyStatus::Success).count();
    let snapshots = page.items.iter().filter(|blob| blob.snapshot.is_some()).count();
    let metadata: usize = page.items.iter().map(|blob| blob.properties.metadata.len()).sum();
    assert_eq!((ended, snapshots, metadata), (BLOBS / 5 * 3, BLOBS / 5 * 2, BLOBS / 5 * 8));
    assert!(page.next_marker.is_some());
}

fn container(body: Bytes) -> BlobContainerClient {
    let options = ClientOptions::new().transport(Page(body));
    let service = BlobServiceClient::builder(clients::endpoint()).credential(clients::key());
    service.options(options).build().unwrap().container_client("backups")
}

/// Answers every request with one page.
#[derive(Debug)]
struct Page(Bytes);

impl Transport for Page {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let body = self.0.clone();
        Box::pin(async move { Ok(Response::new(StatusCode::OK, HeaderMap::new(), body)) })
    }
}

/// A page in the format of the reference, about 6 MB long. Of every five entries two are snapshots
/// of incremental copies, one is their base blob, one a block blob with metadata, and one a plain
/// block blob.
fn page() -> String {
    let mut xml = String::from(
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?><EnumerationResults \
         ServiceEndpoint=\"https://account.blob.core.windows.net/\" ContainerName=\"backups\">\
         <MaxResults>5000</MaxResults><Blobs>",
    );
    for group in 0..BLOBS / 5 {
        for kept in [Some(0), Some(1), None] {
            disk(&mut xml, group, kept);
        }
        file(
            &mut xml,
            &format!("files/{group:05}/a.txt"),
            "<Metadata><owner>team a</owner><project>blue &amp; green</project></Metadata>",
        );
        file(&mut xml, &format!("files/{group:05}/b.txt"), "");
    }
    xml.push_str(
        "</Blobs><NextMarker>2!108!MDAwMDQ0IWZpbGVzLzAxMDAw</NextMarker></EnumerationResults>",
    );
    xml
}

/// A destination of incremental copies, or a snapshot of it.
fn disk(xml: &mut String, group: usize, snapshot: Option<u32>) {
    write!(xml, "<Blob><Name>disks/{group:05}/disk0.vhd</Name>").unwrap();
    let taken = format!("2026-01-0{}T12:10:00.1234567Z", snapshot.unwrap_or(1) + 1);
    let lease = match snapshot {
        Some(_) => {
            write!(xml, "<Snapshot>{taken}</Snapshot>").unwrap();
            ""
        }
        None => "<LeaseStatus>unlocked</LeaseStatus><LeaseState>available</LeaseState>",
    };
    write!(
        xml,
        "<Properties><Creation-Time>Thu, 01 Jan 2026 11:00:00 GMT</Creation-Time>\
         <Last-Modified>Thu, 01 Jan 2026 12:10:00 GMT</Last-Modified><Etag>0x8DE29{group:010X}\
         </Etag>\
         <Content-Length>34359738880</Content-Length>\
         <Content-Type>application/octet-stream</Content-Type><Content-Encoding />\
         <Content-Language /><Content-CRC64 /><Content-MD5 /><Cache-Control />\
         <Content-Disposition />\
         <x-ms-blob-sequence-number>0</x-ms-blob-sequence-number><BlobType>PageBlob</BlobType>\
         <AccessTier>P30</AccessTier><AccessTierInferred>true</AccessTierInferred>{lease}\
         <CopyId>1f812371-a41d-49e6-b123-{group:012x}</CopyId><CopyStatus>success</CopyStatus>\
         <CopySource>https://source.blob.core.windows.net:443/vhds/{group:05}/disk0.vhd\
         ?snapshot=2026-01-01T12%3a00%3a00.7654321Z</CopySource>\
         <CopyProgress>1073741824/1073741824</CopyProgress>\
         <CopyCompletionTime>Thu, 01 Jan 2026 12:10:00 GMT</CopyCompletionTime>\
         <IncrementalCopy>true</IncrementalCopy>\
         <CopyDestinationSnapshot>{taken}</CopyDestinationSnapshot>\
         <ServerEncrypted>true</ServerEncrypted></Properties>\
         <Metadata><machine>web-{group}</machine><disk>0</disk></Metadata><OrMetadata /></Blob>"
    )
    .unwrap();
}

fn file(xml: &mut String, name: &str, metadata: &str) {
    write!(
        xml,
        "<Blob><Name>{name}</Name><Properties>\
         <Creation-Time>Thu, 01 Jan 2026 11:00:00 GMT</Creation-Time>\
         <Last-Modified>Thu, 01 Jan 2026 11:00:00 GMT</Last-Modified>\
         <Etag>0x8DE2900000000B2</Etag><Content-Length>65536</Content-Length>\
         <Content-Type>text/plain; charset=utf-8</Content-Type><Content-Encoding />\
         <Content-Language /><Content-CRC64>77uWZTolTHU=</Content-CRC64>\
         <Content-MD5>sQqNsWTgdUEFt6mb5y4/5Q==</Content-MD5><Cache-Control />\
         <Content-Disposition /><BlobType>BlockBlob</BlobType><AccessTier>Hot</AccessTier>\
         <AccessTierInferred>true</AccessTierInferred><LeaseStatus>unlocked</LeaseStatus>\
         <LeaseState>available</LeaseState><ServerEncrypted>true</ServerEncrypted></Properties>\
         {metadata}<OrMetadata /></Blob>"
    )
    .unwrap();
}
