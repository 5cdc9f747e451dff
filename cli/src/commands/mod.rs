//! The commands, one in a file.

pub(crate) mod create;
pub(crate) mod simulate;

use crate::{Session, args::Command, failure::Result};

impl Command {
    pub(crate) async fn run(self, session: &Session) -> Result {
        match self {
            Self::Create(command) => command.run(session).await,
            Self::Simulate(command) => command.run(session).await,
        }
    }
}
