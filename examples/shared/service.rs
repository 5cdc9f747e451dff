//! The service that an example uses: an account, or a simulator.

use blobcopy::BlobServiceClient;
use blobcopy_simulator::{Simulator, SimulatorBuilder};

use crate::account::{CONNECTION_STRING, Result, account, announce};

/// A client of the account in the environment, or of the new simulator.
pub(crate) async fn connect(
    simulator: SimulatorBuilder,
) -> Result<(BlobServiceClient, Option<Simulator>)> {
    if let Some(service) = account(CONNECTION_STRING)? {
        return Ok((service, None));
    }
    let simulator = simulator.start().await?;
    announce(&simulator);
    let service = BlobServiceClient::from_connection_string(&simulator.connection_string())?;
    Ok((service, Some(simulator)))
}
