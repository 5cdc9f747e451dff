//! Whether and when to retry a failed attempt. Pure: time and randomness are arguments.

use std::time::Duration;

use http::{HeaderMap, StatusCode, header};
use time::OffsetDateTime;

use super::{options::RetryOptions, request::Effect};
use crate::{
    error::Error,
    models::ErrorCode,
    wire::{http_date, transport::TransportErrorKind},
};

/// Whether the service certainly did not apply an attempt that ended in `error`.
///
/// This is certain for the statuses 100 to 499, for a 503 of the service itself, and if nothing was
/// sent. See [Put Page](https://learn.microsoft.com/rest/api/storageservices/put-page). A gateway
/// also answers 503 when it loses its connection to the service.
pub(crate) fn surely_not_applied(error: &Error) -> bool {
    match error {
        Error::Service(service) => surely_refused(service.status, service.from_service),
        Error::Transport { fault, .. } => surely_not_sent(fault.kind()),
        Error::Timeout { .. } | Error::UnexpectedResponse { .. } => false,
        _ => true,
    }
}

/// Whether an error with this status means that nothing was applied.
pub(crate) fn surely_refused(status: StatusCode, from_service: bool) -> bool {
    status.as_u16() < 500 || status.as_u16() == 503 && from_service
}

/// Whether the service certainly has not seen a request with this fault.
pub(crate) fn surely_not_sent(fault: TransportErrorKind) -> bool {
    matches!(fault, TransportErrorKind::Connect | TransportErrorKind::Unusable)
}

/// Whether the service refused the attempt because it, or the source of a copy, is busy.
pub(crate) fn is_throttled(error: &Error) -> bool {
    let Error::Service(refusal) = error else { return false };
    let is_busy = match (refusal.status.as_u16(), &refusal.code) {
        (429, _) => true,
        (503, _) | (_, ErrorCode::ServerBusy) | (500, ErrorCode::OperationTimedOut) => {
            refusal.from_service
        }
        _ => false,
    };
    is_busy || refusal.has_busy_source()
}

/// Whether an attempt that ended in `error` may be repeated.
pub(crate) fn may_repeat(error: &Error, effect: Effect) -> bool {
    effect != Effect::Once || surely_not_applied(error)
}

/// How long one call waits after so many throttled attempts in a row, besides its place in the
/// budget: it must not use up the places of the others.
pub(crate) fn throttled_delay(throttled: u32, chance: f64) -> Duration {
    const FIRST: Duration = Duration::from_millis(20);
    const LONGEST: Duration = Duration::from_secs(2);
    let doubled = FIRST.saturating_mul(1 << throttled.saturating_sub(1).min(10));
    doubled.min(LONGEST).mul_f64(0.8 + 0.4 * chance)
}

/// How long to wait before the next attempt; `None` if there is none.
pub(crate) fn delay(
    error: &Error,
    effect: Effect,
    attempts: u32,
    asked: Option<Duration>,
    options: &RetryOptions,
    chance: f64,
) -> Option<Duration> {
    if !may_repeat(error, effect) || !error.is_retryable() || attempts > options.max_retries {
        return None;
    }
    back_off(attempts, asked, options, chance)
}

/// The wait after `attempts` attempts: exponential with jitter, or longer if the service demands
/// it; `None` if it demands more than the options allow.
pub(crate) fn back_off(
    attempts: u32,
    asked: Option<Duration>,
    options: &RetryOptions,
    chance: f64,
) -> Option<Duration> {
    let asked = asked.unwrap_or_default();
    if asked > options.max_delay {
        return None;
    }
    let doubled = options.base_delay.saturating_mul(1 << attempts.saturating_sub(1).min(20));
    let jittered = doubled.min(options.max_delay).mul_f64(0.8 + 0.4 * chance);
    Some(jittered.max(asked).min(options.max_delay))
}

