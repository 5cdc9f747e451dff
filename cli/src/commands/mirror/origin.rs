//! Where the snapshots come from: a page blob, or a managed disk.

use blobcopy::{
    ResourceManager,
    disks::{DiskSnapshotList, ManagedSnapshots, MirrorSource, PageBlobSnapshots},
};
use clap::Args;

use crate::{
    address::Address,
    context::Contexts,
    failure::{Failure, Result},
    input,
    quoted::quoted,
};

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "A managed disk in place of SOURCE")]
pub(super) struct OriginArgs {
    /// Its snapshots as JSON lines of {"snapshot", "created", "disk", "url"}, each with a SAS in
    /// its url; - is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["resource_group", "disk"])]
    managed_snapshots: Option<String>,
    /// The disk's resource group; access to its snapshots is granted while they are read
    #[arg(long, value_name = "GROUP", requires = "disk")]
    resource_group: Option<String>,
    /// The disk's name or resource id
    #[arg(long, value_name = "NAME", requires = "resource_group")]
    disk: Option<String>,
    /// The disk's unique id, where snapshots of an earlier disk of that name are there too
    #[arg(long, value_name = "ID", requires = "disk")]
    disk_id: Option<String>,
    /// The subscription [default: AZURE_SUBSCRIPTION_ID]
    #[arg(long, value_name = "ID", requires = "disk")]
    subscription: Option<String>,
    /// Azure Resource Manager, where it is not https://management.azure.com
    #[arg(long, value_name = "URL", requires = "disk")]
    resource_manager: Option<String>,
    /// Uses snapshots to which somebody else has access now, which is revoked in the end
    #[arg(long, requires = "disk")]
    take_over: bool,
}

/// Where the snapshots come from.
#[derive(Debug)]
pub(super) enum Origin {
    Blob(Address),
    Lines { file: String, text: String },
    Disk { group: String, disk: String },
}

impl OriginArgs {
    /// The source, and DEST as it is written.
    pub(super) async fn read<'a>(
        &self,
        source: Option<&'a str>,
        dest: Option<&'a str>,
    ) -> Result<(Origin, &'a str)> {
        let managed = self.managed_snapshots.is_some() || self.disk.is_some();
        if let Some(flag) = self.of_manager().filter(|_| self.managed_snapshots.is_some()) {
            return Err(Failure::usage(
                format!("--{flag} says nothing of snapshots that --managed-snapshots lists"),
                "leave one of the two out",
            ));
        }
        let (source, dest) = match (source, dest, managed) {
            (Some(source), Some(dest), false) => (source, dest),
            (Some(dest), None, true) => ("", dest),
            (Some(_), Some(_), true) => {
                return Err(Failure::usage(
                    "a SOURCE is given, and a managed disk in its place",
                    "leave one of the two out",
                ));
            }
            _ => {
                return Err(Failure::usage(
                    "there is no source, or no destination",
                    "write it as blobcopy mirror SOURCE DEST; --help shows examples",
                ));
            }
        };
        let origin = match (&self.managed_snapshots, &self.resource_group, &self.disk) {
            (Some(file), _, _) => {
                Origin::Lines { file: file.clone(), text: input::text(file).await? }
            }
            (None, Some(group), Some(disk)) => {
                Origin::Disk { group: group.clone(), disk: disk.clone() }
            }
            _ => {
                let address = Address::parse(source)?;
                if address.is_managed_disk() {
                    return Err(Failure::usage(
                        format!(
                            "{} is one snapshot of a managed disk, which lists no others",
                            address.shown()
                        ),
                        "name the disk in place of SOURCE: --resource-group GROUP --disk NAME; or \
                         write a line with the URL of each snapshot: --managed-snapshots FILE",
                    ));
                }
                Origin::Blob(address.blob("SOURCE")?.base("SOURCE")?)
            }
        };
        Ok((origin, dest))
    }

    /// A flag that only Resource Manager can follow.
    fn of_manager(&self) -> Option<&'static str> {
        let given = [
            ("take-over", self.take_over),
            ("disk-id", self.disk_id.is_some()),
            ("subscription", self.subscription.is_some()),
            ("resource-manager", self.resource_manager.is_some()),
        ];
        given.into_iter().find_map(|(flag, is_given)| is_given.then_some(flag))
    }

    /// The same flags, for a command to be shown.
    pub(super) fn repeated(&self) -> String {
        let named = [
            ("managed-snapshots", &self.managed_snapshots),
            ("resource-group", &self.resource_group),
            ("disk", &self.disk),
            ("disk-id", &self.disk_id),
            ("subscription", &self.subscription),
            ("resource-manager", &self.resource_manager),
        ];
        let given = named.into_iter().filter_map(|(flag, value)| Some((flag, value.as_ref()?)));
        let mut flags: String =
            given.map(|(flag, value)| format!(" --{flag} {}", quoted(value))).collect();
        if self.take_over {
            flags.push_str(" --take-over");
        }
        flags
    }
}

