//! The one error type, and what it says about what to do next.

mod advice;
mod authentication;
mod credential;
mod display;
mod service;

use std::{fmt, time::Duration};

use http::StatusCode;
use url::Url;

pub(crate) use self::authentication::{Evidence, ProofKind, Validity};
use self::display::{After, Attempts, Call, TimedOut};
#[cfg(feature = "azure_core")]
pub(crate) use self::service::is_transient;
pub use self::{credential::CredentialError, service::ServiceError};
use crate::{
    models::{CopyId, CopyProgress, CopyState, ErrorCode},
    wire::{
        excerpt::{LONGEST_MESSAGE, place, shown},
        malformed::Malformed,
        redaction::redact,
        transport::{TransportError, TransportErrorKind},
    },
};

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not do what was asked.
///
/// Each says what it was about: the operation and the URL, or the copy and its destination, or the
/// argument. No form of it (`Debug`, `Display`, the chain of sources) holds a key, a token or the
/// signature of a SAS. It is at most 128 bytes large.
///
/// ```
/// use blobcopy::{CopyId, Error};
///
/// let error = "".parse::<CopyId>().unwrap_err();
/// assert!(matches!(error, Error::InvalidInput { .. }));
/// assert!(!error.is_retryable() && !error.may_have_been_applied());
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The service answered, and refused.
    #[error(transparent)]
    Service(Box<ServiceError>),

    /// No whole answer came back, after all retries.
    #[error("{}: {fault}{}", Call(operation, url), Attempts(*attempts))]
    #[non_exhaustive]
    Transport {
        /// The operation, by its name in the REST reference.
        operation: &'static str,
        /// The URL that the request was sent to, without its query and redacted. Empty if the HTTP
        /// client could not be built.
        url: String,
        /// What went wrong on the last attempt.
        fault: TransportError,
        /// How many times it was tried.
        attempts: u32,
        /// Whether the service may have applied one of them, for an operation that changes state.
        ambiguous: bool,
    },

    /// No answer came back within the time allowed for an attempt, after all retries.
    #[error("{}: no answer within {limit:?}{}", Call(operation, url), Attempts(*attempts))]
    #[non_exhaustive]
    Timeout {
        /// The operation, by its name in the REST reference.
        operation: &'static str,
        /// The URL that the request was sent to, without its query and redacted.
        url: String,
        /// The time that each attempt was given.
        limit: Duration,
        /// How many times it was tried.
        attempts: u32,
        /// Whether the service may have applied one of them, for an operation that changes state.
        ambiguous: bool,
    },

    /// The credential could not authorize the request, and this attempt was not sent.
    #[error("{}: {cause}{}", Call(operation, url), Attempts(*attempts))]
    #[non_exhaustive]
    Credential {
        /// The operation, by its name in the REST reference; Get Blob for a token with which the
        /// service is to read the source of a copy.
        operation: &'static str,
        /// The URL that the request was for, without its query and redacted.
        url: String,
        /// Why.
        cause: CredentialError,
        /// How many times it was tried.
        attempts: u32,
        /// Whether the service may have applied an attempt before this one.
        ambiguous: bool,
    },

    /// An argument breaks a rule; nothing was sent.
    #[error("{what}: {why}")]
    #[non_exhaustive]
    InvalidInput {
        /// The argument.
        what: &'static str,
        /// Its value, with secrets redacted, and the rule that it breaks.
        why: String,
    },

    /// The answer is a success, but of something that the documentation does not allow, or without
    /// any of the headers that the service sends: then a proxy, gateway or captive portal answered
    /// in its place.
    #[error("{}: unexpected answer: {why}", Call(operation, url))]
    #[non_exhaustive]
    UnexpectedResponse {
        /// The operation, by its name in the REST reference.
        operation: &'static str,
        /// The URL that the request was sent to, without its query and redacted.
        url: String,
        /// What was missing or malformed.
        why: String,
        /// Whether the operation changes something, which the service may have done.
        ambiguous: bool,
    },

    /// The copy ended with status `failed`. The destination is empty.
    #[error(
        "copy {copy_id} to {destination} failed{}{}",
        After(": ", description),
        After(" at ", progress)
    )]
    #[non_exhaustive]
    CopyFailed {
        /// Which copy.
        copy_id: CopyId,
        /// The destination's URL, without its query and redacted.
        destination: String,
        /// Why, in the service's words: a status, a code and a text.
        description: Option<String>,
        /// How far it had come.
        progress: Option<CopyProgress>,
    },

    /// The copy ended with status `aborted`. The destination is empty.
    #[error("copy {copy_id} to {destination} was aborted{}", After(" at ", progress))]
    #[non_exhaustive]
    CopyAborted {
        /// Which copy.
        copy_id: CopyId,
        /// The destination's URL, without its query and redacted.
        destination: String,
        /// How far it had come.
        progress: Option<CopyProgress>,
    },

    /// The destination now carries another copy: someone started one over ours.
    #[error("copy {copy_id} was superseded: {destination} now carries copy {found}")]
    #[non_exhaustive]
    CopySuperseded {
        /// The copy that was watched.
        copy_id: CopyId,
        /// The destination's URL, without its query and redacted.
        destination: String,
        /// The copy that the destination carries now.
        found: CopyId,
    },

    /// The destination was deleted while the copy was watched.
    #[error(
        "{destination}, the destination of copy {copy_id}, is gone: it was deleted while the copy was watched"
    )]
    #[non_exhaustive]
    CopyDestinationGone {
        /// The copy that was watched.
        copy_id: CopyId,
        /// The destination's URL, without its query and redacted.
        destination: String,
    },

    /// The destination exists, but carries no copy properties: someone wrote it since. How the copy
    /// ended cannot be known.
    #[error(
        "{destination} carries no copy properties: it was written since copy {copy_id} started, and how \
         the copy ended cannot be known"
    )]
    #[non_exhaustive]
    NoCopyProperties {
        /// The copy that was watched.
        copy_id: CopyId,
        /// The destination's URL, without its query and redacted.
        destination: String,
    },

    /// The time given to a wait has passed. The copy goes on, and can be waited for again.
    ///
    /// The text says when no poll got through at all, and what holds up a copy that will not go on
    /// by itself.
    #[error("{}", TimedOut {
        copy_id,
        destination,
        last: last.as_deref(),
        polls_answered: *polls_answered,
        cause: cause.as_deref(),
    })]
    #[non_exhaustive]
    WaitTimedOut {
        /// Which copy.
        copy_id: CopyId,
        /// The destination's URL, without its query and redacted.
        destination: String,
        /// What was last seen of the copy: its status, progress and description. `None` when
        /// nothing is known of it but its id.
        last: Option<Box<CopyState>>,
        /// How many polls of this wait the service answered.
        polls_answered: u64,
        /// What went wrong with the last poll, if something did.
        #[source]
        cause: Option<Box<Error>>,
    },
}

