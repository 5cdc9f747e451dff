//! What a restore shows while it works: a bar in a terminal, and events as JSON lines.

use blobcopy::{
    Clock,
    disks::{MirrorError, RestoreEvent},
};
use futures_util::future::BoxFuture;
use serde::Serialize;
use time::OffsetDateTime;
use tokio::sync::Notify;

use crate::{
    failure::{Failure, Result},
    output::{Format, Printer},
    wait::FileBar,
};

/// Takes the events of a restore.
pub(crate) type Tell<'a> = Box<dyn FnMut(&RestoreEvent) + Send + 'a>;

/// How often a JSON line says how far it has come.
const LINES: time::Duration = time::Duration::seconds(5);

/// Does what `begin` begins, and shows its events. The inner result is that of the work.
pub(crate) async fn followed<T>(
    printer: &Printer,
    name: &str,
    begin: impl for<'a> FnOnce(Tell<'a>) -> BoxFuture<'a, std::result::Result<T, MirrorError>>,
) -> Result<std::result::Result<T, MirrorError>> {
    let mut follow = Follow::new(printer, name);
    let unread = Notify::new();
    let mut trouble = None;
    let tell = Box::new(|event: &RestoreEvent| {
        if let Err(failure) = follow.event(event) {
            trouble.get_or_insert(failure);
            unread.notify_one();
        }
    });
    let ended = tokio::select! {
        biased;
        ended = begin(tell) => Some(ended),
        () = unread.notified() => None,
    };
    drop(follow);
    match (trouble, ended) {
        (Some(Failure::ClosedPipe), None) | (None, None) => Err(Failure::Unread),
        (Some(failure), None) => Err(failure),
        (_, Some(ended)) => Ok(ended),
    }
}

/// The last line of JSON lines.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Last<'a, T> {
    Ended(&'a T),
}

/// Shows the report: as JSON lines it is the last event.
pub(crate) fn ended<T: Serialize>(
    printer: &Printer,
    report: &T,
    text: impl FnOnce() -> String,
) -> Result {
    match printer.format() {
        Format::Jsonl => printer.record(&Last::Ended(report), String::new),
        _ => printer.record(report, text),
    }
}

struct Follow {
    printer: Printer,
    name: String,
    bar: Option<FileBar>,
    /// The length of the disk.
    length: u64,
    /// When a JSON line last said how far it has come.
    told: OffsetDateTime,
}

impl Follow {
    fn new(printer: &Printer, name: &str) -> Self {
        let (printer, name) = (printer.clone(), name.to_owned());
        Self { printer, name, bar: None, length: 0, told: Clock::system().now() }
    }

    fn event(&mut self, event: &RestoreEvent) -> Result {
        let mut is_due = true;
        match event {
            RestoreEvent::Started { length, .. } => {
                self.length = *length;
                self.bar = Some(FileBar::new(&self.printer, &self.name, Some(*length)));
            }
            RestoreEvent::Progress { fraction, .. } => {
                self.bar.iter().for_each(|bar| bar.at(part(self.length, *fraction)));
                let now = Clock::system().now();
                is_due = now - self.told >= LINES;
                self.told = if is_due { now } else { self.told };
            }
            RestoreEvent::Comparing => {
                if let Some(bar) = &self.bar {
                    bar.at(self.length);
                    bar.says("comparing");
                }
            }
            _ => {}
        }
        match self.printer.format() {
            Format::Jsonl if is_due => self.printer.record(event, String::new),
            _ => Ok(()),
        }
    }
}

/// So much of a length.
#[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
fn part(length: u64, fraction: f64) -> u64 {
    (length as f64 * fraction.clamp(0.0, 1.0)) as u64
}
