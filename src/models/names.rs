//! Valid names of containers and blobs, and the form in which the service stores a blob's name.
//!
//! From [Naming and referencing containers, blobs, and
//! metadata](https://learn.microsoft.com/rest/api/storageservices/naming-and-referencing-containers--blobs--and-metadata).

use crate::error::{Error, Result};

/// The container that blob URLs may omit.
pub(crate) const ROOT_CONTAINER: &str = "$root";

const LONGEST_BLOB_NAME: usize = 1024;
const MOST_SEGMENTS: usize = 254;

const NO_DOTS: &str = "must not have a path segment that is . or .., which a URL cannot hold";
const LENGTH: &str = "must be 1 to 1024 characters";
const IN_ROOT: &str = "must not hold a / in the root container";

/// Rejects an invalid container name. The service's own containers, such as `$root`, `$logs` and
/// `$web`, begin with a `$`; it may list others that are not known here.
pub(crate) fn check_container(name: &str) -> Result<()> {
    let bytes = name.strip_prefix('$').unwrap_or(name).as_bytes();
    let alphanumeric = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let legal = (3..=63).contains(&name.len())
        && bytes.iter().all(|byte| alphanumeric(byte) || *byte == b'-')
        && bytes.first().is_some_and(alphanumeric)
        && bytes.last().is_some_and(alphanumeric)
        && !name.contains("--");
    if legal {
        return Ok(());
    }
    Err(Error::invalid(
        "container name",
        name,
        "must be 3 to 63 lower-case letters, digits and single hyphens, with a letter or digit at \
         either end",
    ))
}

/// Rejects a blob name from the user that is invalid, or that the service would store under another
/// name: the call could then overwrite another blob.
pub(crate) fn check_given(what: &'static str, container: &str, name: &str) -> Result<()> {
    let mut segments = name.split('/');
    let rule = if !(1..=LONGEST_BLOB_NAME).contains(&name.chars().count()) {
        LENGTH
    } else if segments.clone().any(is_dots) {
        NO_DOTS
    } else if name.contains('\\') {
        "must not hold a \\, which the service stores as /"
    } else if name.ends_with('.') {
        "must not end with a dot: the service drops it, and the call would reach another blob"
    } else if segments.clone().any(|segment| segment.ends_with('.')) {
        "must not have a path segment that ends with a dot, which the service may drop"
    } else if segments.nth(MOST_SEGMENTS).is_some() {
        "must be at most 254 path segments"
    } else if container == ROOT_CONTAINER && name.contains('/') {
        IN_ROOT
    } else {
        return Ok(());
    };
    Err(Error::invalid(what, name, rule))
}

/// The stored name of the blob that a URL or a stored token names: `\` becomes `/`, and dots at the
/// end are removed. It is not known whether the service removes the dots of other path segments, so
/// they stay.
pub(crate) fn as_stored(container: &str, name: &str) -> Result<String> {
    let mut stored = name.replace('\\', "/");
    if stored.split('/').any(is_dots) {
        return Err(Error::invalid("blob name", name, NO_DOTS));
    }
    stored.truncate(stored.trim_end_matches('.').len());
    let rule = match stored.chars().count() {
        1..=LONGEST_BLOB_NAME if container == ROOT_CONTAINER && stored.contains('/') => IN_ROOT,
        1..=LONGEST_BLOB_NAME => return Ok(stored),
        _ => LENGTH,
    };
    Err(Error::invalid("blob name", name, rule))
}

/// Rejects a listed name only if a URL cannot hold it.
pub(crate) fn check_listed(name: &str) -> Result<()> {
    if name.is_empty() {
        return Err(Error::invalid("blob name", name, LENGTH));
    }
    if name.split('/').any(is_dots) {
        return Err(Error::invalid("blob name", name, NO_DOTS));
    }
    Ok(())
}

fn is_dots(segment: &str) -> bool {
    matches!(segment, "." | "..")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig {
            failure_persistence: None,
            ..ProptestConfig::default()
        })]

        /// What is accepted as text is stored as it is, and a stored name is stored once only.
        #[test]
        fn an_accepted_name_is_the_stored_one(name in "[ab./\\\\]{0,12}|\\PC{0,40}") {
            if check_given("blob name", "abc", &name).is_ok() {
                prop_assert_eq!(as_stored("abc", &name).expect("legal"), name.clone());
            }
            if let Ok(stored) = as_stored("abc", &name) {
                prop_assert_eq!(as_stored("abc", &stored).expect("legal"), stored.clone());
                prop_assert!(check_listed(&stored).is_ok());
            }
        }
    }

    #[test]
    fn a_name_that_is_stored_under_another_is_refused_with_the_reason() {
        let long = "x".repeat(1025);
        let deep = "a/".repeat(254) + "a";
        for (container, name, rule) in [
            ("abc", "", "1 to 1024 characters"),
            ("abc", long.as_str(), "1 to 1024 characters"),
            ("abc", "disk.", "must not end with a dot"),
            ("abc", "disk...", "must not end with a dot"),
            ("abc", "a/disk.", "must not end with a dot"),
            ("abc", "...", "must not end with a dot"),
            ("abc", "a\\b", "must not hold a \\\\, which the service stores as /"),
            ("abc", "a./b", "path segment that ends with a dot"),
            ("abc", "a./", "path segment that ends with a dot"),
            ("abc", "a/../b", "path segment that is . or .."),
            ("abc", "a/.", "path segment that is . or .."),
            ("abc", ".", "path segment that is . or .."),
            ("abc", deep.as_str(), "at most 254 path segments"),
            ("$root", "a/b", "root container"),
        ] {
            let error = check_given("blob name", container, name).expect_err(name).to_string();
            let rule = rule.replace("\\\\", "\\");
            assert!(error.starts_with("blob name: ") && error.contains(&rule), "{error}");
        }
        let full = "a/".repeat(253) + "a";
        let accepted =
            ["/a", "a//b/", ".a", "a.b/.c", "a b", "~", "größe", &"ö".repeat(1024), &full];
        for name in accepted {
            check_given("blob name", "abc", name).expect(name);
            assert_eq!(as_stored("abc", name).expect(name), name);
        }
    }

    #[test]
    fn a_name_in_a_url_is_the_one_that_the_service_means() {
        for (name, stored) in [
            ("disk.", "disk"),
            ("a\\b..", "a/b"),
            ("a./b", "a./b"),
            ("a/...", "a/"),
            ("//a", "//a"),
            ("\\a", "/a"),
        ] {
            assert_eq!(as_stored("abc", name).expect(name), stored);
        }
        for (container, name) in
            [("abc", ""), ("abc", "..."), ("abc", "a\\..\\b"), ("abc", "a\\."), ("$root", "a\\b")]
        {
            as_stored(container, name).expect_err(name);
        }
    }

    #[test]
    fn the_services_own_containers_begin_with_a_dollar() {
        for name in ["$root", "$web", "$logs", "$blobchangefeed", "$not-known-yet", "a-b", "0ab"] {
            check_container(name).expect(name);
        }
        for name in ["$", "$Web", "$$web", "a$b", "$-a", "$a--b", "$a/b"] {
            check_container(name).expect_err(name);
        }
    }

    #[test]
    fn a_listed_name_is_used_as_it_is() {
        for name in ["a./b", "disk.", "a\\b", &"x".repeat(2000)] {
            check_listed(name).expect(name);
        }
        for name in ["", "a/../b", "."] {
            check_listed(name).expect_err(name);
        }
    }
}
