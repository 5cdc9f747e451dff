//! Caches the tokens of a provider and refreshes them.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use http::{HeaderMap, HeaderValue};
use time::{Duration, OffsetDateTime};
use tokio::{runtime::Handle, sync::watch};
use url::Url;
use zeroize::Zeroizing;

use super::{
    challenge,
    token::{AccessToken, TokenProvider},
};
use crate::{error::CredentialError, models::endpoint::is_managed_disk, wire::clock};

/// Tokens are refreshed this long before they expire.
const AHEAD: Duration = Duration::minutes(5);

/// How long a call to the provider may take.
const LONGEST_CALL: std::time::Duration = std::time::Duration::from_secs(30);

/// How often a failing refresh is tried while the last token is valid.
const REFRESHES: i32 = 10;

/// The scope of the storage service.
const STORAGE: &str = "https://storage.azure.com/.default";

/// The scope for the URLs of managed disks. The double slash is part of it.
const DISKS: &str = "https://disk.azure.com//.default";

/// A provider and its latest tokens.
pub(crate) struct CachedToken {
    shared: Arc<Shared>,
    /// The scope of all tokens, if the URL does not decide it.
    scope: Option<&'static str>,
}

struct Shared {
    provider: Box<dyn TokenProvider>,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    tokens: HashMap<Wanted, Slot>,
    /// The tenants that hosts have named.
    tenants: HashMap<Box<str>, Tenant>,
}

/// The scope of a token, and its tenant; usually none in particular.
#[derive(Clone, PartialEq, Eq, Hash)]
struct Wanted {
    scope: &'static str,
    tenant: Option<Tenant>,
}

type Tenant = Arc<str>;

#[derive(Default)]
struct Slot {
    held: Option<Held>,
    /// The call to the provider in flight.
    call: Option<Call>,
}

struct Held {
    header: HeaderValue,
    refresh_from: OffsetDateTime,
    expires_on: OffsetDateTime,
    /// How long to wait after a failed refresh.
    pause: Duration,
}

/// A call to the provider that many may wait for.
type Call = watch::Receiver<Option<Outcome>>;

type Outcome = Result<HeaderValue, CredentialError>;

impl CachedToken {
    pub(crate) fn new(provider: impl TokenProvider) -> Self {
        let shared = Arc::new(Shared { provider: Box::new(provider), known: Mutex::default() });
        Self { shared, scope: None }
    }

    /// The same provider and tokens, for one scope.
    #[cfg(feature = "resource-manager")]
    pub(crate) fn for_scope(&self, scope: &'static str) -> Self {
        Self { shared: Arc::clone(&self.shared), scope: Some(scope) }
    }

    /// The scope of tokens for requests to `url`.
    fn scope(&self, url: &Url) -> &'static str {
        self.scope.unwrap_or_else(|| scope(url))
    }

    /// The `Authorization` header for a request to `url` made at `now`.
    pub(crate) async fn header(
        &self,
        url: &Url,
        now: OffsetDateTime,
    ) -> Result<HeaderValue, CredentialError> {
        let (wanted, call) = {
            let mut known = self.shared.known();
            let tenant = known.tenants.get(host(url)).cloned();
            let wanted = Wanted { scope: self.scope(url), tenant };
            let slot = known.tokens.entry(wanted.clone()).or_default();
            match &slot.held {
                Some(held) if now < held.refresh_from => return Ok(held.header.clone()),
                Some(held) if now < held.expires_on => {
                    let header = held.header.clone();
                    // Nobody waits for this call: the current token is used meanwhile.
                    drop(self.shared.call(&wanted, slot, now));
                    return Ok(header);
                }
                _ => {}
            }
            let call = self.shared.call(&wanted, slot, now)?;
            (wanted, call)
        };
        self.shared.outcome(&wanted, call).await
    }

    /// Follows the challenge in the `headers` of a 401, for a request to `url` with the token
    /// `refused`. Returns whether there is another token now.
    pub(crate) async fn follow_challenge(
        &self,
        url: &Url,
        headers: &HeaderMap,
        refused: &HeaderValue,
        now: OffsetDateTime,
    ) -> Result<bool, CredentialError> {
        let scope = self.scope(url);
        let Some(tenant) = challenge::tenant(headers, scope) else { return Ok(false) };
        let tenant = Tenant::from(tenant);
        let wanted = Wanted { scope, tenant: Some(Arc::clone(&tenant)) };
        let call = {
            let mut known = self.shared.known();
            let slot = known.tokens.entry(wanted.clone()).or_default();
            // Another request may have followed the same challenge.
            match &slot.held {
                Some(held) if held.header != *refused && now < held.expires_on => {
                    known.keep(host(url), tenant);
                    return Ok(true);
                }
                _ => self.shared.call(&wanted, slot, now)?,
            }
        };
        let fresh = self.shared.outcome(&wanted, call).await.map_err(|error| {
            error.after(format_args!("the service expects a token of tenant {tenant}: "))
        })?;
        self.shared.known().keep(host(url), tenant);
        Ok(fresh != *refused)
    }
}

