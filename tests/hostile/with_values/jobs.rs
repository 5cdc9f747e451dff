//! Jobs, shards, receipts and comparisons with hostile names, numbers and settings.

use blobcopy::{BlobServiceClient, jobs::*};

use super::{
    super::{bounds, driven::*},
    Run, container,
    models::{json, text},
};

/// What is read from files: reports, receipts, job files.
pub(super) fn drive(run: &Run<'_>) {
    let values = run.values;
    json::<CheckReport>(run);
    json::<Difference>(run);
    json::<DifferenceLine>(run);
    json::<Differences>(run);
    json::<Failure>(run);
    json::<Fingerprint>(run);
    json::<IdenticalContent>(run);
    json::<JobFile>(run);
    json::<NotKept>(run);
    json::<Outcome>(run);
    json::<Overwrite>(run);
    json::<Plan>(run);
    json::<Planned>(run);
    json::<Proof>(run);
    json::<ProvenRange>(run);
    json::<RangeChecksum>(run);
    json::<Receipt>(run);
    json::<Report>(run);
    json::<Route>(run);
    json::<ScratchLeft>(run);
    json::<Side>(run);
    json::<Skipped>(run);
    json::<Unverifiable>(run);
    json::<UnverifiableReason>(run);
    json::<Verdict>(run);
    json::<Verified>(run);
    text::<Shard>(run);
    let small = || values.small();
    run.made(make!(Shard::new(small(), small())));
    for shard in [Shard::new(0, 1), Shard::new(7, small())].into_iter().flatten() {
        call!(&shard, holds(&values.text()));
        call!(&shard, is_behind(&values.text()));
    }
    for file in job_files(values.text(), values.text()) {
        for index in [0, 1, small()] {
            if let Some(shard) = run.made(call!(&file, shard(index))) {
                shard.holds(&values.text());
            }
        }
    }
    let report = Report::default();
    call!(&report, count(Outcome::Copied));
    run.made(make!(Report::merge([report.clone(), report])));
}

/// Job files with these borders, where they are legal ones.
fn job_files(one: String, other: String) -> Vec<JobFile> {
    let read = |borders: Vec<String>| {
        let job = serde_json::json!({"source": one, "destination": other, "settings": other});
        let file = serde_json::json!({
            "version": 1, "job": job, "in_order": true, "borders": borders,
        });
        serde_json::from_value(file).ok()
    };
    [vec![one.clone()], vec![other.clone(), one.clone()]].into_iter().filter_map(read).collect()
}

pub(super) async fn jobs(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let (from, to) = (container(service), service.container_client("backups"));
    let job = || make!(CopyJob::new(&from, &to));
    let shard = Shard::new(0, 2).expect("a shard");
    for job in [
        call!(job(), prefix(values.text())),
        call!(job(), destination_prefix(values.text())),
        call!(job(), overwrite(Overwrite::Always)),
        call!(job(), concurrency(values.small() as usize)),
        call!(job(), budget(&Budget::new())),
        call!(job(), source_budget(&Budget::new())),
        call!(job(), shard(shard)),
        call!(job(), create(true)),
        call!(job(), tags(false)),
        call!(job(), tier(false)),
        call!(job(), tell_not_kept(false)),
        call!(job(), snapshot_sources(false)),
        call!(job(), delete_extra(values.number())),
        call!(job(), verify(true)),
        call!(job(), content(true)),
        call!(job(), receipts(Receipts::new())),
        call!(job(), scratch(&from)),
        call!(job(), largest_single(values.number())),
        call!(job(), block_size(values.number())),
        make!(CopyJob::new(&service.container_client(&values.text()), &to)),
    ] {
        bounds::shown(&job, bounds::of_values(values));
        run.wait_for(job.run()).await;
    }
    if let Some(plan) = run.wait_for(job().plan()).await {
        call!(&plan, time(values.number(), values.number()));
        run.wait_for(call!(call!(job().run(), planned(&plan)), on_event(|_| ()))).await;
    }
    run.wait_for(call!(job().check(), content(true))).await;
    run.wait_for(call!(job().check(), receipts(Receipts::new()))).await;
    run.wait_for(call!(job().check(), on_difference(|_| ()))).await;
    run.wait_for(call!(job(), cut(values.small()))).await;
    for file in job_files(values.text(), values.text()) {
        run.made(call!(job(), part_of(&file, 0)));
    }
}

pub(super) async fn verified(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let (from, to) = (container(service), service.container_client("backups"));
    let (one, other) = (from.blob_client(&values.text()), to.blob_client("b"));
    let compared = || {
        mark("", "verify");
        verify(&from.blob_client("a"), &other)
    };
    run.wait_for(verify(&one, &other)).await;
    each!(
        run,
        compared(),
        [
            scratch(&service.container_client(&values.text())),
            source_etag("0x1".parse::<blobcopy::ETag>().expect("an ETag")),
            destination_etag("0x1".parse::<blobcopy::ETag>().expect("an ETag")),
            piece(values.number()),
            concurrency(values.small() as usize),
            differences(values.small() as usize),
        ]
    );
    mark("", "remove_scratch");
    run.made(remove_scratch(&from).await);

    let receipts = Receipts::new();
    call!(&receipts, get(&one));
    let etag = "0x1".parse::<blobcopy::ETag>().expect("an ETag");
    call!(&receipts, holding((&one, &etag), (&other, &etag)));
    let found = serde_json::json!({
        "length": values.number(),
        "crc64": "AQEBAQEBAQE=",
        "source_etag": "0x1",
        "destination_etag": "0x2",
    });
    let found = serde_json::from_value(found).expect("identical content");
    run.made(make!(Receipt::of_identical(&one, &other, &found)));
    call!(&from, is_same_account(&service.container_client(&values.text())));
    for blob in from.list_blobs().collect_all().await.unwrap_or_default() {
        if let Some(copy) = &blob.properties.copy {
            call!(&one, is_source_of(copy));
        }
    }
    if let Ok(properties) = other.get_properties().await
        && let Some(copy) = &properties.copy
    {
        call!(&one, is_source_of(copy));
    }
}
