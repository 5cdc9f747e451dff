use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use time::macros::datetime;

use super::*;

const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// Gives `t1`, `t2`, … each valid for an hour from `NOW` times its number; fails when told to.
#[derive(Debug, Default)]
struct Counting {
    asked: AtomicUsize,
    fails_from: usize,
}

#[derive(Debug, Clone)]
struct Shared(Arc<Counting>);

impl TokenProvider for Shared {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async move {
            assert_eq!(scope, "https://storage.azure.com/.default");
            let number = self.0.asked.fetch_add(1, Ordering::Relaxed) + 1;
            if number >= self.0.fails_from {
                return Err(CredentialError::new("out of order").transient());
            }
            let hours = i64::try_from(number).expect("small");
            Ok(AccessToken::new(format!("t{number}"), NOW + Duration::hours(hours)))
        })
    }
}

fn cached(fails_from: usize) -> (CachedToken, Arc<Counting>) {
    let counting = Arc::new(Counting { fails_from, ..Counting::default() });
    (CachedToken::new(Shared(Arc::clone(&counting))), counting)
}

#[tokio::test]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    let (token, provider) = cached(usize::MAX);
    for (minute, expected) in [(0, "Bearer t1"), (54, "Bearer t1"), (55, "Bearer t2")] {
        let header =
            token.header(&url("acct"), NOW + Duration::minutes(minute)).await.expect("provided");
        assert_eq!(header, expected, "minute {minute}");
        assert!(header.is_sensitive());
    }
    assert_eq!(provider.asked.load(Ordering::Relaxed), 2);
}

#[tokio::test]
async fn a_failed_refresh_falls_back_on_a_token_that_is_still_valid() {
    let (token, _) = cached(2);
    token.header(&url("acct"), NOW).await.expect("provided");
    let late = token.header(&url("acct"), NOW + Duration::minutes(59)).await.expect("still valid");
    assert_eq!(late, "Bearer t1");
    let error = token.header(&url("acct"), NOW + Duration::minutes(60)).await.expect_err("expired");
    assert_eq!(error.to_string(), "out of order");
}

#[tokio::test]
async fn an_expired_or_malformed_token_is_refused_without_showing_it() {
    #[derive(Debug)]
    struct Fixed(&'static str, OffsetDateTime);
    impl TokenProvider for Fixed {
        fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
            Box::pin(async { Ok(AccessToken::new(self.0, self.1)) })
        }
    }
    let hour = NOW + Duration::hours(1);
    for (secret, expiry) in [("SECRET", NOW), ("SECRET\n", hour), ("", hour), ("SEC RET", hour)] {
        let error = CachedToken::new(Fixed(secret, expiry)).header(&url("acct"), NOW).await;
        let error = error.expect_err(secret).to_string();
        assert!(error.contains("token") && !error.contains("SEC"), "{error}");
    }
}

fn url(account: &str) -> Url {
    format!("https://{account}.blob.core.windows.net/vhds/disk0.vhd").parse().expect("a URL")
}

/// Gives `<tenant>-1`, `<tenant>-2`, … for an hour.
#[derive(Debug, Default)]
struct Tenants(AtomicUsize);

impl TokenProvider for Tenants {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        self.token_of_tenant(scope, "home")
    }

    fn token_of_tenant<'a>(
        &'a self,
        scope: &'a str,
        tenant: &'a str,
    ) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async move {
            assert_eq!(scope, "https://storage.azure.com/.default");
            let number = self.0.fetch_add(1, Ordering::Relaxed) + 1;
            match tenant {
                "locked.example.com" => Err(CredentialError::new("not a guest there").transient()),
                _ => Ok(AccessToken::new(format!("{tenant}-{number}"), NOW + Duration::HOUR)),
            }
        })
    }
}

fn naming(tenant: &str) -> HeaderMap {
    let value = format!(
        "Bearer authorization_uri=https://login.microsoftonline.com/{tenant}/oauth2/authorize \
         resource_id=https://storage.azure.com"
    );
    HeaderMap::from_iter([(http::header::WWW_AUTHENTICATE, value.parse().expect("a value"))])
}

#[tokio::test]
async fn each_host_has_the_tenant_that_it_asks_for() {
    let token = CachedToken::new(Tenants::default());
    let (first, second) = (url("first"), url("second"));
    let home = token.header(&first, NOW).await.expect("provided");
    assert_eq!(home, "Bearer home-1");
    let (one, other) = (naming("one.example.com"), naming("other.example.com"));
    let follow =
        async |url, headers, refused| token.follow_challenge(url, headers, refused, NOW).await;
    assert!(follow(&first, &one, &home).await.expect("provided"));
    assert!(follow(&second, &other, &home).await.expect("provided"));
    for (url, expected) in [
        (&first, "Bearer one.example.com-2"),
        (&second, "Bearer other.example.com-3"),
        (&url("third"), "Bearer home-1"),
    ] {
        assert_eq!(token.header(url, NOW).await.expect("kept"), expected);
    }

    // A second request that was refused with the old token uses what the first was given.
    assert!(follow(&first, &one, &home).await.expect("kept"));
    assert_eq!(token.header(&first, NOW).await.expect("kept"), "Bearer one.example.com-2");

    // The account has moved. Nothing is kept of the tenant that it was in.
    let refused = token.header(&first, NOW).await.expect("kept");
    assert!(follow(&first, &other, &refused).await.expect("kept"));
    assert_eq!(token.header(&first, NOW).await.expect("kept"), "Bearer other.example.com-3");
    assert_eq!(token.known.lock().await.tokens.len(), 2);
}

#[tokio::test]
async fn the_same_token_again_is_no_other() {
    #[derive(Debug)]
    struct Stubborn;
    impl TokenProvider for Stubborn {
        fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
            Box::pin(async { Ok(AccessToken::new("t", NOW + Duration::HOUR)) })
        }
    }
    let (token, url) = (CachedToken::new(Stubborn), url("acct"));
    let refused = token.header(&url, NOW).await.expect("provided");
    let tenant = naming("one.example.com");
    assert!(!token.follow_challenge(&url, &tenant, &refused, NOW).await.expect("provided"));
}

#[tokio::test]
async fn a_tenant_that_gives_no_token_is_told_and_not_kept() {
    let (token, url) = (CachedToken::new(Tenants::default()), url("acct"));
    let refused = token.header(&url, NOW).await.expect("provided");
    let tenant = naming("locked.example.com");
    let error = token.follow_challenge(&url, &tenant, &refused, NOW).await.expect_err("locked");
    let text = "the service asks for a token of tenant locked.example.com: not a guest there";
    assert_eq!(error, CredentialError::new(text).transient());
    assert_eq!(token.header(&url, NOW).await.expect("kept"), "Bearer home-1");
}
