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

impl ChangeArgs {
    /// Whether to make a change; `what` says which, with the operation's name.
    pub(crate) async fn allows(&self, printer: &Printer, what: &str) -> Result<bool> {
        if self.what_if {
            printer.record(&WhatIf { what_if: what }, || format!("what if: {what}"))?;
            return Ok(false);
        }
        if !self.confirm || self.yes {
            return Ok(true);
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
        Ok(agreed)
    }
}
