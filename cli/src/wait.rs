//! Following copies to their ends: bars in a terminal, lines elsewhere.

use std::time::Duration;

use blobcopy::{Clock, CompletedCopy, CopyFromUriOperation, CopyState, Error};
use console::{Alignment, measure_text_width, pad_str};
use futures_util::{StreamExt, stream};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use time::OffsetDateTime;

use crate::{
    Session,
    address::Address,
    exit::Exit,
    failure::{Ending, Failure, Result, redacted},
    interrupt::Onward,
    output::{Format, Printer, bars},
    quoted::quoted,
};

/// A copy that is followed.
#[derive(Debug)]
pub(crate) struct Watched {
    /// The destination, as it is to be shown beside the progress.
    pub(crate) name: String,
    pub(crate) copy: CopyFromUriOperation,
}

/// What to say of copies into `dest` when the program is interrupted.
pub(crate) fn onward(dest: &Address, flags: &str) -> Onward {
    let named = quoted(&dest.in_command());
    let what = match dest.is_folder() {
        true => "the copies go on",
        false => "the copy goes on",
    };
    Onward {
        what: what.to_owned(),
        resume: format!("blobcopy status {named} --wait{flags}"),
        abort: format!("blobcopy abort {named}{flags}"),
    }
}

/// The failure of a wait, which at its timeout names the commands that go on.
pub(crate) fn given_up(failure: Failure, onward: Onward) -> Failure {
    match failure.exit_code() == Exit::Pending.code() {
        true => failure.onward(onward.resume, onward.abort),
        false => failure,
    }
}

/// Waits for all of the copies, so many at once; the results are in their order. Of each one that
/// is over, `over` is told the place.
pub(crate) async fn all(
    session: &Session,
    copies: Vec<Watched>,
    timeout: Option<Duration>,
    concurrency: u16,
    over: impl Fn(usize),
) -> Vec<Result<CompletedCopy>> {
    let (began, over) = (Clock::system().now(), &over);
    let widest = copies.iter().map(|watched| measure_text_width(&watched.name)).max();
    let waits = stream::iter(copies.into_iter().enumerate()).map(|(at, mut watched)| {
        let mut view = session.screen.view(&watched.name, widest.unwrap_or_default());
        async move {
            // One that had to stand in line has waited already.
            let timeout = timeout.map(|all| {
                let gone = Clock::system().now() - began;
                all.saturating_sub(gone.unsigned_abs()).max(Duration::from_millis(1))
            });
            let (id, url) = (watched.copy.id().to_string(), watched.copy.blob().url());
            let mut wait = watched.copy.wait().on_progress(|state| view.show(state));
            if let Some(timeout) = timeout {
                wait = wait.timeout(timeout);
            }
            let ended = wait.await.map_err(|error| {
                let ending = last_known(&error);
                let failure = Failure::from(error).of_copy(&id).ending(ending);
                match &url {
                    Ok(url) => failure.at(url),
                    Err(_) => failure,
                }
            });
            view.finish();
            over(at);
            (at, ended)
        }
    });
    let mut ended: Vec<_> = waits.buffer_unordered(usize::from(concurrency)).collect().await;
    ended.sort_by_key(|(at, _)| *at);
    ended.into_iter().map(|(_, ended)| ended).collect()
}

/// Waits for one copy.
pub(crate) async fn one(
    session: &Session,
    copy: Watched,
    timeout: Option<Duration>,
) -> Result<CompletedCopy> {
    let mut ended = all(session, vec![copy], timeout, 1, |_| ()).await;
    ended.pop().expect("one copy has one ending")
}

/// How a copy stands that has not succeeded, as far as the end of its wait tells.
fn last_known(error: &Error) -> Ending {
    let (status, description, progress) = match error {
        Error::CopyFailed { description, progress, .. } => {
            ("failed", description.as_deref(), *progress)
        }
        Error::CopyAborted { progress, .. } => ("aborted", None, *progress),
        Error::CopySuperseded { .. } => ("superseded", None, None),
        Error::CopyDestinationGone { .. } | Error::NoCopyProperties { .. } => ("gone", None, None),
        Error::WaitTimedOut { last: Some(last), .. } => {
            ("pending", last.description.as_deref(), last.progress)
        }
        Error::WaitTimedOut { .. } => ("pending", None, None),
        _ => ("unknown", None, None),
    };
    Ending { status, description: description.map(redacted), progress }
}

/// Where progress is shown.
#[derive(Debug)]
pub(crate) struct Screen {
    bars: bool,
    lines: bool,
    printer: Printer,
}

impl Screen {
    pub(crate) fn new(printer: &Printer) -> Self {
        let bars = printer.draws_bars();
        let lines = !bars && !printer.is_quiet() && printer.format() == Format::Table;
        Self { bars, lines, printer: printer.clone() }
    }

    /// The view of a copy, among others whose names are at most so wide.
    fn view(&self, name: &str, widest: usize) -> View {
        let bar = self.bars.then(|| {
            let bar = bars().add(bar(&self.printer, name, widest));
            let moving = bar.style();
            bar.set_style(nothing_moved_yet(&self.printer));
            bar.set_message("pending");
            bar.enable_steady_tick(TICK);
            (bar, moving)
        });
        let printer = self.lines.then(|| self.printer.clone());
        let room = Room::of(self.printer.error_width());
        View { name: name.to_owned(), bar, room, printer, last: None }
    }
}

