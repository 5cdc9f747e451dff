//! `blobcopy copy`: copies one blob, in the background or in one call; or all of a container.

pub(crate) mod ended;
pub(crate) mod follow;
pub(crate) mod job_args;
mod many;
pub(crate) mod shard;

use blobcopy::{AccessTier, BlobType, Conditions, RehydratePriority, Tags};
use clap::Args;
use serde::Serialize;
use url::Url;

use self::job_args::JobArgs;
use crate::{
    Session,
    address::Address,
    args::{
        AccountArgs, CallArgs, ChangeArgs, Pair, SourceAccountArgs, WaitArgs, lease, metadata, pair,
    },
    chosen,
    context::{Contexts, Source},
    failure::{Failure, Result, without_query},
    limits::Limited,
    moment,
    output::pairs,
    record::CopyRecord,
    wait::{self, Watched},
};

const EXAMPLES: &str = "\
Examples:
  blobcopy copy vhds/disk0.vhd archive/disk0.vhd --tier Archive --wait
  blobcopy copy vhds/disk0.vhd@latest vhds/disk0.vhd
  blobcopy copy notes/a.txt notes/b.txt --sync --metadata origin=a
  blobcopy copy https://example.com/public.iso images/ --wait
  blobcopy copy -r vhds/ backups/monday/ --plan
  blobcopy copy -r vhds/ backups/monday/ --report monday.jsonl
  blobcopy copy -r vhds/2026/ archive/ --create --overwrite never --requests-per-second 500
  blobcopy copy -r vhds/ backups/ --plan --shards 16 > job.json
  blobcopy copy -r vhds/ backups/ --job job.json --shard 3/16

With -r, running the command again is how it resumes: what is the same is not copied again.";

/// Copies one blob, and overwrites what is at DEST; with -r all blobs of a container or folder
///
/// A page blob that is overwritten, as when one of its snapshots is promoted, ends its series of
/// incremental copies: the next ones need a new destination.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Copy {
    /// The blob, with @TIME or @latest for a snapshot, or any URL that the service can read; with
    /// -r a container, or a folder that ends with /
    source: String,
    /// The destination; container/ keeps the source's name
    dest: String,
    /// Copies all blobs below SOURCE to the same names below DEST
    #[arg(long, short, conflicts_with_all = [
        "sync", "metadata", "tags", "tier", "rehydrate_priority", "lease_id", "ConditionArgs",
        "WaitArgs",
    ])]
    recursive: bool,
    /// Copies in one call, which answers when the copy is made (block blobs up to 256 MiB)
    #[arg(long, conflicts_with = "wait")]
    sync: bool,
    /// Metadata in place of the source's; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    metadata: Vec<Pair>,
    /// Tags of the destination; may be given several times
    #[arg(long, value_name = "NAME=VALUE", value_parser = pair)]
    tags: Vec<Pair>,
    /// The destination's tier, such as Cool
    #[arg(long)]
    tier: Option<String>,
    /// How fast an archived source is rehydrated: Standard or High
    #[arg(long, value_name = "PRIORITY", conflicts_with = "sync")]
    rehydrate_priority: Option<String>,
    /// The id of the destination's lease
    #[arg(long, value_name = "ID")]
    lease_id: Option<String>,
    #[command(flatten)]
    job: JobArgs,
    #[command(flatten)]
    conditions: ConditionArgs,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    source_account: SourceAccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Conditions")]
struct ConditionArgs {
    /// Only if the destination has this ETag; * for any
    #[arg(long, value_name = "ETAG")]
    if_match: Option<String>,
    /// Only if the destination has not this ETag; * if there is none at all
    #[arg(long, value_name = "ETAG")]
    if_none_match: Option<String>,
    /// Only if the destination was written since
    #[arg(long, value_name = "TIME")]
    if_modified_since: Option<String>,
    /// Only if the destination was not written since
    #[arg(long, value_name = "TIME")]
    if_unmodified_since: Option<String>,
    /// Only if the destination's tags are so
    #[arg(long, value_name = "EXPRESSION")]
    if_tags: Option<String>,
    /// Only if the source has this ETag
    #[arg(long, value_name = "ETAG")]
    source_if_match: Option<String>,
    /// Only if the source has not this ETag
    #[arg(long, value_name = "ETAG")]
    source_if_none_match: Option<String>,
    /// Only if the source was written since
    #[arg(long, value_name = "TIME")]
    source_if_modified_since: Option<String>,
    /// Only if the source was not written since
    #[arg(long, value_name = "TIME")]
    source_if_unmodified_since: Option<String>,
    /// Only if the source's tags are so
    #[arg(long, value_name = "EXPRESSION", conflicts_with = "sync")]
    source_if_tags: Option<String>,
}

