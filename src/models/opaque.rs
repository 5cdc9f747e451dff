//! Opaque strings of the service, each with its own type.

use std::{borrow::Cow, fmt, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::{
    error::{Error, Result},
    wire::redaction::redact,
};

/// Defines a newtype over text that comes from the service and is sent back byte for byte.
///
/// `as_str`, comparisons and requests use the exact text. `Display`, `Debug` and serialization
/// redact it, because a service that echoes could put a secret into it.
macro_rules! opaque_string {
    ($(#[$doc:meta])* $name:ident, $what:literal, $parse:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Cow<'static, str>);

        impl $name {
            /// The exact text. Unlike `Display`, `Debug` and serialization, it is not redacted.
            pub fn as_str(&self) -> &str {
                &self.0
            }

            /// Wraps text that the service sent, unless it is empty.
            #[allow(dead_code, reason = "answers are not read for every one of these types")]
            pub(crate) fn from_service(text: &str) -> Option<Self> {
                (!text.is_empty()).then(|| Self(Cow::Owned(text.to_owned())))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&redact(&self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.debug_tuple(stringify!($name)).field(&redact(&self.0)).finish()
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&redact(&self.0))
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let parse: fn(&str) -> Result<Cow<'static, str>, &'static str> = $parse;
                parse(text).map(Self).map_err(|rule| Error::invalid($what, text, rule))
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }

        impl From<&$name> for $name {
            fn from(other: &$name) -> Self {
                other.clone()
            }
        }

        impl PartialEq<str> for $name {
            fn eq(&self, other: &str) -> bool {
                self.0 == other
            }
        }

        impl PartialEq<&str> for $name {
            fn eq(&self, other: &&str) -> bool {
                self.0 == *other
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Cow::<'de, str>::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

opaque_string! {
    /// The id of a copy: the value of `x-ms-copy-id`. In practice a GUID, but opaque.
    ///
    /// ```
    /// use blobcopy::CopyId;
    ///
    /// let id: CopyId = "1f812371-a41d-49e6-b123-f4b542e851c5".parse()?;
    /// assert_eq!(id.as_str(), "1f812371-a41d-49e6-b123-f4b542e851c5");
    /// assert!("".parse::<CopyId>().is_err());
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    CopyId, "copy id", visible
}

opaque_string! {
    /// The id of a blob's snapshot: the time at which it was created, kept byte for byte.
    ///
    /// Parsing checks that the text is a UTC timestamp such as `2026-01-01T00:00:00.1234567Z`, and
    /// keeps it unchanged with all fractional digits.
    ///
    /// ```
    /// use blobcopy::SnapshotId;
    ///
    /// let id: SnapshotId = "2026-01-01T00:00:00.1234567Z".parse()?;
    /// assert_eq!(id.to_string(), "2026-01-01T00:00:00.1234567Z");
    /// assert!("yesterday".parse::<SnapshotId>().is_err());
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    SnapshotId, "snapshot", timestamp
}

opaque_string! {
    /// The id of a blob's version: the time at which it was written, kept byte for byte.
    ///
    /// ```
    /// use blobcopy::VersionId;
    ///
    /// let id: VersionId = "2026-01-01T00:00:00.1234567Z".parse()?;
    /// assert_eq!(id.as_str().len(), 28);
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    VersionId, "version", timestamp
}

opaque_string! {
    /// The id of a lease: a GUID.
    ///
    /// ```
    /// use blobcopy::LeaseId;
    ///
    /// let id: LeaseId = "11111111-2222-3333-4444-555555555555".parse()?;
    /// assert!("not a guid".parse::<LeaseId>().is_err());
    /// # let _ = id;
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    LeaseId, "lease id", guid
}

opaque_string! {
    /// An ETag, which changes with every write of a blob's content or properties.
    ///
    /// It is kept with its quotes, as sent in `If-Match`. Parsing adds missing quotes, except for
    /// [`ETag::ANY`].
    ///
    /// ```
    /// use blobcopy::ETag;
    ///
    /// let etag: ETag = "0x8CEB669D794AFE2".parse()?;
    /// assert_eq!(etag.as_str(), "\"0x8CEB669D794AFE2\"");
    /// assert_eq!("*".parse::<ETag>()?, ETag::ANY);
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    ETag, "etag", quoted
}

impl LeaseId {
    /// A new GUID.
    pub(crate) fn random() -> Self {
        let id = uuid::Builder::from_random_bytes(fastrand::u128(..).to_le_bytes()).into_uuid();
        Self(Cow::Owned(id.hyphenated().to_string()))
    }
}

impl ETag {
    /// `*`: matches any blob that exists.
    pub const ANY: ETag = ETag(Cow::Borrowed("*"));
}

fn visible(text: &str) -> Result<Cow<'static, str>, &'static str> {
    if text.is_empty() || text.len() > 1024 || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("must be 1 to 1024 visible ASCII characters");
    }
    Ok(Cow::Owned(text.to_owned()))
}

fn timestamp(text: &str) -> Result<Cow<'static, str>, &'static str> {
    const RULE: &str = "must be a UTC timestamp such as 2026-01-01T00:00:00.1234567Z";
    let shape = text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T') && text.len() <= 30;
    let parsed = time::OffsetDateTime::parse(text, &time::format_description::well_known::Rfc3339);
    if !shape || parsed.is_err() {
        return Err(RULE);
    }
    Ok(Cow::Owned(text.to_owned()))
}

pub(crate) fn guid(text: &str) -> Result<Cow<'static, str>, &'static str> {
    let hyphen = |at: usize| matches!(at, 8 | 13 | 18 | 23);
    let well_formed = text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match hyphen(at) {
            true => byte == b'-',
            false => byte.is_ascii_hexdigit(),
        });
    if !well_formed {
        return Err("must be a GUID such as 11111111-2222-3333-4444-555555555555");
    }
    Ok(Cow::Owned(text.to_owned()))
}

fn quoted(text: &str) -> Result<Cow<'static, str>, &'static str> {
    if text == "*" {
        return Ok(Cow::Borrowed("*"));
    }
    let tag = text.strip_prefix("W/").unwrap_or(text);
    let inner = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    let content = inner.unwrap_or(text);
    if content.is_empty() || !content.bytes().all(|b| b.is_ascii_graphic() && b != b'"') {
        return Err("must be visible ASCII characters without inner quotes");
    }
    Ok(Cow::Owned(match inner {
        Some(_) => text.to_owned(),
        None => ["\"", text, "\""].concat(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_keep_every_digit_and_nothing_else_passes() {
        for good in
            ["2026-01-01T00:00:00.1234567Z", "2011-03-09T01:42:34.936000Z", "2026-01-01T00:00:00Z"]
        {
            assert_eq!(good.parse::<SnapshotId>().expect(good).as_str(), good);
        }
        for bad in [
            "",
            "2026-01-01",
            "2026-13-01T00:00:00Z",
            "2026-01-01T00:00:00+01:00",
            "2026-01-01 00:00:00Z",
            "2026-01-01T00:00:00.1234567Z&sig=x",
        ] {
            let error = bad.parse::<SnapshotId>().expect_err(bad).to_string();
            assert!(error.contains("snapshot") && error.contains("timestamp"), "{error}");
        }
    }

    #[test]
    fn etags_are_quoted_once() {
        for (given, kept) in [("0x1", "\"0x1\""), ("\"0x1\"", "\"0x1\""), ("W/\"1\"", "W/\"1\"")] {
            assert_eq!(given.parse::<ETag>().expect(given).as_str(), kept);
        }
        assert!("a\"b".parse::<ETag>().is_err());
    }

    #[test]
    fn stored_ids_are_checked_when_read_back() {
        let id: SnapshotId = serde_json::from_str("\"2026-01-01T00:00:00.1234567Z\"").expect("ok");
        assert_eq!(serde_json::to_string(&id).expect("ok"), "\"2026-01-01T00:00:00.1234567Z\"");
        assert!(serde_json::from_str::<SnapshotId>("\"now\"").is_err());
        assert!(serde_json::from_str::<LeaseId>("\"1\"").is_err());
    }
}
