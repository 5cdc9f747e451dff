//! Conditional headers, as in
//! [Specifying conditional headers](https://learn.microsoft.com/rest/api/storageservices/specifying-conditional-headers-for-blob-service-operations).

use time::OffsetDateTime;

use super::{
    blob::Blob,
    container::Container,
    revision::{Revision, Tags},
    tag_query,
};
use crate::wire::{
    call::Call,
    dates,
    error::{Code, Refusal},
    op::Op,
};

/// The conditions of a request on one of its blobs.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Conditions<'a> {
    if_match: Option<&'a str>,
    if_none_match: Option<&'a str>,
    if_modified_since: Option<OffsetDateTime>,
    if_unmodified_since: Option<OffsetDateTime>,
    if_tags: Option<&'a str>,
    /// The error of a write whose conditions are not met.
    unmet: Code,
}

/// A kind of condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Match,
    NoneMatch,
    Modified,
    Unmodified,
    Tags,
}

/// The properties that conditions are checked against.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen<'a> {
    pub(crate) etag: &'a str,
    pub(crate) last_modified: OffsetDateTime,
    pub(crate) tags: &'a Tags,
}

impl<'a> From<&'a Revision> for Seen<'a> {
    fn from(revision: &'a Revision) -> Self {
        let Revision { etag, last_modified, tags, .. } = revision;
        Self { etag, last_modified: *last_modified, tags }
    }
}

impl<'a> From<&'a Blob> for Seen<'a> {
    fn from(blob: &'a Blob) -> Self {
        (&blob.current).into()
    }
}

impl<'a> From<&'a Container> for Seen<'a> {
    fn from(container: &'a Container) -> Self {
        const NONE: &Tags = &Tags::new();
        Self { etag: &container.etag, last_modified: container.last_modified, tags: NONE }
    }
}

impl<'a> Conditions<'a> {
    /// The conditions on the addressed blob.
    pub(crate) fn of(call: &'a Call) -> Result<Self, Refusal> {
        const NAMES: [&str; 5] = [
            "if-match",
            "if-none-match",
            "if-modified-since",
            "if-unmodified-since",
            "x-ms-if-tags",
        ];
        Self::read(call, NAMES, Code::ConditionNotMet)
    }

    /// The only condition that Set Blob Tier accepts.
    pub(crate) fn of_tags_only(call: &'a Call) -> Result<Self, Refusal> {
        Ok(Self { if_tags: call.header("x-ms-if-tags"), ..Self::none() })
    }

    /// For an operation that accepts no conditions.
    pub(crate) fn none() -> Self {
        Self {
            if_match: None,
            if_none_match: None,
            if_modified_since: None,
            if_unmodified_since: None,
            if_tags: None,
            unmet: Code::ConditionNotMet,
        }
    }

    /// The same for the destination of a copy, which has its own error code.
    pub(crate) fn of_target(call: &'a Call) -> Result<Self, Refusal> {
        Ok(Self { unmet: Code::TargetConditionNotMet, ..Self::of(call)? })
    }

    /// The conditions on the source of a copy.
    pub(crate) fn of_source(call: &'a Call) -> Result<Self, Refusal> {
        const NAMES: [&str; 5] = [
            "x-ms-source-if-match",
            "x-ms-source-if-none-match",
            "x-ms-source-if-modified-since",
            "x-ms-source-if-unmodified-since",
            "x-ms-source-if-tags",
        ];
        Self::read(call, NAMES, Code::SourceConditionNotMet)
    }

