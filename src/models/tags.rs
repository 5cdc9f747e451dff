//! Blob index tags.
//!
//! From [Manage and find data with blob index
//! tags](https://learn.microsoft.com/azure/storage/blobs/storage-manage-find-blobs).

use std::{
    collections::{BTreeMap, HashMap},
    fmt,
};

use http::HeaderValue;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use quick_xml::escape::escape;
use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    wire::{headers, malformed::Malformed, redaction, xml::Xml},
};

/// The index tags of a blob (from version 2019-12-12): at most 10, ordered by key.
///
/// A key has 1 to 128 characters, a value 0 to 256.
///
/// ```
/// use blobcopy::Tags;
///
/// let tags = Tags::from([("stage", "backup"), ("disk", "0")]);
/// assert_eq!(tags.get("stage"), Some("backup"));
/// ```
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Tags(#[serde(serialize_with = "redaction::serialize")] BTreeMap<String, String>);

impl fmt::Debug for Tags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Tags").field(&redaction::Shown(&self.0)).finish()
    }
}

impl Tags {
    /// No tags.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a tag, or replaces its value.
    pub fn insert(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.0.insert(key.into(), value.into());
    }

    /// The value of `key`.
    pub fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key).map(String::as_str)
    }

    /// All tags, ordered by key.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The number of tags.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are no tags.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Rejects tags that the service forbids.
    fn check(&self) -> Result<()> {
        if self.0.len() > 10 {
            return Err(Error::invalid("tags", self.0.len(), "must be at most 10"));
        }
        for (key, value) in &self.0 {
            if !(1..=128).contains(&key.chars().count()) {
                return Err(Error::invalid("tag key", key, "must be 1 to 128 characters"));
            }
            if value.chars().count() > 256 {
                return Err(Error::invalid("tag value", value, "must be at most 256 characters"));
            }
        }
        Ok(())
    }

    /// The value of `x-ms-tags`.
    pub(crate) fn header_value(&self) -> Result<HeaderValue> {
        self.check()?;
        let mut text = String::new();
        for (key, value) in &self.0 {
            if !text.is_empty() {
                text.push('&');
            }
            text.extend(utf8_percent_encode(key, NON_ALPHANUMERIC));
            text.push('=');
            text.extend(utf8_percent_encode(value, NON_ALPHANUMERIC));
        }
        headers::value(&text).map_err(|why| why.at("tags", &text))
    }

    /// The body of Set Blob Tags.
    pub(crate) fn xml(&self) -> Result<String> {
        self.check()?;
        let mut body = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?><Tags><TagSet>");
        for (key, value) in &self.0 {
            let (key, value) = (escape(key.as_str()), escape(value.as_str()));
            body.push_str(&format!("<Tag><Key>{key}</Key><Value>{value}</Value></Tag>"));
        }
        body.push_str("</TagSet></Tags>");
        Ok(body)
    }
}

/// Parses the response to Get Blob Tags.
pub(crate) fn parse(body: &[u8]) -> Result<Tags, Malformed> {
    let mut tags = Tags::new();
    let mut xml = Xml::enter(body, "Tags")?;
    while let Some(element) = xml.child()? {
        match element {
            b"TagSet" => {
                while let Some(element) = xml.child()? {
                    match element {
                        b"Tag" => read_tag(&mut xml, &mut tags)?,
                        _ => xml.skip()?,
                    }
                }
            }
            _ => xml.skip()?,
        }
    }
    Ok(tags)
}

fn read_tag(xml: &mut Xml<'_>, into: &mut Tags) -> Result<(), Malformed> {
    let (mut key, mut value) = (None, String::new());
    while let Some(element) = xml.child()? {
        match element {
            b"Key" => key = Some(xml.text()?.into_owned()),
            b"Value" => value = xml.text()?.into_owned(),
            _ => xml.skip()?,
        }
    }
    let key = key.ok_or_else(|| Malformed::new("a tag has no Key"))?;
    into.insert(key, value);
    Ok(())
}

impl<K: Into<String>, V: Into<String>> FromIterator<(K, V)> for Tags {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(pairs: I) -> Self {
        Self(pairs.into_iter().map(|(key, value)| (key.into(), value.into())).collect())
    }
}

impl<K: Into<String>, V: Into<String>> Extend<(K, V)> for Tags {
    fn extend<I: IntoIterator<Item = (K, V)>>(&mut self, pairs: I) {
        self.0.extend(pairs.into_iter().map(|(key, value)| (key.into(), value.into())));
    }
}

impl<K: Into<String>, V: Into<String>> From<Vec<(K, V)>> for Tags {
    fn from(pairs: Vec<(K, V)>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K: Into<String>, V: Into<String>, S> From<HashMap<K, V, S>> for Tags {
    fn from(pairs: HashMap<K, V, S>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K: Into<String>, V: Into<String>> From<BTreeMap<K, V>> for Tags {
    fn from(pairs: BTreeMap<K, V>) -> Self {
        pairs.into_iter().collect()
    }
}

impl<K: Into<String>, V: Into<String>, const N: usize> From<[(K, V); N]> for Tags {
    fn from(pairs: [(K, V); N]) -> Self {
        pairs.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_are_percent_encoded() {
        let tags = Tags::from([("a b", "c&d=e"), ("k", "")]);
        assert_eq!(tags.header_value().expect("valid"), "a%20b=c%26d%3De&k=");
    }

    #[test]
    fn too_many_and_too_long_are_refused() {
        let many: Tags = (0..11).map(|n| (n.to_string(), "")).collect();
        let long_key: Tags = [("k".repeat(129), "")].into_iter().collect();
        let long_value: Tags = [("k", "v".repeat(257))].into_iter().collect();
        for (tags, what) in [(many, "tags"), (long_key, "tag key"), (long_value, "tag value")] {
            let error = tags.header_value().expect_err(what).to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }

    #[test]
    fn they_are_made_of_what_programs_keep_pairs_in() {
        let expected = Tags::from([("a", "1"), ("b", "2")]);
        let pairs = vec![("a".to_owned(), "1"), ("b".to_owned(), "2")];
        assert_eq!(Tags::from(pairs.clone()), expected);
        assert_eq!(Tags::from(pairs.iter().cloned().collect::<HashMap<_, _>>()), expected);
        assert_eq!(Tags::from(pairs.into_iter().collect::<BTreeMap<_, _>>()), expected);
        let mut extended = Tags::from([("a", "0")]);
        extended.extend(expected.iter());
        assert_eq!(extended, expected);
    }
}
