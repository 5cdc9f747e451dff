//! Copies a blob as an identity of Microsoft Entra ID: no key, no SAS that someone must keep.
//!
//! ```text
//! cargo run --example entra_login -- simulator
//! cargo run --example entra_login -- developer https://account.blob.core.windows.net
//! cargo run --example entra_login -- managed-identity https://account.blob.core.windows.net
//! ```
//!
//! `developer` is who is logged in to the Azure CLI or the Azure Developer CLI; `managed-identity`
//! is that of the machine which this runs on. Either needs the role Storage Blob Data Contributor.
//! The endpoint may be in `AZURE_STORAGE_ENDPOINT` instead. `simulator` needs no account: its login
//! is made up.

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
Say as whom, and where:
  entra_login simulator                      a made-up login, in a simulator: needs no account
  entra_login developer <endpoint>           who is logged in to the Azure CLI (az login)
  entra_login managed-identity <endpoint>    the identity of the machine this runs on
The endpoint is such as https://account.blob.core.windows.net, or in AZURE_STORAGE_ENDPOINT.
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
    // For the SDK's login, which sends by itself: here it is built without its feature
    // `reqwest_rustls`, which would bring cryptography that takes minutes to build.
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

    // A name that no earlier run has used.
    let name = format!("blobcopy-example-{}", Clock::system().now().unix_timestamp_nanos());
    let container = service.container_client(&name);
    container.create().await?;
    // Whatever happens, nothing is left behind.
    let copied = copy(&container).await;
    let deleted = container.delete().await;
    copied?;
    deleted?;
    println!("Done; everything that was made is deleted again.");
    Ok(())
}

async fn copy(container: &BlobContainerClient) -> Result<(), Box<dyn Error>> {
    let notes = container.blob_client("notes.txt");
    notes.block_blob_client().upload("What is to be copied.").await?;

    let kept = container.blob_client("kept.txt");
    let mut copy = kept.start_copy_from_uri(&notes).await?;
    copy.wait().timeout(Duration::from_secs(600)).await?;
    let content = kept.download().await?.bytes().await?;
    println!("Copied {} bytes to {}", content.len(), kept.url()?);

    // Lent to someone without a login. The identity signs it with a key that it is given for that.
    let until = Clock::system().now() + Duration::from_secs(3600);
    let url = kept.sas_url(BlobSasPermissions::new().read(), until).await?;
    println!("For an hour, anyone could read it with {url:?}");
    Ok(())
}

/// A simulated account that takes the token of [`MadeUp`], in this process and without a socket.
fn simulator() -> Simulator {
    println!("In a simulator of the service, with a login that is made up.");
    Simulator::builder()
        .account("first", "Zmlyc3Qga2V5")
        .accept_bearer(|token| token == "made-up")
        .build()
}

/// What a credential of the SDK is: it gives a token and says how long that lasts.
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
