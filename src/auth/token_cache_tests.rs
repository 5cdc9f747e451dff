use std::{
    future::pending,
    sync::atomic::{AtomicUsize, Ordering},
};

use futures_util::{FutureExt, future::join_all};
use time::macros::datetime;
use tokio::task::yield_now;

use super::*;
use crate::wire::transport::BoxFuture;

const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// Gives `t1`, `t2`, …: token `n` expires `n` hours after `NOW`. From call `fails_from` on it
/// fails, from call `hangs_from` on it never returns. Each call takes a second.
#[derive(Debug)]
struct Login {
    asked: AtomicUsize,
    fails_from: usize,
    hangs_from: usize,
}

impl Login {
    fn new() -> Self {
        Self { asked: AtomicUsize::new(0), fails_from: usize::MAX, hangs_from: usize::MAX }
    }

    fn cached(self) -> (CachedToken, Arc<Self>) {
        let login = Arc::new(self);
        (CachedToken::new(Given(Arc::clone(&login))), login)
    }

    fn asked(&self) -> usize {
        self.asked.load(Ordering::Relaxed)
    }
}

#[derive(Debug)]
struct Given(Arc<Login>);

impl TokenProvider for Given {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async move {
            assert_eq!(scope, "https://storage.azure.com/.default");
            let number = self.0.asked.fetch_add(1, Ordering::Relaxed) + 1;
            clock::sleep(std::time::Duration::from_secs(1)).await;
            if number >= self.0.hangs_from {
                pending::<()>().await;
            }
            if number >= self.0.fails_from {
                return Err(CredentialError::new("out of order").transient());
            }
            let hours = i64::try_from(number).expect("small");
            Ok(AccessToken::new(format!("t{number}"), NOW + Duration::hours(hours)))
        })
    }
}

/// Lets background tasks run for some seconds.
async fn pass(seconds: u64) {
    clock::sleep(std::time::Duration::from_secs(seconds)).await;
}

#[tokio::test(start_paused = true)]
async fn a_token_is_kept_until_shortly_before_it_expires() {
    let (token, login) = Login::new().cached();
    for minute in [0, 54] {
        let now = NOW + Duration::minutes(minute);
        let header = token.header(&url("acct"), now).await.expect("provided");
        assert_eq!(header, "Bearer t1", "minute {minute}");
        assert!(header.is_sensitive());
    }
    assert_eq!(login.asked(), 1);
}

