//! Raw requests with a signer of their own, independent of the crate and of the simulator.

use std::{
    collections::{BTreeMap, BTreeSet},
    mem,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use blobcopy::Clock;
use bytes::Bytes;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::{Client, Method};
use rustls::{ClientConfig, crypto::ring};
use rustls_platform_verifier::BuilderVerifierExt;
use sha2::Sha256;
use time::{OffsetDateTime, format_description::well_known::Rfc2822, macros::format_description};
use url::Url;

use super::case::{Case, Request, Signed};

/// The newest version that the pinned Azurite supports.
pub(crate) const VERSION: &str = "2025-11-05";

/// A key that belongs to no account.
const WRONG_KEY: &str = "YSBrZXkgdGhhdCBwcm90ZWN0cyBub3RoaW5n";

/// How long a request may take.
const LONGEST_REQUEST: Duration = Duration::from_secs(60);

/// How often to check a pending copy, once a second, before its case goes on.
const MOST_LOOKS: u32 = 120;

/// An account on a server: Azurite, the simulator or the live service.
#[derive(Debug)]
pub(crate) struct Server {
    endpoint: String,
    account: String,
    key: String,
    /// The endpoint of another account.
    other: Option<String>,
    prefix: String,
    client: Client,
    /// Containers that were or may have been created, and are not removed yet.
    made: Mutex<BTreeSet<String>>,
    stop: Arc<AtomicBool>,
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: BTreeMap<String, String>,
    pub(crate) body: Bytes,
}

/// Why there was no answer, without secrets.
pub(crate) type Result<T> = std::result::Result<T, String>;

impl Server {
    pub(crate) fn new(
        endpoint: impl Into<String>,
        account: &str,
        key: &str,
        other: Option<String>,
    ) -> Self {
        let endpoint = endpoint.into();
        let (account, key) = (account.to_owned(), key.to_owned());
        let (client, prefix) = (client(), "conformance".into());
        let (made, stop) = Default::default();
        Self { endpoint, account, key, other, prefix, client, made, stop }
    }

    /// The prefix of the names of its containers.
    pub(crate) fn naming_containers(self, prefix: &str) -> Self {
        Self { prefix: prefix.to_owned(), ..self }
    }

    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// Makes it leave a case between two requests.
    pub(crate) fn stopped_by(self, stop: Arc<AtomicBool>) -> Self {
        Self { stop, ..self }
    }

    pub(crate) fn is_stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// Whether it has everything that a case needs.
    pub(crate) fn can_run(&self, case: &Case) -> bool {
        self.other.is_some() || !case.requests.iter().any(|request| request.mentions("{other}"))
    }

    /// The text without the account's name, endpoint and key.
    pub(crate) fn hide(&self, text: &str) -> String {
        let text = text.replace(&self.key, "KEY").replace(&self.endpoint, "ENDPOINT");
        text.replace(&self.account, "ACCOUNT")
    }

    /// Runs a case in a new container, whose name ends with `number`, and returns its answers:
    /// fewer than its requests if it was stopped.
    pub(crate) async fn run(&self, case: &Case, number: usize) -> Result<Vec<Answer>> {
        let container = format!("{}-{number}", self.prefix);
        let mut known = self.variables(&container);
        let create = plain("PUT", "{c}?restype=container");
        // Before it is sent: the answer that reports its creation may be lost.
        self.made().insert(container.clone());
        let created = self.send(&create, &known).await?;
        if created.status != 201 {
            // Even if the service failed, the container may exist.
            if created.status < 500 {
                self.made().remove(&container);
            }
            let code = created.headers.get("x-ms-error-code").map_or("", String::as_str);
            return Err(format!("a container could not be made: {} {code}", created.status));
        }

        let mut answers = Vec::new();
        for request in case.requests.iter().take_while(|_| !self.is_stopped()) {
            let made = request.target.strip_suffix("?restype=container");
            let made = made.filter(|_| request.method == "PUT");
            if let Some(name) = made.filter(|name| name.starts_with("{c}")) {
                self.made().insert(name.replace("{c}", &container));
            }
            let answer = self.send(request, &known).await?;
            // Under a name that should have been refused.
            if let Some(name) = made.filter(|_| answer.status == 201) {
                self.made().insert(name.replace("{c}", &container));
            }
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
            if answer.copies() && request.method == "PUT" {
                self.await_copy(request, &known).await?;
            }
            answers.push(answer);
        }
        Ok(answers)
    }

    fn variables(&self, container: &str) -> BTreeMap<String, String> {
        let missing = format!("{}-missing", self.prefix);
        let sas = self.sas(container);
        let other = self.other.as_deref().unwrap_or_default();
        [
            ("c", container),
            ("missing", &missing),
            ("url", &self.endpoint),
            ("other", other),
            ("sas", &sas),
            ("past", "Wed, 01 Jan 2020 00:00:00 GMT"),
            ("future", "Thu, 01 Jan 2099 00:00:00 GMT"),
            ("id1", "11111111-1111-1111-1111-111111111111"),
            ("id2", "22222222-2222-2222-2222-222222222222"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
    }

    /// Waits until the copy that `start` began has ended: the cases assume that copies complete at
    /// once.
    async fn await_copy(&self, start: &Request, known: &BTreeMap<String, String>) -> Result<()> {
        let target = start.target.split('?').next().unwrap_or_default();
        let look = plain("HEAD", target);
        for _ in 0..MOST_LOOKS {
            if self.is_stopped() || !self.send(&look, known).await?.copies() {
                break;
            }
            pause(Duration::from_secs(1)).await;
        }
        Ok(())
    }

    /// Removes every container that was created; those that cannot be removed stay in the list.
    pub(crate) async fn remove_containers(&self) {
        let names = mem::take(&mut *self.made());
        for name in names {
            if !self.remove(&name).await.is_ok_and(|removed| removed) {
                self.made().insert(name);
            }
        }
    }

    /// The containers that are left.
    pub(crate) fn left(&self) -> Vec<String> {
        self.made().iter().cloned().collect()
    }

    async fn remove(&self, container: &str) -> Result<bool> {
        let known = self.variables(container);
        let delete = plain("DELETE", "{c}?restype=container");
        let mut deleted = self.send(&delete, &known).await?;
        if deleted.status == 412 {
            let mut release = plain("PUT", "{c}?restype=container&comp=lease");
            for (name, value) in [("x-ms-lease-action", "break"), ("x-ms-lease-break-period", "0")]
            {
                release.headers.push((name.into(), value.into()));
            }
            self.send(&release, &known).await?;
            deleted = self.send(&delete, &known).await?;
        }
        Ok(matches!(deleted.status, 202 | 404))
    }

    fn made(&self) -> std::sync::MutexGuard<'_, BTreeSet<String>> {
        self.made.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, request: &Request, known: &BTreeMap<String, String>) -> Result<Answer> {
        let filled = |text: &str| {
            known.iter().fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            })
        };
        let url = format!("{}/{}", self.endpoint, filled(&request.target));
        let url: Url = url.parse().map_err(|error| format!("no URL: {error}"))?;
        let mut headers: BTreeMap<_, _> = request
            .headers
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), filled(value)))
            .collect();
        headers.entry("x-ms-version".into()).or_insert_with(|| VERSION.into());
        headers.insert("x-ms-date".into(), http_date(Clock::system().now()));
        let body = filled(&request.body);
        let key = match request.signed {
            Signed::Right => Some(self.key.as_str()),
            Signed::Wrong => Some(WRONG_KEY),
            Signed::Not => None,
        };
        if let Some(key) = key {
            let text = to_sign(&self.account, &request.method, &url, &headers, body.len());
            let authorization = format!("SharedKey {}:{}", self.account, sign(key, &text));
            headers.insert("authorization".into(), authorization);
        }

        let method: Method = request.method.parse().map_err(|_| "no method")?;
        if method == Method::PUT {
            // For an empty body, the client would omit it.
            headers.insert("content-length".into(), body.len().to_string());
        }
        let mut sending = self.client.request(method, url).timeout(LONGEST_REQUEST).body(body);
        for (name, value) in headers {
            sending = sending.header(name, value);
        }
        let fault = |error: reqwest::Error| format!("no answer: {}", error.without_url());
        let answer = sending.send().await.map_err(fault)?;
        let text = |value: &reqwest::header::HeaderValue| {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        };
        let headers = answer.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), text(value))).collect();
        let status = answer.status().as_u16();
        Ok(Answer { status, headers, body: answer.bytes().await.map_err(fault)? })
    }

    /// A SAS to read the blobs of a container and their tags, valid for a day. See [Service
    /// SAS](https://learn.microsoft.com/rest/api/storageservices/create-service-sas).
    fn sas(&self, container: &str) -> String {
        const SAS_VERSION: &str = "2020-12-06";
        let format = format_description!("[year]-[month]-[day]T[hour]:[minute]:[second]Z");
        let until = Clock::system().now() + Duration::from_secs(24 * 3600);
        let until = until.format(&format).expect("a year of four digits");
        let resource = format!("/blob/{}/{container}", self.account);
        let fields = ["rt", "", &until, &resource, "", "", "", SAS_VERSION, "c"];
        // Snapshot, encryption scope, and five response headers.
        let text = format!("{}{}", fields.join("\n"), "\n".repeat(7));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in [("sv", SAS_VERSION), ("sr", "c"), ("sp", "rt"), ("se", &until)] {
            query.append_pair(name, value);
        }
        query.append_pair("sig", &sign(&self.key, &text)).finish()
    }
}

