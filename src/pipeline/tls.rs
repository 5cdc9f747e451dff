//! TLS of the default transport, by the enabled features.
//!
//! `reqwest` gets a complete rustls configuration. Otherwise it would need AWS-LC, which takes
//! minutes to build, or a process-wide crypto provider, without which it panics. A library must not
//! install one: that choice belongs to the program.

use reqwest::ClientBuilder;

use crate::wire::transport::TransportError;

/// rustls if it is enabled; `native-tls` counts only without rustls. With neither, `reqwest` uses
/// the TLS that other crates of the program enabled.
#[cfg(any(feature = "rustls", feature = "aws-lc"))]
pub(super) fn chosen(builder: ClientBuilder) -> Result<ClientBuilder, TransportError> {
    Ok(builder.tls_backend_preconfigured(by_rustls::config()?))
}

#[cfg(not(any(feature = "rustls", feature = "aws-lc")))]
pub(super) fn chosen(builder: ClientBuilder) -> Result<ClientBuilder, TransportError> {
    #[cfg(feature = "native-tls")]
    let builder = builder.tls_backend_native();
    Ok(builder)
}

#[cfg(any(feature = "rustls", feature = "aws-lc"))]
mod by_rustls {
    use std::sync::{Arc, OnceLock};

    // ring is on by default, so `aws-lc` takes precedence: enabling it is a choice.
    #[cfg(feature = "aws-lc")]
    use rustls::crypto::aws_lc_rs as ours;
    #[cfg(not(feature = "aws-lc"))]
    use rustls::crypto::ring as ours;
    use rustls::{
        ClientConfig, DigitallySignedStruct, Error, SignatureScheme,
        client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
        crypto::CryptoProvider,
        pki_types::{CertificateDer, ServerName, UnixTime},
    };
    use rustls_platform_verifier::Verifier;

    use crate::wire::transport::{TransportError, TransportErrorKind};

    /// TLS 1.2 and 1.3, the platform's certificate verifier, HTTP/1.1 only.
    pub(super) fn config() -> Result<ClientConfig, TransportError> {
        let provider = provider();
        let platform = Platform { provider: Arc::clone(&provider), verifier: OnceLock::new() };
        let mut config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| TransportError::new(TransportErrorKind::Unusable, &error))?
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(platform))
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// The process-wide crypto provider, if the program installed one; else ours.
    fn provider() -> Arc<CryptoProvider> {
        let installed = CryptoProvider::get_default().cloned();
        installed.unwrap_or_else(|| Arc::new(ours::default_provider()))
    }

    /// The platform's verifier, made when the first certificate comes. To make it reads all
    /// certificates of the system, which takes milliseconds, and many a client is made for http or
    /// never used.
    #[derive(Debug)]
    struct Platform {
        provider: Arc<CryptoProvider>,
        verifier: OnceLock<Result<Verifier, Error>>,
    }

    impl Platform {
        fn verifier(&self) -> Result<&Verifier, Error> {
            let made = self.verifier.get_or_init(|| Verifier::new(Arc::clone(&self.provider)));
            made.as_ref().map_err(Error::clone)
        }
    }

    impl ServerCertVerifier for Platform {
        fn verify_server_cert(
            &self,
            end_entity: &CertificateDer<'_>,
            intermediates: &[CertificateDer<'_>],
            server_name: &ServerName<'_>,
            ocsp_response: &[u8],
            now: UnixTime,
        ) -> Result<ServerCertVerified, Error> {
            let verifier = self.verifier()?;
            verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
        }

        fn verify_tls12_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.verifier()?.verify_tls12_signature(message, certificate, signed)
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            certificate: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            self.verifier()?.verify_tls13_signature(message, certificate, signed)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            self.provider.signature_verification_algorithms.supported_schemes()
        }
    }

    #[cfg(test)]
    mod tests {
        use rustls::NamedGroup;

        use super::*;

        #[test]
        fn certificates_are_read_for_the_first_handshake_and_not_before() {
            let provider = provider();
            let platform = Platform { provider, verifier: OnceLock::new() };
            let schemes = platform.supported_verify_schemes();
            assert!(platform.verifier.get().is_none());
            let made = platform.verifier().expect("a system with certificates");
            assert_eq!(made.supported_verify_schemes(), schemes);
            assert!(platform.verifier.get().is_some());
        }

        #[test]
        fn only_http_1_1_is_offered() {
            assert_eq!(config().unwrap().alpn_protocols, [b"http/1.1"]);
        }

        #[test]
        fn cryptography_is_by_the_features_and_nothing_is_installed() {
            let config = config().unwrap();
            let groups = &config.crypto_provider().kx_groups;
            // ring has no post-quantum key exchange.
            let post_quantum =
                groups.iter().any(|group| group.name() == NamedGroup::X25519MLKEM768);
            assert_eq!(post_quantum, cfg!(feature = "aws-lc"));
            assert!(CryptoProvider::get_default().is_none());
        }
    }
}
