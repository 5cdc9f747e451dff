//! The one function that knows the order of a call.

use std::{sync::Arc, time::Duration};

use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use time::OffsetDateTime;
use url::Url;
use uuid::Uuid;

use super::{
    budget::{Budget, Permit},
    options::{ClientOptions, RetryOptions},
    request::{Effect, Prepared},
    reqwest_transport::ReqwestTransport,
    response::{Answer, Refusal},
    retry,
    secondary::Secondary,
    tries::{Attempt, Tries},
};
use crate::{
    auth::{credential::Credential, kept_key::KeptKey, sas::validity},
    error::{Error, Evidence, Result},
    models::{ErrorCode, ServiceVersion},
    wire::{
        clock::{self, Clock},
        error_body, headers, http_date,
        redaction::{forget_keys, redact},
        transport::{BoxFuture, Request, Response, Transport, TransportError},
    },
};

/// The longest body that is kept in memory: far longer than any XML of the service.
const LONGEST_HELD_BODY: usize = 64 << 20;

/// The most that is read of the body of an error: far more than the service sends.
const LONGEST_REFUSAL: usize = 1 << 20;

/// How long the body of an error may take, within the time of its attempt.
const REFUSAL_TIME: Duration = Duration::from_secs(5);

/// What the clients of an account share: credential, connections, options. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Pipeline {
    transport: Arc<dyn Transport>,
    credential: Credential,
    version: ServiceVersion,
    version_value: HeaderValue,
    user_agent: HeaderValue,
    retry: RetryOptions,
    attempt_timeout: Duration,
    server_timeout: Option<Duration>,
    clock: Clock,
    secondary: Option<Secondary>,
    delegation_key: Arc<KeptKey>,
    budget: Option<Budget>,
    /// Whether the requests are for Azure Resource Manager, and not for storage.
    #[cfg(feature = "resource-manager")]
    of_management: bool,
}

/// What the pipeline needs to know about an operation besides its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Kind {
    /// Its name in the REST reference.
    pub(crate) name: &'static str,
    pub(crate) effect: Effect,
    /// Whether the caller reads the body of a successful response.
    pub(crate) streams: bool,
    /// Whether to send the request to the primary only.
    pub(crate) primary_only: bool,
}

impl Pipeline {
    pub(crate) fn new(
        credential: Credential,
        options: ClientOptions,
        secondary: Option<Secondary>,
    ) -> Result<Self> {
        options.check()?;
        let transport = match &options.transport {
            Some(transport) => Arc::clone(transport),
            None => {
                let transport = ReqwestTransport::new(options.time_to_connect());
                Arc::new(transport.map_err(|fault| Error::Transport {
                    operation: "building the HTTP client",
                    url: String::new(),
                    fault,
                    attempts: 0,
                    ambiguous: false,
                })?)
            }
        };
        let user_agent = options.user_agent()?;
        let clock = options.clock.or_else(|| transport.clock()).unwrap_or_default();
        let version = options.service_version;
        let version_value =
            headers::value(version.as_str()).map_err(|why| why.at("service version", version))?;
        Ok(Self {
            transport,
            credential,
            version,
            version_value,
            user_agent,
            retry: options.retry,
            attempt_timeout: options.attempt_timeout,
            server_timeout: options.server_timeout,
            clock,
            secondary,
            delegation_key: Arc::default(),
            budget: options.budget,
            #[cfg(feature = "resource-manager")]
            of_management: false,
        })
    }

    /// The same for requests to Azure Resource Manager: without the headers that only storage
    /// knows, and with errors in JSON.
    #[cfg(feature = "resource-manager")]
    pub(crate) fn of_management(self) -> Self {
        Self { of_management: true, ..self }
    }

    fn is_of_management(&self) -> bool {
        #[cfg(feature = "resource-manager")]
        return self.of_management;
        #[cfg(not(feature = "resource-manager"))]
        false
    }

