//! The messages of errors.

use std::fmt;

use super::{Error, ServiceError};
use crate::{
    models::{CopyId, CopyState},
    wire::excerpt::excerpt,
};

/// The longest authentication detail shown: some responses repeat the whole string to sign.
const LONGEST_DETAIL: usize = 512;

impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // A gateway's response has no code: show the status's own text.
        let code = match self.code.as_str() {
            "" => self.status.canonical_reason().unwrap_or("without a code"),
            code => code,
        };
        write!(f, "{}: {} {code}", Call(self.operation, &self.url), self.status.as_u16())?;
        self.show_source(f)?;
        if self.message.is_empty() {
            // As in every response to HEAD.
            if let Some(text) = self.code.description() {
                write!(f, ": {text}")?;
            }
        } else if self.source_message.as_ref() != Some(&self.message) {
            write!(f, ": {}", self.message)?;
        }
        if let Some(detail) = self.authentication_detail() {
            let line = detail.split_whitespace().collect::<Vec<_>>().join(" ");
            write!(f, " ({})", excerpt(&line, LONGEST_DETAIL))?;
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

impl ServiceError {
    fn show_source(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let answered = self.source_status.is_some() || self.source_code.is_some();
        match &self.source_url {
            Some(url) if answered => write!(f, "; the source {url} answered")?,
            Some(url) => return write!(f, "; the source is {url}"),
            None if answered => f.write_str("; the source answered")?,
            None => return Ok(()),
        }
        if let Some(status) = self.source_status {
            write!(f, " {}", status.as_u16())?;
        }
        if let Some(code) = &self.source_code {
            write!(f, " {code}")?;
        }
        match &self.source_message {
            Some(message) => write!(f, " ({message})"),
            None => Ok(()),
        }
    }
}

/// An operation and its URL.
pub(super) struct Call<'a>(pub(super) &'static str, pub(super) &'a str);

impl fmt::Display for Call<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self(operation, url) = self;
        match url.is_empty() {
            true => f.write_str(operation),
            false => write!(f, "{operation} {url}"),
        }
    }
}

/// The number of attempts, if more than one.
pub(super) struct Attempts(pub(super) u32);

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 | 1 => Ok(()),
            made => write!(f, " ({made} attempts)"),
        }
    }
}

/// An optional detail after the text in `0`, or nothing.
pub(super) struct After<'a, T>(pub(super) &'static str, pub(super) &'a Option<T>);

impl<T: fmt::Display> fmt::Display for After<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.1 {
            Some(detail) => write!(f, "{}{detail}", self.0),
            None => Ok(()),
        }
    }
}

/// The message of [`Error::WaitTimedOut`].
pub(super) struct TimedOut<'a> {
    pub(super) copy_id: &'a CopyId,
    pub(super) destination: &'a str,
    pub(super) last: Option<&'a CopyState>,
    pub(super) polls_answered: u64,
    pub(super) cause: Option<&'a Error>,
}

impl fmt::Display for TimedOut<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { copy_id, destination, last, .. } = self;
        f.write_str("the wait timed out")?;
        if self.polls_answered == 0 {
            write!(
                f,
                ", and no poll got through: the state of copy {copy_id} to {destination} is \
                 unknown"
            )?;
            if let Some(last) = last {
                write!(f, " (last known: {})", last.standing())?;
            }
            return f.write_str("; it can be waited for again");
        }
        write!(f, " with copy {copy_id} to {destination}")?;
        if let Some(last) = last {
            write!(f, " {}", last.standing())?;
        }
        let failed = if self.cause.is_some() { "; the last poll failed" } else { "" };
        match last.and_then(CopyState::held_up_by) {
            Some(trouble) => write!(
                f,
                ", which cannot continue on its own: {trouble}{failed}; fix that and wait again, \
                 or abort the copy"
            ),
            None => write!(f, "{failed}; the copy continues and can be waited for again"),
        }
    }
}
