//! Starting a copy exactly once, even if responses are lost.

use http::{HeaderName, HeaderValue, StatusCode, header};
use time::OffsetDateTime;

use super::status;
use crate::{
    error::{Error, Result},
    models::{CopyId, CopyState, CopyStatus, ETag, ErrorCode},
    operations::{
        get_copy_properties::GetCopyProperties,
        operation::{Call, Operation},
        settings::copy_source::SourceIdentity,
    },
    pipeline::{request::Prepared, tries::Tries},
    wire::{clock, headers, http_date},
};

/// A copy that a call started.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) state: CopyState,
    /// Whether it was found at the destination after a response was lost.
    pub(super) adopted: bool,
}

/// What a start does if a copy of its source failed or was aborted after it began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Starts again: the failed copy left nothing.
    Ordinary,
    /// Gives up: one start makes at most one incremental copy.
    Incremental,
}

/// Sends a start until it is known whether it worked.
///
/// An attempt without a response may have worked. So the destination is read before another attempt
/// and before the call fails; if it carries our copy, that copy is adopted. Later attempts carry a
/// condition on the destination as it was read, so that a lost attempt which the service applies
/// late does not lead to a second copy.
pub(super) async fn start<O: Operation<Output = CopyState>>(
    call: &Call,
    operation: &O,
    source: &HeaderValue,
    kind: Kind,
) -> Result<Started> {
    let mut request = call.prepare(operation)?;
    let mut search = Search::new(kind, &request);
    let mut tries = Tries::default();
    loop {
        let answer = call.send(operation, &request, &mut tries).await;
        let error = match answer.and_then(|answer| operation.parse(answer)) {
            Ok(state) => return Ok(Started { state, adopted: false }),
            Err(error) => error,
        };
        // A success that does not name the copy is as good as no response.
        tries.ambiguous |= matches!(error, Error::UnexpectedResponse { .. });
        if !tries.ambiguous {
            return Err(error);
        }
        // Boxed, because hardly any start gets here.
        let found = Box::pin(search.after(error, call, source, &tries, &mut request)).await?;
        if let Some(state) = found {
            tracing::debug!(operation = O::NAME, copy_id = %state.copy_id, "adopted the copy");
            return Ok(Started { state, adopted: true });
        }
    }
}

/// The search for a copy that a lost attempt may have started.
#[derive(Debug)]
struct Search {
    kind: Kind,
    begun: tokio::time::Instant,
    /// Whether attempts may carry our condition on the destination: the service accepts only one,
    /// and the caller's takes precedence.
    may_guard: bool,
    guard: Guard,
    /// The copy that the last look saw and did not adopt; `None` before the first look.
    seen: Option<Option<CopyId>>,
    /// Whether an attempt met a pending copy: a copy that is seen to have ended later ended after
    /// that.
    met_pending: bool,
    /// The last error that was not caused by our guard.
    lost: Option<Error>,
}

/// The condition that the destination is unchanged since it was read.
type Guard = Option<(HeaderName, HeaderValue)>;

/// Why an attempt was refused, which may be the effect of an earlier attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Refusal {
    /// A copy into the destination is pending.
    Pending,
    /// The destination has changed since it was read.
    Guard,
    /// Anything else.
    Other,
}

impl Search {
    fn new(kind: Kind, request: &Prepared) -> Self {
        let conditions = [
            header::IF_MATCH,
            header::IF_NONE_MATCH,
            header::IF_MODIFIED_SINCE,
            header::IF_UNMODIFIED_SINCE,
            headers::IF_TAGS,
        ];
        Self {
            kind,
            begun: clock::instant(),
            may_guard: !conditions.iter().any(|name| request.headers.contains_key(name)),
            guard: None,
            seen: None,
            met_pending: false,
            lost: None,
        }
    }

