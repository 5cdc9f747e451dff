//! `blobcopy abort`: ends a pending copy.

use blobcopy::{AbortOutcome, CopyId, CopyState, Error};
use clap::Args;
use serde::Serialize;

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, ChangeArgs, lease},
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result, without_query},
    limits::Limited,
    record::CopyRecord,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy abort backups/disk0.vhd
  blobcopy abort backups/disk0.vhd --copy-id 1f812371-a41d-49e6-b123-f4b542e851c5

An aborted copy leaves an empty blob with the new metadata. Snapshots stay as they are.
Where no copy is pending there is nothing to do: that is 0, also of a blob that was never copied to.";

/// Aborts the pending copy into a blob
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Abort {
    /// The destination of the copy
    dest: String,
    /// Aborts this copy only; without it, whichever is pending
    #[arg(long, value_name = "ID")]
    copy_id: Option<String>,
    /// The id of the destination's lease
    #[arg(long, value_name = "ID")]
    lease_id: Option<String>,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Serialize)]
struct Aborted {
    destination: String,
    /// `aborted`, `already_finished` or `nothing_pending`.
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy: Option<CopyRecord>,
}

impl Abort {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let blob = contexts.blob(&Address::parse(&self.dest)?.blob("DEST")?.base("DEST")?)?;
        let url = blob.url()?;
        let shown = without_query(&url);
        if !self.changes.allows(printer, &format!("Abort Copy Blob {shown}")).await? {
            return Ok(());
        }
        let lease = lease(self.lease_id.as_deref())?;
        let outcome = match &self.copy_id {
            Some(id) => {
                let id = id.parse::<CopyId>()?;
                let mut abort = blob.abort_copy(id.clone()).limited(&self.calls);
                if let Some(lease) = lease {
                    abort = abort.lease_id(lease);
                }
                match abort.await {
                    Ok(()) => Ok(AbortOutcome::Aborted),
                    Err(error) if is_over(&error) => {
                        let found = blob.get_properties().limited(&self.calls).await;
                        let found = found.map_err(|error| Failure::from(error).at(&url))?;
                        ended(&id, found.copy, error)
                    }
                    Err(error) => Err(error.into()),
                }
            }
            None => {
                let mut abort = blob.abort_pending_copy().limited(&self.calls);
                if let Some(lease) = lease {
                    abort = abort.lease_id(lease);
                }
                abort.await.map_err(Failure::from)
            }
        };
        let outcome = outcome.map_err(|failure| failure.at(&url))?;
        let (outcome, copy, text) = match outcome {
            AbortOutcome::Aborted => (
                "aborted",
                None,
                format!("aborted the copy; {shown} is left empty, its snapshots as they were"),
            ),
            AbortOutcome::AlreadyFinished(state) => {
                let record = CopyRecord::of_state(&url, &state);
                let text = format!("the copy had already ended:\n{}", record.text());
                ("already_finished", Some(record), text)
            }
            _ => ("nothing_pending", None, format!("{shown} tells of no copy")),
        };
        printer.record(&Aborted { destination: shown, outcome, copy }, || text)
    }
}

/// What the destination tells of a copy that could not be aborted.
fn ended(id: &CopyId, found: Option<CopyState>, refusal: Error) -> Result<AbortOutcome> {
    let lost = match found {
        Some(found) if found.copy_id != *id => format!("the blob carries copy {}", found.copy_id),
        Some(found) if found.status.is_final() => return Ok(AbortOutcome::AlreadyFinished(found)),
        Some(_) => return Err(refusal.into()),
        None => "the blob carries no copy".to_owned(),
    };
    let advice = "look at the blob's copy, if it has one: blobcopy status DEST";
    Err(Failure::new(Exit::CopyLost, format!("copy {id} is not there: {lost}"), advice))
}

/// Whether that copy was not pending any more, or never was.
fn is_over(error: &Error) -> bool {
    use blobcopy::ErrorCode::{CopyIdMismatch, NoPendingCopyOperation};
    matches!(error.code(), Some(NoPendingCopyOperation | CopyIdMismatch))
}
