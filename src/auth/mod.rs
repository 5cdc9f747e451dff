//! How requests and URLs are authorized: shared key, shared access signatures, tokens.

mod challenge;
pub(crate) mod connection_string;
pub(crate) mod credential;
pub(crate) mod kept_key;
pub(crate) mod sas;
pub(crate) mod shared_key;
pub(crate) mod token;
mod token_cache;
#[cfg(feature = "azure_core")]
mod token_credential;
