//! Copy Blob: the request that starts an ordinary copy, and the response to any start.

use http::HeaderValue;

use crate::{
    error::Result,
    models::{Conditions, CopyId, CopyState, CopyStatus, RehydratePriority, VersionId},
    operations::{operation::Operation, settings::whole_blob::WholeBlob},
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{headers, http_date},
};

/// The settings of [Copy Blob](https://learn.microsoft.com/rest/api/storageservices/copy-blob).
#[derive(Debug, Clone, Default)]
pub(crate) struct CopyBlob {
    /// The value of `x-ms-copy-source`.
    pub(crate) source: Option<HeaderValue>,
    pub(crate) blob: WholeBlob,
    pub(crate) rehydrate_priority: Option<RehydratePriority>,
    pub(crate) seal: Option<bool>,
    pub(crate) source_conditions: Conditions,
}

impl Operation for CopyBlob {
    type Output = CopyState;

    const NAME: &'static str = "Copy Blob";
    const EFFECT: Effect = Effect::Once;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .header(headers::COPY_SOURCE, self.source.clone())
            .headers(|to| self.source_conditions.write_source("source conditions", to))
            .settings(&self.rehydrate_priority)
            .header(headers::SEAL_BLOB, self.seal.map(headers::flag))
            .settings(&self.blob)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<CopyState> {
        started(&answer)
    }
}

/// The id and status of a copy, read from the response to its start.
pub(crate) fn started(answer: &Answer) -> Result<CopyState> {
    let id = answer.required(&headers::COPY_ID)?;
    let id = CopyId::from_service(id).ok_or_else(|| answer.unexpected("the copy id is empty"))?;
    let status = CopyStatus::from(answer.required(&headers::COPY_STATUS)?);
    Ok(written(CopyState::new(id, status), answer))
}

/// Adds what the response to any write says about the blob.
fn written(mut state: CopyState, answer: &Answer) -> CopyState {
    state.etag = answer.text(&http::header::ETAG).and_then(|etag| etag.parse().ok());
    state.last_modified = answer.text(&http::header::LAST_MODIFIED).and_then(http_date::parse);
    state.version_id = answer.text(&headers::VERSION_ID).and_then(VersionId::from_service);
    state
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};
    use time::macros::datetime;

    use super::*;
    use crate::{
        models::{AccessTier, ETag, ImmutabilityPolicyMode, Metadata, Tags},
        operations::{offline, settings::access::Access},
    };

    const LEASE: &str = "11111111-2222-3333-4444-555555555555";

    #[test]
    fn each_setting_is_one_header() {
        let copy = CopyBlob {
            source: Some(HeaderValue::from_static("https://b.blob.core.windows.net/c/b?sig=x")),
            blob: WholeBlob {
                metadata: Metadata::from([("owner", "team a")]),
                tags: Tags::from([("k", "v w")]),
                tier: Some(AccessTier::Cool),
                immutability_policy: Some((
                    datetime!(2027-01-01 00:00 UTC),
                    ImmutabilityPolicyMode::Unlocked,
                )),
                legal_hold: Some(false),
                access: Access {
                    conditions: Conditions::new().if_none_match(ETag::ANY),
                    lease_id: Some(LEASE.parse().expect("a guid")),
                    ..Access::default()
                },
                ..WholeBlob::default()
            },
            rehydrate_priority: Some(RehydratePriority::High),
            seal: Some(true),
            source_conditions: Conditions::new()
                .if_match("\"0x1\"".parse::<crate::ETag>().expect("an etag")),
        };
        let request = copy.request(&offline::target()).expect("legal");
        let expected = [
            ("content-length", "0"),
            ("if-none-match", "*"),
            ("x-ms-access-tier", "Cool"),
            ("x-ms-copy-source", "https://b.blob.core.windows.net/c/b?sig=x"),
            ("x-ms-immutability-policy-mode", "unlocked"),
            ("x-ms-immutability-policy-until-date", "Fri, 01 Jan 2027 00:00:00 GMT"),
            ("x-ms-lease-id", LEASE),
            ("x-ms-legal-hold", "false"),
            ("x-ms-meta-owner", "team a"),
            ("x-ms-rehydrate-priority", "High"),
            ("x-ms-seal-blob", "true"),
            ("x-ms-source-if-match", "\"0x1\""),
            ("x-ms-tags", "k=v%20w"),
        ];
        let mut sent: Vec<_> = request.headers.iter().collect();
        sent.sort_by_key(|(name, _)| name.as_str());
        let sent: Vec<_> =
            sent.iter().map(|(n, v)| (n.as_str(), v.to_str().expect("text"))).collect();
        assert_eq!(sent, expected);
        assert_eq!((request.method, request.url), (http::Method::PUT, offline::target().url));
    }

    fn answer(pairs: &[(&'static str, &'static str)]) -> Answer {
        let pair = |(name, value): &(&'static str, &'static str)| {
            (name.parse().expect("a name"), value.parse().expect("a value"))
        };
        let headers: HeaderMap = pairs.iter().map(pair).collect();
        let body = bytes::Bytes::new().into();
        Answer {
            status: StatusCode::ACCEPTED,
            headers,
            body,
            operation: CopyBlob::NAME,
            url: offline::target().url,
            changes: true,
        }
    }

    #[test]
    fn an_answer_must_name_the_copy_and_its_status() {
        let state = started(&answer(&[
            ("etag", "\"0x1\""),
            ("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT"),
            ("x-ms-copy-id", "id-1"),
            ("x-ms-copy-status", "success"),
        ]))
        .expect("complete");
        assert_eq!((state.copy_id.as_str(), &state.status), ("id-1", &CopyStatus::Success));
        assert_eq!(state.last_modified, Some(datetime!(2026-01-01 00:00 UTC)));

        for missing in ["x-ms-copy-id", "x-ms-copy-status"] {
            let pairs = [("x-ms-copy-id", "id-1"), ("x-ms-copy-status", "success")];
            let left: Vec<_> = pairs.into_iter().filter(|(name, _)| *name != missing).collect();
            let error = started(&answer(&left)).expect_err(missing);
            assert!(error.to_string().contains(missing), "{error}");
            assert!(error.may_have_been_applied());
        }
    }
}
