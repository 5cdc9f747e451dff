//! Handling of challenges: the service refuses a bearer token and names another tenant.

use std::sync::{Arc, Mutex};

use blobcopy::{
    AccessToken, BlobServiceClient, ClientOptions, Clock, Credential, CredentialError, Error,
    RetryOptions, TokenProvider, transport::BoxFuture,
};
use time::macros::datetime;

use crate::support::script::{Script, Step, answer, refusal, sent};

const TENANT: &str = "72f988bf-86f1-41af-91ab-2d7cd011db47";

/// Records the requested tenants; the home tenant is none. Its tokens contain their names.
#[derive(Debug, Clone, Default)]
struct Login {
    asked: Arc<Mutex<Vec<String>>>,
    refuses: bool,
    /// Whether every token is different.
    always_new: bool,
}

impl Login {
    fn give(&self, tenant: &str) -> Result<AccessToken, CredentialError> {
        self.asked.lock().expect("one thread").push(tenant.to_owned());
        if self.refuses && tenant == TENANT {
            return Err(CredentialError::new("no guests: Bearer SECRET"));
        }
        let number = if self.always_new { self.asked().len() } else { 0 };
        let token = format!("SECRET-{tenant}-{number}");
        Ok(AccessToken::new(token, datetime!(2030-01-01 00:00 UTC)))
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("one thread").clone()
    }
}

impl TokenProvider for Login {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { self.give("home") })
    }

    fn token_of_tenant<'a>(
        &'a self,
        scope: &'a str,
        tenant: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        assert_eq!(scope, "https://storage.azure.com/.default");
        Box::pin(async move { self.give(tenant) })
    }
}

fn service(script: &Script, login: &Login) -> BlobServiceClient {
    let options = ClientOptions::new()
        .transport(script.clone())
        .clock(Clock::starting_at(datetime!(2026-01-01 00:00 UTC)))
        .retry(RetryOptions::none());
    BlobServiceClient::builder("https://acct.blob.core.windows.net".parse().expect("a URL"))
        .credential(Credential::token(login.clone()))
        .options(options)
        .build()
        .expect("a client")
}

fn challenge() -> Step {
    answer(
        401,
        &format!(
            "x-ms-error-code: InvalidAuthenticationInfo
             WWW-Authenticate: Bearer authorization_uri=https://login.microsoftonline.com/{TENANT}/\
             oauth2/authorize resource_id=https://storage.azure.com"
        ),
    )
}

fn ok() -> Step {
    answer(200, "Content-Length: 5")
}

/// The tenants of the tokens that were sent.
fn tenants(script: &Script) -> Vec<String> {
    let of = |value: &str| {
        let token = value.strip_prefix("Bearer SECRET-").expect("one of ours");
        token.rsplit_once('-').expect("a number").0.to_owned()
    };
    let requests = script.seen();
    requests.iter().map(|r| of(sent(r.headers(), "authorization").expect("a token"))).collect()
}

#[tokio::test(start_paused = true)]
async fn a_challenge_is_followed_and_its_tenant_kept() {
    let (script, login) = (Script::new([challenge(), ok()]), Login::default());
    let blob = service(&script, &login).container_client("vhds").block_blob_client("notes.txt");
    // A request with a body, which is sent twice and does not count as a retry.
    blob.stage_block(blobcopy::BlockId::numbered(1), "hello").await.expect("followed");
    assert_eq!(tenants(&script), ["home", TENANT]);
    let requests = script.seen();
    assert_eq!(requests[0].body(), requests[1].body());
    assert_eq!(
        requests[0].headers()["x-ms-client-request-id"],
        requests[1].headers()["x-ms-client-request-id"]
    );

    blob.get_properties().await.expect("answered at once");
    assert_eq!(tenants(&script), ["home", TENANT, TENANT]);
    assert_eq!(login.asked(), ["home", TENANT]);
}

