//! The entry point that the transport and the listener share.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, request::Parts};
use tokio::sync::Semaphore;

use blobcopy::Clock;

#[cfg(feature = "https")]
use super::tls::Tls;
use super::{fetch, hosts::Hosts};
use crate::{
    handle::{self, Outcome, Unread, outside, service::Service},
    model::{copies, elsewhere::Fetched},
    wire::error::Refusal,
};

/// How many sources a simulator reads or checks at once; the others wait.
pub(crate) const MOST_AT_ONCE: usize = 64;

/// A running simulator: the service, its clock and the addresses it is served at.
pub(crate) struct Shared {
    pub(crate) service: Mutex<Service>,
    pub(crate) clock: Clock,
    /// Whether the clock is the default, which follows tokio's time until a port is served.
    pub(crate) follows_tokio: bool,
    /// Names and keys, in the order in which they were added.
    pub(crate) accounts: Vec<(String, String)>,
    pub(crate) served_at: OnceLock<SocketAddr>,
    pub(crate) hosts: Hosts,
    /// A permit for each source being read from another server.
    pub(crate) fetches: Semaphore,
    #[cfg(feature = "https")]
    pub(crate) tls: Option<Tls>,
}

impl Shared {
    pub(crate) fn first_account(&self) -> &str {
        // The builder always adds one.
        self.accounts.first().map_or("", |(name, _)| name)
    }

    pub(crate) fn scheme(&self) -> &'static str {
        #[cfg(feature = "https")]
        if self.tls.is_some() {
            return "https";
        }
        "http"
    }

    /// The address and the port that clients use.
    pub(crate) fn authority(&self) -> String {
        let default = SocketAddr::from(([127, 0, 0, 1], 10000));
        let address = self.served_at.get().copied().unwrap_or(default);
        // A listener on all addresses can be reached on loopback.
        let ip = match address.ip() {
            IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
            ip => ip,
        };
        SocketAddr::new(ip, address.port()).to_string()
    }

    /// Notes that a port is served, to clients that run on the computer's clock.
    pub(crate) fn listens_at(&self, address: SocketAddr) {
        // The first listener sets the address in connection strings.
        let _ = self.served_at.set(address);
        if self.follows_tokio {
            self.clock.follow_system();
        }
    }

    pub(crate) fn service(&self) -> MutexGuard<'_, Service> {
        self.service.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The service at the present time, with late requests applied.
    pub(crate) fn current(&self) -> MutexGuard<'_, Service> {
        let now = self.clock.now();
        let mut service = self.service();
        let now = service.faults.skewed(now);
        handle::catch_up(&mut service, now);
        service
    }

    /// The same, with every copy brought up to date.
    pub(crate) fn settled(&self) -> MutexGuard<'_, Service> {
        let now = self.clock.now();
        let mut service = self.current();
        let now = service.faults.skewed(now);
        copies::settle_all(&mut service.state, now);
        service
    }

    /// Why a request with this head is refused whatever its body, if it is.
    pub(crate) fn refusal(&self, head: &Parts) -> Option<Refusal> {
        let now = self.clock.now();
        handle::refusal(&self.service(), Request::from_parts(head.clone(), Bytes::new()), now)
    }

    /// Answers one request, which arrives now, after reading any source on another server.
    pub(crate) async fn exchange(&self, mut request: Request<Bytes>) -> Outcome {
        let now = self.clock.now();
        {
            let mut service = self.service();
            let refused = || request.extensions().get::<Unread>().is_some();
            if !outside::leads_outside(&service, &request) || refused() {
                return handle::handle(&mut service, request, now);
            }
        }
        let watched = outside::watched(&self.service(), &request, now);
        // All at once, so that a slow one delays no other.
        let looks = watched.iter().map(|watched| async {
            let _turn = self.fetches.acquire().await;
            let unchanged = fetch::is_unchanged(watched).await;
            outside::note(&mut self.service().state, watched, unchanged);
        });
        join_all(looks).await;
        let wanted = outside::wanted(&mut self.service(), &request, now);
        if let Some(wanted) = wanted {
            let _turn = self.fetches.acquire().await;
            let fetched = fetch::fetch(wanted, now).await;
            request.extensions_mut().insert(Fetched(Arc::new(fetched)));
        }
        self.step(request)
    }

    /// Answers one request, which arrives now.
    pub(crate) fn step(&self, request: Request<Bytes>) -> Outcome {
        let now = self.clock.now();
        handle::handle(&mut self.service(), request, now)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("clock", &self.clock).finish_non_exhaustive()
    }
}
