//! Mirrors of managed disks: access by Azure Resource Manager, and by JSON lines.

mod plans;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use blobcopy::{
    AccessToken, Clock, Credential, CredentialError, PageBlobClient, ResourceManager, RetryOptions,
    TokenProvider,
    disks::{
        Chain, DiskSnapshotList, Keep, ManagedSnapshots, MirrorError, MirrorReport, MirrorWarning,
        SnapshotMirror,
    },
    transport::{BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind},
};
use blobcopy_simulator::{GrantUrl, ManagedDisk, Op, Simulator, SimulatorTransport};
use time::macros::datetime;

use super::world::{MIB, client, content};

const HOUR: Duration = Duration::from_secs(3600);
const TIB: u64 = 1 << 40;

#[derive(Debug)]
struct Login;

impl TokenProvider for Login {
    fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        Box::pin(async { Ok(AccessToken::new("TOKEN", datetime!(2030-01-01 00:00 UTC))) })
    }
}

/// A connection to the simulator that takes its time, and on which something happens at a request.
#[derive(Debug, Clone)]
struct Line {
    inner: SimulatorTransport,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    sent: u64,
    latency: Duration,
    event: Option<(u64, Event)>,
}

#[derive(Debug, Clone)]
enum Event {
    /// Somebody revokes all access.
    Revoked(ManagedDisk),
    /// The process dies: before the request is sent, or before it is answered.
    Dead { answered: bool },
}

impl Transport for Line {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            let dead = || {
                TransportError::with_message(TransportErrorKind::Unusable, "the process is dead")
            };
            let (latency, event) = {
                let mut state = self.state.lock().expect("no test panics while it holds it");
                state.sent += 1;
                let sent = state.sent;
                let event = state.event.clone().filter(|(at, event)| match event {
                    Event::Dead { .. } => *at <= sent,
                    Event::Revoked(_) => *at == sent,
                });
                (state.latency, event)
            };
            if !latency.is_zero() {
                crate::support::script::pass(latency).await;
            }
            match event {
                None => self.inner.send(request).await,
                Some((_, Event::Revoked(disk))) => {
                    disk.snapshots().iter().for_each(|snapshot| snapshot.revoke());
                    self.inner.send(request).await
                }
                Some((at, Event::Dead { answered })) => {
                    let is_last = self.state.lock().expect("unlocked").sent == at;
                    if answered && is_last {
                        let _ = self.inner.send(request).await;
                    }
                    Err(dead())
                }
            }
        })
    }

    fn clock(&self) -> Option<Clock> {
        self.inner.clock()
    }
}

/// A managed disk, and a backup in a storage account.
struct World {
    sim: Simulator,
    disk: ManagedDisk,
    state: Arc<Mutex<State>>,
    backup: PageBlobClient,
}

impl World {
    async fn new(size: u64) -> Self {
        let sim = Simulator::builder()
            .clock(Clock::starting_at(datetime!(2026-01-01 12:00 UTC)))
            .account("far", "ZmFy")
            .accept_bearer(|token| token == "TOKEN")
            .build();
        let far = client(&sim, "far", sim.client_options());
        let container = far.container_client("backups");
        container.create().await.expect("created");
        let disk = sim.managed_disks().create("group", "disk0", size);
        let backup = container.page_blob_client("disk0.vhd");
        Self { sim, disk, state: Arc::default(), backup }
    }

    /// Writes here and there, clears something, and takes a snapshot.
    fn grow(&self, number: u64) {
        let size = self.disk.size();
        let tone = u8::try_from(number % 200 + 1).expect("small");
        for at in 0..4 {
            let place = (number * 7919 + at * 104_729) * 512 % (size - 4096) / 512 * 512;
            self.disk.write(place, &vec![tone; 2048]);
        }
        self.disk.clear(number * 512..number * 512 + 1024);
        self.sim.clock().advance(HOUR);
        self.disk.snapshot(&format!("disk0-{number}"));
    }

