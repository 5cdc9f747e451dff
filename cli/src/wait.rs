//! Following copies to their ends: bars in a terminal, lines elsewhere.

use std::time::Duration;

use blobcopy::{Clock, CompletedCopy, CopyFromUriOperation, CopyState};
use futures_util::{StreamExt, stream};
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use time::OffsetDateTime;

use crate::{
    Session,
    address::Address,
    failure::{Failure, Result},
    interrupt::Onward,
    output::{Format, Printer},
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
    let named = quoted(&dest.shown());
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

/// Waits for all of the copies at once; the results are in their order.
pub(crate) async fn all(
    session: &Session,
    copies: Vec<Watched>,
    timeout: Option<Duration>,
) -> Vec<Result<CompletedCopy>> {
    let screen = Screen::new(&session.printer);
    let count = copies.len();
    let waits = stream::iter(copies.into_iter().enumerate()).map(|(at, mut watched)| {
        let mut view = screen.view(&watched.name);
        async move {
            let (id, url) = (watched.copy.id().to_string(), watched.copy.blob().url());
            let mut wait = watched.copy.wait().on_progress(|state| view.show(state));
            if let Some(timeout) = timeout {
                wait = wait.timeout(timeout);
            }
            let ended = wait.await.map_err(|error| {
                let failure = Failure::from(error).of_copy(&id);
                match &url {
                    Ok(url) => failure.at(url),
                    Err(_) => failure,
                }
            });
            view.finish();
            (at, ended)
        }
    });
    let mut ended: Vec<_> = waits.buffer_unordered(count.max(1)).collect().await;
    ended.sort_by_key(|(at, _)| *at);
    ended.into_iter().map(|(_, ended)| ended).collect()
}

/// Waits for one copy.
pub(crate) async fn one(
    session: &Session,
    copy: Watched,
    timeout: Option<Duration>,
) -> Result<CompletedCopy> {
    let mut ended = all(session, vec![copy], timeout).await;
    ended.pop().expect("one copy has one ending")
}

/// Where progress is shown.
struct Screen {
    bars: Option<MultiProgress>,
    lines: bool,
    printer: Printer,
}

impl Screen {
    fn new(printer: &Printer) -> Self {
        let target = || MultiProgress::with_draw_target(ProgressDrawTarget::stderr());
        let bars = printer.draws_bars().then(target);
        let lines = bars.is_none() && !printer.is_quiet() && printer.format() == Format::Table;
        Self { bars, lines, printer: printer.clone() }
    }

    fn view(&self, name: &str) -> View {
        let bar = self.bars.as_ref().map(|bars| {
            let bar = bars.add(bar(&self.printer));
            bar.set_prefix(name.to_owned());
            bar.set_message("pending");
            bar
        });
        let printer = self.lines.then(|| self.printer.clone());
        View { name: name.to_owned(), bar, printer, last: None }
    }
}

/// A bar for bytes, fit to the width of the terminal.
pub(crate) fn bar(printer: &Printer) -> ProgressBar {
    let form = match printer.error_width() {
        width if width < 60 => "{prefix} {percent:>3}% {msg}",
        _ => {
            "{prefix} {percent:>3}% [{wide_bar}] {bytes}/{total_bytes} {bytes_per_sec} {eta} {msg}"
        }
    };
    let style = ProgressStyle::with_template(form).expect("the form is a good one");
    ProgressBar::no_length().with_style(style.progress_chars("=> "))
}

/// One copy's progress.
struct View {
    name: String,
    bar: Option<ProgressBar>,
    printer: Option<Printer>,
    last: Option<(String, OffsetDateTime)>,
}

/// How often a line may say how far a copy has come, unless its status changes.
const LINES: time::Duration = time::Duration::seconds(5);

impl View {
    fn show(&mut self, state: &CopyState) {
        if let Some(bar) = &self.bar {
            if let Some(progress) = state.progress {
                bar.set_length(progress.total);
                bar.set_position(progress.copied);
            }
            bar.set_message(match state.held_up_by() {
                Some(trouble) => format!("{}: {trouble}", state.status),
                None => state.status.to_string(),
            });
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
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
