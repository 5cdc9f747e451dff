//! How a simulator is made.

use std::{
    collections::BTreeMap,
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
    handle::service::Service,
    model::{
        account::{Account, Accounts},
        settings::{BearerRule, ListedSnapshot, Pace, Settings, SourceEcho},
        stamps::Stamps,
        state::State,
    },
    simulator::Simulator,
};
use blobcopy::Clock;

/// The account that a simulator has when none is given: the emulator's.
pub const DEFAULT_ACCOUNT: &str = "devstoreaccount1";

/// The well-known key of [`DEFAULT_ACCOUNT`]. It is no secret.
pub const DEFAULT_KEY: &str =
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==";

impl Simulator {
    /// Begins a simulator with settings of your own.
    pub fn builder() -> SimulatorBuilder {
        SimulatorBuilder::new()
    }
}

/// Builds a [`Simulator`]; from [`Simulator::builder`].
#[derive(Debug)]
#[must_use = "nothing is simulated until it is built or started"]
pub struct SimulatorBuilder {
    accounts: Vec<(String, String)>,
    second_keys: BTreeMap<String, String>,
    settings: Settings,
    clock: Option<Clock>,
    seed: u64,
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
            settings,
            clock: None,
            seed: 0,
            port: 0,
            address: Ipv4Addr::LOCALHOST.into(),
            allowed_hosts: Vec::new(),
            #[cfg(feature = "https")]
            https: false,
        }
    }

    /// Adds an account with its key in base64. Without any there is one, `devstoreaccount1`, with
    /// the well-known key of the emulator. A name that is given again takes the new key.
    ///
    /// # Panics
    ///
    /// When the name is not made of 3 to 24 lower-case letters and digits, or the key is not
    /// base64.
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

    /// A second key for an account, as good as the first: for tests of an application that changes
    /// from one to the other. The first one signs what the simulator signs itself.
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
    ///     assert!(service.list_containers().await?.items.is_empty());
    /// }
    /// # Ok(()) });
    /// ```
    ///
    /// # Panics
    ///
    /// When the account was not added before, or the key is not base64.
    pub fn second_key(mut self, account: &str, key: &str) -> Self {
        let known = self.accounts.iter().any(|(name, _)| name == account);
        assert!(known, "account {account:?} must be added before its second key");
        assert!(STANDARD.decode(key).is_ok(), "the key of account {account:?} must be base64");
        self.second_keys.insert(account.to_owned(), key.to_owned());
        self
    }

    /// Copies move this many bytes a second, instead of all at once.
    pub fn copy_rate(mut self, bytes_per_second: u64) -> Self {
        self.settings.pace = Pace::Rate(bytes_per_second);
        self
    }

    /// Copies take this long, whatever their size, instead of no time at all.
    pub fn copy_duration(mut self, time: Duration) -> Self {
        self.settings.pace = Pace::Time(time);
        self
    }

    /// How `x-ms-copy-source` shows a source afterwards.
    pub fn echo_source(mut self, echo: SourceEcho) -> Self {
        self.settings.echo = echo;
        self
    }

    /// What List Blobs calls the destination snapshot of an incremental copy.
    pub fn list_destination_snapshot(mut self, name: ListedSnapshot) -> Self {
        self.settings.listed_snapshot = name;
        self
    }

    /// Copies into one account run one after another, in the order in which they were started, as
    /// the service's own may. Without it all run at once.
    pub fn queue_copies(mut self, queued: bool) -> Self {
        self.settings.queued = queued;
        self
    }

    /// Accepts the bearer tokens for which `rule` says yes, over https only. Without it none is.
    pub fn accept_bearer(mut self, rule: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.settings.bearer = Some(BearerRule(Arc::new(rule)));
        self
    }

    /// Whether containers may be made public; they may, unless this says no.
    pub fn public_access(mut self, allowed: bool) -> Self {
        self.settings.public_access = allowed;
        self
    }

    /// The clock by which requests are checked and copies move. By default tokio's in process, and
    /// the computer's where a port is served; [Time](crate#time) says why.
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// Where ids and ETags come from: the same seed and the same requests give the same answers.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// A simulator to be called in process, through [`Simulator::transport`], with no socket. It
    /// begins at the computer's date and follows tokio's time, unless [`clock`](Self::clock) names
    /// another.
    pub fn build(mut self) -> Simulator {
        if self.accounts.is_empty() {
            self = self.account(DEFAULT_ACCOUNT, DEFAULT_KEY);
        }
        let account = |(name, key): &(String, String)| {
            let keys = [Some(key), self.second_keys.get(name)].into_iter().flatten();
            let keys = keys.map(|key| STANDARD.decode(key).unwrap_or_default()).collect();
            let (properties, containers) = Default::default();
            (name.clone(), Account { name: name.clone(), keys, properties, containers })
        };
        let service = Service {
            state: State {
                accounts: Accounts(self.accounts.iter().map(account).collect()),
                settings: self.settings,
                stamps: Stamps::new(self.seed),
                copies: Default::default(),
            },
            faults: FaultBook::new(self.seed),
            late: Default::default(),
            requests: Default::default(),
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

    /// Takes https beside http, on the same port, with a certificate made here that signs itself:
    /// [`Simulator::certificate_pem`]. Endpoints and connection strings then say `https`.
    #[cfg(feature = "https")]
    pub fn https(mut self) -> Self {
        self.https = true;
        self
    }

    /// The port that [`start`](SimulatorBuilder::start) listens on; without it any that is free.
    pub fn port(mut self, port: u16) -> Self {
        self.port = port;
        self
    }

    /// The address that [`start`](SimulatorBuilder::start) listens on: 127.0.0.1 without it.
    /// Another one, such as 0.0.0.0 in a container, opens the simulator to other machines, which
    /// may call it by any IP address; by name only with
    /// [`allow_host`](SimulatorBuilder::allow_host).
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

    /// A host that the listener answers to, without a port: the name of a container or of a
    /// service, or `host.docker.internal`. May be called several times.
    ///
    /// Loopback addresses, `localhost` and the names below it, and the hosts of accounts
    /// (`account.blob.core.windows.net`) need not be allowed. The certificate of an https listener
    /// is for the allowed hosts too.
    ///
    /// # Panics
    ///
    /// When `name` is not a host name or an IP address.
    pub fn allow_host(mut self, name: &str) -> Self {
        let letter = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let good = name.parse::<IpAddr>().is_ok() || name.bytes().all(letter);
        assert!(good && !name.is_empty(), "{name:?} must be a host name without a port");
        self.allowed_hosts.push(name.to_owned());
        self
    }

    /// A simulator that serves a port in the background until it is dropped, on the
    /// computer's clock unless [`clock`](Self::clock) names another.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// When no port can be had.
    pub async fn start(self) -> io::Result<Simulator> {
        let listener = TcpListener::bind((self.address, self.port)).await?;
        let mut sim = self.build();
        sim.server = Some(Arc::new(server::spawn(sim.shared.clone(), listener)));
        Ok(sim)
    }
}
