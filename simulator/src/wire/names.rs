//! Blob names: the form in which they are stored, and their order in lists.

use std::{cmp::Ordering, sync::Arc};

/// The form in which the service stores a name: `/` for `\`, without dots at its end. Whether it
/// also removes dots at the end of a segment is not known; here they stay.
pub(crate) fn stored(name: String) -> String {
    if !name.contains('\\') && !name.ends_with('.') {
        return name;
    }
    name.replace('\\', "/").trim_end_matches('.').to_owned()
}

/// A name in the list order of accounts without a hierarchical namespace: that of UTF-16.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name(pub(crate) Arc<str>);

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Name {
    fn from(name: &str) -> Self {
        Self(name.into())
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        compare(&self.0, &other.0)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// The order of UTF-16 code units.
///
/// It equals that of UTF-8 except for characters that are surrogates in UTF-16 (first byte F0 or
/// higher), which come before U+E000 to U+FFFF (first byte EE or EF).
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let differ = one.bytes().zip(other.bytes()).find(|(one, other)| one != other);
    let Some((one_byte, other_byte)) = differ else { return one.len().cmp(&other.len()) };
    match (one_byte >= 0xee, other_byte >= 0xee) {
        (true, true) if (one_byte >= 0xf0) != (other_byte >= 0xf0) => other_byte.cmp(&one_byte),
        _ => one_byte.cmp(&other_byte),
    }
}

/// The later of two names.
pub(crate) fn later<'a>(one: &'a str, other: &'a str) -> &'a str {
    if compare(one, other) == Ordering::Less { other } else { one }
}

/// The smallest name greater than all that begin with `prefix`.
pub(crate) fn successor(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        let next = match last {
            '\u{d7ff}' => Some('\u{10000}'),
            '\u{10ffff}' => Some('\u{e000}'),
            '\u{ffff}' => None,
            last => char::from_u32(u32::from(last) + 1),
        };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const WORDS: [&str; 10] = [
        "",
        "a",
        "a-b",
        "a/b",
        "ab",
        "\u{d7ff}",
        "\u{10000}",
        "\u{10ffff}x",
        "\u{e000}",
        "\u{ffff}",
    ];

    #[test]
    fn names_are_in_the_order_of_utf_16() {
        for one in WORDS {
            for other in WORDS {
                let expected = one.encode_utf16().cmp(other.encode_utf16());
                assert_eq!(compare(one, other), expected, "{one:?} {other:?}");
                let (one, other) = (format!("x{one}"), format!("x{other}"));
                assert_eq!(compare(&one, &other), expected, "{one:?} {other:?}");
            }
        }
    }

    #[test]
    fn the_successor_comes_after_all_that_begin_so() {
        for prefix in ["a", "a\u{ffff}", "\u{d7ff}", "\u{10ffff}", "a\u{ffff}\u{ffff}"] {
            let next = successor(prefix).expect(prefix);
            assert_eq!(compare(&next, prefix), Ordering::Greater, "{prefix:?}");
            for rest in ["", "z", "\u{ffff}\u{ffff}", "\u{10ffff}"] {
                let longer = format!("{prefix}{rest}");
                assert_eq!(compare(&next, &longer), Ordering::Greater, "{longer:?}");
            }
            assert!(!next.starts_with(prefix));
        }
        assert_eq!(successor("\u{ffff}"), None);
        assert_eq!(successor(""), None);
    }

    #[test]
    fn a_name_is_stored_with_slashes_and_without_dots_at_its_end() {
        for (given, kept) in
            [("a\\b", "a/b"), ("disk.", "disk"), ("disk..\\.", "disk../"), ("a./b", "a./b")]
        {
            assert_eq!(stored(given.to_owned()), kept);
        }
    }
}
