//! Writes: pages, blocks, and appended data.

use blobcopy::*;

use super::{super::driven::*, Run, container};

/// The settings that all writes share.
macro_rules! written {
    ($run:expr, $builder:expr, $values:expr) => {
        each!(
            $run,
            $builder,
            [
                customer_key(CustomerProvidedKey::new($values.array())),
                encryption_scope(&$values.text()),
                lease_id($values.lease()),
                server_timeout($values.duration()),
                client_request_id(&$values.text()),
            ]
        );
    };
}

/// The settings of properties stored with a blob.
macro_rules! stored {
    ($run:expr, $builder:expr, $values:expr) => {
        each!(
            $run,
            $builder,
            [
                metadata($values.metadata()),
                tags($values.tags()),
                content_type(&$values.text()),
                content_encoding(&$values.text()),
                content_language(&$values.text()),
                content_disposition(&$values.text()),
                cache_control(&$values.text()),
                conditions($values.conditions()),
            ]
        );
    };
}

/// The settings of a source URL.
macro_rules! read {
    ($run:expr, $builder:expr, $values:expr) => {
        each!(
            $run,
            $builder,
            [
                source_authorization(&$values.text()),
                source_conditions($values.conditions()),
                source_content_md5($values.array()),
                source_customer_key(CustomerProvidedKey::new($values.array())),
            ]
        );
    };
}

