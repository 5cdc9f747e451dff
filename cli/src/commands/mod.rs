//! The commands, one in a file.

pub(crate) mod abort;
pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod copy;
pub(crate) mod create;
pub(crate) mod delete;
pub(crate) mod diff;
pub(crate) mod drill;
pub(crate) mod get;
pub(crate) mod incremental;
pub(crate) mod mirror;
pub(crate) mod prune;
pub(crate) mod put;
pub(crate) mod report;
pub(crate) mod restore;
pub(crate) mod sas;
pub(crate) mod simulate;
pub(crate) mod snapshot;
pub(crate) mod snapshots;
pub(crate) mod status;
pub(crate) mod verify;
pub(crate) mod watch;

use crate::{Session, args::Command, failure::Result};

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result {
        match self {
            Self::Incremental(command) => command.run(session).await,
            Self::Mirror(command) => command.run(session).await,
            Self::Prune(command) => command.run(session).await,
            Self::Restore(command) => command.run(session).await,
            Self::Drill(command) => command.run(session).await,
            Self::Copy(command) => command.run(session).await,
            Self::Check(command) => command.run(session).await,
            Self::Watch(command) => command.run(session).await,
            Self::Verify(command) => command.run(session).await,
            Self::Report(command) => command.run(session).await,
            Self::Status(command) => command.run(session).await,
            Self::Abort(command) => command.run(session).await,
            Self::Snapshot(command) => command.run(session).await,
            Self::Snapshots(command) => command.run(session).await,
            Self::Diff(command) => command.run(session).await,
            Self::Create(command) => command.run(session).await,
            Self::Put(command) => command.run(session).await,
            Self::Get(command) => command.run(session).await,
            Self::Delete(command) => command.run(session).await,
            Self::Sas(command) => command.run(session).await,
            Self::Simulate(command) => command.run(session).await,
            Self::Completions(command) => command.run(session),
        }
    }
}
