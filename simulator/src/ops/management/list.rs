//! Snapshots: list and get.

use http::StatusCode;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use super::{endpoint, no_such_snapshot};
use crate::{
    model::{
        disks::{DiskSnapshot, Family, LOCATION},
        state::State,
    },
    wire::{answer::Answer, call::Call, dates, error::Refusal, json::Json},
};

/// How many snapshots a page has. Nothing says how many it has in the service.
const PAGE: usize = 50;

/// [Snapshots, list by resource
/// group](https://learn.microsoft.com/rest/api/compute/snapshots/list-by-resource-group), in the
/// order of their names, whichever disk they are of.
pub(super) fn snapshots(state: &State, call: &Call, version: &str) -> Result<Answer, Refusal> {
    let group = call.container()?;
    let from = call.query.get("$skiptoken").unwrap_or("");
    let mut rest = state.disks.in_group(group, from);
    let shown = rest.by_ref().take(PAGE).map(|(family, it)| resource(family, it, call));
    let mut fields = vec![("value".to_owned(), Json::List(shown.collect()))];
    if let Some((_, next)) = rest.next() {
        let (base, path) = (endpoint(call), &call.path);
        let next = utf8_percent_encode(&next.name, NON_ALPHANUMERIC);
        let link = format!("{base}{path}?api-version={version}&%24skiptoken={next}");
        fields.push(("nextLink".to_owned(), Json::Text(link)));
    }
    Ok(Answer::new(StatusCode::OK).json(&Json::Object(fields)))
}

/// [Snapshots, get](https://learn.microsoft.com/rest/api/compute/snapshots/get).
pub(super) fn snapshot(state: &State, call: &Call) -> Result<Answer, Refusal> {
    let name = call.route.blob.as_deref().unwrap_or("");
    let found = state.disks.snapshot(call.container()?, name);
    let found = found.and_then(|(number, it)| Some((state.disks.family(number)?, it)));
    let (family, it) = found.ok_or_else(|| no_such_snapshot(call))?;
    Ok(Answer::new(StatusCode::OK).json(&resource(family, it, call)))
}

fn resource(family: &Family, snapshot: &DiskSnapshot, call: &Call) -> Json {
    let granted = family.is_granted(&snapshot.name, call.now);
    let time = dates::snapshot_time(dates::ticks(snapshot.created)).replace('Z', "+00:00");
    let mode = if family.needs_bearer { "AzureActiveDirectory" } else { "None" };
    #[allow(clippy::cast_precision_loss)]
    let bytes = |bytes: u64| Json::Number(bytes as f64);
    let mut properties = vec![
        (
            "creationData",
            Json::object([
                ("createOption", "Copy".into()),
                ("sourceResourceId", Json::Text(family.disk_id())),
                ("sourceUniqueId", (&*family.unique_id).into()),
            ]),
        ),
        ("diskSizeGB", bytes(snapshot.size.div_ceil(1 << 30))),
        ("diskSizeBytes", bytes(snapshot.size)),
        ("diskState", if granted { "ActiveSAS" } else { "Unattached" }.into()),
        ("uniqueId", (&*snapshot.unique_id).into()),
        ("timeCreated", Json::Text(time)),
        ("provisioningState", "Succeeded".into()),
        ("incremental", Json::Flag(snapshot.incremental)),
        ("completionPercent", Json::Number(snapshot.completion)),
        ("encryption", Json::object([("type", "EncryptionAtRestWithPlatformKey".into())])),
        ("networkAccessPolicy", "AllowAll".into()),
        ("publicNetworkAccess", "Enabled".into()),
        ("dataAccessAuthMode", mode.into()),
    ];
    if snapshot.incremental {
        properties.push(("incrementalSnapshotFamilyId", (&*family.family_id).into()));
    }
    let properties = properties.into_iter().map(|(name, value)| (name.to_owned(), value));
    let sku = [("name", "Standard_ZRS".into()), ("tier", "Standard".into())];
    Json::object([
        ("name", (&*snapshot.name).into()),
        ("id", Json::Text(family.snapshot_id(&snapshot.name))),
        ("type", "Microsoft.Compute/snapshots".into()),
        ("location", LOCATION.into()),
        ("sku", Json::object(sku)),
        ("properties", Json::Object(properties.collect())),
    ])
}
