//! `blobcopy watch DEST/`: follows all pending copies of a container or folder to their ends.

use std::time::Duration;

use blobcopy::jobs::{CopyWatch, WatchEvent, WatchedCopy};
use clap::Args;
use futures_util::TryStreamExt;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;

use super::copy::ended::Counted;
use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs},
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result, redacted},
    interrupt::Onward,
    moment,
    output::{Format, Printer, bars, pairs},
};

const EXAMPLES: &str = "\
Examples:
  blobcopy watch backups/
  blobcopy watch backups/2026/ --timeout 2h --output jsonl

A round lists up to 5,000 copies with one request; `blobcopy status DEST --wait` asks for each.";

/// Follows all pending copies of a container or folder to their ends, by listings
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Watch {
    /// A container, or the beginning of names
    dest: String,
    /// How long to watch, such as 2h; the copies go on after it (15d)
    #[arg(long, value_name = "TIME", value_parser = moment::duration)]
    timeout: Option<Duration>,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

/// How a copy ended.
#[derive(Serialize)]
struct Ended {
    container: String,
    blob: String,
    copy_id: String,
    /// `success`, `failed`, or `pending` at the timeout.
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<String>,
}

/// All of them.
#[derive(Default, Serialize)]
struct Summary {
    succeeded: u64,
    failed: u64,
    pending: u64,
    rounds: u64,
    requests: u64,
}

impl Watch {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let address = Address::parse(&self.dest)?.base("DEST")?;
        let mut watch = CopyWatch::new().container(&contexts.container(&address)?, &address.name);
        if let Some(timeout) = self.timeout {
            watch = watch.timeout(timeout);
        }
        session.interrupt.goes_on(Onward::again("the copies go on"));
        let mut view = View::new(printer);
        let mut events = watch.events();
        while let Some(event) = events.try_next().await? {
            view.event(event)?;
        }
        view.clear();
        let summary = &view.summary;
        let text = || {
            let number = |number: u64| number.to_string();
            pairs([
                ("succeeded", number(summary.succeeded)),
                ("failed", number(summary.failed)),
                ("pending", number(summary.pending)),
                ("requests", number(summary.requests)),
            ])
        };
        printer.record(summary, text)?;
        match (summary.failed, summary.pending) {
            (0, 0) => Ok(()),
            (0, left) => Err(Failure::new(
                Exit::Pending,
                match left {
                    1 => "1 copy is still pending, and goes on".to_owned(),
                    left => format!("{left} copies are still pending, and go on"),
                },
                "run the same command again",
            )),
            (failed, _) => Err(Failure::new(
                Exit::CopyFailed,
                format!(
                    "{} failed, or {} aborted",
                    Counted(failed, "copy"),
                    if failed == 1 { "was" } else { "were" }
                ),
                "see why with `blobcopy status DEST`, and start them again",
            )),
        }
    }
}

struct View<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
    summary: Summary,
}

impl<'a> View<'a> {
    fn new(printer: &'a Printer) -> Self {
        let bar = printer.draws_bars().then(|| {
            let unseen = ProgressDrawTarget::hidden();
            let form = "{percent:>3}% {pos}/{len} copies {wide_msg}";
            let style = ProgressStyle::with_template(form).expect("the form is a good one");
            bars().add(ProgressBar::with_draw_target(Some(0), unseen).with_style(style))
        });
        Self { printer, bar, summary: Summary::default() }
    }

    fn event(&mut self, event: WatchEvent) -> Result {
        let summary = &mut self.summary;
        let ended = match event {
            WatchEvent::Succeeded { copy, .. } => {
                summary.succeeded += 1;
                ended(&copy, "success", None)
            }
            WatchEvent::Failed { copy, error, .. } => {
                summary.failed += 1;
                self.printer.note(&format!("failed: {}: {error}", copy.blob));
                ended(&copy, "failed", Some(error.to_string()))
            }
            WatchEvent::Left { copy, .. } => {
                summary.pending += 1;
                ended(&copy, "pending", None)
            }
            WatchEvent::Round(round) => {
                (summary.rounds, summary.requests) =
                    (round.number, summary.requests + round.requests);
                let over = summary.succeeded + summary.failed;
                match &self.bar {
                    Some(bar) => {
                        bar.set_length(over + round.pending);
                        bar.set_position(over);
                    }
                    None if self.printer.format() == Format::Table && round.pending > 0 => {
                        self.printer.note(&format!("{} pending, {over} ended", round.pending));
                    }
                    None => {}
                }
                return Ok(());
            }
            WatchEvent::Trouble { error, .. } => {
                self.printer.note(&format!("warning: {error}"));
                return Ok(());
            }
            _ => return Ok(()),
        };
        match self.printer.format() {
            Format::Jsonl => self.printer.record(&ended, String::new),
            _ => Ok(()),
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl Drop for View<'_> {
    fn drop(&mut self) {
        self.clear();
    }
}

fn ended(copy: &WatchedCopy, status: &'static str, message: Option<String>) -> Ended {
    let copy_id = copy.copy_id.to_string();
    Ended {
        container: redacted(&copy.container),
        blob: redacted(&copy.blob),
        copy_id,
        status,
        message,
    }
}
