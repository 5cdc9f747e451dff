//! How a mirror ended: what it copied, as a table and as fields.

use std::collections::BTreeMap;

use blobcopy::disks::{
    LeftSnapshot, MirrorReport, MirrorVerification, PruneReport, SnapshotOutcome, VerifiedSnapshot,
};
use serde::Serialize;

use super::{
    super::{
        copy::{ended::Counted, follow::shown},
        prune::removed,
    },
    picture::short_name,
};
use crate::{
    exit::Exit,
    failure::{Failure, Result},
    moment::service_form,
    output::{Align, Format, Printer, Table, pairs},
};

/// All that a command did.
#[derive(Debug, Serialize)]
pub(super) struct Mirrored {
    #[serde(flatten)]
    report: MirrorReport,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) verification: Option<MirrorVerification>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pruned: Option<PruneReport>,
}

/// What comes after the report, as JSON lines.
#[derive(Serialize)]
#[serde(tag = "event", rename_all = "kebab-case")]
enum Afterwards<'a> {
    Verified(&'a MirrorVerification),
    Pruned(&'a PruneReport),
}

impl Mirrored {
    pub(super) fn of(report: MirrorReport) -> Self {
        Self { report, verification: None, pruned: None }
    }

    /// How many snapshots were copied.
    pub(super) fn copied(&self) -> usize {
        self.report.hops.len()
    }

    /// Shows all of it. As JSON lines the report was an event.
    pub(super) fn show(&self, printer: &Printer) -> Result {
        if printer.format() != Format::Jsonl {
            return printer.record(self, || self.text(printer));
        }
        let verified = self.verification.as_ref().map(Afterwards::Verified);
        let pruned = self.pruned.as_ref().map(Afterwards::Pruned);
        let mut lines = verified.into_iter().chain(pruned);
        lines.try_for_each(|line| printer.record(&line, String::new))
    }

    /// Fails if a snapshot was compared and not proved. One that is gone, there or at the source,
    /// could not be: that is told, and no failure, since both sides prune their snapshots.
    pub(super) fn proved(&self) -> Result {
        let Some(verification) = &self.verification else { return Ok(()) };
        use SnapshotOutcome::{DestinationGone, SourceGone};
        let gone = |one: &VerifiedSnapshot| matches!(one.outcome, SourceGone | DestinationGone);
        let doubtful = |one: &&VerifiedSnapshot| !one.is_identical() && !gone(one);
        let count = verification.snapshots.iter().filter(doubtful).count();
        if count == 0 {
            return Ok(());
        }
        let counted = Counted(count.try_into().unwrap_or(u64::MAX), "snapshot");
        let is = if count == 1 { "is" } else { "are" };
        let advice = "see what differs; `blobcopy prune` and a new copy may mend it";
        let what = format!("{counted} {is} not proved to equal the source's");
        Err(Failure::new(Exit::Unfinished, what, advice))
    }

    fn text(&self, printer: &Printer) -> String {
        let mut text = text(printer, &self.report);
        if let Some(verification) = &self.verification {
            text.push('\n');
            for one in &verification.snapshots {
                text.push_str(&format!("{one}\n"));
            }
            for one in &verification.unknown {
                text.push_str(&format!("{one}: made by no mirror, and not compared\n"));
            }
        }
        if let Some(pruned) = &self.pruned {
            text.push_str(&format!("\n{}", removed(pruned)));
        }
        text
    }
}

fn text(printer: &Printer, report: &MirrorReport) -> String {
    let copied = Counted(report.hops.len().try_into().unwrap_or(u64::MAX), "snapshot");
    let mut text = pairs([
        ("destination", report.destination.clone()),
        ("route", report.route.to_string()),
        ("there before", Counted(report.present, "snapshot").to_string()),
        ("copied", format!("{copied}, {} bytes", report.bytes)),
        ("requests", report.requests.to_string()),
        ("time", shown(report.elapsed)),
    ]);
    if !report.hops.is_empty() {
        let table = table(report).render_or(&narrow(report), printer.width());
        text.push_str(&format!("\n{table}"));
    }
    text.push_str(&left(&report.left));
    text
}

/// What is not copied: how many snapshots for each reason.
fn left(left: &[LeftSnapshot]) -> String {
    let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
    for one in left {
        *reasons.entry(&one.because).or_default() += 1;
    }
    let line =
        |(why, count): (&str, u64)| format!("\nnot copied: {}: {why}", Counted(count, "snapshot"));
    reasons.into_iter().map(line).collect()
}

fn table(report: &MirrorReport) -> Table {
    let mut table = Table::new([
        ("SOURCE SNAPSHOT", Align::Left),
        ("DESTINATION SNAPSHOT", Align::Left),
        ("BYTES", Align::Right),
        ("CLEARED", Align::Right),
        ("HOW", Align::Left),
    ]);
    for hop in &report.hops {
        let how = match (hop.whole, hop.resumed) {
            (true, true) => "everything, resumed",
            (true, false) => "everything",
            (false, true) => "difference, resumed",
            (false, false) => "difference",
        };
        table.row([
            service_form(hop.source.time),
            hop.destination.to_string(),
            hop.bytes.to_string(),
            hop.cleared.to_string(),
            how.to_owned(),
        ]);
    }
    table
}

/// The same without the destination's name and how it was copied.
fn narrow(report: &MirrorReport) -> Table {
    let mut table = Table::new([
        ("SOURCE SNAPSHOT", Align::Left),
        ("DESTINATION SNAPSHOT", Align::Left),
        ("BYTES", Align::Right),
        ("CLEARED", Align::Right),
    ]);
    for hop in &report.hops {
        table.row([
            service_form(hop.source.time),
            short_name(&hop.destination),
            hop.bytes.to_string(),
            hop.cleared.to_string(),
        ]);
    }
    table
}
