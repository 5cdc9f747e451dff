//! Conditional headers.
//!
//! From [Specifying conditional
//! headers](https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations).

use http::{HeaderMap, HeaderName, header};
use time::OffsetDateTime;

use super::ETag;
use crate::{
    error::{Error, Result},
    wire::{headers, http_date, redaction},
};

/// Conditions on a blob, for any request, and for the source and the destination of a copy.
///
/// A read accepts any combination (from version 2013-08-15). A write accepts one condition, besides
/// `if_tags`, or one of two pairs of which the service evaluates the first: `if_none_match` with
/// `if_modified_since`, and `if_match` with `if_unmodified_since`. Any other combination fails with
/// `InvalidInput` before a request is sent. Conditions on the source of a copy are not checked by
/// the client.
///
/// ```
/// use blobcopy::{Conditions, ETag};
///
/// // Only if the destination does not exist yet.
/// let conditions = Conditions::new().if_none_match(ETag::ANY);
/// # let _ = conditions;
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    if_match: Option<ETag>,
    if_none_match: Option<ETag>,
    if_modified_since: Option<OffsetDateTime>,
    if_unmodified_since: Option<OffsetDateTime>,
    if_tags: Option<String>,
}

redaction::debug_redacted!(Conditions {
    if_match,
    if_none_match,
    if_modified_since,
    if_unmodified_since,
    if_tags: text,
});

impl Conditions {
    /// No condition.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only if the blob has this ETag. With [`ETag::ANY`]: only if the blob exists.
    pub fn if_match(mut self, etag: impl Into<ETag>) -> Self {
        self.if_match = Some(etag.into());
        self
    }

    /// Only if the blob has another ETag. With [`ETag::ANY`]: only if the blob does not exist.
    pub fn if_none_match(mut self, etag: impl Into<ETag>) -> Self {
        self.if_none_match = Some(etag.into());
        self
    }

    /// Only if the blob was modified after this time, to the second.
    pub fn if_modified_since(mut self, date: OffsetDateTime) -> Self {
        self.if_modified_since = Some(date);
        self
    }

    /// Only if the blob was not modified after this time, to the second.
    pub fn if_unmodified_since(mut self, date: OffsetDateTime) -> Self {
        self.if_unmodified_since = Some(date);
        self
    }

    /// Only if the blob's index tags match this expression, such as `"stage" = 'done'` (from
    /// version 2019-12-12).
    pub fn if_tags(mut self, expression: impl Into<String>) -> Self {
        self.if_tags = Some(expression.into());
        self
    }

    /// Whether there is no condition.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The expression of `if_tags`.
    pub(crate) fn tags(&self) -> Option<&str> {
        self.if_tags.as_deref()
    }

    /// Whether there is a condition other than `if_tags`.
    pub(crate) fn has_more_than_tags(&self) -> bool {
        !Self { if_tags: None, ..self.clone() }.is_empty()
    }

    /// Rejects combinations that the service forbids on a write.
    pub(crate) fn check_write(&self, what: &'static str) -> Result<()> {
        let given = [
            ("if_match", self.if_match.is_some()),
            ("if_none_match", self.if_none_match.is_some()),
            ("if_modified_since", self.if_modified_since.is_some()),
            ("if_unmodified_since", self.if_unmodified_since.is_some()),
        ];
        let given: Vec<&str> =
            given.iter().filter(|(_, is_some)| *is_some).map(|(name, _)| *name).collect();
        match given[..] {
            []
            | [_]
            | ["if_none_match", "if_modified_since"]
            | ["if_match", "if_unmodified_since"] => Ok(()),
            _ => Err(Error::invalid(
                what,
                given.join(" + "),
                "is more than the one condition that the service allows on a write (except \
                 if_none_match with if_modified_since, and if_match with if_unmodified_since)",
            )),
        }
    }

    /// Writes the headers for the request's own blob, which is the destination of a copy.
    pub(crate) fn write(&self, what: &'static str, to: &mut HeaderMap) -> Result<()> {
        self.write_as(&OWN, what, to)
    }

    /// Writes the headers for the source of a copy.
    pub(crate) fn write_source(&self, what: &'static str, to: &mut HeaderMap) -> Result<()> {
        self.write_as(&SOURCE, what, to)
    }

