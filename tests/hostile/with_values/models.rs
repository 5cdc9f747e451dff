//! Values parsed from hostile text, and written back.

use std::{fmt::Debug, str::FromStr};

use blobcopy::{
    transport::{Body, Request, Response, TransportError, TransportErrorKind},
    *,
};
use bytes::Bytes;
use serde::{Serialize, de::DeserializeOwned};
use url::Url;

use super::{
    super::{bounds, driven::*},
    Run,
};

pub(super) fn drive(run: &Run<'_>) {
    let values = run.values;
    for _ in 0..4 {
        text::<CopyId>(run);
        text::<SnapshotId>(run);
        text::<VersionId>(run);
        text::<LeaseId>(run);
        text::<ETag>(run);
        text::<BlockId>(run);
        text::<ContentMd5>(run);
        text::<ContentCrc64>(run);
        text::<CopyProgress>(run);
        if let Ok(version) = make!(ServiceVersion::from_str(&values.text())) {
            bounds::shown(&version, bounds::SHORT);
        }
        word::<AccessTier>(run);
        word::<ArchiveStatus>(run);
        word::<BlobType>(run);
        word::<CopyStatus>(run);
        word::<ErrorCode>(run);
        word::<ImmutabilityPolicyMode>(run);
        word::<LeaseDuration>(run);
        word::<LeaseState>(run);
        word::<LeaseStatus>(run);
        word::<PublicAccessType>(run);
        word::<RehydratePriority>(run);
    }
    json::<Metadata>(run);
    json::<Tags>(run);
    json::<CopyToken>(run);
    json::<Block>(run);
    json::<PageRange>(run);
    json::<PageRangeItem>(run);
    let range = PageRange { start: values.number(), end: values.number() };
    let _ = (range.len(), range.to_string(), PageRangeItem::ClearRange(range).is_clear());
    let progress = make!(CopyProgress::new(values.number(), values.number()));
    assert!((0.0..=1.0).contains(&progress.fraction()), "{progress}");
    let (headers, body) = (http::HeaderMap::new(), Bytes::from(values.text()));
    let method = http::Method::PUT;
    let _ =
        format!("{:?}", make!(Request::new(method, values.url(), headers.clone(), body.clone())));
    let _ = format!("{:?}", make!(Response::new(http::StatusCode::OK, headers, body)));
    pairs(run);
    keys(run);
    faults(run);
}

/// Parses text of every kind, and JSON too.
pub(super) fn text<T: FromStr<Err = Error> + Debug + ToString + Serialize + DeserializeOwned>(
    run: &Run<'_>,
) {
    mark_type::<T>("from_str");
    if let Some(value) = run.made(run.values.text().parse::<T>()) {
        // A parsed value can be written and parsed again, unless it looks like a secret, which is
        // redacted.
        let shown = value.to_string();
        let hidden = shown.contains("REDACTED");
        assert!(hidden || shown.parse::<T>().is_ok(), "{value:?} is not read again");
    }
    json::<T>(run);
}

