//! The clients: for the service, a container, a blob.

mod account_sas_url;
mod append_blob;
mod blob;
mod block_blob;
mod builder;
mod container;
mod guarded_pages;
mod lease;
mod page_blob;
#[cfg(feature = "resource-manager")]
mod resource_manager;
mod sas_url;
mod service;

#[cfg(feature = "resource-manager")]
pub use self::resource_manager::{ResourceManager, ResourceManagerBuilder};
pub use self::{
    account_sas_url::GenerateAccountSasUrl,
    append_blob::AppendBlobClient,
    blob::BlobClient,
    block_blob::BlockBlobClient,
    builder::ClientBuilder,
    container::BlobContainerClient,
    guarded_pages::{GuardWrites, GuardedPages},
    lease::{GuardLease, Lease},
    page_blob::PageBlobClient,
    sas_url::GenerateSasUrl,
    service::BlobServiceClient,
};

use std::sync::Arc;

use url::Url;

use crate::{
    auth::credential::{Credential, Proof},
    error::{Error, Result},
    models::{endpoint::Endpoint, since},
    pipeline::{options::ClientOptions, secondary::Secondary, send::Pipeline},
};

/// The pipeline that the clients of `endpoint` share. It gets a secondary endpoint if the options
/// say to read from it.
fn pipeline(
    endpoint: &Endpoint,
    secondary: Option<&Url>,
    credential: Credential,
    options: ClientOptions,
) -> Result<Arc<Pipeline>> {
    options.check()?;
    let secondary = match options.read_from_secondary {
        true => Some(Secondary::of(endpoint, secondary)?),
        false => None,
    };
    Ok(Arc::new(Pipeline::new(credential, options, secondary)?))
}

/// The credential of a client whose URL may hold a SAS. Rejects contradictions between the two, and
/// between them and the endpoint. Bearer tokens can be combined with a SAS for one resource:
/// managed disks may require both, and a user delegation SAS may be limited to one user.
fn settle(
    endpoint: &Endpoint,
    sas: Option<String>,
    credential: Credential,
    options: &ClientOptions,
) -> Result<Credential> {
    let credential = match (sas, credential.0) {
        (None, proof) => Credential(proof),
        (Some(sas), Proof::Anonymous) => Credential::sas(&sas)?,
        (Some(sas), Proof::Token(token, None)) => Credential::token_beside(token, &sas)?,
        (Some(_), _) => {
            let rule = "holds a SAS although there is another credential: give only one of them";
            return Err(Error::invalid_secret("URL", rule));
        }
    };
    match &credential.0 {
        Proof::Token(..) if !endpoint.is_https() => {
            let rule = "must be https: a bearer token must not be sent unencrypted";
            return Err(Error::invalid("endpoint", endpoint.url(), rule));
        }
        Proof::Token(..) if !since::BEARER_TOKENS.is_known_to(options.service_version) => {
            let rule = format!("must be {} or later for bearer tokens", since::BEARER_TOKENS);
            return Err(Error::invalid("service version", options.service_version, &rule));
        }
        _ => {}
    }
    Ok(credential)
}
