//! Copy Blob From URL: a synchronous copy to a block blob.

use http::StatusCode;
use time::OffsetDateTime;

use super::copy_blob;
use crate::{
    error::{Error, Result},
    models::{
        BlobContentInfo, BlobCopyInfo, CopyId, CopyStatus, ImmutabilityPolicyMode, LeaseId,
        ServiceVersion, endpoint::Endpoint, since,
    },
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{with_conditions, with_lease},
            copy_source::CopySource,
            encryption::with_encryption_scope,
            url_source::{UrlSource, from_uri_settings, with_source_length},
            whole_blob::{WholeBlob, with_metadata, with_tags, with_tier},
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{headers, transport::BoxFuture},
};

builder! {
    /// Copies a block blob of at most 256 MiB synchronously: the copy is complete when the service
    /// responds. (Before version 2012-02-12: any blob.)
    ///
    /// Returned by [`BlobClient::copy_from_uri`](crate::BlobClient::copy_from_uri).
    ///
    /// [Copy Blob From URL](https://learn.microsoft.com/rest/api/storageservices/copy-blob-from-url)
    /// (from version 2018-03-28); before version 2012-02-12
    /// [Copy Blob](https://learn.microsoft.com/rest/api/storageservices/copy-blob), which was
    /// synchronous then
    CopyFromUri of CopyBlobFromUrl
}

#[derive(Debug, Clone)]
pub(crate) struct CopyBlobFromUrl {
    /// The destination's.
    endpoint: Endpoint,
    source: UrlSource,
    source_lease_id: Option<LeaseId>,
    blob: WholeBlob,
}

impl CopyBlobFromUrl {
    pub(crate) fn new(endpoint: Endpoint, source: CopySource) -> Self {
        let (source, blob) = (UrlSource::new(source), WholeBlob::default());
        Self { endpoint, source, source_lease_id: None, blob }
    }

    /// Refuses a source lease id with service versions that ignore it.
    fn check_source_lease(&self, version: ServiceVersion) -> Result<()> {
        let dropped = since::ASYNCHRONOUS_COPY;
        let Some(id) = self.source_lease_id.as_ref().filter(|_| dropped.is_known_to(version))
        else {
            return Ok(());
        };
        let rule = format!(
            "works with service versions before {dropped} only, and this client uses {version}: \
             from then on a copy reads its source whether or not it is leased"
        );
        Err(Error::invalid("source lease id", id, &rule))
    }
}

impl CopyFromUri {
    /// Copies the source's index tags (from version 2021-04-10). Cannot be combined with
    /// [`tags`](Self::tags). The authorization of the source must allow reading tags: a SAS needs
    /// the permission `t`.
    pub fn copy_source_tags(mut self, copy: bool) -> Self {
        self.operation.blob.tags_of_source = copy;
        self
    }

    /// Protects the destination from changes and deletion until a date (from version 2020-06-12).
    pub fn immutability_policy(
        mut self,
        until: OffsetDateTime,
        mode: ImmutabilityPolicyMode,
    ) -> Self {
        self.operation.blob.immutability_policy = Some((until, mode));
        self
    }

    /// Protects the destination from changes and deletion until the legal hold is removed (from
    /// version 2020-06-12).
    pub fn legal_hold(mut self, hold: bool) -> Self {
        self.operation.blob.legal_hold = Some(hold);
        self
    }

    /// The id of the source's active lease. With another id the service copies nothing and answers
    /// 412.
    ///
    /// Only before version 2012-02-12. From then on the service reads a source whether or not it is
    /// leased, and this client refuses the setting before it sends a request.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// let lease: blobcopy::LeaseId = "11111111-2222-3333-4444-555555555555".parse()?;
    /// let error = backup.copy_from_uri(&notes).source_lease_id(lease).await.unwrap_err();
    /// assert!(error.to_string().contains("before 2012-02-12 only"));
    /// # Ok(()) });
    /// ```
    pub fn source_lease_id(mut self, id: impl Into<LeaseId>) -> Self {
        self.operation.source_lease_id = Some(id.into());
        self
    }

    async fn run(mut self) -> Result<BlobCopyInfo> {
        let Self { call, operation } = &mut self;
        if !since::ASYNCHRONOUS_COPY.is_known_to(call.pipeline.version()) {
            operation.source.resolve_path(&operation.endpoint)?;
            return call.run(&CopyBlobAtOnce(operation)).await;
        }
        // Refuses a bad request before it requests a key or token for the source.
        call.prepare(operation)?;
        operation.source.resolve(call).await?;
        operation.source.judged(call.run(operation).await)
    }
}