#[derive(Serialize)]
struct Copied {
    destination: String,
    copy_id: String,
    status: &'static str,
    source: String,
}

impl Copy {
    pub(crate) async fn run(self, session: &Session) -> Result {
        if self.recursive {
            return many::run(self, session).await;
        }
        self.wait.checked()?;
        let printer = &session.printer;
        let source = Some(&self.source_account);
        let contexts = Contexts::new(&self.account, source, &self.calls, printer).await?;
        let from = Address::parse(&self.source)?.blob("SOURCE")?;
        let dest = Address::parse(&self.dest)?.base("DEST")?.or_below(&from.name)?;
        let dest = contexts.unmistakable(dest)?;
        let blob = contexts.blob(&dest)?;
        let url = blob.url()?;
        let source = self.source(&contexts, &from).await?;
        let operation = if self.sync { "Copy Blob From URL" } else { "Copy Blob" };
        let (shown, to) = (without_snapshot(&source.url), without_query(&url));
        if self.replaces_a_disk(&blob).await {
            printer.note(&format!(
                "warning: {to} is a page blob, and to copy onto it ends its series of incremental \
                 copies: they need a new destination after it"
            ));
        }
        if !self.changes.allows(printer, &format!("{operation} {shown} to {to}")).await? {
            return Ok(());
        }
        if self.sync {
            let copied = self.at_once(&blob, source.copy.clone()).await;
            let copied = match copied {
                Ok(copied) => copied,
                Err(failure) => return Err(self.about(failure, &source, &url).await),
            };
            let copied =
                Copied { destination: to, copy_id: copied, status: "success", source: shown };
            return printer.record(&copied, || {
                pairs([
                    ("destination", copied.destination.clone()),
                    ("copy id", copied.copy_id.clone()),
                    ("status", copied.status.to_owned()),
                    ("source", copied.source.clone()),
                ])
            });
        }
        let start = blob.start_copy_from_uri(source.copy.clone()).limited(&self.calls);
        let start = start
            .conditions(self.conditions.of_destination()?)
            .source_conditions(self.conditions.of_source()?)
            .metadata(metadata(&self.metadata))
            .tags(self.tags.iter().cloned().collect::<Tags>());
        let start = match &self.tier {
            Some(tier) => start.tier(AccessTier::from(tier.as_str())),
            None => start,
        };
        let start = match &self.rehydrate_priority {
            Some(priority) => start.rehydrate_priority(RehydratePriority::from(priority.as_str())),
            None => start,
        };
        let start = match lease(self.lease_id.as_deref())? {
            Some(id) => start.lease_id(id),
            None => start,
        };
        let copy = match start.await {
            Ok(copy) => copy,
            Err(error) => return Err(self.about(error.into(), &source, &url).await),
        };
        let snapshot = from_snapshot(&source.url);
        let mut record = CopyRecord::started(&url, &copy, &source.url, snapshot.as_deref());
        if self.wait.wait {
            session.interrupt.goes_on(wait::onward(&dest, contexts.flags()));
            let watched = Watched { name: dest.shown(), copy };
            let done = wait::one(session, watched, self.wait.timeout()).await;
            let onward = || wait::onward(&dest, contexts.flags());
            let done = done.map_err(|failure| wait::given_up(failure, onward()))?;
            record = record.completed(&done);
        }
        printer.record(&record, || record.text())
    }

