//! The phases of a call: before the transport gets the request, and after it returns the response.

use std::{hint::black_box, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use blobcopy::{ClientOptions, CopyFromUriOperation, Credential, transport::Request};
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;
use tokio::runtime::{Builder, Runtime};

use crate::{
    answers::{self, Canned},
    clients::{self, Blobs, CannedTransport, Noted, Noting, Shared},
    measure::{Report, Row, interleave, now},
};

const TURNS: usize = 300;
const CALLS: usize = 200;

/// One `Authorization` value against a bare HMAC-SHA256 and base64 of the same bytes.
///
/// Its cost is the time of a signed request until the transport, minus that of the same request
/// without a credential.
pub(crate) fn signing(report: &Report) {
    let start =
        Row { name: "signing a Copy Blob start", floor: "bare HMAC and base64", target: Some(1.3) };
    let head = Row { name: "signing a Get Blob Properties", ..start };
    for (row, call) in [(start, Call::Start), (head, Call::Properties)] {
        if !report.wants(row.name) {
            continue;
        }
        let (signed, open) = (Probe::new(clients::key()), Probe::new(Credential::anonymous()));
        let bare = BareSigner::of(&signed.request(call));
        let calls = report.calls(CALLS);
        let [signed, open, floor, prepared] = interleave(
            report.turns(TURNS),
            [
                &mut || signed.time(call, calls).before,
                &mut || open.time(call, calls).before,
                &mut || each(calls, || bare.sign()),
                &mut || each(calls, || bare.sign_prepared()),
            ],
        );
        report.difference(&row, &signed, &open, &floor);
        let row = Row { floor: "prepared HMAC and base64", target: None, ..row };
        report.difference(&row, &signed, &open, &prepared);
    }
}

/// From the call of the method to the transport, against filling a `HeaderMap` with the same
/// headers.
pub(crate) fn building(report: &Report) {
    let row = Row { name: "building a Copy Blob start", floor: "bare HeaderMap", target: None };
    if !report.wants(row.name) {
        return;
    }
    let probe = Probe::new(Credential::anonymous());
    let headers = probe.request(Call::Start).headers().clone();
    let fill = || {
        let mut map = HeaderMap::with_capacity(16);
        for (name, value) in &headers {
            let value = HeaderValue::from_bytes(value.as_bytes());
            map.insert(name.clone(), value.expect("it was one"));
        }
        map
    };
    let calls = report.calls(CALLS);
    let [ours, floor] = interleave(
        report.turns(TURNS),
        [&mut || probe.time(Call::Start, calls).before, &mut || each(calls, fill)],
    );
    report.row(&row, &ours, &floor);
}

/// From the response of the transport to the typed properties, against a walk over the same
/// headers.
pub(crate) fn parsing(report: &Report) {
    let all = Row { name: "parsing a properties answer", floor: "bare walk", target: None };
    let poll = Row { name: "parsing a poll's answer", ..all };
    for (row, call) in [(all, Call::Properties), (poll, Call::Poll)] {
        if report.wants(row.name) {
            parsing_of(report, &row, call);
        }
    }
}

fn parsing_of(report: &Report, row: &Row, call: Call) {
    let probe = Probe::new(Credential::anonymous());
    let answer = Canned::new(answers::PROPERTIES);
    let walk = || {
        let texts = answer.headers().iter().map(|(name, value)| (name, value.to_str()));
        texts.filter(|(name, value)| black_box((name, value)).1.is_ok()).count()
    };
    let calls = report.calls(CALLS);
    let [ours, floor] = interleave(
        report.turns(TURNS),
        [&mut || probe.time(call, calls).after, &mut || each(calls, walk)],
    );
    report.row(row, &ours, &floor);
}

#[derive(Clone, Copy)]
enum Call {
    Start,
    Properties,
    Poll,
}

/// Nanoseconds of each call, before and after the transport.
struct Phases {
    before: f64,
    after: f64,
}

/// A client whose transport records the time.
struct Probe {
    runtime: Runtime,
    blobs: Blobs,
    transport: Arc<Noting<CannedTransport>>,
}

impl Probe {
    fn new(credential: Credential) -> Self {
        let transport = Arc::new(Noting::new(CannedTransport::new()));
        let options = ClientOptions::new().transport(Shared(Arc::clone(&transport)));
        let blobs = Blobs::new(clients::endpoint(), credential, options);
        let runtime = Builder::new_current_thread().enable_time().build().unwrap();
        Self { runtime, blobs, transport }
    }

    fn request(&self, call: Call) -> Request {
        self.time(call, 1);
        self.runtime.block_on(self.make(call));
        self.transport.take().request
    }

    async fn make(&self, call: Call) {
        let Blobs { source, destination } = &self.blobs;
        match call {
            Call::Start => drop(destination.start_copy_from_uri(source).await.unwrap()),
            Call::Properties => drop(destination.get_properties().await.unwrap()),
            Call::Poll => drop(self.copy().poll().await.unwrap()),
        }
    }

    fn copy(&self) -> CopyFromUriOperation {
        self.blobs.destination.resume_copy(answers::COPY_ID.parse::<blobcopy::CopyId>().unwrap())
    }

    fn time(&self, call: Call, calls: usize) -> Phases {
        let Blobs { source, destination } = &self.blobs;
        let (mut before, mut after) = (Duration::ZERO, Duration::ZERO);
        self.runtime.block_on(async {
            for _ in 0..calls {
                let began = now();
                let ended = match call {
                    Call::Start => {
                        let copy = destination.start_copy_from_uri(source).await;
                        (now(), drop(copy)).0
                    }
                    Call::Properties => {
                        let properties = destination.get_properties().await;
                        (now(), drop(properties)).0
                    }
                    Call::Poll => {
                        let mut copy = self.copy();
                        let state = copy.poll().await;
                        (now(), drop(state)).0
                    }
                };
                let Noted { came, left, .. } = self.transport.take();
                before += came - began;
                after += ended - left;
            }
        });
        let each = |time: Duration| time.as_nanos() as f64 / calls as f64;
        Phases { before: each(before), after: each(after) }
    }
}

/// Nanoseconds of each of `calls`, timed like the phases. Dropping the result is not timed.
fn each<T>(calls: usize, mut call: impl FnMut() -> T) -> f64 {
    let mut time = Duration::ZERO;
    for _ in 0..calls {
        let began = now();
        let made = black_box(call());
        time += now() - began;
        drop(made);
    }
    time.as_nanos() as f64 / calls as f64
}

/// A key, and the string to sign of a request.
struct BareSigner {
    key: Vec<u8>,
    prepared: Hmac<Sha256>,
    text: Vec<u8>,
}

impl BareSigner {
    /// Rebuilds the string to sign, and checks it against the signature.
    fn of(request: &Request) -> Self {
        let header = |name: &str| request.headers().get(name).map_or("", |v| v.to_str().unwrap());
        let mut lines = vec![request.method().as_str().to_owned()];
        lines.extend(std::iter::repeat_n(String::new(), 11));
        let mut own: Vec<String> = request
            .headers()
            .keys()
            .filter(|name| name.as_str().starts_with("x-ms-"))
            .map(|name| format!("{name}:{}", header(name.as_str())))
            .collect();
        own.sort();
        lines.extend(own);
        lines.push(format!("/{}{}", clients::ACCOUNT, request.url().path()));

        let key = STANDARD.decode(clients::KEY).unwrap();
        let prepared = Hmac::new_from_slice(&key).unwrap();
        let signer = Self { key, prepared, text: lines.join("\n").into_bytes() };
        let signature = signer.sign();
        assert_eq!(signature, signer.sign_prepared());
        let expected =
            format!("SharedKey {}:{}", clients::ACCOUNT, std::str::from_utf8(&signature).unwrap());
        assert_eq!(header("authorization"), expected, "the floor signs the same bytes");
        signer
    }

    fn sign(&self) -> [u8; 44] {
        self.sign_with(Hmac::new_from_slice(&self.key).unwrap())
    }

    fn sign_prepared(&self) -> [u8; 44] {
        self.sign_with(self.prepared.clone())
    }

    fn sign_with(&self, mut mac: Hmac<Sha256>) -> [u8; 44] {
        mac.update(&self.text);
        let mut signature = [0; 44];
        STANDARD.encode_slice(mac.finalize().into_bytes(), &mut signature).unwrap();
        signature
    }
}
