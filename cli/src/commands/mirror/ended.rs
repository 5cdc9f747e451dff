//! How a mirror ended: what it copied, as a table and as fields.

use blobcopy::disks::MirrorReport;

use super::super::copy::{ended::Counted, follow::shown};
use crate::{
    failure::Result,
    moment::service_form,
    output::{Align, Format, Printer, Table, pairs},
};

/// Shows the report. As JSON lines it was the last event.
pub(super) fn show(printer: &Printer, report: &MirrorReport) -> Result {
    match printer.format() {
        Format::Jsonl => Ok(()),
        _ => printer.record(report, || text(printer, report)),
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
        text.push_str(&format!("\n{}", table(report).render(printer.width())));
    }
    text
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
