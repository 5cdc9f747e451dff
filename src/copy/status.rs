//! What an answer says of the copy that is watched. Pure.

use crate::{
    error::{Error, Result},
    models::{BlobProperties, CompletedCopy, CopyId, CopyState, CopyStatus, ErrorCode},
};

/// What a poll's answer says of the copy `expected`.
pub(crate) fn observe(expected: &CopyId, answer: Result<BlobProperties>) -> Result<CopyState> {
    let state = match answer {
        Ok(properties) => properties.copy.ok_or(Error::NoCopyProperties)?,
        Err(error) if is_gone(&error) => return Err(Error::CopyDestinationGone),
        Err(error) => return Err(error),
    };
    if state.copy_id != *expected {
        return Err(Error::CopySuperseded { expected: expected.clone(), found: state.copy_id });
    }
    Ok(state)
}

/// Whether the service itself says that there is no such blob.
pub(crate) fn is_gone(error: &Error) -> bool {
    error.is_not_found() || error.code() == Some(&ErrorCode::ContainerBeingDeleted)
}

/// The end of a copy whose last state is `state`; `None` while it has not ended.
pub(crate) fn end(state: &CopyState) -> Option<Result<CompletedCopy>> {
    let CopyState { copy_id, description, progress, .. } = state.clone();
    match state.status {
        CopyStatus::Success => Some(Ok(CompletedCopy::from(state.clone()))),
        CopyStatus::Failed => Some(Err(Error::CopyFailed { copy_id, description, progress })),
        CopyStatus::Aborted => Some(Err(Error::CopyAborted { copy_id, progress })),
        CopyStatus::Pending | CopyStatus::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;
    use crate::{pipeline::response::service_error, wire::headers::REQUEST_ID};

    fn id(text: &str) -> CopyId {
        text.parse().expect("an id")
    }

    fn answer(copy: Option<(&str, &str)>) -> Result<BlobProperties> {
        let copy = copy.map(|(copy_id, status)| CopyState::new(id(copy_id), status.into()));
        Ok(BlobProperties { copy, ..BlobProperties::default() })
    }

    fn refusal(status: u16, code: &str) -> Result<BlobProperties> {
        let status = StatusCode::from_u16(status).expect("in range");
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static("r-1"))]);
        let mut error = service_error("Get Blob Properties", status, &headers, b"");
        error.code = code.into();
        Err(Error::Service(Box::new(error)))
    }

    #[test]
    fn only_the_watched_copy_is_reported() {
        let state = observe(&id("ours"), answer(Some(("ours", "pending")))).expect("ours");
        assert_eq!(state.status, CopyStatus::Pending);
        let superseded = observe(&id("ours"), answer(Some(("theirs", "success"))));
        assert!(matches!(
            superseded,
            Err(Error::CopySuperseded { expected, found }) if expected == "ours" && found == "theirs"
        ));
        let rewritten = observe(&id("ours"), answer(None));
        assert!(matches!(rewritten, Err(Error::NoCopyProperties)));
    }

    #[test]
    fn a_missing_destination_is_gone_and_other_refusals_stay_what_they_are() {
        for (status, code) in [
            (404, "BlobNotFound"),
            (404, "ContainerNotFound"),
            (404, ""),
            (409, "ContainerBeingDeleted"),
        ] {
            let gone = observe(&id("ours"), refusal(status, code));
            assert!(matches!(gone, Err(Error::CopyDestinationGone)), "{status} {code}");
        }
        let busy = observe(&id("ours"), refusal(503, "ServerBusy")).expect_err("refused");
        assert_eq!(busy.code(), Some(&ErrorCode::ServerBusy));
    }

    #[test]
    fn an_answer_that_is_not_the_services_says_nothing_of_the_copy() {
        for status in [403, 404, 407, 410, 502] {
            let status = StatusCode::from_u16(status).expect("in range");
            let gateway =
                service_error("Get Blob Properties", status, &HeaderMap::new(), b"<html/>");
            let error = observe(&id("ours"), Err(Error::Service(Box::new(gateway))));
            let error = error.expect_err("refused");
            assert_eq!(error.status(), Some(status));
            assert!(error.is_passing(), "{error}");
        }
        for (status, code) in [(403, "AuthenticationFailed"), (400, "InvalidInput"), (403, "")] {
            let error = observe(&id("ours"), refusal(status, code)).expect_err("refused");
            assert!(!error.is_passing(), "{error}");
        }
        assert!(Error::unexpected("Get Blob Properties", "no headers").is_passing());
        assert!(!Error::NoCopyProperties.is_passing());
    }

    #[test]
    fn only_final_words_end_a_copy() {
        let ended = |status: &str| end(&CopyState::new(id("ours"), status.into()));
        assert!(matches!(ended("success"), Some(Ok(done)) if done.copy_id == "ours"));
        assert!(matches!(ended("failed"), Some(Err(Error::CopyFailed { .. }))));
        assert!(matches!(ended("aborted"), Some(Err(Error::CopyAborted { .. }))));
        assert!(ended("pending").is_none() && ended("paused").is_none());
    }
}