    /// Reads the destination after `error`, when an attempt may have worked. Returns our copy, or
    /// `None` after preparing `request` for another attempt.
    async fn after(
        &mut self,
        error: Error,
        call: &Call,
        source: &HeaderValue,
        tries: &Tries,
        request: &mut Prepared,
    ) -> Result<Option<CopyState>> {
        let refusal = self.refusal(&error);
        self.met_pending |= refusal == Refusal::Pending;
        let waited = error.is_retryable() && call.pipeline.back_off(tries).await;
        let Ok((found, guard)) = self.look(call, source).await else {
            return Err(self.outcome(error, refusal));
        };
        let changed = guard != self.guard;
        let again = match found {
            Found::Ours(state) => return Ok(Some(*state)),
            Found::Over if self.kind == Kind::Incremental => false,
            Found::Busy if refusal == Refusal::Pending => false,
            _ if refusal == Refusal::Pending || refusal == Refusal::Guard && changed => {
                call.pipeline.back_off(tries).await
            }
            _ => waited,
        };
        let error = self.outcome(error, refusal);
        if !again {
            return Err(error);
        }
        self.lost = Some(error);
        self.set_guard(request, guard);
        Ok(None)
    }

    fn refusal(&self, error: &Error) -> Refusal {
        match (error.status(), error.code()) {
            (_, Some(ErrorCode::PendingCopyOperation)) => Refusal::Pending,
            (Some(StatusCode::PRECONDITION_FAILED), Some(code))
                if self.guard.is_some() && !matches!(code, ErrorCode::SourceConditionNotMet) =>
            {
                Refusal::Guard
            }
            (_, Some(ErrorCode::BlobAlreadyExists)) if self.guard.is_some() => Refusal::Guard,
            _ => Refusal::Other,
        }
    }

    /// The error to return: never that of a condition which the caller did not set.
    fn outcome(&mut self, error: Error, refusal: Refusal) -> Error {
        match self.lost.take() {
            Some(lost) if refusal == Refusal::Guard => lost,
            _ => error,
        }
    }

    fn set_guard(&mut self, request: &mut Prepared, guard: Guard) {
        if !self.may_guard {
            return;
        }
        if let Some((name, _)) = self.guard.take() {
            request.headers.remove(name);
        }
        if let Some((name, value)) = guard.clone() {
            request.headers.insert(name, value);
        }
        self.guard = guard;
    }

    /// Reads the destination; also returns the condition that it stays as it is.
    async fn look(&mut self, call: &Call, source: &HeaderValue) -> Result<(Found, Guard)> {
        let call = call.clone().at_primary();
        let operation = GetCopyProperties;
        let request = call.prepare(&operation)?;
        let mut tries = Tries::default();
        let (asked, answer) = loop {
            let asked = self.begun.elapsed();
            match call.send(&operation, &request, &mut tries).await {
                // Not the service's own response; the next look may get one.
                Err(error) if !error.is_retryable() && error.is_passing() => {
                    if !call.pipeline.back_off(&tries).await {
                        return Err(error);
                    }
                }
                answered => break (asked, answered),
            }
        };
        let answer = match answer {
            Ok(answer) => answer,
            Err(error) if status::is_gone(&error) => {
                self.seen = Some(None);
                let absent = (header::IF_NONE_MATCH, HeaderValue::from_static("*"));
                return Ok((Found::Nothing, Some(absent)));
            }
            Err(error) => return Err(error),
        };
        let start = answer
            .text(&header::DATE)
            .and_then(http_date::parse)
            .and_then(|date| CallStart::of(date, asked, self.begun.elapsed()));
        let etag = answer.text(&header::ETAG).and_then(|etag| etag.parse::<ETag>().ok());
        let etag = etag.and_then(|etag| etag.as_str().parse().ok());
        let guard = etag.map(|etag: HeaderValue| (header::IF_MATCH, etag));
        let Some(copy) = operation.parse(answer)?.copy else {
            self.seen = Some(None);
            return Ok((Found::Nothing, guard));
        };
        let age = match &self.seen {
            Some(Some(seen)) if *seen == copy.copy_id => Age::Before,
            Some(_) => Age::Since,
            None if self.met_pending => Age::Since,
            None => Age::of(&copy, start),
        };
        self.seen = Some(Some(copy.copy_id.clone()));
        let source = source.to_str().ok().and_then(SourceIdentity::of);
        Ok((judge(copy, source.as_ref(), age), guard))
    }
}

