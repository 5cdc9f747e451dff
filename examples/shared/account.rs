//! The account that an example works in, and what its process ends with.

use std::{env, error::Error, process::ExitCode};

use blobcopy::BlobServiceClient;
use blobcopy_simulator::Simulator;

/// The variable that names the account to work in.
pub(crate) const CONNECTION_STRING: &str = "AZURE_STORAGE_CONNECTION_STRING";

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// What the process ends with; says what went wrong, if anything did.
pub(crate) fn exit(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A client of the account whose connection string the environment has under `variable`, if it
/// does.
pub(crate) fn account(variable: &str) -> Result<Option<BlobServiceClient>> {
    match env::var(variable) {
        Err(_) => Ok(None),
        Ok(text) => {
            let service = BlobServiceClient::from_connection_string(&text)?;
            println!("Using the account at {}.", service.url());
            Ok(Some(service))
        }
    }
}

/// Says that there is no account, and what is used instead.
pub(crate) fn announce(simulator: &Simulator) {
    let account = simulator.accounts().next().unwrap_or_default();
    println!("{CONNECTION_STRING} is not set, so this runs in a simulator of the service,");
    println!("started in this process at {}.\n", simulator.endpoint(account));
}
