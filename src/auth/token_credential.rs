//! Credentials of the Azure SDK for Rust as providers of tokens.

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
    /// A credential of the Azure SDK for Rust: what `azure_identity` has, and whatever else is a
    /// `TokenCredential` (feature `azure_identity`).
    ///
    /// Its tokens are used as [`Credential::token`] says. The SDK's interface cannot name a tenant: when
    /// the service asks for a token of a certain one, the credential is asked for another token, and one
    /// for another tenant than the storage account's keeps being refused. Make it for the account's.
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
            let token = self.0.get_token(&[scope], None).await.map_err(|error| failure(&error))?;
            Ok(AccessToken::new(token.token.secret(), token.expires_on))
        })
    }
}

/// The credential's own form is not asked for: whether it keeps its secrets is not known.
impl<T: ?Sized> fmt::Debug for Adapted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TokenCredential(..)")
    }
}

/// The error with all that it says of its causes, and whether one of them may pass.
fn failure(error: &azure_core::Error) -> CredentialError {
    let mut message = String::new();
    let mut passing = false;
    let mut next: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(cause) = next {
        let text = without_tokens(&cause.to_string());
        if message.is_empty() {
            message = text;
        } else if !message.contains(text.trim()) {
            message = format!("{message}: {text}");
        }
        passing |= cause.downcast_ref().is_some_and(may_pass);
        next = cause.source();
    }
    match passing {
        true => CredentialError::new(message).transient(),
        false => CredentialError::new(message),
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

/// The names of what is secret in the answers and requests of endpoints that give tokens, in the order in
/// which they are looked for: the longer before what it ends with.
const SECRETS: [&str; 6] =
    ["access_token", "refresh_token", "id_token", "client_secret", "client_assertion", "assertion"];

/// The text without what looks like a token. A credential may quote what an endpoint answered, or what it
/// was asked: JSON, or a form, or either within another text.
fn without_tokens(text: &str) -> String {
    let ends = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    let text = without_named(text);
    // An escape before a JSON web token is of the same word.
    let words = text.split_inclusive(ends).map(|word| match word.find("eyJ") {
        Some(start) => {
            format!("{}REDACTED{}", &word[..start], word.matches(ends).collect::<String>())
        }
        None => word.to_owned(),
    });
    words.collect()
}

/// The text without the values of [`SECRETS`].
fn without_named(text: &str) -> String {
    let lower = text.to_ascii_lowercase();
    let (mut shown, mut at) = (String::with_capacity(text.len()), 0);
    // Where each name comes next: looked for again only once it is passed, so that the text is read as
    // often as there are names, however many secrets it holds.
    let mut places = SECRETS.map(|name| lower.find(name));
    loop {
        for (place, name) in places.iter_mut().zip(SECRETS) {
            if place.is_some_and(|place| place < at) {
                *place = lower[at..].find(name).map(|found| at + found);
            }
        }
        let found = places.iter().zip(SECRETS).filter_map(|(place, name)| Some(((*place)?, name)));
        let Some((start, name)) = found.min_by_key(|(start, _)| *start) else { break };
        let end = start + name.len();
        let (before, length) = value(&text[end..]).unwrap_or_default();
        shown.push_str(&text[at..end + before]);
        if length > 0 {
            shown.push_str("REDACTED");
        }
        at = end + before + length;
    }
    shown.push_str(&text[at..]);
    shown
}

/// Where the value of a name begins in the text after the name, and how long it is.
fn value(text: &str) -> Option<(usize, usize)> {
    let rest = without(text, &["\\", "\"", "'", " ", "%22", "%27", "%5C", "%5c"]);
    let rest = [":", "=", "%3A", "%3a", "%3D", "%3d"].iter().find_map(|s| rest.strip_prefix(s))?;
    let escapes = rest.trim_start();
    let quoted = escapes.trim_start_matches('\\');
    let (value, quote) = match quoted.chars().next() {
        Some(quote @ ('"' | '\'')) => (&quoted[1..], Some(quote)),
        _ => (escapes, None),
    };
    let length = match quote {
        // It ends as it began, whatever it holds.
        Some(quote) if escapes.len() == quoted.len() => closing(value, quote),
        Some(_) => {
            let opening = &escapes[..escapes.len() - value.len()];
            value.find(opening).unwrap_or(value.len())
        }
        None => {
            let ends = |c: char| c.is_whitespace() || matches!(c, '&' | '"' | '\'' | '<' | '}');
            value.find(ends).unwrap_or(value.len())
        }
    };
    Some((text.len() - value.len(), length))
}

/// The text without what of `starts` it starts with, however often.
fn without<'a>(mut text: &'a str, starts: &[&str]) -> &'a str {
    while let Some(rest) = starts.iter().find_map(|start| text.strip_prefix(start)) {
        text = rest;
    }
    text
}