    fn read(call: &'a Call, names: [&'static str; 5], unmet: Code) -> Result<Self, Refusal> {
        let date = |name: &str| {
            let Some(text) = call.header(name) else { return Ok(None) };
            dates::parse_http_date(text).map(Some).ok_or_else(|| Refusal::bad_header(name, text))
        };
        let [matches, none_match, modified, unmodified, tags] = names;
        // An unreadable clause is refused even if it would not be evaluated.
        if let Some(clause) = call.header(tags).filter(|it| !tag_query::is_readable(it)) {
            return Err(Refusal::bad_header(tags, clause));
        }
        Ok(Self {
            if_match: call.header(matches),
            if_none_match: call.header(none_match),
            if_modified_since: date(modified)?,
            if_unmodified_since: date(unmodified)?,
            if_tags: call.header(tags),
            unmet,
        })
    }

    /// Checks them for a read: any combination; one that finds nothing new answers 304.
    pub(crate) fn check_read(&self, seen: Seen<'_>) -> Result<(), Refusal> {
        // A blob that exists cannot meet it.
        if self.if_none_match == Some("*") {
            return Err(Code::UnsatisfiableCondition.into());
        }
        let unmet = Refusal::from(self.unmet);
        if self.if_match.is_some_and(|tags| !any_etag(tags, seen.etag)) || !self.tags_match(seen)? {
            return Err(unmet);
        }
        if self.if_unmodified_since.is_some_and(|date| modified_after(seen, date)) {
            return Err(unmet);
        }
        let other_etag = self.if_none_match.map(|tags| !any_etag(tags, seen.etag));
        let newer = self.if_modified_since.map(|date| modified_after(seen, date));
        match (other_etag, newer) {
            (None, None) | (Some(true), _) | (_, Some(true)) => Ok(()),
            _ => Err(Refusal::not_modified()),
        }
    }

    /// Checks them for a write that creates or replaces a blob. `holds_lease` is whether the
    /// request named the lease of the existing blob.
    pub(crate) fn check_creation(
        &self,
        seen: Option<Seen<'_>>,
        holds_lease: bool,
    ) -> Result<(), Refusal> {
        match seen {
            Some(_) if self.if_none_match != Some("*") => self.check_write(seen),
            // Real accounts let the holder of the lease through.
            Some(_) if holds_lease => Self { if_none_match: None, ..*self }.check_write(seen),
            // The documentation says 412; a real account answers 409 to this one.
            Some(_) => Err(Code::BlobAlreadyExists.into()),
            None => self.check_write(None),
        }
    }

    /// Checks them for a write to a blob that may not exist yet: one condition only, and 412.
    pub(crate) fn check_write(&self, seen: Option<Seen<'_>>) -> Result<(), Refusal> {
        match self.unmet_by(seen)? {
            None => Ok(()),
            Some(_) => Err(self.unmet.into()),
        }
    }

    /// Checks them for the source of a copy; the error depends on the operation.
    pub(crate) fn check_source(&self, call: &Call, seen: Seen<'_>) -> Result<(), Refusal> {
        let Some(kind) = self.unmet_by(Some(seen))? else { return Ok(()) };
        let cause = match kind {
            Kind::Tags if call.op == Op::CopyBlob => return Err(Code::ConditionNotMet.into()),
            _ if call.op == Op::CopyBlob => return Err(self.unmet.into()),
            Kind::Match if call.op == Op::PutBlobFromUrl => return Err(self.unmet.into()),
            Kind::NoneMatch | Kind::Modified => Refusal::not_modified(),
            Kind::Match | Kind::Unmodified | Kind::Tags => Code::ConditionNotMet.into(),
        };
        Err(call.source_unreadable(&cause))
    }

    /// The condition that is not met, if any.
    fn unmet_by(&self, seen: Option<Seen<'_>>) -> Result<Option<Kind>, Refusal> {
        self.only_one()?;
        let Some(seen) = seen else {
            let absent = (self.if_match.map(|_| Kind::Match)).or(self.if_tags.map(|_| Kind::Tags));
            return Ok(absent);
        };
        if !self.tags_match(seen)? {
            return Ok(Some(Kind::Tags));
        }
        let (met, kind) = match (self.if_match, self.if_none_match) {
            (Some(etag), _) => (same_etag(etag, seen.etag), Kind::Match),
            (_, Some(etag)) => (!same_etag(etag, seen.etag), Kind::NoneMatch),
            _ => match (self.if_modified_since, self.if_unmodified_since) {
                (Some(date), _) => (modified_after(seen, date), Kind::Modified),
                (_, Some(date)) => (!modified_after(seen, date), Kind::Unmodified),
                _ => return Ok(None),
            },
        };
        Ok((!met).then_some(kind))
    }

    /// A write accepts one condition; of the two accepted pairs, the first counts.
    fn only_one(&self) -> Result<(), Refusal> {
        let given = (
            self.if_match.is_some(),
            self.if_none_match.is_some(),
            self.if_modified_since.is_some(),
            self.if_unmodified_since.is_some(),
        );
        match given {
            (true, true, ..) | (true, _, true, _) | (_, true, _, true) | (_, _, true, true) => {
                Err(Code::MultipleConditionHeadersNotSupported.into())
            }
            _ if [self.if_match, self.if_none_match]
                .into_iter()
                .flatten()
                .any(|tag| tag.contains(',')) =>
            {
                Err(Code::InvalidHeaderValue.into())
            }
            _ => Ok(()),
        }
    }

    fn tags_match(&self, seen: Seen<'_>) -> Result<bool, Refusal> {
        let Some(clause) = self.if_tags else { return Ok(true) };
        tag_query::matches(clause, seen.tags)
            .ok_or_else(|| Refusal::bad_header("x-ms-if-tags", clause))
    }
}

fn any_etag(list: &str, etag: &str) -> bool {
    list.split(',').any(|given| same_etag(given, etag))
}

fn same_etag(given: &str, etag: &str) -> bool {
    let given = given.trim();
    given == "*" || given.trim_matches('"') == etag.trim_matches('"')
}

/// Dates in headers have whole seconds, so dates are compared in whole seconds.
fn modified_after(seen: Seen<'_>, date: OffsetDateTime) -> bool {
    seen.last_modified.unix_timestamp() > date.unix_timestamp()
}