/// Parses a word that is kept even if unknown.
fn word<T>(run: &Run<'_>)
where
    T: for<'w> From<&'w str> + From<String> + FromStr + Debug + ToString,
    T: Serialize + DeserializeOwned,
{
    mark_type::<T>("from");
    mark_type::<T>("from_str");
    let word = run.values.text();
    for value in [T::from(word.as_str()), T::from(word.clone())] {
        bounds::shown(&value, bounds::of_values(run.values));
    }
    assert!(T::from_str(&word).is_ok());
    json::<T>(run);
}

/// Parses the text as JSON, as it is and as a string, and serializes the result.
pub(super) fn json<T: Debug + Serialize + DeserializeOwned>(run: &Run<'_>) {
    mark_type::<T>("deserialize");
    let text = run.values.text();
    let number = run.values.number();
    let string = serde_json::to_string(&text).expect("a string");
    for json in [
        text.clone(),
        string.clone(),
        format!("{{{string}:{string}}}"),
        format!("{{\"start\":{number},\"end\":{number}}}"),
        format!("{{\"ClearRange\":{{\"start\":{number},\"end\":{number}}}}}"),
        format!("{{\"copied\":{number},\"total\":{number}}}"),
        format!("{{\"id\":{string},\"size\":{number}}}"),
        format!("{{\"destination\":{string},\"copy_id\":{string}}}"),
    ] {
        match serde_json::from_str::<T>(&json) {
            Ok(value) => {
                bounds::shown(&value, bounds::of_values(run.values));
                // Text that looks like a secret is not written.
                if let Err(error) = serde_json::to_string(&value) {
                    assert!(error.to_string().len() <= bounds::SHORT, "{error}");
                }
            }
            // serde quotes the unexpected value; this crate adds little.
            Err(error) => {
                let longest = bounds::of_values(run.values);
                assert!(error.to_string().len() <= longest, "{error}");
            }
        }
    }
}

pub(super) fn mark_type<T>(function: &str) {
    let name = std::any::type_name::<T>();
    mark(name.rsplit("::").next().unwrap_or_default(), function);
}

fn pairs(run: &Run<'_>) {
    let values = run.values;
    let mut metadata = make!(Metadata::from([(values.text(), values.text())]));
    call!(&mut metadata, insert(values.text(), values.text()));
    let _ = call!(&metadata, get(&values.text()));
    let mut tags = make!(Tags::from([(values.text(), values.text())]));
    call!(&mut tags, insert(values.text(), values.text()));
    let _ = call!(&tags, get(&values.text()));
    bounds::shown(&(metadata, tags), bounds::of_values(values));
    let conditions = Conditions::new();
    let conditions = call!(conditions, if_match(values.etag()));
    let conditions = call!(conditions, if_none_match(values.etag()));
    let conditions = call!(conditions, if_modified_since(values.date()));
    let conditions = call!(conditions, if_unmodified_since(values.date()));
    let conditions = call!(conditions, if_tags(values.text()));
    bounds::shown(&conditions, bounds::of_values(values));
}

fn keys(run: &Run<'_>) {
    let values = run.values;
    let key = make!(CustomerProvidedKey::new(values.array()));
    bounds::shown(&key, bounds::SHORT);
    run.made(make!(CustomerProvidedKey::from_base64(&values.text())));
    run.made(make!(BlockId::new(values.bytes())));
    run.made(make!(BlockId::new(values.text())));
    let id = make!(BlockId::numbered(values.small()));
    bounds::shown(&id, bounds::SHORT);
    run.made(make!(SasToken::parse(&values.text())));
    let token = make!(AccessToken::new(values.text(), values.date()));
    bounds::shown(&token, bounds::SHORT);
    let source = make!(CopySource::from(values.url()));
    let source = call!(source, sas_lifetime(values.duration()));
    let url: Url = values.url();
    bounds::shown(&(source, CopySource::from(&url)), bounds::of_values(values));
}

fn faults(run: &Run<'_>) {
    let values = run.values;
    let kind = TransportErrorKind::Interrupted;
    let fault = make!(TransportError::with_message(kind, values.text()));
    bounds::shown(&fault, bounds::SHORT_DEBUG);
    let cause = std::io::Error::other(values.text());
    let fault = make!(TransportError::new(kind, &cause));
    bounds::shown(&fault, bounds::SHORT_DEBUG);
    let error = make!(CredentialError::new(values.text()));
    bounds::shown(&error, bounds::SHORT_DEBUG);
    let piece = Ok(Bytes::from(values.bytes()));
    let body = make!(Body::stream(futures_util::stream::iter([piece])));
    bounds::shown(&body, bounds::SHORT);
    bounds::shown(&make!(Body::from(Bytes::from(values.bytes()))), bounds::SHORT);
}
