//! `blobcopy completions`: scripts that complete commands in a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::{Session, args::Cli, failure::Result};

const EXAMPLES: &str = "\
Examples:
  blobcopy completions bash > ~/.local/share/bash-completion/completions/blobcopy
  blobcopy completions zsh > _blobcopy";

/// Prints the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Completions {
    #[arg(value_enum)]
    shell: Shell,
}

impl Completions {
    pub(crate) fn run(self, session: &Session) -> Result {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "blobcopy", &mut script);
        session.printer.write(&String::from_utf8_lossy(&script))
    }
}
