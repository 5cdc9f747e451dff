//! Options for all calls of a client.

use std::{sync::Arc, time::Duration};

use http::HeaderValue;

use super::budget::Budget;
use crate::{
    error::{Error, Result},
    models::ServiceVersion,
    wire::{clock::Clock, redaction, transport::Transport},
};

/// Options of a client: service version, retries, timeouts, transport.
///
/// ```
/// use std::time::Duration;
/// use blobcopy::{ClientOptions, RetryOptions};
///
/// let options = ClientOptions::new()
///     .application_id("nightly-backup")
///     .attempt_timeout(Duration::from_secs(30))
///     .retry(RetryOptions::new().max_retries(5));
/// # let _ = options;
/// ```
#[derive(Clone)]
pub struct ClientOptions {
    pub(crate) service_version: ServiceVersion,
    pub(crate) retry: RetryOptions,
    pub(crate) attempt_timeout: Duration,
    pub(crate) server_timeout: Option<Duration>,
    connect_timeout: Duration,
    pub(crate) application_id: Option<String>,
    pub(crate) transport: Option<Arc<dyn Transport>>,
    pub(crate) clock: Option<Clock>,
    pub(crate) read_from_secondary: bool,
    pub(crate) budget: Option<Budget>,
}

redaction::debug_redacted!(ClientOptions {
    service_version,
    retry,
    attempt_timeout,
    server_timeout,
    connect_timeout,
    application_id: text,
    transport,
    clock,
    read_from_secondary,
    budget,
});

impl ClientOptions {
    /// The longest attempt timeout.
    const LONGEST_ATTEMPT: Duration = Duration::from_secs(24 * 3600);

    /// The longest connect timeout.
    const LONGEST_CONNECT: Duration = Duration::from_secs(3600);

    /// The defaults: service version 2026-10-06, 3 retries, 100 seconds for each attempt, including
    /// 10 seconds to connect.
    pub fn new() -> Self {
        Self {
            service_version: ServiceVersion::LATEST,
            retry: RetryOptions::new(),
            attempt_timeout: Duration::from_secs(100),
            server_timeout: None,
            connect_timeout: Duration::from_secs(10),
            application_id: None,
            transport: None,
            clock: None,
            read_from_secondary: false,
            budget: None,
        }
    }

    /// The service version (`x-ms-version`): 2009-09-19 or later, by default
    /// [`ServiceVersion::LATEST`]. A service that does not know it answers 400
    /// `InvalidHeaderValue`.
    pub fn service_version(mut self, version: ServiceVersion) -> Self {
        self.service_version = version;
        self
    }

    /// How often and how soon failed attempts are retried.
    pub fn retry(mut self, retry: RetryOptions) -> Self {
        self.retry = retry;
        self
    }

    /// The time limit of each attempt, 1 ms to 24 hours, by default 100 seconds. It covers the
    /// whole response; for a download, the response headers and then each piece of the body. A
    /// request with a body gets one more second for every 64 KiB, and one whose content the service
    /// reads from a URL one for every MiB.
    pub fn attempt_timeout(mut self, limit: Duration) -> Self {
        self.attempt_timeout = limit;
        self
    }

    /// How long the service may work on each request of a call that sets no
    /// [`server_timeout`](crate::builders::GetProperties::server_timeout) of its own: 1 second to
    /// 24 hours, in whole seconds. By default the service's own limits hold.
    ///
    /// The service lowers values above its limit for the operation (30 seconds for most). When the
    /// time is over it answers 500 `OperationTimedOut`, which is retried. See
    /// [Setting timeouts][1].
    ///
    /// [1]: https://learn.microsoft.com/rest/api/storageservices/setting-timeouts-for-blob-service-operations
    ///
    /// ```
    /// use std::time::Duration;
    /// use blobcopy::ClientOptions;
    ///
    /// let options = ClientOptions::new().server_timeout(Duration::from_secs(20));
    /// # let _ = options;
    /// ```
    pub fn server_timeout(mut self, limit: Duration) -> Self {
        self.server_timeout = Some(limit);
        self
    }

    /// The time limit of a new connection, 1 ms to 1 hour, by default 10 seconds.
    ///
    /// It covers the DNS lookup, the connection and the TLS handshake. When it expires, the service
    /// has not seen the request, so the attempt fails with
    /// [`TransportErrorKind::Connect`](crate::transport::TransportErrorKind::Connect) and is
    /// retried, whatever the operation. Connecting is part of the attempt and gets at most nine
    /// tenths of [`attempt_timeout`](ClientOptions::attempt_timeout). It does not apply to a
    /// [`transport`](ClientOptions::transport) of your own.
    ///
    /// ```
    /// use std::time::Duration;
    /// use blobcopy::ClientOptions;
    ///
    /// let options = ClientOptions::new().connect_timeout(Duration::from_secs(3));
    /// # let _ = options;
    /// ```
    pub fn connect_timeout(mut self, limit: Duration) -> Self {
        self.connect_timeout = limit;
        self
    }

