//! Budgets with hostile limits and the clients that draw from them, and a watch of many copies.

use blobcopy::{
    BlobServiceClient, CopyId,
    jobs::{Budget, CopyWatch},
};
use futures_util::{StreamExt, TryStreamExt};

use super::{super::driven::*, Run, container};

pub(super) async fn drive(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let budget = call!(Budget::new(), requests_per_second(values.small()));
    let budget = call!(budget, patience(values.duration()));
    let budget = call!(budget, bytes_per_second(values.number()));
    let budget = call!(budget, blob_requests_per_second(values.small()));
    let options = call!(run.options(), budget(budget.clone()));
    super::super::bounds::shown(&options, super::super::bounds::of_values(values));
    let unlimited = Budget::new();
    call!(&unlimited, spend_bytes(values.number())).await;

    let service = call!(service, with_budget(&budget));
    run.read_all(service.list_containers()).await;
    let vhds = call!(&container(&service), with_budget(&budget));
    run.read_all(vhds.list_blobs()).await;
    let blob = call!(&vhds.blob_client("b"), with_budget(&budget.for_one_blob()));
    run.wait_for(blob.get_properties()).await;
    let disk = call!(&blob.page_blob_client(), with_budget(&budget));
    run.wait_for(disk.clear_pages(0..512)).await;
    let notes = call!(&blob.block_blob_client(), with_budget(&budget));
    run.wait_for(notes.get_block_list()).await;
    let log = call!(&blob.append_blob_client(), with_budget(&budget));
    run.wait_for(log.create()).await;
}

pub(super) async fn watched(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let vhds = container(service);
    call!(&vhds, shares_with(&service.container_client(&values.text())));
    let id = || values.text().parse().unwrap_or_else(|_| "id".parse::<CopyId>().expect("an id"));
    let copy = || vhds.blob_client(&values.text()).resume_copy(id());
    if let Ok(items) = vhds.list_blobs().collect_all().await {
        for item in &items {
            let mut copy = vhds.blob_client_of(item).resume_copy(id());
            run.made(call!(&mut copy, observe(item)));
        }
    }
    for watch in [
        call!(CopyWatch::new(), operation(copy())),
        call!(CopyWatch::new(), operations([copy(), copy()])),
        call!(CopyWatch::new(), container(&vhds, &values.text())),
        call!(CopyWatch::new().operation(copy()), interval(values.duration())),
        call!(CopyWatch::new().operation(copy()), timeout(values.duration())),
    ] {
        super::super::bounds::shown(&watch, super::super::bounds::of_values(values));
        let events: Vec<_> = watch.events().take(20).try_collect().await.unwrap_or_default();
        super::super::bounds::shown(&events, super::super::bounds::of_values(values));
    }
}
