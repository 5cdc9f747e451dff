//! What the headers of a blob say of the copy that wrote it.

use http::HeaderMap;

use super::{
    CopyId, CopyProgress, CopySourceUrl, CopyState, CopyStatus, ETag, SnapshotId, VersionId,
    properties::flag,
};
use crate::wire::{
    excerpt::{LONGEST_MESSAGE, shown},
    http_date,
};

/// The part of a blob's properties that a poll of its copy needs.
#[derive(Debug, Default)]
pub(crate) struct CopyProperties {
    pub(crate) copy: Option<CopyState>,
    pub(crate) is_incremental_copy: bool,
}

impl CopyProperties {
    /// Reads the headers of the copy in one pass, and no others. One that is malformed counts as
    /// absent.
    pub(crate) fn from_headers(headers: &HeaderMap) -> Self {
        let mut properties = Self::default();
        let mut copy = CopyHeaders::default();
        let (mut etag, mut last_modified, mut version_id) = (None, None, None);
        for (name, value) in headers {
            let text = || value.to_str().ok().filter(|text| !text.is_empty());
            match name.as_str() {
                "etag" => etag = text(),
                "last-modified" => last_modified = text(),
                "x-ms-version-id" => version_id = text(),
                "x-ms-incremental-copy" => {
                    properties.is_incremental_copy = text().and_then(flag).unwrap_or(false);
                }
                name if name.starts_with(CopyHeaders::PREFIX) => {
                    text().map(|text| copy.read(name, text));
                }
                _ => {}
            }
        }
        properties.copy = copy.into_state().map(|state| CopyState {
            etag: etag.and_then(|text| text.parse::<ETag>().ok()),
            last_modified: last_modified.and_then(http_date::parse),
            version_id: version_id.and_then(VersionId::from_service),
            ..state
        });
        properties
    }
}

/// The `x-ms-copy-*` headers, in any order.
#[derive(Default)]
pub(super) struct CopyHeaders<'a> {
    id: Option<&'a str>,
    status: Option<&'a str>,
    progress: Option<&'a str>,
    description: Option<&'a str>,
    completed_on: Option<&'a str>,
    destination_snapshot: Option<&'a str>,
    source: Option<&'a str>,
}

impl<'a> CopyHeaders<'a> {
    const PREFIX: &'static str = "x-ms-copy-";

    /// Takes a header that is of a copy; returns whether it is.
    pub(super) fn read(&mut self, name: &str, value: &'a str) -> bool {
        let Some(rest) = name.strip_prefix(Self::PREFIX) else { return false };
        let place = match rest {
            "id" => &mut self.id,
            "status" => &mut self.status,
            "progress" => &mut self.progress,
            "status-description" => &mut self.description,
            "completion-time" => &mut self.completed_on,
            "destination-snapshot" => &mut self.destination_snapshot,
            "source" => &mut self.source,
            _ => return true,
        };
        *place = Some(value);
        true
    }

    /// The state of the copy, if both its id and its status are present.
    pub(super) fn into_state(self) -> Option<CopyState> {
        let id = self.id.and_then(CopyId::from_service)?;
        let mut state = CopyState::new(id, CopyStatus::from(self.status?));
        state.progress = self.progress.and_then(|text| text.parse::<CopyProgress>().ok());
        state.completed_on = self.completed_on.and_then(http_date::parse);
        state.description = self.description.map(|text| shown(text, LONGEST_MESSAGE));
        state.destination_snapshot = self.destination_snapshot.and_then(SnapshotId::from_service);
        state.source = self.source.map(CopySourceUrl::new);
        Some(state)
    }
}
