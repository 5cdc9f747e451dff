//! The crate's error type, and its advice on what to do next.

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

/// Why a call failed.
///
/// Every error names its subject: the operation and the URL, the copy and its destination, or the
/// argument. No form of it (`Debug`, `Display`, the chain of sources) contains a key, a token or a
/// SAS signature. Its size is at most 128 bytes.
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
    /// The service responded with an error.
    #[error(transparent)]
    Service(Box<ServiceError>),

    /// No complete response arrived, after all retries.
    #[error("{}: {fault}{}", Call(operation, url), Attempts(*attempts))]
    #[non_exhaustive]
    Transport {
        /// The operation's name in the REST reference, or "building the HTTP client".
        operation: &'static str,
        /// The request's URL, redacted and without its query. Empty if the HTTP client could not be
        /// built.
        url: String,
        /// What went wrong on the last attempt.
        fault: TransportError,
        /// The number of attempts.
        attempts: u32,
        /// Whether the service may have applied one of the attempts; `false` for operations that
        /// only read.
        ambiguous: bool,
    },

    /// No response arrived within the time allowed for an attempt, after all retries.
    #[error("{}: no response within {limit:?}{}", Call(operation, url), Attempts(*attempts))]
    #[non_exhaustive]
    Timeout {
        /// The operation's name in the REST reference.
        operation: &'static str,
        /// The request's URL, redacted and without its query.
        url: String,
        /// The time allowed for each attempt.
        limit: Duration,
        /// The number of attempts.
        attempts: u32,
        /// Whether the service may have applied one of the attempts; `false` for operations that
        /// only read.
        ambiguous: bool,
    },

    /// The credential could not authorize the request, and this attempt was not sent.
    #[error("{}: {cause}{}", Call(operation, url), Attempts(*attempts))]
    #[non_exhaustive]
    Credential {
        /// The operation's name in the REST reference; Get Blob if the token was for reading the
        /// source of a copy.
        operation: &'static str,
        /// The request's URL, redacted and without its query.
        url: String,
        /// Why the credential failed.
        cause: CredentialError,
        /// The number of attempts.
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
        /// Its value, with secrets redacted, and the rule it breaks.
        why: String,
    },

    /// The response is a success that the REST reference does not allow for this operation. One
    /// without any of the service's headers came from a proxy, gateway or captive portal instead.
    #[error("{}: unexpected response: {why}", Call(operation, url))]
    #[non_exhaustive]
    UnexpectedResponse {
        /// The operation's name in the REST reference.
        operation: &'static str,
        /// The request's URL, redacted and without its query.
        url: String,
        /// What was missing or malformed.
        why: String,
        /// Whether the service may have applied the operation; `false` for operations that only
        /// read.
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
        /// The copy's id.
        copy_id: CopyId,
        /// The destination's URL, redacted and without its query.
        destination: String,
        /// The service's reason: a status, a code and a text.
        description: Option<String>,
        /// How far the copy got.
        progress: Option<CopyProgress>,
    },

    /// The copy ended with status `aborted`. The destination is empty.
    #[error("copy {copy_id} to {destination} was aborted{}", After(" at ", progress))]
    #[non_exhaustive]
    CopyAborted {
        /// The copy's id.
        copy_id: CopyId,
        /// The destination's URL, redacted and without its query.
        destination: String,
        /// How far the copy got.
        progress: Option<CopyProgress>,
    },

    /// The destination now carries another copy, which was started after this one.
    #[error("copy {copy_id} was superseded: {destination} now carries copy {found}")]
    #[non_exhaustive]
    CopySuperseded {
        /// The id of the copy that was watched.
        copy_id: CopyId,
        /// The destination's URL, redacted and without its query.
        destination: String,
        /// The id of the copy that the destination carries now.
        found: CopyId,
    },

    /// The destination was deleted while the copy was watched.
    #[error(
        "the destination of copy {copy_id} is gone: {destination} was deleted while the copy was \
         watched"
    )]
    #[non_exhaustive]
    CopyDestinationGone {
        /// The id of the copy that was watched.
        copy_id: CopyId,
        /// The destination's URL, redacted and without its query.
        destination: String,
    },

    /// The destination exists but carries no copy properties: it was written after the copy
    /// started, and how the copy ended is unknown.
    #[error(
        "{destination} carries no copy properties: it was written after copy {copy_id} started, so \
         how the copy ended is unknown"
    )]
    #[non_exhaustive]
    NoCopyProperties {
        /// The id of the copy that was watched.
        copy_id: CopyId,
        /// The destination's URL, redacted and without its query.
        destination: String,
    },

    /// A wait reached its timeout. The copy continues and can be waited for again.
    ///
    /// The message says if no poll succeeded, and what is blocking a copy that cannot continue on
    /// its own.
    #[error("{}", TimedOut {
        copy_id,
        destination,
        last: last.as_deref(),
        polls_answered: *polls_answered,
        cause: cause.as_deref(),
    })]
    #[non_exhaustive]
    WaitTimedOut {
        /// The copy's id.
        copy_id: CopyId,
        /// The destination's URL, redacted and without its query.
        destination: String,
        /// The last known state of the copy: its status, progress and description. `None` if only
        /// its id is known.
        last: Option<Box<CopyState>>,
        /// How many polls of this wait succeeded.
        polls_answered: u64,
        /// Why the last poll failed, if it did.
        #[source]
        cause: Option<Box<Error>>,
    },
}

