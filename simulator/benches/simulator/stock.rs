//! Fills a simulator through its in-process transport, with a bearer token, which needs no signing.

use blobcopy::transport::{Request, Response, Transport};
use blobcopy_simulator::{Simulator, SimulatorTransport};
use bytes::Bytes;
use futures_util::TryStreamExt;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

pub(crate) struct Stock {
    transport: SimulatorTransport,
    endpoint: String,
}

impl Stock {
    pub(crate) fn of(sim: &Simulator) -> Self {
        Self { transport: sim.transport(), endpoint: sim.endpoint("devstoreaccount1").into() }
    }

    /// The container `one` with this many empty blobs.
    pub(crate) async fn block_blobs(&self, count: usize) {
        self.send(Method::PUT, "/one?restype=container", &[], Bytes::new()).await;
        for at in 0..count {
            let block_blob = [("x-ms-blob-type", "BlockBlob".to_owned())];
            self.send(Method::PUT, &format!("/one/{at:07}"), &block_blob, Bytes::new()).await;
        }
    }

    /// The size of the first page of the list, with 5,000 entries; none if listing is not
    /// implemented (501).
    pub(crate) async fn list(&self) -> Option<usize> {
        let target = "/one?restype=container&comp=list";
        let response = self.ask(Method::GET, target, &[], Bytes::new()).await;
        if response.status() == 501 {
            return None;
        }
        let pieces: Vec<Bytes> = response.into_parts().2.try_collect().await.unwrap();
        Some(pieces.iter().map(Bytes::len).sum())
    }

    /// Sends a request that must succeed, and returns a header of the answer.
    pub(crate) async fn send(
        &self,
        method: Method,
        target: &str,
        headers: &[(&'static str, String)],
        body: Bytes,
    ) -> HeaderMap {
        let response = self.ask(method, target, headers, body).await;
        assert!(response.status().is_success(), "{target}: {}", response.status());
        response.into_parts().1
    }

    pub(crate) async fn ask(
        &self,
        method: Method,
        target: &str,
        more: &[(&'static str, String)],
        body: Bytes,
    ) -> Response {
        let mut headers = HeaderMap::new();
        headers.insert("authorization", HeaderValue::from_static("Bearer token"));
        headers.insert("x-ms-version", HeaderValue::from_static("2025-11-05"));
        headers.insert("content-length", body.len().into());
        for (name, value) in more {
            headers.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        let url = format!("{}{target}", self.endpoint).parse().unwrap();
        self.transport.send(Request::new(method, url, headers, body)).await.unwrap()
    }
}
