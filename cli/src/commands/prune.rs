//! `blobcopy prune`: removes the snapshots of a mirror that a policy does not keep.

mod source;

use blobcopy::disks::{DiskBackup, Keep, MirrorError, PrunePlan, PruneReport, RefusedDelete};
use clap::Args;

use super::copy::ended::Counted;
use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, ChangeArgs, SourceAccountArgs},
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result},
    interrupt::Onward,
    keep::KeepArgs,
    lock::LockArgs,
    moment::service_form,
    output::{Align, Table},
};

const EXAMPLES: &str = "\
Examples:
  blobcopy prune backups/disk0.vhd --keep-daily 7 --keep-weekly 4 --plan
  blobcopy prune backups/disk0.vhd --keep-last 30
  blobcopy prune backups/disk0.vhd --keep-within 1m15d --keep-zone +01:00 --max-delete 100
  blobcopy prune --source vhds/disk0.vhd backups/disk0.vhd --keep-within 1d --plan

The rules mean what they mean to restic. The newest snapshot always stays. Without --source, no
snapshot of the source is touched; with it, none of the destination.";

/// Removes the snapshots of a mirror that no rule keeps: those of its destination or, with
/// --source, those of the disk itself
///
/// A snapshot's time is that of the source's snapshot which it equals. Of the source, only what the
/// destination has is removed, and never the snapshot that was copied last nor a later one.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Prune {
    /// The destination of a mirror
    dest: String,
    /// Removes snapshots of the disk that DEST is the mirror of, and none of DEST
    #[arg(long)]
    source: Option<String>,
    /// With --source: also removes older snapshots that DEST does not have, since they were removed
    /// there or never copied
    #[arg(long, requires = "source")]
    also_absent: bool,
    /// Says for each snapshot why it stays or goes, and removes none
    #[arg(long)]
    plan: bool,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    lock: LockArgs,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    source_account: SourceAccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

impl Prune {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let keep = self.keep.required()?;
        let printer = &session.printer;
        let source = Some(&self.source_account);
        let contexts = Contexts::new(&self.account, source, &self.calls, printer).await?;
        let dest = Address::parse(&self.dest)?.base("DEST")?;
        match &self.source {
            Some(source) => source::run(&self, source, dest, &contexts, &keep, session).await,
            None => self.of_destination(dest, &contexts, &keep, session).await,
        }
    }

    async fn of_destination(
        &self,
        dest: Address,
        contexts: &Contexts,
        keep: &Keep,
        session: &Session,
    ) -> Result {
        let printer = &session.printer;
        let dest = contexts.unmistakable(dest.blob("DEST")?)?;
        let backup = DiskBackup::of(&contexts.blob(&dest)?.page_blob_client());
        if self.plan {
            let plan = backup.plan_prune(keep).await.map_err(|error| self.failure(error))?;
            let most = self.keep.max_delete();
            return printer.record(&plan, || planned(&plan, most).render(printer.width()));
        }
        let what = format!("Delete the snapshots of {}, but {keep}", dest.shown());
        if !self.changes.allows(printer, &what).await? {
            return Ok(());
        }
        session.interrupt.goes_on(Onward::again("what was removed is removed"));
        session.interrupt.lets_go();
        let mut prune = self.lock.of_prune(backup.prune(keep), printer);
        if let Some(most) = self.keep.max_delete() {
            prune = prune.max_delete(most);
        }
        let report = prune.await.map_err(|error| self.failure(error))?;
        printer.record(&report, || removed(&report))?;
        judged(&report)
    }

    /// What to do about a refusal: a plan would say the same.
    fn failure(&self, error: MirrorError) -> Failure {
        let advice = match (&error, &self.source) {
            (MirrorError::Refused { .. }, None) => {
                "give the DEST of a mirror that has copied a snapshot"
            }
            (MirrorError::Refused { .. }, Some(_)) => {
                "give the disk as --source, and the DEST that `blobcopy mirror` copied it to"
            }
            _ => return self.lock.failure(error),
        };
        self.lock.failure(error).advising(advice)
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
    for snapshot in &report.being_read {
        text.push_str(&format!("kept {snapshot}, which a restore reads\n"));
    }
    text.push_str(&stuck(&report.refused));
    text.push_str(&sum(report.deleted.len(), report.kept, report.changed.len(), report.left));
    text
}

/// What the service keeps, a line each.
fn stuck(refused: &[RefusedDelete]) -> String {
    refused.iter().map(|one| format!("not removed: {one}\n")).collect()
}

/// How many were removed, and how many are there still.
fn sum(removed: usize, kept: u64, changed: usize, left: u64) -> String {
    let count = |count: usize| count.try_into().unwrap_or(u64::MAX);
    let removed = Counted(count(removed), "snapshot");
    let text = format!("{removed} removed, {kept} kept");
    match count(changed).saturating_add(left) {
        0 => text,
        more => format!("{text}, {more} still to remove"),
    }
}

pub(crate) fn judged(report: &PruneReport) -> Result {
    ended(&report.refused, report.stopped.as_deref())?;
    all_gone(report.changed.len(), report.left)
}

/// Fails if an error ended it, or if the service keeps something.
fn ended(refused: &[RefusedDelete], stopped: Option<&str>) -> Result {
    let refused = Counted(refused.len().try_into().unwrap_or(u64::MAX), "snapshot");
    let (what, advice) = match (stopped, refused.0) {
        (None, 0) => return Ok(()),
        (Some(why), _) => (
            format!("stopped before all were removed: {why}"),
            "mend what is named, and run the command again: it goes on",
        ),
        (None, _) => (
            format!("{refused} should go, and the service keeps them"),
            "end what keeps them, such as a legal hold or a lease, and run the command again",
        ),
    };
    Err(Failure::new(Exit::Unfinished, what, advice))
}

/// Fails if something should go, and is there still.
fn all_gone(changed: usize, left: u64) -> Result {
    let changed = Counted(changed.try_into().unwrap_or(u64::MAX), "snapshot");
    let left = Counted(left, "snapshot");
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

/// What becomes of each snapshot, the oldest first; of those that go, only so many go now.
fn actions(
    stays: impl Iterator<Item = bool>,
    most: Option<u64>,
) -> impl Iterator<Item = &'static str> {
    let mut gone = 0;
    stays.map(move |stays| {
        if stays {
            return "keep";
        }
        gone += 1;
        match most.is_some_and(|most| gone > most) {
            true => "remove later",
            false => "remove",
        }
    })
}

/// Why each snapshot stays or goes.
fn planned(plan: &PrunePlan, most: Option<u64>) -> Table {
    let mut table = Table::new([
        ("ACTION", Align::Left),
        ("SNAPSHOT", Align::Left),
        ("SOURCE SNAPSHOT", Align::Left),
        ("WHY", Align::Left),
    ]);
    let stays = plan.snapshots.iter().map(|one| one.stays());
    for (one, action) in plan.snapshots.iter().zip(actions(stays, most)) {
        table.row([
            action.to_owned(),
            one.snapshot.to_string(),
            one.snapshot.time.map(service_form).unwrap_or_default(),
            one.fate.to_string(),
        ]);
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_those_that_go_the_oldest_go_now() {
        let actions = |most| actions([false, true, false, false].into_iter(), most);
        let now: Vec<_> = actions(Some(2)).collect();
        assert_eq!(now, ["remove", "keep", "remove", "remove later"]);
        assert!(actions(None).all(|action| action != "remove later"));
    }
}