with_metadata!(CopyFromUri, operation.blob);
with_tags!(CopyFromUri);
with_tier!(CopyFromUri);
with_conditions!(CopyFromUri, operation.blob.access);
with_lease!(CopyFromUri, operation.blob.access);
with_encryption_scope!(CopyFromUri, operation.blob.access.encryption);
from_uri_settings!(CopyFromUri);
with_source_length!(CopyFromUri);

impl IntoFuture for CopyFromUri {
    type Output = Result<BlobCopyInfo>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl Operation for CopyBlobFromUrl {
    type Output = BlobCopyInfo;

    const NAME: &'static str = "Copy Blob From URL";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let scope = self.blob.access.encryption.scope.as_ref();
        to.put()
            // Without it this would be an asynchronous Copy Blob.
            .word(headers::REQUIRES_SYNC, "true")
            .since(scope.map(|_| since::COPY_SCOPE))
            .check(self.check_source_lease(to.version))
            .check(self.source.check_no_tags())
            .settings(&self.blob)
            .settings(&self.source)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobCopyInfo> {
        let state = copy_blob::started(&answer)?;
        if state.status != CopyStatus::Success {
            let why = format_args!("the copy's status is {:?}", state.status.as_str());
            return Err(answer.unexpected(why));
        }
        Ok(copied(Some(state.copy_id), &answer))
    }
}

/// The request before version 2012-02-12: its source is a path in the same account.
struct CopyBlobAtOnce<'a>(&'a CopyBlobFromUrl);

impl Operation for CopyBlobAtOnce<'_> {
    type Output = BlobCopyInfo;

    const NAME: &'static str = "Copy Blob";
    /// Like every synchronous write: there is no pending copy to look for.
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let CopyBlobFromUrl { source, source_lease_id, blob, .. } = self.0;
        let source_lease = source_lease_id.as_ref().map(LeaseId::as_str);
        to.put()
            .check(source.check_no_tags())
            .text(headers::SOURCE_LEASE_ID, "source lease id", source_lease)
            .settings(blob)
            .settings(source)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobCopyInfo> {
        if answer.status != StatusCode::CREATED {
            return Err(answer.unexpected(format_args!("status {} instead of 201", answer.status)));
        }
        Ok(copied(None, &answer))
    }
}

