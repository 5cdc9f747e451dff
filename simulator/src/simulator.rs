//! A simulator, as tests use it.

use std::{collections::BTreeMap, fmt, io, sync::Arc};

use tokio::net::TcpListener;
use url::Url;

use blobcopy::Clock;

use crate::{
    control::{self, Copies, Faults, ManagedDisks},
    doors::{
        server::{self, ServerGuard},
        shared::Shared,
        transport::SimulatorTransport,
    },
    handle::requests::SeenRequest,
    wire::op::Op,
};

/// A simulated blob service. Clones share one state, and it is gone with the last clone.
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
    pub(crate) shared: Arc<Shared>,
    pub(crate) server: Option<Arc<ServerGuard>>,
}

impl Simulator {
    /// The connection string of the first account, path-style.
    ///
    /// Before the simulator listens, the host is `127.0.0.1:10000`. The in-process transport
    /// accepts any host.
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

    /// The connection string of an account, or `None` if the account does not exist.
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

    /// The names of the accounts, in the order in which they were added.
    ///
    /// ```
    /// # use blobcopy_simulator::Simulator;
    /// let sim = Simulator::builder().build();
    /// assert_eq!(sim.accounts().collect::<Vec<_>>(), ["devstoreaccount1"]);
    /// ```
    pub fn accounts(&self) -> impl Iterator<Item = &str> {
        self.shared.accounts.iter().map(|(name, _)| name.as_str())
    }

    /// The path-style endpoint of an account, without a slash at its end.
    ///
    /// ```
    /// # use blobcopy_simulator::Simulator;
    /// let sim = Simulator::builder().build();
    /// let endpoint = sim.endpoint("devstoreaccount1");
    /// assert_eq!(endpoint.as_str(), "http://127.0.0.1:10000/devstoreaccount1");
    /// ```
    pub fn endpoint(&self, account: &str) -> Url {
        let server = format!("{}://{}", self.shared.scheme(), self.shared.authority());
        let mut endpoint = Url::parse(&server).expect("a scheme and an address make a URL");
        endpoint.set_path(account);
        endpoint
    }

    /// The certificate that clients must trust, as PEM, if
    /// [`https`](crate::SimulatorBuilder::https) is on.
    ///
    /// ```
    /// # use blobcopy_simulator::Simulator;
    /// let sim = Simulator::builder().https().build();
    /// assert!(sim.certificate_pem().unwrap().starts_with("-----BEGIN CERTIFICATE-----"));
    /// assert_eq!(sim.endpoint("devstoreaccount1").scheme(), "https");
    /// ```
    #[cfg(feature = "https")]
    pub fn certificate_pem(&self) -> Option<&str> {
        self.shared.tls.as_ref().map(|tls| tls.certificate_pem.as_str())
    }

    /// A transport that calls the simulator in process, without a socket.
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
    /// From now on the simulator uses the computer's clock, unless its builder set one.
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
    /// If the listener has no local address.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        self.shared.listens_at(address);
        server::serve(&self.shared, listener, shutdown).await;
        Ok(())
    }

    /// The simulator's clock.
    pub fn clock(&self) -> &Clock {
        &self.shared.clock
    }

    /// Makes requests fail on purpose.
    pub fn faults(&self) -> Faults {
        Faults(self.shared.clone())
    }

    /// Controls copies: hold, release, complete, fail and count them.
    pub fn copies(&self) -> Copies {
        Copies(self.shared.clone())
    }

    /// Makes managed disks and their snapshots. See
    /// [managed disks](crate#managed-disks) for what they are here.
    pub fn managed_disks(&self) -> ManagedDisks {
        ManagedDisks(self.shared.clone())
    }

    /// Makes a container, unless it exists, and `count` block blobs of `bytes` bytes in it, named
    /// `blob-00000000` and so on.
    ///
    /// Their contents are random and share one buffer, so a million blobs of 64 KiB need no more
    /// memory than a million empty ones: 0.8 GB. About 65,000 blobs in a row have different
    /// contents.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |_| {
    /// use blobcopy_simulator::{DEFAULT_ACCOUNT, Simulator};
    ///
    /// let sim = Simulator::builder().build();
    /// sim.fill(DEFAULT_ACCOUNT, "source", 3, 1024);
    /// let source = sim.service_client()?.container_client("source");
    /// let last = source.blob_client("blob-00000002").get_properties().await?;
    /// assert_eq!(last.content_length, 1024);
    /// # Ok(()) });
    /// ```
    ///
    /// # Panics
    ///
    /// If the account does not exist.
    pub fn fill(&self, account: &str, container: &str, count: usize, bytes: usize) {
        control::fill(&self.shared, account, container, count, bytes);
    }

    /// The latest 4,096 requests, oldest first;
    /// [`keep_requests`](crate::SimulatorBuilder::keep_requests) sets how many.
    pub fn requests(&self) -> Vec<SeenRequest> {
        self.shared.current().requests.latest()
    }

    /// How many requests for an operation there were.
    pub fn count(&self, op: Op) -> u64 {
        self.shared.current().requests.count(op)
    }

    /// How many requests for each operation there were.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |_| {
    /// use blobcopy_simulator::{Op, Simulator};
    ///
    /// let sim = Simulator::builder().build();
    /// sim.service_client()?.container_client("vhds").create().await?;
    /// assert_eq!(sim.counts().into_iter().collect::<Vec<_>>(), [(Op::CreateContainer, 1)]);
    /// # Ok(()) });
    /// ```
    pub fn counts(&self) -> BTreeMap<Op, u64> {
        self.shared.current().requests.counts()
    }

    /// Clears [`requests`](Self::requests) and [`count`](Self::count).
    pub fn forget_requests(&self) {
        self.shared.current().requests.clear();
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("endpoint", &self.endpoint(self.shared.first_account()).as_str())
            .finish()
    }
}