/// Where a quoted text ends: at the first quote that no backslash stands before.
fn closing(text: &str, quote: char) -> usize {
    let mut escaped = false;
    let end = text.find(|c| {
        let is_end = c == quote && !escaped;
        escaped = c == '\\' && !escaped;
        is_end
    });
    end.unwrap_or(text.len())
}

#[cfg(test)]
mod tests {
    use std::sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    };

    use azure_core::credentials::{AccessToken as SdkToken, TokenRequestOptions};
    use bytes::Bytes;
    use http::{HeaderMap, header::AUTHORIZATION};
    use time::{Duration, OffsetDateTime, macros::datetime};

    use super::*;
    use crate::{
        clients::BlobServiceClient,
        error::Error,
        pipeline::{
            clock::Clock,
            options::{ClientOptions, RetryOptions},
        },
        wire::transport::{Body, Request, Response, Transport, TransportError},
    };

    const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);
    const JWT: &str = "eyJ0eXAi.eyJhdWQi.SECRET-_x";

    /// Gives `t1`, `t2`, … each for an hour, unless it has a failure to tell.
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

    /// Answers 200 and keeps what was sent to authorize it.
    #[derive(Debug, Clone, Default)]
    struct Recorder(Arc<Mutex<Vec<String>>>);

    impl Transport for Recorder {
        fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
            let sent = request.headers[AUTHORIZATION].to_str().expect("text").to_owned();
            self.0.lock().expect("one thread").push(sent);
            let (status, headers) = (StatusCode::OK, HeaderMap::new());
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
        // The third request found the token near its end, and went on with it.
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
        let Error::Credential(error) = error else { panic!("{error:?}") };
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
    fn a_long_answer_is_read_only_as_often_as_there_are_names() {
        // Read once more for each secret, this would take minutes.
        let (asked, shown) = ("assertion=SECRET&".repeat(40_000), without_tokens("assertion=S&"));
        assert_eq!(without_tokens(&asked), shown.repeat(40_000));
    }

    #[test]
    fn what_an_endpoint_is_asked_and_answers_is_shown_without_its_secrets() {
        let jwt = format!("eyJ0eXAi{JWT}");
        for (text, shown) in [
            (format!("at%22{jwt}%22"), "at%22REDACTED%22"),
            (format!("line\\n{jwt} end"), "line\\nREDACTED end"),
            (
                r#"{"refresh_token":"0.AX-SECRET","expires_in":3599,"id_token" : "SECRET"}"#.into(),
                r#"{"refresh_token":"REDACTED","expires_in":3599,"id_token" : "REDACTED"}"#,
            ),
            (
                r#"{"access_token":"a\"SECRET","x":"y"}"#.into(),
                r#"{"access_token":"REDACTED","x":"y"}"#,
            ),
            (
                r#""{\"access_token\":\"SECRET\",\"token_type\":\"Bearer\"}""#.into(),
                r#""{\"access_token\":\"REDACTED\",\"token_type\":\"Bearer\"}""#,
            ),
            (
                "client_id=a&client_secret=SEC,RET;~&Assertion=SECRET&scope=b".into(),
                "client_id=a&client_secret=REDACTED&Assertion=REDACTED&scope=b",
            ),
            (
                "client_assertion_type=urn%3Ax&client_assertion=SECRET".into(),
                "client_assertion_type=urn%3Ax&client_assertion=REDACTED",
            ),
            ("{client_secret: SECRET, é: 'b'}".into(), "{client_secret: REDACTED é: 'b'}"),
            ("b=access_token%22%3A%22SECRET%22%7D end".into(), "b=access_token%22%3AREDACTED end"),
            ("the body must have 'client_secret' or 'client_assertion'.".into(), ""),
            (r#"{"id_token":"", "access_token" : "", "error":"invalid_client"}"#.into(), ""),
        ] {
            let expected = if shown.is_empty() { text.as_str() } else { shown };
            assert_eq!(without_tokens(&text), expected);
        }
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
}
