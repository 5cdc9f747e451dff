//! `blobcopy incremental`: copies a snapshot of a page blob, and moves only what has changed.

mod many;
mod one;

use clap::Args;

use self::one::{Job, Start};
use crate::{
    Session,
    address::{Address, When},
    args::{AccountArgs, CallArgs, ChangeArgs, SourceAccountArgs, WaitArgs},
    change,
    context::Contexts,
    failure::{Failure, Result},
    moment,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy incremental vhds/disk0.vhd backups/ --snapshot new --wait
  blobcopy incremental vhds/disk0.vhd@2026-01-01T00:00:00.1234567Z backups/disk0.vhd
  blobcopy incremental --source-container vhds disk0.vhd backups/
  blobcopy snapshots vhds/disk0.vhd --output jsonl | blobcopy incremental - backups/";

/// Starts an incremental copy of a page blob's snapshot
///
/// The first copy moves the whole disk, each later one only what changed since the snapshot before.
/// Every copy ends as a snapshot of DEST, which can be read; DEST itself cannot.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Incremental {
    /// The blob, with @TIME or @latest for a snapshot; a URL; or - for JSON lines, as `snapshots
    /// --output jsonl` prints them
    source: String,
    /// The destination; container/ keeps the source's name
    dest: String,
    /// The snapshot: a time, latest, or new, which takes one first [default: latest, where SOURCE
    /// names none]
    #[arg(long, value_name = "TIME", value_parser = which)]
    snapshot: Option<Which>,
    /// The source's container, as a name or a URL; SOURCE is then the blob's name in it
    #[arg(long, value_name = "CONTAINER")]
    source_container: Option<String>,
    /// How many copies of JSON lines are under way at once
    #[arg(long, value_name = "NUMBER", default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    source_account: SourceAccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

/// Which snapshot is to be copied.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Which {
    Existing(When),
    New,
}

impl Which {
    /// The time, where it is one.
    fn time(&self) -> Option<String> {
        match self {
            Self::Existing(When::At(snapshot)) => Some(snapshot.to_string()),
            _ => None,
        }
    }
}

fn which(text: &str) -> std::result::Result<Which, String> {
    Ok(match text {
        "new" => Which::New,
        "latest" => Which::Existing(When::Latest),
        time => Which::Existing(When::At(moment::snapshot(time)?)),
    })
}

impl Incremental {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let source = Some(&self.source_account);
        let contexts = Contexts::new(&self.account, source, &self.calls, &session.printer).await?;
        let dest = Address::parse(&self.dest)?.base("DEST")?;
        if self.source == "-" {
            if self.snapshot.is_some() || self.source_container.is_some() {
                return Err(Failure::usage(
                    "each line names its container and snapshot itself",
                    "leave --snapshot and --source-container out",
                ));
            }
            if self.account.reads_stdin() || self.source_account.as_account().reads_stdin() {
                return Err(Failure::usage(
                    "standard input has the sources, and not a secret too",
                    "give the secret in a file",
                ));
            }
            if self.changes.asks() {
                return Err(Failure::usage(
                    "standard input has the sources, and cannot answer --confirm too",
                    "leave --confirm out, or look first with --what-if",
                ));
            }
            return many::run(&self, session, &contexts, &dest).await;
        }
        self.wait.checked()?;
        let (source, which) = self.source()?;
        let job = Job { source, which, dest };
        let started = match one::start(&self, session, &contexts, &job).await? {
            Start::Made(started) => *started,
            Start::WouldSend(what) => return change::tell(&session.printer, &what),
            Start::Declined => return Ok(()),
        };
        let record = one::follow(&self, session, &contexts, started).await?;
        session.printer.record(&record, || record.text())
    }

    /// The source, and which of its snapshots.
    fn source(&self) -> Result<(Address, Which)> {
        let source = match &self.source_container {
            None => Address::parse(&self.source)?,
            Some(container) => {
                let inside = Address::parse(&format!("x/{}", self.source))?;
                let container = Address::parse(container)?.container("--source-container")?;
                Address { when: inside.when, ..container.named(&inside.name)? }
            }
        };
        let mut source = source.blob("SOURCE")?;
        let named = source.when.take().map(Which::Existing);
        let which = match (named, self.snapshot.clone()) {
            (Some(named), Some(flag)) if named != flag => {
                return Err(Failure::usage(
                    "SOURCE names one snapshot and --snapshot another",
                    "leave one of the two out",
                ));
            }
            (named, flag) => named.or(flag).unwrap_or(Which::Existing(When::Latest)),
        };
        Ok((source, which))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_is_a_time_latest_or_new() {
        assert_eq!(which("new"), Ok(Which::New));
        assert_eq!(which("latest"), Ok(Which::Existing(When::Latest)));
        assert!(matches!(
            which("2026-01-01T00:00:00Z"),
            Ok(Which::Existing(When::At(at))) if at == "2026-01-01T00:00:00.0000000Z"
        ));
        assert!(which("yesterday").is_err());
    }
}
