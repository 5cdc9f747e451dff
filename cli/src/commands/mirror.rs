//! `blobcopy mirror`: keeps a destination's snapshots equal to a source's.

mod ended;
mod fleet;
mod fleet_picture;
mod follow;
mod origin;
pub(crate) mod picture;
mod planned;

use blobcopy::disks::{
    Keep, MirrorError, MirrorReport, MirrorRoute, MirrorVerification, PruneReport, SnapshotMirror,
};
use clap::{Args, ValueEnum};
use tokio::sync::Notify;

use self::{ended::Mirrored, follow::Follow, origin::OriginArgs};
use super::prune;
use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, ChangeArgs, SourceAccountArgs},
    context::Contexts,
    failure::{Failure, Result},
    interrupt::Onward,
    keep::KeepArgs,
    lock::LockArgs,
    output::Printer,
    quoted::quoted,
    receipts::ReceiptFile,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy mirror vhds/disk0.vhd backups/disk0.vhd --plan
  blobcopy mirror vhds/disk0.vhd backups/
  blobcopy mirror vhds/disk0.vhd backups/ --verify --receipts proved.jsonl
  blobcopy mirror vhds/disk0.vhd backups/ --route ranges --wait=30m
  blobcopy mirror vhds/disk0.vhd backups/ --keep-daily 7 --keep-weekly 4 --keep-within 2d
  blobcopy mirror -r vhds/ backups/ --shard 0/2
  blobcopy mirror --list disks.txt --parallel 20
  blobcopy mirror --managed-snapshots chain.jsonl backups/disk0.vhd
  blobcopy mirror --resource-group disks --disk disk0 backups/disk0.vhd --login

Running the command again is how it goes on: what is there is not copied again.";

const USAGE: &str = "\
blobcopy mirror [OPTIONS] <SOURCE> <DEST>
       blobcopy mirror [OPTIONS] -r <SOURCE/> <DEST/>
       blobcopy mirror [OPTIONS] --list <FILE>
       blobcopy mirror [OPTIONS] --managed-snapshots <FILE> <DEST>
       blobcopy mirror [OPTIONS] --resource-group <GROUP> --disk <NAME> <DEST>";

/// Copies each snapshot of a disk that the destination does not have, oldest first
///
/// The first copy moves all data of the disk, each later one only what changed since the snapshot
/// before. Of two runs into one destination at once, one works and the other ends or waits.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
pub(crate) struct Mirror {
    /// The page blob whose snapshots are copied
    source: Option<String>,
    /// The destination; container/ keeps the source's name
    dest: Option<String>,
    /// Says what would be copied, and changes nothing
    #[arg(long)]
    plan: bool,
    /// With --plan: is granted access to the snapshots of a managed disk, to say what each copy
    /// moves
    #[arg(long, requires = "plan")]
    sizes: bool,
    /// Afterwards compares snapshots with the source's, inside the service: those that this run
    /// copied and the newest or, with --verify=all, every one
    #[arg(
        long, value_enum, value_name = "WHICH", num_args = 0..=1, require_equals = true,
        default_missing_value = "new", conflicts_with = "plan"
    )]
    verify: Option<Which>,
    /// With --verify: adds a receipt of each snapshot that is proved to FILE, as JSON lines; one
    /// whose source is gone is proved by its receipt
    #[arg(long, value_name = "FILE", requires = "verify")]
    receipts: Option<String>,
    /// How the first copy is made; a destination that exists keeps its own [default: incremental,
    /// where it can be]
    #[arg(long, value_enum)]
    route: Option<Route>,
    /// If the series of incremental copies is broken, goes on in a new blob: DEST.g2, .g3 and so on
    #[arg(long)]
    new_generation: bool,
    /// How many requests are under way at once (16)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    concurrency: Option<u16>,
    #[command(flatten)]
    fleet: FleetArgs,
    #[command(flatten)]
    origin: OriginArgs,
    #[command(flatten)]
    keep: KeepArgs,
    #[command(flatten)]
    lock: LockArgs,
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
#[command(next_help_heading = "Many disks")]
struct FleetArgs {
    /// Mirrors all page blobs below SOURCE/ that have snapshots, to the same names below DEST/
    #[arg(long, short, conflicts_with_all = ["list", "managed_snapshots", "disk"])]
    recursive: bool,
    /// Mirrors each pair of FILE: SOURCE and DEST in a line, with a tab or a space between; - is
    /// standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "source", "dest", "managed_snapshots", "disk",
    ])]
    list: Option<String>,
    /// Only this part of the disks: INDEX/COUNT, from 0, such as 3/16; otherwise
    /// JOB_COMPLETION_INDEX of BLOBCOPY_SHARDS, where they are set
    #[arg(long, value_name = "I/N")]
    shard: Option<String>,
    /// How many disks are mirrored at a time (8)
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    parallel: Option<u16>,
}

