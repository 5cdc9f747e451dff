use std::sync::Mutex as Guarded;

use ::blobcopy as face;
use blobcopy_simulator::{ManagedDisk, Simulator, SimulatorTransport};
use face::transport::Transport as _;
use futures_util::{FutureExt, TryStreamExt};
use http::{HeaderMap, StatusCode};
use time::macros::datetime;
use url::Url;

use super::*;
use crate::{
    ClientOptions, RetryOptions,
    disks::{GrantAccess, source::Opened},
    models::PageRange,
    pipeline::response::service_error,
    transport::{
        Body, BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind as Kind,
    },
};

#[path = "grants_late_tests.rs"]
mod late;

const HOUR: Duration = Duration::from_secs(3600);

/// The simulator's types are those of the library as others see it, so each request passes from one
/// build of the crate to the other.
#[derive(Debug)]
struct Door(SimulatorTransport);

impl Transport for Door {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async {
            let (method, url, headers, body) = request.into_parts();
            let request = face::transport::Request::new(method, url, headers, body);
            let broken = |error: face::transport::TransportError| {
                TransportError::with_message(Kind::Interrupted, error.to_string())
            };
            let (status, headers, body) = self.0.send(request).await.map_err(broken)?.into_parts();
            let pieces: Vec<_> = body.try_collect().await.map_err(broken)?;
            Ok(Response::new(status, headers, Body::from(bytes::Bytes::from(pieces.concat()))))
        })
    }
}

/// What happened, in order, and what shall go wrong.
#[derive(Debug, Default)]
struct Log {
    steps: Vec<String>,
    /// All steps after so many fail, as if the process were dead.
    dead_after: Option<usize>,
    /// A grant that is applied, and whose answer is lost; and whether its error says that.
    lose_grant: Option<bool>,
    fail_revokes: bool,
    /// How much of each snapshot is there; by default all.
    completion: Option<f64>,
    needs_token: Option<bool>,
    may_grant_late: bool,
}

#[derive(Debug, Clone, Default)]
struct Steps(Arc<Guarded<Log>>);

impl Steps {
    fn log(&self) -> std::sync::MutexGuard<'_, Log> {
        self.0.lock().expect("no test panics while it holds it")
    }

    fn step(&self, step: String) -> Result<()> {
        let mut log = self.log();
        log.steps.push(step);
        match log.dead_after {
            Some(most) if log.steps.len() > most => Err(refusal(StatusCode::BAD_REQUEST, "Dead")),
            _ => Ok(()),
        }
    }

    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.log().steps)
    }
}

fn refusal(status: StatusCode, code: &str) -> Error {
    let body = format!("<Error><Code>{code}</Code><Message>No.</Message></Error>");
    let error = service_error("Grant", status, &HeaderMap::new(), body.as_bytes());
    Error::Service(Box::new(error))
}

/// Grants as Resource Manager does, and as somebody else sees it.
#[derive(Debug, Clone)]
struct ByHand {
    disk: ManagedDisk,
    steps: Steps,
}

impl ByHand {
    fn named(&self, name: &str) -> blobcopy_simulator::ManagedSnapshot {
        self.disk.snapshots().into_iter().find(|it| it.name() == name).expect("a snapshot")
    }
}

impl GrantAccess for ByHand {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ManagedSnapshot>>> {
        let Log { completion, needs_token, .. } = *self.steps.log();
        let listed = self.disk.snapshots().into_iter().map(|it| ManagedSnapshot {
            id: it.name().to_owned(),
            disk: self.disk.unique_id(),
            time: it.created().expect("it exists"),
            size: it.size(),
            is_incremental: true,
            completion: completion.unwrap_or(100.0),
            is_granted: it.is_granted(),
            needs_token,
        });
        let listed = listed.collect();
        Box::pin(async { Ok(listed) })
    }

