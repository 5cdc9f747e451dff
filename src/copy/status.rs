//! What a response says about the copy that is watched. Pure.

use crate::{
    error::{Error, Result},
    models::{
        CompletedCopy, CopyId, CopyState, CopyStatus, ErrorCode, copy_properties::CopyProperties,
    },
    operations::{blob_ref::BlobRef, operation::Call},
};

/// What the response to a poll says about the copy `expected` into the blob of `call`.
pub(crate) fn observe(
    expected: &CopyId,
    call: &Call,
    answer: Result<CopyProperties>,
) -> Result<CopyState> {
    let (copy_id, destination) = (|| expected.clone(), || call.place());
    let state = match answer {
        Ok(properties) => properties.copy.ok_or_else(|| Error::NoCopyProperties {
            copy_id: copy_id(),
            destination: destination(),
        })?,
        Err(error) if is_gone(&error) => return Err(gone(expected, call)),
        Err(error) => return Err(error),
    };
    if state.copy_id != *expected {
        return Err(Error::CopySuperseded {
            copy_id: copy_id(),
            destination: destination(),
            found: state.copy_id,
        });
    }
    Ok(state)
}

/// The error for the copy `id` whose destination, the blob of `call`, is gone.
pub(crate) fn gone(id: &CopyId, call: &Call) -> Error {
    Error::CopyDestinationGone { copy_id: id.clone(), destination: call.place() }
}

/// Whether the service itself says that the blob does not exist.
pub(crate) fn is_gone(error: &Error) -> bool {
    error.is_not_found() || error.code() == Some(&ErrorCode::ContainerBeingDeleted)
}

/// The end of a copy into `blob` by its last `state`; `None` if it has not ended.
pub(crate) fn end(state: &CopyState, blob: &BlobRef) -> Option<Result<CompletedCopy>> {
    if !state.status.is_final() {
        return None;
    }
    let CopyState { copy_id, description, progress, .. } = state.clone();
    let destination = blob.place();
    match state.status {
        CopyStatus::Success => Some(Ok(CompletedCopy::from(state.clone()))),
        CopyStatus::Failed => {
            Some(Err(Error::CopyFailed { copy_id, destination, description, progress }))
        }
        CopyStatus::Aborted => Some(Err(Error::CopyAborted { copy_id, destination, progress })),
        CopyStatus::Pending | CopyStatus::Other(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;
    use crate::{
        operations::offline, pipeline::response::service_error, wire::headers::REQUEST_ID,
    };

    const PLACE: &str = "https://acct.blob.core.windows.net/con/b";

    fn id(text: &str) -> CopyId {
        text.parse().expect("an id")
    }

    fn answer(copy: Option<(&str, &str)>) -> Result<CopyProperties> {
        let copy = copy.map(|(copy_id, status)| CopyState::new(id(copy_id), status.into()));
        Ok(CopyProperties { copy, is_incremental_copy: false })
    }

    fn refusal(status: u16, code: &str) -> Result<CopyProperties> {
        let status = StatusCode::from_u16(status).expect("in range");
        let headers = HeaderMap::from_iter([(REQUEST_ID, HeaderValue::from_static("r-1"))]);
        let mut error = service_error("Get Blob Properties", status, &headers, b"");
        error.code = code.into();
        Err(Error::Service(Box::new(error)))
    }

    fn observed(answer: Result<CopyProperties>) -> Result<CopyState> {
        observe(&id("ours"), &offline::blob().call(), answer)
    }

    #[test]
    fn only_the_watched_copy_is_reported() {
        let state = observed(answer(Some(("ours", "pending")))).expect("ours");
        assert_eq!(state.status, CopyStatus::Pending);
        let superseded = observed(answer(Some(("theirs", "success"))));
        assert!(matches!(
            superseded,
            Err(Error::CopySuperseded { copy_id, destination, found })
                if copy_id == "ours" && destination == PLACE && found == "theirs"
        ));
        let rewritten = observed(answer(None));
        assert!(matches!(
            rewritten,
            Err(Error::NoCopyProperties { copy_id, destination })
                if copy_id == "ours" && destination == PLACE
        ));
    }

    #[test]
    fn a_missing_destination_is_gone_and_other_refusals_stay_what_they_are() {
        for (status, code) in [
            (404, "BlobNotFound"),
            (404, "ContainerNotFound"),
            (404, ""),
            (409, "ContainerBeingDeleted"),
        ] {
            let gone = observed(refusal(status, code));
            assert!(
                matches!(
                    &gone,
                    Err(Error::CopyDestinationGone { copy_id, destination })
                        if *copy_id == "ours" && destination == PLACE
                ),
                "{status} {code}"
            );
        }
        let busy = observed(refusal(503, "ServerBusy")).expect_err("refused");
        assert_eq!(busy.code(), Some(&ErrorCode::ServerBusy));
    }

    #[test]
    fn an_answer_that_is_not_the_services_says_nothing_of_the_copy() {
        for status in [403, 404, 407, 410, 502] {
            let status = StatusCode::from_u16(status).expect("in range");
            let gateway =
                service_error("Get Blob Properties", status, &HeaderMap::new(), b"<html/>");
            let error = observed(Err(Error::Service(Box::new(gateway))));
            let error = error.expect_err("refused");
            assert_eq!(error.status(), Some(status));
            assert!(error.is_passing(), "{error}");
        }
        for (status, code) in [(403, "AuthenticationFailed"), (400, "InvalidInput"), (403, "")] {
            let error = observed(refusal(status, code)).expect_err("refused");
            assert!(!error.is_passing(), "{error}");
        }
        assert!(
            offline::blob().call().unexpected("Get Blob Properties", "no headers").is_passing()
        );
        assert!(!gone(&id("ours"), &offline::blob().call()).is_passing());
    }

    #[test]
    fn only_final_words_end_a_copy() {
        let blob = offline::blob();
        let ended = |status: &str| end(&CopyState::new(id("ours"), status.into()), &blob.0);
        assert!(matches!(ended("success"), Some(Ok(done)) if done.copy_id == "ours"));
        assert!(matches!(ended("failed"), Some(Err(Error::CopyFailed { .. }))));
        assert!(matches!(ended("aborted"), Some(Err(Error::CopyAborted { .. }))));
        assert!(ended("pending").is_none() && ended("paused").is_none());
    }
}