impl Error {
    /// An argument `what` whose `value` breaks `rule`.
    pub(crate) fn invalid(what: &'static str, value: impl fmt::Display, rule: &str) -> Self {
        const LONGEST: usize = 120;
        let value = redact(&value.to_string()).into_owned();
        // A rule may quote another value, such as an endpoint.
        let rule = redact(rule);
        let why = match value.char_indices().nth(LONGEST) {
            None => format!("{value:?} {rule}"),
            Some((end, _)) => format!("{:?}... ({} bytes) {rule}", &value[..end], value.len()),
        };
        Self::InvalidInput { what, why }
    }

    /// An argument `what` that breaks `rule`, whose value must not be shown.
    pub(crate) fn invalid_secret(what: &'static str, rule: impl Into<String>) -> Self {
        Self::InvalidInput { what, why: format!("(value not shown) {}", rule.into()) }
    }

    /// A success response to `operation` at `url` that the REST reference does not allow.
    pub(crate) fn unexpected(
        operation: &'static str,
        url: &Url,
        changes: bool,
        why: impl fmt::Display,
    ) -> Self {
        let why = shown(&why.to_string(), LONGEST_MESSAGE);
        Self::UnexpectedResponse { operation, url: place(url), why, ambiguous: changes }
    }

    /// The failed operation's name in the REST reference; `None` if an argument was invalid, and
    /// for the end of a copy.
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

    /// The URL of the request, or of the copy's destination, redacted and without its query. `None`
    /// if an argument was invalid.
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

    /// The HTTP status, if the service responded with an error.
    pub fn status(&self) -> Option<StatusCode> {
        match self {
            Self::Service(error) => Some(error.status),
            _ => None,
        }
    }

    /// The error code, if the service responded with an error.
    pub fn code(&self) -> Option<&ErrorCode> {
        match self {
            Self::Service(error) => Some(&error.code),
            _ => None,
        }
    }

    /// Whether the service itself, not a gateway, responded 404.
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::Service(refusal)
            if refusal.from_service && refusal.status == StatusCode::NOT_FOUND)
    }

    /// How long the service asks the client to wait (`Retry-After`), if it says so.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Service(error) => error.retry_after,
            _ => None,
        }
    }

    /// Whether the same call may succeed later: the service was busy or could not be reached.
    ///
    /// The call was already retried as its options allow. For a call that changes something, check
    /// [`may_have_been_applied`](Error::may_have_been_applied) too.
    pub fn is_retryable(&self) -> bool {
        match self {
            Self::Service(error) => error.is_transient(),
            Self::Transport { fault, .. } => fault.kind() != TransportErrorKind::Unusable,
            Self::Timeout { .. } => true,
            Self::Credential { cause, .. } => cause.is_transient(),
            _ => false,
        }
    }

    /// Whether the error says nothing about the state of the blob, so that reading it again makes
    /// sense: the service was busy or could not be reached, or the response was not the service's
    /// or not readable. Includes [`is_retryable`](Error::is_retryable).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let blob = service.container_client("vhds").blob_client("no such blob");
    /// let error = blob.get_properties().await.unwrap_err();
    /// assert!(!error.is_passing()); // the service itself says that there is no such blob
    /// # Ok(()) });
    /// ```
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Service(refusal) if !refusal.from_service => true,
            Self::UnexpectedResponse { .. } => true,
            error => error.is_retryable(),
        }
    }

    /// Whether the service may have applied the operation although the call failed.
    ///
    /// True if an attempt at an operation that changes something got no response, or one that
    /// leaves the outcome open: a 5xx other than the service's own 503, or a malformed success.
    /// Read the current state before you repeat the call.
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

/// For an implementation of [`GrantAccess`](crate::disks::GrantAccess), which has no other error to
/// return: access may or may not have been granted.
///
/// ```
/// use blobcopy::{CredentialError, Error};
///
/// let error = Error::from(CredentialError::new("no such snapshot"));
/// assert_eq!(error.to_string(), "granting access: no such snapshot");
/// assert!(error.may_have_been_applied());
/// ```
impl From<CredentialError> for Error {
    fn from(cause: CredentialError) -> Self {
        let (operation, url) = ("granting access", String::new());
        Self::Credential { operation, url, cause, attempts: 0, ambiguous: true }
    }
}

impl Malformed {
    /// The error for an argument `what` whose `value` cannot be sent.
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
