//! Ctrl-C and SIGTERM, and what goes on without us.

use std::sync::{Mutex, PoisonError};

use crate::{exit::Exit, failure::Failure};

/// What is under way at the service while the program waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Onward {
    /// What goes on, such as `the copy goes on`.
    pub(crate) what: String,
    /// The command that takes it up again.
    pub(crate) resume: String,
    /// The command that ends it.
    pub(crate) abort: String,
}

/// What to say when the program is interrupted.
#[derive(Debug, Default)]
pub(crate) struct Interrupt(Mutex<Option<Onward>>);

impl Interrupt {
    /// From here on something goes on at the service.
    pub(crate) fn goes_on(&self, onward: Onward) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(onward);
    }

    /// Nothing is under way any more.
    pub(crate) fn is_over(&self) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    pub(crate) fn failure(&self, exit: Exit) -> Failure {
        let onward = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        let word = if exit == Exit::Interrupted { "interrupted" } else { "terminated" };
        match onward {
            None => Failure::new(exit, word, "run the command again"),
            Some(Onward { what, resume, abort }) => Failure::new(
                exit,
                format!("{word}: {what}"),
                format!("follow it with `{resume}`, or end it with `{abort}`"),
            )
            .onward(resume, abort),
        }
    }
}

/// Comes back when the process is told to end, with the code to end with.
pub(crate) async fn signalled() -> Exit {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            tokio::select! {
                _ = terminate.recv() => return Exit::Terminated,
                interrupted = tokio::signal::ctrl_c() => if interrupted.is_ok() {
                    return Exit::Interrupted;
                },
            }
        }
    }
    #[cfg(not(unix))]
    if tokio::signal::ctrl_c().await.is_ok() {
        return Exit::Interrupted;
    }
    // Signals cannot be heard here: the system ends the process as it likes.
    std::future::pending().await
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interrupted_wait_names_the_commands_that_go_on_and_that_end_it() {
        let interrupt = Interrupt::default();
        interrupt.goes_on(Onward {
            what: "the copy goes on".to_owned(),
            resume: "blobcopy status backups/d --wait".to_owned(),
            abort: "blobcopy abort backups/d".to_owned(),
        });
        let failure = interrupt.failure(Exit::Interrupted);
        assert_eq!(failure.exit_code(), 130);
        let told = failure.told().expect("told");
        let [what, then] = told.lines();
        assert_eq!(what, "error: interrupted: the copy goes on");
        assert!(then.contains("`blobcopy status backups/d --wait`"), "{then}");
        assert!(told.json().contains(r#""abort":"blobcopy abort backups/d""#), "{}", told.json());
        assert_eq!(interrupt.failure(Exit::Terminated).exit_code(), 143);
    }
}
