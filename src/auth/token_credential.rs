//! Credentials of the Azure SDK for Rust as token providers.

use std::{error::Error as StdError, fmt, sync::Arc};

use azure_core::{credentials::TokenCredential, error::ErrorKind};
use http::StatusCode;

use super::{
    credential::Credential,
    token::{AccessToken, TokenProvider},
};
use crate::{
    error::{CredentialError, is_transient},
    wire::transport::BoxFuture,
};

impl Credential {
    /// A credential of the Azure SDK for Rust: any `TokenCredential`, such as those of
    /// `azure_identity` (feature `azure_core`).
    ///
    /// Tokens are cached and sent as [`Credential::token`] says. `TokenCredential` cannot be given
    /// a tenant, so create the credential for the tenant of the storage account: the service
    /// refuses tokens of another one.
    ///
    /// ```
    /// use azure_identity::DeveloperToolsCredential;
    /// use blobcopy::{BlobServiceClient, Credential};
    ///
    /// let login = DeveloperToolsCredential::new(None)?; // who is logged in to the Azure CLI
    /// let service = BlobServiceClient::new(
    ///     "https://account.blob.core.windows.net".parse()?,
    ///     Credential::from_token_credential(login),
    /// )?;
    /// # let _ = service;
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_token_credential(credential: Arc<dyn TokenCredential>) -> Self {
        credential.into()
    }
}

impl<T: TokenCredential + ?Sized + 'static> From<Arc<T>> for Credential {
    fn from(credential: Arc<T>) -> Self {
        Self::token(Adapted(credential))
    }
}

struct Adapted<T: ?Sized>(Arc<T>);

impl<T: TokenCredential + ?Sized + 'static> TokenProvider for Adapted<T> {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async move {
            let token = self
                .0
                .get_token(&[scope], None)
                .await
                .map_err(|error| CredentialError::from(&error))?;
            Ok(AccessToken::new(token.token.secret(), token.expires_on))
        })
    }
}

/// Does not call the credential's own `Debug`, which may show secrets.
impl<T: ?Sized> fmt::Debug for Adapted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCredential(..)")
    }
}

