//! The flags of `copy -r`, and the job that they describe.

use blobcopy::{
    BlobContainerClient,
    jobs::{Budget, CopyJob, Overwrite},
};
use clap::{Args, ValueEnum};
use futures_util::TryStreamExt;

use crate::{
    address::Address,
    args::{AccountArgs, CallArgs, SourceAccountArgs},
    context::Contexts,
    failure::{Failure, Result},
    output::Printer,
};

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Many blobs (with -r)")]
#[group(requires = "recursive")]
pub(crate) struct JobArgs {
    /// What happens to a blob that exists: if-different compares length, headers, metadata, tags,
    /// MD5 and times; if-newer compares times (if-different)
    #[arg(long, value_enum, value_name = "WHEN")]
    overwrite: Option<When>,
    /// Deletes each source once its copy is complete and proved
    #[arg(long = "move")]
    pub(super) moves: bool,
    /// Compares the content of each copy with its source, and that of blobs that seem to be the
    /// same, inside the service
    #[arg(long)]
    pub(super) verify: bool,
    /// Deletes blobs that only DEST has; needs --max-delete
    #[arg(long, requires = "max_delete", conflicts_with = "moves")]
    pub(super) delete: bool,
    /// If more than N would be deleted, none is
    #[arg(long, value_name = "N", requires = "delete")]
    pub(super) max_delete: Option<u64>,
    /// Says what would be copied, how and with how many requests; copies nothing
    #[arg(long, conflicts_with_all = ["report"])]
    pub(super) plan: bool,
    /// With --plan: writes a job file for N workers to standard output, a range of names for each
    #[arg(long, value_name = "N", requires = "plan", conflicts_with = "shard")]
    pub(super) shards: Option<u32>,
    /// Takes the shard's range of names from this job file
    #[arg(long, value_name = "FILE", conflicts_with = "plan")]
    pub(super) job: Option<String>,
    /// Copies only this part: INDEX/COUNT, from 0, such as 3/16; otherwise JOB_COMPLETION_INDEX of
    /// BLOBCOPY_SHARDS, where they are set
    #[arg(long, value_name = "I/N")]
    pub(super) shard: Option<String>,
    /// Adds failures, receipts and the report to the end of FILE, as JSON lines
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<String>,
    /// With --verify: does not compare again what these receipts prove; a file of --report
    #[arg(long, value_name = "FILE", requires = "verify")]
    pub(super) receipts: Option<String>,
    /// Creates the destination's container if it does not exist
    #[arg(long)]
    create: bool,
    /// How many blobs are copied at a time (64)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: Option<u16>,
    /// The most requests a second
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) requests_per_second: Option<u32>,
    /// The most bytes a second that the service copies
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) bytes_per_second: Option<u64>,
    /// Leaves index tags out, which need a permission of their own
    #[arg(long)]
    no_tags: bool,
    /// Does not set the tiers of the sources
    #[arg(long)]
    no_tier: bool,
    /// Copies page blobs of another account as they are, not from a snapshot taken for this
    #[arg(long)]
    no_snapshots: bool,
}

/// What happens to blobs that exist.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum When {
    Never,
    IfDifferent,
    IfNewer,
    Always,
}

/// What to do where the destination's container is missing.
const NO_CONTAINER: &str = "add --create, which creates the container";

/// SOURCE and DEST of a job.
#[derive(Debug)]
pub(crate) struct Places {
    pub(crate) from: BlobContainerClient,
    pub(crate) to: BlobContainerClient,
    pub(crate) source: Address,
    pub(crate) dest: Address,
    /// The flags that name both accounts, for a command to be shown.
    pub(crate) flags: String,
}

impl Places {
    /// Reads both, which must be containers or folders.
    pub(crate) async fn new(
        (source, dest): (&str, &str),
        account: &AccountArgs,
        source_account: &SourceAccountArgs,
        calls: &CallArgs,
        printer: &Printer,
        of_one: &str,
    ) -> Result<Self> {
        let source = folder("SOURCE", source, of_one)?;
        let dest = folder("DEST", dest, of_one)?;
        let contexts = Contexts::new(account, Some(source_account), calls, printer).await?;
        let from = contexts.source_container(&source)?;
        let to = contexts.container(&dest)?;
        Ok(Self { from, to, source, dest, flags: contexts.all_flags() })
    }

    /// Names the container that is missing, if one is. The service does not say which.
    pub(crate) async fn about(&self, failure: Failure) -> Failure {
        if !failure.is_code("ContainerNotFound") {
            return failure;
        }
        let is_missing = async |container: &BlobContainerClient| {
            let listed = container.list_blobs().page_size(1).pages().try_next().await;
            listed.is_err_and(|error| Failure::from(error).is_code("ContainerNotFound"))
        };
        let (container, is_dest) = match is_missing(&self.from).await {
            true => (&self.from, false),
            false => (&self.to, true),
        };
        let failure = if is_dest { failure.advising(NO_CONTAINER) } else { failure };
        match container.url() {
            Ok(url) => failure.at(&url),
            Err(_) => failure,
        }
    }

    /// The job between them. Both accounts draw from one budget: the limits are those of the job.
    pub(crate) fn job(&self, budget: &Budget) -> CopyJob {
        CopyJob::new(&self.from, &self.to)
            .budget(budget)
            .source_budget(budget)
            .prefix(&self.source.name)
            .destination_prefix(&self.dest.name)
    }
}

fn folder(what: &str, text: &str, of_one: &str) -> Result<Address> {
    let address = Address::parse(text)?.base(what)?;
    match address.is_folder() {
        true => Ok(address),
        false => Err(Failure::usage(
            format!("{what} {} names one blob", address.shown()),
            format!("end the name of a folder with /; {of_one}"),
        )),
    }
}

impl JobArgs {
    /// The limits of the flags.
    pub(super) fn budget(&self) -> Budget {
        let mut budget = Budget::new();
        if let Some(requests) = self.requests_per_second {
            budget = budget.requests_per_second(requests);
        }
        if let Some(bytes) = self.bytes_per_second {
            budget = budget.bytes_per_second(bytes);
        }
        budget
    }

    /// The job that the flags describe.
    pub(super) fn job(&self, places: &Places) -> CopyJob {
        let overwrite = match self.overwrite {
            None | Some(When::IfDifferent) => Overwrite::IfDifferent,
            Some(When::Never) => Overwrite::Never,
            Some(When::IfNewer) => Overwrite::IfNewer,
            Some(When::Always) => Overwrite::Always,
        };
        let mut job = places
            .job(&self.budget())
            .overwrite(overwrite)
            .create(self.create)
            .tags(!self.no_tags)
            .tier(!self.no_tier)
            .snapshot_sources(!self.no_snapshots)
            .concurrency(self.concurrency.map_or(64, usize::from));
        if let Some(most) = self.max_delete {
            job = job.delete_extra(most);
        }
        if self.moves {
            job = job.move_sources();
        }
        if self.verify {
            job = job.verify(true).content(true);
        }
        job
    }
}
