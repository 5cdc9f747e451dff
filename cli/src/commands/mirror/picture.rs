//! The chain as it is drawn: what is there, what is to copy, and how far each copy has come.
//!
//! A pure function from a plan and what has happened since to lines of text.

use blobcopy::{
    disks::{Chain, ChainSnapshot, HopDone, MirrorEvent, MirrorPlan, PlannedHop},
    time::OffsetDateTime,
};
use console::{measure_text_width, truncate_str};
use indicatif::HumanBytes;
use time::macros::format_description;

use super::super::copy::ended::Counted;
use crate::moment::service_form;

/// The chain of one destination.
#[derive(Debug, Clone)]
pub(crate) struct Picture {
    title: String,
    rows: Vec<Row>,
    /// Where the hops of the plan are among the rows.
    hops: Vec<usize>,
    /// What is said below the rows.
    below: Option<String>,
}

/// A source snapshot, and what is at the destination.
#[derive(Debug, Clone, PartialEq)]
struct Row {
    time: OffsetDateTime,
    state: State,
}

#[derive(Debug, Clone, PartialEq)]
enum State {
    /// The destination's snapshot.
    There(String),
    /// What the copy will move.
    Ahead(Amount),
    UnderWay {
        amount: Amount,
        fraction: f64,
        written: u64,
    },
    /// Why it is not copied.
    Left(String),
}

/// What a hop moves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Amount {
    /// `None` if that is known only once the hop is under way.
    bytes: Option<u64>,
    cleared: u64,
    whole: bool,
    generation: u32,
}

/// From this width on there is room for times in full, and a bar.
const WIDE: usize = 80;

/// The most columns of a bar between its brackets.
const BAR: usize = 30;

/// The fewest: below that there is none.
const LEAST_BAR: usize = 8;

impl Picture {
    pub(crate) fn of(title: impl Into<String>, plan: &MirrorPlan) -> Self {
        let mut rows = there(&plan.chain);
        let hops = plan.hops.iter().map(|hop| Row { time: hop.to.time, state: ahead(hop) });
        rows.extend(hops);
        let left = plan
            .left
            .iter()
            .map(|left| Row { time: left.snapshot.time, state: State::Left(left.because.clone()) });
        rows.extend(left);
        rows.sort_by_key(|row| row.time);
        let place = |hop: &PlannedHop| {
            let is_its = |row: &Row| row.time == hop.to.time && row.state == ahead(hop);
            rows.iter().position(is_its).unwrap_or(usize::MAX)
        };
        let hops = plan.hops.iter().map(place).collect();
        Self { title: title.into(), rows, hops, below: None }
    }

    /// Takes in what has happened.
    pub(crate) fn event(&mut self, event: &MirrorEvent) {
        match event {
            MirrorEvent::Waiting(wait) => self.below = Some(wait.to_string()),
            MirrorEvent::HopStarted { hop, .. } => {
                self.below = None;
                self.comes_to(*hop, 0.0, 0);
            }
            MirrorEvent::HopProgress { hop, fraction, written } => {
                self.comes_to(*hop, *fraction, *written);
            }
            MirrorEvent::HopDone(done) => self.done(done),
            _ => {}
        }
    }

    fn comes_to(&mut self, hop: usize, fraction: f64, written: u64) {
        let Some(row) = self.hops.get(hop).and_then(|&at| self.rows.get_mut(at)) else { return };
        match &mut row.state {
            State::UnderWay { fraction: so_far, written: by_now, .. } => {
                (*so_far, *by_now) = (so_far.max(fraction), written.max(*by_now));
            }
            State::Ahead(amount) => {
                row.state = State::UnderWay { amount: *amount, fraction, written };
            }
            State::There(_) | State::Left(_) => {}
        }
    }

    fn done(&mut self, done: &HopDone) {
        let waits = |row: &&mut Row| !matches!(row.state, State::There(_));
        let mut rows = self.rows.iter_mut().filter(|row| row.time == done.source.time);
        if let Some(row) = rows.find(waits) {
            row.state = State::There(short_name(&done.destination));
        }
    }

    /// The picture in so many columns, with at most so many lines. No line is wider.
    pub(crate) fn lines(&self, width: usize, height: usize) -> Vec<String> {
        let mut lines = vec![self.title.clone()];
        let room = height.saturating_sub(2).max(1);
        let shown = self.shown(room);
        let before = self.rows.get(..shown.start).unwrap_or_default();
        let after = self.rows.get(shown.end..).unwrap_or_default();
        lines.extend(hidden(before, "earlier"));
        lines.extend(self.rows[shown].iter().map(|row| row.line(width)));
        lines.extend(hidden(after, "later"));
        lines.push(self.below.clone().unwrap_or_else(|| self.sum()));
        lines.into_iter().map(|line| truncate_str(&line, width, "…").into_owned()).collect()
    }

    /// Which rows there is room for: those around what is under way or comes next.
    fn shown(&self, room: usize) -> std::ops::Range<usize> {
        let count = self.rows.len();
        if count <= room {
            return 0..count;
        }
        // A line each for those before and those after.
        let room = room.saturating_sub(2).max(1);
        let is_open = |row: &Row| matches!(row.state, State::UnderWay { .. } | State::Ahead(_));
        let next = self.rows.iter().position(is_open).unwrap_or(count);
        let start = next.saturating_sub(room / 3 + 1).min(count - room);
        start..start + room
    }

