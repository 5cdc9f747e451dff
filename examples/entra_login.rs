//! Copies a blob with a Microsoft Entra ID identity: no key and no SAS to keep.
//!
//! ```text
//! cargo run --example entra_login -- simulator
//! cargo run --example entra_login -- developer https://account.blob.core.windows.net
//! cargo run --example entra_login -- managed-identity https://account.blob.core.windows.net
//! ```
//!
//! `developer` uses the login of the Azure CLI or the Azure Developer CLI; `managed-identity` the
//! identity of this machine. Either needs the role Storage Blob Data Contributor. The endpoint may
//! be in `AZURE_STORAGE_ENDPOINT` instead. `simulator` needs no account: its login is made up.

use std::{env, error::Error, process::ExitCode, sync::Arc, time::Duration};

use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_identity::{DeveloperToolsCredential, ManagedIdentityCredential};
use blobcopy::{
    BlobContainerClient, BlobServiceClient, ClientOptions, Clock, Credential,
    sas::BlobSasPermissions,
};
use blobcopy_simulator::Simulator;

const ENDPOINT: &str = "AZURE_STORAGE_ENDPOINT";

const USAGE: &str = "\
Usage:
  entra_login simulator                      a made-up login in a simulator: needs no account
  entra_login developer <endpoint>           the login of the Azure CLI (az login)
  entra_login managed-identity <endpoint>    the identity of this machine
The endpoint is a URL such as https://account.blob.core.windows.net; it may be in
AZURE_STORAGE_ENDPOINT instead.
The identity needs the role Storage Blob Data Contributor.";

#[tokio::main]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> Result<(), Box<dyn Error>> {
    // For the HTTP client of the SDK's login. The SDK is built here without its feature
    // `reqwest_rustls`, which would bring AWS-LC and take minutes to build.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let mut arguments = env::args().skip(1);
    let who = arguments.next();
    let endpoint = arguments.next().or_else(|| env::var(ENDPOINT).ok());
    let (login, endpoint, options): (Arc<dyn TokenCredential>, _, _) =
        match (who.as_deref(), endpoint) {
            (Some("simulator"), _) => {
                let options = simulator().client_options();
                (Arc::new(MadeUp), "https://first.blob.core.windows.net".to_owned(), options)
            }
            (Some("developer"), Some(endpoint)) => {
                (DeveloperToolsCredential::new(None)?, endpoint, ClientOptions::new())
            }
            (Some("managed-identity"), Some(endpoint)) => {
                (ManagedIdentityCredential::new(None)?, endpoint, ClientOptions::new())
            }
            _ => return Err(USAGE.into()),
        };
    let service = BlobServiceClient::builder(endpoint.parse()?)
        .credential(Credential::from_token_credential(login))
        .options(options)
        .build()?;
    println!("Logged in at {}", service.url());

    // A new name for each run.
    let name = format!("blobcopy-example-{}", Clock::system().now().unix_timestamp_nanos());
    let container = service.container_client(&name);
    container.create().await?;
    // Clean up in any case.
    let copied = copy(&container).await;
    let deleted = container.delete().await;
    copied?;
    deleted?;
    println!("Done; the container is deleted again.");
    Ok(())
}

async fn copy(container: &BlobContainerClient) -> Result<(), Box<dyn Error>> {
    let notes = container.blob_client("notes.txt");
    notes.block_blob_client().upload("Content to copy.").await?;

    let kept = container.blob_client("kept.txt");
    let mut copy = kept.start_copy_from_uri(&notes).await?;
    copy.wait().timeout(Duration::from_secs(600)).await?;
    let content = kept.download().await?.bytes().await?;
    println!("Copied {} bytes to {}", content.len(), kept.url()?);

    // A link for someone without a login. The identity signs it with a user delegation key.
    let until = Clock::system().now() + Duration::from_secs(3600);
    let url = kept.sas_url(BlobSasPermissions::new().read(), until).await?;
    println!("Anyone with this link can read it for an hour: {url:?}");
    Ok(())
}

/// A simulated account that accepts the token of [`MadeUp`], in this process, without a socket.
fn simulator() -> Simulator {
    println!("Using a simulator of the service, with a made-up login.");
    Simulator::builder()
        .account("first", "Zmlyc3Qga2V5")
        .accept_bearer(|token| token == "made-up")
        .build()
}

/// A credential of the SDK: it returns a token and its expiry.
#[derive(Debug)]
struct MadeUp;

#[async_trait::async_trait]
impl TokenCredential for MadeUp {
    async fn get_token(
        &self,
        _scopes: &[&str],
        _options: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        Ok(AccessToken::new("made-up", Clock::system().now() + Duration::from_secs(3600)))
    }
}
