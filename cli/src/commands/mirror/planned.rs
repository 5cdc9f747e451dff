//! `--plan`: what a run would copy, and what the policy would remove after it.

use blobcopy::{
    SnapshotId,
    disks::{DatedSnapshot, Keep, Kept, MirrorPlan},
};
use serde::Serialize;

use super::{super::copy::ended::Counted, picture::short_name};
use crate::{
    failure::Result,
    moment::service_form,
    output::{Align, Printer, Table, pairs},
};

/// What a plan adds to its fields.
#[derive(Serialize)]
struct Planned<'a> {
    #[serde(flatten)]
    plan: &'a MirrorPlan,
    /// The bytes of all hops, where they are known.
    bytes: Option<u64>,
    /// What the policy would say of all snapshots after the run, if there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    retention: Option<Vec<Kept>>,
}

/// `may_learn` says that sizes which are not known can be learnt with --sizes.
pub(super) fn show(
    printer: &Printer,
    plan: &MirrorPlan,
    keep: Option<&Keep>,
    max_delete: Option<u64>,
    may_learn: bool,
) -> Result {
    let retention = keep.map(|keep| keep.apply(afterwards(plan))).transpose()?;
    let text = || text(printer, plan, retention.as_deref(), (max_delete, may_learn));
    let text = (printer.format() == crate::output::Format::Table).then(text).unwrap_or_default();
    printer.record(&Planned { plan, bytes: plan.known_bytes(), retention }, || text)?;
    if printer.format() == crate::output::Format::Table {
        plan.warnings.iter().for_each(|warning| printer.warn(&format!("warning: {warning}")));
    }
    Ok(())
}

/// The destination's snapshots once all hops are done. Those to come have no id yet, and stand
/// under the time of their source.
fn afterwards(plan: &MirrorPlan) -> Vec<DatedSnapshot> {
    let there = plan.chain.snapshots.iter().filter_map(|found| {
        Some(DatedSnapshot::from((found.snapshot.clone(), found.equals.as_ref().and(found.time)?)))
    });
    let to_come = plan.hops.iter().filter_map(|hop| {
        let id: SnapshotId = service_form(hop.to.time).parse().ok()?;
        Some(DatedSnapshot::from((id, hop.to.time)))
    });
    there.chain(to_come).collect()
}

fn text(
    printer: &Printer,
    plan: &MirrorPlan,
    retention: Option<&[Kept]>,
    (max_delete, may_learn): (Option<u64>, bool),
) -> String {
    let hops = Counted(plan.hops.len().try_into().unwrap_or(u64::MAX), "snapshot");
    let there = plan.chain.snapshots.iter().filter(|found| found.equals.is_some()).count();
    let there = Counted(there.try_into().unwrap_or(u64::MAX), "snapshot");
    let mut lines = vec![
        ("source", plan.source.clone()),
        ("destination", plan.destination.clone()),
        ("route", format!("{}: {}", plan.route, plan.because)),
    ];
    if plan.generation > 1 {
        lines.push(("generation", plan.generation.to_string()));
    }
    lines.push(("there", there.to_string()));
    let bytes = match plan.known_bytes() {
        Some(bytes) => format!(", {bytes} bytes"),
        None if may_learn => {
            ", size not known: --sizes is granted access, and learns it".to_owned()
        }
        None => ", size not known".to_owned(),
    };
    lines.push(("to copy", format!("{hops}{bytes}")));
    if let Some(kept) = retention {
        let removed = kept.iter().filter(|one| !one.stays()).count();
        let removed = Counted(removed.try_into().unwrap_or(u64::MAX), "snapshot");
        let text = match max_delete.filter(|most| *most < removed.0) {
            Some(most) => format!("{most} of {removed}, as --max-delete allows"),
            None => removed.to_string(),
        };
        lines.push(("to remove", text));
    }
    let mut text = pairs(lines);
    let table = table(plan, true).render_or(&table(plan, false), printer.width());
    if table.lines().count() > 1 {
        text.push_str(&format!("\n{table}"));
    }
    text
}

/// A row for each source snapshot: both sides, and what its hop would move. Where there is no room
/// for it, the name of the destination is left out of each row.
fn table(plan: &MirrorPlan, is_wide: bool) -> Table {
    let mut rows = Vec::new();
    for found in &plan.chain.snapshots {
        let (Some(time), Some(_)) = (found.time, &found.equals) else { continue };
        let cells = match is_wide {
            true => [found.to_string(), String::new(), "there".to_owned()],
            false => [String::new(), String::new(), format!("= {}", short_name(found))],
        };
        rows.push((time, cells));
    }
    for hop in &plan.hops {
        let mut what = match &hop.whole {
            Some(why) => format!("to copy, everything: {}", in_words(why)),
            None => "to copy".to_owned(),
        };
        if hop.cleared > 0 {
            what.push_str(&format!("; {} bytes cleared", hop.cleared));
        }
        let bytes = hop.bytes.map_or_else(String::new, |bytes| bytes.to_string());
        rows.push((hop.to.time, [String::new(), bytes, what]));
    }
    for left in &plan.left {
        let cells = [String::new(), String::new(), format!("not copied: {}", left.because)];
        rows.push((left.snapshot.time, cells));
    }
    rows.sort_by_key(|(time, _)| *time);
    if !is_wide {
        let mut table = Table::new([
            ("SOURCE SNAPSHOT", Align::Left),
            ("BYTES", Align::Right),
            ("STATE", Align::Left),
        ]);
        for (time, [_, bytes, state]) in rows {
            table.row([service_form(time), bytes, state]);
        }
        return table;
    }
    let mut table = Table::new([
        ("SOURCE SNAPSHOT", Align::Left),
        ("DESTINATION SNAPSHOT", Align::Left),
        ("BYTES", Align::Right),
        ("STATE", Align::Left),
    ]);
    for (time, [destination, bytes, state]) in rows {
        table.row([service_form(time), destination, bytes, state]);
    }
    table
}

/// Why everything is copied: for people, what a code of the service means.
fn in_words(why: &str) -> &str {
    match why {
        "BlobOverwritten" | "BlobGenerationMismatch" => {
            "the disk was made again since the snapshot before"
        }
        "PreviousSnapshotNotFound" => "the snapshot before is gone",
        "PreviousSnapshotCannotBeNewer" | "PreviousSnapshotOperationNotSupported" => {
            "the service tells no difference to the snapshot before"
        }
        other => other,
    }
}