impl Answer {
    /// Whether it reports a pending copy.
    fn copies(&self) -> bool {
        self.headers.get("x-ms-copy-status").is_some_and(|status| status == "pending")
    }
}

/// A request without headers and body.
fn plain(method: &str, target: &str) -> Request {
    let (signed, headers, body) = (Signed::Right, Vec::new(), String::new());
    Request { signed, method: method.into(), target: target.into(), headers, body }
}

#[allow(clippy::disallowed_methods, reason = "a live service is waited for")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

/// See [Shared
/// Key](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key).
fn to_sign(
    account: &str,
    method: &str,
    url: &Url,
    headers: &BTreeMap<String, String>,
    length: usize,
) -> String {
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
    text += &format!("/{account}{}", url.path());
    let mut query: Vec<_> = url.query_pairs().collect();
    query.sort();
    for (name, value) in query {
        text += &format!("\n{}:{value}", name.to_ascii_lowercase());
    }
    text
}

fn sign(key: &str, text: &str) -> String {
    let key = STANDARD.decode(key).expect("a key in base64");
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("any length will do");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

fn http_date(now: OffsetDateTime) -> String {
    now.format(&Rfc2822).expect("a year of four digits").replace("+0000", "GMT")
}

/// It brings its own cryptography: none is installed for the process.
fn client() -> Client {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .and_then(BuilderVerifierExt::with_platform_verifier)
        .expect("the platform's certificates")
        .with_no_client_auth();
    Client::builder().tls_backend_preconfigured(tls).build().expect("a client")
}
