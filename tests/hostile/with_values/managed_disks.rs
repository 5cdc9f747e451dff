//! The snapshots of managed disks with hostile lists.

use std::time::Duration;

use blobcopy::{ClientOptions, Credential, ResourceManager, disks::*};

use super::{super::driven::*, Provider, Run, key, models::json};

pub(super) fn drive(run: &Run<'_>) {
    let values = run.values;
    let login = || Credential::token(Provider(values.text(), values.date()));
    let text = || values.text();
    for [subscription, group, disk] in [
        [text(), "g".into(), "d".into()],
        ["s".into(), text(), "d".into()],
        ["s".into(), "g".into(), text()],
    ] {
        let builder = make!(ResourceManager::builder(subscription, group, disk));
        let builder = call!(builder, credential(login()));
        let builder = call!(builder, options(ClientOptions::new()));
        run.made(builder.clone().build());
        run.made(call!(builder, endpoint(values.url())).build());
    }
    json::<ManagedSnapshot>(run);
    mark("DiskSnapshotList", "from_str");
    run.made(values.text().parse::<DiskSnapshotList>());
    let line = |name: &str| {
        let line = serde_json::json!({
            "snapshot": name,
            "created": "2026-01-01T00:00:00Z",
            "disk": name,
            "url": "https://md-a.z01.blob.storage.azure.net/x/abcd?sr=b&sig=b3duIHNlY3JldA",
            "size": values.number() / 512 * 512,
        });
        line.to_string().parse::<DiskSnapshotList>()
    };
    // Where such a name is refused, the rest is driven with one that is not.
    let list = run.made(line(&values.text()));
    let list = list.unwrap_or_else(|| line("d").expect("a list"));
    assert!(!list.needs_token());
    let source = make!(ManagedSnapshots::new(list));
    let source = call!(source, disk(values.text()));
    let source = call!(source, grant_for(Duration::from_secs(values.number())));
    let source = call!(source, take_over(true));
    let source = call!(source, credential(key()));
    let source = call!(source, options(ClientOptions::new()));
    assert!(!format!("{source:?}").contains("b3duIHNlY3JldA"));
}
