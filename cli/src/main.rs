//! `blobcopy`: server-side copies in Azure Blob Storage, at the terminal.
//!
//! It parses, calls the library and prints. A command is a file in `commands/`.

mod address;
mod args;
mod change;
mod chosen;
mod commands;
mod context;
mod exit;
mod failure;
mod input;
mod interrupt;
mod keep;
mod limits;
mod listing;
mod lock;
mod misuse;
mod moment;
mod names;
mod output;
mod quoted;
mod receipts;
mod record;
mod verbose;
mod wait;

use std::process::ExitCode;

use clap::Parser;

use crate::{
    args::{Cli, Command},
    exit::Exit,
    failure::{Failure, Result},
    interrupt::Interrupt,
    output::Printer,
    wait::Screen,
};

/// What every command has at hand.
#[derive(Debug)]
struct Session {
    printer: Printer,
    interrupt: Interrupt,
    screen: Screen,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misuse::ended(&error),
    };
    if cli.output.verbose {
        verbose::show_requests();
    }
    // For the logins, which send by themselves.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let printer = Printer::new(&cli.output);
    let screen = Screen::new(&printer);
    let session = Session { printer, interrupt: Interrupt::default(), screen };
    let ended = match runtime_of(&cli.command).enable_all().build() {
        Err(error) => Err(Failure::new(
            Exit::Unreachable,
            format!("the program cannot start: {error}"),
            "free some memory or threads, and run the command again",
        )),
        Ok(runtime) => {
            let ended = runtime.block_on(run(cli.command, &session));
            // A read of standard input may never come back.
            runtime.shutdown_background();
            ended
        }
    };
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            session.printer.failure(&failure);
            failure.exit_code().into()
        }
    }
}

/// The runtime of a command. Those of many blobs are one future, which a second thread only moves
/// about: that costs a fifth more processor time and, with the allocator's arena of each thread,
/// memory that grows with the blobs.
fn runtime_of(command: &Command) -> tokio::runtime::Builder {
    match command {
        Command::Copy(_) | Command::Check(_) | Command::Watch(_) => {
            tokio::runtime::Builder::new_current_thread()
        }
        _ => tokio::runtime::Builder::new_multi_thread(),
    }
}

/// Runs the command until it has ended, or is interrupted.
async fn run(command: Command, session: &Session) -> Result {
    // To interrupt it is how a simulator is ended.
    let serves = matches!(command, Command::Simulate(_));
    let exit = tokio::select! {
        biased;
        exit = interrupt::signalled() => exit,
        ended = Box::pin(command.run(session)) => return ended,
    };
    session.interrupt.farewell().await;
    match serves {
        true => Ok(()),
        false => Err(session.interrupt.failure(exit)),
    }
}
