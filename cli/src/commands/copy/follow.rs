//! What a job shows while it runs: a bar in a terminal, lines elsewhere, events as JSON lines; and
//! the file of its report.

use std::{
    fs::File,
    io::{BufWriter, Write},
    sync::Arc,
    time::Duration,
};

use blobcopy::{
    Clock,
    jobs::{Failure as Failed, JobEvent, Progress, Receipt, Report},
};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::Notify;

use super::ended::Left;
use crate::{
    failure::{Failure, Result},
    output::{Format, Printer, bars},
};

/// Follows one run.
pub(super) struct Follow {
    printer: Printer,
    bar: Option<ProgressBar>,
    file: Option<ReportFile>,
    began: OffsetDateTime,
    /// When a line last said how far it has come.
    told: OffsetDateTime,
    pub(super) left: Left,
    /// Notified once nobody reads standard output any longer.
    unread: Arc<Notify>,
    /// Why something could not be written.
    trouble: Option<Failure>,
}

/// How often a line, or a JSON line, says how far the job has come.
const LINES: time::Duration = time::Duration::seconds(5);

/// The failures that are shown on standard error.
const MOST_SHOWN: u64 = 20;

/// The steps of the bar.
const STEPS: u64 = 10_000;

impl Follow {
    pub(super) fn new(printer: &Printer, report: Option<&str>) -> Result<Self> {
        let file = report.map(ReportFile::open).transpose()?;
        let bar = printer.draws_bars().then(|| bars().add(bar(printer)));
        let now = Clock::system().now();
        let printer = printer.clone();
        let (left, unread) = (Left::default(), Arc::default());
        Ok(Self { printer, bar, file, began: now, told: now, left, unread, trouble: None })
    }

    /// Notified once nobody reads standard output any longer.
    pub(super) fn unread(&self) -> Arc<Notify> {
        self.unread.clone()
    }

    pub(super) fn event(&mut self, event: &JobEvent) {
        let is_due = match event {
            JobEvent::Progress(progress) => self.progress(progress),
            JobEvent::Finished(finished) => {
                if let (Some(file), Some(receipt)) = (&mut self.file, &finished.receipt) {
                    let written = file.line(&Line::Receipt(receipt));
                    self.keep(written);
                }
                true
            }
            JobEvent::Failed(failed) => {
                self.failed(failed);
                true
            }
            JobEvent::Ended(report) => {
                let written = self.file.as_mut().map(|file| file.line(&Line::Report(report)));
                self.keep(written.unwrap_or(Ok(())));
                true
            }
            _ => true,
        };
        if is_due && self.printer.format() == Format::Jsonl {
            let written = self.printer.record(event, String::new);
            self.keep(written);
        }
    }

    /// Ends what is drawn, and tells of what could not be written.
    pub(super) fn ended(&mut self) -> Result {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        if let Some(file) = &mut self.file {
            let written = file.finish();
            self.keep(written);
        }
        self.trouble.take().map_or(Ok(()), Err)
    }

    /// Shows how far it has come; whether a line is due.
    fn progress(&mut self, progress: &Progress) -> bool {
        let now = Clock::system().now();
        if let Some(bar) = &self.bar {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
            bar.set_position((progress.fraction * 10_000.0) as u64);
            bar.set_message(said(progress, now - self.began));
        }
        if now - self.told < LINES {
            return false;
        }
        self.told = now;
        if self.bar.is_none() && self.printer.format() == Format::Table {
            self.printer.note(&format!(
                "{:.0}% {}",
                (progress.fraction * 100.0).floor(),
                said(progress, now - self.began)
            ));
        }
        true
    }

    fn failed(&mut self, failed: &Failed) {
        match failed.may_be_mended {
            true => self.left.mendable += 1,
            false => self.left.hopeless += 1,
        }
        let count = self.left.mendable + self.left.hopeless;
        if self.printer.format() == Format::Table && count <= MOST_SHOWN {
            self.printer.warn(&format!("failed: {}: {}", failed.name, failed.message));
        } else if self.printer.format() == Format::Table && count == MOST_SHOWN + 1 {
            self.printer.warn("further failures are not shown: --report FILE has all");
        }
        let written = self.file.as_mut().map(|file| file.line(&Line::Failure(failed)));
        self.keep(written.unwrap_or(Ok(())));
    }

    fn keep(&mut self, written: Result) {
        if let Err(failure) = written {
            if matches!(failure, Failure::ClosedPipe) {
                self.unread.notify_one();
            }
            self.trouble.get_or_insert(failure);
        }
    }
}

impl Drop for Follow {
    fn drop(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// One bar for all of the job.
fn bar(printer: &Printer) -> ProgressBar {
    let form = match printer.error_width() {
        width if width >= 80 => "{percent:>3}% [{wide_bar}] {msg}",
        _ => "{percent:>3}% {wide_msg}",
    };
    let style = ProgressStyle::with_template(form).expect("the form is a good one");
    let unseen = ProgressDrawTarget::hidden();
    let style = style.progress_chars("=> ");
    ProgressBar::with_draw_target(Some(STEPS), unseen).with_style(style)
}

/// Blobs, rates, and the time left: `444/1200 blobs, 37/s, 12.30 MiB/s, 1m35s left`.
fn said(progress: &Progress, elapsed: time::Duration) -> String {
    let per_second = |amount: u64| {
        #[allow(clippy::cast_precision_loss)]
        let rate = amount as f64 / elapsed.as_seconds_f64().max(0.1);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let whole = rate as u64;
        whole
    };
    let mut said = format!("{}/{} blobs", progress.blobs, progress.of_blobs);
    if progress.blobs > 0 {
        let bytes = HumanBytes(per_second(progress.bytes));
        said.push_str(&format!(", {}/s, {bytes}/s", per_second(progress.blobs)));
    }
    if let Some(left) = progress.time_left {
        said.push_str(&format!(", {} left", shown(left)));
    }
    said
}

/// A length of time in its two largest units: `1h05m`, `1m35s`, `12s`.
pub(crate) fn shown(time: Duration) -> String {
    let seconds = time.as_secs() + u64::from(time.subsec_nanos() > 0);
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

/// A line of a report's file.
#[derive(Serialize)]
#[serde(rename_all = "lowercase")]
enum Line<'a> {
    Receipt(&'a Receipt),
    Failure(&'a Failed),
    Report(&'a Report),
}

/// The file of `--report`.
struct ReportFile {
    path: String,
    to: BufWriter<File>,
}

impl ReportFile {
    /// A run that resumes adds to the receipts of the one before.
    fn open(path: &str) -> Result<Self> {
        if path == "-" {
            return Err(Failure::usage(
                "--report takes a file, and - is none",
                "write results to standard output with --output jsonl",
            ));
        }
        let file = File::options().create(true).append(true).open(path);
        let file = file.map_err(|error| Failure::file(path, &error))?;
        Ok(Self { path: path.to_owned(), to: BufWriter::new(file) })
    }

    fn line(&mut self, line: &Line<'_>) -> Result {
        let text = serde_json::to_string(line).expect("reports are made of strings and numbers");
        writeln!(self.to, "{text}").map_err(|error| Failure::file(&self.path, &error))
    }

    fn finish(&mut self) -> Result {
        self.to.flush().map_err(|error| Failure::file(&self.path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_shown_in_their_two_largest_units() {
        for (seconds, text) in [(0, "0s"), (59, "59s"), (95, "1m35s"), (3900, "1h05m")] {
            assert_eq!(shown(Duration::from_secs(seconds)), text);
        }
        assert_eq!(shown(Duration::from_millis(1500)), "2s");
    }
}
