//! The certificate of an https listener, created with the simulator.

use std::{io, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use rcgen::CertifiedKey;
use tokio::net::TcpStream;
use tokio_rustls::{
    TlsAcceptor,
    rustls::{
        ServerConfig,
        crypto::ring,
        pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer},
    },
    server::TlsStream,
};

use super::watch::Watched;
use crate::model::disks::ZONE;

/// A self-signed certificate and its key.
#[derive(Clone)]
pub(crate) struct Tls {
    acceptor: TlsAcceptor,
    pub(crate) certificate_pem: String,
}

impl Tls {
    /// Covers loopback, managed disks, Resource Manager, the hosts of accounts, and these hosts.
    pub(crate) fn new<'a>(
        accounts: impl Iterator<Item = &'a str>,
        hosts: impl Iterator<Item = String>,
    ) -> io::Result<Self> {
        let mut names: Vec<String> = ["localhost", "127.0.0.1", "::1"].map(str::to_owned).into();
        names.extend([format!("*.{ZONE}.blob.localhost"), "management.localhost".to_owned()]);
        names.extend(hosts.filter(|host| host != "127.0.0.1"));
        for account in accounts {
            names
                .extend([format!("{account}.localhost"), format!("{account}-secondary.localhost")]);
        }
        let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
        let CertifiedKey { cert, signing_key } = made;
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(signing_key.serialize_der()));
        let mut config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .map_err(io::Error::other)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self { acceptor: Arc::new(config).into(), certificate_pem: pem(cert.der()) })
    }

    pub(crate) async fn accept(
        &self,
        stream: Watched<TcpStream>,
    ) -> io::Result<TlsStream<Watched<TcpStream>>> {
        self.acceptor.accept(stream).await
    }
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Tls")
    }
}

fn pem(der: &[u8]) -> String {
    let mut text = "-----BEGIN CERTIFICATE-----\n".to_owned();
    let encoded = STANDARD.encode(der);
    for line in encoded.as_bytes().chunks(64) {
        text.push_str(&String::from_utf8_lossy(line));
        text.push('\n');
    }
    text + "-----END CERTIFICATE-----\n"
}