/// A bar for bytes, fit to the width of the terminal, and not yet drawn. Bars of several names, of
/// which the widest is given, stand below each other.
fn bar(printer: &Printer, name: &str, widest: usize) -> ProgressBar {
    let room = Room::of(printer.error_width());
    let form = match room.has_bar {
        false => "{prefix} {percent:>3}% {msg}",
        true => {
            "{prefix} {percent:>3}% [{wide_bar}] {bytes:>10}/{total_bytes:10} \
             {bytes_per_sec:>12} {eta:>4} {msg}"
        }
    };
    let style = ProgressStyle::with_template(form).expect("the form is a good one");
    let unseen = ProgressDrawTarget::hidden();
    let bar = ProgressBar::with_draw_target(None, unseen).with_style(style.progress_chars("=> "));
    let columns = widest.min(room.name);
    let name = pad_str(&ending(name, room.name), columns, Alignment::Left, None).into_owned();
    bar.set_prefix(name);
    bar
}

/// The bar of one file, which goes when the command has ended or failed. Elsewhere than in a
/// terminal there is none.
#[derive(Debug)]
pub(crate) struct FileBar(Option<ProgressBar>);

impl FileBar {
    /// Shows it: whatever is to be asked or said before must have been.
    pub(crate) fn new(printer: &Printer, name: &str, size: Option<u64>) -> Self {
        let bar = printer.draws_bars().then(|| bars().add(bar(printer, name, 0)));
        if let (Some(bar), Some(size)) = (&bar, size) {
            bar.set_length(size);
        }
        Self(bar)
    }

    /// So many more bytes are done.
    pub(crate) fn add(&self, bytes: u64) {
        if let Some(bar) = &self.0 {
            bar.inc(bytes);
        }
    }

    /// What is done now.
    pub(crate) fn says(&self, what: &'static str) {
        if let Some(bar) = &self.0 {
            bar.set_message(what);
            bar.enable_steady_tick(TICK);
        }
    }

    /// All bytes before this one are done.
    pub(crate) fn at(&self, position: u64) {
        if let Some(bar) = &self.0 {
            bar.set_position(position);
        }
    }
}

impl Drop for FileBar {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}

/// How many columns there are for what may be long. A line that is too long would be broken, and
/// could not be drawn over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Room {
    has_bar: bool,
    name: usize,
    message: usize,
}

impl Room {
    fn of(width: usize) -> Self {
        // Percent, bytes, rate, time left and a bar of a few columns.
        const NUMBERS: usize = 55;
        let (has_bar, spare) = match width.checked_sub(NUMBERS) {
            Some(spare) if spare >= 24 => (true, spare),
            _ => (false, width.saturating_sub(8)),
        };
        let message = (spare / 3).max(7);
        Self { has_bar, name: spare.saturating_sub(message), message }
    }
}

/// The end of a name that is too long: it tells more than the beginning.
fn ending(name: &str, columns: usize) -> String {
    let mut kept = name;
    while measure_text_width(kept) + 1 > columns && measure_text_width(name) > columns {
        let mut characters = kept.chars();
        if characters.next().is_none() {
            break;
        }
        kept = characters.as_str();
    }
    if kept.len() == name.len() { name.to_owned() } else { format!("…{kept}") }
}

/// How long it takes already, where no rate is known. The service says of an incremental copy that
/// nothing has moved until all has.
fn nothing_moved_yet(printer: &Printer) -> ProgressStyle {
    let form = match Room::of(printer.error_width()).has_bar {
        false => "{prefix} {elapsed} {msg}",
        true => "{prefix} {spinner} {msg} for {elapsed}, {total_bytes}",
    };
    let style = ProgressStyle::with_template(form).expect("the form is a good one");
    style.tick_chars("|/-\\ ")
}

const TICK: Duration = Duration::from_millis(250);

/// One copy's progress.
struct View {
    name: String,
    /// The bar, and its style as soon as bytes have moved.
    bar: Option<(ProgressBar, ProgressStyle)>,
    room: Room,
    printer: Option<Printer>,
    last: Option<(String, OffsetDateTime)>,
}

/// How often a line may say how far a copy has come, unless its status changes.
const LINES: time::Duration = time::Duration::seconds(5);

impl View {
    fn show(&mut self, state: &CopyState) {
        if let Some((bar, moving)) = &self.bar {
            if let Some(progress) = state.progress {
                bar.set_length(progress.total);
                bar.set_position(progress.copied);
                if progress.copied > 0 {
                    bar.set_style(moving.clone());
                }
            }
            let message = match state.held_up_by() {
                Some(trouble) => format!("{}: {trouble}", state.status),
                None => state.status.to_string(),
            };
            let room = console::truncate_str(&message, self.room.message, "…").into_owned();
            bar.set_message(room);
        }
        let Some(printer) = &self.printer else { return };
        let (text, now) = (state.to_string(), Clock::system().now());
        let due = self.last.as_ref().is_none_or(|(last, at)| {
            let same_status = last.split(' ').next() == text.split(' ').next();
            *last != text && (!same_status || now - *at >= LINES)
        });
        if due {
            printer.note(&format!("{}: {text}", self.name));
            self.last = Some((text, now));
        }
    }

    fn finish(&mut self) {
        if let Some((bar, _)) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_cut_to_what_there_is_room_for() {
        assert_eq!(ending("backups/disk0.vhd", 17), "backups/disk0.vhd");
        assert_eq!(ending("backups/disk0.vhd", 10), "…disk0.vhd");
        assert_eq!(ending("", 0), "");
        for width in 1..300 {
            let room = Room::of(width);
            let numbers = if room.has_bar { 55 } else { 8 };
            assert!(room.name + room.message + numbers <= width.max(15), "{width}: {room:?}");
        }
        assert!(!Room::of(40).has_bar && Room::of(80).has_bar);
    }
}
