//! Keeps secrets out of everything that is shown.
//!
//! There is one redactor, and two places for it:
//!
//! - **Where text enters**, for text that only people read: messages, details and codes of errors,
//!   descriptions, ids of requests, faults of a transport. What is stored is redacted already.
//! - **Where text is shown**, for values that must stay exact because they are compared or sent
//!   back to the service: ids, ETags, names, markers, metadata, stored headers. Their `Debug`,
//!   `Display` and `Serialize` forms are redacted; the value itself is not.
//!
//! What counts as a secret is in [`scan`], which names it is read by in [`names`].

mod names;
mod scan;

use std::{borrow::Cow, collections::BTreeMap, fmt};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};
use url::Url;

use scan::{Start, View, secrets};

pub(crate) use names::{is_harmless_parameter, is_secret_header};

/// What stands in place of a secret.
pub(crate) const REDACTED: &str = "REDACTED";

/// Replaces every signature, key and token in `text`, which may hold URLs, connection strings,
/// headers, JSON or the service's own messages, in any depth of percent-encoding.
///
/// Takes time in proportion to the length of the text, and returns at most about twice as much.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    redact_from(text, Start::Text)
}

/// The same for text that is a query by itself, without `?`.
pub(crate) fn redact_query(text: &str) -> Cow<'_, str> {
    redact_from(text, Start::Query)
}

/// Whether there is a secret in `text`.
pub(crate) fn holds_secret(text: &str) -> bool {
    matches!(redact(text), Cow::Owned(_))
}

/// The URL without anything that may authorize: no user, password, query or fragment.
pub(crate) fn bare(mut url: Url) -> Url {
    without_user_info(&mut url);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Takes the user and the password out of a URL.
pub(crate) fn without_user_info(url: &mut Url) {
    // A URL that cannot have such has none: the refusal says nothing more.
    let _ = url.set_username("");
    let _ = url.set_password(None);
}

fn redact_from(text: &str, start: Start) -> Cow<'_, str> {
    let view = View::of(text);
    let found = secrets(&view, start);
    if found.is_empty() {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len());
    let mut copied = 0;
    for secret in found {
        shown.push_str(&text[copied..view.place(secret.start)]);
        shown.push_str(REDACTED);
        copied = view.place(secret.end);
    }
    shown.push_str(&text[copied..]);
    Cow::Owned(shown)
}

/// A value that stays exact, as it may be shown: `Debug` and `Serialize` without secrets.
pub(crate) struct Shown<'a, T: ?Sized>(pub(crate) &'a T);

impl<T: Text + ?Sized> fmt::Debug for Shown<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.show(f)
    }
}

impl<T: Text + ?Sized> Serialize for Shown<'_, T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.store(serializer)
    }
}

/// `#[serde(serialize_with = …)]` for a field that stays exact.
pub(crate) fn serialize<T: Text, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    value.store(to)
}

/// Text, and what is made of text.
pub(crate) trait Text {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error>;
}

impl Text for str {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&redact(self), f)
    }

    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&redact(self))
    }
}

impl Text for String {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_str().show(f)
    }

    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_str().store(to)
    }
}

impl Text for Cow<'_, str> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).show(f)
    }

    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        (**self).store(to)
    }
}

/// As [`Url`] shows itself: without quotes.
impl Text for Url {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&redact(self.as_str()))
    }

    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_str().store(to)
    }
}

impl<T: Text> Text for Option<T> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.as_ref().map(Shown), f)
    }

    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        Serialize::serialize(&self.as_ref().map(Shown), to)
    }
}

impl<T: Text> Text for [T] {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter().map(Shown)).finish()
    }

    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_seq(self.iter().map(Shown))
    }
}

impl<T: Text> Text for Vec<T> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().show(f)
    }

    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_slice().store(to)
    }
}

impl<T: Text, const N: usize> Text for [T; N] {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_slice().show(f)
    }

    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        self.as_slice().store(to)
    }
}

impl<K: Text, V: Text> Text for BTreeMap<K, V> {
    fn show(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter().map(|(key, value)| (Shown(key), Shown(value)))).finish()
    }

    fn store<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_map(self.iter().map(|(key, value)| (Shown(key), Shown(value))))
    }
}

/// The SHA-256 of a key in base64, which has the form of a key and is none. Anything else is
/// redacted.
pub(crate) fn shown_hash(text: &str) -> Cow<'_, str> {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    match text.strip_suffix('=') {
        Some(digits) if digits.len() == 43 && digits.bytes().all(digit) => Cow::Borrowed(text),
        _ => redact(text),
    }
}

/// `#[serde(serialize_with = …)]` for such a hash.
pub(crate) fn serialize_hash<S: Serializer>(
    hash: &Option<String>,
    to: S,
) -> Result<S::Ok, S::Error> {
    Serialize::serialize(&hash.as_deref().map(shown_hash), to)
}

/// `Debug` for a struct, of which the fields marked `: text` are redacted, and those marked `:
/// hash` as the hashes of keys.
///
/// Every field must be listed, so that none can be forgotten.
macro_rules! debug_redacted {
    ($name:ident $(<$lifetime:lifetime>)? { $($field:ident $(: $text:ident)?),+ $(,)? }) => {
        impl std::fmt::Debug for $name $(<$lifetime>)? {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                let Self { $($field),+ } = self;
                f.debug_struct(stringify!($name))
                    $(.field(
                        stringify!($field),
                        &crate::wire::redaction::debug_redacted!(@ $field $($text)?),
                    ))+
                    .finish()
            }
        }
    };
    (@ $field:ident) => { $field };
    (@ $field:ident text) => { crate::wire::redaction::Shown($field) };
    (@ $field:ident hash) => { $field.as_deref().map(crate::wire::redaction::shown_hash) };
}
pub(crate) use debug_redacted;

/// Headers as they may be shown.
pub(crate) struct Redacted<'a>(pub(crate) &'a HeaderMap);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| {
            let secret = value.is_sensitive() || is_secret_header(name.as_str());
            let value = match value.to_str() {
                _ if secret => REDACTED.to_owned(),
                Ok(text) => redact(text).into_owned(),
                Err(_) => "(not text)".to_owned(),
            };
            (redact(name.as_str()), value)
        });
        f.debug_map().entries(shown).finish()
    }
}

/// Takes the customer's keys that a request carries out of the headers of its answer.
///
/// A key and its SHA-256 have the same form, so that only here the one can be known from the other.
pub(crate) fn forget_keys(request: &HeaderMap, answer: &mut HeaderMap) {
    const KEYS: [HeaderName; 2] = [
        HeaderName::from_static("x-ms-encryption-key"),
        HeaderName::from_static("x-ms-source-encryption-key"),
    ];
    for key in KEYS.iter().filter_map(|name| request.get(name)) {
        let key = key.as_bytes();
        for value in answer.values_mut().filter(|value| value.len() >= key.len()) {
            let holds_key = value.as_bytes().windows(key.len()).any(|part| {
                // Lower case too: a key in other case is half known.
                part.eq_ignore_ascii_case(key)
            });
            if holds_key {
                *value = HeaderValue::from_static(REDACTED);
            }
        }
    }
}

#[cfg(test)]
mod tests;
