//! Copies: started, waited for, aborted.

use std::time::Duration;

use blobcopy::*;
use futures_util::StreamExt;

use super::{super::driven::*, Run, container};

pub(super) async fn drive(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let disk = container(service).page_blob_client("disk0.vhd");
    let snapshot = || values.snapshot();
    run.wait_for(call!(&disk, start_copy_incremental(values.url(), snapshot()))).await;
    each!(
        run,
        disk.start_copy_incremental(&disk, snapshot()),
        [
            conditions(values.conditions()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    for _ in 0..3 {
        run.wait_for(call!(&*disk, start_copy_from_uri(values.url()))).await;
    }
    let named = container(service).blob_client(&values.text());
    run.wait_for(disk.start_copy_from_uri(&named)).await;
    run.wait_for(disk.start_copy_incremental(&named.page_blob_client(), snapshot())).await;
    let source = CopySource::from(&disk).sas_lifetime(values.duration());
    run.wait_for(disk.start_copy_from_uri(source)).await;
    let elsewhere =
        BlobClient::builder("https://other.blob.core.windows.net/vhds/b".parse().expect("a URL"))
            .credential(Credential::shared_key("other", "c2VjcmV0").expect("a key"))
            .options(run.options())
            .build();
    let elsewhere = elsewhere.expect("a client");
    let source = || CopySource::from(&elsewhere).sas_lifetime(values.duration());
    run.wait_for(disk.start_copy_from_uri(source())).await;
    run.wait_for(disk.start_copy_incremental(source(), snapshot())).await;
    run.wait_for(disk.copy_from_uri(source())).await;
    each!(
        run,
        disk.start_copy_from_uri(&disk),
        [
            metadata(values.metadata()),
            tags(values.tags()),
            tier(AccessTier::from(values.text())),
            rehydrate_priority(RehydratePriority::from(values.text())),
            seal(true),
            immutability_policy(values.date(), ImmutabilityPolicyMode::from(values.text())),
            legal_hold(true),
            source_conditions(values.conditions()),
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
}

pub(super) async fn from_uri(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let blob = container(service).blob_client("b");
    run.wait_for(call!(&blob, copy_from_uri(values.url()))).await;
    each!(
        run,
        blob.copy_from_uri(&blob),
        [
            source_lease_id(values.lease()),
            copy_source_tags(true),
            tier(AccessTier::from(values.text())),
            immutability_policy(values.date(), ImmutabilityPolicyMode::from(values.text())),
            legal_hold(false),
            metadata(values.metadata()),
            tags(values.tags()),
            conditions(values.conditions()),
            lease_id(values.lease()),
            encryption_scope(values.text()),
            source_authorization(values.text()),
            source_length(values.number()),
            source_conditions(values.conditions()),
            source_content_md5(values.array()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
}

pub(super) async fn watched(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let blob = container(service).blob_client("b");
    let id: CopyId = values.text().parse().unwrap_or_else(|_| "c-1".parse().expect("an id"));
    run.wait_for(call!(&blob, abort_copy(&id))).await;
    each!(
        run,
        blob.abort_copy(&id),
        [
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        blob.abort_pending_copy(),
        [
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        blob.resume_pending_copy(),
        [
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    for id in [id, "c-1".parse().expect("an id")] {
        let mut copy = call!(&blob, resume_copy(id));
        run.wait_for(call!(copy.wait(), interval(values.duration()))).await;
        let mut copy = call!(blob.resume_copy(copy.id().clone()), with_lease(values.lease()));
        run.wait_for(call!(copy.wait(), timeout(values.duration()))).await;
        let mut copy = blob.resume_copy(copy.id().clone());
        run.wait_for(call!(copy.wait(), on_progress(|_| {}))).await;
        run.made(copy.poll().await);
        run.made(copy.abort().await);
        run.made(service.resume(&copy.token()));
        let mut states = copy.progress_stream().take(5);
        let next = async { while states.next().await.is_some() {} };
        let ended = super::super::bounds::within(Duration::from_secs(3600), next).await;
        ended.expect("the progress did not end within an hour");
    }
}
