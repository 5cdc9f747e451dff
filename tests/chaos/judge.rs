//! Checks whether the client's results are true.

use std::time::Duration;

use blobcopy::{
    AbortOutcome, CompletedCopy, CopyFromUriOperation, CopyId, CopyState, Error, ErrorCode,
};
use time::OffsetDateTime;

use super::{lane::Expected, tally::Group, truth::State, world::World};

/// The longest that a start may take: all attempts and checks at their longest.
const LONGEST_START: Duration = Duration::from_secs(2 * 3600);

/// How long a wait may take beyond the copy's duration or its timeout.
const SLACK: Duration = Duration::from_secs(2 * 3600);
const LAST_LOOK: Duration = Duration::from_secs(6);

/// One copy that the client under test was asked to make.
#[derive(Debug)]
pub(super) struct Job<'a> {
    world: &'a World,
    call: &'a str,
    blob: String,
    expected: Expected,
    begun: OffsetDateTime,
    /// How much had been recorded when it began.
    seen_before: usize,
}

/// How long a wait may take.
#[derive(Debug, Clone, Copy)]
pub(super) enum Limit {
    Timeout(Duration),
    /// As long as the copy, plus all delays from faults.
    Copy,
}

/// How a wait has succeeded.
pub(super) struct Done {
    id: CopyId,
}

impl From<CompletedCopy> for Done {
    fn from(done: CompletedCopy) -> Self {
        Self { id: done.copy_id }
    }
}

impl From<CopyState> for Done {
    fn from(state: CopyState) -> Self {
        Self { id: state.copy_id }
    }
}

impl<'a> Job<'a> {
    pub(super) fn new(world: &'a World, call: &'a str, blob: String, expected: Expected) -> Self {
        let seen_before = world.truth.book().seen.len();
        Self { world, call, blob, expected, begun: world.now(), seen_before }
    }

    /// Judges the result of a start.
    pub(super) fn start(
        &self,
        started: Result<CopyFromUriOperation, Error>,
    ) -> Option<CopyFromUriOperation> {
        let took = (self.world.now() - self.begun).unsigned_abs();
        let mut book = self.world.truth.book();
        book.log.push(format!("{} {} start: {started:?}", self.world.now(), self.call));
        let mut wrong = Vec::new();
        if took > LONGEST_START {
            wrong.push(format!("the start took {took:?}"));
        }
        let outcome = match &started {
            Ok(copy) => {
                book.show(copy);
                let id = copy.id().as_str();
                let accepted = book.accepted.iter().find(|accepted| accepted.id == id);
                let own = accepted.is_some_and(|accepted| accepted.call == self.call);
                let of_this = accepted.is_some_and(|accepted| {
                    accepted.blob == self.blob
                        && Some(&accepted.source) == book.calls[self.call].source.as_ref()
                });
                if !of_this {
                    wrong.push(format!("copy {id} is none of this source to this destination"));
                }
                match copy.was_adopted() {
                    false if !own => wrong.push(format!("copy {id} is not its own")),
                    false => {}
                    true => {
                        let of_call = book.seen[self.seen_before..].iter().rev();
                        let last =
                            of_call.clone().find(|seen| seen.call.as_deref() == Some(self.call));
                        let well = last.is_some_and(|seen| {
                            seen.state.is(id, "pending") || seen.state.is(id, "success")
                        });
                        if !well {
                            wrong.push(format!("copy {id} was adopted as {last:?}"));
                        }
                    }
                }
                match (copy.was_adopted(), own) {
                    (false, _) => "started",
                    (true, true) => "adopted its own",
                    (true, false) => "adopted another's",
                }
            }
            Err(error) => {
                book.show_error(error);
                if !error.may_have_been_applied() {
                    book.never.push(self.call.to_owned());
                }
                if error.may_have_been_applied() { "lost" } else { "refused" }
            }
        };
        book.tally.count(Group::Start, outcome);
        book.wrong.extend(wrong.into_iter().map(|what| format!("{}: {what}", self.call)));
        started.ok()
    }

    /// Begins to record what the client learns from now on.
    pub(super) fn watch(&self, limit: Limit) -> Watch<'_> {
        let seen_before = self.world.truth.book().seen.len();
        Watch { job: self, limit, begun: self.world.now(), seen_before }
    }
}

/// One wait, or one abort.
#[derive(Debug)]
pub(super) struct Watch<'a> {
    job: &'a Job<'a>,
    limit: Limit,
    begun: OffsetDateTime,
    seen_before: usize,
}

