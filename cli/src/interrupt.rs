//! Ctrl-C, SIGTERM and SIGHUP, and what goes on without us.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use crate::{exit::Exit, failure::Failure};

/// What is under way at the service while the program waits for it.
#[derive(Debug, Clone)]
pub(crate) struct Onward {
    /// What goes on, such as `the copy goes on`.
    pub(crate) what: String,
    /// The command that takes it up again; empty if that is the same command.
    pub(crate) resume: String,
    /// The command that ends it; empty if there is none.
    pub(crate) abort: String,
}

impl Onward {
    /// Something that the same command takes up again.
    pub(crate) fn again(what: &str) -> Self {
        Self { what: what.to_owned(), resume: String::new(), abort: String::new() }
    }
}

/// Names one thing that is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UnderWay(usize);

/// What to say when the program is interrupted.
#[derive(Debug, Default)]
pub(crate) struct Interrupt(Mutex<All>);

#[derive(Debug, Default)]
struct All {
    /// Whether something is let go of in the background when the command is dropped.
    lets_go: bool,
    /// What to do about what was not begun.
    left: Option<&'static str>,
    count: usize,
    under_way: BTreeMap<usize, Onward>,
}

impl Interrupt {
    /// From here on something goes on at the service.
    pub(crate) fn goes_on(&self, onward: Onward) -> UnderWay {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let number = all.count;
        all.count += 1;
        all.under_way.insert(number, onward);
        UnderWay(number)
    }

    /// Something may not have begun: what to do about that.
    pub(crate) fn leaves(&self, what_to_do: &'static str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).left = Some(what_to_do);
    }

    /// From here on the command holds a lease, which is released in the background when it is
    /// dropped.
    pub(crate) fn lets_go(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).lets_go = true;
    }

    /// Gives what the command has let go of a moment to reach the service.
    pub(crate) async fn farewell(&self) {
        if !self.0.lock().unwrap_or_else(PoisonError::into_inner).lets_go {
            return;
        }
        let tasks = tokio::runtime::Handle::current().metrics();
        let mut looks = 0;
        while tasks.num_alive_tasks() > 0 && looks < LOOKS {
            looks += 1;
            pause().await;
        }
    }

    /// It is not under way any more.
    pub(crate) fn is_over(&self, under_way: UnderWay) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.under_way.remove(&under_way.0);
    }

    pub(crate) fn failure(&self, exit: Exit) -> Failure {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way: Vec<Onward> = std::mem::take(&mut all.under_way).into_values().collect();
        let word = if exit == Exit::Interrupted { "interrupted" } else { "terminated" };
        let what = match under_way.as_slice() {
            [] => return Failure::new(exit, word, "run the command again"),
            [one] if one.resume.is_empty() => {
                let advice = "run the same command again: it goes on where this one stopped";
                return Failure::new(exit, format!("{word}: {}", one.what), advice);
            }
            [one] => one.what.as_str(),
            _ => "the copies go on",
        };
        let joined = |of: fn(&Onward) -> &str| -> String {
            let mut commands: Vec<_> = under_way.iter().map(of).collect();
            // One command may take up several.
            commands.dedup();
            commands.join("; ")
        };
        let (resume, abort) = (joined(|one| &one.resume), joined(|one| &one.abort));
        let failure = Failure::new(exit, format!("{word}: {what}"), "").onward(resume, abort);
        match all.left {
            Some(what_to_do) => failure.or_else_do(what_to_do),
            None => failure,
        }
    }
}

/// How often it is looked whether a lease is released, before the end comes anyhow: for a second.
const LOOKS: u32 = 100;

#[expect(clippy::disallowed_methods, reason = "the process is about to end")]
async fn pause() {
    tokio::time::sleep(std::time::Duration::from_millis(10)).await;
}

/// Comes back when the process is told to end, with the code to end with.
pub(crate) async fn signalled() -> Exit {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        if let Ok(mut terminate) = signal(SignalKind::terminate()) {
            // Of a terminal or a connection that was closed.
            let mut hangup =
                hears_hangup().then(|| signal(SignalKind::hangup())).and_then(|heard| heard.ok());
            let hung_up = async {
                match &mut hangup {
                    Some(hangup) => hangup.recv().await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                _ = terminate.recv() => return Exit::Terminated,
                _ = hung_up => return Exit::Terminated,
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

/// Whether SIGHUP is to end the process: `nohup` has it ignored. Where that is not to be known, the
/// system does with it what it does.
#[cfg(unix)]
fn hears_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status");
    status.is_ok_and(|status| !ignores_hangup(&status).unwrap_or(true))
}

/// What Linux says of the signals that are ignored: SIGHUP is the first.
#[cfg(unix)]
fn ignores_hangup(status: &str) -> Option<bool> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(mask.trim(), 16).ok().map(|mask| mask & 1 == 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(name: &str) -> Onward {
        Onward {
            what: "the copy goes on".to_owned(),
            resume: format!("blobcopy status backups/{name} --wait"),
            abort: format!("blobcopy abort backups/{name}"),
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_hangup_that_is_ignored_stays_so() {
        let status = |mask: &str| format!("Name:\tblobcopy\nSigIgn:\t{mask}\nSigCgt:\t1\n");
        for (mask, is_ignored) in [
            ("0000000000000001", Some(true)),
            ("0000000000001000", Some(false)),
            ("f", Some(true)),
            ("?", None),
        ] {
            assert_eq!(ignores_hangup(&status(mask)), is_ignored, "{mask}");
        }
        assert_eq!(ignores_hangup("Name:\tblobcopy\n"), None);
    }

    #[test]
    fn an_interrupted_wait_names_the_commands_that_go_on_and_that_end_it() {
        let interrupt = Interrupt::default();
        interrupt.goes_on(copy("d"));
        let failure = interrupt.failure(Exit::Interrupted);
        assert_eq!(failure.exit_code(), 130);
        let told = failure.told().expect("told");
        let [what, then] = told.lines();
        assert_eq!(what, "error: interrupted: the copy goes on");
        assert!(then.contains("`blobcopy status backups/d --wait`"), "{then}");
        assert!(told.json().contains(r#""abort":"blobcopy abort backups/d""#), "{}", told.json());
        assert_eq!(interrupt.failure(Exit::Terminated).exit_code(), 143);
    }

    #[test]
    fn an_interrupted_job_is_taken_up_by_the_same_command() {
        let interrupt = Interrupt::default();
        interrupt.goes_on(Onward::again("the copies that are under way go on"));
        let [what, then] = interrupt.failure(Exit::Interrupted).told().expect("told").lines();
        assert_eq!(what, "error: interrupted: the copies that are under way go on");
        assert!(then.contains("run the same command again"), "{then}");
    }

    #[test]
    fn of_several_copies_it_names_those_that_go_on() {
        let interrupt = Interrupt::default();
        let [_, second, _] = ["a", "b", "c"].map(|name| interrupt.goes_on(copy(name)));
        interrupt.is_over(second);
        let failure = interrupt.failure(Exit::Interrupted);
        let [what, then] = failure.told().expect("told").lines();
        assert_eq!(what, "error: interrupted: the copies go on");
        let ends = "end it with `blobcopy abort backups/a; blobcopy abort backups/c`";
        assert!(then.ends_with(ends), "{then}");
    }
}
