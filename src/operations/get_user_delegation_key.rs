//! Get User Delegation Key: a key that signs SAS on behalf of an Entra identity.

use http::header;
use time::{Duration, OffsetDateTime, UtcOffset, format_description::well_known::Rfc3339};

use crate::{
    auth::sas::UserDelegationKey,
    error::{Error, Result},
    models::{opaque::guid, since},
    operations::operation::{Call, Operation, builder},
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{redaction, transport::BoxFuture},
};

builder! {
    /// Requests a key that signs SAS with the permissions of the client's Entra identity.
    ///
    /// Returned by
    /// [`BlobServiceClient::get_user_delegation_key`](crate::BlobServiceClient::get_user_delegation_key).
    ///
    /// Start and expiry are cut to whole seconds and must be within seven days of now by the clock
    /// of the service. Allow for clock skew: a start 15 minutes ago and an expiry 6 days and 23
    /// hours from now are safe.
    ///
    /// [Get User Delegation Key](https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key)
    /// (from version 2018-11-09)
    GetUserDelegationKey of GetKey
}

#[derive(Clone)]
pub(crate) struct GetKey {
    start: OffsetDateTime,
    expiry: OffsetDateTime,
    delegated_user_tenant_id: Option<String>,
}

impl GetKey {
    pub(crate) fn new(start: OffsetDateTime, expiry: OffsetDateTime) -> Self {
        Self { start, expiry, delegated_user_tenant_id: None }
    }

    /// Refuses dates that the service would refuse, and a client without bearer tokens.
    fn check(&self, call: &Call) -> Result<()> {
        if !call.pipeline.credential().is_token() {
            let value = format!("{:?}", call.pipeline.credential());
            let rule = "must be bearer tokens: only an Entra identity can get such a key";
            return Err(Error::invalid("credential", value, rule));
        }
        call.since(since::USER_DELEGATION)?;
        if let Some(tenant) = &self.delegated_user_tenant_id {
            call.since(since::DELEGATED_USER_TENANT)?;
            guid(tenant)
                .map_err(|rule| Error::invalid("delegated user tenant id", tenant, rule))?;
        }
        let (start, expiry) = (self.start.truncate_to_second(), self.expiry.truncate_to_second());
        if start >= expiry {
            let rule = "must be after the key's start, by a whole second at least";
            return Err(Error::invalid("key expiry", self.expiry, rule));
        }
        let now = call.pipeline.clock().now();
        if expiry <= now {
            return Err(Error::invalid("key expiry", self.expiry, "must be in the future"));
        }
        for (what, date) in [("key start", self.start), ("key expiry", self.expiry)] {
            if (date - now).abs() > LONGEST {
                return Err(Error::invalid(what, date, "must be within seven days of now"));
            }
        }
        Ok(())
    }

    fn body(&self) -> Result<String> {
        let (start, expiry) = (timestamp(self.start)?, timestamp(self.expiry)?);
        let tenant = match &self.delegated_user_tenant_id {
            None => String::new(),
            Some(tenant) => format!("<DelegatedUserTid>{tenant}</DelegatedUserTid>"),
        };
        Ok(format!(
            "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
             <KeyInfo><Start>{start}</Start><Expiry>{expiry}</Expiry>{tenant}</KeyInfo>"
        ))
    }
}

redaction::debug_redacted!(GetKey { start, expiry, delegated_user_tenant_id: text });

/// How far from now a key may start or end.
const LONGEST: Duration = Duration::days(7);

impl GetUserDelegationKey {
    /// The tenant id (a GUID) of the identity that will use the SAS, if it differs from the tenant
    /// of the client (from version 2026-04-06). See
    /// [`delegated_user_object_id`](crate::sas::UserDelegationSas::delegated_user_object_id).
    ///
    /// ```
    /// use blobcopy::{BlobServiceClient, Result, sas::UserDelegationKey};
    /// use time::{Duration, OffsetDateTime};
    ///
    /// async fn key_for(service: &BlobServiceClient, tenant: &str) -> Result<UserDelegationKey> {
    ///     let now = OffsetDateTime::now_utc();
    ///     service
    ///         .get_user_delegation_key(now, now + Duration::days(1))
    ///         .delegated_user_tenant_id(tenant)
    ///         .await
    /// }
    /// # let _ = key_for;
    /// ```
    pub fn delegated_user_tenant_id(mut self, tenant: impl Into<String>) -> Self {
        self.operation.delegated_user_tenant_id = Some(tenant.into());
        self
    }
}

impl IntoFuture for GetUserDelegationKey {
    type Output = Result<UserDelegationKey>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move {
            self.operation.check(&self.call)?;
            self.call.run(&self.operation).await
        })
    }
}

impl Operation for GetKey {
    type Output = UserDelegationKey;

