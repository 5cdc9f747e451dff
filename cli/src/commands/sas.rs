//! `blobcopy sas`: a URL that carries its own authorization.

use std::{str::FromStr, time::Duration};

use blobcopy::{Clock, Error, sas::AccountSasResourceTypes};
use clap::Args;
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs},
    chosen,
    context::Contexts,
    failure::{Failure, Result},
    moment,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy sas vhds/disk0.vhd --permissions r --expiry 2h
  blobcopy sas vhds --permissions rl --expiry 7d
  blobcopy sas vhds/disk0.vhd --permissions r --expiry 2h --account-sas

Whoever has the URL may do what it permits, until it expires: it is a secret.";

/// Makes a URL with a SAS, signed by the account's key or, with --login, by a user delegation key
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Sas {
    /// The blob, BLOB@TIME for one snapshot, or a container
    blob: String,
    /// What it permits, in the service's letters: r read, w write, c create, d delete, l list, …
    #[arg(long, value_name = "LETTERS")]
    permissions: String,
    /// How long it is valid, such as 2h, or until when: 2026-01-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    expiry: String,
    /// An account SAS: it permits the same on every container and blob
    #[arg(long)]
    account_sas: bool,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

const SIGNERS: &str = "name the blob without a SAS, and give the account's key or --login";

#[derive(Serialize)]
struct Made {
    url: String,
    permissions: String,
    expires_on: String,
}

impl Sas {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let contexts = Contexts::new(&self.account, None, &self.calls, &session.printer).await?;
        let address = Address::parse(&self.blob)?;
        let expiry = self.expiry()?;
        if address.holds_sas() {
            return Err(Failure::usage("a SAS cannot sign another SAS", SIGNERS));
        }
        let may = self.permissions.as_str();
        let types = AccountSasResourceTypes::new().service().container().object();
        let is_container = address.name.is_empty();
        let url = if is_container {
            let container = contexts.container(&address)?;
            match self.account_sas {
                true => container.account_sas_url(letters(may)?, types, expiry).await,
                false => container.sas_url(letters(may)?, expiry).await,
            }
        } else {
            let address = address.blob("BLOB")?;
            let mut blob = contexts.blob(&address)?;
            if let Some(when) = &address.when {
                let snapshot = chosen::named(&blob, when, &self.calls).await?;
                blob = blob.with_snapshot(snapshot);
            }
            match self.account_sas {
                true => blob.account_sas_url(letters(may)?, types, expiry).await,
                false => blob.sas_url(letters(may)?, expiry).await,
            }
        };
        let url = url.map_err(|error| self.unsigned(error))?.expose().to_owned();
        let expires_on = moment::service_form(expiry);
        let made = Made { url, permissions: self.permissions, expires_on };
        session.printer.record(&made, || made.url.clone())
    }

    /// Why the library signs nothing.
    fn unsigned(&self, error: Error) -> Failure {
        match error {
            Error::InvalidInput { what: "credential", .. } if self.account_sas => Failure::usage(
                "only the account's key can sign an account SAS",
                "give the key: --key-file, --connection-string-file, or AZURE_STORAGE_KEY",
            ),
            Error::InvalidInput { what: "credential", .. } => {
                Failure::usage("there is neither a key nor a login to sign with", SIGNERS)
            }
            error => error.into(),
        }
    }

    fn expiry(&self) -> Result<OffsetDateTime> {
        let refused = |why: String| {
            Failure::usage(format!("--expiry: {why}"), "write 2h, or 2026-01-01T00:00:00Z")
        };
        if self.expiry.contains('T') {
            return moment::date(&self.expiry).map_err(refused);
        }
        let length: Duration = moment::duration(&self.expiry).map_err(refused)?;
        Clock::system()
            .now()
            .checked_add(length.try_into().unwrap_or(time::Duration::MAX))
            .ok_or_else(|| refused("it is too far away".to_owned()))
    }
}

/// Reads the letters of `--permissions`.
fn letters<P: FromStr<Err = Error>>(text: &str) -> Result<P> {
    text.parse().map_err(|error: Error| {
        Failure::usage(
            format!("--permissions: {error}"),
            "see https://learn.microsoft.com/rest/api/storageservices/create-service-sas",
        )
    })
}
