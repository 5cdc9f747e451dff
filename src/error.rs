//! The one error type, and what it says about what to do next.

use std::{collections::BTreeMap, fmt, time::Duration};

use http::StatusCode;

use crate::{
    models::{CopyId, CopyProgress, CopyState, ErrorCode},
    wire::{
        excerpt::{LONGEST_MESSAGE, shown},
        malformed::Malformed,
        redaction::redact,
        transport::{TransportError, TransportErrorKind},
    },
};

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call did not do what was asked.
///
/// No form of it (`Debug`, `Display`, the chain of sources) holds a key, a token or the signature
/// of a SAS.
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
    #[error("{fault} ({operation}, {attempts} attempt(s))")]
    #[non_exhaustive]
    Transport {
        /// The operation, by its name in the REST reference.
        operation: &'static str,
        /// What went wrong on the last attempt.
        fault: TransportError,
        /// How many times it was tried.
        attempts: u32,
        /// Whether the service may have applied one of them, for an operation that changes state.
        ambiguous: bool,
    },

    /// No answer came back within the time allowed for an attempt, after all retries.
    #[error("{operation} got no answer within {limit:?} ({attempts} attempt(s))")]
    #[non_exhaustive]
    Timeout {
        /// The operation, by its name in the REST reference.
        operation: &'static str,
        /// The time that each attempt was given.
        limit: Duration,
        /// How many times it was tried.
        attempts: u32,
        /// Whether the service may have applied one of them, for an operation that changes state.
        ambiguous: bool,
    },

    /// The credential could not authorize the request, and this attempt was not sent.
    #[error("{0}")]
    Credential(CredentialError),

    /// An argument breaks a rule; nothing was sent.
    #[error("{what}: {why}")]
    InvalidInput {
        /// The argument.
        what: &'static str,
        /// Its value, with secrets redacted, and the rule that it breaks.
        why: String,
    },

    /// The answer is a success, but of something that the documentation does not allow, or without
    /// any of the headers that the service sends: then a proxy, gateway or captive portal answered
    /// in its place.
    #[error("unexpected answer to {operation}: {why}")]
    #[non_exhaustive]
    UnexpectedResponse {
        /// The operation, by its name in the REST reference.
        operation: &'static str,
        /// What was missing or malformed.
        why: String,
    },

    /// The copy ended with status `failed`. The destination is empty.
    #[error("copy {copy_id} failed{}{}", after(": ", description), after(" at ", progress))]
    CopyFailed {
        /// Which copy.
        copy_id: CopyId,
        /// The service's own account of why.
        description: Option<String>,
        /// How far it had come.
        progress: Option<CopyProgress>,
    },

    /// The copy ended with status `aborted`. The destination is empty.
    #[error("copy {copy_id} was aborted{}", after(" at ", progress))]
    CopyAborted {
        /// Which copy.
        copy_id: CopyId,
        /// How far it had come.
        progress: Option<CopyProgress>,
    },

    /// The destination now carries another copy: someone started one over ours.
    #[error("copy {expected} was superseded: the destination now carries copy {found}")]
    CopySuperseded {
        /// The copy that was watched.
        expected: CopyId,
        /// The copy that the destination carries now.
        found: CopyId,
    },

    /// The destination was deleted while the copy was watched.
    #[error("the destination of the copy is gone: it was deleted while the copy was watched")]
    CopyDestinationGone,

    /// The destination exists, but carries no copy properties: someone wrote it anew. How the copy
    /// ended cannot be known.
    #[error(
        "the destination carries no copy properties: it was written anew, and how the copy ended \
         cannot be known"
    )]
    NoCopyProperties,

    /// The time given to a wait has passed. The copy goes on, and can be waited for again.
    ///
    /// The text says when no poll got through at all, and what holds up a copy that will not go on
    /// by itself.
    #[error("{}", wait_timed_out(copy_id, last.as_deref(), *polls_answered, cause.is_some()))]
    #[non_exhaustive]
    WaitTimedOut {
        /// Which copy.
        copy_id: CopyId,
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

fn wait_timed_out(id: &CopyId, last: Option<&CopyState>, answered: u64, failed: bool) -> String {
    let state = last.map_or_else(String::new, |last| format!(" {}", last.standing()));
    if answered == 0 {
        let last = if last.is_some() { format!(" (last known:{state})") } else { String::new() };
        return format!(
            "the wait timed out, and no poll got through: how copy {id} stands is not known{last}; it \
             can be waited for again"
        );
    }
    let failed = if failed { "; the last poll failed" } else { "" };
    match last.and_then(CopyState::held_up_by) {
        Some(trouble) => format!(
            "the wait timed out with copy {id}{state}, which will not go on by itself: {trouble}{failed}; \
             mend that and wait again, or abort the copy"
        ),
        None => format!(
            "the wait timed out with copy {id}{state}{failed}; the copy goes on and can be waited for again"
        ),
    }
}

/// Shows an optional detail behind `lead`, or nothing.
fn after(lead: &str, detail: &Option<impl fmt::Display>) -> String {
    detail.as_ref().map_or_else(String::new, |detail| format!("{lead}{detail}"))
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

    /// A successful answer to `operation` that the documentation does not allow.
    pub(crate) fn unexpected(operation: &'static str, why: impl fmt::Display) -> Self {
        Self::UnexpectedResponse { operation, why: shown(&why.to_string(), LONGEST_MESSAGE) }
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

    /// How long the service asks to be left alone, if it does.
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
            Self::Credential(error) => error.transient,
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
            Self::Transport { ambiguous, .. } | Self::Timeout { ambiguous, .. } => *ambiguous,
            Self::Credential(error) => error.ambiguous,
            Self::UnexpectedResponse { operation, .. } => !reads(operation),
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

/// Whether the operation of this name in the REST reference changes nothing.
fn reads(operation: &str) -> bool {
    operation.starts_with("Get ") || operation.starts_with("List ")
}

impl From<CredentialError> for Error {
    fn from(error: CredentialError) -> Self {
        Self::Credential(error)
    }
}

/// Why a credential could not authorize a request: a token that could not be had, a rule about
/// where it may travel.
///
/// ```
/// use blobcopy::CredentialError;
///
/// let error = CredentialError::new("the identity endpoint answered 503").transient();
/// assert_eq!(error.to_string(), "the identity endpoint answered 503");
/// ```
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct CredentialError {
    message: Box<str>,
    transient: bool,
    /// Whether an attempt before it may have been applied.
    pub(crate) ambiguous: bool,
}

impl CredentialError {
    /// An error with this message, of which 8 KiB are kept. Do not put a secret in it; what looks
    /// like one is redacted.
    pub fn new(message: impl Into<String>) -> Self {
        let message = shown(&message.into(), LONGEST_MESSAGE).into();
        Self { message, transient: false, ambiguous: false }
    }

    /// Marks the error as one that may be gone on the next try.
    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// The same error, told with `lead` before it.
    pub(crate) fn after(mut self, lead: impl fmt::Display) -> Self {
        self.message = shown(&format!("{lead}{}", self.message), LONGEST_MESSAGE).into();
        self
    }
}

/// The service's refusal: its status, code and message, and, for a copy, what the source answered.
///
/// From the headers and body described under
/// [Status and error codes](https://learn.microsoft.com/rest/api/storageservices/status-and-error-codes2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ServiceError {
    /// The operation, by its name in the REST reference.
    pub operation: &'static str,
    /// The HTTP status.
    pub status: StatusCode,
    /// The error code, from the `x-ms-error-code` header or else from the body.
    pub code: ErrorCode,
    /// The service's explanation, without its `RequestId` and `Time` lines. Empty for HEAD, whose
    /// answers have no body.
    pub message: String,
    /// The service's id of the request: what its support asks for.
    pub request_id: Option<String>,
    /// This crate's id of the request, the same on every attempt.
    pub client_request_id: Option<String>,
    /// The status with which the source of a copy answered the service.
    pub source_status: Option<StatusCode>,
    /// The error code with which the source of a copy answered the service.
    pub source_code: Option<ErrorCode>,
    /// The explanation with which the source of a copy answered the service.
    pub source_message: Option<String>,
    /// Every other element of the error's body, such as `HeaderName` or
    /// `AuthenticationErrorDetail`, redacted.
    pub details: BTreeMap<String, String>,
    /// How many times the operation was tried.
    pub attempts: u32,
    /// How long the service asks to be left alone.
    pub retry_after: Option<Duration>,
    pub(crate) ambiguous: bool,
    /// Whether the service itself answered, and nothing that stands between.
    pub(crate) from_service: bool,
}

impl ServiceError {
    /// Whether the answer says that the service was busy or out of order for a moment.
    pub(crate) fn is_transient(&self) -> bool {
        is_transient(self.status, Some(&self.code), self.source_code.as_ref())
    }

    /// Whether the refused header is `x-ms-version`. Azurite says so in words only.
    fn blames_the_version(&self) -> bool {
        match self.details.get("HeaderName") {
            Some(name) => name.eq_ignore_ascii_case("x-ms-version"),
            None => self.message.contains("API version"),
        }
    }

    /// Whether a SAS is refused for its start or its expiry.
    fn blames_the_time(&self) -> bool {
        let mut texts = self.details.values().chain([&self.message]);
        texts.any(|text| text.contains("not valid in the specified time frame"))
    }

    /// What to do about a source that the service did not get to read, by what the source answered.
    fn advice_on_the_source(&self) -> Option<&'static str> {
        use ErrorCode::{BlobNotFound, ContainerNotFound};
        let code = self.source_code.as_ref();
        Some(match self.source_status.unwrap_or(self.status).as_u16() {
            // Who may not read a container is told that there is no such resource: another code.
            404 if matches!(code, Some(BlobNotFound | ContainerNotFound)) => {
                "there is no such source: check its container, its name, and the snapshot or \
                 version that it names"
            }
            401 | 403 | 404 => {
                "the service could not read the source: it must be public, or its URL must carry a \
                 SAS with read permission that is still valid"
            }
            409 if code == Some(&ErrorCode::PublicAccessNotPermitted) => {
                "the source is not public: its URL must carry a SAS with read permission"
            }
            304 | 412 => "a condition on the source is not met",
            _ => return None,
        })
    }

    /// What to do about it, where the code says so.
    fn advice(&self) -> Option<&'static str> {
        Some(match &self.code {
            ErrorCode::CannotVerifyCopySource => return self.advice_on_the_source(),
            ErrorCode::PendingCopyOperation => {
                "the destination has a pending copy: wait for it, or abort it with \
                 abort_pending_copy()"
            }
            ErrorCode::IncrementalCopyOfEarlierSnapshotNotAllowed => {
                "this snapshot, or a later one, has been copied already: take a new snapshot"
            }
            ErrorCode::IncrementalCopyBlobMismatch => {
                "the destination is tied to the source of its first incremental copy: copy to a \
                 new blob"
            }
            ErrorCode::IncrementalCopySourceMustBeSnapshot => {
                "create a snapshot of the source and copy that"
            }
            ErrorCode::OperationNotAllowedOnIncrementalCopyBlob => {
                "the destination of incremental copies cannot be read or written: use its \
                 snapshots"
            }
            ErrorCode::BlobOverwritten => {
                "the source was created anew: start a new series of incremental copies to a new \
                 blob"
            }
            ErrorCode::InfiniteLeaseDurationRequired => {
                "a copy into a leased blob needs an infinite lease"
            }
            ErrorCode::InvalidHeaderValue if self.blames_the_version() => {
                "the service does not know the service version of the request: set an older one \
                 with ClientOptions::service_version, or start Azurite with --skipApiVersionCheck"
            }
            // An answer to HEAD does not say which header it is about.
            ErrorCode::InvalidHeaderValue if self.message.is_empty() && self.details.is_empty() => {
                "most often the service does not know the service version of the request: set an \
                 older one with ClientOptions::service_version, or start Azurite with \
                 --skipApiVersionCheck"
            }
            ErrorCode::SnapshotsPresent => "delete the snapshots as well, or keep the blob",
            ErrorCode::AuthenticationFailed if self.blames_the_time() => {
                "the SAS has expired or has not begun, by the service's clock: use a new one"
            }
            ErrorCode::AuthenticationFailed => {
                "check the key, or the SAS and when it expires, and that this computer's clock is right \
                 within 15 minutes"
            }
            _ if !self.from_service
                && (self.status.is_client_error() || self.status.is_redirection()) =>
            {
                "the answer has none of the service's headers: a proxy or gateway on the way gave it"
            }
            _ => return None,
        })
    }
}

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // What stands between here and the service has no code, only the status's own words.
        let code = match self.code.as_str() {
            "" => self.status.canonical_reason().unwrap_or("without a code"),
            code => code,
        };
        write!(f, "{}: {} {code}", self.operation, self.status.as_u16())?;
        if self.source_status.is_some() || self.source_code.is_some() {
            f.write_str("; the source answered")?;
            if let Some(status) = self.source_status {
                write!(f, " {}", status.as_u16())?;
            }
            if let Some(code) = &self.source_code {
                write!(f, " {code}")?;
            }
            if let Some(message) = &self.source_message {
                write!(f, " ({message})")?;
            }
        }
        if !self.message.is_empty() && self.source_message.as_ref() != Some(&self.message) {
            write!(f, ": {}", self.message)?;
        }
        if let Some(advice) = self.advice() {
            write!(f, " [{advice}]")?;
        }
        if let Some(id) = &self.request_id {
            write!(f, " (request id {id})")?;
        }
        Ok(())
    }
}

