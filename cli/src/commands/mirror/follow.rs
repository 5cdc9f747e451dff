//! What a mirror shows while it runs: a picture in a terminal, lines elsewhere, events as JSON
//! lines.

use blobcopy::{
    Clock,
    disks::{MirrorEvent, MirrorPlan},
};
use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use time::OffsetDateTime;

use super::{super::copy::ended::Counted, picture::Picture};
use crate::{
    failure::Result,
    output::{Format, Printer, bars},
};

/// Follows one run.
pub(super) struct Follow {
    printer: Printer,
    title: String,
    drawn: Option<Drawn>,
    /// When a line last said how far it has come.
    told: OffsetDateTime,
    plan: Option<Box<MirrorPlan>>,
}

/// The picture, and where it is drawn.
struct Drawn {
    picture: Picture,
    bar: ProgressBar,
    width: usize,
    height: usize,
}

/// How often a line, or a JSON line, says how far a copy has come.
const LINES: time::Duration = time::Duration::seconds(5);

/// The most lines of a picture.
const HEIGHT: usize = 14;

impl Follow {
    pub(super) fn new(printer: &Printer, title: &str) -> Self {
        let (printer, title) = (printer.clone(), title.to_owned());
        Self { printer, title, drawn: None, told: Clock::system().now(), plan: None }
    }

    /// Shows what has happened. Fails if it cannot be written.
    pub(super) fn event(&mut self, event: &MirrorEvent) -> Result {
        if let MirrorEvent::Planned(plan) = event {
            self.plan = Some(plan.clone());
            // Of two pictures, the one before must go first.
            self.drawn = None;
            self.drawn = self.printer.draws_bars().then(|| {
                let picture = Picture::of(&self.title, plan);
                Drawn::new(picture, &self.printer)
            });
        }
        if let Some(drawn) = &mut self.drawn {
            drawn.picture.event(event);
            drawn.draw();
        }
        let is_due = match event {
            MirrorEvent::HopProgress { .. } => {
                let now = Clock::system().now();
                let is_due = now - self.told >= LINES;
                if is_due {
                    self.told = now;
                }
                is_due
            }
            _ => true,
        };
        match self.printer.format() {
            Format::Jsonl if is_due => self.printer.record(event, String::new)?,
            // A run in a schedule that hangs behind another one must show in its log.
            Format::Json if matches!(event, MirrorEvent::Waiting(_)) => {
                self.line(event).into_iter().for_each(|line| self.printer.note(&line));
            }
            // The first plan may be long in coming: one that waits has no picture yet.
            Format::Table if is_due && self.drawn.is_none() => {
                if let Some(line) = self.line(event) {
                    self.printer.note(&line);
                }
            }
            _ => {}
        }
        if let MirrorEvent::Warning(warning) = event
            && self.printer.format() == Format::Table
        {
            self.printer.warn(&format!("warning: {warning}"));
        }
        Ok(())
    }

    /// Ends what is drawn.
    pub(super) fn ended(&mut self) {
        self.drawn = None;
    }

    /// What a line says of an event.
    fn line(&self, event: &MirrorEvent) -> Option<String> {
        Some(match event {
            MirrorEvent::Planned(plan) => {
                let hops = Counted(plan.hops.len().try_into().unwrap_or(u64::MAX), "snapshot");
                let bytes = plan.known_bytes().map(|bytes| format!("{}, ", HumanBytes(bytes)));
                let bytes = bytes.unwrap_or_default();
                format!("{hops} to copy, {bytes}by {}: {}", plan.route, plan.because)
            }
            MirrorEvent::Waiting(wait) => wait.to_string(),
            MirrorEvent::HopStarted { hop, snapshot } => {
                let planned = self.plan.as_ref().and_then(|plan| plan.hops.get(*hop));
                let whole = planned.is_some_and(|hop| hop.whole.is_some());
                let bytes = planned.and_then(|hop| hop.bytes).map(HumanBytes);
                let bytes = bytes.map_or_else(String::new, |bytes| format!(", {bytes}"));
                let whole = if whole { ", everything" } else { "" };
                format!("copying {snapshot}{bytes}{whole}")
            }
            MirrorEvent::HopProgress { hop, written, fraction } => {
                let planned = self.plan.as_ref().and_then(|plan| plan.hops.get(*hop))?;
                let percent = (fraction * 100.0).floor();
                format!("{}: {percent:.0}%, {} written", planned.to, HumanBytes(*written))
            }
            MirrorEvent::HopDone(done) => format!("{} is {}", done.source, done.destination),
            _ => return None,
        })
    }
}

impl Drawn {
    fn new(picture: Picture, printer: &Printer) -> Self {
        let unseen = ProgressDrawTarget::hidden();
        let style = ProgressStyle::with_template("{msg}").expect("the form is a good one");
        let bar = ProgressBar::with_draw_target(None, unseen).with_style(style);
        let bar = bars().add(bar);
        let (height, _) = console::Term::stderr().size();
        let height = usize::from(height).saturating_sub(2).clamp(3, HEIGHT);
        Self { picture, bar, width: printer.error_width(), height }
    }

    fn draw(&self) {
        self.bar.set_message(self.picture.lines(self.width, self.height).join("\n"));
    }
}

impl Drop for Drawn {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
