//! Keeps secrets out of everything that is shown.

use std::{borrow::Cow, fmt};

use http::HeaderMap;

const REDACTED: &str = "REDACTED";

/// What stands directly before a secret, in lower case.
const MARKERS: [&str; 9] = [
    "sig=",
    "sig%3d",
    "accountkey=",
    "sharedkey ",
    "sharedkeylite ",
    "bearer ",
    "signature found in the http request '",
    "x-ms-encryption-key:",
    "x-ms-source-encryption-key:",
];

/// Replaces every signature, key and token in `text`, which may hold URLs, connection strings or
/// the service's own messages.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let lower = text.to_ascii_lowercase();
    let mut shown: Option<String> = None;
    let mut copied = 0;
    let mut at = 0;
    while let Some((start, marker)) = next_secret(&lower, at) {
        let end = start + secret_length(&text[start..], marker);
        at = end.max(start);
        if start == end {
            continue;
        }
        let shown = shown.get_or_insert_with(|| String::with_capacity(text.len()));
        shown.push_str(&text[copied..start]);
        shown.push_str(REDACTED);
        copied = end;
    }
    match shown {
        None => Cow::Borrowed(text),
        Some(mut shown) => {
            shown.push_str(&text[copied..]);
            Cow::Owned(shown)
        }
    }
}

/// Where the first secret after `at` begins, and the marker before it.
fn next_secret(lower: &str, at: usize) -> Option<(usize, &'static str)> {
    MARKERS
        .iter()
        .filter_map(|marker| Some((at + lower[at..].find(marker)? + marker.len(), *marker)))
        .min_by_key(|(start, _)| *start)
}

fn secret_length(rest: &str, marker: &str) -> usize {
    let ends = |c: char| match marker {
        "accountkey=" => c == ';' || c.is_whitespace() || c == '"' || c == '\'',
        "bearer " => c.is_whitespace() || matches!(c, '"' | '\'' | ',' | ';'),
        _ => c.is_whitespace() || matches!(c, '&' | '"' | '\'' | ',' | ';' | '<' | '>' | ')' | '#'),
    };
    // A challenge names the scheme with parameters, not with a token.
    if marker == "bearer " && rest.split(ends).next().is_some_and(|word| word.contains("_uri=")) {
        return 0;
    }
    rest.find(ends).unwrap_or(rest.len())
}

/// Headers as they may be shown.
pub(crate) struct Redacted<'a>(pub(crate) &'a HeaderMap);

impl fmt::Debug for Redacted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = self.0.iter().map(|(name, value)| {
            let secret = value.is_sensitive()
                || matches!(
                    name.as_str(),
                    "authorization"
                        | "x-ms-copy-source-authorization"
                        | "x-ms-encryption-key"
                        | "x-ms-source-encryption-key"
                );
            let value = match value.to_str() {
                _ if secret => REDACTED.to_owned(),
                Ok(text) => redact(text).into_owned(),
                Err(_) => "(not text)".to_owned(),
            };
            (name.as_str(), value)
        });
        f.debug_map().entries(shown).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_secret_is_replaced() {
        let cases = [
            ("https://a/c/b?sp=r&sig=abc%2B%3D&se=x", "https://a/c/b?sp=r&sig=REDACTED&se=x"),
            ("SIG=abc", "SIG=REDACTED"),
            ("src=https%3A%2F%2Fa%3Fsig%3Dabc rest", "src=https%3A%2F%2Fa%3Fsig%3DREDACTED rest"),
            ("AccountName=a;AccountKey=ab+/==;X=1", "AccountName=a;AccountKey=REDACTED;X=1"),
            ("SharedKey acct:abc+/= tail", "SharedKey REDACTED tail"),
            ("Authorization: Bearer ey.J-_=, more", "Authorization: Bearer REDACTED, more"),
            ("found in the HTTP request 'abc=' is", "found in the HTTP request 'abc=' is"),
            (
                "The MAC signature found in the HTTP request 'abc=' is not",
                "The MAC signature found in the HTTP request 'REDACTED' is not",
            ),
            ("two sig=a&x=1 and sig=b", "two sig=REDACTED&x=1 and sig=REDACTED"),
        ];
        for (text, shown) in cases {
            assert_eq!(redact(text), shown);
        }
    }

    #[test]
    fn text_without_secrets_is_not_copied() {
        for text in ["", "https://a/c/b?snapshot=2026", "Bearer authorization_uri=https://x"] {
            assert!(matches!(redact(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }
}