pub(super) async fn page_blobs(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let disk = container(service).page_blob_client("disk0.vhd");
    run.wait_for(call!(&disk, create(values.number()))).await;
    stored!(run, disk.create(512), values);
    written!(run, disk.create(512), values);
    each!(
        run,
        disk.create(512),
        [
            sequence_number(values.number()),
            stored_md5(values.array()),
            tier(AccessTier::from(values.text())),
        ]
    );
    run.wait_for(call!(&disk, resize(values.number()))).await;
    each!(run, disk.resize(512), [conditions(values.conditions())]);
    written!(run, disk.resize(512), values);
    for number in [
        SequenceNumberAction::Update(values.number()),
        SequenceNumberAction::Max(values.number()),
        SequenceNumberAction::Increment,
    ] {
        run.wait_for(call!(&disk, set_sequence_number(number))).await;
    }
    each!(
        run,
        disk.set_sequence_number(SequenceNumberAction::Increment),
        [
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.wait_for(call!(&disk, guard_writes(values.number()))).await;
    each!(
        run,
        disk.guard_writes(7),
        [
            conditions(values.conditions()),
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    guarded(run, &disk).await;
    pages(run, &disk).await;
    pages_from_uri(run, &disk).await;
}

async fn guarded(run: &Run<'_>, disk: &PageBlobClient) {
    let values = run.values;
    let _ = make!(GuardedPages::number_above(values.number()));
    let pages = call!(disk, guarded_pages(values.number()));
    let pages = call!(pages, lease_id(values.lease()));
    run.wait_for(call!(&pages, upload_pages(values.number(), vec![1; 512]))).await;
    run.wait_for(call!(&pages, upload_pages_from_uri(values.url(), values.range(), 0))).await;
    run.wait_for(call!(&pages, clear_pages(values.number()..values.number()))).await;
}

async fn pages(run: &Run<'_>, disk: &PageBlobClient) {
    let values = run.values;
    run.wait_for(call!(disk, upload_pages(values.number(), vec![1; 512]))).await;
    run.wait_for(disk.upload_pages(values.number(), vec![1; (4 << 20) + 512])).await;
    run.wait_for(disk.upload_pages(512, values.bytes())).await;
    run.wait_for(call!(disk, clear_pages(values.number()..values.number()))).await;
    let pages = || disk.upload_pages(0, vec![1; 512]);
    each!(
        run,
        pages(),
        [
            concurrency(usize::try_from(values.number()).unwrap_or(usize::MAX)),
            content_md5(values.array()),
            content_crc64(values.array()),
            conditions(values.conditions()),
            if_sequence_number_at_most(values.number()),
            if_sequence_number_less_than(values.number()),
            if_sequence_number_equal(values.number()),
        ]
    );
    written!(run, pages(), values);
    each!(
        run,
        disk.clear_pages(0..512),
        [
            conditions(values.conditions()),
            if_sequence_number_at_most(values.number()),
            if_sequence_number_less_than(values.number()),
            if_sequence_number_equal(values.number()),
        ]
    );
    written!(run, disk.clear_pages(0..512), values);
}

async fn pages_from_uri(run: &Run<'_>, disk: &PageBlobClient) {
    let values = run.values;
    let pages = || disk.upload_pages_from_uri(&**disk, 0..512, 0);
    // A valid range may need millions of requests; such ranges are left out.
    let a_few = |range: &std::ops::Range<u64>| {
        let length = range.end.saturating_sub(range.start);
        !(1 << 28..=1 << 43).contains(&length)
    };
    let range = Some(values.range()).filter(a_few).unwrap_or(0..512);
    run.wait_for(call!(disk, upload_pages_from_uri(values.url(), range, values.number()))).await;
    let far = values.number();
    let close = far.saturating_sub(1024)..far;
    run.wait_for(disk.upload_pages_from_uri(&**disk, close.clone(), values.number())).await;
    run.wait_for(disk.upload_pages_from_uri(&**disk, close, far.saturating_sub(1024))).await;
    let much = u64::MAX - values.number() % 9000;
    run.wait_for(disk.upload_pages_from_uri(&**disk, much - 1024..much, 0)).await;
    run.wait_for(disk.upload_pages_from_uri(&**disk, 0..1024, much)).await;
    each!(
        run,
        pages(),
        [
            concurrency(usize::try_from(values.number()).unwrap_or(usize::MAX)),
            source_content_crc64(values.array()),
            conditions(values.conditions()),
            if_sequence_number_at_most(values.number()),
            if_sequence_number_less_than(values.number()),
            if_sequence_number_equal(values.number()),
        ]
    );
    read!(run, pages(), values);
    written!(run, pages(), values);
}

pub(super) async fn block_blobs(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let notes = container(service).block_blob_client("notes.txt");
    run.wait_for(call!(&notes, upload(values.bytes()))).await;
    run.wait_for(call!(&notes, upload(values.text()))).await;
    let upload = || notes.upload("x");
    stored!(run, upload(), values);
    written!(run, upload(), values);
    each!(
        run,
        upload(),
        [
            content_md5(values.array()),
            content_crc64(values.array()),
            tier(AccessTier::from(values.text())),
        ]
    );
    let id = || BlockId::new(values.text()).unwrap_or_else(|_| BlockId::numbered(values.small()));
    run.wait_for(call!(&notes, stage_block(id(), values.bytes()))).await;
    each!(
        run,
        notes.stage_block(id(), "x"),
        [content_md5(values.array()), content_crc64(values.array()),]
    );
    written!(run, notes.stage_block(id(), "x"), values);
    run.wait_for(call!(&notes, stage_block_from_uri(id(), values.url()))).await;
    let stage = || notes.stage_block_from_uri(id(), &*notes);
    each!(
        run,
        stage(),
        [
            source_range(values.range()),
            source_length(values.number()),
            source_content_crc64(values.array()),
        ]
    );
    read!(run, stage(), values);
    written!(run, stage(), values);
    let many = (0..values.number() % 200).map(|_| id());
    run.wait_for(call!(&notes, commit_block_list(many))).await;
    let id = BlockId::numbered(1);
    let _ = (make!(BlockListEntry::from(&id)), BlockListEntry::Committed(id.clone()).id());
    let commit = || notes.commit_block_list([&id]);
    stored!(run, commit(), values);
    written!(run, commit(), values);
    each!(run, commit(), [stored_md5(values.array()), tier(AccessTier::from(values.text())),]);
    each!(
        run,
        notes.get_block_list(),
        [
            lease_id(values.lease()),
            server_timeout(values.duration()),
            client_request_id(values.text()),
        ]
    );
    run.wait_for(call!(&notes, upload_from_uri(values.url()))).await;
    let copy = || notes.upload_from_uri(&*notes);
    stored!(run, copy(), values);
    read!(run, copy(), values);
    written!(run, copy(), values);
    each!(
        run,
        copy(),
        [
            content_md5(values.array()),
            source_length(values.number()),
            copy_source_properties(false),
            copy_source_tags(true),
            stored_md5(values.array()),
            tier(AccessTier::from(values.text())),
        ]
    );
}

pub(super) async fn append_blobs(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let log = container(service).append_blob_client("log.txt");
    stored!(run, log.create(), values);
    written!(run, log.create(), values);
    run.wait_for(call!(&log, append_block(values.bytes()))).await;
    let append = || log.append_block("x");
    each!(
        run,
        append(),
        [
            if_length(values.number()),
            max_length(values.number()),
            content_md5(values.array()),
            content_crc64(values.array()),
            conditions(values.conditions()),
        ]
    );
    written!(run, append(), values);
    run.wait_for(call!(&log, append_block_from_uri(values.url()))).await;
    let append = || log.append_block_from_uri(&*log);
    each!(
        run,
        append(),
        [
            source_range(values.range()),
            source_length(values.number()),
            if_length(values.number()),
            max_length(values.number()),
            source_content_crc64(values.array()),
            conditions(values.conditions()),
        ]
    );
    read!(run, append(), values);
    written!(run, append(), values);
}
