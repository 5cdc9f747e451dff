//! `blobcopy prune --source`: removes snapshots of the disk that its mirror has.

use blobcopy::disks::{Keep, PruneSource, SnapshotMirror, SourcePrunePlan, SourcePruneReport};

use super::{Prune, actions, all_gone, ended, stuck, sum};
use crate::{
    Session,
    address::Address,
    context::Contexts,
    failure::Result,
    interrupt::Onward,
    moment::service_form,
    output::{Align, Table},
};

pub(super) async fn run(
    args: &Prune,
    source: &str,
    dest: Address,
    contexts: &Contexts,
    keep: &Keep,
    session: &Session,
) -> Result {
    let printer = &session.printer;
    let source = Address::parse(source)?.blob("SOURCE")?.base("SOURCE")?;
    let dest = contexts.unmistakable(dest.or_below(&source.name)?)?;
    let disk = contexts.source_blob(&source)?.page_blob_client();
    let mirror = SnapshotMirror::new(&disk, &contexts.blob(&dest)?.page_blob_client());
    let prune = args.lock.of_mirror(mirror, printer).prune_source(keep);
    let prune = if args.lock.takes_lock() { prune.take_lock() } else { prune };
    let prune = if args.also_absent { prune.also_absent() } else { prune };
    let most = args.keep.max_delete();
    if args.plan {
        let plan = prune.plan().await.map_err(|error| args.failure(error))?;
        return printer.record(&plan, || planned(&plan, most).render(printer.width()));
    }
    let what = format!(
        "Delete the snapshots of {}, but {keep}, and what {} needs for its next copy",
        source.shown(),
        dest.shown()
    );
    if !args.changes.allows(printer, &what).await? {
        return Ok(());
    }
    session.interrupt.goes_on(Onward::again("what was removed is removed"));
    session.interrupt.lets_go();
    let prune = most.into_iter().fold(prune, PruneSource::max_delete);
    let report = prune.await.map_err(|error| args.failure(error))?;
    printer.record(&report, || removed(&source, &report))?;
    ended(&report.refused, report.stopped.as_deref())?;
    all_gone(report.changed.len(), report.left)
}

fn removed(source: &Address, report: &SourcePruneReport) -> String {
    let mut text = String::new();
    for snapshot in &report.deleted {
        text.push_str(&format!("removed {}@{}\n", source.name, service_form(snapshot.time)));
    }
    text.push_str(&stuck(&report.refused));
    text.push_str(&sum(report.deleted.len(), report.kept, report.changed.len(), report.left));
    text
}

/// Why each snapshot of the disk stays or goes.
fn planned(plan: &SourcePrunePlan, most: Option<u64>) -> Table {
    let columns = [("ACTION", Align::Left), ("SNAPSHOT", Align::Left), ("WHY", Align::Left)];
    let mut table = Table::new(columns);
    let stays = plan.snapshots.iter().map(|one| one.stays());
    for (one, action) in plan.snapshots.iter().zip(actions(stays, most)) {
        let time = service_form(one.snapshot.time);
        table.row([action.to_owned(), time, one.fate.to_string()]);
    }
    table
}
