//! The error of codecs: text or bytes that cannot be parsed or sent.

use std::{borrow::Cow, str::Utf8Error};

/// The rule that a value breaks, or what is wrong with a document. The caller adds the name of the
/// value.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(Cow<'static, str>);

impl Malformed {
    pub(crate) fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self(why.into())
    }
}

impl From<Utf8Error> for Malformed {
    fn from(error: Utf8Error) -> Self {
        Self::new(error.to_string())
    }
}

impl From<quick_xml::Error> for Malformed {
    fn from(error: quick_xml::Error) -> Self {
        Self::new(error.to_string())
    }
}
