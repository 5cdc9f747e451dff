//! The spans and events of a run, as the documentation of the module lists them.

use blobcopy::jobs::Outcome;
use blobcopy_simulator::Op;

use super::world::World;
use crate::support::events::Events;

#[tokio::test(start_paused = true)]
async fn a_run_reports_its_blobs_its_failures_and_its_end() {
    let world = World::new().await;
    world.fill(["good", "sig=c2VjcmV0LXNpZ25hdHVyZQ=="]).await;
    world.from().block_blob_client("refused").upload("x").await.expect("uploaded");
    world.later();
    world.sim.faults().on(Op::CopyBlob).blob("refused").answer(403, "AuthorizationFailure");

    let (events, guard) = Events::listen();
    let report = world.near_job().run().await.expect("a report");
    drop(guard);
    assert_eq!((report.count(Outcome::Copied), report.failed.len()), (2, 1), "{report:?}");

    let lines = events.lines();
    let of = |start: &str| -> Vec<&String> {
        lines.iter().filter(|line| line.starts_with(start)).collect()
    };
    let jobs = of("span INFO blobcopy::jobs copy_job ");
    assert_eq!(jobs.len(), 1, "{lines:#?}");
    assert!(jobs[0].contains("/source/") && jobs[0].contains("/copies/"), "{jobs:?}");
    let blobs = of("span DEBUG blobcopy::jobs copy_blob ");
    assert_eq!(blobs.len(), 3, "{lines:#?}");
    let fields = [" blob=good", " route=ServiceCopy", " length="];
    assert!(fields.iter().all(|field| blobs[0].contains(field)), "{blobs:?}");

    let with = |message: &str| -> Vec<&String> {
        lines.iter().filter(|line| line.contains(message)).collect()
    };
    let finished = with("message=blob finished");
    assert_eq!(finished.len(), 3, "{lines:#?}");
    assert!(finished[0].starts_with("event DEBUG blobcopy::jobs "), "{finished:?}");
    let failed = with("message=blob failed");
    assert_eq!(failed.len(), 1, "{lines:#?}");
    assert!(failed[0].starts_with("event WARN blobcopy::jobs "), "{failed:?}");
    for field in [" blob=refused", " outcome=Failed", " code=\"AuthorizationFailure\"", " error="] {
        assert!(failed[0].contains(field), "{failed:?}");
    }
    let ended = with("message=job ended");
    assert_eq!(ended.len(), 1, "{lines:#?}");
    for field in [" blobs=3", " failed=1", " bytes=", " requests=", " retries=", " elapsed="] {
        assert!(ended[0].contains(field), "{ended:?}");
    }
    assert!(!lines.iter().any(|line| line.contains("c2VjcmV0LXNpZ25hdHVyZQ")), "{lines:#?}");
}