fn copied(copy_id: Option<CopyId>, answer: &Answer) -> BlobCopyInfo {
    let written = BlobContentInfo::from_headers(&answer.headers);
    BlobCopyInfo {
        copy_id,
        etag: written.etag,
        last_modified: written.last_modified,
        version_id: written.version_id,
        content_md5: written.content_md5,
        content_crc64: written.content_crc64,
        is_server_encrypted: written.is_server_encrypted,
        encryption_scope: written.encryption_scope,
    }
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::{
        models::{AccessTier, Conditions, ETag},
        operations::offline::{self, sent},
    };

    fn source() -> url::Url {
        "https://b.blob.core.windows.net/c/b?sp=r&sig=SECRET".parse().expect("a URL")
    }

    async fn request(mut copy: CopyFromUri) -> Result<Prepared> {
        copy.operation.source.resolve(&copy.call).await?;
        copy.prepared()
    }

    #[tokio::test]
    async fn each_setting_is_one_header() {
        let until = datetime!(2027-01-01 00:00 UTC);
        let copy = offline::blob()
            .copy_from_uri(source())
            .source_authorization("TOKEN")
            .source_file_backup_intent()
            .source_conditions(
                Conditions::new().if_match("\"0x1\"".parse::<crate::ETag>().expect("an etag")),
            )
            .source_content_md5([1; 16])
            .metadata([("owner", "team a")])
            .tags([("k", "v")])
            .tier(AccessTier::Cool)
            .immutability_policy(until, ImmutabilityPolicyMode::Locked)
            .legal_hold(true)
            .encryption_scope("scope1")
            .conditions(Conditions::new().if_none_match(ETag::ANY))
            .lease_id(
                "11111111-2222-3333-4444-555555555555".parse::<crate::LeaseId>().expect("a guid"),
            );
        assert!(!format!("{copy:?}").contains("TOKEN"));
        let request = request(copy).await.expect("legal");
        assert_eq!((&request.method, request.url.query()), (&http::Method::PUT, None));
        assert!(!format!("{request:?}").contains("TOKEN"), "{request:?}");
        let source = source();
        let expected = [
            ("content-length", "0"),
            ("if-none-match", "*"),
            ("x-ms-access-tier", "Cool"),
            ("x-ms-copy-source", source.as_str()),
            ("x-ms-copy-source-authorization", "Bearer TOKEN"),
            ("x-ms-encryption-scope", "scope1"),
            ("x-ms-file-request-intent", "backup"),
            ("x-ms-immutability-policy-mode", "locked"),
            ("x-ms-immutability-policy-until-date", "Fri, 01 Jan 2027 00:00:00 GMT"),
            ("x-ms-lease-id", "11111111-2222-3333-4444-555555555555"),
            ("x-ms-legal-hold", "true"),
            ("x-ms-meta-owner", "team a"),
            ("x-ms-requires-sync", "true"),
            ("x-ms-source-content-md5", "AQEBAQEBAQEBAQEBAQEBAQ=="),
            ("x-ms-source-if-match", "\"0x1\""),
            ("x-ms-tags", "k=v"),
        ];
        assert_eq!(sent(&request.headers), expected);
    }

    #[tokio::test]
    async fn a_source_of_the_same_account_is_authorized_too() {
        let other = offline::blob();
        let plain = request(other.copy_from_uri(&other)).await.expect("legal");
        let source = plain.headers["x-ms-copy-source"].to_str().expect("text");
        assert!(source.contains("sp=r") && source.contains("sig="), "{source}");
        let by_token = other.copy_from_uri(&other).source_authorization("TOKEN");
        let source = request(by_token).await.expect("legal").headers["x-ms-copy-source"].clone();
        assert_eq!(source, other.url().expect("legal").as_str(), "the token is enough");
    }

    #[tokio::test]
    async fn what_the_service_would_refuse_is_refused() {
        let old = |version| offline::blob_at(version).copy_from_uri(source());
        let new = || offline::blob().copy_from_uri(source());
        let http = offline::blob_of("http://acct.blob.core.windows.net", "2026-04-06");
        let open = "http://example.com/b".parse::<url::Url>().expect("a URL");
        let by_tags = Conditions::new().if_tags("\"a\" = 'b'");
        for (copy, what, rule) in [
            (old("2017-11-09"), "service version", "2018-03-28 or later"),
            (old("2020-08-04").source_authorization("t"), "service version", "2020-10-02"),
            (old("2020-10-02").encryption_scope("s"), "service version", "2020-12-06"),
            (old("2021-02-12").copy_source_tags(true), "service version", "2021-04-10"),
            (old("2025-05-05").source_file_backup_intent(), "service version", "2025-07-05"),
            (new().source_file_backup_intent(), "source file backup intent", "a bearer token"),
            (new().source_authorization("a b"), "source authorization", "a bearer token"),
            (new().source_authorization(""), "source authorization", "a bearer token"),
            (
                new().tags([("k", "v")]).copy_source_tags(true),
                "tags",
                "combined with copy_source_tags",
            ),
            (new().source_conditions(by_tags), "source conditions", "must not hold if_tags"),
            (new().encryption_scope("a\n"), "encryption scope", "visible ASCII"),
            (http.copy_from_uri(source()).source_authorization("t"), "source authoriz", "https"),
            (offline::blob().copy_from_uri(open).source_authorization("t"), "source", "https"),
        ] {
            let error = match request(copy).await {
                Ok(request) => panic!("{what} {rule}: {request:?}"),
                Err(error) => error.to_string(),
            };
            assert!(error.starts_with(what) && error.contains(rule), "{error}");
        }
    }

    #[test]
    fn an_answer_must_name_a_copy_that_is_over() {
        let copy = offline::blob().copy_from_uri(source());
        let headers = "x-ms-copy-id: id-1\nx-ms-copy-status: success\nETag: \"0x1\"\n\
                       x-ms-content-crc64: AQEBAQEBAQE=\nx-ms-request-server-encrypted: false";
        let copied = copy.operation.parse(offline::answer(202, headers, "")).expect("complete");
        assert_eq!(copied.copy_id.expect("named"), "id-1");
        assert_eq!(copied.content_crc64, Some([1; 8].into()));
        assert_eq!(copied.is_server_encrypted, Some(false));
        for headers in ["x-ms-copy-id: id-1\nx-ms-copy-status: pending", "x-ms-copy-id: id-1"] {
            let error = copy.operation.parse(offline::answer(202, headers, "")).expect_err(headers);
            assert!(matches!(error, Error::UnexpectedResponse { .. }), "{error}");
        }
    }
}