    /// The same connections, credential and keys, with calls that draw from `budget`.
    pub(crate) fn with_budget(&self, budget: &Budget) -> Arc<Self> {
        Arc::new(Self { budget: Some(budget.clone()), ..self.clone() })
    }

    pub(crate) fn credential(&self) -> &Credential {
        &self.credential
    }

    pub(crate) fn version(&self) -> ServiceVersion {
        self.version
    }

    /// The user delegation key that signs copy sources of a client with bearer tokens.
    pub(crate) fn delegation_key(&self) -> &KeptKey {
        &self.delegation_key
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.clock
    }

    /// The time limit of an attempt.
    pub(crate) fn attempt_timeout(&self) -> Duration {
        self.attempt_timeout
    }

    /// How long the service may work on a request that says nothing of it. Azure Resource Manager
    /// knows no such limit.
    pub(crate) fn server_timeout(&self) -> Option<Duration> {
        self.server_timeout.filter(|_| !self.is_of_management())
    }

    /// Sends a request until an attempt succeeds or retrying is pointless.
    ///
    /// 1. Each attempt: a place in the budget, if there is one; the common headers, the same each
    ///    time; a fresh date; the signature; the transport; the classification of the response.
    /// 2. Between attempts: a wait, by the options and the service; after a throttled attempt, by
    ///    the budget.
    /// 3. Every second attempt of a read goes to the secondary, if it may. After a 404 or 412
    ///    there, the primary is tried at once.
    pub(crate) async fn send(
        &self,
        kind: Kind,
        request: &Prepared,
        tries: &mut Tries,
    ) -> Result<Answer> {
        let mut elsewhere = self.elsewhere(kind, request);
        loop {
            let other = elsewhere.as_deref().filter(|_| tries.made % 2 == 1);
            let from_secondary = other.is_some();
            let permit = self.admit(request).await;
            let error = match self.attempt(kind, other.unwrap_or(request), tries).await {
                Ok(answer) => return Ok(self.count_download(kind, answer)),
                Err(error) => error,
            };
            let patient = self.learn(kind, &error, permit, tries);
            let status = error.status().map(|status| status.as_u16());
            if from_secondary && matches!(status, Some(404 | 412)) {
                elsewhere = None;
                continue;
            }
            let chance = fastrand::f64();
            let asked = tries.retry_after;
            let counted = tries.counted();
            let wait = patient
                .or_else(|| retry::delay(&error, kind.effect, counted, asked, &self.retry, chance));
            match wait {
                None => return Err(error),
                Some(wait) => {
                    tracing::debug!(operation = kind.name, ?wait, %error, "trying again");
                    tries.fault = Some(Box::new(error));
                    self.count_retry();
                    clock::sleep(wait).await;
                }
            }
        }
    }

    /// The same request to the secondary, if it may go there.
    fn elsewhere(&self, kind: Kind, request: &Prepared) -> Option<Box<Prepared>> {
        let secondary = self.secondary.as_ref();
        let secondary = secondary.filter(|_| request.reads() && !kind.primary_only)?;
        Some(Box::new(Prepared { url: Arc::new(secondary.url(&request.url)?), ..request.clone() }))
    }

    fn count_retry(&self) {
        if let Some(budget) = &self.budget {
            budget.retried();
        }
    }

    /// The budget from which calls draw, if there is one.
    pub(crate) fn budget(&self) -> Option<&Budget> {
        self.budget.as_ref()
    }

    /// Waits for a place in the budget, if there is one.
    async fn admit(&self, request: &Prepared) -> Option<Permit> {
        let budget = self.budget.as_ref()?;
        Some(budget.admit(request.bytes_moved()).await)
    }

