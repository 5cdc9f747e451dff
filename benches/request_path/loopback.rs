//! The client's CPU time for a request over loopback, with many in flight.

use std::sync::Arc;

use blobcopy::{ClientOptions, CopyId, transport::Request};
use futures_util::future::join_all;
use http::Method;
use http_body_util::Empty;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use rustls::{ClientConfig, RootCertStore, crypto::ring};
use tokio::runtime::{Builder, Runtime};

use crate::{
    answers,
    clients::{self, Blobs, CannedTransport, Noting, Shared},
    measure::{Report, Row, for_each_call, interleave},
    server::Server,
};

const IN_FLIGHT: usize = 32;
const TURNS: usize = 120;
/// For each lane.
const CALLS: usize = 64;

const FLOOR: &str = "bare reqwest";

pub(crate) fn get_blob_properties(report: &Report) {
    let row = Row { name: "loopback: Get Blob Properties", floor: FLOOR, target: Some(1.10) };
    compare(report, row, Method::HEAD, async |blobs| {
        blobs.destination.get_properties().await.unwrap();
    });
}

/// The same request, reading only the copy.
pub(crate) fn poll(report: &Report) {
    let row = Row { name: "loopback: a poll", floor: FLOOR, target: Some(1.10) };
    let id: CopyId = answers::COPY_ID.parse().unwrap();
    compare(report, row, Method::HEAD, async |blobs| {
        blobs.destination.resume_copy(id.clone()).poll().await.unwrap();
    });
}

pub(crate) fn copy_blob(report: &Report) {
    let row = Row { name: "loopback: Copy Blob start", floor: FLOOR, target: Some(1.15) };
    compare(report, row, Method::PUT, async |blobs| {
        blobs.destination.start_copy_from_uri(&blobs.source).await.unwrap();
    });
}

/// The client's call against bare `reqwest`, which sends the same headers to the same server; and
/// `reqwest` against bare hyper.
fn compare(report: &Report, row: Row, method: Method, call: impl AsyncFn(&Blobs)) {
    if !report.wants(row.name) {
        return;
    }
    let server = Server::start();
    let endpoint: url::Url =
        format!("http://127.0.0.1:{}/{}", server.port, clients::ACCOUNT).parse().unwrap();
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let calls = report.calls(CALLS);

    let blobs = Blobs::new(endpoint.clone(), clients::key(), ClientOptions::new());
    let request = runtime.block_on(prebuilt(endpoint, &call));
    assert_eq!(request.method(), method);
    let reqwest = bare_reqwest();
    let hyper = Client::builder(TokioExecutor::new()).build(HttpConnector::new());

    let ours = || in_flight(&runtime, calls, || call(&blobs));
    let bare = || in_flight(&runtime, calls, || by_reqwest(&reqwest, &request));
    let lower = || in_flight(&runtime, calls, || by_hyper(&hyper, &request));
    let [ours, bare, lower] =
        interleave(report.turns(TURNS), [&mut { ours }, &mut { bare }, &mut { lower }]);
    report.row(&row, &ours, &bare);
    report.row(
        &Row { name: "  of which bare reqwest", floor: "bare hyper", target: None },
        &bare,
        &lower,
    );
}

/// The request as the client sends it, with its signature.
async fn prebuilt(endpoint: url::Url, call: &impl AsyncFn(&Blobs)) -> Request {
    let noting = Arc::new(Noting::new(CannedTransport::new()));
    let options = ClientOptions::new().transport(Shared(Arc::clone(&noting)));
    call(&Blobs::new(endpoint, clients::key(), options)).await;
    noting.take().request
}

/// It needs a TLS configuration even if it does not use TLS.
fn bare_reqwest() -> reqwest::Client {
    let tls = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(RootCertStore::empty())
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(tls).build().unwrap()
}

async fn by_reqwest(client: &reqwest::Client, request: &Request) {
    let mut outgoing = reqwest::Request::new(request.method().clone(), request.url().clone());
    *outgoing.headers_mut() = request.headers().clone();
    assert!(client.execute(outgoing).await.unwrap().status().is_success());
}

async fn by_hyper(client: &Client<HttpConnector, Empty<bytes::Bytes>>, request: &Request) {
    let mut outgoing = http::Request::new(Empty::new());
    *outgoing.method_mut() = request.method().clone();
    *outgoing.uri_mut() = request.url().as_str().parse().unwrap();
    *outgoing.headers_mut() = request.headers().clone();
    assert!(client.request(outgoing).await.unwrap().status().is_success());
}

/// The CPU time of each call, with one request per lane in flight.
fn in_flight<F: Future>(runtime: &Runtime, calls: usize, call: impl Fn() -> F) -> f64 {
    let lane = async || {
        for _ in 0..calls {
            call().await;
        }
    };
    for_each_call(calls * IN_FLIGHT, || {
        runtime.block_on(join_all((0..IN_FLIGHT).map(|_| lane())));
    })
}
