//! `blobcopy check SOURCE/ DEST/`: whether all of a container is at another.

use blobcopy::jobs::{Budget, CheckReport, Difference, DifferenceLine};
use clap::Args;
use tokio::sync::Notify;

use super::copy::{ended::Counted, job_args::Places};
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
        let one = "two blobs are compared by `blobcopy verify`";
        let places =
            Places::new(named, &self.account, &self.source_account, &self.calls, printer, one)
                .await?;
        let mut job = places.job(&Budget::new()).tags(!self.no_tags).content(self.content);
        if let Some(path) = &self.receipts {
            job = job.receipts(receipts::read(path).await?);
        }
        // As JSON, all is one document; otherwise each difference is written when it is found.
        let mut written = Ok(());
        let mut extra = 0;
        let unread = Notify::new();
        let check = job.check().on_difference(|line| {
            extra += u64::from(line.difference == Difference::Extra);
            if written.is_ok() && printer.format() != Format::Json {
                written = printer.record(line, || text(line));
                if written.is_err() {
                    unread.notify_one();
                }
            }
        });
        let checked = tokio::select! {
            biased;
            checked = check.into_future() => Some(checked),
            () = unread.notified() => None,
        };
        let report = match (written, checked) {
            // What it could not write is a difference.
            (Err(Failure::ClosedPipe), _) | (Ok(()), None) => return Err(Failure::Unread),
            (Err(failure), _) => return Err(failure),
            (_, Some(Ok(report))) => report,
            (_, Some(Err(error))) => return Err(places.about(error.into()).await),
        };
        match printer.format() {
            Format::Table => printer.note(&summary(&report)),
            Format::Json => printer.record(&report, String::new)?,
            Format::Jsonl => {}
        }
        match report.is_same() {
            true => Ok(()),
            false => {
                let is_container_missing = report.same == 0
                    && extra == 0
                    && places.to.exists().await.is_ok_and(|exists| !exists);
                let verb = if report.different == 1 { "differs" } else { "differ" };
                let what = format!("{} {verb}", Counted(report.different, "blob"));
                let advice = self.advice(&places, &report, extra, is_container_missing);
                Err(Failure::new(Exit::Unfinished, what, advice))
            }
        }
    }

    /// The command that mends what was found.
    fn advice(&self, at: &Places, report: &CheckReport, extra: u64, creates: bool) -> String {
        let [source, dest] = [&at.source, &at.dest].map(|place| quoted(&place.in_command()));
        let mut copy = format!("blobcopy copy -r {source} {dest}{}", at.flags);
        for (is_given, flag) in
            [(creates, "--create"), (self.no_tags, "--no-tags"), (self.content, "--verify")]
        {
            if is_given {
                copy.push_str(&format!(" {flag}"));
            }
        }
        match (report.different - extra, extra) {
            (_, 0) => format!("copy them with `{copy}`"),
            (0, _) => format!(
                "delete them, if they are to go, with `{copy} --delete --max-delete {extra}`"
            ),
            _ => format!(
                "copy with `{copy}`; --delete --max-delete {extra} deletes those of DEST alone"
            ),
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
