//! `--take-lock` and `--wait`: what to do about another run that holds the lock.

use std::time::Duration;

use blobcopy::disks::{LockWait, MirrorError, Prune, SnapshotMirror};
use clap::Args;

use crate::{failure::Failure, moment, output::Printer};

#[derive(Debug, Clone, Copy, Default, Args)]
#[command(next_help_heading = "Another run that is at work")]
pub(crate) struct LockArgs {
    /// Waits for it, in place of ending with 1; with a TIME such as 30m, at most so long
    #[arg(
        long, value_name = "TIME", num_args = 0..=1, require_equals = true,
        default_missing_value = "unlimited", value_parser = limit, conflicts_with = "take_lock"
    )]
    wait: Option<Limit>,
    /// Breaks its lock, if it is known to be dead
    #[arg(long)]
    take_lock: bool,
}

/// How long to wait; `None` is without a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Limit(Option<Duration>);

fn limit(text: &str) -> Result<Limit, String> {
    match text {
        "unlimited" => Ok(Limit(None)),
        _ => moment::duration(text).map(|limit| Limit(Some(limit))),
    }
}

/// Sets what a mirror and a prune both have.
macro_rules! locking {
    ($call:expr, $args:expr, $printer:expr) => {{
        let call = match $args.wait {
            None => $call,
            Some(Limit(None)) => $call.wait_for_lock(),
            Some(Limit(Some(limit))) => $call.lock_timeout(limit),
        };
        let call = if $args.take_lock { call.take_lock() } else { call };
        call.on_lock_wait(telling($printer))
    }};
}

impl LockArgs {
    /// A mirror that takes the lock of a run as the flags say, and tells when it waits.
    pub(crate) fn of_mirror(self, mirror: SnapshotMirror, printer: &Printer) -> SnapshotMirror {
        locking!(mirror, self, printer)
    }

    pub(crate) fn of_prune(self, prune: Prune, printer: &Printer) -> Prune {
        locking!(prune, self, printer)
    }

    pub(crate) fn takes_lock(self) -> bool {
        self.take_lock
    }

    /// The failure of what took the lock, for somebody who may have waited for it already.
    pub(crate) fn failure(self, error: MirrorError) -> Failure {
        let is_busy = matches!(error, MirrorError::Busy { .. });
        let failure = Failure::from(error);
        match self.wait {
            Some(_) if is_busy => failure.advising(
                "wait longer, with a greater --wait; if that run is known to be dead, --take-lock \
                 breaks its lock, which ends by itself within a minute",
            ),
            _ => failure,
        }
    }
}

fn telling(printer: &Printer) -> impl Fn(&LockWait) + Send + Sync + 'static {
    let printer = printer.clone();
    move |wait| printer.note(&wait.to_string())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Line {
        #[command(flatten)]
        lock: LockArgs,
    }

    #[test]
    fn a_wait_has_a_limit_or_none() {
        let read = |flags: &[&str]| {
            let line = Line::try_parse_from(["x"].iter().chain(flags));
            line.map(|line| line.lock.wait)
        };
        let minutes = |minutes: u64| Some(Limit(Some(Duration::from_secs(60 * minutes))));
        assert_eq!(read(&[]).expect("no wait"), None);
        assert_eq!(read(&["--wait"]).expect("a wait"), Some(Limit(None)));
        assert_eq!(read(&["--wait=unlimited"]).expect("a wait"), Some(Limit(None)));
        assert_eq!(read(&["--wait=30m"]).expect("a wait"), minutes(30));
        for bad in [&["--wait=soon"][..], &["--wait=0"], &["--wait", "--take-lock"]] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }
}
