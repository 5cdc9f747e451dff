//! rclone, which copies between containers of an account by Copy Blob, too.

use std::process::{Command, Stdio};

use blobcopy::{BlobServiceClient, Clock, sas::AccountSasResourceTypes};
use time::Duration;

use crate::process::{Ran, ran};

/// Its version, if it is installed.
pub(crate) fn version() -> Option<String> {
    let output = Command::new("rclone").arg("version").stderr(Stdio::null()).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    text.lines().next().map(str::to_owned)
}

/// Copies the container `from` to `to`.
pub(crate) fn copy(sas_url: &str, to: &str, in_flight: usize) -> Ran {
    let in_flight = in_flight.to_string();
    let mut command = Command::new("rclone");
    command.args(["copy", ":azureblob:from", &format!(":azureblob:{to}")]);
    command.args(["--config", "/dev/null", "--transfers", &in_flight, "--checkers", &in_flight]);
    ran(command.env("RCLONE_AZUREBLOB_SAS_URL", sas_url))
}

/// The URL that rclone takes for an account that is not at the address of Azure.
pub(crate) async fn sas_url(connection_string: &str) -> String {
    let service = BlobServiceClient::from_connection_string(connection_string).unwrap();
    let types = AccountSasResourceTypes::new().service().container().object();
    let until = Clock::system().now() + Duration::days(1);
    let url = service.account_sas_url("rwdlactx".parse().unwrap(), types, until).await.unwrap();
    url.expose().to_owned()
}
