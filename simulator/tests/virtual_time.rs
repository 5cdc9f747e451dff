//! In-process simulators and their clients follow tokio's time; listening simulators do not.

use std::time::Duration;

use blobcopy::{
    BlobServiceClient, ClientOptions, Clock, CopyStatus, Error, ErrorCode, RetryOptions,
    transport::{BoxFuture, Request, Response, Transport, TransportError},
};
use blobcopy_simulator::{Simulator, SimulatorTransport};
use time::macros::datetime;
use tokio::runtime;

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The test that both documentation pages of the simulator show.
#[tokio::test(start_paused = true)]
async fn a_backup_of_13_days_completes() -> blobcopy::Result<()> {
    let days = |days: u64| Duration::from_secs(days * 24 * 3600);
    let sim = Simulator::builder().copy_duration(days(13)).build();
    let vhds = sim.service_client()?.container_client("vhds");
    vhds.create().await?;
    let disk = vhds.page_blob_client("disk0.vhd");
    disk.create(1 << 20).await?;
    let snapshot = disk.create_snapshot().await?.snapshot;

    let begun = sim.clock().now();
    let backup = vhds.page_blob_client("backup/disk0.vhd");
    let mut copy = backup.start_copy_incremental(&disk, &snapshot).await?;
    copy.wait().await?;

    assert_eq!(backup.get_properties().await?.copy.unwrap().status, CopyStatus::Success);
    assert!(sim.clock().now() - begun >= days(13));
    Ok(())
}

#[test]
fn the_pages_show_the_test_that_runs_here() {
    let here = include_str!("virtual_time.rs");
    let start = here.find("#[tokio::test").expect("the first test");
    let length = here[start..].find("\n}\n").expect("its end");
    let shown: Vec<&str> = here[start..start + length + 2].lines().collect();
    let guide = include_str!("../../docs/simulator.md");
    assert!(guide.contains(&shown.join("\n")), "docs/simulator.md shows another test");
    let module = include_str!("../src/lib.rs").lines();
    let module = module.filter_map(|line| line.strip_prefix("//!"));
    let module = module.map(|line| line.strip_prefix(' ').unwrap_or(line));
    let module: Vec<&str> = module.filter(|line| !line.starts_with("# ")).collect();
    assert!(module.join("\n").contains(&shown.join("\n")), "the module page shows another test");
}

#[tokio::test(start_paused = true)]
async fn clients_made_in_any_way_go_by_the_clock_of_their_transport() {
    let sim = Simulator::builder().copy_duration(DAY).build();
    let options = [
        ClientOptions::new().transport(sim.transport()),
        ClientOptions::new().transport(Wrapper(sim.transport())),
        sim.client_options(),
    ];
    for (number, options) in options.into_iter().enumerate() {
        let begun = sim.clock().now();
        let client = client(&sim, options);
        copy_notes(&client, &format!("container{number}")).await.expect("a copy");
        assert!(sim.clock().now() - begun >= DAY, "{number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_clock_that_the_options_name_counts_more_than_the_transports() {
    let named = Clock::starting_at(datetime!(2001-01-01 00:00 UTC));
    let sim = Simulator::builder().build();
    let options = ClientOptions::new().retry(RetryOptions::none()).clock(named);
    let lost = client(&sim, options.transport(sim.transport()));
    let refused = lost.container_client("vhds").create().await.expect_err("a date long gone");
    assert_eq!(refused.code(), Some(&ErrorCode::AuthenticationFailed));
    let seen = sim.requests();
    assert_eq!(seen.len(), 1, "{seen:?}");
}

/// The simulator may be created before any runtime, and used after its runtime has ended.
#[test]
fn outside_a_runtime_no_time_is_lost() {
    let sim = Simulator::builder().copy_duration(DAY).build();
    let begun = sim.clock().now();
    assert!((begun - Clock::system().now()).abs() < Duration::from_secs(3600));
    let runtime = runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(async {
        copy_notes(&sim.service_client().expect("a client"), "vhds").await.expect("a copy");
    });
    assert_eq!(sim.copies().pending(), 0);
    assert!(sim.clock().now() - begun >= DAY);
}

#[tokio::test(start_paused = true)]
async fn a_simulator_that_listens_stays_on_the_computers_clock() {
    let started = Simulator::builder().start().await.expect("a port");
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.expect("a port");
    let served = Simulator::builder().build();
    let client = served.service_client().expect("a client");
    served.serve(listener, std::future::ready(())).await.expect("an address");
    let named = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let own = Simulator::builder().clock(named).start().await.expect("a port");

    pass(DAY).await;
    for sim in [&started, &served] {
        let off = (sim.clock().now() - Clock::system().now()).abs();
        assert!(off < Duration::from_secs(3600), "{off}");
    }
    client.container_client("vhds").create().await.expect("the clients go with it");
    assert!(own.clock().now() >= datetime!(2026-01-02 00:00 UTC));
}

/// Wraps a transport unchanged, and passes on its clock.
#[derive(Debug)]
struct Wrapper(SimulatorTransport);

impl Transport for Wrapper {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.0.send(request)
    }

    fn clock(&self) -> Option<Clock> {
        self.0.clock()
    }
}

fn client(sim: &Simulator, options: ClientOptions) -> BlobServiceClient {
    BlobServiceClient::builder_from_connection_string(&sim.connection_string())
        .and_then(|builder| builder.options(options).build())
        .expect("a client")
}

async fn copy_notes(service: &BlobServiceClient, container: &str) -> Result<(), Error> {
    let container = service.container_client(container);
    container.create().await?;
    let notes = container.block_blob_client("notes.txt");
    notes.upload("some notes").await?;
    let copy = container.blob_client("copy.txt");
    copy.start_copy_from_uri(&notes).await?.wait().await?;
    Ok(())
}

#[allow(clippy::disallowed_methods)]
async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
