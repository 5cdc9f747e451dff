//! `blobcopy snapshots`: lists the snapshots of a blob.

use std::collections::BTreeMap;

use blobcopy::{
    BlobClient, SnapshotId,
    disks::{ChainSnapshot, DiskBackup},
};
use clap::Args;
use serde::Serialize;

use super::copy::ended::Counted;
use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs},
    context::Contexts,
    failure::{Result, redacted, without_query},
    listing, names,
    output::{Align, Table},
    quoted::quoted,
    record::snapshot_in,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy snapshots vhds/disk0.vhd
  blobcopy snapshots vhds/disk0.vhd --output jsonl | blobcopy incremental - backups/";

/// Lists the snapshots of a blob, oldest first
///
/// For a blob that is made by incremental copies or a mirror, it says which snapshot of the source
/// each equals. Where a mirror goes on in another blob, it names that.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Snapshots {
    /// The blob: container/blob, //account/container/blob, or a URL
    blob: String,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

#[derive(Serialize)]
struct Row {
    url: String,
    container: String,
    name: String,
    snapshot: String,
    size: u64,
    copy_status: Option<String>,
    copy_id: Option<String>,
    source: Option<String>,
    /// The snapshot of the source that this one equals.
    source_snapshot: Option<String>,
}

impl Snapshots {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let address = Address::parse(&self.blob)?.blob("BLOB")?.base("BLOB")?;
        let blob = contexts.blob(&address)?;
        let shown = without_query(&blob.url()?);
        let found = listing::snapshots(&blob, &self.calls).await?;
        let chain = DiskBackup::of(&blob.page_blob_client()).chain().await;
        let chain = chain.map(|chain| chain.snapshots).unwrap_or_default();
        let mirrored = mirrored(&blob, &chain);
        let rows = found.into_iter().map(|listed| {
            let source = listed.copy.as_ref().and_then(|copy| copy.source.as_ref());
            let source = source.map(|source| source.expose());
            Row {
                url: format!("{shown}?snapshot={}", listed.snapshot),
                container: blob.container_name().to_owned(),
                name: names::shown(blob.name()),
                snapshot: listed.snapshot.to_string(),
                size: listed.size,
                copy_status: listed.copy.as_ref().map(|copy| copy.status.to_string()),
                copy_id: listed.copy.as_ref().map(|copy| copy.copy_id.to_string()),
                source: source.map(names::of_source),
                source_snapshot: source
                    .and_then(snapshot_in)
                    .or_else(|| mirrored.get(&listed.snapshot).cloned()),
            }
        });
        let rows: Vec<Row> = rows.collect();
        printer.list(&rows, &format!("{shown} has no snapshots"), table)?;
        for (name, count) in elsewhere(&blob, &chain) {
            let address = Address { name: name.to_owned(), ..address.clone() };
            printer.note(&format!(
                "the mirror goes on in another blob with {}: `blobcopy snapshots {}`",
                Counted(count, "snapshot"),
                quoted(&address.in_command())
            ));
        }
        Ok(())
    }
}

/// What the snapshots of a mirror by changed ranges equal: that is in their metadata.
fn mirrored(blob: &BlobClient, chain: &[ChainSnapshot]) -> BTreeMap<SnapshotId, String> {
    let own = chain.iter().filter(|found| found.blob == blob.name());
    own.filter_map(|found| Some((found.snapshot.clone(), redacted(found.equals.as_ref()?))))
        .collect()
}

/// The later generations of a mirror's destination, and how many snapshots each has.
fn elsewhere<'a>(blob: &BlobClient, chain: &'a [ChainSnapshot]) -> BTreeMap<&'a str, u64> {
    let mut counts = BTreeMap::new();
    for found in chain.iter().filter(|found| found.blob != blob.name() && found.equals.is_some()) {
        *counts.entry(found.blob.as_str()).or_default() += 1;
    }
    counts
}

fn table(rows: &[Row]) -> Table {
    let mut table = Table::new([
        ("SNAPSHOT", Align::Left),
        ("BYTES", Align::Right),
        ("COPY", Align::Left),
        ("EQUALS SOURCE SNAPSHOT", Align::Left),
    ]);
    for row in rows {
        table.row([
            row.snapshot.clone(),
            row.size.to_string(),
            row.copy_status.clone().unwrap_or_default(),
            row.source_snapshot.clone().unwrap_or_default(),
        ]);
    }
    table
}
