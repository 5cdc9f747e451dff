//! Operations on containers and on blobs of any type.

use blobcopy::*;

use super::{
    super::{driven::*, run::check_host},
    Run, container,
};

pub(super) async fn drive(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let container = container(service);
    let blob = container.blob_client("a/b");
    let key = || CustomerProvidedKey::new(values.array());
    each!(
        run,
        container.create(),
        [
            metadata(values.metadata()),
            public_access(PublicAccessType::from(values.text())),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        container.delete(),
        [
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        container.get_properties(),
        [
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        blob.exists(),
        [server_timeout(values.duration()), client_request_id(values.text()),]
    );
    each!(
        run,
        blob.get_properties(),
        [
            conditions(values.conditions()),
            customer_key(key()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        blob.delete(),
        [
            snapshots(DeleteSnapshots::Only),
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        blob.create_snapshot(),
        [
            metadata(values.metadata()),
            conditions(values.conditions()),
            customer_key(key()),
            encryption_scope(values.text()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        blob.set_properties(),
        [
            content_type(values.text()),
            content_encoding(values.text()),
            content_language(values.text()),
            content_disposition(values.text()),
            cache_control(values.text()),
            stored_md5([7; 16]),
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.wait_for(call!(&blob, set_metadata(values.metadata()))).await;
    each!(
        run,
        blob.set_metadata([("k", "v")]),
        [
            conditions(values.conditions()),
            customer_key(key()),
            encryption_scope(values.text()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    each!(
        run,
        blob.get_tags(),
        [
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.wait_for(call!(&blob, set_tags(values.tags()))).await;
    each!(
        run,
        blob.set_tags([("k", "v")]),
        [
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.wait_for(call!(&blob, set_tier(AccessTier::from(values.text())))).await;
    each!(
        run,
        blob.set_tier(AccessTier::Cool),
        [
            rehydrate_priority(RehydratePriority::from(values.text())),
            if_tags(values.text()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    downloads(run, &blob).await;
}

async fn downloads(run: &Run<'_>, blob: &BlobClient) {
    let values = run.values;
    let key = || CustomerProvidedKey::new(values.array());
    for download in [
        call!(blob.download(), range(values.range())),
        call!(blob.download(), range(values.inclusive())),
        call!(blob.download(), range(values.number()..)),
        call!(blob.download(), range(..values.number())),
        call!(blob.download(), range(..=values.number())),
        call!(blob.download(), conditions(values.conditions())),
        call!(blob.download(), customer_key(key())),
        call!(blob.download(), lease_id(values.lease())),
        call!(blob.download(), server_timeout(values.duration())),
        call!(blob.download(), client_request_id(values.text())),
    ] {
        if let Some(download) = run.wait_for(download).await {
            // The rest of the blob that it requests may have any length.
            let _ = super::super::bounds::within(
                std::time::Duration::from_secs(3600),
                download.bytes(),
            )
            .await
            .expect("the content did not end within an hour");
        }
    }
}

/// Containers and blobs with hostile names: requests address no other.
pub(super) async fn names(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    for _ in 0..3 {
        let (text, within) = (values.text(), container(service));
        let named = call!(service, container_client(&text));
        run.wait_for(named.create()).await;
        if let Some(url) = run.made(named.url()) {
            assert_eq!((url.path(), url.query()), (&*format!("/{text}"), None));
            check_host(&url);
        }
        let blob = call!(&within, blob_client(&text));
        run.wait_for(blob.get_properties()).await;
        if let Some(url) = run.made(blob.url()) {
            let decoded = percent_encoding::percent_decode_str(url.path()).decode_utf8();
            assert_eq!(decoded.expect("UTF-8"), format!("/vhds/{text}"));
            assert_eq!(url.query(), None);
            check_host(&url);
            // The blob's URL addresses this blob.
            let again = BlobClient::new(url, super::key()).expect("a client");
            assert_eq!((again.container_name(), again.name()), ("vhds", &*text));
        }
        run.wait_for(call!(&within, page_blob_client(&text)).create(512)).await;
        run.wait_for(call!(&within, block_blob_client(&text)).upload("x")).await;
        run.wait_for(call!(&within, append_blob_client(&text)).create()).await;
        let mut item = BlobItem::default();
        item.name = values.text();
        run.wait_for(call!(&within, blob_client_of(&item)).get_properties()).await;
        let (snapshot, version) = (values.snapshot(), values.version_id());
        let legal = within.blob_client("b");
        for blob in [
            call!(&legal, with_snapshot(&snapshot)),
            call!(&legal, with_version(&version)),
            (*call!(&legal.page_blob_client(), with_snapshot(&snapshot))).clone(),
            (*call!(&legal.page_blob_client(), with_version(&version))).clone(),
            (*call!(&legal.block_blob_client(), with_snapshot(&snapshot))).clone(),
            (*call!(&legal.block_blob_client(), with_version(&version))).clone(),
            (*call!(&legal.append_blob_client(), with_snapshot(&snapshot))).clone(),
            (*call!(&legal.append_blob_client(), with_version(&version))).clone(),
        ] {
            run.wait_for(blob.get_properties()).await;
            check_host(&blob.url().expect("a legal name"));
        }
    }
}
