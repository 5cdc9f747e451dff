//! The blob service, in process: for tests of code that copies blobs, with nothing to install.
//!
//! A stateful model of the service's documented behaviour. It keeps accounts, containers, blobs,
//! snapshots and pages, checks signatures, lets copies take their time, answers with the service's
//! own error codes, and misbehaves when a test asks it to.
//!
//! It has two doors. [`Simulator::transport`] is called in process, with no socket.
//! [`SimulatorBuilder::start`] and [`Simulator::serve`] listen on a port, for other languages' SDKs too. Accounts are addressed as
//! `http://127.0.0.1:port/account/…`, `http://account.localhost:port/…` or, in process,
//! `https://account.blob.core.windows.net/…`.
//!
//! A listener answers to loopback addresses, `localhost` and the names below it, and the hosts of
//! its accounts. Any other name is refused with 400 `InvalidHeaderValue`, so that no page on the
//! web can reach it under a name of its own, unless [`SimulatorBuilder::allow_host`] allows it.
//!
//! What it does not model is answered with 501.
//!
//! # Time
//!
//! In process the simulator begins at the computer's date and follows tokio's time, and so do its
//! clients. A test that pauses time waits for nothing, and watches a copy of 13 days to its end:
//!
//! ```
//! use std::time::Duration;
//! use blobcopy::CopyStatus;
//! use blobcopy_simulator::Simulator;
//!
//! # /*
//! #[tokio::test(start_paused = true)]
//! # */
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() { a_backup_of_13_days_completes().await.unwrap() }
//! async fn a_backup_of_13_days_completes() -> blobcopy::Result<()> {
//!     let days = |days: u64| Duration::from_secs(days * 24 * 3600);
//!     let sim = Simulator::builder().copy_duration(days(13)).build();
//!     let vhds = sim.service_client()?.container_client("vhds");
//!     vhds.create().await?;
//!     let disk = vhds.page_blob_client("disk0.vhd");
//!     disk.create(1 << 20).await?;
//!     let snapshot = disk.create_snapshot().await?.snapshot;
//!
//!     let begun = sim.clock().now();
//!     let backup = vhds.page_blob_client("backup/disk0.vhd");
//!     let mut copy = backup.start_copy_incremental(&disk, &snapshot).await?;
//!     copy.wait().await?;
//!
//!     assert_eq!(backup.get_properties().await?.copy.unwrap().status, CopyStatus::Success);
//!     assert!(sim.clock().now() - begun >= days(13));
//!     Ok(())
//! }
//! ```
//!
//! What it takes are the polls: one every 30 seconds is 39,000 of them, a few seconds of a debug
//! build and less than one of a release build. A longer
//! [`interval`](blobcopy::builders::Wait::interval) makes it milliseconds.
//!
//! Clients made otherwise go by the simulator's clock too, if they are given
//! [`Simulator::transport`]: a [transport](blobcopy::transport::Transport::clock) may bring a clock.
//!
//! A simulator that listens stays on the computer's clock, from [`SimulatorBuilder::start`] or
//! [`Simulator::serve`] on. Its callers may be other processes, which date their requests by that
//! clock, and requests are refused if they are 15 minutes off. Besides, paused time leaps on
//! whenever all tasks wait, and those that wait for the network do.
//!
//! [`SimulatorBuilder::clock`] overrides both: with [`Clock::starting_at`] a test begins at a date of
//! its choice, and [`Clock::advance`] turns the clock on by hand.

mod account;
mod answer;
mod auth;
mod blob;
mod blobs;
mod builder;
mod call;
mod checksums;
mod client;
mod clock;
mod conditions;
mod container;
mod control;
mod copies;
mod dates;
mod document;
mod doors;
mod encryption;
mod error;
mod faults;
mod handle;
mod leases;
mod metadata;
mod names;
mod op;
mod ops;
mod pages;
mod payload;
mod remote;
mod requests;
mod route;
mod state;
mod tag_query;
#[cfg(test)]
mod tests;
mod tiers;
mod versions;
mod xml;

use std::{
    fmt, io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, request::Parts};
use tokio::{net::TcpListener, sync::Semaphore};

#[doc(hidden)]
pub use self::client::example;
pub use self::{
    builder::SimulatorBuilder,
    control::{Copies, CopyInto},
    doors::transport::SimulatorTransport,
    faults::{FaultRule, Faults},
    op::Op,
    requests::SeenRequest,
    state::{ListedSnapshot, SourceEcho},
};
use self::{
    doors::server::ServerGuard,
    error::Refusal,
    handle::{Outcome, Unread},
    remote::Fetched,
    state::State,
};
use blobcopy::Clock;

