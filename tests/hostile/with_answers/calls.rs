//! Every operation except copies.

use std::time::Duration;

use blobcopy::{sas::BlobSasPermissions, *};
use futures_util::StreamExt;

use super::{
    super::{
        bounds,
        values::{LEASE, NOW, SNAPSHOT},
    },
    LONGEST, MOST, Run,
};
use crate::support::script::pass;

fn container(service: &BlobServiceClient) -> BlobContainerClient {
    service.container_client("vhds")
}

fn blob(service: &BlobServiceClient) -> BlobClient {
    container(service).blob_client("b")
}

fn disk(service: &BlobServiceClient) -> PageBlobClient {
    container(service).page_blob_client("disk0.vhd")
}

fn notes(service: &BlobServiceClient) -> BlockBlobClient {
    container(service).block_blob_client("notes.txt")
}

fn log(service: &BlobServiceClient) -> AppendBlobClient {
    container(service).append_blob_client("log.txt")
}

fn lease() -> LeaseId {
    LEASE.parse().expect("a GUID")
}

fn earlier() -> SnapshotId {
    SNAPSHOT.parse().expect("a snapshot")
}

pub(super) async fn blobs(run: &Run) {
    run.call(|service| container(service).create()).await;
    run.call(|service| container(service).delete()).await;
    run.call(|service| container(service).exists()).await;
    run.call(|service| container(service).get_properties()).await;
    run.call(|service| blob(service).exists()).await;
    run.call(|service| blob(service).get_properties()).await;
    run.call(|service| blob(service).delete()).await;
    run.call(|service| blob(service).create_snapshot()).await;
    run.call(|service| blob(service).set_metadata([("k", "v")])).await;
    run.call(|service| blob(service).get_tags()).await;
    run.call(|service| blob(service).set_tags([("k", "v")])).await;
    run.call(|service| blob(service).set_tier(AccessTier::Cool)).await;
    let expiry = NOW + time::Duration::DAY;
    run.call(|service| blob(service).sas_url(BlobSasPermissions::new().read(), expiry)).await;
    run.call(|service| service.get_user_delegation_key(NOW, expiry)).await;
}

pub(super) async fn writes(run: &Run) {
    let page = || vec![1; 512];
    run.call(|service| disk(service).create(1024)).await;
    run.call(|service| disk(service).resize(1024)).await;
    run.call(|service| disk(service).set_sequence_number(SequenceNumberAction::Update(7))).await;
    run.call(|service| disk(service).set_sequence_number(SequenceNumberAction::Increment)).await;
    run.call(|service| disk(service).upload_pages(0, page())).await;
    run.call(|service| disk(service).upload_pages(0, vec![1; 9 << 20])).await;
    run.call(|service| disk(service).clear_pages(0..512)).await;
    run.call(|service| disk(service).upload_pages_from_uri(&disk(service), 0..9 << 20, 0)).await;
    run.call(|service| notes(service).upload("x")).await;
    run.call(|service| notes(service).stage_block(BlockId::numbered(1), "x")).await;
    run.call(|service| notes(service).stage_block_from_uri(BlockId::numbered(1), &notes(service)))
        .await;
    run.call(|service| notes(service).commit_block_list([BlockId::numbered(1)])).await;
    run.call(|service| notes(service).get_block_list()).await;
    run.call(|service| notes(service).upload_from_uri(&notes(service))).await;
    run.call(|service| log(service).create()).await;
    run.call(|service| log(service).append_block("x")).await;
    run.call(|service| log(service).append_block_from_uri(&log(service))).await;
}

pub(super) async fn leases(run: &Run) {
    let minute = Duration::from_secs(60);
    run.call(|service| blob(service).acquire_lease(minute)).await;
    run.call(|service| blob(service).acquire_infinite_lease()).await;
    run.call(|service| blob(service).renew_lease(lease())).await;
    run.call(|service| blob(service).change_lease(lease(), lease())).await;
    run.call(|service| blob(service).release_lease(lease())).await;
    run.call(|service| blob(service).break_lease()).await;
    for duration in [Some(minute), None] {
        let held = run.call(|service| match duration {
            Some(duration) => blob(service).acquire_lease(duration).guard(),
            None => blob(service).acquire_infinite_lease().guard(),
        });
        if let Some(held) = held.await {
            pass(Duration::from_secs(600)).await;
            bounds::shown(&held, bounds::SHORT);
            if !held.is_held() {
                bounds::error(held.lost().await, super::LONG_ERROR, super::LONG_DEBUG);
            }
            let released = bounds::within(LONGEST, held.release()).await;
            if let Err(error) = released.expect("the release did not end") {
                bounds::error(&error, super::LONG_ERROR, super::LONG_DEBUG);
            }
        }
    }
}

pub(super) async fn lists(run: &Run) {
    run.read(|service| service.list_containers()).await;
    run.read(|service| service.list_containers().pages()).await;
    run.read(|service| container(service).list_blobs()).await;
    run.read(|service| container(service).list_blobs().pages()).await;
    run.read(|service| container(service).list_blobs().by_hierarchy("/")).await;
    run.read(|service| container(service).list_blobs().by_hierarchy("/").pages()).await;
    run.read(|service| disk(service).list_snapshots()).await;
    run.call(|service| disk(service).get_page_ranges().collect_all()).await;
    run.read(|service| disk(service).get_page_ranges()).await;
    let diff =
        run.call(|service| disk(service).get_page_ranges_diff(earlier()).collect_all()).await;
    if let Some(diff) = diff {
        let of = |ranges: &mut dyn Iterator<Item = PageRange>| -> u64 {
            ranges.fold(0, |sum, range| sum.saturating_add(range.len()))
        };
        let _ = (of(&mut diff.changed()), of(&mut diff.cleared()));
    }
    run.read(|service| disk(service).get_page_ranges_diff(earlier())).await;
    run.call(|service| disk(service).diff_size(earlier())).await;
}

/// Downloads may continue as long as bytes arrive: only the result is checked.
pub(super) async fn downloads(run: &Run) {
    for range in [None, Some(2..4), Some(0..1 << 40), Some(u64::MAX - 1..u64::MAX)] {
        for at_once in [true, false] {
            let (service, client) = run.service(MOST);
            let call = blob(&client).download();
            let call = match range.clone() {
                Some(range) => call.range(range),
                None => call,
            };
            let opened = bounds::within(LONGEST, call.into_future()).await;
            let opened = opened.expect("the download did not begin");
            let Some(mut download) = run.made(&service, opened) else { continue };
            let read = async {
                if at_once {
                    return download.bytes().await.map(|content| content.len());
                }
                let (mut length, mut pieces) = (0, 0);
                while let Some(piece) = download.next().await {
                    length += piece?.len();
                    pieces += 1;
                    if pieces == 300 {
                        break;
                    }
                }
                Ok(length)
            };
            match bounds::within(LONGEST, read).await {
                Some(Ok(length)) => {
                    assert!(length <= service.seen().1, "{length} bytes of nowhere");
                    if let Some(range) = &range {
                        assert!(length as u64 <= range.end - range.start, "more than was asked");
                    }
                }
                Some(Err(error)) => bounds::error(&error, super::LONG_ERROR, super::LONG_DEBUG),
                None => assert!(service.is_exhausted(), "the download did not end"),
            }
        }
    }
}
