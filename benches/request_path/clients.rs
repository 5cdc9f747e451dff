//! The measured clients, and a transport that answers without a network.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use blobcopy::{
    BlobClient, BlobServiceClient, ClientOptions, Clock, Credential,
    transport::{BoxFuture, Request, Response, Transport, TransportError},
};
use http::Method;
use url::Url;

use crate::answers::{self, Canned};

pub(crate) const ACCOUNT: &str = "account";

/// 64 bytes, like every account key.
pub(crate) const KEY: &str =
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg==";

pub(crate) fn key() -> Credential {
    Credential::shared_key(ACCOUNT, KEY).unwrap()
}

pub(crate) fn endpoint() -> Url {
    "https://account.blob.core.windows.net".parse().unwrap()
}

/// The source and the destination of the copy.
pub(crate) struct Blobs {
    pub(crate) source: BlobClient,
    pub(crate) destination: BlobClient,
}

impl Blobs {
    pub(crate) fn new(endpoint: Url, credential: Credential, options: ClientOptions) -> Self {
        let service = BlobServiceClient::builder(endpoint).credential(credential).options(options);
        Self::of(&service.build().unwrap())
    }

    pub(crate) fn of(service: &BlobServiceClient) -> Self {
        let blob = |container| service.container_client(container).blob_client("disks/disk0.vhd");
        Self { source: blob("vhds"), destination: blob("backups") }
    }
}

/// Answers every request at once, as the service would.
#[derive(Debug)]
pub(crate) struct CannedTransport {
    started: Canned,
    properties: Canned,
}

impl CannedTransport {
    pub(crate) fn new() -> Self {
        Self {
            started: Canned::new(answers::STARTED),
            properties: Canned::new(answers::PROPERTIES),
        }
    }
}

impl Transport for CannedTransport {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        Box::pin(async move {
            Ok(match *request.method() {
                Method::HEAD => self.properties.response(),
                _ => self.started.response(),
            })
        })
    }
}

/// Records when a request arrived, when its response left, and the request itself.
#[derive(Debug)]
pub(crate) struct Noting<T> {
    inner: T,
    noted: Mutex<Option<Noted>>,
}

#[derive(Debug)]
pub(crate) struct Noted {
    pub(crate) came: Instant,
    pub(crate) left: Instant,
    pub(crate) request: Request,
}

impl<T> Noting<T> {
    pub(crate) fn new(inner: T) -> Self {
        Self { inner, noted: Mutex::new(None) }
    }

    /// The record of the last request.
    pub(crate) fn take(&self) -> Noted {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner).take().unwrap()
    }
}

/// A transport that the bench shares with the client.
#[derive(Debug)]
pub(crate) struct Shared<T: ?Sized>(pub(crate) Arc<T>);

impl<T: Transport + ?Sized> Transport for Shared<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        self.0.send(request)
    }

    fn clock(&self) -> Option<Clock> {
        self.0.clock()
    }
}

impl<T: Transport> Transport for Noting<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let came = crate::measure::now();
        Box::pin(async move {
            let kept = request.clone();
            let answer = self.inner.send(request).await;
            let mut noted = self.noted.lock().unwrap_or_else(PoisonError::into_inner);
            *noted = Some(Noted { came, left: crate::measure::now(), request: kept });
            answer
        })
    }

    fn clock(&self) -> Option<Clock> {
        self.inner.clock()
    }
}
