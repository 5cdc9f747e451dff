//! `blobcopy check SOURCE/ DEST/`: whether all of a container is at another.

use blobcopy::jobs::{Budget, CheckReport, Difference, DifferenceLine};
use clap::Args;

use super::copy::job_args::Places;
use crate::{
    Session,
    args::{AccountArgs, CallArgs, SourceAccountArgs},
    exit::Exit,
    failure::{Failure, Result},
    output::Format,
    quoted::quoted,
    receipts,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy check vhds/ copied/
  blobcopy check vhds/ copied/ --content --quiet
  blobcopy check vhds/ copied/ --no-tags --output jsonl

A letter says how a blob differs, and the words after its name say in what:
  +  missing at DEST
  -  only at DEST
  *  at both, and different";

/// Compares the blobs of two containers or folders, and lists those that differ
///
/// It compares type, length, headers, metadata, tags and MD5, and that the copy was modified after
/// its source. --content compares the content too, inside the service: nothing is downloaded.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Check {
    /// A container, or a folder that ends with /
    source: String,
    /// The container or folder to compare it with
    dest: String,
    /// Compares the content of each pair too
    #[arg(long)]
    content: bool,
    /// With --content: does not compare again what these receipts prove; a file of copy --report
    #[arg(long, value_name = "FILE", requires = "content")]
    receipts: Option<String>,
    /// Does not compare index tags, which need a permission of their own
    #[arg(long)]
    no_tags: bool,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    source_account: SourceAccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

impl Check {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let named = (self.source.as_str(), self.dest.as_str());
        let places =
            Places::new(named, &self.account, &self.source_account, &self.calls, printer).await?;
        let mut job = places.job(&Budget::new()).tags(!self.no_tags).content(self.content);
        if let Some(path) = &self.receipts {
            job = job.receipts(receipts::read(path).await?);
        }
        // As JSON, all is one document; otherwise each difference is written when it is found.
        let mut written = Ok(());
        let check = job.check().on_difference(|line| {
            if written.is_ok() && printer.format() != Format::Json {
                written = printer.record(line, || text(line));
            }
        });
        let report = check.await?;
        written?;
        match printer.format() {
            Format::Table => printer.note(&summary(&report)),
            Format::Json => printer.record(&report, String::new)?,
            Format::Jsonl => {}
        }
        match report.is_same() {
            true => Ok(()),
            false => {
                let [source, dest] =
                    [&places.source, &places.dest].map(|place| quoted(&place.in_command()));
                let copy = format!("blobcopy copy -r {source} {dest}{}", places.flags);
                let what = format!("{} blobs differ", report.different);
                Err(Failure::new(Exit::Unfinished, what, format!("copy them with `{copy}`")))
            }
        }
    }
}

/// A letter, the name, and what differs.
fn text(line: &DifferenceLine) -> String {
    match line.difference {
        Difference::Missing => format!("+ {}", line.name),
        Difference::Extra => format!("- {}", line.name),
        difference => match &line.reason {
            Some(reason) => format!("* {}  ({difference}: {reason})", line.name),
            None => format!("* {}  ({difference})", line.name),
        },
    }
}

fn summary(report: &CheckReport) -> String {
    let mut text = format!("{} the same, {} different", report.same, report.different);
    if report.not_compared > 0 {
        text.push_str(&format!(", {} not compared", report.not_compared));
    }
    text
}
