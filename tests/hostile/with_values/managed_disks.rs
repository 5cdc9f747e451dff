//! The snapshots of managed disks with hostile lists.

use std::time::Duration;

use blobcopy::{ClientOptions, disks::*};

use super::{super::driven::*, Run, key, models::json};

pub(super) fn drive(run: &Run<'_>) {
    let values = run.values;
    json::<ManagedSnapshot>(run);
    mark("DiskSnapshotList", "from_str");
    run.made(values.text().parse::<DiskSnapshotList>());
    let line = serde_json::json!({
        "snapshot": values.text(),
        "created": "2026-01-01T00:00:00Z",
        "disk": values.text(),
        "url": "https://md-a.z01.blob.storage.azure.net/x/abcd?sr=b&sig=c2VjcmV0",
        "size": values.number(),
    });
    let list = run.made(line.to_string().parse::<DiskSnapshotList>());
    let Some(list) = list else { return };
    let source = make!(ManagedSnapshots::new(list));
    let source = call!(source, disk(values.text()));
    let source = call!(source, grant_for(Duration::from_secs(values.number())));
    let source = call!(source, take_over(true));
    let source = call!(source, credential(key()));
    let source = call!(source, options(ClientOptions::new()));
    assert!(!format!("{source:?}").contains("c2VjcmV0"));
}