    /// Whether there is a page blob at the destination, as far as this program may look.
    async fn replaces_a_disk(&self, dest: &blobcopy::BlobClient) -> bool {
        let found = dest.get_properties().limited(&self.calls).await;
        found.is_ok_and(|found| {
            found.blob_type == Some(BlobType::PageBlob) && !found.is_incremental_copy
        })
    }

    /// The failure of a start, which names the blob that it is about.
    async fn about(&self, failure: Failure, source: &Source, dest: &Url) -> Failure {
        // The service does not say which of two containers is not there.
        if failure.is_code("ContainerNotFound")
            && let Some(client) = &source.client
            && let Err(error) = client.get_properties().limited(&self.calls).await
            && Failure::from(error).is_missing()
        {
            return failure.at(&source.url);
        }
        failure.between(&source.url, dest)
    }

    /// The source, with the snapshot that it names.
    async fn source(&self, contexts: &Contexts, address: &Address) -> Result<Source> {
        let mut source = contexts.source(address)?;
        let (Some(when), Some(client)) = (&address.when, &source.client) else {
            return Ok(source);
        };
        let snapshot = chosen::named(client, when, &self.calls).await;
        let snapshot = snapshot.map_err(Failure::reading_source)?;
        let client = client.with_snapshot(snapshot);
        (source.copy, source.url) = ((&client).into(), client.url()?);
        source.client = Some(client);
        Ok(source)
    }

    async fn at_once(
        &self,
        blob: &blobcopy::BlobClient,
        source: blobcopy::CopySource,
    ) -> Result<String> {
        let copy = blob.copy_from_uri(source).limited(&self.calls);
        let copy = copy
            .conditions(self.conditions.of_destination()?)
            .source_conditions(self.conditions.of_source()?)
            .metadata(metadata(&self.metadata))
            .tags(self.tags.iter().cloned().collect::<Tags>());
        let copy = match &self.tier {
            Some(tier) => copy.tier(AccessTier::from(tier.as_str())),
            None => copy,
        };
        let copy = match lease(self.lease_id.as_deref())? {
            Some(id) => copy.lease_id(id),
            None => copy,
        };
        Ok(copy.await?.copy_id.as_ref().map(ToString::to_string).unwrap_or_default())
    }
}

impl ConditionArgs {
    fn of_destination(&self) -> Result<Conditions> {
        conditions(
            self.if_match.as_deref(),
            self.if_none_match.as_deref(),
            self.if_modified_since.as_deref(),
            self.if_unmodified_since.as_deref(),
            self.if_tags.as_deref(),
        )
    }

    fn of_source(&self) -> Result<Conditions> {
        conditions(
            self.source_if_match.as_deref(),
            self.source_if_none_match.as_deref(),
            self.source_if_modified_since.as_deref(),
            self.source_if_unmodified_since.as_deref(),
            self.source_if_tags.as_deref(),
        )
    }
}

fn conditions(
    matches: Option<&str>,
    differs: Option<&str>,
    modified: Option<&str>,
    unmodified: Option<&str>,
    tags: Option<&str>,
) -> Result<Conditions> {
    let date = |text: &str| {
        moment::date(text).map_err(|why| Failure::usage(why, "write a time with an offset"))
    };
    let mut conditions = Conditions::new();
    if let Some(etag) = matches {
        conditions = conditions.if_match(etag.parse::<blobcopy::ETag>()?);
    }
    if let Some(etag) = differs {
        conditions = conditions.if_none_match(etag.parse::<blobcopy::ETag>()?);
    }
    if let Some(time) = modified {
        conditions = conditions.if_modified_since(date(time)?);
    }
    if let Some(time) = unmodified {
        conditions = conditions.if_unmodified_since(date(time)?);
    }
    if let Some(expression) = tags {
        conditions = conditions.if_tags(expression);
    }
    Ok(conditions)
}

fn from_snapshot(url: &Url) -> Option<String> {
    crate::record::snapshot_in(url.as_str())
}

/// The URL without its SAS.
fn without_snapshot(url: &Url) -> String {
    match from_snapshot(url) {
        Some(snapshot) => format!("{}?snapshot={snapshot}", without_query(url)),
        None => without_query(url),
    }
}
