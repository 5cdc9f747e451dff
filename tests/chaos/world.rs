//! The world of one seed: a simulated service, its lanes, and the final checks.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use blobcopy::{BlobServiceClient, ClientOptions, Clock, Credential, RetryOptions};
use blobcopy_simulator::{Simulator, SourceEcho};
use fastrand::Rng;
use futures_util::future::join_all;
use time::{OffsetDateTime, macros::datetime};

use super::{Run, door::Door, faults::Faults, lane::Lane, truth::Truth};
use crate::support::events::Events;

/// Keys of the two accounts, known to the search for secrets.
const KEYS: [&str; 2] =
    ["Y2hhb3MgYWNjb3VudCBrZXkgbnVtYmVyIG9uZQ==", "Y2hhb3MgYWNjb3VudCBrZXkgbnVtYmVyIHR3bw=="];

/// How many destinations are copied to at the same time.
const LANES: usize = 4;

/// Shared by the lanes of one seed.
#[derive(Debug)]
pub(super) struct World {
    pub(super) seed: u64,
    pub(super) sim: Simulator,
    pub(super) truth: Arc<Truth>,
    /// How long a copy takes.
    pub(super) duration: Duration,
    /// The accounts of the sources and of the destinations; they may be the same.
    pub(super) accounts: [&'static str; 2],
    skew: time::Duration,
    blur: time::Duration,
    faults: Arc<Mutex<Faults>>,
    late: Arc<Mutex<Vec<tokio::task::JoinHandle<()>>>>,
}

impl World {
    /// Runs one seed.
    pub(super) async fn run(seed: u64) -> Run {
        let (events, listening) = Events::listen();
        let mut rng = Rng::with_seed(seed);
        let world = Arc::new(Self::new(seed, &mut rng));
        let lanes = (0..LANES).map(|number| {
            let (world, rng) = (world.clone(), Rng::with_seed(rng.u64(..)));
            async move { Lane::new(world, number, rng).await.run().await }
        });
        join_all(lanes).await;
        loop {
            let late = world.late.lock().expect("no thread panics while it holds it").pop();
            let Some(late) = late else { break };
            late.await.expect("an arrival does not panic");
        }
        drop(listening);
        let Ok(Self { truth, .. }) = Arc::try_unwrap(world) else { panic!("all lanes are over") };
        let mut book = std::mem::take(&mut *truth.book());
        book.secrets.extend(KEYS.map(str::to_owned));
        book.close();
        book.search(&events.lines());
        Run { tally: book.tally, wrong: book.wrong, log: book.log }
    }

    fn new(seed: u64, rng: &mut Rng) -> Self {
        let choose = |rng: &mut Rng, millis: &[u64]| millis[rng.usize(..millis.len())];
        let duration = choose(rng, &[0, 40, 700, 1_500, 5_000, 30_000, 90_000]);
        let trouble = choose(rng, &[0, 100, 250, 400, 600]);
        let way = Duration::from_millis(choose(rng, &[5, 25, 25, 400]));
        let skew = time::Duration::milliseconds(rng.i64(-600_000..=600_000));
        let echoes = [SourceEcho::Rewritten, SourceEcho::WithoutSas, SourceEcho::AsSent];
        let clock = Clock::starting_at(
            datetime!(2026-01-01 00:00 UTC) + time::Duration::milliseconds(rng.i64(0..1000)),
        );
        let sim = Simulator::builder()
            .account("chaosone", KEYS[0])
            .account("chaostwo", KEYS[1])
            .clock(clock)
            .copy_duration(Duration::from_millis(duration))
            .queue_copies(rng.u8(..10) == 0)
            .echo_source(echoes[rng.usize(..3)])
            .seed(seed)
            .build();
        sim.faults().skew_clock(skew);
        // Integers, because a test's seed should not depend on how floats are parsed.
        let trouble = f64::from(u32::try_from(trouble).expect("small")) / 1000.0;
        Self {
            seed,
            sim,
            truth: Arc::default(),
            duration: Duration::from_millis(duration),
            accounts: if rng.bool() { ["chaosone", "chaosone"] } else { ["chaosone", "chaostwo"] },
            skew,
            // Dates have whole seconds, and a check takes time.
            blur: time::Duration::SECOND + 3 * way,
            faults: Arc::new(Mutex::new(Faults::new(rng.u64(..), trouble, way))),
            late: Arc::default(),
        }
    }

    /// A client without faults.
    pub(super) fn clear(&self, account: &str) -> BlobServiceClient {
        self.client(account, None, ClientOptions::new())
    }

    /// The client under test.
    pub(super) fn spoilt(&self, account: &str, retry: RetryOptions) -> BlobServiceClient {
        let options = ClientOptions::new().retry(retry).attempt_timeout(Duration::from_secs(8));
        self.client(account, Some(self.faults.clone()), options)
    }

    fn client(
        &self,
        account: &str,
        faults: Option<Arc<Mutex<Faults>>>,
        options: ClientOptions,
    ) -> BlobServiceClient {
        let door = Door {
            sim: self.sim.transport(),
            clock: self.sim.clock().clone(),
            skew: self.skew,
            blur: self.blur,
            truth: self.truth.clone(),
            faults,
            late: self.late.clone(),
        };
        let key = KEYS[usize::from(account == "chaostwo")];
        BlobServiceClient::builder(
            format!("https://{account}.blob.core.windows.net").parse().expect("a URL"),
        )
        .credential(Credential::shared_key(account, key).expect("a key"))
        .options(options.transport(door))
        .build()
        .expect("a client")
    }

    pub(super) fn now(&self) -> OffsetDateTime {
        self.sim.clock().now()
    }
}

/// Lets paused time pass.
#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
pub(super) async fn sleep(time: Duration) {
    tokio::time::sleep(time).await;
}
