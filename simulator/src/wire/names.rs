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

/// The order in which an account lists names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Order {
    /// That of UTF-16, as in accounts without a hierarchical namespace.
    #[default]
    Flat,
    /// Path by path, as in accounts with a hierarchical namespace: `/` comes before every other
    /// character.
    Paths,
}

/// A name in the list order of its account. Only names of one account are compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Name {
    text: Arc<str>,
    order: Order,
}

impl Name {
    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        self.order.compare(&self.text, &other.text)
    }
}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Order {
    pub(crate) fn name(self, text: impl Into<Arc<str>>) -> Name {
        Name { text: text.into(), order: self }
    }

    pub(crate) fn compare(self, one: &str, other: &str) -> Ordering {
        match self {
            Self::Flat => compare(one, other),
            Self::Paths => {
                let (mut one, mut other) = (one.split('/'), other.split('/'));
                loop {
                    match (one.next(), other.next()) {
                        (Some(one), Some(other)) if one == other => {}
                        (Some(one), Some(other)) => return compare(one, other),
                        (one, other) => return one.is_some().cmp(&other.is_some()),
                    }
                }
            }
        }
    }

    /// The later of two names.
    pub(crate) fn later<'a>(self, one: &'a str, other: &'a str) -> &'a str {
        if self.compare(one, other) == Ordering::Less { other } else { one }
    }

    /// The smallest name greater than all that begin with `prefix`.
    pub(crate) fn successor(self, prefix: &str) -> Option<String> {
        let mut text = prefix.to_owned();
        while let Some(last) = text.pop() {
            let next = match (self, last) {
                (Self::Paths, '/') => Some('\0'),
                (Self::Paths, '.') => Some('0'),
                (_, '\u{d7ff}') => Some('\u{10000}'),
                (_, '\u{10ffff}') => Some('\u{e000}'),
                (_, '\u{ffff}') => None,
                (_, last) => char::from_u32(u32::from(last) + 1),
            };
            if let Some(next) = next {
                text.push(next);
                return Some(text);
            }
        }
        None
    }
}

/// The order of UTF-16 code units.
///
/// It equals that of UTF-8 except for characters that are surrogates in UTF-16 (first byte F0 or
/// higher), which come before U+E000 to U+FFFF (first byte EE or EF).
fn compare(one: &str, other: &str) -> Ordering {
    let differ = one.bytes().zip(other.bytes()).find(|(one, other)| one != other);
    let Some((one_byte, other_byte)) = differ else { return one.len().cmp(&other.len()) };
    match (one_byte >= 0xee, other_byte >= 0xee) {
        (true, true) if (one_byte >= 0xf0) != (other_byte >= 0xf0) => other_byte.cmp(&one_byte),
        _ => one_byte.cmp(&other_byte),
    }
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
        for prefix in ["a", "a/", "a.", "a\u{ffff}", "\u{d7ff}", "\u{10ffff}", "a\u{ffff}\u{ffff}"]
        {
            for order in [Order::Flat, Order::Paths] {
                let next = order.successor(prefix).expect(prefix);
                assert_eq!(order.compare(&next, prefix), Ordering::Greater, "{prefix:?}");
                for rest in ["", "z", "/", "\u{ffff}\u{ffff}", "\u{10ffff}"] {
                    let longer = format!("{prefix}{rest}");
                    assert_eq!(order.compare(&next, &longer), Ordering::Greater, "{longer:?}");
                }
                assert!(!next.starts_with(prefix));
            }
        }
        assert_eq!(Order::Flat.successor("\u{ffff}"), None);
        assert_eq!(Order::Paths.successor(""), None);
    }

    #[test]
    fn by_paths_all_below_a_name_follows_it_at_once() {
        let sorted =
            ["a", "a/", "a//b", "a/b", "a/b/c", "a/b-c", "a\0", "a-b", "a.", "a.txt", "a0", "ab"];
        assert!(sorted.is_sorted_by(|one, next| Order::Paths.compare(one, next).is_lt()));
        for (prefix, next) in [("a/", "a\0"), ("a.", "a0"), ("a-", "a."), ("a\0", "a\u{1}")] {
            assert_eq!(Order::Paths.successor(prefix).as_deref(), Some(next));
            let between = sorted.iter().filter(|name| {
                Order::Paths.compare(name, prefix).is_ge()
                    && Order::Paths.compare(name, next).is_lt()
            });
            assert!(between.clone().all(|name| name.starts_with(prefix)), "{prefix:?}");
        }
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
