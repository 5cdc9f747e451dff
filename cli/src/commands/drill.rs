//! `blobcopy drill`: restores the newest snapshot of a mirror on trial.

use blobcopy::{
    BlobContainerClient, PageBlobClient,
    disks::{DiskBackup, Drill as Drilled, DrillReport, MirrorError},
};
use clap::Args;
use futures_util::TryStreamExt;

use super::{
    copy::follow::shown,
    restore::{
        self,
        follow::{self, followed},
    },
};
use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, ChangeArgs},
    context::Contexts,
    failure::{Failure, Result, redacted},
    moment::service_form,
    output::pairs,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy drill backups/disk0.vhd
  blobcopy drill backups/disk0.vhd --scratch scratch --output json

A backup that was never restored may be none: run it from time to time.";

/// Restores the newest snapshot of a mirror's destination to a scratch blob, compares the two, and
/// removes it
///
/// It says how old the snapshot is, and how long the restore took.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Drill {
    /// The destination of a mirror
    dest: String,
    /// The container of the scratch blob; by default that of DEST
    #[arg(long, value_name = "CONTAINER")]
    scratch: Option<String>,
    /// Remove what killed drills of DEST have left beside it and in --scratch first, and any that
    /// is at work
    #[arg(long)]
    remove_left: bool,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

impl Drill {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let dest = Address::parse(&self.dest)?.blob("DEST")?.base("DEST")?;
        let dest = contexts.unmistakable(dest)?;
        let blob = contexts.blob(&dest)?.page_blob_client();
        let backup = DiskBackup::of(&blob);
        let mut containers = vec![blob.container_client()];
        let mut drill: Drilled<'static> = backup.drill();
        if let Some(scratch) = &self.scratch {
            let scratch = Address::parse(scratch)?.container("--scratch")?;
            let scratch = contexts.container(&scratch)?;
            drill = drill.container(&scratch);
            if scratch.url()? != containers[0].url()? {
                containers.push(scratch);
            }
        }
        let what = format!("Restore {} (newest) to a scratch blob, and delete it", dest.shown());
        if !self.changes.allows(printer, &what).await? {
            return Ok(());
        }
        for container in &containers {
            if !self.remove_left {
                for name in left(&blob, container).await {
                    printer.warn(&format!(
                        "warning: {}/{} was left by a drill, if none is at work: --remove-left \
                         removes it",
                        container.name(),
                        redacted(&name)
                    ));
                }
                continue;
            }
            for name in backup.remove_drills().container(container).await? {
                printer.warn(&format!("removed {}, which a drill had left", redacted(&name)));
            }
        }
        // The scratch blob is removed in the background.
        session.interrupt.lets_go();
        let title = format!("{} to a scratch blob", dest.shown());
        let ended = followed(printer, &title, |tell| drill.on_event(tell).into_future());
        let report = ended.await?.map_err(refused)?;
        follow::ended(printer, &report, || text(&report))?;
        if let Some(why) = &report.left {
            printer.warn(&format!("warning: the scratch blob is left: {}", redacted(why)));
        }
        restore::judged(&report.restore)
    }
}

/// The scratch blobs of other drills. A credential that does not show them hinders no drill.
async fn left(dest: &PageBlobClient, container: &BlobContainerClient) -> Vec<String> {
    let prefix = format!("{}.blobcopy-drill-", dest.name());
    let listed = container.list_blobs().prefix(prefix).map_ok(|item| item.name);
    listed.try_collect().await.unwrap_or_default()
}

/// What to do about a refusal.
fn refused(error: MirrorError) -> Failure {
    let is_refused = matches!(error, MirrorError::Refused { .. });
    let failure = Failure::from(error);
    match is_refused {
        true => failure.advising("give the DEST of a mirror that has copied a snapshot"),
        false => failure,
    }
}

fn text(report: &DrillReport) -> String {
    let age = report.age.map(|age| format!(", {} ago", shown(age)));
    let point = report.recovery_point.map(service_form).unwrap_or_default();
    let verdict = report.restore.verdict.as_ref();
    pairs([
        ("snapshot", report.restore.snapshot.to_string()),
        ("size", format!("{} bytes", report.restore.length)),
        ("compared", verdict.map(ToString::to_string).unwrap_or_default()),
        ("recovery point", format!("{point}{}", age.unwrap_or_default())),
        ("recovery time", shown(report.recovery_time)),
    ])
}
