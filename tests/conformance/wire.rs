//! Raw requests, with a signer of the test's own: neither the crate nor the simulator has a hand in
//! them.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicUsize, Ordering},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Method};
use sha2::Sha256;
use time::{OffsetDateTime, format_description::well_known::Rfc2822};
use url::Url;

use super::case::{Case, Request, Signed};
use crate::support::azurite::{ACCOUNT, OTHER_ACCOUNT};

/// The newest that the pinned Azurite knows.
const VERSION: &str = "2025-11-05";

/// Azurite or the simulator.
#[derive(Debug)]
pub(super) struct Server {
    endpoint: String,
    client: Client,
    cases: AtomicUsize,
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: BTreeMap<String, String>,
    pub(super) body: Bytes,
}

impl Server {
    pub(super) fn new(endpoint: String) -> Self {
        Self { endpoint, client: Client::new(), cases: AtomicUsize::new(0) }
    }

    /// Runs a case in a new container; its answers.
    pub(super) async fn run(&self, case: &Case) -> Vec<Answer> {
        let container = format!("conformance-{}", self.cases.fetch_add(1, Ordering::Relaxed));
        let other = self.endpoint.replace(ACCOUNT.name, OTHER_ACCOUNT.name);
        let mut known = BTreeMap::from(
            [
                ("c", container.as_str()),
                ("url", &self.endpoint),
                ("other", &other),
                ("past", "Wed, 01 Jan 2020 00:00:00 GMT"),
                ("future", "Thu, 01 Jan 2099 00:00:00 GMT"),
                ("id1", "11111111-1111-1111-1111-111111111111"),
                ("id2", "22222222-2222-2222-2222-222222222222"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        let create = Request {
            signed: Signed::Right,
            method: "PUT".into(),
            target: "{c}?restype=container".into(),
            headers: Vec::new(),
            body: String::new(),
        };
        let created = self.send(&create, &known).await;
        assert_eq!(created.status, 201, "{created:?}");

        let mut answers = Vec::new();
        for request in &case.requests {
            let answer = self.send(request, &known).await;
            let step = answers.len() + 1;
            for (name, header) in [
                ("etag", "etag"),
                ("modified", "last-modified"),
                ("snapshot", "x-ms-snapshot"),
                ("lease", "x-ms-lease-id"),
                ("copy", "x-ms-copy-id"),
            ] {
                if let Some(value) = answer.headers.get(header) {
                    known.insert(name.to_owned(), value.clone());
                    known.insert(format!("{name}{step}"), value.clone());
                }
            }
            answers.push(answer);
        }
        answers
    }

    async fn send(&self, request: &Request, known: &BTreeMap<String, String>) -> Answer {
        let filled = |text: &str| {
            known.iter().fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            })
        };
        let url: Url = format!("{}/{}", self.endpoint, filled(&request.target)).parse().unwrap();
        let mut headers: BTreeMap<_, _> = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), filled(value)))
            .collect();
        headers.entry("x-ms-version".into()).or_insert_with(|| VERSION.into());
        headers.insert("x-ms-date".into(), date());
        let body = filled(&request.body);
        let key = match request.signed {
            Signed::Right => Some(ACCOUNT.key),
            Signed::Wrong => Some(OTHER_ACCOUNT.key),
            Signed::Not => None,
        };
        if let Some(key) = key {
            let signature = sign(key, &to_sign(&request.method, &url, &headers, body.len()));
            headers
                .insert("authorization".into(), format!("SharedKey {}:{signature}", ACCOUNT.name));
        }

        let method: Method = request.method.parse().unwrap();
        if method == Method::PUT {
            // For a body of nothing, the client would leave it out.
            headers.insert("content-length".into(), body.len().to_string());
        }
        let mut sending = self.client.request(method, url).body(body);
        for (name, value) in headers {
            sending = sending.header(name, value);
        }
        let answer = sending.send().await.unwrap();
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = answer.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), text(value))).collect();
        Answer { status: answer.status().as_u16(), headers, body: answer.bytes().await.unwrap() }
    }
}

/// See [Shared Key](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
fn to_sign(method: &str, url: &Url, headers: &BTreeMap<String, String>, length: usize) -> String {
    let mut text = format!("{method}\n");
    for name in [
        "content-encoding",
        "content-language",
        "content-length",
        "content-md5",
        "content-type",
        "date",
        "if-modified-since",
        "if-match",
        "if-none-match",
        "if-unmodified-since",
        "range",
    ] {
        match name {
            "content-length" if length > 0 => text += &length.to_string(),
            _ => text += headers.get(name).map_or("", String::as_str),
        }
        text.push('\n');
    }
    for (name, value) in headers.iter().filter(|(name, _)| name.starts_with("x-ms-")) {
        text += &format!("{name}:{value}\n");
    }
    text += &format!("/{}{}", ACCOUNT.name, url.path());
    let mut query: Vec<_> = url.query_pairs().collect();
    query.sort();
    for (name, value) in query {
        text += &format!("\n{}:{value}", name.to_ascii_lowercase());
    }
    text
}

fn sign(key: &str, text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&STANDARD.decode(key).unwrap()).unwrap();
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn date() -> String {
    let now: OffsetDateTime = blobcopy::Clock::system().now();
    now.format(&Rfc2822).unwrap().replace("+0000", "GMT")
}