    /// The name of your application, which is put at the start of `User-Agent`: 1 to 64 visible
    /// ASCII characters.
    pub fn application_id(mut self, id: impl Into<String>) -> Self {
        self.application_id = Some(id.into());
        self
    }

    /// The transport that sends requests, instead of the default one, which uses `reqwest`. The
    /// client uses its [clock](Transport::clock), if it has one, unless
    /// [`clock`](ClientOptions::clock) is set.
    pub fn transport(mut self, transport: impl Transport) -> Self {
        self.transport = Some(Arc::new(transport));
        self
    }

    /// The clock that dates requests, instead of the transport's clock or the system clock.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Whether retries of reads alternate between the account's secondary and primary endpoints. By
    /// default they do not.
    ///
    /// For accounts with read access to a secondary region (RA-GRS, RA-GZRS). Data from the
    /// secondary may be stale. After a 404 or 412 from the secondary the primary is tried, and
    /// copies are watched only at the primary. The secondary of a custom domain must come from a
    /// connection string.
    pub fn read_from_secondary(mut self, read: bool) -> Self {
        self.read_from_secondary = read;
        self
    }

    /// The budget of requests and bytes per second that all calls draw from; by default there is
    /// none. While there is one, a throttled attempt does not use up a retry: see
    /// [`Budget`](crate::jobs::Budget).
    ///
    /// ```
    /// use blobcopy::{ClientOptions, jobs::Budget};
    ///
    /// let options = ClientOptions::new().budget(Budget::new().requests_per_second(5_000));
    /// # let _ = options;
    /// ```
    pub fn budget(mut self, budget: Budget) -> Self {
        self.budget = Some(budget);
        self
    }

    /// Refuses invalid settings.
    pub(crate) fn check(&self) -> Result<()> {
        self.retry.check()?;
        if self.service_version < ServiceVersion::OLDEST {
            let rule = format!("must be {} or later", ServiceVersion::OLDEST);
            return Err(Error::invalid("service version", self.service_version, &rule));
        }
        if !(Duration::from_millis(1)..=Self::LONGEST_ATTEMPT).contains(&self.attempt_timeout) {
            let value = format!("{:?}", self.attempt_timeout);
            return Err(Error::invalid("attempt timeout", value, "must be 1 ms to 24 hours"));
        }
        check_server_timeout(self.server_timeout)?;
        if !(Duration::from_millis(1)..=Self::LONGEST_CONNECT).contains(&self.connect_timeout) {
            let value = format!("{:?}", self.connect_timeout);
            return Err(Error::invalid("connect timeout", value, "must be 1 ms to an hour"));
        }
        self.user_agent().map(|_| ())
    }

    /// The time limit of a connection. It is shorter than that of the attempt: which of the two
    /// expires decides whether the service may have seen the request.
    pub(crate) fn time_to_connect(&self) -> Duration {
        self.connect_timeout.min(self.attempt_timeout * 9 / 10)
    }

    pub(crate) fn user_agent(&self) -> Result<HeaderValue> {
        const CRATE: &str = concat!("blobcopy/", env!("CARGO_PKG_VERSION"));
        let Some(id) = &self.application_id else { return Ok(HeaderValue::from_static(CRATE)) };
        let legal = (1..=64).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        match HeaderValue::try_from(format!("{id} {CRATE}")) {
            Ok(value) if legal => Ok(value),
            _ => Err(Error::invalid(
                "application id",
                id,
                "must be 1 to 64 visible ASCII characters",
            )),
        }
    }
}

/// Refuses a time that the service would not take.
pub(super) fn check_server_timeout(limit: Option<Duration>) -> Result<()> {
    let day = Duration::from_secs(24 * 3600);
    match limit.filter(|limit| limit.as_secs() == 0 || *limit > day) {
        None => Ok(()),
        Some(limit) => {
            let rule = "must be 1 second to 24 hours";
            Err(Error::invalid("server timeout", format!("{limit:?}"), rule))
        }
    }
}

impl Default for ClientOptions {
    fn default() -> Self {
        Self::new()
    }
}