/// The account that a simulator has when none is given: the emulator's.
pub const DEFAULT_ACCOUNT: &str = "devstoreaccount1";

/// The well-known key of [`DEFAULT_ACCOUNT`]. It is no secret.
pub const DEFAULT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

/// A simulated blob service. Clones share one state.
///
/// ```
/// use blobcopy_simulator::Simulator;
///
/// # tokio::runtime::Runtime::new().unwrap().block_on(async {
/// let sim = Simulator::builder().copy_rate(64 << 20).start().await?;
/// println!("AZURE_STORAGE_CONNECTION_STRING={}", sim.connection_string());
/// # std::io::Result::Ok(())
/// # }).unwrap();
/// ```
#[derive(Clone)]
pub struct Simulator {
    shared: Arc<Shared>,
    server: Option<Arc<ServerGuard>>,
}

/// What the doors, the faults and the copies' controls have in common.
pub(crate) struct Shared {
    state: Mutex<State>,
    clock: Clock,
    /// Whether the clock is of nobody's choice, and follows tokio's time until a port is served.
    follows_tokio: bool,
    /// Names and keys, in the order in which they were given.
    accounts: Vec<(String, String)>,
    served_at: OnceLock<SocketAddr>,
    hosts: doors::hosts::Hosts,
    /// A permit for each source elsewhere that is read.
    fetches: Semaphore,
    #[cfg(feature = "https")]
    tls: Option<doors::tls::Tls>,
}

impl Simulator {
    /// Begins a simulator with settings of your own.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::new()
    }

    /// The connection string of the first account, path-style.
    ///
    /// Until a listener is served it names `127.0.0.1:10000`, which the in-process transport takes
    /// like any other host.
    ///
    /// ```
    /// use blobcopy_simulator::Simulator;
    ///
    /// let sim = Simulator::builder().build();
    /// assert!(sim.connection_string().contains("AccountName=devstoreaccount1;"));
    /// ```
    pub fn connection_string(&self) -> String {
        self.connection_string_of(self.shared.first_account()).unwrap_or_default()
    }

    /// The connection string of an account, if there is such an account.
    ///
    /// ```
    /// # use blobcopy_simulator::Simulator;
    /// let sim = Simulator::builder().account("backups", "c2VjcmV0").build();
    /// assert!(sim.connection_string_of("backups").unwrap().contains("AccountKey=c2VjcmV0;"));
    /// assert!(sim.connection_string_of("other").is_none());
    /// ```
    pub fn connection_string_of(&self, account: &str) -> Option<String> {
        let (name, key) = self.shared.accounts.iter().find(|(name, _)| name == account)?;
        let (scheme, endpoint) = (self.shared.scheme(), self.endpoint(name));
        Some(format!(
            "DefaultEndpointsProtocol={scheme};AccountName={name};AccountKey={key};\
             BlobEndpoint={endpoint};"
        ))
    }

    /// The names of the accounts, in the order in which they were given.
    ///
    /// ```
    /// # use blobcopy_simulator::Simulator;
    /// let sim = Simulator::builder().build();
    /// assert_eq!(sim.accounts().collect::<Vec<_>>(), ["devstoreaccount1"]);
    /// ```
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.shared.accounts.iter().map(|(name, _)| name.as_str())
    }

    /// The path-style endpoint of an account.
    ///
    /// ```
    /// # use blobcopy_simulator::Simulator;
    /// let sim = Simulator::builder().build();
    /// assert_eq!(sim.endpoint("devstoreaccount1"), "http://127.0.0.1:10000/devstoreaccount1");
    /// ```
    pub fn endpoint(&self, account: &str) -> String {
        let default = SocketAddr::from(([127, 0, 0, 1], 10000));
        let mut address = self.shared.served_at.get().copied().unwrap_or(default);
        // A listener on every address is found on this machine's own.
        if address.ip().is_unspecified() {
            address.set_ip(match address {
                SocketAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
                SocketAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
            });
        }
        format!("{}://{address}/{account}", self.shared.scheme())
    }

    /// The certificate that [`https`](SimulatorBuilder::https) made, as PEM: what clients must
    /// trust.
    ///
    /// ```
    /// # use blobcopy_simulator::Simulator;
    /// let sim = Simulator::builder().https().build();
    /// assert!(sim.certificate_pem().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    /// assert!(sim.endpoint("devstoreaccount1").starts_with("https://"));
    /// ```
    #[cfg(feature = "https")]
    pub fn certificate_pem(&self) -> Option<&str> {
        self.shared.tls.as_ref().map(|tls| tls.certificate_pem.as_str())
    }

    /// The in-process door: a transport that no socket stands behind.
    ///
    /// ```
    /// use std::sync::Arc;
    /// use blobcopy::transport::Transport;
    /// use blobcopy_simulator::Simulator;
    ///
    /// let sim = Simulator::builder().build();
    /// let transport: Arc<dyn Transport> = Arc::new(sim.transport());
    /// # let _ = transport;
    /// ```
    pub fn transport(&self) -> SimulatorTransport {
        SimulatorTransport::new(self.shared.clone())
    }

    /// Serves `listener` until `shutdown` resolves, then closes every connection.
    ///
    /// From here on the simulator goes by the computer's clock, unless its builder named another.
    ///
    /// ```
    /// use blobcopy_simulator::Simulator;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    /// let sim = Simulator::builder().build();
    /// let shutdown = async { /* until the test is over */ };
    /// sim.serve(listener, shutdown).await?;
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    ///
    /// # Errors
    ///
    /// When the listener's own address cannot be told.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        self.shared.listens_at(address);
        doors::server::serve(&self.shared, listener, shutdown).await;
        Ok(())
    }

    /// The clock that the simulator goes by.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// What to do wrong, and when.
    pub fn faults(&self) -> Faults {
        Faults(self.shared.clone())
    }

    /// The copies: hold them, let them go on, end them, count them.
    pub fn copies(&self) -> Copies {
        Copies(self.shared.clone())
    }

    /// The latest requests (some thousands), oldest first.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.current_state().requests.latest()
    }

    /// How many requests there were for an operation.
    pub fn count(&self, op: Op) -> u64 {
        self.shared.current_state().requests.count(op)
    }

    /// Forgets the requests that were seen.
    pub fn forget_requests(&self) {
        self.shared.current_state().requests.clear();
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("endpoint", &self.endpoint(self.shared.first_account()))
            .finish()
    }
}