impl Error {
    /// An argument `what` whose `value` breaks `rule`.
    pub(crate) fn invalid(what: &'static str, value: impl fmt::Display, rule: &str) -> Self {
        const LONGEST: usize = 120;
        let value = redact(&value.to_string()).into_owned();
        // A rule may name another value, such as an endpoint.
        let rule = redact(rule);
        let why = match value.char_indices().nth(LONGEST) {
            None => format!("{value:?} {rule}"),
            Some((end, _)) => format!("{:?}... ({} bytes) {rule}", &value[..end], value.len()),
        };
        Self::InvalidInput { what, why }
    }

    /// An argument `what` that breaks `rule`, with a value that must not be shown.
    pub(crate) fn invalid_secret(what: &'static str, rule: impl Into<String>) -> Self {
        Self::InvalidInput { what, why: format!("(value not shown) {}", rule.into()) }
    }

    /// A successful answer to `operation` at `url` that the documentation does not allow.
    pub(crate) fn unexpected(
        operation: &'static str,
        url: &Url,
        changes: bool,
        why: impl fmt::Display,
    ) -> Self {
        let why = shown(&why.to_string(), LONGEST_MESSAGE);
        Self::UnexpectedResponse { operation, url: place(url), why, ambiguous: changes }
    }

    /// The operation that failed, by its name in the REST reference; `None` where nothing was sent,
    /// and for the end of a copy.
    pub fn operation(&self) -> Option<&'static str> {
        match self {
            Self::Service(error) => Some(error.operation),
            Self::Transport { operation, .. }
            | Self::Timeout { operation, .. }
            | Self::Credential { operation, .. }
            | Self::UnexpectedResponse { operation, .. } => Some(operation),
            _ => None,
        }
    }

    /// The URL that the call was about, without its query and redacted: of a request, or of a
    /// copy's destination. `None` for an argument that breaks a rule.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("no such blob");
    /// let error = blob.get_properties().await.unwrap_err();
    /// assert!(error.url().is_some_and(|url| url.ends_with("/vhds/no%20such%20blob")));
    /// # Ok(()) });
    /// ```
    pub fn url(&self) -> Option<&str> {
        match self {
            Self::Service(error) => Some(&error.url),
            Self::Transport { url, .. }
            | Self::Timeout { url, .. }
            | Self::Credential { url, .. }
            | Self::UnexpectedResponse { url, .. } => Some(url),
            Self::CopyFailed { destination, .. }
            | Self::CopyAborted { destination, .. }
            | Self::CopySuperseded { destination, .. }
            | Self::CopyDestinationGone { destination, .. }
            | Self::NoCopyProperties { destination, .. }
            | Self::WaitTimedOut { destination, .. } => Some(destination),
            Self::InvalidInput { .. } => None,
        }
    }

    /// The HTTP status, when the service answered with an error.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Service(error) => Some(error.status),
            _ => None,
        }
    }

    /// The service's error code, when it answered with an error.
    pub fn code(&self) -> Option<&ErrorCode> {
        match self {
            Self::Service(error) => Some(&error.code),
            _ => None,
        }
    }

    /// Whether the service itself says that what the call was about is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Service(refusal)
            if refusal.from_service && refusal.status == StatusCode::NOT_FOUND)
    }

    /// How long the service asks the client to wait (`Retry-After`), if it does.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Service(error) => error.retry_after,
            _ => None,
        }
    }

    /// Whether the same call may well succeed a little later: the service was busy or out of reach.
    ///
    /// The call has already been retried as its options say. For a call that changes something,
    /// look at [`may_have_been_applied`](Error::may_have_been_applied) too.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Service(error) => error.is_transient(),
            Self::Transport { fault, .. } => fault.kind() != TransportErrorKind::Unusable,
            Self::Timeout { .. } => true,
            Self::Credential { cause, .. } => cause.is_transient(),
            _ => false,
        }
    }

    /// Whether it says nothing of what the call was about, so that a later one may: the service was
    /// busy or out of reach, or what answered was not the service, or could not be read.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Service(refusal) if !refusal.from_service => true,
            Self::UnexpectedResponse { .. } => true,
            error => error.is_retryable(),
        }
    }

    /// Whether the service may have done what was asked although the call failed.
    ///
    /// True when an attempt at an operation that changes something got no answer, or one that
    /// leaves it open: a 5xx other than the service's 503, or a success that is not as it must be.
    /// Look at the state of things before you repeat it.
    pub fn may_have_been_applied(&self) -> bool {
        match self {
            Self::Service(error) => error.ambiguous,
            Self::Transport { ambiguous, .. }
            | Self::Timeout { ambiguous, .. }
            | Self::Credential { ambiguous, .. }
            | Self::UnexpectedResponse { ambiguous, .. } => *ambiguous,
            _ => false,
        }
    }
}

