//! A transport that notes which secrets it carries.

use std::{
    collections::BTreeSet,
    fmt::{self, Debug},
    sync::{Arc, Mutex},
};

use blobcopy::{
    Clock,
    transport::{BoxFuture, Request, Response, Transport, TransportError},
};

/// Passes everything on, and records the secrets that it sees.
#[derive(Clone)]
pub(super) struct Spy<T> {
    pub(super) inner: T,
    pub(super) secrets: Arc<Mutex<BTreeSet<String>>>,
    pub(super) requests: Arc<Mutex<Vec<Request>>>,
}

impl<T: Debug> Debug for Spy<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Spy({:?})", self.inner)
    }
}

impl<T: Transport> Transport for Spy<T> {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let mut secrets = self.secrets.lock().expect("one thread");
        let header = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok());
        if let Some(value) = header("authorization") {
            secrets.insert(value.rsplit([' ', ':']).next().expect("a part").to_owned());
        }
        let urls = [Some(request.url().as_str()), header("x-ms-copy-source")];
        for url in urls.into_iter().flatten() {
            for signature in url.split("sig=").skip(1) {
                let signature = signature.split('&').next().expect("a part");
                secrets.insert(signature.to_owned());
                let decoded = percent_encoding::percent_decode_str(signature);
                secrets.insert(decoded.decode_utf8().expect("text").into_owned());
            }
        }
        self.requests.lock().expect("one thread").push(request.clone());
        self.inner.send(request)
    }

    fn clock(&self) -> Option<Clock> {
        self.inner.clock()
    }
}
