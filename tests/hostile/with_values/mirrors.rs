//! Mirrors of disks with hostile names, numbers and documents.

use blobcopy::{BlobServiceClient, disks::*, jobs::Budget};

use super::{
    super::{bounds, driven::*},
    Run,
    models::json,
};

/// What is read from files: plans, reports.
pub(super) fn documents(run: &Run<'_>) {
    json::<BrokenSeries>(run);
    json::<Chain>(run);
    json::<ChainSnapshot>(run);
    json::<HopDone>(run);
    json::<LeftSnapshot>(run);
    json::<LockWait>(run);
    json::<MirrorPlan>(run);
    json::<MirrorReport>(run);
    json::<MirrorRoute>(run);
    json::<MirrorWarning>(run);
    json::<PlannedHop>(run);
    json::<SourceSnapshot>(run);
}

pub(super) fn drive(run: &Run<'_>, service: &BlobServiceClient) {
    let values = run.values;
    let (vhds, backups) = (service.container_client("vhds"), service.container_client("backups"));
    let disk = vhds.page_blob_client(&values.text());
    let backup = backups.page_blob_client("disk0.vhd");
    let source = || make!(PageBlobSnapshots::of(&disk));
    let mirror = || make!(SnapshotMirror::new(source(), &backup));
    let keep = Keep::new().last(values.small());
    for mirror in [
        call!(mirror(), route(MirrorRoute::Ranges)),
        call!(mirror(), in_flight(values.small() as usize)),
        call!(mirror(), lock_timeout(values.duration())),
        call!(mirror(), on_lock_wait(|_| ())),
        call!(mirror(), budget(&Budget::new())),
        call!(mirror(), pruning_source(&keep)),
        SnapshotMirror::new(&disk, &backups.page_blob_client(&values.text())).take_lock(),
    ] {
        bounds::shown(&mirror, bounds::of_values(values));
        drop(call!(mirror.run(), on_event(|_| ())));
    }
    let chain = serde_json::json!({
        "blob": values.text(), "generation": values.small(),
        "snapshot": "2026-01-01T00:00:00.1234567Z", "equals": values.text(), "time": null,
        "length": values.number(), "etag": null,
    });
    if let Ok(found) = serde_json::from_value::<ChainSnapshot>(chain) {
        let _ = call!(&found, client(&backup)).url();
    }
}
