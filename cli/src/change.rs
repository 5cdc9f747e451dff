//! `--what-if`, `--confirm` and `--yes`: whether a change is made.

use std::io::{self, BufRead, IsTerminal};

use serde::Serialize;

use crate::{
    args::ChangeArgs,
    failure::{Failure, Result},
    input::reading,
    output::Printer,
};

#[derive(Serialize)]
struct WhatIf<'a> {
    what_if: &'a str,
}

/// Whether a change is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decision {
    Make,
    /// Only to say what it would be.
    Tell,
    Leave,
}

/// Says what would be sent.
pub(crate) fn tell(printer: &Printer, what: &str) -> Result {
    printer.record(&WhatIf { what_if: what }, || format!("what if: {what}"))
}

impl ChangeArgs {
    /// Whether to make a change; `what` says which, with the operation's name. With `--what-if` it
    /// is told.
    pub(crate) async fn allows(&self, printer: &Printer, what: &str) -> Result<bool> {
        let decision = self.decide(printer, what).await?;
        if decision == Decision::Tell {
            tell(printer, what)?;
        }
        Ok(decision == Decision::Make)
    }

    /// Whether it asks before a change.
    pub(crate) fn asks(&self) -> bool {
        self.confirm && !self.yes
    }

    /// Like `allows`, where the caller tells.
    pub(crate) async fn decide(&self, printer: &Printer, what: &str) -> Result<Decision> {
        if self.what_if {
            return Ok(Decision::Tell);
        }
        if !self.asks() {
            return Ok(Decision::Make);
        }
        if !io::stdin().is_terminal() {
            return Err(Failure::usage(
                "--confirm asks at a terminal, and standard input is none",
                "leave --confirm out, or give --yes",
            ));
        }
        printer.warn(&format!("{what}? [y/N]"));
        let answer = reading(|| {
            let mut answer = String::new();
            io::stdin().lock().read_line(&mut answer).map(|_| answer)
        });
        let agreed = answer.await.is_ok_and(|answer| matches!(answer.trim(), "y" | "Y" | "yes"));
        if !agreed {
            printer.note("not done");
        }
        Ok(if agreed { Decision::Make } else { Decision::Leave })
    }
}
