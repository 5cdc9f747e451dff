//! Starting a copy exactly once, although answers get lost.

use http::HeaderValue;
use time::OffsetDateTime;

use super::{source::SourceIdentity, status};
use crate::{
    error::{Error, Result},
    models::{CopyState, http_date},
    operations::{Call, Operation, get_properties::GetProperties},
    pipeline::{clock, send::Tries},
};

/// Sends a start until it is known that it worked, or that it did not.
///
/// An attempt that brought no answer may have worked. So before another is made, and before the call
/// fails, the destination is looked at; if it carries our copy, that one is taken on.
pub(super) async fn start<O: Operation<Output = CopyState>>(
    call: &Call,
    operation: &O,
    source: &HeaderValue,
) -> Result<CopyState> {
    let begun = clock::instant();
    let request = call.prepare(operation)?;
    let mut tries = Tries::default();
    loop {
        let answer = call.send(operation, &request, &mut tries).await;
        let error = match answer.and_then(|answer| operation.parse(answer)) {
            Ok(state) => return Ok(state),
            Err(error) => error,
        };
        // Success that does not name the copy is as good as no answer.
        tries.ambiguous |= matches!(error, Error::UnexpectedResponse { .. });
        if !tries.ambiguous {
            return Err(error);
        }
        let again = error.is_retryable() && call.pipeline.back_off(&tries).await;
        // In a box of its own, since hardly any start gets here.
        match Box::pin(look(call, source, begun)).await {
            Ok(Some(state)) => {
                tracing::debug!(operation = O::NAME, copy_id = %state.copy_id, "found the copy again");
                return Ok(state);
            }
            Ok(None) if again => {}
            // Not to be found, or not to be seen: what was answered stands.
            Ok(None) | Err(_) => return Err(error),
        }
    }
}

/// Looks at the destination for a copy of `source` that this call has started.
async fn look(
    call: &Call,
    source: &HeaderValue,
    begun: tokio::time::Instant,
) -> Result<Option<CopyState>> {
    let call = Call { options: Default::default(), ..call.clone() }.at_primary();
    let operation = GetProperties::new(call.clone());
    let request = call.prepare(&operation)?;
    let asked = begun.elapsed();
    let answer = match call.send(&operation, &request, &mut Tries::default()).await {
        Ok(answer) => answer,
        Err(error) if status::is_gone(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let date = answer.text(&http::header::DATE).and_then(http_date::parse);
    let date = date.unwrap_or_else(|| call.pipeline.clock().now());
    let start = CallStart {
        earliest: date - begun.elapsed(),
        latest: date + time::Duration::SECOND - asked,
    };
    let source = source.to_str().ok().and_then(SourceIdentity::of);
    let found = operation.parse(answer)?.copy.zip(source);
    Ok(found.filter(|(copy, source)| is_ours(copy, source, start)).map(|(copy, _)| copy))
}

/// When the call began, by the service's clock, as closely as whole seconds let it be known.
#[derive(Debug, Clone, Copy)]
struct CallStart {
    earliest: OffsetDateTime,
    latest: OffsetDateTime,
}

/// Whether a copy that the destination carries is the one that the call has started.
///
/// It must have our source, and must not have ended before the call began. Dates have whole seconds;
/// where they leave open which came first, only a source that cannot change is given the benefit of
/// the doubt: an older copy of it would hold the same bytes.
fn is_ours(copy: &CopyState, source: &SourceIdentity, start: CallStart) -> bool {
    let echoed = copy.source.as_ref().and_then(|echoed| SourceIdentity::of(echoed.expose()));
    if echoed.as_ref() != Some(source) {
        return false;
    }
    match copy.completed_on {
        None => !copy.status.is_final(),
        Some(ended) if ended >= start.latest => true,
        Some(ended) if ended + time::Duration::SECOND <= start.earliest => false,
        Some(_) => source.is_immutable(),
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::models::EchoedSource;

    const LIVE: &str = "https://a.blob.core.windows.net/c/b";
    const SNAPSHOT: &str =
        "https://a.blob.core.windows.net/c/b?snapshot=2026-01-01T00:00:00.1234567Z";
    const BEGUN: OffsetDateTime = datetime!(2026-01-01 12:00:00.3 UTC);

    fn found(source: &str, status: &str, ended: Option<OffsetDateTime>) -> CopyState {
        let mut copy = CopyState::new("id-1".parse().expect("an id"), status.into());
        copy.source = Some(EchoedSource::new(source));
        copy.completed_on = ended;
        copy
    }

    /// The call began at 12:00:00.3; what is known of it is 12:00:00.2 to 12:00:01.2.
    fn ours(copy: &CopyState, source: &str) -> bool {
        let start = CallStart {
            earliest: BEGUN - Duration::milliseconds(100),
            latest: BEGUN + Duration::milliseconds(900),
        };
        is_ours(copy, &SourceIdentity::of(source).expect("a source"), start)
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
            assert!(!ours(&found(other, "pending", None), LIVE), "{other}");
        }
        let mut unnamed = found(LIVE, "pending", None);
        unnamed.source = None;
        assert!(!ours(&unnamed, LIVE));
    }

    #[test]
    fn a_copy_that_ended_before_the_call_is_not() {
        for ended in [BEGUN - Duration::hours(1), datetime!(2026-01-01 11:59:59 UTC)] {
            assert!(!ours(&found(LIVE, "success", Some(ended)), LIVE), "{ended}");
            assert!(!ours(&found(SNAPSHOT, "success", Some(ended)), SNAPSHOT), "{ended}");
        }
    }

    #[test]
    fn a_copy_that_ended_after_the_call_began_is_however_it_ended() {
        let ended = datetime!(2026-01-01 12:00:02 UTC);
        for status in ["success", "failed", "aborted"] {
            assert!(ours(&found(LIVE, status, Some(ended)), LIVE), "{status}");
        }
    }

    #[test]
    fn in_doubt_only_a_source_that_cannot_change_is_taken() {
        let ended = datetime!(2026-01-01 12:00:00 UTC);
        assert!(ours(&found(SNAPSHOT, "success", Some(ended)), SNAPSHOT));
        assert!(!ours(&found(LIVE, "success", Some(ended)), LIVE));
        assert!(!ours(&found(SNAPSHOT, "success", None), SNAPSHOT));
    }
}
