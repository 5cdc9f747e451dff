//! Blob properties in headers: metadata, tags and the standard properties.

use std::borrow::Cow;

use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::percent_decode_str;

use super::revision::{ContentHeaders, Metadata, Tags};
use crate::wire::{
    call::Call,
    error::{Code, Refusal},
};

const METADATA_PREFIX: &str = "x-ms-meta-";
const MOST_METADATA: usize = 8 * 1024;
pub(crate) const MOST_TAGS: usize = 10;

/// The metadata of a request.
pub(crate) fn metadata(call: &Call) -> Result<Metadata, Refusal> {
    let mut found = Metadata::new();
    let mut size = 0;
    for (name, value) in &call.headers {
        let Some(name) = name.as_str().strip_prefix(METADATA_PREFIX) else { continue };
        if name.is_empty() {
            return Err(Code::EmptyMetadataKey.into());
        }
        let first = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
        if !first || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(Code::InvalidMetadata.into());
        }
        let value = std::str::from_utf8(value.as_bytes()).map_err(|_| Code::InvalidMetadata)?;
        size += name.len() + value.len();
        found.insert(name.to_owned(), value.trim().to_owned());
    }
    if size > MOST_METADATA {
        return Err(Code::MetadataTooLarge.into());
    }
    Ok(found)
}

/// Returns metadata as headers.
pub(crate) fn show_metadata(metadata: &Metadata, headers: &mut HeaderMap) {
    for (name, value) in metadata {
        let name = HeaderName::try_from(format!("{METADATA_PREFIX}{name}"));
        if let (Ok(name), Ok(value)) = (name, HeaderValue::try_from(value.as_str())) {
            headers.insert(name, value);
        }
    }
}

/// The tags of `x-ms-tags`: at most ten, each with a key.
pub(crate) fn tags(call: &Call) -> Result<Tags, Refusal> {
    const NAME: &str = "x-ms-tags";
    let text = call.header(NAME).unwrap_or("");
    let refuse = || Refusal::bad_header(NAME, text);
    let mut tags = Tags::new();
    for pair in text.split('&').filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once('=').ok_or_else(refuse)?;
        let decode = |text: &str| {
            let spaced = text.replace('+', " ");
            let decoded = percent_decode_str(&spaced).decode_utf8().map(|text| text.into_owned());
            decoded.map_err(|_| refuse())
        };
        let (key, value) = (decode(key)?, decode(value)?);
        if !is_tag(&key, &value) || tags.insert(key, value).is_some() {
            return Err(refuse());
        }
    }
    if tags.len() > MOST_TAGS { Err(refuse()) } else { Ok(tags) }
}

/// Whether this is a valid tag, by its length and characters.
pub(crate) fn is_tag(key: &str, value: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || " +-./:=_".contains(c);
    (1..=128).contains(&key.len())
        && value.len() <= 256
        && key.chars().chain(value.chars()).all(allowed)
}

/// The content type of a blob that was given none.
pub(crate) const DEFAULT_TYPE: &str = "application/octet-stream";

/// The given content type, or the default.
fn content_type(given: Option<String>) -> Option<Cow<'static, str>> {
    let given = given.filter(|given| given != DEFAULT_TYPE);
    Some(given.map_or(Cow::Borrowed(DEFAULT_TYPE), Cow::Owned))
}

/// The standard properties that Put Blob sets.
pub(crate) fn content_headers(call: &Call) -> ContentHeaders {
    let either =
        |own: &str, plain: &str| call.header(own).or(call.header(plain)).map(str::to_owned);
    ContentHeaders {
        content_type: content_type(either("x-ms-blob-content-type", "content-type")),
        encoding: either("x-ms-blob-content-encoding", "content-encoding"),
        language: either("x-ms-blob-content-language", "content-language"),
        disposition: call.header("x-ms-blob-content-disposition").map(str::to_owned),
        cache_control: either("x-ms-blob-cache-control", "cache-control"),
        md5: call.header("x-ms-blob-content-md5").map(str::to_owned),
    }
}

/// The standard properties in their own `x-ms-blob-*` headers: here `Content-Type` and the like
/// describe the request.
pub(crate) fn own_content_headers(call: &Call) -> ContentHeaders {
    let own = |name: &str| call.header(name).filter(|text| !text.is_empty()).map(str::to_owned);
    ContentHeaders {
        content_type: content_type(own("x-ms-blob-content-type")),
        encoding: own("x-ms-blob-content-encoding"),
        language: own("x-ms-blob-content-language"),
        disposition: own("x-ms-blob-content-disposition"),
        cache_control: own("x-ms-blob-cache-control"),
        md5: own("x-ms-blob-content-md5"),
    }
}