#[tokio::test(start_paused = true)]
async fn a_second_refusal_is_the_error() {
    let (script, login) = (Script::new([challenge()]), Login::default());
    let blob = service(&script, &login).container_client("vhds").blob_client("notes.txt");
    let error = blob.get_properties().await.expect_err("refused twice");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
    assert!(!error.is_retryable());
    assert_eq!(tenants(&script), ["home", TENANT]);
    assert!(!format!("{error} {error:?} {blob:?}").contains("SECRET"));

    // The same token would be refused again.
    let error = blob.get_properties().await.expect_err("refused");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
    assert_eq!(tenants(&script), ["home", TENANT, TENANT]);
}

#[tokio::test(start_paused = true)]
async fn a_challenge_is_followed_once_in_a_call_whatever_the_provider_gives() {
    let script = Script::new([challenge()]);
    let login = Login { always_new: true, ..Login::default() };
    let blob = service(&script, &login).container_client("vhds").blob_client("notes.txt");
    for sent in [2, 4] {
        let error = blob.get_properties().await.expect_err("refused");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
        assert_eq!(script.seen().len(), sent);
    }
    assert_eq!(login.asked(), ["home", TENANT, TENANT]);
}

#[tokio::test(start_paused = true)]
async fn what_is_no_challenge_is_not_followed() {
    let elsewhere = format!(
        "WWW-Authenticate: Bearer authorization_uri=https://login.example.com/{TENANT}/authorize"
    );
    let at_another_status = {
        let Step::Answer { headers, body, .. } = challenge() else { panic!("no answer") };
        Step::Answer { status: 403, headers, body }
    };
    for step in [
        refusal(401, "InvalidAuthenticationInfo"),
        answer(401, "WWW-Authenticate: Bearer authorization_uri=nowhere"),
        answer(401, &elsewhere),
        at_another_status,
    ] {
        let (script, login) = (Script::new([step.clone()]), Login::default());
        let blob = service(&script, &login).container_client("vhds").blob_client("notes.txt");
        let error = blob.get_properties().await.expect_err("refused");
        assert!(matches!(error, Error::Service(_)), "{step:?}: {error:?}");
        assert_eq!((script.seen().len(), login.asked().len()), (1, 1), "{step:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_tenant_without_a_token_is_the_error() {
    let script = Script::new([challenge()]);
    let login = Login { refuses: true, ..Login::default() };
    let blob = service(&script, &login).container_client("vhds").blob_client("notes.txt");
    let error = blob.get_properties().await.expect_err("no token");
    let Error::Credential { cause, .. } = &error else { panic!("{error:?}") };
    let told = cause.to_string();
    assert!(told.contains(TENANT) && told.ends_with("no guests: Bearer REDACTED"), "{told}");
    assert!(!format!("{error:?}").contains("SECRET"));
    assert_eq!(script.seen().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_challenge_to_a_key_or_a_sas_is_not_followed() {
    let script = Script::new([challenge()]);
    let by_key = script.service().container_client("vhds").blob_client("notes.txt");
    let url = "https://acct.blob.core.windows.net/vhds/notes.txt?sp=r&sig=c2VjcmV0";
    let by_sas = blobcopy::BlobClient::builder(url.parse().expect("a URL"))
        .options(ClientOptions::new().transport(script.clone()))
        .build();
    for (number, blob) in [by_key, by_sas.expect("a client")].iter().enumerate() {
        let error = blob.get_properties().await.expect_err("refused");
        assert_eq!(error.status().map(|status| status.as_u16()), Some(401));
        assert_eq!(script.seen().len(), number + 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_source_that_is_read_at_once_has_a_token_of_the_tenant_of_its_account() {
    let (script, login) = (Script::new([challenge(), ok()]), Login::default());
    let notes = service(&script, &login).container_client("vhds").blob_client("notes.txt");
    notes.get_properties().await.expect("followed");
    let target = Script::new([answer(202, "x-ms-copy-id: id-1\nx-ms-copy-status: success")]);
    let copy = target.service().container_client("vhds").blob_client("copy.txt");
    copy.copy_from_uri(&notes).await.expect("copied");
    let seen = target.seen();
    let header = &seen[0].headers()["x-ms-copy-source-authorization"];
    assert_eq!(header, &format!("Bearer SECRET-{TENANT}-0"));
}
