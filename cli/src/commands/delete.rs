//! `blobcopy delete`: deletes a blob, its snapshots, or one of them.

use blobcopy::DeleteSnapshots;
use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, ChangeArgs, lease},
    chosen,
    context::Contexts,
    failure::{Failure, Result, without_query},
    limits::Limited,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy delete vhds/old.vhd --snapshots include
  blobcopy delete vhds/disk0.vhd --snapshots only
  blobcopy delete vhds/disk0.vhd@latest";

/// Deletes a blob, its snapshots, or one snapshot
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Delete {
    /// The blob, or BLOB@TIME or BLOB@latest for one snapshot
    blob: String,
    /// What becomes of the blob's snapshots; a blob that has some is not deleted without it
    #[arg(long, value_enum)]
    snapshots: Option<Which>,
    /// The id of the blob's lease
    #[arg(long, value_name = "ID")]
    lease_id: Option<String>,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Which {
    /// Deletes the blob and its snapshots
    Include,
    /// Deletes only the snapshots
    Only,
}

#[derive(Serialize)]
struct Deleted {
    url: String,
    snapshots: Option<&'static str>,
}

impl Delete {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let address = Address::parse(&self.blob)?.blob("BLOB")?;
        let mut blob = contexts.blob(&address)?;
        if address.when.is_some() && self.snapshots.is_some() {
            return Err(Failure::usage(
                "--snapshots is for a blob, and this is one snapshot",
                "leave one of the two out",
            ));
        }
        if let Some(when) = &address.when {
            let snapshot = chosen::named(&blob, when, &self.calls).await?;
            blob = blob.with_snapshot(snapshot);
        }
        let url = blob.url()?;
        let at = blob.snapshot().map(|snapshot| format!("?snapshot={snapshot}"));
        let shown = format!("{}{}", without_query(&url), at.unwrap_or_default());
        let (snapshots, words) = match self.snapshots {
            None => (None, ""),
            Some(Which::Include) => (Some("include"), " and its snapshots"),
            Some(Which::Only) => (Some("only"), ": its snapshots only"),
        };
        if !self.changes.allows(printer, &format!("Delete Blob {shown}{words}")).await? {
            return Ok(());
        }
        let mut delete = blob.delete().limited(&self.calls);
        match self.snapshots {
            None => {}
            Some(Which::Include) => delete = delete.snapshots(DeleteSnapshots::Include),
            Some(Which::Only) => delete = delete.snapshots(DeleteSnapshots::Only),
        }
        if let Some(id) = lease(self.lease_id.as_deref())? {
            delete = delete.lease_id(id);
        }
        delete.await.map_err(|error| Failure::from(error).at(&url))?;
        printer.record(&Deleted { url: shown.clone(), snapshots }, || {
            format!("deleted {shown}{words}")
        })
    }
}
