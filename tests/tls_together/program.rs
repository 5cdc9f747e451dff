//! A program in which three crates use TLS: this one, the Azure SDK's login, and `reqwest` with its
//! defaults. Each calls the same server; none may panic about a cryptography provider.

use std::{env, error::Error, sync::Arc};

use azure_core::{
    cloud::CustomConfiguration,
    credentials::{Secret, TokenCredential},
    http::{ClientOptions, RetryOptions},
};
use azure_identity::{ClientSecretCredential, ClientSecretCredentialOptions};
use blobcopy::BlobServiceClient;
use rustls::crypto::{CryptoProvider, aws_lc_rs};

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let connection = env::var("AZURE_STORAGE_CONNECTION_STRING")?;
    let server = env::var("SERVER")?;
    match env::args().nth(1).as_deref() {
        Some("ours first") => {
            ours(&connection).await?;
            theirs(&server).await?;
        }
        Some("theirs first") => {
            theirs(&server).await?;
            ours(&connection).await?;
        }
        Some("installed") => {
            aws_lc_rs::default_provider().install_default().expect("the first");
            ours(&connection).await?;
            return theirs(&server).await;
        }
        // It allows no connections, which shows that it is used.
        Some("installed without ciphers") => {
            let provider =
                CryptoProvider { cipher_suites: Vec::new(), ..aws_lc_rs::default_provider() };
            provider.install_default().expect("the first");
            let refused = ours(&connection).await.err().ok_or("TLS without ciphers")?;
            println!("blobcopy: {refused}");
            return Ok(());
        }
        other => return Err(format!("{other:?}: not a way to run this").into()),
    }
    // Only the program itself may install one.
    assert!(CryptoProvider::get_default().is_none());
    Ok(())
}

async fn ours(connection: &str) -> Result<()> {
    let service = BlobServiceClient::from_connection_string(connection)?;
    assert!(!service.container_client("none").exists().await?);
    println!("blobcopy: answered");
    Ok(())
}

async fn theirs(server: &str) -> Result<()> {
    let answer = reqwest::get(server).await?;
    println!("reqwest: {}", answer.status());

    let mut cloud = CustomConfiguration::default();
    cloud.authority_host = server.to_owned();
    let client_options = ClientOptions {
        cloud: Some(Arc::new(cloud.into())),
        retry: RetryOptions::none(),
        ..ClientOptions::default()
    };
    let options = ClientSecretCredentialOptions { client_options };
    let secret = Secret::new("secret");
    let login = ClientSecretCredential::new("tenant", "client".to_owned(), secret, Some(options))?;
    // The server issues no tokens; it only has to be reached.
    let refused = login.get_token(&["https://storage.azure.com/.default"], None).await;
    let refused = refused.err().ok_or("a token from a server that has none")?;
    let mut next: Option<&(dyn Error + 'static)> = Some(&refused);
    while let Some(error) = next {
        if let Some(fault) = error.downcast_ref::<reqwest::Error>() {
            return Err(format!("azure_identity: {fault:?}").into());
        }
        next = error.source();
    }
    println!("azure_identity: {refused}");
    Ok(())
}