    /// Tells the budget how the attempt with this permit failed. If it was throttled and the call
    /// is to be patient, returns how long it waits before it queues again.
    fn learn(
        &self,
        kind: Kind,
        error: &Error,
        permit: Option<Permit>,
        tries: &mut Tries,
    ) -> Option<Duration> {
        let (budget, permit) = self.budget.as_ref().zip(permit)?;
        if !retry::is_throttled(error) {
            tries.not_throttled();
            return None;
        }
        budget.throttled_by_service(permit, tries.retry_after);
        // For this operation the code means that it asks for too much at once.
        let asks_too_much =
            kind.name == "Get Page Ranges" && error.code() == Some(&ErrorCode::OperationTimedOut);
        if asks_too_much {
            return None;
        }
        let in_a_row = tries.throttled(clock::instant(), budget.time_for_throttled())?;
        let wait = match tries.retry_after {
            // All calls wait for that together.
            Some(_) => Duration::ZERO,
            None => retry::throttled_delay(in_a_row, fastrand::f64()),
        };
        retry::may_repeat(error, kind.effect).then_some(wait)
    }

    /// Counts the bytes of a download in the budget.
    fn count_download(&self, kind: Kind, answer: Answer) -> Answer {
        if let Some(budget) = self.budget.as_ref().filter(|_| kind.streams) {
            let length = answer.text(&header::CONTENT_LENGTH).and_then(|text| text.parse().ok());
            budget.owe_bytes(length.unwrap_or_default());
        }
        answer
    }

    /// Waits before another attempt by the caller; false if the options allow none.
    pub(crate) async fn back_off(&self, tries: &Tries) -> bool {
        let counted = tries.counted();
        if counted > self.retry.max_retries {
            return false;
        }
        let wait = retry::back_off(counted.max(1), tries.retry_after, &self.retry, fastrand::f64());
        if let Some(wait) = wait {
            self.count_retry();
            clock::sleep(wait).await;
        }
        wait.is_some()
    }

    /// One attempt: date, sign, send, classify. Once per call it sends the request again, if the
    /// service expects a token of another tenant.
    async fn attempt(&self, kind: Kind, request: &Prepared, tries: &mut Tries) -> Result<Answer> {
        let attempt =
            Attempt { operation: kind.name, changes: kind.effect != Effect::Read, request };
        tries.begin();
        let id = tries.id();
        let (answer, body) = loop {
            let now = self.clock.now();
            let mut signed = self.dated(request, id, now)?;
            let authorized = self.credential.authorize(&mut signed, self.version, now).await;
            authorized.map_err(|cause| tries.not_authorized(attempt, cause))?;
            let token = self.credential.token_in(&signed);
            let limit = self.limit(request);
            let sent = self.transport.send(signed);
            let (mut answer, failed) =
                match clock::within(limit, receive(kind, &request.url, sent, limit)).await {
                    Some(received) => received.map_err(|fault| tries.broken(attempt, fault))?,
                    None => return Err(tries.late(attempt, limit)),
                };
            forget_keys(&request.headers, &mut answer.headers);
            tracing::debug!(
                operation = kind.name,
                method = %request.method,
                url = %redact(request.url.as_str()),
                attempt = tries.made,
                status = answer.status.as_u16(),
                request_id = answer.text(&headers::REQUEST_ID).map(|id| redact(id)).as_deref(),
                "answered"
            );
            let Some(body) = failed else {
                // The body of such a response cannot be mistaken for anything else.
                let has_list =
                    !kind.streams && matches!(request.method, Method::GET | Method::POST);
                let Some(error) = answer.not_from_service().filter(|_| !has_list) else {
                    return Ok(answer);
                };
                tries.failed(attempt, false);
                return Err(error);
            };
            let unauthorized = answer.status == StatusCode::UNAUTHORIZED;
            let refused = token.filter(|_| unauthorized && !tries.challenged);
            let Some(refused) = refused else { break (answer, body) };
            let (url, now) = (&request.url, self.clock.now());
            let followed = self.credential.follow_challenge(url, &answer.headers, &refused, now);
            // Boxed, so that futures of requests signed by key stay small.
            let followed = Box::pin(followed).await;
            tries.challenged = followed.map_err(|cause| tries.not_authorized(attempt, cause))?;
            if !tries.challenged {
                break (answer, body);
            }
        };
        tries.retry_after = retry::retry_after(&answer.headers, self.clock.now());
        let evidence = self.evidence(&answer, request);
        let body = match self.is_of_management() {
            true => error_body::parse_json(&body),
            false => error_body::parse(&body),
        };
        let refusal = Refusal::of(answer.status, &answer.headers, body);
        Err(tries.refused(attempt, refusal, evidence))
    }

