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
    each!(
        run,
        service.list_containers(),
        [
            prefix(&values.text()),
            marker(&values.text()),
            page_size(values.small()),
            server_timeout(values.duration()),
            client_request_id(&values.text()),
        ]
    );
    let container = container(service);
    each!(
        run,
        container.list_blobs(),
        [
            prefix(&values.text()),
            start_from(&values.text()),
            marker(&values.text()),
            page_size(values.small()),
            include([BlobInclude::Tags, BlobInclude::Copy]),
            server_timeout(values.duration()),
            client_request_id(&values.text()),
        ]
    );
    run.wait_for(call!(container.list_blobs(), by_hierarchy(&values.text()))).await;
    each!(
        run,
        container.list_blobs().by_hierarchy("/"),
        [
            prefix(&values.text()),
            start_from(&values.text()),
            marker(&values.text()),
            page_size(values.small()),
            include([BlobInclude::Snapshots]),
            server_timeout(values.duration()),
            client_request_id(&values.text()),
        ]
    );
    read(run, service.list_containers().marker(&values.text()).stream()).await;
    read(run, container.list_blobs().prefix(&values.text()).stream()).await;
    read(run, container.list_blobs().by_hierarchy(&values.text()).stream()).await;
    ranges(run, &container.page_blob_client("disk0.vhd")).await;
}

async fn ranges(run: &Run<'_>, disk: &PageBlobClient) {
    let values = run.values;
    each!(
        run,
        disk.get_page_ranges(),
        [
            range(values.number(), values.number()),
            range(512, values.number()),
            range(values.number(), 512),
            page_size(values.small()),
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(&values.text()),
        ]
    );
    let earlier: SnapshotId = SNAPSHOT.parse().expect("a snapshot");
    run.wait_for(call!(disk, get_page_ranges_diff(values.snapshot()))).await;
    run.wait_for(call!(disk, get_managed_disk_page_ranges_diff(&values.url()))).await;
    each!(
        run,
        disk.get_page_ranges_diff(&earlier),
        [
            range(values.number(), values.number()),
            page_size(values.small()),
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(&values.text()),
        ]
    );
    run.wait_for(call!(disk, diff_size(values.snapshot()))).await;
    each!(
        run,
        disk.diff_size(&earlier),
        [
            range(values.number(), values.number()),
            page_size(values.small()),
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(&values.text()),
        ]
    );
    read(run, disk.get_page_ranges().range(values.number(), values.number()).stream()).await;
    read(run, disk.get_page_ranges_diff(values.snapshot()).stream()).await;
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
