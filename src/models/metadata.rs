//! Names and values that an application stores with a blob or container.
//!
//! From [Setting and retrieving properties and
//! metadata](https://learn.microsoft.com/rest/api/storageservices/setting-and-retrieving-properties-and-metadata-for-blob-resources).

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use http::{HeaderMap, HeaderName};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    wire::{headers, redaction},
};

/// The metadata of a blob, a snapshot or a container, ordered by name.
///
/// A name is a C# identifier: letters, digits and `_`, not starting with a digit. Names are
/// case-insensitive and are sent in lower case, like all HTTP headers. A value is visible ASCII.
/// All names and values together take at most 8 KiB. Metadata that breaks a rule fails with
/// `InvalidInput` before a request is sent.
///
/// ```
/// use blobcopy::Metadata;
///
/// let metadata = Metadata::from([("origin", "disk0"), ("owner", "team a")]);
/// assert_eq!(metadata.get("ORIGIN"), Some("disk0"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Metadata(#[serde(serialize_with = "redaction::serialize")] BTreeMap<String, String>);

impl fmt::Debug for Metadata {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Metadata").field(&redaction::Shown(&self.0)).finish()
    }
}

impl Metadata {
    const PREFIX: &'static str = "x-ms-meta-";
    const LONGEST: usize = 8 * 1024;

    /// Empty metadata.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a pair, or replaces the value if the name exists in the same case.
    pub fn insert(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.0.insert(name.into(), value.into());
    }

    /// The value of `name`, in any case.
    pub fn get(&self, name: &str) -> Option<&str> {
        let found = self.0.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// All pairs, ordered by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The number of pairs.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no pairs.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Writes each pair as a header.
    pub(crate) fn write(&self, to: &mut HeaderMap) -> Result<()> {
        let total: usize = self.0.iter().map(|(name, value)| name.len() + value.len()).sum();
        if total > Self::LONGEST {
            let size = format!("{} pairs of {total} bytes", self.0.len());
            return Err(Error::invalid("metadata", size, "must be at most 8 KiB in total"));
        }
        for (name, value) in &self.0 {
            let header = Self::header_name(name)?;
            if to.contains_key(&header) {
                let rule = "is given twice: names are compared without regard to case";
                return Err(Error::invalid("metadata name", name, rule));
            }
            let value = headers::value(value).map_err(|why| why.at("metadata value", value))?;
            to.insert(header, value);
        }
        Ok(())
    }

    fn header_name(name: &str) -> Result<HeaderName> {
        let mut bytes = name.bytes();
        let identifier = bytes.next().is_some_and(|b| b.is_ascii_alphabetic() || b == b'_')
            && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let header = format!("{}{}", Self::PREFIX, name.to_ascii_lowercase());
        match HeaderName::try_from(header) {
            Ok(header) if identifier => Ok(header),
            _ => Err(Error::invalid(
                "metadata name",
                name,
                "must be an identifier: letters, digits and _, not beginning with a digit",
            )),
        }
    }

    /// Stores `value` if the header `name` is metadata.
    pub(crate) fn read(&mut self, name: &str, value: &str) -> bool {
        match name.strip_prefix(Self::PREFIX) {
            None => false,
            Some(name) => {
                self.insert(name, value);
                true
            }
        }
    }
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Metadata {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl<K: Into<String>, V: Into<String>> Extend<(K, V)> for Metadata {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        self.0.extend(pairs.into_iter().map(|(name, value)| (name.into(), value.into())));
    }
}

impl<K: Into<String>, V: Into<String>> From<Vec<(K, V)>> for Metadata {
    fn from(pairs: Vec<(K, V)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K: Into<String>, V: Into<String>, S> From<HashMap<K, V, S>> for Metadata {
    fn from(pairs: HashMap<K, V, S>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K: Into<String>, V: Into<String>> From<BTreeMap<K, V>> for Metadata {
    fn from(pairs: BTreeMap<K, V>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Metadata {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(metadata: &Metadata) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        metadata.write(&mut headers).map(|()| headers)
    }

    #[test]
    fn pairs_travel_as_headers() {
        let headers = written(&Metadata::from([("Owner", "team a"), ("_e", "")])).expect("valid");
        assert_eq!(headers["x-ms-meta-owner"], "team a");
        assert_eq!(headers["x-ms-meta-_e"], "");
    }

    #[test]
    fn names_that_are_no_identifiers_are_refused() {
        for name in ["", "1a", "a-b", "a b", "a.b", "ä", "a\n"] {
            let error = written(&Metadata::from([(name, "v")])).expect_err(name).to_string();
            assert!(
                error.starts_with("metadata name: ") && error.contains("identifier"),
                "{error}"
            );
        }
    }

    #[test]
    fn a_name_in_two_cases_is_refused() {
        let error = written(&Metadata::from([("a", "1"), ("A", "2")])).expect_err("refused");
        assert!(error.to_string().contains("given twice"), "{error}");
    }

    #[test]
    fn values_that_a_header_would_change_are_refused() {
        for value in ["a\nb", "tab\t", "ä", " led", "trailed ", "\u{7f}"] {
            let error = written(&Metadata::from([("a", value)])).expect_err(value).to_string();
            assert!(error.starts_with("metadata value: "), "{error}");
        }
    }

    #[test]
    fn the_whole_may_take_8_kib() {
        let fits = "v".repeat(8 * 1024 - 1);
        assert!(written(&Metadata::from([("a", fits.as_str())])).is_ok());
        let error = written(&Metadata::from([("ab", fits.as_str())])).expect_err("too long");
        assert!(error.to_string().contains("8 KiB"), "{error}");
    }

    #[test]
    fn they_are_made_of_what_programs_keep_pairs_in() {
        let expected = Metadata::from([("a", "1"), ("b", "2")]);
        let pairs = vec![("a".to_owned(), "1"), ("b".to_owned(), "2")];
        assert_eq!(Metadata::from(pairs.clone()), expected);
        assert_eq!(Metadata::from(pairs.iter().cloned().collect::<HashMap<_, _>>()), expected);
        assert_eq!(Metadata::from(pairs.into_iter().collect::<BTreeMap<_, _>>()), expected);
        let mut extended = Metadata::from([("a", "0")]);
        extended.extend(expected.iter());
        assert_eq!(extended, expected);
    }
}
