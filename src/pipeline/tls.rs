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
    use std::sync::Arc;

    // ring is on by default, so `aws-lc` takes precedence: enabling it is a choice.
    #[cfg(feature = "aws-lc")]
    use rustls::crypto::aws_lc_rs as ours;
    #[cfg(not(feature = "aws-lc"))]
    use rustls::crypto::ring as ours;
    use rustls::{ClientConfig, crypto::CryptoProvider};
    use rustls_platform_verifier::BuilderVerifierExt;

    use crate::wire::transport::{TransportError, TransportErrorKind};

    /// TLS 1.2 and 1.3, the platform's certificate verifier, HTTP/1.1 only.
    pub(super) fn config() -> Result<ClientConfig, TransportError> {
        let mut config = ClientConfig::builder_with_provider(provider())
            .with_safe_default_protocol_versions()
            .and_then(BuilderVerifierExt::with_platform_verifier)
            .map_err(|error| TransportError::new(TransportErrorKind::Unusable, &error))?
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }

    /// The process-wide crypto provider, if the program installed one; else ours.
    fn provider() -> Arc<CryptoProvider> {
        let installed = CryptoProvider::get_default().cloned();
        installed.unwrap_or_else(|| Arc::new(ours::default_provider()))
    }

    #[cfg(test)]
    mod tests {
        use rustls::NamedGroup;

        use super::*;

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
