//! The sources of copies that another server holds, as far as a copy knows them.

use std::sync::Arc;

use http::{Uri, uri::Scheme};

use super::revision::Revision;
use crate::wire::error::{Code, Refusal};

/// How a source is asked for: the URL, and what the copy gives beside it.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
}

impl Access {
    /// Whether a bearer token goes along.
    pub(crate) fn has_token(&self) -> bool {
        self.headers.iter().any(|(name, _)| *name == "authorization")
    }

    pub(crate) fn is_https(&self) -> bool {
        let uri = self.url.parse::<Uri>().ok();
        uri.is_some_and(|uri| uri.scheme() == Some(&Scheme::HTTPS))
    }
}

/// The most that an operation takes.
#[derive(Debug)]
pub(crate) struct Limit {
    /// Of what is read in one piece.
    pub(crate) body: u64,
    /// How long a page blob may be, of which only the written pages are read.
    pub(crate) pages: u64,
    /// How more is refused.
    pub(crate) refusal: Refusal,
}

/// What was fetched, attached to the request: the source, or why there is none.
#[derive(Debug, Clone)]
pub(crate) struct Fetched(pub(crate) Arc<Result<(Revision, Elsewhere), Refusal>>);

/// What there is to know of a source because another server holds it.
#[derive(Debug, Clone)]
pub(crate) struct Elsewhere {
    pub(crate) access: Access,
    /// Whether the content is the range that was wanted, and no more.
    pub(crate) cut: bool,
    /// Why the snapshot does not follow the one that was copied last.
    pub(crate) astray: Option<Code>,
}
