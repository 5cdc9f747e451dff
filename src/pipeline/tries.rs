//! The attempts of one call, and the errors that report them.

use std::time::Duration;

use tokio::time::Instant;
use uuid::Uuid;

use super::{
    request::Prepared,
    response::{History, Refusal},
    retry,
};
use crate::{
    error::{CredentialError, Error, Evidence},
    wire::{excerpt::place, headers, redaction::redact, transport::TransportError},
};

/// The attempts of one call so far.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    pub(crate) made: u32,
    /// How many of them do not count as retries, because the service was busy.
    spared: u32,
    /// How many in a row were throttled, up to the last one, and since when.
    throttled: Option<(u32, Instant)>,
    /// Whether one of them may have been applied although its response was lost.
    pub(crate) ambiguous: bool,
    /// The wait that the service demanded with the last one.
    pub(crate) retry_after: Option<Duration>,
    /// The error of the last attempt that was retried.
    pub(crate) fault: Option<Box<Error>>,
    /// Whether one was sent again with a token of the tenant that the service named.
    pub(super) challenged: bool,
    /// The client request id of all of them, unless the caller set one.
    id: Option<Uuid>,
}

/// An attempt: its operation and request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Attempt<'a> {
    /// The name of the operation in the REST reference.
    pub(super) operation: &'static str,
    /// Whether the operation writes.
    pub(super) changes: bool,
    pub(super) request: &'a Prepared,
}

impl Attempt<'_> {
    fn url(&self) -> String {
        place(&self.request.url)
    }

    /// The URL of its copy source.
    fn source_url(&self) -> Option<String> {
        let source = self.request.headers.get(headers::COPY_SOURCE)?.to_str().ok()?;
        match source.parse() {
            Ok(url) => Some(place(&url)),
            // A path, before version 2012-02-12.
            Err(_) => source.split('?').next().map(|path| redact(path).into_owned()),
        }
    }
}

impl Tries {
    /// Counts another attempt.
    pub(super) fn begin(&mut self) {
        self.made += 1;
        self.retry_after = None;
    }

    /// The attempts that count, for the limit of retries.
    pub(crate) fn counted(&self) -> u32 {
        self.made - self.spared
    }

    /// Records that the last attempt was throttled. It does not count until the call has been
    /// throttled for the time of `patience`: then it returns how many were throttled in a row.
    pub(super) fn throttled(&mut self, now: Instant, patience: Duration) -> Option<u32> {
        let (before, since) = self.throttled.unwrap_or((0, now));
        let in_a_row = before.saturating_add(1);
        self.throttled = Some((in_a_row, since));
        let is_patient = now.saturating_duration_since(since) < patience;
        self.spared += u32::from(is_patient);
        is_patient.then_some(in_a_row)
    }

    /// Records that the last attempt was not throttled.
    pub(super) fn not_throttled(&mut self) {
        self.throttled = None;
    }

    /// The client request id of all attempts.
    pub(super) fn id(&mut self) -> Uuid {
        *self.id.get_or_insert_with(|| {
            uuid::Builder::from_random_bytes(fastrand::u128(..).to_le_bytes()).into_uuid()
        })
    }

    /// Records a failed attempt. Returns whether any attempt may have been applied.
    pub(super) fn failed(&mut self, attempt: Attempt<'_>, surely_not_applied: bool) -> bool {
        self.ambiguous |= attempt.changes && !surely_not_applied;
        self.ambiguous
    }

    /// The error of an attempt that was not sent.
    pub(super) fn not_authorized(&mut self, attempt: Attempt<'_>, cause: CredentialError) -> Error {
        Error::Credential {
            operation: attempt.operation,
            url: attempt.url(),
            cause,
            attempts: self.made,
            ambiguous: self.failed(attempt, true),
        }
    }

    /// The error of an attempt without a complete response.
    pub(super) fn broken(&mut self, attempt: Attempt<'_>, fault: TransportError) -> Error {
        let sure = retry::surely_not_sent(fault.kind());
        Error::Transport {
            operation: attempt.operation,
            url: attempt.url(),
            fault,
            attempts: self.made,
            ambiguous: self.failed(attempt, sure),
        }
    }

    /// The error of an attempt without a response in time.
    pub(super) fn late(&mut self, attempt: Attempt<'_>, limit: Duration) -> Error {
        Error::Timeout {
            operation: attempt.operation,
            url: attempt.url(),
            limit,
            attempts: self.made,
            ambiguous: self.failed(attempt, false),
        }
    }

    /// The error of an attempt with an error response.
    pub(super) fn refused(
        &mut self,
        attempt: Attempt<'_>,
        refusal: Refusal,
        evidence: Option<Evidence>,
    ) -> Error {
        let sure = retry::surely_refused(refusal.status, refusal.from_service);
        let given = attempt.request.headers.get(headers::CLIENT_REQUEST_ID);
        let given = given.and_then(|id| id.to_str().ok().map(|id| redact(id).into_owned()));
        let history = History {
            operation: attempt.operation,
            url: attempt.url(),
            source_url: attempt.source_url(),
            client_request_id: given.unwrap_or_else(|| self.id().to_string()),
            attempts: self.made,
            retry_after: self.retry_after,
            ambiguous: self.failed(attempt, sure),
            evidence: evidence.map(Box::new),
        };
        Error::Service(Box::new(refusal.after(history)))
    }
}