/// How often and how soon failed attempts are retried.
///
/// The delay before retry `n` is `base_delay * 2^(n-1)`, plus or minus 20 %, at most `max_delay`;
/// or the delay in `x-ms-retry-after-ms` or `Retry-After`, if that is longer. If the service
/// demands more than `max_delay`, the error is returned at once.
///
/// Retried are connection errors and timeouts; the statuses 408, 429, 500, 502, 503 and 504; and
/// the codes `InternalError`, `OperationTimedOut` and `ServerBusy` with any status. An operation
/// that is not idempotent is retried only if the service certainly has not applied it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryOptions {
    pub(crate) max_retries: u32,
    pub(crate) base_delay: Duration,
    pub(crate) max_delay: Duration,
}

impl RetryOptions {
    const LONGEST_DELAY: Duration = Duration::from_secs(3600);

    /// The defaults: 3 retries, a base delay of 0.8 seconds, a maximum delay of 60 seconds.
    pub fn new() -> Self {
        Self {
            max_retries: 3,
            base_delay: Duration::from_millis(800),
            max_delay: Duration::from_secs(60),
        }
    }

    /// No retries.
    pub fn none() -> Self {
        Self { max_retries: 0, ..Self::new() }
    }

    /// The number of retries, at most 100.
    pub fn max_retries(mut self, count: u32) -> Self {
        self.max_retries = count;
        self
    }

    /// The delay before the first retry, at least 1 ms.
    pub fn base_delay(mut self, delay: Duration) -> Self {
        self.base_delay = delay;
        self
    }

    /// The longest delay before any retry, from `base_delay` to 1 hour.
    pub fn max_delay(mut self, delay: Duration) -> Self {
        self.max_delay = delay;
        self
    }

    fn check(&self) -> Result<()> {
        if self.max_retries > 100 {
            return Err(Error::invalid("max retries", self.max_retries, "must be at most 100"));
        }
        if self.base_delay < Duration::from_millis(1) {
            let value = format!("{:?}", self.base_delay);
            return Err(Error::invalid("base delay", value, "must be at least 1 ms"));
        }
        if !(self.base_delay..=Self::LONGEST_DELAY).contains(&self.max_delay) {
            let value = format!("{:?}", self.max_delay);
            return Err(Error::invalid("max delay", value, "must be the base delay to an hour"));
        }
        Ok(())
    }
}

impl Default for RetryOptions {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_settings_are_refused_by_name_value_and_rule() {
        let retry = RetryOptions::new;
        let cases = [
            (ClientOptions::new().attempt_timeout(Duration::ZERO), "attempt timeout: \"0ns\""),
            (ClientOptions::new().attempt_timeout(Duration::MAX), "attempt timeout: "),
            (ClientOptions::new().server_timeout(Duration::ZERO), "server timeout: \"0ns\""),
            (ClientOptions::new().server_timeout(Duration::MAX), "server timeout: "),
            (ClientOptions::new().connect_timeout(Duration::ZERO), "connect timeout: \"0ns\""),
            (ClientOptions::new().connect_timeout(Duration::MAX), "connect timeout: "),
            (ClientOptions::new().application_id(""), "application id: \"\""),
            (ClientOptions::new().application_id("two words"), "application id: \"two words\""),
            (ClientOptions::new().retry(retry().max_retries(101)), "max retries: \"101\""),
            (ClientOptions::new().retry(retry().base_delay(Duration::ZERO)), "base delay: \"0ns\""),
            (ClientOptions::new().retry(retry().max_delay(Duration::ZERO)), "max delay: \"0ns\""),
            (ClientOptions::new().retry(retry().max_delay(Duration::MAX)), "max delay: "),
        ];
        for (options, start) in cases {
            let error = options.check().expect_err(start).to_string();
            assert!(error.starts_with(start) && error.contains("must be"), "{error}");
        }
        assert!(ClientOptions::new().check().is_ok());
    }

    #[test]
    fn a_connection_has_less_time_than_its_attempt() {
        let connect = |options: ClientOptions| options.time_to_connect();
        let seconds = Duration::from_secs;
        assert_eq!(connect(ClientOptions::new()), seconds(10));
        assert_eq!(connect(ClientOptions::new().connect_timeout(seconds(60))), seconds(60));
        assert_eq!(connect(ClientOptions::new().attempt_timeout(seconds(5))), seconds(9) / 2);
        let patient = ClientOptions::new().connect_timeout(seconds(200));
        assert_eq!(connect(patient), seconds(90));
    }

    #[test]
    fn the_application_goes_before_the_crate() {
        let agent = ClientOptions::new().application_id("app").user_agent().expect("legal");
        assert_eq!(agent, concat!("app blobcopy/", env!("CARGO_PKG_VERSION")));
    }
}