    const NAME: &'static str = "Get User Delegation Key";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.post()
            .query("restype", "service")
            .query("comp", "userdelegationkey")
            .word(header::CONTENT_TYPE, "application/xml")
            .with(self.body(), |request, body| request.body(body.into()))
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<UserDelegationKey> {
        UserDelegationKey::parse(answer.body.as_bytes()).map_err(|why| answer.unexpected(why))
    }
}

/// The date in UTC, cut to whole seconds.
fn timestamp(date: OffsetDateTime) -> Result<String> {
    let in_utc = date.checked_to_offset(UtcOffset::UTC);
    let text = in_utc.and_then(|date| date.truncate_to_second().format(&Rfc3339).ok());
    text.ok_or_else(|| Error::invalid("key dates", date, "must be of the years 0 to 9999"))
}

#[cfg(test)]
mod tests {
    use time::macros::datetime;

    use super::*;
    use crate::{
        AccessToken, TokenProvider,
        auth::credential::Credential,
        clients::BlobServiceClient,
        error::CredentialError,
        pipeline::options::ClientOptions,
        wire::{clock::Clock, transport::BoxFuture},
    };

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00:00.7 UTC);

    const TENANT: &str = "00000000-0000-0000-0000-00000000000c";

    #[derive(Debug)]
    struct Provider;

    impl TokenProvider for Provider {
        fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
            Box::pin(async { Err(CredentialError::new("nothing is sent here")) })
        }
    }

    fn service(credential: Credential, version: &str) -> BlobServiceClient {
        let version = version.parse().expect("a version");
        BlobServiceClient::builder("https://acct.blob.core.windows.net".parse().expect("a URL"))
            .credential(credential)
            .options(ClientOptions::new().clock(Clock::starting_at(NOW)).service_version(version))
            .build()
            .expect("a client")
    }

    #[tokio::test]
    async fn the_dates_are_the_body_with_whole_seconds() {
        let service = service(Credential::token(Provider), "2026-04-06");
        let get = service.get_user_delegation_key(NOW, NOW + Duration::days(2));
        let request = get.prepared().expect("legal");
        assert_eq!((request.method, request.url.path()), (http::Method::POST, "/"));
        assert_eq!(request.url.query(), Some("restype=service&comp=userdelegationkey"));
        assert_eq!(request.headers["content-type"], "application/xml");
        let body = std::str::from_utf8(&request.body).expect("text");
        let dates = "<Start>2026-01-01T00:00:00Z</Start><Expiry>2026-01-03T00:00:00Z</Expiry>";
        assert!(body.ends_with(&format!("<KeyInfo>{dates}</KeyInfo>")), "{body}");

        let get = get.delegated_user_tenant_id(TENANT);
        let request = get.prepared().expect("legal");
        let body = std::str::from_utf8(&request.body).expect("text");
        let tenant = format!("<DelegatedUserTid>{TENANT}</DelegatedUserTid>");
        assert!(body.ends_with(&format!("<KeyInfo>{dates}{tenant}</KeyInfo>")), "{body}");
    }

    #[tokio::test]
    async fn what_the_service_would_refuse_is_refused() {
        let token = || Credential::token(Provider);
        let key = Credential::shared_key("acct", "c2VjcmV0").expect("a key");
        let new = |start: Duration, end: Duration| {
            service(token(), "2026-04-06").get_user_delegation_key(NOW + start, NOW + end)
        };
        let (day, none) = (Duration::DAY, Duration::ZERO);
        let by_key = service(key, "2026-04-06").get_user_delegation_key(NOW, NOW + day);
        let old = service(token(), "2018-03-28").get_user_delegation_key(NOW, NOW + day);
        let older = service(token(), "2026-02-06").get_user_delegation_key(NOW, NOW + day);
        for (get, what, rule) in [
            (older.delegated_user_tenant_id(TENANT), "service version", "2026-04-06"),
            (
                new(none, day).delegated_user_tenant_id("contoso<x"),
                "delegated user tenant id",
                "GUID",
            ),
            (by_key, "credential", "must be bearer tokens"),
            (old, "service version", "2018-11-09"),
            (new(day, none), "key expiry", "after the key's start"),
            // From .7 to .9 of a second.
            (new(none, Duration::milliseconds(200)), "key expiry", "a whole second at least"),
            (new(day * -2, -day), "key expiry", "in the future"),
            (new(none, day * 8), "key expiry", "within seven days"),
            (new(day * -8, day), "key start", "within seven days"),
        ] {
            let error = get.await.expect_err(rule).to_string();
            assert!(error.starts_with(what) && error.contains(rule), "{error}");
            assert!(!error.contains("c2VjcmV0"), "{error}");
        }
    }
}
