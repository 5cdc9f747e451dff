//! Builds a simulator.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{IpAddr, Ipv4Addr},
    sync::{Arc, Mutex, OnceLock},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use tokio::{net::TcpListener, sync::Semaphore};

#[cfg(feature = "https")]
use crate::doors::tls::Tls;
use crate::{
    doors::{
        hosts::Hosts,
        server,
        shared::{MOST_AT_ONCE, Shared},
    },
    faults::FaultBook,
    handle::{
        requests::{KEPT, RequestLog},
        service::Service,
    },
    model::{
        account::{Account, Accounts},
        disks::Disks,
        settings::{BearerRule, ListedSnapshot, Pace, Settings, SourceEcho},
        stamps::Stamps,
        state::State,
    },
    simulator::Simulator,
    wire::names::Order,
};
use blobcopy::Clock;

/// The account of a simulator that was given none: that of the storage emulators.
pub const DEFAULT_ACCOUNT: &str = "devstoreaccount1";

/// The well-known key of [`DEFAULT_ACCOUNT`]. It is not a secret.
pub const DEFAULT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

impl Simulator {
    /// Starts to build a simulator.
    ///
    /// ```
    /// use std::time::Duration;
    /// use blobcopy_simulator::Simulator;
    ///
    /// let sim = Simulator::builder().copy_duration(Duration::from_secs(60)).seed(7).build();
    /// # let _ = sim;
    /// ```
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::new()
    }
}

/// Builds a [`Simulator`]: see [`Simulator::builder`].
///
/// [`build`](Self::build) makes a simulator for this process, and [`start`](Self::start) one that
/// listens on a port. Without any setting it has one account and copies complete at once.
#[derive(Debug)]
#[must_use = "nothing is simulated until it is built or started"]
pub struct SimulatorBuilder {
    accounts: Vec<(String, String)>,
    second_keys: BTreeMap<String, String>,
    hierarchical: BTreeSet<String>,
    settings: Settings,
    clock: Option<Clock>,
    seed: u64,
    kept_requests: usize,
    path_style_disks: bool,
    port: u16,
    address: IpAddr,
    allowed_hosts: Vec<String>,
    #[cfg(feature = "https")]
    https: bool,
}

impl SimulatorBuilder {
    fn new() -> Self {
        let settings = Settings {
            pace: Pace::Time(Duration::ZERO),
            echo: SourceEcho::default(),
            bearer: None,
            public_access: true,
            listed_snapshot: ListedSnapshot::default(),
            queued: false,
        };
        Self {
            accounts: Vec::new(),
            second_keys: BTreeMap::new(),
            hierarchical: BTreeSet::new(),
            settings,
            clock: None,
            seed: 0,
            kept_requests: KEPT,
            path_style_disks: false,
            port: 0,
            address: Ipv4Addr::LOCALHOST.into(),
            allowed_hosts: Vec::new(),
            #[cfg(feature = "https")]
            https: false,
        }
    }

    /// Adds an account with its key in base64. Adding the same name again replaces its key.
    ///
    /// If you add none, there is one account: [`DEFAULT_ACCOUNT`] with [`DEFAULT_KEY`].
    ///
    /// # Panics
    ///
    /// If the name is not 3 to 24 lower-case letters and digits, or the key is not base64.
    pub fn account(mut self, name: &str, key: &str) -> Self {
        let letters = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
        assert!(
            (3..=24).contains(&name.len()) && name.bytes().all(letters),
            "account name {name:?} must be 3 to 24 lower-case letters and digits"
        );
        assert!(STANDARD.decode(key).is_ok(), "the key of account {name:?} must be base64");
        self.accounts.retain(|(other, _)| other != name);
        self.accounts.push((name.to_owned(), key.to_owned()));
        self
    }

    /// Gives an account a second key that works like the first, to test key rotation. The simulator
    /// itself always signs with the first key.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |_| {
    /// use blobcopy::{BlobServiceClient, ClientOptions, Credential};
    /// use blobcopy_simulator::Simulator;
    ///
    /// let (first, second) = ("Zmlyc3Q=", "c2Vjb25k");
    /// let sim = Simulator::builder().account("acct", first).second_key("acct", second).build();
    /// for key in [first, second] {
    ///     let service = BlobServiceClient::builder("http://127.0.0.1:10000/acct".parse()?)
    ///         .credential(Credential::shared_key("acct", key)?)
    ///         .options(ClientOptions::new().transport(sim.transport()))
    ///         .build()?;
    ///     assert!(service.list_containers().collect_all().await?.is_empty());
    /// }
    /// # Ok(()) });
    /// ```
    ///
    /// # Panics
    ///
    /// If the account was not added before, or the key is not base64.
    pub fn second_key(mut self, account: &str, key: &str) -> Self {
        let known = self.accounts.iter().any(|(name, _)| name == account);
        assert!(known, "account {account:?} must be added before its second key");
        assert!(STANDARD.decode(key).is_ok(), "the key of account {account:?} must be base64");
        self.second_keys.insert(account.to_owned(), key.to_owned());
        self
    }