impl Shared {
    /// Never locked across an await.
    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The call in flight, or a new one in its own task, since the caller may be dropped.
    fn call(
        self: &Arc<Self>,
        wanted: &Wanted,
        slot: &mut Slot,
        now: OffsetDateTime,
    ) -> Result<Call, CredentialError> {
        // A closed channel means that the task ended early, with its runtime.
        if let Some(call) = slot.call.as_ref().filter(|call| call.has_changed().is_ok()) {
            return Ok(call.clone());
        }
        let runtime = Handle::try_current().map_err(|_| {
            CredentialError::new("tokens can be requested only inside a tokio runtime")
        })?;
        let (tell, call) = watch::channel(None);
        runtime.spawn(Arc::clone(self).ask(wanted.clone(), now, tell));
        slot.call = Some(call.clone());
        Ok(call)
    }

    async fn ask(
        self: Arc<Self>,
        wanted: Wanted,
        now: OffsetDateTime,
        tell: watch::Sender<Option<Outcome>>,
    ) {
        let begun = clock::instant();
        let asked = match &wanted.tenant {
            None => self.provider.token(wanted.scope),
            Some(tenant) => self.provider.token_of_tenant(wanted.scope, tenant),
        };
        let given = clock::within(LONGEST_CALL, asked).await.unwrap_or_else(|| Err(too_long()));
        let now = now.saturating_add(Duration::try_from(begun.elapsed()).unwrap_or(Duration::MAX));
        let fresh = given.and_then(|token| Held::new(&token, now));
        let outcome = match &fresh {
            Ok(held) => Ok(held.header.clone()),
            Err(error) => Err(error.clone()),
        };
        self.known().end(&wanted, &tell.subscribe(), fresh, now);
        tell.send_replace(Some(outcome));
    }

    /// Waits for the result of a call.
    async fn outcome(&self, wanted: &Wanted, mut call: Call) -> Outcome {
        let told = clock::within(LONGEST_CALL, call.wait_for(Option::is_some)).await;
        let told = told.map(|told| told.ok().and_then(|outcome| outcome.clone()));
        match told {
            Some(Some(outcome)) => outcome,
            Some(None) => {
                let why = "the call to the token provider ended without a result";
                Err(CredentialError::new(why).transient())
            }
            // Its runtime does not run. The next caller starts a new call.
            None => {
                self.known().leave(wanted, &call);
                Err(too_long())
            }
        }
    }
}

fn too_long() -> CredentialError {
    let why = format!("the token provider returned no token within {LONGEST_CALL:?}");
    CredentialError::new(why).transient()
}

impl Known {
    /// Stores the result of a call, unless another call has replaced it.
    fn end(
        &mut self,
        wanted: &Wanted,
        call: &Call,
        fresh: Result<Held, CredentialError>,
        now: OffsetDateTime,
    ) {
        if !self.leave(wanted, call) {
            return;
        }
        let Some(slot) = self.tokens.get_mut(wanted) else { return };
        match (fresh, &mut slot.held) {
            (Ok(fresh), held) => *held = Some(fresh),
            (Err(error), Some(last)) if now < last.expires_on => {
                tracing::debug!(%error, "the token was not refreshed; the last one is used");
                last.refresh_from = now.saturating_add(last.pause).min(last.expires_on);
            }
            (Err(_), _) => drop(self.tokens.remove(wanted)),
        }
    }

    /// Forgets a call that has ended; false if it was replaced.
    fn leave(&mut self, wanted: &Wanted, call: &Call) -> bool {
        let Some(slot) = self.tokens.get_mut(wanted) else { return false };
        let is_it = slot.call.as_ref().is_some_and(|known| known.same_channel(call));
        if is_it {
            slot.call = None;
        }
        is_it
    }

    /// Stores the tenant of a host, and drops the tokens of its earlier tenant.
    fn keep(&mut self, host: &str, tenant: Tenant) {
        let before = self.tenants.insert(host.into(), tenant);
        if let Some(before) = before.filter(|before| !self.tenants.values().any(|t| t == before)) {
            self.tokens.retain(|wanted, _| wanted.tenant.as_ref() != Some(&before));
        }
    }
}

impl Held {
    fn new(token: &AccessToken, now: OffsetDateTime) -> Result<Self, CredentialError> {
        let left = token.expires_on - now;
        if !left.is_positive() {
            return Err(CredentialError::new("the token provider returned an expired token"));
        }
        let header = Zeroizing::new(format!("Bearer {}", *token.secret));
        let well_formed = token.secret.bytes().all(|byte| byte.is_ascii_graphic());
        let mut header = HeaderValue::from_str(&header)
            .ok()
            .filter(|_| well_formed && !token.secret.is_empty())
            .ok_or_else(|| CredentialError::new("the token provided is not visible ASCII text"))?;
        header.set_sensitive(true);
        // A token that is valid for less than 10 minutes is refreshed after half of that.
        let ahead = AHEAD.min(left / 2);
        let (refresh_from, pause) = (token.expires_on - ahead, ahead / REFRESHES);
        Ok(Self { header, refresh_from, expires_on: token.expires_on, pause })
    }
}

fn host(url: &Url) -> &str {
    url.host_str().unwrap_or_default()
}

/// The scope of tokens for requests to `url`.
fn scope(url: &Url) -> &'static str {
    if is_managed_disk(url) { DISKS } else { STORAGE }
}

#[cfg(test)]
#[path = "token_cache_tests.rs"]
mod tests;