/// When the call began by the service's clock, which has whole seconds only.
#[derive(Debug, Clone, Copy)]
struct CallStart {
    earliest: OffsetDateTime,
    latest: OffsetDateTime,
}

impl CallStart {
    /// From a response's date, and the times after the start of the call at which the request was
    /// sent and the response arrived.
    fn of(
        date: OffsetDateTime,
        asked: std::time::Duration,
        answered: std::time::Duration,
    ) -> Option<Self> {
        Some(Self {
            earliest: date.checked_sub(answered.try_into().ok()?)?,
            latest: date
                .checked_add(time::Duration::SECOND)?
                .checked_sub(asked.try_into().ok()?)?,
        })
    }
}

/// Whether a copy ended before or after the call began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Age {
    Before,
    Since,
    /// Within the same second, or without a date.
    Unknown,
}

impl Age {
    fn of(copy: &CopyState, start: Option<CallStart>) -> Self {
        let (Some(ended), Some(start)) = (copy.completed_on, start) else { return Self::Unknown };
        if ended >= start.latest {
            return Self::Since;
        }
        match ended.checked_add(time::Duration::SECOND) {
            Some(next) if next <= start.earliest => Self::Before,
            _ => Self::Unknown,
        }
    }
}

/// What the destination carries.
#[derive(Debug, PartialEq)]
enum Found {
    /// The copy that the call started, or an equivalent one.
    Ours(Box<CopyState>),
    /// A copy of our source that failed or was aborted after the call began.
    Over,
    /// A pending copy of another source.
    Busy,
    /// None of these.
    Nothing,
}