    /// Lists the blobs of an account in the order of a hierarchical namespace: path by path, so
    /// that `a/b` comes before `a-b`. By default names are in the order of their UTF-16 code
    /// units, and `a-b` comes first.
    ///
    /// Get Account Information says so too. Nothing else of a hierarchical namespace is modelled:
    /// no directories, no renames, no access control lists.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |_| {
    /// use blobcopy_simulator::Simulator;
    ///
    /// let sim = Simulator::builder()
    ///     .account("datalake", "c2VjcmV0")
    ///     .hierarchical_order("datalake")
    ///     .build();
    /// let files = sim.service_client()?.container_client("files");
    /// files.create().await?;
    /// for name in ["a-b", "a/b"] {
    ///     files.block_blob_client(name).upload("text").await?;
    /// }
    /// let blobs = files.list_blobs().collect_all().await?;
    /// let names: Vec<_> = blobs.iter().map(|blob| &*blob.name).collect();
    /// assert_eq!(names, ["a/b", "a-b"]);
    /// # Ok(()) });
    /// ```
    ///
    /// # Panics
    ///
    /// If the account was not added before.
    pub fn hierarchical_order(mut self, account: &str) -> Self {
        let known = self.accounts.iter().any(|(name, _)| name == account);
        assert!(known, "account {account:?} must be added before its order");
        self.hierarchical.insert(account.to_owned());
        self
    }

    /// Sets how many bytes per second each copy moves. By default copies complete at once.
    pub fn copy_rate(mut self, bytes_per_second: u64) -> Self {
        self.settings.pace = Pace::Rate(bytes_per_second);
        self
    }

    /// Sets how long each copy takes, whatever its size. By default copies complete at once.
    pub fn copy_duration(mut self, time: Duration) -> Self {
        self.settings.pace = Pace::Time(time);
        self
    }

    /// Sets how `x-ms-copy-source` shows the source of a copy.
    pub fn echo_source(mut self, echo: SourceEcho) -> Self {
        self.settings.echo = echo;
        self
    }

    /// Sets the element in which List Blobs returns the destination snapshot of an incremental
    /// copy.
    pub fn list_destination_snapshot(mut self, name: ListedSnapshot) -> Self {
        self.settings.listed_snapshot = name;
        self
    }

    /// Whether copies into one account run one after another, in the order in which they started,
    /// as they may in the service. By default all run at the same time.
    pub fn queue_copies(mut self, queued: bool) -> Self {
        self.settings.queued = queued;
        self
    }

    /// Accepts the bearer tokens for which `rule` returns `true`, over https only. By default no
    /// token is accepted.
    pub fn accept_bearer(mut self, rule: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.settings.bearer = Some(BearerRule(Arc::new(rule)));
        self
    }

    /// Whether containers may allow public access. By default they may.
    pub fn public_access(mut self, allowed: bool) -> Self {
        self.settings.public_access = allowed;
        self
    }

    /// Whether a listener shows managed disks at `http://127.0.0.1:port/md-….z01/…` instead of
    /// `http://md-….z01.blob.localhost:port/…`. By default it does not.
    ///
    /// Some machines do not resolve the names below `localhost`; their programs need this. A
    /// simulator that is called in process shows the hosts of the service in any case.
    pub fn path_style_disks(mut self, path_style: bool) -> Self {
        self.path_style_disks = path_style;
        self
    }

    /// Sets the clock that dates requests and moves copies. The default is tokio's time in process
    /// and the computer's clock on a port: see [Time](crate#time).
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Seeds ids, ETags and [`FaultRule::chance`](crate::FaultRule::chance): the same seed and the
    /// same requests give the same answers.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Sets how many of the latest requests [`Simulator::requests`] keeps: 4,096 by default. With 0
    /// it keeps none, and a request costs the log neither time nor memory.
    /// [`Simulator::count`] counts all in any case.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |_| {
    /// use blobcopy_simulator::{Op, Simulator};
    ///
    /// let sim = Simulator::builder().keep_requests(0).build();
    /// sim.service_client()?.container_client("vhds").create().await?;
    /// assert!(sim.requests().is_empty());
    /// assert_eq!(sim.count(Op::CreateContainer), 1);
    /// # Ok(()) });
    /// ```
    pub fn keep_requests(mut self, most: usize) -> Self {
        self.kept_requests = most;
        self
    }

