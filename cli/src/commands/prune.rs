//! `blobcopy prune`: removes the snapshots of a mirror that a policy does not keep.

use blobcopy::disks::{DiskBackup, PrunePlan, PruneReport};
use clap::Args;

use super::copy::ended::Counted;
use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, ChangeArgs},
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result},
    interrupt::Onward,
    keep::KeepArgs,
    moment::service_form,
    output::{Align, Table},
};

const EXAMPLES: &str = "\
Examples:
  blobcopy prune backups/disk0.vhd --keep-daily 7 --keep-weekly 4 --plan
  blobcopy prune backups/disk0.vhd --keep-last 30
  blobcopy prune backups/disk0.vhd --keep-within 1m15d --keep-zone +01:00 --max-delete 100

The rules mean what they mean to restic. The newest snapshot always stays, and no snapshot of the
source is touched.";

/// Removes the snapshots of a mirror's destination that no rule keeps
///
/// A snapshot's time is that of the source's snapshot which it equals.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Prune {
    /// The destination of a mirror
    dest: String,
    /// Says for each snapshot why it stays or goes, and removes none
    #[arg(long)]
    plan: bool,
    /// Breaks the lock of a run that is known to be dead
    #[arg(long)]
    take_lock: bool,
    /// Waits while a mirror is at work, in place of ending with 1
    #[arg(long, conflicts_with = "take_lock")]
    wait: bool,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

impl Prune {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let keep = self.keep.required()?;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let dest = Address::parse(&self.dest)?.blob("DEST")?.base("DEST")?;
        let dest = contexts.unmistakable(dest)?;
        let backup = DiskBackup::of(&contexts.blob(&dest)?.page_blob_client());
        if self.plan {
            let plan = backup.plan_prune(&keep).await?;
            return printer.record(&plan, || planned(&plan).render(printer.width()));
        }
        let what = format!("Delete the snapshots of {}, but {keep}", dest.shown());
        if !self.changes.allows(printer, &what).await? {
            return Ok(());
        }
        session.interrupt.goes_on(Onward::again("what was removed is removed"));
        session.interrupt.lets_go();
        let mut prune = backup.prune(&keep);
        if let Some(most) = self.keep.max_delete() {
            prune = prune.max_delete(most);
        }
        if self.take_lock {
            prune = prune.take_lock();
        }
        if self.wait {
            prune = prune.wait_for_lock();
        }
        let report = prune.await?;
        printer.record(&report, || removed(&report))?;
        judged(&report)
    }
}

/// What was removed, for people.
pub(crate) fn removed(report: &PruneReport) -> String {
    let mut text = String::new();
    for snapshot in &report.deleted {
        text.push_str(&format!("removed {snapshot}\n"));
    }
    for base in &report.bases {
        text.push_str(&format!("removed {base}, of which no snapshot was left\n"));
    }
    let removed = Counted(report.deleted.len().try_into().unwrap_or(u64::MAX), "snapshot");
    text.push_str(&format!("{removed} removed, {} kept", report.kept));
    let changed: u64 = report.changed.len().try_into().unwrap_or(u64::MAX);
    if let more @ 1.. = changed.saturating_add(report.left) {
        text.push_str(&format!(", {more} still to remove"));
    }
    text
}

/// What should go, and is there still.
pub(crate) fn judged(report: &PruneReport) -> Result {
    let changed = Counted(report.changed.len().try_into().unwrap_or(u64::MAX), "snapshot");
    let left = Counted(report.left, "snapshot");
    let (what, advice) = match (changed.0, left.0) {
        (0, 0) => return Ok(()),
        (0, _) => (
            format!("{left} should go, and --max-delete allows no more"),
            "look with --plan, and run the command again: it goes on",
        ),
        _ => (
            format!("{changed} should go, and changed meanwhile: left alone"),
            "run the command again",
        ),
    };
    Err(Failure::new(Exit::Unfinished, what, advice))
}

/// Why each snapshot stays or goes.
fn planned(plan: &PrunePlan) -> Table {
    let mut table = Table::new([
        ("ACTION", Align::Left),
        ("SNAPSHOT", Align::Left),
        ("SOURCE SNAPSHOT", Align::Left),
        ("WHY", Align::Left),
    ]);
    for one in &plan.snapshots {
        table.row([
            if one.stays() { "keep" } else { "remove" }.to_owned(),
            one.snapshot.to_string(),
            one.snapshot.time.map(service_form).unwrap_or_default(),
            one.fate.to_string(),
        ]);
    }
    table
}
