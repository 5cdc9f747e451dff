//! What the process ends with.

/// The exit codes, as `--help` shows them and scripts may rely on them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Finished, but something differs, or was left that another run may mend.
    Unfinished = 1,
    Refused = 2,
    CopyFailed = 3,
    /// The copy was aborted or superseded, or its destination is gone.
    CopyLost = 4,
    Pending = 5,
    /// The network, a busy service, or a login.
    Unreachable = 6,
    /// Finished, and another run cannot mend what is left.
    Hopeless = 42,
    Usage = 64,
    Interrupted = 130,
    Terminated = 143,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        self as u8
    }
}

pub(crate) const HELP: &str = "\
Exit codes:
  0    done
  1    finished, but something differs, or was left that another run may mend
  2    refused by the service
  3    the copy failed
  4    the copy was aborted or superseded, or its destination is gone
  5    the copy is still pending at the timeout
  6    network, throttled, or no token from the login
  42   finished, but all that is left can never work: running it again is pointless
  64   usage: an argument, a variable or a file is wrong
  130  interrupted by Ctrl-C
  143  ended by SIGTERM, or by SIGHUP";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_help_names_every_code() {
        let all = [
            Exit::Unfinished,
            Exit::Refused,
            Exit::CopyFailed,
            Exit::CopyLost,
            Exit::Pending,
            Exit::Unreachable,
            Exit::Hopeless,
            Exit::Usage,
            Exit::Interrupted,
            Exit::Terminated,
        ];
        for exit in all {
            let line = format!("\n  {:<5}", exit.code());
            assert!(HELP.contains(&line), "{exit:?}");
        }
    }
}
