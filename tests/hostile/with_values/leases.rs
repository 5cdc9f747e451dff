//! Leases with hostile durations and ids.

use std::time::Duration;

use blobcopy::*;

use super::{super::driven::*, Run, container};
use crate::support::script::pass;

pub(super) async fn drive(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let blob = container(service).blob_client("b");
    let minute = Duration::from_secs(60);
    run.wait_for(call!(&blob, acquire_lease(values.duration()))).await;
    each!(
        run,
        blob.acquire_lease(minute),
        [
            proposed_id(values.lease()),
            conditions(values.conditions()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.wait_for(blob.acquire_infinite_lease().proposed_id(values.lease())).await;
    let id = values.lease();
    run.wait_for(call!(&blob, renew_lease(&id))).await;
    each!(
        run,
        blob.renew_lease(&id),
        [
            guard(values.duration()),
            conditions(values.conditions()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.wait_for(call!(&blob, change_lease(&id, values.lease()))).await;
    each!(
        run,
        blob.change_lease(&id, values.lease()),
        [
            conditions(values.conditions()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.wait_for(call!(&blob, release_lease(&id))).await;
    each!(
        run,
        blob.release_lease(&id),
        [
            conditions(values.conditions()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        blob.break_lease(),
        [
            period(values.duration()),
            conditions(values.conditions()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    for guard in [
        blob.acquire_lease(values.duration()).guard(),
        blob.acquire_infinite_lease().proposed_id(values.lease()).guard(),
        blob.acquire_lease(minute).conditions(values.conditions()).guard(),
        blob.renew_lease(&id).guard(values.duration()),
    ] {
        if let Some(lease) = run.wait_for(guard).await {
            pass(minute * 5).await;
            assert!(lease.is_held(), "{lease:?}");
            run.made(lease.release().await);
        }
    }
    if let Some(lease) = run.wait_for(blob.acquire_lease(minute).guard()).await {
        assert_eq!(lease.id().clone(), lease.into_id());
    }
}