    fn write_as(&self, names: &Names, what: &'static str, to: &mut HeaderMap) -> Result<()> {
        let text = |text: &str| headers::value(text).map_err(|why| why.at(what, text));
        let date = |date| http_date::value(date).map_err(|why| why.at(what, date));
        if let Some(etag) = &self.if_match {
            to.insert(&names.if_match, text(etag.as_str())?);
        }
        if let Some(etag) = &self.if_none_match {
            to.insert(&names.if_none_match, text(etag.as_str())?);
        }
        if let Some(since) = self.if_modified_since {
            to.insert(&names.if_modified_since, date(since)?);
        }
        if let Some(since) = self.if_unmodified_since {
            to.insert(&names.if_unmodified_since, date(since)?);
        }
        if let Some(expression) = &self.if_tags {
            to.insert(&names.if_tags, text(expression)?);
        }
        Ok(())
    }
}

struct Names {
    if_match: HeaderName,
    if_none_match: HeaderName,
    if_modified_since: HeaderName,
    if_unmodified_since: HeaderName,
    if_tags: HeaderName,
}

static OWN: Names = Names {
    if_match: header::IF_MATCH,
    if_none_match: header::IF_NONE_MATCH,
    if_modified_since: header::IF_MODIFIED_SINCE,
    if_unmodified_since: header::IF_UNMODIFIED_SINCE,
    if_tags: headers::IF_TAGS,
};

static SOURCE: Names = Names {
    if_match: HeaderName::from_static("x-ms-source-if-match"),
    if_none_match: HeaderName::from_static("x-ms-source-if-none-match"),
    if_modified_since: HeaderName::from_static("x-ms-source-if-modified-since"),
    if_unmodified_since: HeaderName::from_static("x-ms-source-if-unmodified-since"),
    if_tags: HeaderName::from_static("x-ms-source-if-tags"),
};

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;

    const DATE: OffsetDateTime = datetime!(1994-11-06 08:49:37.9 UTC);

    #[test]
    fn each_condition_is_one_header_on_either_side() {
        let conditions = Conditions::new()
            .if_match("0x1".parse::<crate::ETag>().expect("etag"))
            .if_none_match(ETag::ANY)
            .if_modified_since(DATE)
            .if_unmodified_since(DATE)
            .if_tags("\"a\" = 'b'");
        let date = "Sun, 06 Nov 1994 08:49:37 GMT";
        for (prefix, tags) in [("", "x-ms-if-tags"), ("x-ms-source-", "x-ms-source-if-tags")] {
            let mut headers = HeaderMap::new();
            match prefix {
                "" => conditions.write("conditions", &mut headers).expect("valid"),
                _ => conditions.write_source("conditions", &mut headers).expect("valid"),
            }
            assert_eq!(headers.len(), 5);
            assert_eq!(headers[format!("{prefix}if-match")], "\"0x1\"");
            assert_eq!(headers[format!("{prefix}if-none-match")], "*");
            assert_eq!(headers[format!("{prefix}if-modified-since")], date);
            assert_eq!(headers[format!("{prefix}if-unmodified-since")], date);
            assert_eq!(headers[tags], "\"a\" = 'b'");
        }
    }

    #[test]
    fn a_write_takes_one_condition_or_one_of_the_two_pairs() {
        let none = Conditions::new;
        let good = [
            none(),
            none().if_match(ETag::ANY),
            none().if_match(ETag::ANY).if_tags("a"),
            none().if_none_match(ETag::ANY).if_modified_since(DATE),
            none().if_match(ETag::ANY).if_unmodified_since(DATE),
        ];
        for conditions in good {
            assert!(conditions.check_write("conditions").is_ok(), "{conditions:?}");
        }
        let bad = [
            none().if_match(ETag::ANY).if_none_match(ETag::ANY),
            none().if_match(ETag::ANY).if_modified_since(DATE),
            none().if_none_match(ETag::ANY).if_unmodified_since(DATE),
            none().if_modified_since(DATE).if_unmodified_since(DATE),
            none().if_match(ETag::ANY).if_unmodified_since(DATE).if_modified_since(DATE),
        ];
        for conditions in bad {
            let error = conditions.check_write("conditions").expect_err("refused").to_string();
            assert!(error.contains("conditions") && error.contains("one condition"), "{error}");
        }
    }

    #[test]
    fn an_expression_that_cannot_travel_is_refused() {
        let conditions = Conditions::new().if_tags("a\nb");
        let error = conditions.write("conditions", &mut HeaderMap::new()).expect_err("refused");
        assert!(error.to_string().contains("visible ASCII"), "{error}");
    }
}