#[tokio::test(start_paused = true)]
async fn near_expiry_callers_go_on_with_the_token_in_hand_while_one_task_asks_for_the_next() {
    let (token, login) = Login::new().cached();
    token.header(&url("acct"), NOW).await.expect("provided");
    let late = NOW + Duration::minutes(55);
    for _ in 0..10 {
        // Ready on the first poll.
        let header = token.header(&url("acct"), late).now_or_never().expect("no waiting");
        assert_eq!(header.expect("in hand"), "Bearer t1");
        yield_now().await;
    }
    assert_eq!(login.asked(), 2);
    pass(2).await;
    let header = token.header(&url("acct"), late).await.expect("provided");
    assert_eq!((header.to_str().expect("text"), login.asked()), ("Bearer t2", 2));
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_hangs_holds_up_nobody_with_a_valid_token() {
    let (token, login) = Login { hangs_from: 2, ..Login::new() }.cached();
    token.header(&url("acct"), NOW).await.expect("provided");
    for second in 0..299 {
        let now = NOW + Duration::minutes(55) + Duration::seconds(second);
        let header = token.header(&url("acct"), now).now_or_never().expect("no waiting");
        assert_eq!(header.expect("in hand"), "Bearer t1");
        pass(1).await;
    }
    // Each call times out after 30 seconds, and 30 seconds later the next one starts.
    assert!((5..=7).contains(&login.asked()), "{}", login.asked());
}

#[tokio::test(start_paused = true)]
async fn a_provider_that_fails_near_expiry_is_not_asked_by_every_request_in_turn() {
    let (token, login) = Login { fails_from: 2, ..Login::new() }.cached();
    token.header(&url("acct"), NOW).await.expect("provided");
    for second in 0..299 {
        let now = NOW + Duration::minutes(55) + Duration::seconds(second);
        for _ in 0..10 {
            let header = token.header(&url("acct"), now).now_or_never().expect("no waiting");
            assert_eq!(header.expect("in hand"), "Bearer t1");
        }
        pass(1).await;
    }
    assert!((9..=11).contains(&login.asked()), "{}", login.asked());
    let late = NOW + Duration::minutes(60);
    let error = token.header(&url("acct"), late).await.expect_err("it has expired");
    assert_eq!(error, CredentialError::new("out of order").transient());
}

#[tokio::test(start_paused = true)]
async fn without_a_valid_token_all_share_one_call_and_its_error() {
    for (login, text) in [
        (Login { fails_from: 1, ..Login::new() }, "out of order"),
        (
            Login { hangs_from: 1, ..Login::new() },
            "the token provider returned no token within 30s",
        ),
    ] {
        let (token, login) = login.cached();
        let begun = clock::instant();
        let url = url("acct");
        for error in join_all((0..10).map(|_| token.header(&url, NOW))).await {
            assert_eq!(error.expect_err("none"), CredentialError::new(text).transient());
        }
        assert_eq!(login.asked(), 1);
        assert!(begun.elapsed().as_secs() <= 30, "{:?}", begun.elapsed());
        // An error is not cached: the next request calls again.
        token.header(&url, NOW).await.expect_err("none");
        assert_eq!(login.asked(), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_request_that_is_dropped_leaves_its_call_to_the_others() {
    let (token, login) = Login::new().cached();
    let url = url("acct");
    let mut first = Box::pin(token.header(&url, NOW));
    assert!(first.as_mut().now_or_never().is_none());
    yield_now().await;
    let second = token.header(&url, NOW);
    drop(first);
    assert_eq!(second.await.expect("provided"), "Bearer t1");
    assert_eq!(login.asked(), 1);
}

#[test]
fn a_call_whose_runtime_is_gone_or_stands_still_wedges_nobody() {
    let runtime = || {
        let mut builder = tokio::runtime::Builder::new_current_thread();
        builder.enable_all().start_paused(true).build().expect("a runtime")
    };
    for is_gone in [true, false] {
        let (token, login) = Login::new().cached();
        let (url, stopped) = (url("acct"), runtime());
        stopped.block_on(async {
            assert!(token.header(&url, NOW).now_or_never().is_none(), "a call takes a second");
            yield_now().await;
        });
        assert_eq!(login.asked(), 1);
        let kept = Some(stopped).filter(|_| !is_gone);
        runtime().block_on(async {
            let first = token.header(&url, NOW).await;
            let why = "the token provider returned no token within 30s";
            match is_gone {
                true => assert_eq!(first.expect("asked anew"), "Bearer t2"),
                false => assert_eq!(first, Err(CredentialError::new(why).transient())),
            }
            assert_eq!(token.header(&url, NOW).await.expect("asked anew"), "Bearer t2");
        });
        assert_eq!(login.asked(), 2);
        drop(kept);
    }
}

#[tokio::test(start_paused = true)]
async fn each_scope_has_its_own_token() {
    #[derive(Debug)]
    struct Scopes;
    impl TokenProvider for Scopes {
        fn token<'a>(&'a self, of: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
            Box::pin(async move { Ok(AccessToken::new(of, NOW + Duration::HOUR)) })
        }
    }
    let token = CachedToken::new(Scopes);
    const STORAGE: &str = "Bearer https://storage.azure.com/.default";
    const DISKS: &str = "Bearer https://disk.azure.com//.default";
    for (host, expected) in [
        ("acct.blob.core.windows.net", STORAGE),
        ("md-x1.z01.blob.storage.azure.net", DISKS),
        ("acct.z01.blob.storage.azure.net", STORAGE),
        ("md-impexp-x1.blob.core.windows.net", DISKS),
        ("md-files.example.com", STORAGE),
    ] {
        let url = format!("https://{host}/c/b").parse().expect("a URL");
        assert_eq!(token.header(&url, NOW).await.expect("provided"), expected, "{host}");
    }
    assert_eq!(token.shared.known().tokens.len(), 2);
}

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
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

    // A second request that was refused with the old token uses the new one.
    assert!(follow(&first, &one, &home).await.expect("kept"));
    assert_eq!(token.header(&first, NOW).await.expect("kept"), "Bearer one.example.com-2");

    // The account has moved to another tenant. The tokens of the old one are dropped.
    let refused = token.header(&first, NOW).await.expect("kept");
    assert!(follow(&first, &other, &refused).await.expect("kept"));
    assert_eq!(token.header(&first, NOW).await.expect("kept"), "Bearer other.example.com-3");
    assert_eq!(token.shared.known().tokens.len(), 2);
}

#[tokio::test(start_paused = true)]
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

#[tokio::test(start_paused = true)]
async fn a_tenant_that_gives_no_token_is_told_and_not_kept() {
    let (token, url) = (CachedToken::new(Tenants::default()), url("acct"));
    let refused = token.header(&url, NOW).await.expect("provided");
    let tenant = naming("locked.example.com");
    let error = token.follow_challenge(&url, &tenant, &refused, NOW).await.expect_err("locked");
    let text = "the service expects a token of tenant locked.example.com: not a guest there";
    assert_eq!(error, CredentialError::new(text).transient());
    assert_eq!(token.header(&url, NOW).await.expect("kept"), "Bearer home-1");
}
