//! What Resource Manager answers, as far as it is needed.

use serde::Deserialize;
use time::OffsetDateTime;

/// A page of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Page {
    #[serde(default)]
    pub(super) value: Vec<SnapshotResource>,
    pub(super) next_link: Option<String>,
}

/// [A snapshot](https://learn.microsoft.com/rest/api/compute/snapshots/get#snapshot).
#[derive(Debug, Deserialize)]
pub(crate) struct SnapshotResource {
    /// The resource id.
    pub(crate) id: String,
    properties: Properties,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Properties {
    // All snapshots of a group are listed, and one that is being made may lack these.
    creation_data: Option<CreationData>,
    #[serde(default, with = "time::serde::rfc3339::option")]
    time_created: Option<OffsetDateTime>,
    disk_size_bytes: Option<f64>,
    disk_state: Option<String>,
    provisioning_state: Option<String>,
    #[serde(default)]
    incremental: bool,
    completion_percent: Option<f64>,
    data_access_auth_mode: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct CreationData {
    source_resource_id: Option<String>,
    source_unique_id: Option<String>,
    logical_sector_size: Option<u32>,
}

impl SnapshotResource {
    /// Whether it is a snapshot of the disk with this resource id.
    pub(super) fn is_of(&self, disk: &str) -> bool {
        let of = self.creation().and_then(|data| data.source_resource_id.as_deref());
        of.is_some_and(|of| of.trim_matches('/').eq_ignore_ascii_case(disk.trim_matches('/')))
    }

    /// The unique id of the disk; empty if it is not said.
    pub(crate) fn disk(&self) -> &str {
        self.creation().and_then(|data| data.source_unique_id.as_deref()).unwrap_or_default()
    }

    /// When it was taken; `None` while it is being made.
    pub(crate) fn time(&self) -> Option<OffsetDateTime> {
        self.properties.time_created
    }

    /// The size of the disk in bytes.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is in bounds")]
    pub(crate) fn size(&self) -> Option<u64> {
        let size = self.properties.disk_size_bytes?;
        // Exact up to 2^53, which is far more than a disk can have.
        (1.0..9e15).contains(&size).then_some(size as u64)
    }

    pub(crate) fn is_incremental(&self) -> bool {
        self.properties.incremental
    }

    /// How much of it is there, in percent. Snapshots that are complete at once need not say it.
    pub(crate) fn completion(&self) -> f64 {
        match self.properties.provisioning_state.as_deref() {
            Some("Creating" | "Failed") => 0.0,
            _ => self.properties.completion_percent.unwrap_or(100.0),
        }
    }

    /// Whether somebody has access to it.
    pub(crate) fn is_granted(&self) -> bool {
        let state = self.properties.disk_state.as_deref().unwrap_or_default();
        ["ActiveSAS", "ActiveSASFrozen"].iter().any(|granted| granted.eq_ignore_ascii_case(state))
    }

    /// Whether a bearer token must be sent beside the SAS. Where it is not said, none is needed.
    pub(crate) fn needs_token(&self) -> bool {
        let mode = self.properties.data_access_auth_mode.as_deref().unwrap_or_default();
        mode.eq_ignore_ascii_case("AzureActiveDirectory")
    }

    /// Whether the disk has sectors of 4096 bytes, which no VHD can hold.
    pub(crate) fn has_large_sectors(&self) -> bool {
        let size = self.creation().and_then(|data| data.logical_sector_size);
        size.is_some_and(|size| size != 512)
    }

    fn creation(&self) -> Option<&CreationData> {
        self.properties.creation_data.as_ref()
    }
}

/// What a grant ends with.
#[derive(Deserialize)]
pub(super) struct Access {
    #[serde(rename = "accessSAS", alias = "accessSas")]
    access_sas: Option<String>,
    properties: Option<Output>,
}

#[derive(Deserialize)]
struct Output {
    output: Option<Box<Access>>,
}

impl Access {
    /// The URL, wherever it is: some versions show the operation around it.
    pub(super) fn url(&self) -> Option<&str> {
        let within = self.properties.as_ref().and_then(|properties| properties.output.as_ref());
        self.access_sas.as_deref().or_else(|| within?.url())
    }
}
