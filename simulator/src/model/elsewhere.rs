//! Copy sources on another server, as far as a copy knows them.

use std::sync::Arc;

use http::{Uri, uri::Scheme};

use super::revision::Revision;
use crate::wire::error::{Code, Refusal};

/// How to request a source: its URL, and the headers that the copy adds.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Access {
    /// Whether a bearer token is sent too.
    pub(crate) fn has_token(&self) -> bool {
        self.headers.iter().any(|(name, _)| *name == "authorization")
    }

    pub(crate) fn is_https(&self) -> bool {
        let uri = self.url.parse::<Uri>().ok();
        uri.is_some_and(|uri| uri.scheme() == Some(&Scheme::HTTPS))
    }
}

/// The most that an operation accepts.
#[derive(Debug)]
pub(crate) struct Limit {
    /// For content that is read in one piece.
    pub(crate) body: u64,
    /// The longest page blob, if only its written pages are read.
    pub(crate) pages: u64,
    /// The error above the limit.
    pub(crate) refusal: Refusal,
}

/// The fetched source, attached to the request, or why there is none.
#[derive(Debug, Clone)]
pub(crate) struct Fetched(pub(crate) Arc<Result<(Revision, Elsewhere), Refusal>>);

/// Details that only a source on another server has.
#[derive(Debug, Clone)]
pub(crate) struct Elsewhere {
    pub(crate) access: Access,
    /// Whether the content is the requested range only.
    pub(crate) cut: bool,
    /// Why the snapshot cannot follow the one that was copied last.
    pub(crate) astray: Option<Code>,
}