    fn options(&self) -> blobcopy::ClientOptions {
        let line = Line { inner: self.sim.transport(), state: Arc::clone(&self.state) };
        self.sim.client_options().transport(line)
    }

    fn source(&self) -> ManagedSnapshots {
        let subscription = self.sim.managed_disks().subscription();
        let manager = ResourceManager::builder(subscription, "group", "disk0")
            .credential(Credential::token(Login))
            .options(self.options());
        ManagedSnapshots::new(manager.build().expect("legal")).options(self.options())
    }

    fn mirror_of(&self, source: ManagedSnapshots) -> SnapshotMirror {
        // A token for the source goes to the destination too, and so over https only.
        let url = "https://far.blob.core.windows.net/backups/disk0.vhd".parse().expect("a URL");
        let key = Credential::shared_key("far", "ZmFy").expect("a key");
        let builder = PageBlobClient::builder(url).credential(key).options(self.options());
        SnapshotMirror::new(source, &builder.build().expect("a client"))
    }

    async fn run(&self) -> Result<MirrorReport, MirrorError> {
        self.mirror_of(self.source()).run().await
    }

    fn set(&self, latency: Duration, event: Option<(u64, Event)>) {
        *self.state.lock().expect("unlocked") = State { sent: 0, latency, event };
    }

    fn sent(&self) -> u64 {
        self.state.lock().expect("unlocked").sent
    }

    /// Checks that each snapshot is there once and equal, and that no access is left.
    async fn expect_equal(&self) -> Chain {
        assert_eq!(self.disk.granted(), 0, "access is left");
        assert!(self.disk.most_granted() <= 5);
        self.disk.require_bearer(false);
        let chain = self.mirror_of(self.source()).chain().await.expect("listed");
        let equals: Vec<_> = chain.snapshots.iter().filter_map(|it| it.equals.clone()).collect();
        let wanted: Vec<_> = self.disk.snapshots().iter().map(|snapshot| snapshot.id()).collect();
        assert_eq!(equals, wanted);
        for (copy, snapshot) in chain.snapshots.iter().zip(self.disk.snapshots()) {
            let url = snapshot.grant(HOUR).expect("granted");
            let builder = PageBlobClient::builder(url).options(self.sim.client_options());
            let original = builder.build().expect("a client");
            let copied = copy.client(&self.backup);
            assert_eq!(copy.length, snapshot.size().expect("there") + 512);
            same(&original, &copied).await;
            snapshot.revoke();
        }
        chain
    }
}

