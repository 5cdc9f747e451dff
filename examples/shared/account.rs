//! The account that an example uses, and its exit code.

use std::{env, error::Error, process::ExitCode};

use blobcopy::BlobServiceClient;
use blobcopy_simulator::Simulator;

/// The environment variable with the connection string of the account.
pub(crate) const CONNECTION_STRING: &str = "AZURE_STORAGE_CONNECTION_STRING";

pub(crate) type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// The exit code of the process; prints an error.
pub(crate) fn exit(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// A client of the account in the environment variable `variable`, if it is set.
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

/// Says that no account is set and the simulator is used.
pub(crate) fn announce(simulator: &Simulator) {
    let account = simulator.accounts().next().unwrap_or_default();
    println!("{CONNECTION_STRING} is not set, so this uses a simulator of the service,");
    println!("running in this process at {}.\n", simulator.endpoint(account));
}