/// Which snapshots are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Which {
    /// Those that this run copied, and the newest in any case
    New,
    /// Every snapshot of the destination: the cost grows with the chain
    All,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Route {
    /// Incremental Copy Blob: only snapshots of DEST can be read
    Incremental,
    /// The ranges that changed: DEST is an ordinary page blob
    Ranges,
}

impl From<Route> for MirrorRoute {
    fn from(route: Route) -> Self {
        match route {
            Route::Incremental => Self::Incremental,
            Route::Ranges => Self::Ranges,
        }
    }
}

/// What the flags say of each mirror.
#[derive(Debug, Clone)]
struct Settings {
    route: Option<Route>,
    in_flight: Option<u16>,
    new_generation: bool,
    lock: LockArgs,
    printer: Printer,
    sizes: bool,
}

impl Settings {
    fn of(&self, mut mirror: SnapshotMirror) -> SnapshotMirror {
        if let Some(route) = self.route {
            mirror = mirror.route(route.into());
        }
        if let Some(requests) = self.in_flight {
            mirror = mirror.in_flight(requests.into());
        }
        for (is_given, set) in [
            (self.new_generation, SnapshotMirror::new_generation as fn(_) -> _),
            (self.sizes, SnapshotMirror::plan_sizes),
        ] {
            if is_given {
                mirror = set(mirror);
            }
        }
        self.lock.of_mirror(mirror, &self.printer)
    }
}

/// A mirror, and what its source and destination are called.
struct Named {
    mirror: SnapshotMirror,
    source: String,
    /// The source as another command takes it, where it is an argument.
    in_command: Option<String>,
    dest: Address,
    /// The flags that name the accounts.
    accounts: String,
}