    fn grant<'a>(&'a self, snapshot: &'a str, duration: Duration) -> BoxFuture<'a, Result<Url>> {
        Box::pin(async move {
            self.steps.step(format!("grant {snapshot}"))?;
            let granted = self.named(snapshot).grant(duration);
            let granted = granted.ok_or_else(|| refusal(StatusCode::CONFLICT, "TooMany"))?;
            match self.steps.log().lose_grant.take() {
                Some(ambiguous) => Err(Error::Timeout {
                    operation: "Grant",
                    url: String::new(),
                    limit: HOUR,
                    attempts: 1,
                    ambiguous,
                }),
                None => Ok(granted),
            }
        })
    }

    fn revoke<'a>(&'a self, snapshot: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            self.steps.step(format!("revoke {snapshot}"))?;
            if self.steps.log().fail_revokes {
                return Err(refusal(StatusCode::CONFLICT, "Busy"));
            }
            self.named(snapshot).revoke();
            Ok(())
        })
    }

    fn may_grant_late(&self, _: &str) -> bool {
        self.steps.log().may_grant_late
    }
}

/// The note, which outlives a run.
#[derive(Debug, Clone, Default)]
struct Note(Arc<Guarded<Vec<String>>>, Steps);

impl NotedGrants for Note {
    fn noted(&self) -> BoxFuture<'_, Result<Vec<String>>> {
        let noted = self.0.lock().expect("unlocked").clone();
        Box::pin(async { Ok(noted) })
    }

    fn note(&self, snapshots: Vec<String>) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            self.1.step(format!("note {}", snapshots.join(",")))?;
            *self.0.lock().expect("unlocked") = snapshots;
            Ok(())
        })
    }
}

struct World {
    access: ByHand,
    note: Note,
    steps: Steps,
    source: ManagedSnapshots,
}

impl World {
    /// A disk with snapshots `0`, `1` and so on.
    fn new(snapshots: usize) -> Self {
        let clock = face::Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
        let sim = Simulator::builder().clock(clock).build();
        let disk = sim.managed_disks().create("group", "disk0", 1 << 20);
        for at in 0..snapshots {
            disk.write(512 * at as u64, &[7; 512]);
            disk.snapshot(&at.to_string());
        }
        let steps = Steps::default();
        let note = Note(Arc::default(), steps.clone());
        let access = ByHand { disk, steps: steps.clone() };
        let options = ClientOptions::new().transport(Door(sim.transport()));
        let clock = crate::Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
        let options = options.retry(RetryOptions::none()).clock(clock);
        let source = ManagedSnapshots::new(access.clone()).grant_for(HOUR).options(options);
        Self { access, note, steps, source }
    }

    async fn begin(&self) -> Arc<Grants> {
        let notes = Arc::new(self.note.clone());
        Grants::begin(self.source.clone(), notes).await.expect("begun")
    }

    async fn snapshots(&self) -> Vec<SourceSnapshot> {
        let found = Grants::list(&self.source, None).await.expect("listed");
        assert_eq!(found.id, self.access.disk.unique_id());
        found.snapshots
    }

    fn granted(&self) -> usize {
        self.access.disk.granted()
    }
}

async fn reads(client: &PageBlobClient) -> bool {
    client.get_properties().await.is_ok()
}

/// The text of an error after which another run can do it.
fn passing(opened: Result<PageBlobClient, MirrorError>) -> String {
    let error = opened.expect_err("not now");
    assert!(matches!(error, MirrorError::NotNow { .. }) && error.is_passing(), "{error:?}");
    error.to_string()
}

