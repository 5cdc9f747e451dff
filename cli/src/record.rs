//! A copy as it is shown: the same fields wherever one is reported.

use blobcopy::{CompletedCopy, CopyFromUriOperation, CopyState};
use serde::Serialize;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::Url;

use crate::{
    failure::{Ending, redacted, without_query},
    names,
    output::{Align, Table, pairs},
};

#[derive(Debug, Clone, Serialize)]
pub(crate) struct CopyRecord {
    pub(crate) destination: String,
    pub(crate) copy_id: String,
    pub(crate) status: String,
    pub(crate) bytes_copied: Option<u64>,
    pub(crate) bytes_total: Option<u64>,
    pub(crate) source: Option<String>,
    /// The time of the source's snapshot, for an incremental copy.
    pub(crate) source_snapshot: Option<String>,
    pub(crate) destination_snapshot: Option<String>,
    pub(crate) completed_on: Option<String>,
    pub(crate) description: Option<String>,
    /// The destination as a command takes it, in a table.
    #[serde(skip)]
    pub(crate) shown: Option<String>,
}

impl CopyRecord {
    /// A copy that was just started.
    pub(crate) fn started(
        destination: &Url,
        copy: &CopyFromUriOperation,
        source: &Url,
        snapshot: Option<&str>,
    ) -> Self {
        let status = copy.status().map_or_else(|| "pending".to_owned(), ToString::to_string);
        let progress = copy.progress();
        Self {
            destination: without_query(destination),
            copy_id: copy.id().to_string(),
            status,
            bytes_copied: progress.map(|progress| progress.copied),
            bytes_total: progress.map(|progress| progress.total),
            source: Some(without_query(source)),
            source_snapshot: snapshot.map(str::to_owned),
            destination_snapshot: None,
            completed_on: None,
            description: None,
            shown: None,
        }
    }

    /// What the service says of the last copy into a blob.
    pub(crate) fn of_state(destination: &Url, state: &CopyState) -> Self {
        let source = state.source.as_ref().map(|source| source.expose());
        let snapshot = source.and_then(snapshot_in);
        Self {
            destination: without_query(destination),
            copy_id: state.copy_id.to_string(),
            status: state.status.to_string(),
            bytes_copied: state.progress.map(|progress| progress.copied),
            bytes_total: state.progress.map(|progress| progress.total),
            source: source.map(names::of_source),
            source_snapshot: snapshot,
            destination_snapshot: state.destination_snapshot.as_ref().map(ToString::to_string),
            completed_on: state.completed_on.map(shown),
            description: state.description.as_deref().map(redacted),
            shown: None,
        }
    }

    /// The same, named so in a table.
    pub(crate) fn shown_as(mut self, name: &str) -> Self {
        self.shown = Some(name.to_owned());
        self
    }

    /// What a table names it.
    pub(crate) fn name(&self) -> String {
        self.shown.as_ref().unwrap_or(&self.destination).clone()
    }

    /// The same copy, once it has succeeded.
    pub(crate) fn completed(mut self, done: &CompletedCopy) -> Self {
        self.status = "success".to_owned();
        if let Some(progress) = done.progress {
            (self.bytes_copied, self.bytes_total) = (Some(progress.copied), Some(progress.total));
        }
        self.destination_snapshot = done.destination_snapshot.as_ref().map(ToString::to_string);
        self.completed_on = done.completed_on.map(shown);
        self.description = None;
        self
    }

    /// The same copy, where the wait for it has failed.
    pub(crate) fn ended(mut self, ending: &Ending) -> Self {
        self.status = ending.status.to_owned();
        if let Some(progress) = ending.progress {
            (self.bytes_copied, self.bytes_total) = (Some(progress.copied), Some(progress.total));
        }
        if ending.description.is_some() {
            self.description.clone_from(&ending.description);
        }
        self
    }

    pub(crate) fn text(&self) -> String {
        let progress = self.progress();
        let all = [
            ("destination", Some(self.destination.clone())),
            ("copy id", Some(self.copy_id.clone())),
            ("status", Some(self.status.clone())),
            ("progress", Some(progress).filter(|progress| !progress.is_empty())),
            ("source", self.source.clone()),
            ("source snapshot", self.source_snapshot.clone()),
            ("new snapshot", self.destination_snapshot.clone()),
            ("ended", self.completed_on.clone()),
            ("description", self.description.clone().filter(|text| !text.is_empty())),
        ];
        pairs(all.into_iter().filter_map(|(name, value)| Some((name, value?))))
    }

    pub(crate) fn progress(&self) -> String {
        match (self.bytes_copied, self.bytes_total) {
            (Some(copied), Some(total)) => format!("{copied} of {total} bytes"),
            _ => String::new(),
        }
    }

    pub(crate) fn table(records: &[Self]) -> Table {
        let mut table = Table::new([
            ("DESTINATION", Align::Left),
            ("STATUS", Align::Left),
            ("PROGRESS", Align::Right),
            ("ENDED", Align::Left),
            ("COPY ID", Align::Left),
        ]);
        for record in records {
            table.row([
                record.name(),
                record.status.clone(),
                record.progress(),
                record.completed_on.clone().unwrap_or_default(),
                record.copy_id.clone(),
            ]);
        }
        table
    }
}

/// The snapshot that the URL of a source names.
pub(crate) fn snapshot_in(source: &str) -> Option<String> {
    let url: Url = source.parse().ok()?;
    let (_, time) = url.query_pairs().find(|(name, _)| name.eq_ignore_ascii_case("snapshot"))?;
    Some(redacted(&time))
}

fn shown(date: OffsetDateTime) -> String {
    date.format(&Rfc3339).unwrap_or_default()
}
