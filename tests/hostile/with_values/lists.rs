//! Listings and page ranges.

use std::time::Duration;

use blobcopy::*;
use futures_util::{Stream, StreamExt};

use super::{
    super::{bounds, driven::*, values::SNAPSHOT},
    Run, container,
};

pub(super) async fn drive(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    each_list!(
        run,
        service.list_containers(),
        [
            prefix(values.text()),
            marker(values.text()),
            page_size(values.small()),
            server_timeout(values.duration()),
            include([ContainerInclude::Metadata, ContainerInclude::System]),
            client_request_id(values.text()),
        ]
    );
    let container = container(service);
    each_list!(
        run,
        container.list_blobs(),
        [
            prefix(values.text()),
            start_from(values.text()),
            marker(values.text()),
            page_size(values.small()),
            include([BlobInclude::Tags, BlobInclude::Copy]),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.read_all(call!(container.list_blobs(), by_hierarchy(values.text()))).await;
    each_list!(
        run,
        container.list_blobs().by_hierarchy("/"),
        [
            prefix(values.text()),
            start_from(values.text()),
            marker(values.text()),
            page_size(values.small()),
            include([BlobInclude::Snapshots]),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    read(run, service.list_containers().marker(values.text())).await;
    read(run, container.list_blobs().prefix(values.text())).await;
    read(run, container.list_blobs().by_hierarchy(values.text())).await;
    each_list!(
        run,
        container.blob_client("notes.txt").list_snapshots(),
        [
            marker(values.text()),
            page_size(values.small()),
            include([BlobInclude::Tags, BlobInclude::Deleted]),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    ranges(run, &container.page_blob_client("disk0.vhd")).await;
}

async fn ranges(run: &Run<'_>, disk: &PageBlobClient) {
    let values = run.values;
    each_list!(
        run,
        disk.get_page_ranges(),
        [
            range(values.number()..values.number()),
            range(512..values.number()),
            range(values.number()..=values.number()),
            page_size(values.small()),
            marker(values.text()),
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    let earlier: SnapshotId = SNAPSHOT.parse().expect("a snapshot");
    run.read_all(call!(disk, get_page_ranges_diff(values.snapshot()))).await;
    run.read_all(call!(disk, get_managed_disk_page_ranges_diff(&values.url()))).await;
    each_list!(
        run,
        disk.get_page_ranges_diff(&earlier),
        [
            range(values.number()..values.number()),
            page_size(values.small()),
            marker(values.text()),
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.wait_for(call!(disk, diff_size(values.snapshot()))).await;
    each!(
        run,
        disk.diff_size(&earlier),
        [
            range(values.number()..values.number()),
            page_size(values.small()),
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    read(run, disk.get_page_ranges().range(values.number()..values.number())).await;
    read(run, disk.get_page_ranges_diff(values.snapshot())).await;
}

async fn read<T: std::fmt::Debug>(run: &Run<'_>, items: impl Stream<Item = Result<T>>) {
    let mut items = std::pin::pin!(items.take(20));
    let next = async {
        while let Some(item) = items.next().await {
            run.made(item);
        }
    };
    let ended = bounds::within(Duration::from_secs(3600), next).await;
    ended.expect("the list did not end within an hour");
}