impl std::error::Error for ServiceError {}

/// Whether a status, or one of the error codes that .NET's SDK retries at any status, is a passing
/// trouble.
pub(crate) fn is_transient(
    status: StatusCode,
    code: Option<&ErrorCode>,
    source_code: Option<&ErrorCode>,
) -> bool {
    let passing = |code: &ErrorCode| {
        use ErrorCode::{InternalError, OperationTimedOut, ServerBusy};
        matches!(code, InternalError | OperationTimedOut | ServerBusy)
    };
    matches!(status.as_u16(), 408 | 429 | 500 | 502 | 503 | 504)
        || code.is_some_and(passing)
        || source_code.is_some_and(passing)
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
    fn bad_values_are_cut_and_redacted() {
        let error = Error::invalid("source", "https://a/b?sig=SECRET", "is not allowed");
        assert_eq!(error.to_string(), "source: \"https://a/b?sig=REDACTED\" is not allowed");
        let error = Error::invalid("blob name", "x".repeat(5000), "is too long").to_string();
        assert!(error.len() < 200 && error.contains("(5000 bytes) is too long"), "{error}");
    }

    #[test]
    fn three_codes_are_transient_at_any_status() {
        let conflict = StatusCode::CONFLICT;
        for word in ["InternalError", "OperationTimedOut", "ServerBusy"] {
            let code = ErrorCode::from(word);
            assert!(is_transient(conflict, Some(&code), None), "{word}");
            assert!(is_transient(conflict, None, Some(&code)), "{word}");
        }
        assert!(!is_transient(conflict, Some(&ErrorCode::PendingCopyOperation), None));
    }

    #[test]
    fn only_the_six_statuses_are_transient() {
        let transient: Vec<u16> = (300..600)
            .filter(|status| {
                is_transient(StatusCode::from_u16(*status).expect("in range"), None, None)
            })
            .collect();
        assert_eq!(transient, [408, 429, 500, 502, 503, 504]);
    }
}
