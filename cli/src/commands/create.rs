//! `blobcopy create`: makes a container.

use clap::Args;
use serde::Serialize;

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, ChangeArgs},
    context::Contexts,
    failure::{Failure, Result, without_query},
    limits::Limited,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy create backups
  blobcopy create backups --if-missing";

/// Makes a container
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Create {
    /// The container: a name, //account/name, or a URL
    pub(crate) container: String,
    /// Is content with one that exists
    #[arg(long)]
    if_missing: bool,
    #[command(flatten)]
    pub(crate) account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Serialize)]
struct Created {
    container: String,
    url: String,
    created: bool,
}

impl Create {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let address = Address::parse(&self.container)?.container("CONTAINER")?;
        let container = contexts.container(&address)?;
        let url = container.url()?;
        let shown = without_query(&url);
        if !self.changes.allows(printer, &format!("Create Container {shown}")).await? {
            return Ok(());
        }
        let made = container.create().limited(&self.calls).await.map_err(Failure::from);
        let created = match made {
            Ok(_) => true,
            Err(failure) if self.if_missing && failure.is_code("ContainerAlreadyExists") => false,
            Err(failure) => return Err(failure.at(&url)),
        };
        let made = Created { container: container.name().to_owned(), url: shown, created };
        printer.record(&made, || match created {
            true => format!("created {}", made.url),
            false => format!("{} exists already", made.url),
        })
    }
}