impl Shared {
    fn first_account(&self) -> &str {
        // The builder never leaves it without one.
        self.accounts.first().map_or(DEFAULT_ACCOUNT, |(name, _)| name)
    }

    fn scheme(&self) -> &'static str {
        #[cfg(feature = "https")]
        if self.tls.is_some() {
            return "https";
        }
        "http"
    }

    /// Notes that a port is served, to callers whose time is the computer's.
    fn listens_at(&self, address: SocketAddr) {
        // The first listener gives the address that connection strings name.
        let _ = self.served_at.set(address);
        if self.follows_tokio {
            self.clock.follow_system();
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state as it is by now: with what has landed.
    fn current_state(&self) -> MutexGuard<'_, State> {
        let now = self.clock.now();
        let mut state = self.state();
        let now = state.faults.skewed(now);
        handle::catch_up(&mut state, now);
        state
    }

    /// The same, with every copy where it is.
    fn settled_state(&self) -> MutexGuard<'_, State> {
        let now = self.clock.now();
        let mut state = self.current_state();
        let now = state.faults.skewed(now);
        copies::settle_all(&mut state, now);
        state
    }

    /// Why a request with this head is refused, whatever its body is.
    fn refusal(&self, head: &Parts) -> Option<Refusal> {
        let now = self.clock.now();
        handle::refusal(&self.state(), Request::from_parts(head.clone(), Bytes::new()), now)
    }

    /// Answers one request, which arrives now, once a source that another server holds is read.
    async fn exchange(&self, mut request: Request<Bytes>) -> Outcome {
        let now = self.clock.now();
        {
            let mut state = self.state();
            let refused = || request.extensions().get::<Unread>().is_some();
            if !remote::leads_outside(&state, &request) || refused() {
                return handle::handle(&mut state, request, now);
            }
        }
        let watched = remote::watched(&self.state(), &request, now);
        // All at once, so that one which does not answer delays no other.
        let looks = watched.iter().map(|watched| async {
            let _turn = self.fetches.acquire().await;
            let unchanged = doors::fetch::is_unchanged(watched).await;
            remote::note(&mut self.state(), watched, unchanged);
        });
        join_all(looks).await;
        let wanted = remote::wanted(&mut self.state(), &request, now);
        if let Some(wanted) = wanted {
            let _turn = self.fetches.acquire().await;
            let fetched = doors::fetch::fetch(wanted, now).await;
            request.extensions_mut().insert(Fetched(Arc::new(fetched)));
        }
        self.step(request)
    }

    /// Answers one request, which arrives now.
    fn step(&self, request: Request<Bytes>) -> Outcome {
        let now = self.clock.now();
        handle::handle(&mut self.state(), request, now)
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").field("clock", &self.clock).finish_non_exhaustive()
    }
}