/// The error of a credential of the Azure SDK, with the messages of its causes; transient if one of
/// them is. For a [`TokenProvider`] that wraps such a credential.
///
/// ```
/// use azure_core::error::{Error, ErrorKind};
/// use blobcopy::CredentialError;
///
/// let cause = Error::with_message(ErrorKind::Connection, "no route to host");
/// let error = Error::with_error(ErrorKind::Credential, cause, "no token");
/// let error = CredentialError::from(&error);
/// assert_eq!(error.to_string(), "no token: no route to host");
/// assert!(error.is_transient());
/// ```
impl From<&azure_core::Error> for CredentialError {
    fn from(error: &azure_core::Error) -> Self {
        let mut message = String::new();
        let mut passing = false;
        let mut next: Option<&(dyn StdError + 'static)> = Some(error);
        while let Some(cause) = next {
            let text = cause.to_string();
            if message.is_empty() {
                message = text;
            } else if !message.contains(text.trim()) {
                message = format!("{message}: {text}");
            }
            passing |= cause.downcast_ref().is_some_and(may_pass);
            next = cause.source();
        }
        // The next attempt would meet the same certificate.
        match passing && !message.contains("invalid peer certificate") {
            true => Self::new(message).transient(),
            false => Self::new(message),
        }
    }
}

fn may_pass(error: &azure_core::Error) -> bool {
    match error.kind() {
        ErrorKind::Connection | ErrorKind::Io => true,
        ErrorKind::HttpResponse { status, .. } => StatusCode::from_u16(u16::from(*status))
            .is_ok_and(|status| is_transient(status, None, None)),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use azure_core::credentials::{AccessToken as SdkToken, TokenRequestOptions};
    use bytes::Bytes;
    use http::{HeaderMap, HeaderValue, header::AUTHORIZATION};
    use time::{Duration, OffsetDateTime, macros::datetime};

    use super::*;
    use crate::{
        clients::BlobServiceClient,
        error::Error,
        pipeline::options::{ClientOptions, RetryOptions},
        wire::{
            clock::Clock,
            headers::VERSION,
            transport::{Body, Request, Response, Transport, TransportError},
        },
    };

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
    const JWT: &str = "eyJhbGciOiJub25lIn0.eyJhdWQiOiJzdG9yYWdlIn0.U0VDUkVU-_x";

    /// Gives `t1`, `t2`, …, each valid for an hour, unless it has an error to return.
    #[derive(Debug, Default)]
    struct Login {
        asked: AtomicUsize,
        failure: Option<fn() -> azure_core::Error>,
    }

    #[async_trait::async_trait]
    impl TokenCredential for Login {
        async fn get_token(
            &self,
            scopes: &[&str],
            _: Option<TokenRequestOptions<'_>>,
        ) -> azure_core::Result<SdkToken> {
            assert_eq!(scopes, ["https://storage.azure.com/.default"]);
            let number = self.asked.fetch_add(1, Ordering::Relaxed) + 1;
            if let Some(failure) = self.failure {
                return Err(failure());
            }
            let hours = i64::try_from(number).expect("small");
            Ok(SdkToken::new(format!("t{number}"), NOW + Duration::hours(hours)))
        }
    }

    /// Answers 200 and keeps the `Authorization` header.
    #[derive(Debug, Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<String>>>);

    impl Transport for Recorder {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
            let sent = request.headers[AUTHORIZATION].to_str().expect("text").to_owned();
            self.0.lock().expect("one thread").push(sent);
            let version = HeaderValue::from_static("2026-10-06");
            let headers = HeaderMap::from_iter([(VERSION, version)]);
            let status = StatusCode::OK;
            Box::pin(
                async move { Ok(Response { status, headers, body: Body::from(Bytes::new()) }) },
            )
        }
    }

    fn service(credential: Credential, clock: &Clock) -> (BlobServiceClient, Recorder) {
        let recorder = Recorder::default();
        let options = ClientOptions::new()
            .transport(recorder.clone())
            .clock(clock.clone())
            .retry(RetryOptions::new().max_retries(2));
        let url = "https://acct.blob.core.windows.net".parse().expect("a URL");
        let builder = BlobServiceClient::builder(url).credential(credential).options(options);
        (builder.build().expect("a client"), recorder)
    }

    #[tokio::test(start_paused = true)]
    async fn its_tokens_are_sent_kept_and_refreshed() {
        let login = Arc::new(Login::default());
        let clock = Clock::starting_at(NOW);
        let (service, sent) = service(Credential::from(Arc::clone(&login)), &clock);
        let vhds = service.container_client("vhds");
        for seconds in [0, 54 * 60, 60, 1] {
            tokio::time::advance(std::time::Duration::from_secs(seconds)).await;
            assert!(vhds.exists().await.expect("answered"));
        }
        // The third request found the token near its expiry, and still used it.
        let expected = ["Bearer t1", "Bearer t1", "Bearer t1", "Bearer t2"];
        assert_eq!(*sent.0.lock().expect("one thread"), expected);
        assert_eq!(login.asked.load(Ordering::Relaxed), 2);
    }

    async fn failing(failure: fn() -> azure_core::Error) -> (CredentialError, usize, bool) {
        let login = Arc::new(Login { failure: Some(failure), ..Login::default() });
        let credential = Credential::from_token_credential(Arc::clone(&login) as _);
        let (service, sent) = service(credential, &Clock::starting_at(NOW));
        let error = service.container_client("vhds").exists().await.expect_err("no token");
        assert!(sent.0.lock().expect("one thread").is_empty());
        let retryable = error.is_retryable();
        let Error::Credential { cause: error, .. } = error else { panic!("{error:?}") };
        (error, login.asked.load(Ordering::Relaxed), retryable)
    }

    fn answered(status: u16, message: &'static str) -> azure_core::Error {
        let kind =
            ErrorKind::HttpResponse { status: status.into(), error_code: None, raw_response: None };
        let inner = azure_core::Error::with_message(kind, message);
        let outer = format!("ManagedIdentityCredential authentication failed. {message}\nSee X");
        azure_core::Error::with_error(ErrorKind::Credential, inner, outer)
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_may_pass_is_tried_again_and_told() {
        let (error, asked, retryable) = failing(|| answered(503, "the endpoint is busy")).await;
        let text = "ManagedIdentityCredential authentication failed. the endpoint is busy\nSee X";
        assert_eq!((error.to_string().as_str(), asked, retryable), (text, 3, true));
        for kind in [ErrorKind::Connection, ErrorKind::Io] {
            assert!(may_pass(&azure_core::Error::with_message(kind, "gone")));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_failure_that_stays_is_told_at_once() {
        let (error, asked, retryable) = failing(|| answered(400, "no such identity")).await;
        assert!(error.to_string().contains("no such identity"), "{error}");
        assert_eq!((asked, retryable), (1, false));
        let (error, asked, retryable) = failing(|| {
            azure_core::Error::with_error(ErrorKind::Credential, std::fmt::Error, "az not found")
        })
        .await;
        let cause = std::fmt::Error.to_string();
        assert_eq!(error.to_string(), format!("az not found: {cause}"));
        assert_eq!((asked, retryable), (1, false));
    }

    #[tokio::test(start_paused = true)]
    async fn no_token_is_in_what_is_told() {
        let (error, ..) = failing(|| {
            let text = format!("answered {{\"access_token\":\"{JWT}\"}} to Bearer SECRET, {JWT}");
            azure_core::Error::with_message(ErrorKind::DataConversion, text)
        })
        .await;
        let text = r#"answered {"access_token":"REDACTED"} to Bearer REDACTED, REDACTED"#;
        assert_eq!(error.to_string(), text);
    }

    #[test]
    fn the_credentials_own_form_is_not_shown() {
        #[derive(Debug)]
        struct Open(#[expect(dead_code, reason = "shown by Debug")] &'static str);
        #[async_trait::async_trait]
        impl TokenCredential for Open {
            async fn get_token(
                &self,
                _: &[&str],
                _: Option<TokenRequestOptions<'_>>,
            ) -> azure_core::Result<SdkToken> {
                Ok(SdkToken::new("SECRET", NOW))
            }
        }
        let credential = Credential::from_token_credential(Arc::new(Open("SECRET")));
        let provider = Adapted(Arc::new(Open("SECRET")));
        assert_eq!(
            format!("{credential:?} {provider:?}"),
            "Credential::token(..) TokenCredential(..)"
        );
    }

    #[test]
    fn a_refused_certificate_is_not_transient() {
        let of = |cause: &'static str| {
            let cause = azure_core::Error::with_message(ErrorKind::Connection, cause);
            let error = azure_core::Error::with_error(ErrorKind::Credential, cause, "no token");
            CredentialError::from(&error)
        };
        assert!(of("connection refused").is_transient());
        let refused = of("invalid peer certificate: UnknownIssuer");
        assert!(!refused.is_transient());
        assert_eq!(refused.to_string(), "no token: invalid peer certificate: UnknownIssuer");
    }
}
