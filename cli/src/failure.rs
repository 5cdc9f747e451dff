//! What went wrong, and what to do: two lines of text, or the same as fields.

mod judgement;
mod mirror;

use std::io;

use blobcopy::CopyProgress;
use serde::Serialize;
use url::Url;

use crate::{address::about_cut_sas, exit::Exit, moment, names};

pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

/// Why the command did not do all that it was to do.
#[derive(Debug)]
pub(crate) enum Failure {
    /// Whoever read the output has gone: nothing to say, and nobody to say it to.
    ClosedPipe,
    /// The same, before all was done.
    Unread,
    Told(Box<Told>),
}

/// How a copy stands whose wait has failed.
#[derive(Debug, Clone)]
pub(crate) struct Ending {
    pub(crate) status: &'static str,
    pub(crate) description: Option<String>,
    pub(crate) progress: Option<CopyProgress>,
}

/// A failure that is shown.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Told {
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<String>,
    /// The URL of the blob or container, without its query.
    #[serde(skip_serializing_if = "Option::is_none")]
    blob: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    copy_id: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
    /// The command that follows what goes on at the service.
    #[serde(skip_serializing_if = "Option::is_none")]
    resume: Option<String>,
    /// The command that ends it.
    #[serde(skip_serializing_if = "Option::is_none")]
    abort: Option<String>,
    advice: String,
    exit_code: u8,
    #[serde(skip)]
    ending: Option<Ending>,
    /// Whether it is about the source of a copy, and not about where the copy goes.
    #[serde(skip)]
    of_source: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::Told(Box::new(Told {
            message: one_line(&message.into()),
            status: None,
            code: None,
            blob: None,
            copy_id: None,
            snapshot: None,
            request_id: None,
            resume: None,
            abort: None,
            advice: one_line(&advice.into()),
            exit_code: exit.code(),
            ending: None,
            of_source: false,
        }))
    }

    /// An argument, a variable or a file that is wrong.
    pub(crate) fn usage(message: impl Into<String>, advice: impl Into<String>) -> Self {
        Self::new(Exit::Usage, redacted(&message.into()), advice)
    }

    /// The output that cannot be written: quiet if its reader has gone.
    pub(crate) fn output(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::ClosedPipe,
            _ => {
                let message = format!("the output cannot be written: {error}");
                Self::new(Exit::Unfinished, message, "make room for it, and look again")
            }
        }
    }

    /// A file that cannot be written: for want of room, or because it is the wrong one.
    pub(crate) fn file(path: &str, error: &io::Error) -> Self {
        let (exit, advice) = match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                (Exit::Unfinished, "make room and run the command again")
            }
            _ => (Exit::Usage, "check the path, and that you may write there"),
        };
        Self::new(exit, format!("{path} cannot be written: {error}"), advice)
    }

    /// Says which blob or container it is about, unless it says so already.
    pub(crate) fn at(mut self, url: &Url) -> Self {
        if let Self::Told(told) = &mut self {
            told.blob.get_or_insert_with(|| without_query(url));
            if told.code.as_deref() == Some("BlobNotFound")
                && let Some(advice) = about_name(url)
            {
                advice.clone_into(&mut told.advice);
            }
        }
        self
    }

    /// Says which line of a file it is about.
    pub(crate) fn in_line(mut self, number: usize, path: &str) -> Self {
        if let Self::Told(told) = &mut self {
            told.message = format!("line {number} of {path}: {}", told.message);
        }
        self
    }

    /// Says what to do in this case.
    pub(crate) fn advising(mut self, advice: &str) -> Self {
        if let Self::Told(told) = &mut self {
            advice.clone_into(&mut told.advice);
        }
        self
    }

    /// Says which of a copy's two blobs it is about.
    pub(crate) fn between(self, source: &Url, dest: &Url) -> Self {
        match self.told().is_some_and(|told| told.of_source) {
            true => self.at(source),
            false => self.at(dest),
        }
    }

    /// Says what else may be wrong where snapshots could not be listed.
    pub(crate) fn unlisted(self) -> Self {
        if self.told().is_some_and(|told| told.status == Some(403)) {
            return self.or_else_do(
                "a SAS of one blob lists no snapshots: name one, BLOB@TIME or, in a URL, \
                 snapshot=TIME",
            );
        }
        self
    }

    /// Adds to what to do.
    pub(crate) fn or_else_do(mut self, advice: &str) -> Self {
        if let Self::Told(told) = &mut self {
            told.advice = format!("{}; {advice}", told.advice);
        }
        self
    }

    /// The same, where the source of a copy was to be read, which may have its own credential.
    pub(crate) fn reading_source(mut self) -> Self {
        if self.is_unreadable()
            && let Self::Told(told) = &mut self
        {
            told.advice = told.advice.replace(
                "--key-file, --sas-file or --login",
                "--source-key-file, --source-sas-file or --source-login (or --key-file and so on, \
                 where both are in one account)",
            );
        }
        self
    }

    /// Says why a read failed that was to be of the blob as it was before.
    pub(crate) fn changed_meanwhile(mut self) -> Self {
        if self.is_code("ConditionNotMet")
            && let Self::Told(told) = &mut self
        {
            "the blob was written while it was read: run the command again"
                .clone_into(&mut told.advice);
        }
        self
    }

    /// Says which copy it is about.
    pub(crate) fn of_copy(mut self, id: &str) -> Self {
        if let Self::Told(told) = &mut self {
            told.copy_id.get_or_insert_with(|| id.to_owned());
        }
        self
    }

    /// Says how the copy stands, as far as is known.
    pub(crate) fn ending(mut self, ending: Ending) -> Self {
        if let Self::Told(told) = &mut self {
            told.ending = Some(ending);
        }
        self
    }

    /// How the copy stands whose wait has failed.
    pub(crate) fn ended(&self) -> Option<&Ending> {
        self.told().and_then(|told| told.ending.as_ref())
    }

    /// Names the snapshot that was taken before it went wrong, and is kept.
    pub(crate) fn keeping(mut self, snapshot: &str, how_to_go_on: &str) -> Self {
        if let Self::Told(told) = &mut self {
            told.advice = noting_cuts(format!("{}; then {how_to_go_on}", told.advice));
        }
        self.kept(snapshot)
    }

    /// The same, where the snapshot cannot be copied there at all.
    pub(crate) fn kept(mut self, snapshot: &str) -> Self {
        if let Self::Told(told) = &mut self {
            told.snapshot = Some(snapshot.to_owned());
            let message = told.message.trim_end_matches('.');
            told.message = format!("{message}; the new snapshot {snapshot} is kept");
        }
        self
    }

    /// Names the command that goes on in another way.
    pub(crate) fn going_on(mut self, command: &str) -> Self {
        if let Self::Told(told) = &mut self {
            told.advice = noting_cuts(format!("{}: `{command}`", told.advice));
            told.resume = Some(command.to_owned());
        }
        self
    }

    /// Names the commands that follow and end what goes on at the service.
    pub(crate) fn onward(mut self, resume: String, abort: String) -> Self {
        if let Self::Told(told) = &mut self {
            let advice = format!("follow it with `{resume}`, or end it with `{abort}`");
            told.advice = noting_cuts(advice);
            (told.resume, told.abort) = (Some(resume), Some(abort));
        }
        self
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::ClosedPipe => 0,
            Self::Unread => Exit::Unfinished.code(),
            Self::Told(told) => told.exit_code,
        }
    }

    /// Whether the service refused with this error code.
    pub(crate) fn is_code(&self, code: &str) -> bool {
        self.told().is_some_and(|told| told.code.as_deref() == Some(code))
    }

    /// What happened, in one line.
    pub(crate) fn message(&self) -> String {
        self.told().map_or_else(String::new, |told| told.message.clone())
    }

    /// Whether the service says that something is not there.
    pub(crate) fn is_not_found(&self) -> bool {
        self.told().is_some_and(|told| told.status == Some(404))
    }

    /// Whether the service says that this blob or this snapshot is not there: it answers so, too,
    /// to those who may not know.
    pub(crate) fn is_missing(&self) -> bool {
        self.is_not_found() && !self.is_code("ResourceNotFound")
    }

    /// Whether the service does not let the request read.
    pub(crate) fn is_unreadable(&self) -> bool {
        self.told().is_some_and(|told| matches!(told.status, Some(401 | 403)))
            || self.is_code("ResourceNotFound")
            || self.is_code("PublicAccessNotPermitted")
    }

    pub(crate) fn told(&self) -> Option<&Told> {
        match self {
            Self::ClosedPipe | Self::Unread => None,
            Self::Told(told) => Some(told),
        }
    }
}