/// Decides whether the copy that the destination carries is the one that the call started.
///
/// A pending copy of our source is: it does what the call wants, and the service accepts no second
/// one. One that failed or was aborted never is. If it is unclear whether a success came before or
/// after the start of the call, it counts only if the source cannot change: an older copy has the
/// same bytes.
fn judge(copy: CopyState, source: Option<&SourceIdentity>, age: Age) -> Found {
    let echoed = copy.source.as_ref().and_then(|echoed| SourceIdentity::of(echoed.expose()));
    let ended = copy.status.is_final() || copy.completed_on.is_some();
    let Some(source) = source.filter(|source| echoed.as_ref() == Some(*source)) else {
        return if ended { Found::Nothing } else { Found::Busy };
    };
    let ours = match (&copy.status, age) {
        _ if !ended => true,
        (CopyStatus::Success, Age::Since) => true,
        (CopyStatus::Success, Age::Unknown) => source.is_immutable(),
        (_, Age::Since) => return Found::Over,
        _ => false,
    };
    if ours { Found::Ours(Box::new(copy)) } else { Found::Nothing }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::models::CopySourceUrl;

    const LIVE: &str = "https://a.blob.core.windows.net/c/b";
    const SNAPSHOT: &str =
        "https://a.blob.core.windows.net/c/b?snapshot=2026-01-01T00:00:00.1234567Z";
    const BEGUN: OffsetDateTime = datetime!(2026-01-01 12:00:00.3 UTC);

    fn found(source: &str, status: &str, ended: Option<OffsetDateTime>) -> CopyState {
        let mut copy = CopyState::new("id-1".parse().expect("an id"), status.into());
        copy.source = Some(CopySourceUrl::new(source));
        copy.completed_on = ended;
        copy
    }

    /// The call began at 12:00:00.3; what is known of it is 12:00:00.2 to 12:00:01.2.
    fn judged(copy: &CopyState, source: &str) -> Found {
        let start = CallStart {
            earliest: BEGUN - Duration::milliseconds(100),
            latest: BEGUN + Duration::milliseconds(900),
        };
        let age = Age::of(copy, Some(start));
        judge(copy.clone(), SourceIdentity::of(source).as_ref(), age)
    }

    fn ours(copy: &CopyState, source: &str) -> bool {
        matches!(judged(copy, source), Found::Ours(_))
    }

    #[test]
    fn a_pending_copy_of_our_source_is_ours() {
        assert!(ours(&found(LIVE, "pending", None), LIVE));
        assert!(ours(&found(LIVE, "paused", None), LIVE));
        let echoed = "http://a.blob.core.windows.net:443/c/b?sp=r&sig=x";
        assert!(ours(&found(echoed, "pending", None), LIVE));
    }

    #[test]
    fn a_copy_of_another_source_is_not() {
        for other in [
            "https://a.blob.core.windows.net/c/other",
            "https://b.blob.core.windows.net/c/b",
            SNAPSHOT,
            "not a url",
        ] {
            assert_eq!(judged(&found(other, "pending", None), LIVE), Found::Busy, "{other}");
            let ended = found(other, "success", Some(BEGUN + Duration::HOUR));
            assert_eq!(judged(&ended, LIVE), Found::Nothing, "{other}");
        }
        let mut unnamed = found(LIVE, "pending", None);
        unnamed.source = None;
        assert_eq!(judged(&unnamed, LIVE), Found::Busy);
    }

    #[test]
    fn a_copy_that_ended_before_the_call_is_not() {
        for ended in [BEGUN - Duration::hours(1), datetime!(2026-01-01 11:59:59 UTC)] {
            for source in [LIVE, SNAPSHOT] {
                let old = found(source, "success", Some(ended));
                assert_eq!(judged(&old, source), Found::Nothing, "{ended}");
            }
        }
    }

    #[test]
    fn of_those_that_ended_since_only_a_success_is() {
        let ended = datetime!(2026-01-01 12:00:02 UTC);
        for source in [LIVE, SNAPSHOT] {
            assert!(ours(&found(source, "success", Some(ended)), source));
            for status in ["failed", "aborted", "given-up"] {
                let over = found(source, status, Some(ended));
                assert_eq!(judged(&over, source), Found::Over, "{status}");
            }
        }
    }

    #[test]
    fn in_doubt_only_a_success_of_a_source_that_cannot_change_is() {
        let doubts = [Some(datetime!(2026-01-01 12:00:00 UTC)), None];
        for ended in doubts {
            assert!(ours(&found(SNAPSHOT, "success", ended), SNAPSHOT));
            assert_eq!(judged(&found(LIVE, "success", ended), LIVE), Found::Nothing);
            for status in ["failed", "aborted"] {
                let old = found(SNAPSHOT, status, ended);
                assert_eq!(judged(&old, SNAPSHOT), Found::Nothing, "{status}");
            }
        }
    }

    #[test]
    fn without_a_date_all_that_has_ended_is_in_doubt() {
        let later = found(LIVE, "success", Some(BEGUN + Duration::HOUR));
        assert_eq!(Age::of(&later, None), Age::Unknown);
    }

    #[test]
    fn the_last_and_the_first_date_of_all_are_borne() {
        let minute = std::time::Duration::from_secs(60);
        let ends = [datetime!(9999-12-31 23:59:59 UTC), datetime!(-9999-01-01 00:00 UTC)];
        for date in ends {
            let copy = found(LIVE, "success", Some(date));
            for now in ends {
                Age::of(&copy, CallStart::of(now, minute, minute));
                Age::of(&copy, CallStart::of(now, std::time::Duration::MAX, minute));
            }
        }
    }
}
