//! The command line: the commands, and what several of them take.

use std::time::Duration;

use blobcopy::{LeaseId, Metadata};
use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::{
    commands::{
        abort::Abort, check::Check, completions::Completions, copy::Copy, create::Create,
        delete::Delete, diff::Diff, drill::Drill, get::Get, incremental::Incremental,
        mirror::Mirror, prune::Prune, put::Put, report::Reports, restore::Restore, sas::Sas,
        simulate::Simulate, snapshot::Snapshot, snapshots::Snapshots, status::Status,
        verify::Verify, watch::Watch,
    },
    exit,
    failure::{Failure, Result},
    moment,
    output::OutputArgs,
    quoted::quoted,
};

/// Server-side copies in Azure Blob Storage: start them, follow them, and know how they ended
#[derive(Debug, Parser)]
#[command(name = "blobcopy", version, after_help = exit::HELP, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) output: OutputArgs,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Incremental(Box<Incremental>),
    Mirror(Box<Mirror>),
    Prune(Box<Prune>),
    Restore(Box<Restore>),
    Drill(Box<Drill>),
    Copy(Box<Copy>),
    Check(Box<Check>),
    Verify(Box<Verify>),
    Report(Reports),
    Watch(Box<Watch>),
    Status(Box<Status>),
    Abort(Box<Abort>),
    Snapshot(Box<Snapshot>),
    Snapshots(Box<Snapshots>),
    Diff(Box<Diff>),
    Create(Box<Create>),
    Put(Box<Put>),
    Get(Box<Get>),
    Delete(Box<Delete>),
    Sas(Box<Sas>),
    Simulate(Box<Simulate>),
    Completions(Completions),
}

/// Which account, and what authorizes the requests. No flag takes a secret: the process list would
/// show it.
#[derive(Debug, Clone, Default, Args)]
#[command(
    next_help_heading = "Account (otherwise from AZURE_STORAGE_*, as the Azure CLI reads them)"
)]
pub(crate) struct AccountArgs {
    /// The name of the account
    #[arg(long, value_name = "NAME")]
    pub(crate) account: Option<String>,
    /// The URL of the blob service, where it is not https://NAME.blob.core.windows.net
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// A file with the account's key; - is standard input
    #[arg(long, value_name = "FILE", group = "credential")]
    pub(crate) key_file: Option<String>,
    /// A file with a connection string; - is standard input
    #[arg(long, value_name = "FILE", group = "credential")]
    pub(crate) connection_string_file: Option<String>,
    /// A file with a SAS; - is standard input
    #[arg(long, value_name = "FILE", group = "credential")]
    pub(crate) sas_file: Option<String>,
    /// Microsoft Entra ID: --login alone tries workload identity where its variables are set, then
    /// managed identity, then developer tools
    #[arg(
        long, value_enum, value_name = "KIND", group = "credential",
        num_args = 0..=1, require_equals = true, default_missing_value = "auto"
    )]
    pub(crate) login: Option<Login>,
}

/// The same for a source in another account.
#[derive(Debug, Clone, Default, Args)]
#[command(
    next_help_heading = "Source's account, if it is another (or from AZURE_STORAGE_SOURCE_*)"
)]
pub(crate) struct SourceAccountArgs {
    /// The name of the source's account
    #[arg(long, value_name = "NAME")]
    pub(crate) source_account: Option<String>,
    /// The URL of the source's blob service
    #[arg(long, value_name = "URL")]
    pub(crate) source_endpoint: Option<String>,
    /// A file with the key of the source's account
    #[arg(long, value_name = "FILE", group = "source_credential")]
    pub(crate) source_key_file: Option<String>,
    /// A file with the connection string of the source's account
    #[arg(long, value_name = "FILE", group = "source_credential")]
    pub(crate) source_connection_string_file: Option<String>,
    /// A file with a SAS that reads the source
    #[arg(long, value_name = "FILE", group = "source_credential")]
    pub(crate) source_sas_file: Option<String>,
    /// Microsoft Entra ID for the source
    #[arg(
        long, value_enum, value_name = "KIND", group = "source_credential",
        num_args = 0..=1, require_equals = true, default_missing_value = "auto"
    )]
    pub(crate) source_login: Option<Login>,
}