async fn pass(time: Duration) {
    clock::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn access_is_noted_before_it_is_granted_and_given_back_before_it_is_forgotten() {
    let world = World::new(2);
    let (grants, found) = (world.begin().await, world.snapshots().await);
    assert_eq!(found[0].length, Some((1 << 20) + 512));
    let client = grants.client(&found[0]).await.expect("granted");
    assert!(reads(&client).await);
    grants.client(&found[0]).await.expect("still there");
    assert_eq!(world.steps.take(), ["note 0", "grant 0"]);
    grants.client(&found[1]).await.expect("granted");
    assert_eq!(world.steps.take(), ["note 0,1", "grant 1"]);
    grants.give_back(&found[0]).await;
    grants.give_back(&found[0]).await;
    assert_eq!(world.steps.take(), ["revoke 0", "note 1"]);
    assert!(!reads(&client).await);
    assert_eq!(grants.end().await, []);
    assert_eq!((world.granted(), world.steps.take()), (0, vec!["revoke 1".into(), "note ".into()]));
}

#[tokio::test(start_paused = true)]
async fn access_is_renewed_before_it_ends() {
    let mut world = World::new(1);
    // Renewed when a quarter is left, or 10 minutes, or half of what is less than 20 minutes.
    for (duration, after) in [(4 * HOUR, 30), (HOUR / 2, 27), (HOUR / 60, 20)] {
        world.source.duration = duration;
        let (grants, found) = (world.begin().await, world.snapshots().await);
        for _ in 0..400 {
            assert!(reads(&grants.client(&found[0]).await.expect("granted")).await);
            pass(duration / 40).await;
        }
        let steps = world.steps.take();
        let granted = steps.iter().filter(|step| *step == "grant 0").count();
        assert_eq!(granted, 400_usize.div_ceil(after), "{duration:?}");
        assert_eq!(steps.iter().filter(|step| *step == "note 0").count(), 1);
        grants.end().await;
        world.steps.take();
    }
}

#[tokio::test(start_paused = true)]
async fn a_renewal_that_fails_does_no_harm_until_the_access_has_ended() {
    let world = World::new(1);
    let (grants, found) = (world.begin().await, world.snapshots().await);
    grants.client(&found[0]).await.expect("granted");
    world.steps.log().dead_after = Some(0);
    pass(HOUR * 9 / 10).await;
    assert!(reads(&grants.client(&found[0]).await.expect("still valid")).await);
    pass(HOUR / 10).await;
    let error = grants.client(&found[0]).await.expect_err("ended").to_string();
    assert!(error.contains("Dead"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn what_somebody_else_revokes_is_granted_again() {
    let world = World::new(2);
    let (grants, found) = (world.begin().await, world.snapshots().await);
    let [from, to] = [0, 1].map(|at| Opened::granted(Arc::clone(&grants), &found[at]));
    let whole = PageRange { start: 0, end: 1 << 20 };
    for revoked in ["0", "1"] {
        let diff = to.changes_since(&from, whole).await.expect("both are granted");
        assert_eq!(diff.collect_all().await.expect("listed").ranges.len(), 1);
        let diff = to.changes_since(&from, whole).await.expect("both are granted");
        world.access.named(revoked).revoke();
        let error = diff.collect_all().await.expect_err("revoked");
        world.steps.take();
        assert!(to.mend(&error).await.expect("granted"), "{error}");
        assert_eq!(world.steps.take(), [format!("grant {revoked}")]);
        // Another task that failed with it: nothing is granted twice.
        assert!(to.mend(&error).await.expect("granted"));
        assert_eq!(world.steps.take(), [""; 0]);
    }
    pass(2 * HOUR).await;
    let blob = to.blob().await.expect("renewed");
    assert!(reads(&blob).await);
    grants.end().await;
    assert_eq!(world.granted(), 0);
}

#[tokio::test(start_paused = true)]
async fn what_access_cannot_mend_is_not_mended_for_ever() {
    let world = World::new(1);
    let (grants, found) = (world.begin().await, world.snapshots().await);
    grants.client(&found[0]).await.expect("granted");
    let mend = async |error: &Error| grants.mend(&found[0], error).await.expect("looked");
    assert!(!mend(&refusal(StatusCode::CONFLICT, "BlobOverwritten")).await);
    assert!(!mend(&refusal(StatusCode::INTERNAL_SERVER_ERROR, "InternalError")).await);
    let forbidden = refusal(StatusCode::FORBIDDEN, "AuthorizationFailure");
    let mut mended = 0;
    while mend(&forbidden).await {
        mended += 1;
        assert!(mended <= Grants::MOST_MENDED);
    }
    assert_eq!(world.steps.take(), ["note 0", "grant 0"]);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_died_at_any_step_has_its_access_given_back_by_the_next() {
    for last in 0.. {
        let world = World::new(3);
        let found = world.snapshots().await;
        let others = world.access.named("2").grant(HOUR).expect("granted");
        world.steps.log().dead_after = Some(last);
        let grants = world.begin().await;
        let run = async {
            for snapshot in &found[..2] {
                grants.client(snapshot).await?;
            }
            grants.give_back(&found[0]).await;
            grants.end().await;
            Ok::<_, MirrorError>(())
        };
        let _ = run.await;
        drop(grants);
        let took = std::mem::take(&mut *world.steps.log()).steps.len();
        let next = world.begin().await;
        assert_eq!(world.granted(), 1, "after {last} steps");
        let noted = next.notes.noted().await.expect("noted");
        assert!(
            noted.iter().all(|note| note.starts_with("late 2026-01-01T00:15:00Z ")),
            "{noted:?}"
        );
        let others = PageBlobClient::builder(others).options(world.source.options.clone()).build();
        assert!(reads(&others.expect("a client")).await, "access of others is left alone");
        if took <= last {
            assert!(last >= 8, "{last} steps");
            return;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_others_use_is_used_only_to_take_it_over() {
    let mut world = World::new(1);
    world.access.named("0").grant(HOUR).expect("granted");
    let (grants, found) = (world.begin().await, world.snapshots().await);
    let error = passing(grants.client(&found[0]).await);
    assert!(error.starts_with("0: somebody else has access"), "{error}");
    assert_eq!(grants.end().await, []);
    assert_eq!((world.granted(), world.steps.take()), (1, vec![]));
    world.source.take_over = true;
    let grants = world.begin().await;
    assert!(reads(&grants.client(&found[0]).await.expect("taken over")).await);
    grants.end().await;
    assert_eq!(world.granted(), 0);
}

#[tokio::test(start_paused = true)]
async fn at_most_five_snapshots_are_granted_at_a_time() {
    let world = World::new(9);
    let (grants, found) = (world.begin().await, world.snapshots().await);
    for round in 0..3 {
        for pair in found.windows(2) {
            for snapshot in pair {
                assert!(reads(&grants.client(snapshot).await.expect("granted")).await, "{round}");
            }
        }
    }
    assert_eq!(world.access.disk.most_granted(), 5);
    let steps = world.steps.take();
    let count = |kind: &str| steps.iter().filter(|step| step.starts_with(kind)).count();
    assert_eq!(count("grant") - count("revoke"), 5, "no sixth is asked for: {steps:?}");
    grants.end().await;

    // Three of others leave room for two.
    for name in ["6", "7", "8"] {
        world.access.named(name).grant(100 * HOUR).expect("granted");
    }
    for pair in found[..6].windows(2) {
        let [from, to] = [&pair[0], &pair[1]];
        let from = grants.client(from).await.expect("granted");
        assert!(reads(&grants.client(to).await.expect("granted")).await && reads(&from).await);
    }
    grants.end().await;
    for name in ["4", "5"] {
        world.access.named(name).grant(100 * HOUR).expect("granted");
    }
    world.steps.take();
    let error = passing(grants.client(&found[0]).await);
    assert!(error.contains("5 snapshots are in use now, and at most 5"), "{error}");
    // It was refused, so nothing is left to give back.
    assert_eq!(world.steps.take(), ["note 0", "grant 0", "note "]);
    assert_eq!(world.access.disk.most_granted(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_another_one_by_now_is_not_read() {
    let world = World::new(2);
    let (grants, mut found) = (world.begin().await, world.snapshots().await);
    found[1].length = Some(4096);
    let error = grants.client(&found[1]).await.expect_err("another length").to_string();
    assert!(error.contains("page blob of 4096 bytes") && error.contains("VHDX"), "{error}");
    world.access.named("0").delete();
    let error = passing(grants.client(&found[0]).await);
    assert!(error.contains("no longer exists"), "{error}");
    pass(HOUR).await;
    world.access.disk.snapshot("0");
    let error = grants.client(&found[0]).await.expect_err("made again").to_string();
    assert!(error.contains("no longer exists"), "{error}");
    grants.end().await;
    assert_eq!(world.granted(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_not_complete_is_left_to_another_run() {
    let world = World::new(1);
    let (grants, found) = (world.begin().await, world.snapshots().await);
    world.steps.log().completion = Some(43.5);
    let error = passing(grants.client(&found[0]).await);
    assert_eq!(error, "0: it is not complete yet: 43 %");
    assert_eq!((grants.end().await, world.steps.take()), (vec![], vec![]));
}

#[test]
fn durations_that_the_service_does_not_know_are_refused() {
    let world = World::new(0);
    for duration in [Duration::ZERO, Duration::from_secs(61 * 24 * 3600)] {
        let source = world.source.clone().grant_for(duration);
        let begun = Grants::begin(source, Arc::new(world.note.clone()));
        let error = begun.now_or_never().expect("at once").expect_err("refused").to_string();
        assert!(error.contains("must be 1 second to 60 days"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_sent_with_the_snapshots_that_may_need_one() {
    let mut world = World::new(1);
    let found = world.snapshots().await;
    world.steps.log().needs_token = Some(true);
    let error = world.begin().await.client(&found[0]).await.expect_err("no token");
    assert!(matches!(error, MirrorError::Refused { .. }), "{error}");
    assert!(error.to_string().contains("ManagedSnapshots::credential"), "{error}");
    assert_eq!(world.steps.take(), [""; 0], "nothing is granted");
    world.source.credential = Some(crate::Credential::shared_key("a", "a2V5").expect("a key"));
    for (needed, is_sent) in [(Some(true), true), (None, true), (Some(false), false)] {
        world.steps.log().needs_token = needed;
        let grants = world.begin().await;
        // A key cannot be sent beside a SAS, which shows where it would be.
        assert_eq!(grants.client(&found[0]).await.is_err(), is_sent, "{needed:?}");
        grants.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_disk_of_unknown_size_must_end_as_a_vhd() {
    let world = World::new(1);
    let (grants, mut found) = (world.begin().await, world.snapshots().await);
    found[0].length = None;
    let client = grants.client(&found[0]).await.expect("a VHD");
    assert!(check_footer(&client, &found[0]).await.is_ok());
    grants.end().await;
    // The same bytes without a footer, as a VHDX may have them.
    let sim = Simulator::builder().build();
    let text = sim.connection_string();
    let options = ClientOptions::new().transport(Door(sim.transport()));
    let service = crate::BlobServiceClient::builder_from_connection_string(&text).expect("legal");
    let service = service.options(options).build().expect("a client");
    let container = service.container_client("disks");
    container.create().await.expect("created");
    for (length, content) in [(0, &b""[..]), (4096, b"vhdxfile")] {
        let plain = container.page_blob_client("plain.vhdx");
        plain.create(length).await.expect("created");
        if !content.is_empty() {
            let mut page = content.to_vec();
            page.resize(512, 0);
            plain.upload_pages(0, page).await.expect("written");
        }
        let error = check_footer(&plain, &found[0]).await.expect_err("no VHD").to_string();
        assert!(error.contains("VHDX"), "{error}");
    }
}
