//! Keeps secrets out of all output.
//!
//! One redactor, used in two places:
//!
//! - **Where text enters**, for text that only people read: messages, details and codes of errors,
//!   descriptions, request ids, transport errors. It is stored redacted.
//! - **Where text is shown**, for values that must stay exact because they are compared or sent to
//!   the service: ids, ETags, names, markers, metadata, stored headers. `Debug`, `Display` and
//!   `Serialize` redact them; the value itself is unchanged.
//!
//! [`scan`] defines what a secret is, [`names`] the names that mark one.

mod names;
mod scan;

use std::{borrow::Cow, collections::BTreeMap, fmt};

use http::{HeaderMap, HeaderName, HeaderValue};
use serde::{Serialize, Serializer};
use url::Url;

use scan::{Start, View, secrets};

pub(crate) use names::{is_harmless_parameter, is_secret_header};

/// Replaces a secret.
pub(crate) const REDACTED: &str = "REDACTED";

/// Replaces every signature, key and token in `text`: in URLs, connection strings, headers, JSON
/// and messages of the service, at any depth of percent-encoding.
///
/// Takes linear time, and returns at most about twice the length of the text.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    redact_from(text, Start::Text)
}

/// The same for a query string without `?`.
pub(crate) fn redact_query(text: &str) -> Cow<'_, str> {
    redact_from(text, Start::Query)
}

/// Whether `text` holds a secret.
pub(crate) fn holds_secret(text: &str) -> bool {
    matches!(redact(text), Cow::Owned(_))
}

/// The URL without user, password, query and fragment.
pub(crate) fn bare(mut url: Url) -> Url {
    without_user_info(&mut url);
    url.set_query(None);
    url.set_fragment(None);
    url
}

/// Removes the user and password from a URL.
pub(crate) fn without_user_info(url: &mut Url) {
    // Fails only for a URL that cannot have them.
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

/// Shows an exact value with `Debug` and `Serialize`, without secrets.
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

/// `#[serde(serialize_with = …)]` for a field with an exact value.
pub(crate) fn serialize<T: Text, S: Serializer>(value: &T, to: S) -> Result<S::Ok, S::Error> {
    value.store(to)
}

/// Text, and containers of text.
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

/// Without quotes, like [`Url`] itself.
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

/// Shows the SHA-256 of a key in base64, which looks like a key. Anything else is redacted.
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

/// `Debug` for a struct: redacts the fields marked `: text`, and shows those marked `: hash` as
/// hashes of keys.
///
/// Every field must be listed, so none is forgotten.
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

/// Shows headers without secrets.
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

/// Removes the customer-provided keys of a request from the headers of its response.
///
/// A key and its SHA-256 look the same; only here they can be distinguished.
pub(crate) fn forget_keys(request: &HeaderMap, answer: &mut HeaderMap) {
    const KEYS: [HeaderName; 2] = [
        HeaderName::from_static("x-ms-encryption-key"),
        HeaderName::from_static("x-ms-source-encryption-key"),
    ];
    for key in KEYS.iter().filter_map(|name| request.get(name)) {
        let key = key.as_bytes();
        for value in answer.values_mut().filter(|value| value.len() >= key.len()) {
            let holds_key = value.as_bytes().windows(key.len()).any(|part| {
                // In any case: a key in lower case is half known.
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
