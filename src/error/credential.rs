//! Why a credential could not authorize a request.

use std::fmt;

use crate::wire::excerpt::{LONGEST_MESSAGE, shown};

/// Why a credential could not authorize a request: for example, a token could not be obtained, or
/// must not be sent over http.
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
}

impl CredentialError {
    /// An error with this message, cut off at 8 KiB. Do not put a secret in it; anything that looks
    /// like one is redacted.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: shown(&message.into(), LONGEST_MESSAGE).into(), transient: false }
    }

    /// Marks the error as transient: the next attempt may succeed.
    pub fn transient(mut self) -> Self {
        self.transient = true;
        self
    }

    /// Whether the error is transient: the next attempt may succeed.
    pub fn is_transient(&self) -> bool {
        self.transient
    }

    /// The same error, with `lead` before its message.
    pub(crate) fn after(mut self, lead: impl fmt::Display) -> Self {
        self.message = shown(&format!("{lead}{}", self.message), LONGEST_MESSAGE).into();
        self
    }
}
