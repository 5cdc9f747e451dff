//! What really happened: every answer of the simulator, whatever reached the client.

use std::{
    collections::{BTreeMap, BTreeSet},
    error::Error as StdError,
    fmt::Debug,
    iter,
    sync::{Mutex, MutexGuard},
};

use blobcopy::Error;
use bytes::Bytes;
use time::OffsetDateTime;

use super::tally::{Group, Tally};

/// Shared by all clients in the world of one seed.
#[derive(Debug, Default)]
pub(super) struct Truth(Mutex<Book>);

#[derive(Debug, Default)]
pub(super) struct Book {
    pub(super) calls: BTreeMap<String, Call>,
    pub(super) accepted: Vec<Accepted>,
    pub(super) seen: Vec<Seen>,
    /// The result of each copy, by id, recorded when the client first learned of the success.
    pub(super) left: BTreeMap<String, Bytes>,
    /// The copies whose abort by the client under test the service has accepted.
    pub(super) aborted: BTreeSet<String>,
    /// Calls that reported that they were not applied.
    pub(super) never: Vec<String>,
    pub(super) secrets: BTreeSet<String>,
    pub(super) shown: Vec<String>,
    pub(super) log: Vec<String>,
    pub(super) wrong: Vec<String>,
    pub(super) tally: Tally,
}

/// A start by the client under test, by the request id that its attempts and checks share.
#[derive(Debug, Clone)]
pub(super) struct Call {
    pub(super) begun: OffsetDateTime,
    /// Whether the source is a snapshot.
    pub(super) immutable: bool,
    /// The source, once an attempt has named it.
    pub(super) source: Option<String>,
    pub(super) attempts: usize,
    /// Whether a check met a fault, so that it was late or brought no date.
    pub(super) blurred: bool,
}

/// A start that the service has accepted.
#[derive(Debug, Clone)]
pub(super) struct Accepted {
    pub(super) id: String,
    pub(super) call: String,
    pub(super) ours: bool,
    pub(super) attempt: usize,
    pub(super) blob: String,
    /// The source's path, and its snapshot if it is one.
    pub(super) source: String,
}

/// The service's answer to a check by the client under test.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Seen {
    pub(super) call: Option<String>,
    pub(super) blob: String,
    pub(super) state: State,
}

/// The last copy into a blob, as its properties report it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum State {
    Absent,
    NoCopy,
    Copy { id: String, status: String, completed: Option<OffsetDateTime> },
}

impl State {
    pub(super) fn is(&self, copy: &str, wanted: &str) -> bool {
        matches!(self, Self::Copy { id, status, .. } if id == copy && status == wanted)
    }
}

impl Truth {
    pub(super) fn book(&self) -> MutexGuard<'_, Book> {
        self.0.lock().expect("no thread panics while it holds it")
    }

    pub(super) fn count(&self, group: Group, kind: &'static str) {
        self.book().tally.count(group, kind);
    }
}

impl Book {
    /// Records the client's output to its user, for the search for secrets.
    pub(super) fn show(&mut self, value: &impl Debug) {
        self.shown.push(format!("{value:?}"));
    }

    pub(super) fn show_error(&mut self, error: &Error) {
        let chain = iter::successors(Some(error as &dyn StdError), |&error| error.source());
        self.shown.extend(chain.map(|error| format!("{error} {error:?}")));
    }

    /// Judges a start that the service accepts, given the last copy that the destination reported
    /// before. A copy that ended more than `doubt` after a call began is known to have done so.
    pub(super) fn accept(&mut self, new: Accepted, before: &State, doubt: time::Duration) {
        let incremental = new.blob.ends_with("incremental");
        for earlier in self.accepted.iter().filter(|earlier| new.ours && earlier.call == new.call) {
            if new.attempt < earlier.attempt {
                // The network delayed it: no client could have known.
                let kind = match incremental {
                    true => "incremental attempt that came when a later one was over",
                    false => "ordinary attempt that came when a later one was over",
                };
                self.tally.count(Group::Note, kind);
                continue;
            }
            let State::Copy { id, status, completed } = before else { continue };
            if *id != earlier.id {
                continue;
            }
            let call = &self.calls[&new.call];
            let doubt = call.begun + doubt;
            let doubtful = call.blurred || completed.is_none_or(|completed| completed < doubt);
            let mut looks = self.seen.iter().rev();
            let last = looks.find(|seen| seen.call.as_ref() == Some(&new.call));
            let looked = last.is_some_and(|seen| seen.state.is(id, status));
            let allowed = match status.as_str() {
                // Sent although a check did not show it, and without a condition on what the check
                // showed.
                _ if !looked => false,
                "failed" | "aborted" => !incremental || doubtful,
                _ => !call.immutable && doubtful,
            };
            if allowed {
                self.tally.count(Group::Note, "started again, the first being over");
            } else {
                let Accepted { call, id: second, .. } = &new;
                self.wrong.push(format!("{call} started {second} over its own {id}, {status}"));
            }
        }
        self.accepted.push(new);
    }

    /// Checks that are only possible once no request is pending.
    pub(super) fn close(&mut self) {
        for call in &self.never {
            if let Some(accepted) = self.accepted.iter().find(|accepted| accepted.call == *call) {
                self.wrong.push(format!("{call} was surely not applied, but is {}", accepted.id));
            }
        }
    }

    /// Searches all output and logs for secrets.
    pub(super) fn search(&mut self, events: &[String]) {
        for text in self.shown.iter().chain(events) {
            let signed = text.split("sig=").skip(1).any(|after| !after.starts_with("REDACTED"));
            let words = text.split(|c: char| !c.is_ascii_alphanumeric() && !"+/=%".contains(c));
            let word =
                words.filter(|word| word.len() > 20).find(|word| self.secrets.contains(*word));
            if signed || word.is_some() {
                self.wrong.push(format!("a secret is shown: {text}"));
            }
        }
        if self.secrets.len() < 10 {
            self.wrong.push("hardly any secret was in play".to_owned());
        }
    }
}