    /// What is known about why a request, or its copy source, was not authorized.
    fn evidence(&self, answer: &Answer, request: &Prepared) -> Option<Evidence> {
        let source = request.headers.get(headers::COPY_SOURCE).and_then(|url| url.to_str().ok());
        if !matches!(answer.status.as_u16(), 401 | 403 | 404) || self.is_of_management() {
            return None;
        }
        let query = source.and_then(|url| url.split_once('?')).map_or("", |(_, query)| query);
        Some(Evidence {
            proof: self.credential.kind(),
            sas: self.credential.validity(),
            source_sas: validity(query),
            now: self.clock.now(),
            date: answer.text(&header::DATE).and_then(http_date::parse),
        })
    }

    /// The request with the common headers and the current date.
    fn dated(&self, request: &Prepared, id: Uuid, now: OffsetDateTime) -> Result<Request> {
        const ADDED: usize = 5;
        let mut headers = HeaderMap::with_capacity(request.headers.len() + ADDED);
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        headers.insert(headers::CLIENT_REQUEST_ID, request_id_value(id));
        if !self.is_of_management() {
            let date = http_date::value(now).map_err(|why| why.at("clock", now))?;
            headers.insert(headers::VERSION, self.version_value.clone());
            headers.insert(headers::DATE, date);
        }
        for (name, value) in &request.headers {
            headers.insert(name, value.clone());
        }
        let (method, url, body) = (&request.method, &request.url, &request.body);
        let (method, url, body) = (method.clone(), Url::clone(url), body.clone());
        Ok(Request { method, url, headers, body })
    }

    /// The time limit of one attempt: one more second for every 64 KiB of the body, and for every
    /// MiB that the service reads from a source.
    fn limit(&self, request: &Prepared) -> Duration {
        let sent = u64::try_from(request.body.len() >> 16).unwrap_or(u64::MAX >> 2);
        let read = request.source_bytes() >> 20;
        self.attempt_timeout.saturating_add(Duration::from_secs(sent.saturating_add(read)))
    }
}

/// A request in flight.
type Sent<'a> = BoxFuture<'a, Result<Response, TransportError>>;

/// Receives the response, and reads its body unless the caller does. Also returns the body of an
/// error; empty if it does not come soon, since most of the `limit` may have passed.
async fn receive(
    kind: Kind,
    url: &Arc<Url>,
    sent: Sent<'_>,
    limit: Duration,
) -> Result<(Answer, Option<bytes::Bytes>), TransportError> {
    let response = sent.await?;
    let (status, headers) = (response.status, response.headers);
    let succeeded = status.is_success();
    let (body, refusal) = match (succeeded, kind.streams) {
        (true, true) => (response.body, None),
        (true, false) => (response.body.collect(LONGEST_HELD_BODY).await?.into(), None),
        // The body is best effort: the status alone makes this an error.
        (false, _) => {
            let front = response.body.front(LONGEST_REFUSAL);
            let front = clock::within(REFUSAL_TIME.min(limit / 4), front).await;
            (bytes::Bytes::new().into(), Some(front.unwrap_or_default()))
        }
    };
    let (operation, url, changes) = (kind.name, Arc::clone(url), kind.effect != Effect::Read);
    Ok((Answer { status, headers, body, operation, url, changes }, refusal))
}

fn request_id_value(id: Uuid) -> HeaderValue {
    let mut text = Uuid::encode_buffer();
    let text = id.hyphenated().encode_lower(&mut text);
    HeaderValue::from_str(text).unwrap_or_else(|_| HeaderValue::from_static("none"))
}
