//! The order of names in a listing.

use std::cmp::Ordering;

/// Compares two names by their UTF-16 code units, as the service orders a listing of an account
/// without a hierarchical namespace.
///
/// The order of UTF-8 bytes differs from it in one case alone: a character beyond U+FFFF, which
/// begins with a surrogate (U+D800 to U+DBFF) in UTF-16, comes before U+E000 to U+FFFF.
pub(crate) fn compare(one: &str, other: &str) -> Ordering {
    let (one, other) = (one.as_bytes(), other.as_bytes());
    let Some((&one, &other)) = one.iter().zip(other).find(|(one, other)| one != other) else {
        return one.len().cmp(&other.len());
    };
    // The first byte of a character of four bytes is F0 or more, that of U+E000 to U+FFFF EE or EF.
    // Later bytes of a character are below C0, and only meet their like.
    let (is_pair, is_high) = (|byte| byte >= 0xF0, |byte| matches!(byte, 0xEE | 0xEF));
    match (is_pair(one) && is_high(other), is_high(one) && is_pair(other)) {
        (true, _) => Ordering::Less,
        (_, true) => Ordering::Greater,
        _ => one.cmp(&other),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn by_units(one: &str, other: &str) -> Ordering {
        one.encode_utf16().cmp(other.encode_utf16())
    }

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        #[test]
        fn names_are_ordered_by_their_code_units(
            one in "[a/\\-é\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
            other in "[a/\\-é\u{d7ff}\u{e000}\u{ffff}\u{10000}\u{10ffff}]{0,4}",
            any in "\\PC{0,8}",
        ) {
            prop_assert_eq!(compare(&one, &other), by_units(&one, &other));
            prop_assert_eq!(compare(&one, &any), by_units(&one, &any));
            // A common prefix changes nothing, so names can be compared after their prefixes.
            let (far, near) = (format!("{any}{one}"), format!("{any}{other}"));
            prop_assert_eq!(compare(&far, &near), by_units(&one, &other));
        }
    }

    #[test]
    fn a_character_of_two_units_comes_before_the_last_of_one() {
        assert_eq!(compare("\u{10000}", "\u{ffff}"), Ordering::Less);
        assert_eq!(compare("\u{e000}", "\u{10ffff}"), Ordering::Greater);
        assert_eq!("\u{10000}".cmp("\u{ffff}"), Ordering::Greater);
    }
}
