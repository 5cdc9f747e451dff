//! A bare `reqwest` client. Nothing here installs cryptography for the process, because the crate
//! must work without; so its TLS is configured by hand.

use std::sync::Arc;

use reqwest::ClientBuilder;
use rustls::{ClientConfig, RootCertStore, crypto::ring, pki_types::CertificateDer};

pub(crate) fn client() -> reqwest::Client {
    trusting(None).build().expect("a client")
}

/// A client that trusts only this certificate.
pub(crate) fn trusting(certificate: Option<CertificateDer<'static>>) -> ClientBuilder {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(certificate);
    let config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_root_certificates(roots)
        .with_no_client_auth();
    reqwest::Client::builder().tls_backend_preconfigured(config)
}