impl Told {
    /// What happened, in one line.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The two lines.
    pub(crate) fn lines(&self) -> [String; 2] {
        let mut what = self.message.clone();
        if let Some(blob) = self.blob.as_ref().filter(|blob| !what.contains(*blob)) {
            what = format!("{what} ({blob})");
        }
        if let Some(id) = &self.request_id {
            what = format!("{what} (request id {id})");
        }
        [format!("error: {what}"), format!("to do: {}", self.advice)]
    }

    pub(crate) fn json(&self) -> String {
        serde_json::json!({ "error": self }).to_string()
    }
}

/// A URL as it may be shown: the query is where a SAS would be.
pub(crate) fn without_query(url: &Url) -> String {
    names::of_url(url)
}

/// Text from outside as it may be shown. The library hides what looks like a secret in the text of
/// its errors; this is such a text.
pub(crate) fn redacted(text: &str) -> String {
    blobcopy::CredentialError::new(text).to_string()
}

/// What to do about a name that ends in what was meant as a snapshot.
fn about_name(url: &Url) -> Option<&'static str> {
    let path = url.path().replace("%40", "@").replace("%3A", ":").replace("%3F", "?");
    if path.rsplit_once('@').is_some_and(|(_, time)| moment::lacks_offset(time)) {
        return Some(
            "a snapshot's time needs an offset or Z at its end: without one it belongs to the name",
        );
    }
    let is_query = path.contains("?snapshot=") || path.contains("?snapshot%3D");
    is_query.then_some("?snapshot= is for URLs: beside it a snapshot is written BLOB@TIME")
}