impl Malformed {
    /// The refusal of an argument `what`, whose `value` cannot be sent.
    pub(crate) fn at(self, what: &'static str, value: impl fmt::Display) -> Error {
        Error::invalid(what, value, &self.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_small_and_can_cross_threads() {
        fn crosses<T: Send + Sync + 'static>() {}
        crosses::<Error>();
        assert!(size_of::<Error>() <= 128, "{} bytes", size_of::<Error>());
    }

    #[test]
    fn an_ending_shows_no_secret_of_an_id_or_a_name() {
        let key = "kC0a8w+RkUZf1yGmV7/oWcN4sT9qXbJ2eLhD5iPz3uE6vYtMnHrB0gAjSxKdQFpO8lU2aVw1mXc5RzTyNi7fGg==";
        let copy_id: CopyId = key.parse().expect("an id");
        let destination = place(&format!("https://a.example/c/{key}").parse().expect("a URL"));
        let error = Error::CopySuperseded { found: copy_id.clone(), copy_id, destination };
        let shown = format!("{error} {error:?}");
        assert!(shown.contains("REDACTED") && !shown.contains(&key[..30]), "{shown}");
    }

    #[test]
    fn bad_values_are_cut_and_redacted() {
        let error = Error::invalid("source", "https://a/b?sig=SECRET", "is not allowed");
        assert_eq!(error.to_string(), "source: \"https://a/b?sig=REDACTED\" is not allowed");
        let error = Error::invalid("blob name", "x".repeat(5000), "is too long").to_string();
        assert!(error.len() < 200 && error.contains("(5000 bytes) is too long"), "{error}");
    }
}