impl Watch<'_> {
    /// Judges the result of a wait; returns whether the copy continues.
    pub(super) fn end(self, id: &CopyId, ended: Result<Done, Error>) -> bool {
        let kind = match &ended {
            Ok(_) => "completed",
            Err(Error::CopyFailed { .. }) => "failed",
            Err(Error::CopyAborted { .. }) => "aborted",
            Err(Error::CopySuperseded { .. }) => "superseded",
            Err(Error::CopyDestinationGone { .. }) => "destination gone",
            Err(Error::NoCopyProperties { .. }) => "no copy properties",
            Err(Error::WaitTimedOut { .. }) => "timed out",
            Err(_) => "service out of reach",
        };
        let wrong = [self.untrue(id, &ended), self.too_long()];
        self.say(Group::Wait, kind, ended.as_ref().err(), wrong);
        kind == "timed out"
    }

    /// The false statements about an ending.
    fn untrue(&self, id: &CopyId, ended: &Result<Done, Error>) -> Option<String> {
        let took = self.took();
        let error = match ended {
            Ok(done) if done.id != *id => return Some(format!("{} is not {id}", done.id)),
            Ok(_) => return self.wrong_content(id.as_str()),
            Err(error) => error,
        };
        let known = match error {
            Error::CopyFailed { copy_id, .. } => copy_id == id && self.ever(id, "failed"),
            Error::CopyAborted { copy_id, .. } => copy_id == id && self.ever(id, "aborted"),
            Error::CopySuperseded { copy_id, found, .. } => {
                copy_id == id && self.saw(|state| is_copy(state, found.as_str()))
            }
            Error::CopyDestinationGone { .. } => self.saw(|state| *state == State::Absent),
            Error::NoCopyProperties { .. } => self.saw(|state| *state == State::NoCopy),
            Error::WaitTimedOut { .. } => match self.limit {
                Limit::Timeout(limit) => took >= limit,
                Limit::Copy => false,
            },
            error if error.is_retryable() => match self.limit {
                Limit::Timeout(limit) => took >= limit,
                Limit::Copy => took >= Duration::from_secs(3600),
            },
            _ => false,
        };
        (!known).then(|| format!("this is not so: {error:?}"))
    }

    /// Success is wrong if the copy did not succeed, or left another result.
    fn wrong_content(&self, id: &str) -> Option<String> {
        let book = self.job.world.truth.book();
        if !book.seen.iter().any(|seen| seen.state.is(id, "success")) && !book.left.contains_key(id)
        {
            return Some(format!("copy {id} did not succeed"));
        }
        let Some(left) = book.left.get(id) else { return Some(format!("copy {id} left nothing")) };
        let right = match &self.job.expected {
            Expected::Exactly(content) => left == content,
            Expected::Live(source) => source.held(left, self.job.begun, self.job.world.now()),
        };
        (!right).then(|| format!("copy {id} left what the source did not hold"))
    }

    fn too_long(&self) -> Option<String> {
        let world = self.job.world;
        let longest = match self.limit {
            Limit::Timeout(limit) => limit + LAST_LOOK,
            Limit::Copy => world.duration * 8 + SLACK,
        };
        (self.took() > longest).then(|| format!("took {:?} of {longest:?}", self.took()))
    }

    /// Judges the result of an abort.
    pub(super) fn abort(self, id: &CopyId, outcome: Result<AbortOutcome, Error>) {
        let (kind, known) = match &outcome {
            Ok(AbortOutcome::Aborted) => (
                "aborted",
                self.ever(id, "aborted")
                    || self.job.world.truth.book().aborted.contains(id.as_str()),
            ),
            Ok(AbortOutcome::AlreadyFinished(state)) => {
                ("already finished", state.copy_id == *id && self.ever(id, state.status.as_str()))
            }
            // A copy with a known id is never searched for.
            Ok(_) => ("aborted", false),
            Err(Error::CopySuperseded { copy_id, found, .. }) => (
                "superseded or gone",
                copy_id == id && self.saw(|state| is_copy(state, found.as_str())),
            ),
            Err(Error::NoCopyProperties { .. }) => {
                ("superseded or gone", self.saw(|state| *state == State::NoCopy))
            }
            Err(Error::CopyDestinationGone { .. }) => ("superseded or gone", self.gone()),
            // Applied or not: after a lost answer the client does not claim to know.
            Err(error) if error.is_retryable() => ("lost", true),
            Err(error) => ("lost", error.code() != Some(&ErrorCode::BlobNotFound)),
        };
        let wrong = (!known).then(|| format!("this is not so: {outcome:?}"));
        self.say(Group::Abort, kind, outcome.as_ref().err(), [wrong, self.too_long()]);
    }

    /// Whether the destination was missing at some time, as far as the abort could see.
    fn gone(&self) -> bool {
        self.saw(|state| *state == State::Absent)
            || self
                .job
                .world
                .truth
                .book()
                .log
                .iter()
                .any(|line| line.contains("Abort of") && line.contains(" 404 "))
    }

    /// Whether the service has ever reported this about the copy to the client under test.
    fn ever(&self, id: &CopyId, status: &str) -> bool {
        self.job.world.truth.book().seen.iter().any(|seen| seen.state.is(id.as_str(), status))
    }

    /// Whether the service has reported this about the destination to the client since the watch
    /// began.
    fn saw(&self, what: impl Fn(&State) -> bool) -> bool {
        let book = self.job.world.truth.book();
        let mut since = book.seen[self.seen_before..].iter();
        since.any(|seen| seen.blob == self.job.blob && what(&seen.state))
    }

    fn took(&self) -> Duration {
        (self.job.world.now() - self.begun).unsigned_abs()
    }

    fn say(
        &self,
        group: Group,
        kind: &'static str,
        error: Option<&Error>,
        wrong: [Option<String>; 2],
    ) {
        let (now, call) = (self.job.world.now(), self.job.call);
        let mut book = self.job.world.truth.book();
        book.tally.count(group, kind);
        book.log.push(format!("{now} {call} {group:?}: {kind} {error:?}"));
        if let Some(error) = error {
            book.show_error(error);
        }
        book.wrong.extend(wrong.into_iter().flatten().map(|what| format!("{call}: {what}")));
    }
}

fn is_copy(state: &State, copy: &str) -> bool {
    matches!(state, State::Copy { id, .. } if id == copy)
}
