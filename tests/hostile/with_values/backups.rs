//! Mirrors and what they have made, with hostile names, numbers and settings.

use blobcopy::{BlobServiceClient, disks::*};

use super::{
    super::{bounds, driven::*},
    Run, container,
    models::{json, text},
};

/// What is read from files: plans, reports, receipts.
pub(super) fn drive(run: &Run<'_>) {
    json::<Chain>(run);
    json::<ChainSnapshot>(run);
    json::<DrillReport>(run);
    json::<MirrorReceipt>(run);
    json::<MirrorVerification>(run);
    json::<PlannedPrune>(run);
    json::<PlannedSourcePrune>(run);
    json::<PruneFate>(run);
    json::<PrunePlan>(run);
    json::<PruneReport>(run);
    json::<RefusedDelete>(run);
    json::<RestorePoint>(run);
    json::<RestoreReport>(run);
    json::<RestoreRoute>(run);
    json::<SnapshotOutcome>(run);
    json::<SourceFate>(run);
    json::<SourcePrunePlan>(run);
    json::<SourcePruneReport>(run);
    json::<SourceSnapshot>(run);
    json::<TornHop>(run);
    json::<VerifiedSnapshot>(run);
    text::<RestorePoint>(run);
}

/// Checks a result, and that the error says neither too much nor a secret.
fn judge<T: std::fmt::Debug>(run: &Run<'_>, result: Result<T, MirrorError>) -> Option<T> {
    match result {
        Ok(made) => run.made(Ok(made)),
        Err(MirrorError::Call(error)) => run.made(Err(error)),
        Err(error) => {
            bounds::shown(&error, bounds::of_values(run.values));
            None
        }
    }
}

pub(super) async fn backups(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let (from, to) = (container(service), service.container_client("backups"));
    let (disk, copy) = (from.page_blob_client("disk"), to.page_blob_client("disk"));
    let odd = to.page_blob_client(&values.text());
    let elsewhere = service.container_client(&values.text());
    let mirror = make!(SnapshotMirror::new(make!(PageBlobSnapshots::of(&disk)), &copy));
    let keep = Keep::new().last(1);
    for backup in [make!(DiskBackup::of(&copy)), DiskBackup::of(&odd)] {
        judge(run, call!(&backup, plan_prune(&keep)).await);
        judge(run, backup.drill().await);
    }
    {
        let backup = DiskBackup::of(&copy);
        judge(run, call!(backup.prune(&keep), max_delete(values.number())).await);
        judge(run, call!(backup.prune(&keep), lock_timeout(values.duration())).await);
        judge(run, call!(backup.prune(&keep), on_lock_wait(|_| ())).await);
        judge(run, backup.drill().await);
        judge(run, backup.remove_drills().await);
        let restore = || backup.restore(RestorePoint::Newest, &odd);
        judge(run, restore().await);
        judge(run, call!(&backup, restore(&values.snapshot(), &odd)).await);
        judge(run, backup.restore(values.date(), &odd).await);
        judge(run, call!(restore(), overwrite(true)).await);
        judge(run, call!(restore(), by_ranges(true)).await);
        judge(run, call!(restore(), verify(false)).await);
        judge(run, call!(restore(), scratch(&elsewhere)).await);
        judge(run, call!(restore(), in_flight(values.small() as usize)).await);
        judge(run, call!(restore(), on_event(|_| ())).await);
        judge(run, call!(backup.drill(), on_event(|_| ())).await);
        judge(run, call!(backup.drill(), container(&elsewhere)).await);
        judge(run, call!(backup.drill(), point(values.date())).await);
        judge(run, call!(backup.drill(), by_ranges(true)).await);
        judge(run, call!(backup.drill(), scratch(&elsewhere)).await);
        judge(run, call!(backup.drill(), in_flight(values.small() as usize)).await);
        judge(run, call!(backup.remove_drills(), container(&elsewhere)).await);
    }
    call!(&DiskBackup::of(&copy), prune(&keep)).await.ok();
    judge(run, call!(&mirror, plan_prune(&keep)).await);
    judge(run, call!(&mirror, prune(&keep)).await);
    judge(run, call!(&mirror, restore(RestorePoint::Newest, &odd)).await);
    let prune = call!(&mirror, prune_source(&keep));
    judge(run, prune.plan().await);
    judge(run, call!(prune, max_delete(values.number())).await);
    let verify = || mirror.verify();
    judge(run, call!(verify(), by_reading(true)).await);
    judge(run, call!(verify(), scratch(&elsewhere)).await);
    judge(run, call!(verify(), receipts(&MirrorReceipts::new())).await);
    judge(run, call!(verify(), newest(values.small() as usize)).await);
    judge(run, call!(verify(), snapshot(values.snapshot())).await);
    judge(run, call!(verify(), in_flight(values.small() as usize)).await);
    let snapshot = serde_json::json!({
        "blob": values.text(), "generation": 1, "snapshot": "2026-01-01T00:00:00.0000000Z",
        "equals": null, "time": null, "length": values.number(), "etag": null,
    });
    let snapshot: ChainSnapshot = serde_json::from_value(snapshot).expect("a snapshot");
    bounds::shown(&call!(&snapshot, client(&copy)), bounds::of_values(values));
}
