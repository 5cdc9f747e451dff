//! Answers, before and after the headers that every answer carries are added.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use time::OffsetDateTime;

use super::{dates, error::Refusal, json::Json, payload::Payload, xml::Xml};

/// The answer of an operation.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Payload,
}

impl Answer {
    pub(crate) fn new(status: StatusCode) -> Self {
        // Most answers have about twenty headers; growing step by step would cost measurable time.
        Self { status, headers: HeaderMap::with_capacity(24), body: Payload::empty() }
    }

    pub(crate) fn dated(self, etag: &str, last_modified: OffsetDateTime) -> Self {
        self.header("etag", etag).header("last-modified", &dates::http_date(last_modified))
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.set(name, value);
        self
    }

    /// Adds the header, if there is a value.
    pub(crate) fn maybe(mut self, name: &'static str, value: Option<&str>) -> Self {
        if let Some(value) = value {
            self.set(name, value);
        }
        self
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        // Every stored value arrived as a header or was made here, so it is valid as one.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            self.headers.insert(name, value);
        }
    }

    pub(crate) fn body(mut self, body: Payload) -> Self {
        self.body = body;
        self
    }

    pub(crate) fn xml(self, xml: Xml) -> Self {
        self.header("content-type", "application/xml").body(xml.into_bytes().into())
    }

    pub(crate) fn json(self, json: &Json) -> Self {
        let bytes = Bytes::from(json.to_string());
        self.header("content-type", "application/json; charset=utf-8").body(bytes.into())
    }

    /// The answer for a refusal by Azure Resource Manager.
    pub(crate) fn refusing_in_json(refusal: &Refusal) -> Self {
        let parts = refusal.parts();
        let mut answer = Self::new(parts.status);
        for (name, value) in &parts.headers {
            answer.set(name, value);
        }
        let error = [("code", (&*parts.code).into()), ("message", (&*parts.message).into())];
        answer.json(&Json::object([("error", Json::object(error))]))
    }

    /// The answer for a refusal: code and message in a body, the code in a header too.
    pub(crate) fn refusing(refusal: &Refusal, request_id: &str, now: OffsetDateTime) -> Self {
        let parts = refusal.parts();
        let mut answer = Self::new(parts.status);
        if parts.coded {
            answer.set("x-ms-error-code", &parts.code);
        }
        for (name, value) in &parts.headers {
            answer.set(name, value);
        }
        if parts.status == StatusCode::NOT_MODIFIED {
            return answer;
        }
        let time = dates::snapshot_time(dates::ticks(now));
        let mut xml = Xml::new();
        xml.element("Error", |xml| {
            xml.text_element("Code", &parts.code);
            let message = format!("{}\nRequestId:{request_id}\nTime:{time}", parts.message);
            xml.text_element("Message", &message);
            for (element, text) in &parts.details {
                xml.text_element(element, text);
            }
        });
        answer.xml(xml)
    }
}

impl From<Bytes> for Answer {
    fn from(bytes: Bytes) -> Self {
        Self::new(StatusCode::OK).body(bytes.into())
    }
}
