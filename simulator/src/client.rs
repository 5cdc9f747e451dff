//! `blobcopy` clients of a simulator: the only file here that depends on them.

use time::macros::datetime;

use blobcopy::{BlobServiceClient, ClientOptions, Clock, Result};

use crate::simulator::Simulator;

impl Simulator {
    /// A client of the first account, in process and on the simulator's clock.
    ///
    /// ```
    /// use blobcopy_simulator::Simulator;
    ///
    /// # tokio::runtime::Runtime::new().unwrap().block_on(async {
    /// let sim = Simulator::builder().build();
    /// let vhds = sim.service_client()?.container_client("vhds");
    /// vhds.create().await?;
    /// assert!(vhds.exists().await?);
    /// # Ok::<(), blobcopy::Error>(())
    /// # }).unwrap();
    /// ```
    pub fn service_client(&self) -> Result<BlobServiceClient> {
        BlobServiceClient::builder_from_connection_string(&self.connection_string())?
            .options(self.client_options())
            .build()
    }

    /// Client options that call the simulator in process, on its clock.
    ///
    /// ```
    /// use blobcopy::{BlobServiceClient, RetryOptions};
    /// use blobcopy_simulator::Simulator;
    ///
    /// let sim = Simulator::builder().build();
    /// let service = BlobServiceClient::builder_from_connection_string(&sim.connection_string())?
    ///     .options(sim.client_options().retry(RetryOptions::none()))
    ///     .build()?;
    /// # let _ = service;
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn client_options(&self) -> ClientOptions {
        ClientOptions::new().transport(self.transport()).clock(self.clock().clone())
    }
}

/// Runs an example of the documentation: a client of an account with the containers `vhds` and
/// `backups`, a page blob `vhds/disk0.vhd` of 1 MiB and a block blob `vhds/notes.txt`, on paused
/// time.
#[doc(hidden)]
#[allow(clippy::missing_panics_doc, clippy::expect_used)]
pub fn example<F>(run: F)
where
    F: AsyncFnOnce(BlobServiceClient) -> Result<(), Box<dyn std::error::Error>>,
{
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let ran: Result<(), Box<dyn std::error::Error>> = runtime.expect("a runtime").block_on(async {
        let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
        let service = Simulator::builder().clock(clock).build().service_client()?;
        let vhds = service.container_client("vhds");
        vhds.create().await?;
        service.container_client("backups").create().await?;
        let disk = vhds.page_blob_client("disk0.vhd");
        disk.create(1 << 20).await?;
        disk.upload_pages(0, vec![9; 64 << 10]).await?;
        vhds.block_blob_client("notes.txt").upload("some notes").await?;
        run(service).await
    });
    ran.expect("the example runs");
}