/// Advice that names commands, and says so if something was cut from them.
fn noting_cuts(advice: String) -> String {
    let notes = [about_cut_sas(&advice), names::about_hidden(&advice)];
    notes.into_iter().flatten().fold(advice, |advice, note| format!("{advice}; {note}"))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_lines_say_what_happened_and_what_to_do() {
        let url = "https://acct.blob.core.windows.net/vhds/d?sig=SECRET".parse().expect("a URL");
        let failure = Failure::new(Exit::Refused, "409 Conflict:\nno", "try\nagain").at(&url);
        let lines = failure.told().expect("told").lines();
        assert_eq!(
            lines,
            [
                "error: 409 Conflict: no (https://acct.blob.core.windows.net/vhds/d)",
                "to do: try again"
            ]
        );
        assert!(!failure.told().expect("told").json().contains("SECRET"));
    }

    #[test]
    fn what_a_user_typed_is_shown_without_secrets() {
        let failure = Failure::usage("bad: https://a/c/b?sv=1&sig=SECRET%2B", "x");
        let [what, _] = failure.told().expect("told").lines();
        assert!(what.contains("sig=REDACTED") && !what.contains("SECRET"), "{what}");
    }

    #[test]
    fn a_closed_pipe_is_quiet() {
        let failure = Failure::output(&io::Error::from(io::ErrorKind::BrokenPipe));
        assert!(failure.told().is_none());
        assert_eq!(failure.exit_code(), 0);
    }
}