impl Mirror {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let keep = self.keep.policy()?;
        if self.fleet.recursive || self.fleet.list.is_some() {
            return fleet::run(&self, keep, session).await;
        }
        let named = self.named(session).await?;
        let (source, dest) = (named.source.clone(), named.dest.shown());
        if self.plan {
            let plan = named.mirror.plan().await;
            let plan = plan.map_err(|error| self.failure(error, &named))?;
            let may_learn = named.in_command.is_none() && !self.sizes;
            planned::show(printer, &plan, keep.as_ref(), self.keep.max_delete(), may_learn)?;
            let Some(reason) = &plan.broken else { return Ok(()) };
            let broken = Failure::series_broken(&plan.destination, reason);
            return Err(broken.going_on(&self.again(&named)));
        }
        let mut what = format!("Mirror the snapshots of {source} to {dest}");
        if let Some(keep) = &keep {
            what.push_str(&format!(", and there {keep}"));
        }
        if !self.changes.allows(printer, &what).await? {
            return Ok(());
        }
        session.interrupt.goes_on(Onward::again("what was copied is kept"));
        session.interrupt.lets_go();
        // One that cannot be read or written is known before hours of copying.
        let mut receipts = match &self.receipts {
            Some(path) => Some(ReceiptFile::open(path).await?),
            None => None,
        };
        let mut copied = self.copy(&named, session).await?;
        if let (Err(MirrorError::TooManySnapshots { .. }), Some(keep)) = (&copied, &keep) {
            // What the policy does not keep makes room for what is to be copied.
            let pruned = self.prune(&named, keep).await?;
            printer.note(&prune::removed(&pruned));
            if !pruned.deleted.is_empty() {
                copied = self.copy(&named, session).await?;
            }
        }
        let copied = copied.map_err(|error| self.failure(error, &named))?;
        let mut mirrored = Mirrored::of(copied);
        if let Some(which) = self.verify {
            let newest = (which == Which::New).then(|| mirrored.copied().max(1));
            let verification = self.verified(&named, newest, receipts.as_mut()).await?;
            mirrored.verification = Some(verification);
        }
        let proved = mirrored.proved();
        if let Some(keep) = keep.filter(|_| proved.is_ok()) {
            mirrored.pruned = Some(self.prune(&named, &keep).await?);
        }
        mirrored.show(printer)?;
        proved?;
        mirrored.pruned.as_ref().map_or(Ok(()), prune::judged)
    }

    /// Compares the newest snapshots or all, and adds what is proved to the file of receipts.
    async fn verified(
        &self,
        named: &Named,
        newest: Option<usize>,
        receipts: Option<&mut ReceiptFile>,
    ) -> Result<MirrorVerification> {
        let mut verify = named.mirror.verify();
        if let Some(requests) = self.concurrency {
            verify = verify.in_flight(requests.into());
        }
        if let Some(newest) = newest {
            verify = verify.newest(newest);
        }
        let Some(file) = receipts else { return Ok(verify.await?) };
        let verification = verify.receipts(file.known()).await?;
        file.add(verification.receipts())?;
        Ok(verification)
    }

    /// Removes what the policy does not keep.
    async fn prune(&self, named: &Named, keep: &Keep) -> Result<PruneReport> {
        let mut prune = named.mirror.prune(keep);
        if let Some(most) = self.keep.max_delete() {
            prune = prune.max_delete(most);
        }
        prune.await.map_err(|error| self.lock.failure(error))
    }

    /// Copies what is missing.
    async fn copy(
        &self,
        named: &Named,
        session: &Session,
    ) -> Result<std::result::Result<MirrorReport, MirrorError>> {
        let title = format!("{} to {}", named.source, named.dest.shown());
        let mut follow = Follow::new(&session.printer, &title);
        let unread = Notify::new();
        let mut trouble = None;
        let running = named.mirror.run().on_event(|event| {
            if let Err(failure) = follow.event(event) {
                trouble.get_or_insert(failure);
                unread.notify_one();
            }
        });
        let ended = tokio::select! {
            biased;
            ended = running.into_future() => Some(ended),
            () = unread.notified() => None,
        };
        follow.ended();
        match (trouble, ended) {
            (Some(Failure::ClosedPipe), None) | (None, None) => Err(Failure::Unread),
            (Some(failure), None) => Err(failure),
            (_, Some(ended)) => Ok(ended),
        }
    }

    fn settings(&self, printer: &Printer) -> Settings {
        let &Self { route, new_generation, lock, sizes, .. } = self;
        let printer = printer.clone();
        let in_flight = self.concurrency;
        Settings { route, in_flight, new_generation, lock, printer, sizes }
    }

    /// The mirror that the flags describe.
    async fn named(&self, session: &Session) -> Result<Named> {
        let source = Some(&self.source_account);
        let contexts = Contexts::new(&self.account, source, &self.calls, &session.printer).await?;
        let (origin, dest) = self.origin.read(self.source.as_deref(), self.dest.as_deref()).await?;
        let dest = Address::parse(dest)?.base("DEST")?;
        let dest = match origin.name() {
            Some(name) => dest.or_below(name)?,
            None => dest.blob("DEST")?,
        };
        let dest = contexts.unmistakable(dest)?;
        let blob = contexts.blob(&dest)?.page_blob_client();
        let (shown, in_command) = (origin.shown(), origin.in_command());
        let mirror = SnapshotMirror::new(origin.source(&self.origin, &contexts)?, &blob);
        let mirror = self.settings(&session.printer).of(mirror);
        Ok(Named { mirror, source: shown, in_command, dest, accounts: contexts.all_flags() })
    }
}

impl Mirror {
    /// The failure of a mirror: a broken series is told the command that goes on.
    fn failure(&self, error: MirrorError, named: &Named) -> Failure {
        let is_broken = matches!(error, MirrorError::SeriesBroken { .. });
        let failure = self.lock.failure(error);
        match is_broken {
            true => failure.going_on(&self.again(named)),
            false => failure,
        }
    }

    /// The command that begins a new generation.
    fn again(&self, named: &Named) -> String {
        let mut command = String::from("blobcopy mirror");
        if let Some(source) = &named.in_command {
            command.push_str(&format!(" {source}"));
        }
        command.push_str(&format!(" {} --new-generation", quoted(&named.dest.in_command())));
        match self.verify {
            None => {}
            Some(Which::New) => command.push_str(" --verify"),
            Some(Which::All) => command.push_str(" --verify=all"),
        }
        if let Some(path) = &self.receipts {
            command.push_str(&format!(" --receipts {}", quoted(path)));
        }
        if let Some(route) = self.route.and_then(|route| route.to_possible_value()) {
            command.push_str(&format!(" --route {}", route.get_name()));
        }
        if let Some(requests) = self.concurrency {
            command.push_str(&format!(" --concurrency {requests}"));
        }
        command.push_str(&self.origin.repeated());
        command.push_str(&self.keep.repeated());
        command.push_str(&named.accounts);
        command
    }
}
