//! `blobcopy put`: uploads a file as a block blob, or writes it into a page blob in place.

mod blocks;
mod pages;
mod runs;

use blobcopy::BlobClient;
use clap::Args;
use serde::Serialize;

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, ChangeArgs, Pair, lease, pair},
    context::Contexts,
    failure::{Failure, Result, without_query},
    output::pairs,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy put notes.txt docs/notes.txt
  blobcopy put disk.img vhds/disk0.vhd --page
  tar c . | blobcopy put - docs/backup.tar";

/// Uploads a file as a block blob, or with --page writes it into a page blob
///
/// With --page, an existing page blob is resized and written in place. What it holds is read and
/// compared with FILE; then the pages that differ are written, or cleared where FILE is zero. Its
/// series of snapshots and incremental copies goes on, and the next copy moves only what has
/// changed. If another program changes the sequence number meanwhile, the writes are refused.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Put {
    /// The file; - is standard input (block blobs only)
    file: String,
    /// The blob; container/ keeps the file's name
    blob: String,
    /// Writes pages: FILE is a disk, whose length is a multiple of 512 bytes
    #[arg(long)]
    page: bool,
    /// Writes all that FILE holds, changed or not, without reading the blob first
    #[arg(long, requires = "page")]
    all: bool,
    /// Creates an existing page blob again, which breaks its series of incremental copies
    #[arg(long, requires = "page")]
    recreate: bool,
    /// The stored Content-Type of a block blob
    #[arg(long, value_name = "TYPE", conflicts_with = "page")]
    content_type: Option<String>,
    /// Metadata of a blob that is made; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<Pair>,
    /// The id of the blob's lease
    #[arg(long, value_name = "ID")]
    lease_id: Option<String>,
    /// How many requests are under way at once
    #[arg(long, value_name = "NUMBER", default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

/// What was sent.
#[derive(Debug, Default, Serialize)]
struct Sent {
    url: String,
    /// `created`, `written in place` or `recreated`.
    how: &'static str,
    size: u64,
    written_bytes: u64,
    cleared_bytes: u64,
    /// How much of a disk needed no request.
    left_alone_bytes: u64,
}

impl Put {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let address = Address::parse(&self.blob)?.base("BLOB")?;
        let name = std::path::Path::new(&self.file).file_name().and_then(|name| name.to_str());
        let address = match name {
            Some(name) if self.file != "-" => address.or_below(name)?,
            _ => address,
        };
        let blob = contexts.blob(&address.blob("BLOB")?)?;
        if self.file == "-" && self.page {
            return Err(Failure::usage(
                "--page needs a file: how long standard input is shows only at its end",
                "write it into a file first, and name that",
            ));
        }
        if self.file == "-" && self.account.reads_stdin() {
            return Err(Failure::usage(
                "standard input has the content, and not a secret too",
                "give one of them in a file",
            ));
        }
        let url = blob.url()?;
        let lease = lease(self.lease_id.as_deref())?;
        let sent = match self.page {
            true => pages::put(&self, session, &blob, lease).await,
            false => blocks::put(&self, session, &blob, lease).await,
        };
        let Some(mut sent) = sent.map_err(|failure| failure.at(&url))? else { return Ok(()) };
        sent.url = without_query(&url);
        printer.record(&sent, || {
            let mut lines = vec![
                ("blob", sent.url.clone()),
                ("how", sent.how.to_owned()),
                ("size", format!("{} bytes", sent.size)),
                ("written", format!("{} bytes", sent.written_bytes)),
            ];
            if self.page {
                lines.push(("cleared", format!("{} bytes", sent.cleared_bytes)));
                lines.push(("left alone", format!("{} bytes", sent.left_alone_bytes)));
            }
            pairs(lines)
        })
    }
}

fn unreadable(file: &str, error: &std::io::Error) -> Failure {
    Failure::usage(format!("{file} cannot be read: {error}"), "check the file's name")
}

/// The blob as it may be shown.
fn shown(blob: &BlobClient) -> Result<String> {
    Ok(without_query(&blob.url()?))
}