    /// What is left to do.
    fn sum(&self) -> String {
        let there = self.rows.iter().filter(|row| matches!(row.state, State::There(_))).count();
        let open: Vec<&Amount> = self.rows.iter().filter_map(Row::open).collect();
        let there = Counted(there.try_into().unwrap_or(u64::MAX), "snapshot");
        match (open.len(), self.rows.len()) {
            (0, 0) => return "no snapshots yet".to_owned(),
            (0, _) => return format!("{there} there"),
            _ => {}
        }
        let bytes: Option<u64> = open.iter().map(|amount| amount.bytes).sum();
        let bytes = bytes.map_or_else(String::new, |bytes| format!(": {}", HumanBytes(bytes)));
        format!("{there} there, {} to copy{bytes}", open.len())
    }
}

fn there(chain: &Chain) -> Vec<Row> {
    let mut rows = Vec::new();
    for snapshot in &chain.snapshots {
        let Some(time) = snapshot.time else { continue };
        rows.push(Row { time, state: State::There(short_name(snapshot)) });
    }
    rows
}

fn ahead(hop: &PlannedHop) -> State {
    let whole = hop.whole.is_some();
    let &PlannedHop { bytes, cleared, generation, .. } = hop;
    State::Ahead(Amount { bytes, cleared, whole, generation })
}

/// A snapshot of the destination without its name, and with its generation if that is a later one.
pub(crate) fn short_name(snapshot: &ChainSnapshot) -> String {
    match snapshot.generation {
        0 | 1 => snapshot.snapshot.to_string(),
        later => format!("{} in .g{later}", snapshot.snapshot),
    }
}

/// A line for rows that there is no room for.
fn hidden(rows: &[Row], which: &str) -> Option<String> {
    let there = rows.iter().filter(|row| matches!(row.state, State::There(_))).count();
    let open = rows.iter().filter_map(Row::open).count();
    let left = rows.len() - there - open;
    let parts = [(there, "there"), (open, "to copy"), (left, "not copied")];
    let parts = parts.iter().filter(|(count, _)| *count > 0);
    let parts: Vec<String> = parts.map(|(count, what)| format!("{count} {what}")).collect();
    (!parts.is_empty()).then(|| format!("… {which}: {}", parts.join(", ")))
}

impl Row {
    /// What is still to be moved.
    fn open(&self) -> Option<&Amount> {
        match &self.state {
            State::Ahead(amount) | State::UnderWay { amount, .. } => Some(amount),
            State::There(_) | State::Left(_) => None,
        }
    }

    fn line(&self, width: usize) -> String {
        let is_wide = width >= WIDE;
        let time = match is_wide {
            true => service_form(self.time),
            false => short(self.time),
        };
        match &self.state {
            State::There(snapshot) if is_wide => format!("{time} = {snapshot}"),
            State::There(snapshot) => match snapshot.split_once(" in ") {
                Some((_, generation)) => format!("{time} = there, in {generation}"),
                None => format!("{time} = there"),
            },
            State::Ahead(amount) => format!("{time}   {}", amount.text(width)),
            State::Left(because) => format!("{time} - not copied: {because}"),
            State::UnderWay { amount, fraction, written } => {
                let percent = format!("{:>3.0}%", (fraction * 100.0).floor().clamp(0.0, 100.0));
                let amount = match amount.bytes {
                    Some(_) => amount.text(width),
                    None => format!("{} written", HumanBytes(*written)),
                };
                let row = format!("{time} > {percent} {amount}");
                let room = width.saturating_sub(measure_text_width(&row) + 3).min(BAR);
                match is_wide && room >= LEAST_BAR {
                    true => format!("{time} > {percent} [{}] {amount}", bar(*fraction, room)),
                    false => row,
                }
            }
        }
    }
}

impl Amount {
    fn text(self, width: usize) -> String {
        let bytes = self.bytes.map(|bytes| HumanBytes(bytes).to_string());
        let mut text = bytes.unwrap_or_else(|| "to copy".to_owned());
        if width < WIDE {
            return text;
        }
        if self.cleared > 0 {
            text.push_str(&format!(", {} cleared", HumanBytes(self.cleared)));
        }
        if self.whole {
            text.push_str(", everything");
        }
        if self.generation > 1 {
            text.push_str(&format!(", to .g{}", self.generation));
        }
        text
    }
}

fn bar(fraction: f64, columns: usize) -> String {
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss, clippy::cast_sign_loss)]
    let done = (fraction.clamp(0.0, 1.0) * columns as f64) as usize;
    let head = if (1..columns).contains(&done) { ">" } else { "" };
    let done = "=".repeat(done.saturating_sub(head.len()));
    format!("{:<columns$}", format!("{done}{head}"))
}

/// A time without what there is no room for, in UTC.
fn short(time: OffsetDateTime) -> String {
    let form = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
    time.to_offset(time::UtcOffset::UTC).format(form).unwrap_or_default()
}

#[cfg(test)]
#[path = "picture_tests.rs"]
mod tests;