impl Origin {
    /// The name that a container takes for the destination.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Blob(address) => Some(&address.name),
            // A resource id ends with the name.
            Self::Disk { disk, .. } => disk.rsplit('/').next(),
            Self::Lines { .. } => None,
        }
    }

    /// As it may be shown.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Blob(address) => address.shown(),
            Self::Lines { file, .. } => file.clone(),
            Self::Disk { disk, .. } if disk.starts_with('/') => disk.clone(),
            Self::Disk { group, disk } => format!("{group}/{disk}"),
        }
    }

    /// As another command takes it, where it is an argument.
    pub(super) fn in_command(&self) -> Option<String> {
        match self {
            Self::Blob(address) => Some(quoted(&address.in_command())),
            Self::Lines { .. } | Self::Disk { .. } => None,
        }
    }

    /// The source of the mirror.
    pub(super) fn source(&self, flags: &OriginArgs, contexts: &Contexts) -> Result<MirrorSource> {
        match self {
            Self::Blob(address) => {
                let blob = contexts.source_blob(address)?.page_blob_client();
                Ok(PageBlobSnapshots::of(&blob).into())
            }
            Self::Lines { file, text } => {
                let list: DiskSnapshotList = text.parse().map_err(|error: blobcopy::Error| {
                    Failure::usage(
                        format!("{file} is not a chain of snapshots: {error}"),
                        "write a line of JSON for each: {\"snapshot\", \"created\", \"disk\", \"url\"}",
                    )
                })?;
                let needs_token = list.needs_token();
                let snapshots = ManagedSnapshots::new(list).options(contexts.options().clone());
                Ok(match needs_token {
                    true => snapshots.credential(contexts.manager()?.0).into(),
                    false => snapshots.into(),
                })
            }
            Self::Disk { group, disk } => {
                let (login, options) = contexts.manager()?;
                let manager = ResourceManager::builder(flags.subscription()?, group, disk)
                    .credential(login.clone())
                    .options(options.clone());
                let manager = match &flags.resource_manager {
                    Some(url) => manager.endpoint(url.parse().map_err(|_| {
                        Failure::usage("--resource-manager is not a URL", "write it with https://")
                    })?),
                    None => manager,
                };
                let snapshots = ManagedSnapshots::new(manager.build()?);
                let snapshots = match &flags.disk_id {
                    Some(id) => snapshots.disk(id),
                    None => snapshots,
                };
                let snapshots = snapshots.take_over(flags.take_over).options(options);
                // It is sent with the snapshots alone that demand a token beside the SAS.
                Ok(snapshots.credential(login).into())
            }
        }
    }
}

impl OriginArgs {
    /// The subscription of the flag or of the environment.
    fn subscription(&self) -> Result<String> {
        let variable = || std::env::var("AZURE_SUBSCRIPTION_ID").ok().filter(|id| !id.is_empty());
        self.subscription.clone().or_else(variable).ok_or_else(|| {
            Failure::usage(
                "no subscription is named",
                "give --subscription, or set AZURE_SUBSCRIPTION_ID",
            )
        })
    }
}
