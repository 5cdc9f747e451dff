//! Cuts text from outside to a length that can be kept and shown.

use std::borrow::Cow;

use url::Url;

use super::redaction::{bare, redact};

/// The longest message that an error keeps, in bytes.
pub(crate) const LONGEST_MESSAGE: usize = 8 << 10;

/// The longest error code that an error keeps, in bytes: far longer than any of the service.
pub(crate) const LONGEST_CODE: usize = 128;

/// The longest request id that an error keeps, in bytes: the longest that a client may send.
pub(crate) const LONGEST_ID: usize = 1024;

/// The longest URL that an error keeps, in bytes: far longer than most.
const LONGEST_URL: usize = 2 << 10;

/// The first `limit` bytes of `text`; dots replace the rest.
pub(crate) fn excerpt(text: &str, limit: usize) -> Cow<'_, str> {
    const DOTS: &str = "...";
    if text.len() <= limit {
        return Cow::Borrowed(text);
    }
    let longest = limit.saturating_sub(DOTS.len());
    let end = (0..=longest).rev().find(|end| text.is_char_boundary(*end)).unwrap_or_default();
    Cow::Owned(format!("{}{DOTS}", &text[..end]))
}

/// A redacted excerpt. The text is redacted before it is cut: half a secret may not look like one.
pub(crate) fn shown(text: &str, limit: usize) -> String {
    excerpt(&redact(text), limit).into_owned()
}

/// The URL without query, user info and fragment, redacted.
pub(crate) fn place(url: &Url) -> String {
    shown(bare(url.clone()).as_str(), LONGEST_URL)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_shows_neither_query_nor_password() {
        let shown = |url: &str| place(&url.parse().expect("a URL"));
        assert_eq!(
            shown("https://me:SECRET@a.example/c/b%20c?sig=SECRET#x"),
            "https://a.example/c/b%20c"
        );
        assert_eq!(shown("data:a?sig=SECRET"), "data:a");
        let key = "kC0a8w+RkUZf1yGmV7/oWcN4sT9qXbJ2eLhD5iPz3uE6vYtMnHrB0gAjSxKdQFpO8lU2aVw1mXc5RzTyNi7fGg==";
        assert!(!shown(&format!("https://a.example/c/{key}")).contains(&key[..30]));
        assert_eq!(shown(&format!("https://a.example/{}", "x".repeat(9000))).len(), 2048);
    }

    #[test]
    fn only_what_is_too_long_is_cut_and_between_characters() {
        assert!(matches!(excerpt("abcdef", 6), Cow::Borrowed("abcdef")));
        assert_eq!(excerpt("abcdefg", 6), "abc...");
        assert_eq!(excerpt("ééééééé", 8), "éé...");
        assert_eq!(excerpt("abc", 0), "...");
    }

    #[test]
    fn a_secret_that_is_cut_stays_hidden() {
        let secret = format!("{} sig=SECRET{}", "x".repeat(80), "S".repeat(100));
        for limit in 80..120 {
            let shown = shown(&secret, limit);
            assert!(shown.len() <= limit && !shown.contains("SEC"), "{limit}: {shown}");
        }
        let many = "sig=a&".repeat(1000);
        assert!(shown(&many, many.len()).len() <= many.len());
    }
}