/// Compares byte for byte; of a large disk, all that either has.
async fn same(original: &PageBlobClient, copied: &PageBlobClient) {
    let length = original.get_properties().await.expect("there").content_length;
    assert_eq!(length, copied.get_properties().await.expect("there").content_length);
    if length < 64 * MIB {
        assert!(content(original).await == content(copied).await, "another content");
        return;
    }
    for of in [original, copied] {
        for range in of.get_page_ranges().collect_all().await.expect("listed").ranges {
            let read = async |blob: &PageBlobClient| {
                let opened = blob.download().range(range.start..range.end).await.expect("opened");
                opened.bytes().await.expect("read")
            };
            assert!(read(original).await == read(copied).await, "{range:?} differs");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_managed_disk_is_mirrored_byte_for_byte_over_hops_and_resizes() {
    for form in [GrantUrl::Blob, GrantUrl::BlobWithPolicy, GrantUrl::Snapshot] {
        let world = World::new(4 * MIB).await;
        world.disk.grant_urls(form);
        world.sim.managed_disks().operations_take(Duration::from_secs(3));
        for number in 0..3 {
            world.grow(number);
        }
        let first = world.run().await.expect("mirrored");
        assert_eq!(first.hops.len(), 3);
        world.disk.resize(6 * MIB);
        world.grow(3);
        world.grow(4);
        let second = world.run().await.expect("mirrored");
        let whole: Vec<_> = first.hops.iter().chain(&second.hops).map(|hop| hop.whole).collect();
        assert_eq!(whole, [true, false, false, false, false], "{form:?}");
        assert_eq!(world.run().await.expect("nothing to do").hops.len(), 0);
        assert_eq!(world.disk.most_granted(), 2, "access is given back after each hop");
        world.expect_equal().await;
    }
}

#[tokio::test(start_paused = true)]
async fn across_four_tebibytes_everything_is_copied_since_there_is_no_difference() {
    let world = World::new(4 * TIB - MIB).await;
    world.grow(0);
    world.grow(1);
    world.run().await.expect("mirrored");
    world.disk.resize(5 * TIB);
    world.grow(2);
    world.grow(3);
    let report = world.run().await.expect("mirrored");
    let whole: Vec<_> = report.hops.iter().map(|hop| hop.whole).collect();
    assert_eq!(whole, [true, false]);
    world.expect_equal().await;
}

#[tokio::test(start_paused = true)]
async fn only_complete_incremental_snapshots_of_the_one_disk_are_mirrored() {
    let world = World::new(MIB).await;
    world.grow(0);
    let full = world.disk.full_snapshot("full");
    world.grow(1);
    let half = world.disk.snapshots().pop().expect("there");
    half.set_completion(40.0);
    world.sim.managed_disks().create("group", "disk1", MIB).snapshot("of another disk");
    let report = world.run().await.expect("mirrored");
    assert_eq!(report.hops.len(), 1);
    half.set_completion(100.0);
    world.run().await.expect("mirrored");
    full.delete();
    world.expect_equal().await;

    // One that is completed after a later one is not passed over.
    world.grow(2);
    let middle = world.disk.snapshots().pop().expect("there");
    middle.set_completion(40.0);
    world.grow(3);
    let report = world.run().await.expect("nothing to copy yet");
    let warning = MirrorWarning::Incomplete { snapshot: middle.id() };
    assert_eq!((report.hops.len(), report.warnings), (0, vec![warning]));
    middle.set_completion(100.0);
    assert_eq!(world.run().await.expect("mirrored").hops.len(), 2);

    let again = world.sim.managed_disks().create("group", "disk0", MIB);
    again.snapshot("of a disk that was made again");
    let report = world.run().await.expect("the disk that the destination has");
    let warning = MirrorWarning::OtherDisk { disk: again.unique_id() };
    assert_eq!((report.present, report.warnings), (4, vec![warning]));
    let verified = world.mirror_of(world.source()).verify().await.expect("that disk");
    assert_eq!(verified.snapshots.len(), 4);
    let elsewhere = world.backup.container_client().page_blob_client("new.vhd");
    let error = SnapshotMirror::new(world.source(), &elsewhere).run().await;
    let error = error.expect_err("two disks").to_string();
    assert!(error.contains(&world.disk.unique_id()) && error.contains(&again.unique_id()));
    let one = world.source().disk(world.disk.unique_id());
    assert_eq!(world.mirror_of(one).run().await.expect("one disk").present, 4);
    let other = world.source().disk(again.unique_id());
    let error = world.mirror_of(other).run().await.expect_err("another disk").to_string();
    assert!(error.contains("is a mirror of"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn access_is_renewed_in_mid_hop() {
    let world = World::new(8 * MIB).await;
    for number in 0..3 {
        world.grow(number);
    }
    world.set(Duration::from_secs(2), None);
    let source = world.source().grant_for(Duration::from_secs(20));
    world.mirror_of(source).in_flight(1).run().await.expect("mirrored");
    let grants = world.sim.count(blobcopy_simulator::Op::GrantSnapshotAccess);
    assert!(grants > 3, "{grants}");
    world.set(Duration::ZERO, None);
    world.expect_equal().await;
}

#[tokio::test(start_paused = true)]
async fn access_that_somebody_revokes_at_any_request_is_granted_again() {
    for at in 1.. {
        let world = World::new(MIB).await;
        for number in 0..3 {
            world.grow(number);
        }
        world.set(Duration::ZERO, Some((at, Event::Revoked(world.disk.clone()))));
        world.run().await.unwrap_or_else(|error| panic!("request {at}: {error}"));
        let sent = world.sent();
        world.expect_equal().await;
        if sent < at {
            assert!(at > 30, "{at} requests");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_that_dies_at_any_request_leaves_no_access_after_the_next() {
    for at in (1..).step_by(3) {
        let mut ended = false;
        for answered in [false, true] {
            let world = World::new(MIB).await;
            for number in 0..3 {
                world.grow(number);
            }
            world.set(Duration::ZERO, Some((at, Event::Dead { answered })));
            let died = world.run().await;
            ended = died.is_ok();
            world.set(Duration::ZERO, None);
            let next = world.mirror_of(world.source()).take_lock().run().await;
            next.unwrap_or_else(|error| panic!("after request {at}: {error}"));
            world.expect_equal().await;
        }
        if ended {
            assert!(at > 30, "{at} requests");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_that_demands_a_token_beside_the_sas_gets_both() {
    let world = World::new(MIB).await;
    world.disk.require_bearer(true);
    world.grow(0);
    world.grow(1);
    let error = world.run().await.expect_err("no token").to_string();
    assert!(error.contains("a bearer token beside the SAS"), "{error}");
    assert_eq!(world.sim.count(Op::GrantSnapshotAccess), 0);
    let source = world.source().credential(Credential::token(Login));
    assert_eq!(world.mirror_of(source).run().await.expect("mirrored").hops.len(), 2);
    world.expect_equal().await;
}

#[tokio::test(start_paused = true)]
async fn lines_with_urls_leave_the_notes_of_other_access_alone() {
    let world = World::new(MIB).await;
    world.grow(0);
    world.grow(1);
    // A run dies while it holds access.
    world.set(Duration::ZERO, Some((25, Event::Dead { answered: true })));
    world.run().await.expect_err("dead");
    assert!(world.disk.granted() > 0, "it was granted access");
    world.set(Duration::ZERO, None);
    let line = |snapshot: &blobcopy_simulator::ManagedSnapshot| {
        let format = time::format_description::well_known::Rfc3339;
        let created = snapshot.created().expect("there").format(&format).expect("a time");
        let (id, url) = (snapshot.id(), snapshot.grant(HOUR).expect("granted"));
        let disk = world.disk.unique_id();
        serde_json::json!({"snapshot": id, "created": created, "disk": disk, "url": url})
            .to_string()
    };
    let lines: Vec<_> = world.disk.snapshots().iter().map(line).collect();
    let list: DiskSnapshotList = lines.join("\n").parse().expect("a list");
    let source = ManagedSnapshots::new(list).options(world.options());
    let plan = world.mirror_of(source.clone()).plan().await.expect("planned");
    assert!(plan.known_bytes().is_some(), "the access is there: {plan}");
    world.mirror_of(source).take_lock().run().await.expect("mirrored");
    assert_eq!(world.disk.granted(), 2, "nothing is revoked");
    // The next run with the first access gives back what is noted.
    world.run().await.expect("mirrored");
    let first = &world.disk.snapshots()[0];
    assert!(!first.is_granted(), "it was noted");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_others_read_is_mirrored_only_to_take_it_over() {
    let world = World::new(MIB).await;
    world.grow(0);
    world.disk.snapshots()[0].grant(HOUR).expect("granted");
    let error = world.run().await.expect_err("in use").to_string();
    assert!(error.contains("somebody else has access"), "{error}");
    assert_eq!(world.disk.granted(), 1, "it is left alone");
    let source = world.source().take_over(true);
    world.mirror_of(source).run().await.expect("mirrored");
    world.expect_equal().await;
}

#[tokio::test(start_paused = true)]
async fn json_lines_stand_for_access_that_was_granted_by_other_means() {
    let world = World::new(MIB).await;
    for number in 0..3 {
        world.grow(number);
    }
    let lines = |with_size: bool| {
        let line = |snapshot: &blobcopy_simulator::ManagedSnapshot| {
            let format = time::format_description::well_known::Rfc3339;
            serde_json::json!({
                "snapshot": snapshot.id(),
                "created": snapshot.created().expect("there").format(&format).expect("a time"),
                "disk": world.disk.unique_id(),
                "url": snapshot.grant(HOUR).expect("granted"),
                "size": snapshot.size().filter(|_| with_size),
            })
            .to_string()
        };
        let lines: Vec<_> = world.disk.snapshots().iter().map(line).collect();
        lines.join("\n").parse::<DiskSnapshotList>().expect("a list")
    };
    let source = ManagedSnapshots::new(lines(false)).options(world.options());
    let report = world.mirror_of(source).run().await.expect("mirrored");
    assert_eq!(report.hops[0].destination.length, MIB + 512, "the length is learnt");
    assert_eq!(world.disk.granted(), 3, "what others granted is theirs to revoke");
    world.disk.snapshots().iter().for_each(|snapshot| snapshot.revoke());
    world.expect_equal().await;

    // Access that has ended cannot be renewed.
    world.grow(3);
    let list = lines(true);
    world.disk.snapshots()[3].revoke();
    let options = world.options().retry(RetryOptions::none());
    let source = ManagedSnapshots::new(list).options(options);
    let error = world.mirror_of(source).run().await.expect_err("revoked").to_string();
    assert!(error.contains("403"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn ids_that_are_written_in_another_case_name_the_same_snapshots() {
    let world = World::new(MIB).await;
    world.grow(0);
    world.grow(1);
    world.run().await.expect("mirrored");
    let snapshots = world.disk.snapshots();
    let line = |snapshot: &blobcopy_simulator::ManagedSnapshot| {
        let format = time::format_description::well_known::Rfc3339;
        serde_json::json!({
            "snapshot": snapshot.id().to_uppercase(),
            "created": snapshot.created().expect("there").format(&format).expect("a time"),
            "disk": world.disk.unique_id().to_uppercase(),
            "url": snapshot.grant(HOUR).expect("granted"),
        })
        .to_string()
    };
    let lines: Vec<_> = snapshots.iter().map(line).collect();
    let list = lines.join("\n").parse::<DiskSnapshotList>().expect("a list");
    let source = ManagedSnapshots::new(list).options(world.options());
    let report = world.mirror_of(source).run().await.expect("up to date");
    assert_eq!((report.hops.len(), report.present), (0, 2));
}

#[tokio::test(start_paused = true)]
async fn a_run_warns_that_the_snapshot_which_the_next_hop_needs_is_gone_or_about_to_go() {
    let world = World::new(MIB).await;
    world.grow(0);
    world.grow(1);
    world.run().await.expect("mirrored");
    world.grow(2);
    let keep = Keep::new().last(1);
    let tip = world.disk.snapshots()[1].id();
    let mirror = world.mirror_of(world.source());
    let due = MirrorWarning::AboutToBePruned { snapshot: tip.clone() };
    assert_eq!(mirror.pruning_source(&keep).plan().await.expect("planned").warnings, [due]);
    world.disk.snapshots()[1].delete();
    let gone = MirrorWarning::LastSourceSnapshotGone { snapshot: tip };
    let report = world.run().await.expect("mirrored");
    assert_eq!((report.hops.len(), report.hops[0].whole), (1, true));
    assert_eq!(report.warnings, [gone]);
    assert_eq!(world.run().await.expect("nothing to do").warnings, []);
}