/// The wait that the service demands: milliseconds, seconds, or a date.
pub(crate) fn retry_after(headers: &HeaderMap, now: OffsetDateTime) -> Option<Duration> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let millis = text("x-ms-retry-after-ms").or_else(|| text("retry-after-ms"));
    if let Some(millis) = millis.and_then(|text| text.parse().ok()) {
        return Some(Duration::from_millis(millis));
    }
    let after = text(header::RETRY_AFTER.as_str())?;
    match after.parse() {
        Ok(seconds) => Some(Duration::from_secs(seconds)),
        Err(_) => {
            let wait = http_date::parse(after)? - now;
            Some(Duration::try_from(wait).unwrap_or_default())
        }
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::{pipeline::response::service_error, wire::transport::TransportError};

    fn service(status: u16, code: &str) -> Error {
        let status = StatusCode::from_u16(status).expect("in range");
        let mut error = service_error("Op", status, &HeaderMap::new(), &[]);
        (error.code, error.from_service) = (ErrorCode::from(code), true);
        Error::Service(Box::new(error))
    }

    fn gateway(status: u16) -> Error {
        let status = StatusCode::from_u16(status).expect("in range");
        Error::Service(Box::new(service_error("Op", status, &HeaderMap::new(), b"<html/>")))
    }

    fn transport(kind: TransportErrorKind) -> Error {
        let fault = TransportError::with_message(kind, "fault");
        let url = "https://acct.blob.core.windows.net/con/b".to_owned();
        Error::Transport { operation: "Op", url, fault, attempts: 1, ambiguous: false }
    }

    fn retried(error: &Error, effect: Effect) -> bool {
        delay(error, effect, 1, None, &RetryOptions::new(), 0.5).is_some()
    }

    #[test]
    fn each_kind_of_repeat_has_its_own_faults() {
        use TransportErrorKind::{Connect, Interrupted, Timeout, Unusable};
        let late = Error::Timeout {
            operation: "Op",
            url: "https://acct.blob.core.windows.net/con/b".to_owned(),
            limit: Duration::from_secs(1),
            attempts: 1,
            ambiguous: false,
        };
        // fault, retried when it may be repeated, retried when it may happen once
        let cases = [
            (service(408, ""), true, true),
            (service(429, ""), true, true),
            (service(500, ""), true, false),
            (service(502, ""), true, false),
            (service(503, "ServerBusy"), true, true),
            (gateway(503), true, false),
            (service(504, ""), true, false),
            (service(501, ""), false, false),
            (service(505, ""), false, false),
            (service(409, "InternalError"), true, true),
            (service(404, "CannotVerifyCopySource"), false, false),
            (transport(Connect), true, true),
            (transport(Interrupted), true, false),
            (transport(Timeout), true, false),
            (transport(Unusable), false, false),
            (late, true, false),
        ];
        for (error, safe, never) in cases {
            assert_eq!(retried(&error, Effect::Repeatable), safe, "{error}");
            assert_eq!(retried(&error, Effect::Once), never, "{error}");
            assert_eq!(retried(&error, Effect::Read), safe, "{error}");
        }
    }

    #[test]
    fn what_is_throttling() {
        let of_source = |status: u16, of_source: u16| {
            let Error::Service(mut error) = service(status, "CannotVerifyCopySource") else {
                unreachable!("a refusal")
            };
            error.source_status = StatusCode::from_u16(of_source).ok();
            Error::Service(error)
        };
        for error in [
            service(503, "ServerBusy"),
            service(503, ""),
            service(409, "ServerBusy"),
            service(429, ""),
            gateway(429),
            service(500, "OperationTimedOut"),
            of_source(503, 503),
            of_source(400, 429),
            of_source(500, 500),
        ] {
            assert!(is_throttled(&error) && error.is_retryable(), "{error}");
        }
        for error in [
            gateway(503),
            gateway(502),
            service(500, "InternalError"),
            service(500, "CannotVerifyCopySource"),
            of_source(404, 404),
            service(408, ""),
            transport(TransportErrorKind::Connect),
        ] {
            assert!(!is_throttled(&error), "{error}");
        }
    }

    #[test]
    fn these_statuses_are_never_retried() {
        for status in [400, 401, 403, 404, 405, 409, 411, 412, 413, 416] {
            assert!(!retried(&service(status, ""), Effect::Repeatable), "{status}");
        }
    }

    #[test]
    fn waits_double_with_jitter_up_to_a_cap() {
        let options = RetryOptions::new();
        let wait = |attempts, chance| back_off(attempts, None, &options, chance).expect("a wait");
        assert_eq!(wait(1, 0.5), Duration::from_millis(800));
        assert_eq!(wait(1, 0.0), Duration::from_millis(640));
        assert_eq!(wait(2, 0.5), Duration::from_millis(1600));
        assert_eq!(wait(3, 1.0), Duration::from_millis(3840));
        assert_eq!(wait(40, 1.0), Duration::from_secs(60));
    }

    #[test]
    fn retries_are_counted() {
        let error = service(503, "ServerBusy");
        let options = RetryOptions::new().max_retries(2);
        let after =
            |attempts| delay(&error, Effect::Repeatable, attempts, None, &options, 0.5).is_some();
        assert_eq!([after(1), after(2), after(3)], [true, true, false]);
    }

    #[test]
    fn the_service_may_ask_for_longer_but_not_for_too_long() {
        let options = RetryOptions::new();
        let wait = |asked| back_off(1, Some(Duration::from_secs(asked)), &options, 0.5);
        assert_eq!(wait(0), Some(Duration::from_millis(800)));
        assert_eq!(wait(20), Some(Duration::from_secs(20)));
        assert_eq!(wait(61), None);
    }

    #[test]
    fn what_the_service_asks_for_is_read_in_each_form() {
        let now = datetime!(2026-01-01 00:00:00 UTC);
        let asked = |name: &'static str, value: &'static str| {
            retry_after(
                &HeaderMap::from_iter([(
                    name.parse().expect("name"),
                    value.parse().expect("value"),
                )]),
                now,
            )
        };
        assert_eq!(asked("x-ms-retry-after-ms", "1500"), Some(Duration::from_millis(1500)));
        assert_eq!(asked("retry-after-ms", "20"), Some(Duration::from_millis(20)));
        assert_eq!(asked("retry-after", "7"), Some(Duration::from_secs(7)));
        let date = asked("retry-after", "Thu, 01 Jan 2026 00:00:09 GMT");
        assert_eq!(date, Some(Duration::from_secs(9)));
        let last = asked("retry-after", "Fri, 31 Dec 9999 23:59:59 GMT");
        assert!(last > Some(Duration::from_secs(7900 * 365 * 86_400)), "{last:?}");
        for most in ["x-ms-retry-after-ms", "retry-after"] {
            let longest = asked(most, "18446744073709551615");
            assert_eq!(back_off(1, longest, &RetryOptions::new(), 0.5), None, "{most}");
        }
        let past = asked("retry-after", "Thu, 01 Jan 2015 00:00:00 GMT");
        assert_eq!(past, Some(Duration::ZERO));
        assert_eq!(asked("retry-after", "soon"), None);
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
