//! `blobcopy sas`: a URL that carries its own authorization.

use std::time::Duration;

use blobcopy::{
    Clock, Error,
    sas::{
        AccountSas, AccountSasPermissions, AccountSasResourceTypes, BlobSasPermissions,
        ContainerSasPermissions,
    },
};
use clap::Args;
use serde::Serialize;
use time::OffsetDateTime;
use url::Url;

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
        let is_container = address.name.is_empty();
        let url = if is_container {
            let container = contexts.container(&address)?;
            match self.account_sas {
                true => self.of_account(&contexts, container.url()?, expiry)?,
                false => {
                    let permissions = ContainerSasPermissions::new();
                    let may = letters(&self.permissions, permissions, container_letter)?;
                    let signed = container.sas_url(may, expiry).await;
                    signed.map_err(unsigned)?.expose().to_owned()
                }
            }
        } else {
            let address = address.blob("BLOB")?;
            let mut blob = contexts.blob(&address)?;
            if let Some(when) = &address.when {
                let snapshot = chosen::named(&blob, when, &self.calls).await?;
                blob = blob.with_snapshot(snapshot);
            }
            match self.account_sas {
                true => self.of_account(&contexts, blob.url()?, expiry)?,
                false => {
                    let may = letters(&self.permissions, BlobSasPermissions::new(), blob_letter)?;
                    blob.sas_url(may, expiry).await.map_err(unsigned)?.expose().to_owned()
                }
            }
        };
        let expires_on = moment::service_form(expiry);
        let made = Made { url, permissions: self.permissions, expires_on };
        session.printer.record(&made, || made.url.clone())
    }

    /// A URL with an account SAS.
    fn of_account(&self, contexts: &Contexts, url: Url, expiry: OffsetDateTime) -> Result<String> {
        let key = contexts.account_key()?;
        let types = AccountSasResourceTypes::new().service().container().object();
        let may = letters(&self.permissions, AccountSasPermissions::new(), account_letter)?;
        let sas = AccountSas::new(types).permissions(may).expires(expiry).sign(key)?;
        let mark = if url.query().is_some() { '&' } else { '?' };
        Ok(format!("{url}{mark}{}", sas.expose()))
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

/// Why the library signs nothing.
fn unsigned(error: Error) -> Failure {
    match error {
        Error::InvalidInput { what: "credential", .. } => {
            Failure::usage("there is neither a key nor a login to sign with", SIGNERS)
        }
        error => error.into(),
    }
}

/// Reads a set of letters.
fn letters<P>(
    text: &str,
    none: P,
    add: impl Fn(P, char) -> std::result::Result<P, char>,
) -> Result<P> {
    text.chars().try_fold(none, &add).map_err(|letter| {
        Failure::usage(
            format!("--permissions: {letter:?} is not a permission of this kind of SAS"),
            "see https://learn.microsoft.com/rest/api/storageservices/create-service-sas",
        )
    })
}

fn blob_letter(
    may: BlobSasPermissions,
    letter: char,
) -> std::result::Result<BlobSasPermissions, char> {
    Ok(match letter {
        'r' => may.read(),
        'a' => may.add(),
        'c' => may.create(),
        'w' => may.write(),
        'd' => may.delete(),
        'x' => may.delete_version(),
        'y' => may.permanent_delete(),
        't' => may.tags(),
        'm' => may.move_blob(),
        'e' => may.execute(),
        'o' => may.manage_ownership(),
        'p' => may.manage_access_control(),
        'i' => may.set_immutability_policy(),
        other => return Err(other),
    })
}

fn container_letter(
    may: ContainerSasPermissions,
    letter: char,
) -> std::result::Result<ContainerSasPermissions, char> {
    Ok(match letter {
        'r' => may.read(),
        'a' => may.add(),
        'c' => may.create(),
        'w' => may.write(),
        'd' => may.delete(),
        'x' => may.delete_version(),
        'y' => may.permanent_delete(),
        'l' => may.list(),
        't' => may.tags(),
        'f' => may.filter_by_tags(),
        'm' => may.move_blob(),
        'e' => may.execute(),
        'o' => may.manage_ownership(),
        'p' => may.manage_access_control(),
        'i' => may.set_immutability_policy(),
        other => return Err(other),
    })
}

fn account_letter(
    may: AccountSasPermissions,
    letter: char,
) -> std::result::Result<AccountSasPermissions, char> {
    Ok(match letter {
        'r' => may.read(),
        'w' => may.write(),
        'd' => may.delete(),
        'x' => may.delete_version(),
        'y' => may.permanent_delete(),
        'l' => may.list(),
        'a' => may.add(),
        'c' => may.create(),
        'u' => may.update(),
        'p' => may.process(),
        't' => may.tags(),
        'f' => may.filter_by_tags(),
        'i' => may.set_immutability_policy(),
        other => return Err(other),
    })
}