/// How to get tokens from Microsoft Entra ID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Login {
    Auto,
    /// Whoever is logged in to the Azure CLI
    Cli,
    /// The machine's identity; AZURE_CLIENT_ID names one of several
    ManagedIdentity,
    Workload,
    /// AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET
    ClientSecret,
}

impl WaitArgs {
    pub(crate) fn timeout(&self) -> Option<Duration> {
        self.timeout
    }

    /// Insists on a wait where it is to have an end.
    pub(crate) fn checked(&self) -> Result {
        match self.timeout.is_some() && !self.wait {
            true => {
                Err(Failure::usage("--timeout is for a wait", "give --wait too, or leave it out"))
            }
            false => Ok(()),
        }
    }
}

impl SourceAccountArgs {
    pub(crate) fn as_account(&self) -> AccountArgs {
        AccountArgs {
            account: self.source_account.clone(),
            endpoint: self.source_endpoint.clone(),
            key_file: self.source_key_file.clone(),
            connection_string_file: self.source_connection_string_file.clone(),
            sas_file: self.source_sas_file.clone(),
            login: self.source_login,
        }
    }
}

impl AccountArgs {
    /// The flags that say the same, for a command to be shown: ` --account NAME …`. Those of a
    /// source begin with `source-`.
    pub(crate) fn repeated(&self, prefix: &str) -> String {
        let named = [
            ("account", &self.account),
            ("endpoint", &self.endpoint),
            ("key-file", &self.key_file),
            ("connection-string-file", &self.connection_string_file),
            ("sas-file", &self.sas_file),
        ];
        let given = named.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)));
        let mut flags: String =
            given.map(|(flag, value)| format!(" --{prefix}{flag} {}", quoted(value))).collect();
        if let Some(kind) = self.login.and_then(|login| login.to_possible_value()) {
            flags.push_str(&format!(" --{prefix}login={}", kind.get_name()));
        }
        flags
    }
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Requests")]
pub(crate) struct CallArgs {
    /// How long the service may work on a request, such as 30s
    #[arg(long, value_name = "TIME", value_parser = moment::duration)]
    pub(crate) server_timeout: Option<Duration>,
    /// How long an attempt at a request may take, such as 2m (100s)
    #[arg(long, value_name = "TIME", value_parser = moment::duration)]
    pub(crate) client_timeout: Option<Duration>,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Changes")]
pub(crate) struct ChangeArgs {
    /// Says what would be sent, and sends nothing that changes anything
    #[arg(long)]
    pub(crate) what_if: bool,
    /// Asks before each change
    #[arg(long, conflicts_with = "what_if")]
    pub(crate) confirm: bool,
    /// Does not ask, whatever --confirm says
    #[arg(long, short)]
    pub(crate) yes: bool,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Waiting")]
pub(crate) struct WaitArgs {
    /// Follows the copy to its end
    #[arg(long)]
    pub(crate) wait: bool,
    /// How long to wait, such as 2h; the copy goes on after it
    #[arg(long, value_name = "TIME", value_parser = moment::duration)]
    pub(crate) timeout: Option<Duration>,
}

/// `name=value`, of metadata or tags.
pub(crate) type Pair = (String, String);

/// Reads `name=value`.
pub(crate) fn pair(text: &str) -> std::result::Result<Pair, String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("it is not NAME=VALUE".to_owned()),
    }
}

pub(crate) fn metadata(pairs: &[Pair]) -> Metadata {
    pairs.iter().cloned().collect()
}

pub(crate) fn lease(id: Option<&str>) -> Result<Option<LeaseId>> {
    Ok(id.map(str::parse).transpose()?)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_definitions_agree_with_each_other() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_examples() {
        for command in Cli::command().get_subcommands() {
            let help = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let name = command.get_name();
            assert!(help.starts_with("Examples:\n  blobcopy"), "{name}: {help:?}");
        }
    }

    #[test]
    fn a_login_is_of_a_kind_only_behind_an_equals_sign() {
        let login = |arguments: &[&str]| {
            let arguments = ["blobcopy", "create"].iter().chain(arguments);
            let Command::Create(create) = Cli::parse_from(arguments).command else {
                panic!("another command")
            };
            (create.account.login, create.container)
        };
        assert_eq!(login(&["--login", "vhds"]), (Some(Login::Auto), "vhds".to_owned()));
        assert_eq!(login(&["--login=cli", "vhds"]), (Some(Login::Cli), "vhds".to_owned()));
    }
}
