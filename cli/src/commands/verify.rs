//! `blobcopy verify A B`: whether two blobs have the same content.

use blobcopy::jobs::{Verdict, verify};
use clap::Args;

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, SourceAccountArgs},
    chosen,
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result},
};

const EXAMPLES: &str = "\
Examples:
  blobcopy verify vhds/disk0.vhd backups/disk0.vhd
  blobcopy verify vhds/disk0.vhd@latest backups/disk0.vhd@latest --output json
  blobcopy verify vhds/disk0.vhd backups/disk0.vhd --scratch scratch

It takes two requests for each 64 MiB, and leaves nothing behind.";

/// Compares the content of two blobs inside the service; nothing is downloaded
///
/// The service reads both in pieces, and the CRC-64 of the pieces are compared. Headers, metadata
/// and tags are not.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Verify {
    /// The one blob, with @TIME or @latest for a snapshot
    source: String,
    /// The other blob
    dest: String,
    /// The container in which pieces are read, and discarded; by default that of the other blob
    #[arg(long, value_name = "CONTAINER")]
    scratch: Option<String>,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    source_account: SourceAccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

impl Verify {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let source = Some(&self.source_account);
        let contexts = Contexts::new(&self.account, source, &self.calls, printer).await?;
        let from = Address::parse(&self.source)?.blob("SOURCE")?;
        let dest = Address::parse(&self.dest)?.or_below(&from.name)?;
        let mut one = contexts.source_blob(&from)?;
        if let Some(when) = &from.when {
            one = one.with_snapshot(chosen::named(&one, when, &self.calls).await?);
        }
        let mut other = contexts.blob(&dest)?;
        if let Some(when) = &dest.when {
            other = other.with_snapshot(chosen::named(&other, when, &self.calls).await?);
        }
        let mut comparison = verify(&one, &other);
        if let Some(scratch) = &self.scratch {
            let scratch = Address::parse(scratch)?.container("--scratch")?;
            comparison = comparison.scratch(&contexts.container(&scratch)?);
        }
        let verified = comparison.await?;
        printer.record(&verified, || verified.to_string())?;
        let (exit, advice) = match &verified.verdict {
            Verdict::Identical(_) => return Ok(()),
            Verdict::Different(_) => (Exit::Unfinished, "copy it again, or see which is right"),
            Verdict::Changed(_) => (Exit::Unfinished, "run it again, or compare snapshots"),
            Verdict::SourceGone | Verdict::DestinationGone => {
                (Exit::Refused, "check the container, the name, and the snapshot, if one is named")
            }
            _ => (Exit::Refused, "mend what is named, or give --scratch another container"),
        };
        let what = match &verified.verdict {
            // Where is the result, and told.
            Verdict::Different(_) => "the blobs differ".to_owned(),
            other => other.to_string(),
        };
        let failure = Failure::new(exit, what, advice);
        Err(match &verified.verdict {
            Verdict::SourceGone => failure.at(&one.url()?),
            Verdict::DestinationGone => failure.at(&other.url()?),
            _ => failure,
        })
    }
}
