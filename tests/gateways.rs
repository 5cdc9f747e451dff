//! Answers of intermediaries between client and service: a proxy, a gateway, a captive portal.

use std::time::Duration;

use blobcopy::{
    BlobClient, BlobServiceClient, BlockId, ClientOptions, Credential, Error,
    transport::{Body, BoxFuture, Request, Response, Transport, TransportError},
};
use futures_util::stream;
use http::{HeaderMap, StatusCode};

use crate::support::script::{Script, Step, answer, refusal, timed};

/// An HTML page, without the service's headers.
fn page(status: u16) -> Step {
    let headers = [("Server", "nginx"), ("Content-Type", "text/html"), ("ETag", "\"1\"")];
    let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    Step::Answer { status, headers, body: "<html>Please log in</html>".to_owned() }
}

fn blob(script: &Script) -> BlobClient {
    script.service().container_client("vhds").blob_client("notes.txt")
}

/// The error of a call that gets such a page.
async fn met<T>(what: &str, call: impl AsyncFnOnce(BlobClient) -> Result<T, Error>) -> Error {
    let script = Script::new([page(200)]);
    let Err(error) = call(blob(&script)).await else { panic!("{what} succeeded") };
    assert!(matches!(error, Error::UnexpectedResponse { .. }), "{what}: {error:?}");
    let told = ["proxy or gateway", "not XML", "instead of", "without x-ms"];
    assert!(told.iter().any(|words| error.to_string().contains(words)), "{what}: {error}");
    error
}

#[tokio::test(start_paused = true)]
async fn their_success_is_no_success_of_a_read() {
    for error in [
        met("a download", async |blob| blob.download().await).await,
        met("properties", async |blob| blob.get_properties().await).await,
        met("existence", async |blob| blob.exists().await).await,
        met("tags", async |blob| blob.get_tags().await).await,
        met("ranges", async |blob| blob.page_blob_client().get_page_ranges().collect_all().await)
            .await,
        met("blocks", async |blob| blob.block_blob_client().get_block_list().await).await,
    ] {
        assert!(!error.may_have_been_applied(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn their_success_is_no_success_of_a_write() {
    let block: BlockId = "YjE=".parse().expect("base64");
    for error in [
        met("an upload", async |blob| blob.block_blob_client().upload("text").await).await,
        met("pages", async |blob| blob.page_blob_client().upload_pages(0, vec![1; 512]).await)
            .await,
        met("a block", async |blob| {
            blob.block_blob_client().stage_block(block.clone(), "text").await
        })
        .await,
        met("metadata", async |blob| blob.set_metadata([("k", "v")]).await).await,
        met("tags", async |blob| blob.set_tags([("k", "v")]).await).await,
        met("a snapshot", async |blob| blob.create_snapshot().await).await,
        met("a deletion", async |blob| blob.delete().await).await,
        met("a lease", async |blob| blob.acquire_infinite_lease().await).await,
    ] {
        assert!(error.may_have_been_applied(), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn their_503_leaves_open_whether_a_snapshot_was_taken() {
    let script = Script::new([page(503)]);
    let error = blob(&script).create_snapshot().await.expect_err("no answer of the service");
    assert!(error.may_have_been_applied(), "{error:?}");
    assert_eq!(script.seen().len(), 1, "a repeat might take a second one");

    let taken = answer(201, "x-ms-request-id: r-1\nx-ms-snapshot: 2026-01-01T00:00:00.1234567Z");
    let script = Script::new([refusal(503, "ServerBusy"), taken]);
    blob(&script).create_snapshot().await.expect("the service was busy, and took none");
    assert_eq!(script.seen().len(), 2);
}

/// Refuses everything, with an endless error body.
#[derive(Debug)]
struct Dawdler;

impl Transport for Dawdler {
    fn send(&self, _: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async {
            let headers = [("x-ms-request-id", "r-1"), ("x-ms-error-code", "BlobNotFound")];
            let headers = headers.map(|(name, value)| {
                (name.parse().expect("a name"), value.parse().expect("a value"))
            });
            let body = Body::stream(stream::pending());
            let status = StatusCode::NOT_FOUND;
            Ok(Response::new(status, HeaderMap::from_iter(headers), body))
        })
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_is_one_although_its_reason_does_not_come() {
    let endpoint = "https://acct.blob.core.windows.net".parse().expect("a URL");
    let service = BlobServiceClient::builder(endpoint)
        .credential(Credential::anonymous())
        .options(ClientOptions::new().transport(Dawdler))
        .build()
        .expect("a client");
    let blob = service.container_client("vhds").blob_client("notes.txt");
    let (refused, time) = timed(blob.create_snapshot().into_future()).await;
    let error = refused.expect_err("refused");
    assert_eq!(error.status(), Some(StatusCode::NOT_FOUND), "{error:?}");
    assert!(!error.may_have_been_applied() && time <= Duration::from_secs(10), "{time:?}");
}