    /// Builds a simulator for this process: call it through [`Simulator::service_client`] or
    /// [`Simulator::transport`]. It opens no socket.
    pub fn build(mut self) -> Simulator {
        if self.accounts.is_empty() {
            self = self.account(DEFAULT_ACCOUNT, DEFAULT_KEY);
        }
        let account = |(name, key): &(String, String)| {
            let keys = [Some(key), self.second_keys.get(name)].into_iter().flatten();
            let keys = keys.map(|key| STANDARD.decode(key).unwrap_or_default()).collect();
            let (properties, containers) = Default::default();
            let by_paths = self.hierarchical.contains(name);
            let order = if by_paths { Order::Paths } else { Order::Flat };
            let name = name.clone();
            (name.clone(), Account { name, keys, properties, order, containers })
        };
        let service = Service {
            state: State {
                accounts: Accounts(self.accounts.iter().map(account).collect()),
                settings: self.settings,
                stamps: Stamps::new(self.seed),
                copies: Default::default(),
                disks: Disks::new(self.path_style_disks),
            },
            faults: FaultBook::new(self.seed),
            late: Default::default(),
            requests: RequestLog::new(self.kept_requests),
        };
        let shared = Shared {
            service: Mutex::new(service),
            follows_tokio: self.clock.is_none(),
            clock: self.clock.unwrap_or_else(|| Clock::starting_at(Clock::system().now())),
            #[cfg(feature = "https")]
            tls: self.https.then(|| {
                let address = Some(self.address).filter(|address| !address.is_unspecified());
                let more = self.allowed_hosts.iter().cloned();
                let more = more.chain(address.map(|address| address.to_string()));
                Tls::new(self.accounts.iter().map(|(name, _)| name.as_str()), more)
                    .expect("the names of accounts and allowed hosts are good names of hosts")
            }),
            accounts: self.accounts,
            served_at: OnceLock::new(),
            hosts: Hosts::new(self.allowed_hosts),
            fetches: Semaphore::new(MOST_AT_ONCE),
        };
        Simulator { shared: Arc::new(shared), server: None }
    }

    /// Serves https as well as http on the same port, with a self-signed certificate: see
    /// [`Simulator::certificate_pem`]. Endpoints and connection strings then use `https`.
    #[cfg(feature = "https")]
    pub fn https(mut self) -> Self {
        self.https = true;
        self
    }

    /// Sets the port that [`start`](SimulatorBuilder::start) listens on. By default any free port.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// Sets the address that [`start`](SimulatorBuilder::start) listens on. By default 127.0.0.1.
    ///
    /// Any other address, such as 0.0.0.0 in a container, lets other machines connect. They can use
    /// any IP address, but a host name only if [`allow_host`](Self::allow_host) allows it.
    ///
    /// ```
    /// use std::net::Ipv4Addr;
    /// use blobcopy_simulator::Simulator;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let builder = Simulator::builder().listen(Ipv4Addr::UNSPECIFIED).allow_host("simulator");
    /// let sim = builder.start().await?;
    /// assert_eq!(sim.endpoint("devstoreaccount1").host_str(), Some("127.0.0.1"));
    /// # std::io::Result::Ok(())
    /// # }).unwrap();
    /// ```
    pub fn listen(mut self, address: impl Into<IpAddr>) -> Self {
        self.address = address.into();
        self
    }

    /// Lets the listener answer to another host name, without a port: that of a container or of a
    /// service, or `host.docker.internal`. Call it once for each name.
    ///
    /// Loopback addresses, `localhost` and the names below it, and the hosts of accounts
    /// (`account.blob.core.windows.net`) are always allowed. The certificate of an https listener
    /// covers the allowed hosts too.
    ///
    /// # Panics
    ///
    /// If `name` is not a host name or an IP address.
    pub fn allow_host(mut self, name: &str) -> Self {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let good = name.parse::<IpAddr>().is_ok() || name.bytes().all(letter);
        assert!(good && !name.is_empty(), "{name:?} must be a host name without a port");
        self.allowed_hosts.push(name.to_owned());
        self
    }

    /// Starts a simulator that serves a port in the background until its last clone is dropped.
    ///
    /// Call it within a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the address and port cannot be bound.
    pub async fn start(self) -> io::Result<Simulator> {
        let listener = TcpListener::bind((self.address, self.port)).await?;
        let mut sim = self.build();
        sim.server = Some(Arc::new(server::spawn(sim.shared.clone(), listener)));
        Ok(sim)
    }
}
