//! What goes to standard output and standard error, and in which form.

mod table;

use std::{
    borrow::Cow,
    io::{self, IsTerminal, Write},
    sync::OnceLock,
};

use clap::{Args, ValueEnum};
use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;

pub(crate) use self::table::{Align, Table, pairs};
use crate::failure::{Failure, Result};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Format {
    /// Text for people.
    #[default]
    Table,
    /// One JSON document.
    Json,
    /// One JSON value a line.
    Jsonl,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Output")]
pub(crate) struct OutputArgs {
    /// The form of results, and of errors: text, one JSON document, or one JSON value a line
    #[arg(long, short, global = true, value_enum, default_value_t, value_name = "FORM")]
    pub(crate) output: Format,
    /// Says nothing but results and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Shows each request on standard error, without secrets
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
}

/// Writes results to standard output, everything else to standard error.
#[derive(Debug, Clone)]
pub(crate) struct Printer {
    format: Format,
    quiet: bool,
    /// The width of the terminal, if standard output is one.
    width: Option<usize>,
    bars: bool,
}

impl Printer {
    pub(crate) fn new(args: &OutputArgs) -> Self {
        let (out, err) = (console::Term::stdout(), console::Term::stderr());
        let width = out.is_term().then(|| usize::from(out.size().1));
        let text = args.format() == Format::Table;
        let bars = text && !args.quiet && err.is_term() && io::stderr().is_terminal();
        Self { format: args.format(), quiet: args.quiet, width, bars }
    }

    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Whether progress is drawn, and not written line by line.
    pub(crate) fn draws_bars(&self) -> bool {
        self.bars
    }

    pub(crate) fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// The width of the terminal, if standard output is one.
    pub(crate) fn width(&self) -> Option<usize> {
        self.width
    }

    /// The width of the terminal that standard error is, or 80.
    pub(crate) fn error_width(&self) -> usize {
        usize::from(console::Term::stderr().size().1)
    }

    /// One result: fields for a program, `text` for people.
    pub(crate) fn record(&self, value: &impl Serialize, text: impl FnOnce() -> String) -> Result {
        match self.format {
            Format::Table => self.write(&text()),
            Format::Json => self.write(&pretty(value)),
            Format::Jsonl => self.write(&compact(value)),
        }
    }

    /// Several results: an array, a value a line, or a table. What is to be said of an empty list
    /// goes to standard error.
    pub(crate) fn list<T: Serialize>(
        &self,
        values: &[T],
        nothing: &str,
        table: impl FnOnce(&[T]) -> Table,
    ) -> Result {
        match self.format {
            Format::Table if values.is_empty() => {
                self.note(nothing);
                Ok(())
            }
            Format::Table => self.write(&table(values).render(self.width)),
            Format::Json => self.write(&pretty(&values)),
            Format::Jsonl => values.iter().try_for_each(|value| self.write(&compact(value))),
        }
    }

    /// Writes `text` as one or more whole lines.
    pub(crate) fn write(&self, text: &str) -> Result {
        let text = text.trim_end_matches('\n');
        let shown = if self.width.is_some() { Cow::Owned(calm(text)) } else { text.into() };
        let written = above_bars(|| {
            let mut out = io::stdout().lock();
            writeln!(out, "{shown}").and_then(|()| out.flush())
        });
        written.map_err(|error| Failure::output(&error))
    }

    /// Says something beside the results, unless it is to be quiet.
    pub(crate) fn note(&self, text: &str) {
        if !self.quiet {
            self.warn(text);
        }
    }

    /// Says something that must be said.
    pub(crate) fn warn(&self, text: &str) {
        say(text);
    }

    /// Shows what went wrong.
    pub(crate) fn failure(&self, failure: &Failure) {
        let Some(told) = failure.told() else { return };
        match self.format {
            Format::Table => told.lines().iter().for_each(|line| say(line)),
            Format::Json | Format::Jsonl => say(&told.json()),
        }
    }
}

impl OutputArgs {
    fn format(&self) -> Format {
        self.output
    }
}

/// A line on standard error. Nobody can be told if it cannot be written.
pub(crate) fn say(text: &str) {
    let text = if io::stderr().is_terminal() { Cow::Owned(calm(text)) } else { text.into() };
    let _ = above_bars(|| writeln!(io::stderr().lock(), "{text}"));
}

/// The bars of the whole program: two that do not know of each other would draw over each other.
static BARS: OnceLock<MultiProgress> = OnceLock::new();

/// Where bars are drawn, if any are.
pub(crate) fn bars() -> &'static MultiProgress {
    BARS.get_or_init(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr()))
}

/// Writes where no bar is in the way.
fn above_bars<R>(write: impl FnOnce() -> R) -> R {
    match BARS.get() {
        // A terminal that was closed is none any more, and has no bars to put aside.
        Some(bars) if io::stderr().is_terminal() => bars.suspend(write),
        _ => write(),
    }
}

/// Text without what a terminal would obey: names of blobs may hold any character.
fn calm(text: &str) -> String {
    let harmless = |character: char| character == '\n' || !character.is_control();
    text.chars().map(|c| if harmless(c) { c } else { '\u{fffd}' }).collect()
}

fn pretty(value: &impl Serialize) -> String {
    serde_json::to_string_pretty(value).expect("results are made of strings and numbers")
}

fn compact(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("results are made of strings and numbers")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_not_sent_to_it() {
        assert_eq!(calm("a\u{1b}[2Jb\nc\r\u{9b}"), "a\u{fffd}[2Jb\nc\u{fffd}\u{fffd}");
    }
}
