//! Copies, from start to end.

use std::time::Duration;

use blobcopy::*;
use futures_util::StreamExt;

use super::{
    super::{bounds, values::SNAPSHOT},
    LONGEST, Run,
};

/// The most polls that a wait of an hour may send.
const POLLS: usize = 2000;

fn blob(service: &BlobServiceClient) -> BlobClient {
    service.container_client("vhds").blob_client("b")
}

fn disk(service: &BlobServiceClient) -> PageBlobClient {
    blob(service).page_blob_client()
}

fn id() -> CopyId {
    "c-1".parse().expect("an id")
}

pub(super) async fn started(run: &Run) {
    let snapshot: SnapshotId = SNAPSHOT.parse().expect("a snapshot");
    let elsewhere: url::Url = "https://example.com/disk?sig=abc".parse().expect("a URL");
    run.call(|service| blob(service).start_copy_from_uri(&blob(service))).await;
    run.call(|service| blob(service).start_copy_from_uri(&elsewhere)).await;
    run.call(|service| disk(service).start_copy_incremental(&disk(service), &snapshot)).await;
    run.call(|service| blob(service).copy_from_uri(&blob(service))).await;
    run.call(|service| blob(service).abort_copy(id())).await;
    run.call(|service| blob(service).abort_pending_copy()).await;
    run.call(|service| blob(service).resume_pending_copy()).await;
}

pub(super) async fn watched(run: &Run) {
    let hour = Duration::from_secs(3600);
    for interval in [None, Some(Duration::from_secs(10))] {
        let (service, client) = run.service(POLLS);
        let mut copy = blob(&client).resume_copy(id());
        let wait = copy.wait().timeout(hour).on_progress(|state| {
            bounds::shown(state, bounds::SHORT + 300 * service.seen().1);
        });
        let wait = match interval {
            None => wait,
            Some(interval) => wait.interval(interval),
        };
        // The last check gets its own time after the hour.
        let ended = bounds::within(hour + Duration::from_secs(60), wait.into_future()).await;
        assert!(!service.is_exhausted(), "a wait of an hour polls more than {POLLS} times");
        run.made(&service, ended.expect("the wait did not end with its hour"));
        bounds::shown(&copy, bounds::SHORT + 12 * service.seen().1);
        bounds::shown(&copy.token(), bounds::SHORT);
        let _ = (copy.has_completed(), copy.progress(), copy.status());
    }
    for _ in 0..2 {
        let (service, client) = run.service(POLLS);
        let mut copy = blob(&client).resume_copy(id());
        let polled = bounds::within(LONGEST, copy.poll()).await;
        run.made(&service, polled.expect("the poll did not end"));
        let aborted = bounds::within(LONGEST, copy.abort()).await;
        run.made(&service, aborted.expect("the abort did not end"));
        let mut states = copy.progress_stream().take(50);
        let next = async {
            while let Some(state) = states.next().await {
                run.made(&service, state);
            }
        };
        let day = Duration::from_secs(24 * 3600);
        bounds::within(day, next).await.expect("the progress did not end");
    }
}
