//! `blobcopy snapshot`: takes a snapshot of a blob.

use clap::Args;
use serde::Serialize;

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, ChangeArgs, Pair, lease, metadata, pair},
    context::Contexts,
    failure::{Failure, Result, without_query},
    limits::Limited,
    output::pairs,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy snapshot vhds/disk0.vhd
  blobcopy snapshot vhds/disk0.vhd --metadata reason=upgrade";

/// Takes a snapshot of a blob
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Snapshot {
    /// The blob: container/blob, //account/container/blob, or a URL
    blob: String,
    /// Metadata of the snapshot, in place of the blob's own; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<Pair>,
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

#[derive(Serialize)]
struct Taken {
    url: String,
    snapshot: String,
}

impl Snapshot {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let blob = contexts.blob(&Address::parse(&self.blob)?.blob("BLOB")?.base("BLOB")?)?;
        let url = blob.url()?;
        let shown = without_query(&url);
        if !self.changes.allows(printer, &format!("Snapshot Blob {shown}")).await? {
            return Ok(());
        }
        let mut take = blob.create_snapshot().limited(&self.calls);
        if !self.metadata.is_empty() {
            take = take.metadata(metadata(&self.metadata));
        }
        if let Some(id) = lease(self.lease_id.as_deref())? {
            take = take.lease_id(id);
        }
        let taken = take.await.map_err(|error| Failure::from(error).at(&url))?;
        let snapshot = taken.snapshot.to_string();
        let taken = Taken { url: format!("{shown}?snapshot={snapshot}"), snapshot };
        printer.record(&taken, || {
            pairs([("blob", shown.clone()), ("snapshot", taken.snapshot.clone())])
        })
    }
}
