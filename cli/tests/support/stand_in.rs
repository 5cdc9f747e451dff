//! A server that stands in for one that gives tokens, by http or https.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    sync::{Arc, Mutex},
    thread,
};

use rustls::{
    ServerConfig, ServerConnection, StreamOwned,
    crypto::ring,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};

/// The certificate of 127.0.0.1 that whoever calls by https has to trust, and its key.
pub(crate) const CERTIFICATE: &str = include_str!("stand_in/certificate.pem");
const KEY: &str = include_str!("stand_in/key.pem");

/// It gives every request the same answer.
pub(crate) struct StandIn {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

impl StandIn {
    pub(crate) fn by_http(status: u16, body: &str) -> Self {
        Self::start("http", None, status, body)
    }

    pub(crate) fn by_https(status: u16, body: &str) -> Self {
        let certificate = CertificateDer::from_pem_slice(CERTIFICATE.as_bytes()).expect("PEM");
        let key = PrivateKeyDer::from_pem_slice(KEY.as_bytes()).expect("PEM");
        let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .expect("versions")
            .with_no_client_auth()
            .with_single_cert(vec![certificate], key)
            .expect("a certificate and its key");
        Self::start("https", Some(Arc::new(config)), status, body)
    }

    fn start(scheme: &str, tls: Option<Arc<ServerConfig>>, status: u16, body: &str) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
        let url = format!("{scheme}://{}", listener.local_addr().expect("an address"));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let answer = format!(
            "HTTP/1.1 {status} Stand-In\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        let log = Arc::clone(&seen);
        // It ends with the test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (answer, log, tls) = (answer.clone(), Arc::clone(&log), tls.clone());
                thread::spawn(move || serve(stream, tls, &answer, &log));
            }
        });
        Self { url, seen }
    }

    /// The requests so far, each with its head and its body.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.seen.lock().expect("no test has failed").clone()
    }
}

fn serve(
    stream: TcpStream,
    tls: Option<Arc<ServerConfig>>,
    answer: &str,
    log: &Mutex<Vec<String>>,
) {
    let Some(tls) = tls else { return converse(stream, answer, log) };
    let connection = ServerConnection::new(tls).expect("a configuration");
    converse(StreamOwned::new(connection, stream), answer, log);
}

/// Reads one request, and answers it. Whoever does not trust the server sends none.
fn converse(stream: impl Read + Write, answer: &str, log: &Mutex<Vec<String>>) {
    let mut stream = BufReader::new(stream);
    let (mut request, mut length) = (String::new(), 0);
    loop {
        let start = request.len();
        if stream.read_line(&mut request).unwrap_or(0) == 0 {
            return;
        }
        let line = request[start..].trim_end().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().expect("a length");
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).expect("a body");
    request.push_str(&String::from_utf8_lossy(&body));
    log.lock().expect("no test has failed").push(request);
    let stream = stream.get_mut();
    let _ = stream.write_all(answer.as_bytes()).and_then(|()| stream.flush());
}
