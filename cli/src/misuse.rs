//! Help, the version, and command lines that are wrong.

use std::{
    ffi::OsString,
    io::{self, Write},
    process::ExitCode,
};

use clap::{ValueEnum, error::ErrorKind};

use crate::{
    exit::Exit,
    failure::{Failure, Told, redacted},
    output::{self, Format},
};

/// Help and the version go to standard output; what is wrong to standard error, as any other
/// failure does: in two lines, or as fields.
pub(crate) fn ended(error: &clap::Error) -> ExitCode {
    if !error.use_stderr() {
        return match printed(error) {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                let failure = Failure::output(&error);
                let lines = failure.told().map(Told::lines);
                lines.iter().flatten().for_each(|line| output::say(line));
                failure.exit_code().into()
            }
        };
    }
    let failure = failure(error);
    let told = failure.told().expect("a wrong command line is told");
    match form(std::env::args_os()) {
        // Nothing was asked: the help is the answer.
        Format::Table if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let _ = error.print();
        }
        Format::Table => told.lines().iter().for_each(|line| output::say(line)),
        Format::Json | Format::Jsonl => output::say(&told.json()),
    }
    failure.exit_code().into()
}

/// Prints help or the version; in color where a terminal has some.
fn printed(help: &clap::Error) -> io::Result<()> {
    let text = help.render();
    let mut out = io::stdout().lock();
    match console::colors_enabled() {
        true => write!(out, "{}", text.ansi())?,
        false => write!(out, "{text}")?,
    }
    out.flush()
}

/// What is wrong, and how it is written right. What was typed in the wrong place may be a secret.
fn failure(error: &clap::Error) -> Failure {
    if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        return Failure::usage("no command is given", "`blobcopy --help` shows them");
    }
    let text = error.render().to_string();
    let mut parts = text.split("\n\n").map(str::trim);
    let what = parts.next().unwrap_or_default().trim_start_matches("error: ");
    let rest: Vec<&str> = parts.collect();
    let after = |head: &str| rest.iter().find_map(|part| part.strip_prefix(head).map(str::trim));
    let advice = match (after("tip: "), after("Usage: ")) {
        (Some(tip), _) => tip.to_owned(),
        _ if error.kind() == ErrorKind::InvalidSubcommand => {
            "`blobcopy --help` shows the commands".to_owned()
        }
        (None, Some(usage)) => match usage.split_once('\n') {
            Some((first, _)) => {
                format!("write it as {first}; --help shows the other forms, and examples")
            }
            None => format!("write it as {usage}; --help shows examples"),
        },
        (None, None) => "--help shows examples".to_owned(),
    };
    Failure::new(Exit::Usage, redacted(what), redacted(&advice))
}

/// The form of output that a command line asks for, however wrong the rest of it is.
fn form(arguments: impl Iterator<Item = OsString>) -> Format {
    let arguments = arguments.map(|argument| argument.to_string_lossy().into_owned());
    let mut arguments = arguments.take_while(|argument| argument != "--");
    let mut form = Format::default();
    while let Some(argument) = arguments.next() {
        let value = match argument.strip_prefix("--output").or(argument.strip_prefix("-o")) {
            Some("") => arguments.next(),
            Some(value) => Some(value.trim_start_matches('=').to_owned()),
            None => None,
        };
        form = value.and_then(|value| Format::from_str(&value, false).ok()).unwrap_or(form);
    }
    form
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::args::Cli;

    #[test]
    fn the_form_is_read_from_a_wrong_command_line_too() {
        let form = |line: &str| form(line.split(' ').map(OsString::from));
        for line in ["b x --output json", "b -o json y", "b --output=json", "b -ojson", "b -o=json"]
        {
            assert_eq!(form(line), Format::Json, "{line}");
        }
        assert_eq!(form("b --output jsonl"), Format::Jsonl);
        for line in ["b", "b --output xml", "b --output", "b -- --output json", "b --other json"] {
            assert_eq!(form(line), Format::Table, "{line}");
        }
    }

    #[test]
    fn what_is_wrong_is_one_line_and_what_to_do_another() {
        for (line, what, advice) in [
            (
                "blobcopy create",
                "error: the following required arguments were not provided: <CONTAINER>",
                "to do: write it as blobcopy create <CONTAINER>; --help shows examples",
            ),
            (
                "blobcopy mirror a b --receipts r",
                "error: the following required arguments were not provided: --verify[=<WHICH>]",
                "to do: write it as blobcopy mirror [OPTIONS] <SOURCE> <DEST>; --help shows the \
                 other forms, and examples",
            ),
            (
                "blobcopy crate x",
                "error: unrecognized subcommand 'crate'",
                "to do: a similar subcommand exists: 'create'",
            ),
            (
                "blobcopy frobnicate x",
                "error: unrecognized subcommand 'frobnicate'",
                "to do: `blobcopy --help` shows the commands",
            ),
            (
                "blobcopy create a --server-timeout soon",
                "error: invalid value 'soon' for '--server-timeout <TIME>': \"soon\" is not a time \
                 such as 90s, 15m, 2h, 1h30m or 7d",
                "to do: --help shows examples",
            ),
        ] {
            let error = Cli::try_parse_from(line.split(' ')).expect_err(line);
            let failure = failure(&error);
            assert_eq!(failure.exit_code(), 64);
            assert_eq!(failure.told().expect("told").lines(), [what, advice]);
        }
    }
}
