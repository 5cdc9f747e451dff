//! `blobcopy mirror -r`, and `--list`: many disks in one run.

use blobcopy::{
    disks::{
        FleetDisk, FleetEvent, FleetPlan, FleetReport, FleetStep, Keep, MirrorEvent, MirrorFleet,
        SnapshotMirror,
    },
    jobs::Shard,
};
use indicatif::HumanBytes;
use tokio::sync::Notify;

use super::{
    super::copy::{ended::Counted, follow::shown, shard},
    Mirror, Which,
    fleet_picture::FleetPicture,
};
use crate::{
    Session,
    address::Address,
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result, without_query},
    input,
    interrupt::Onward,
    output::{Format, Printer, pairs},
    receipts::ReceiptFile,
};

pub(super) async fn run(args: &Mirror, keep: Option<Keep>, session: &Session) -> Result {
    let printer = &session.printer;
    let source = Some(&args.source_account);
    let contexts = Contexts::new(&args.account, source, &args.calls, printer).await?;
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    let shard = shard::chosen(args.fleet.shard.as_deref(), None, variable)?;
    let (mut fleet, what) = fleet(args, &contexts, keep.as_ref(), shard, printer).await?;
    if args.plan {
        let plan = fleet.plan().await?;
        printer.record(&plan, || plan.to_string())?;
        return planned(&plan);
    }
    if !args.changes.allows(printer, &what).await? {
        return Ok(());
    }
    session.interrupt.goes_on(Onward::again("what was copied is kept"));
    session.interrupt.lets_go();
    let mut receipts = match &args.receipts {
        Some(path) => Some(ReceiptFile::open(path).await?),
        None => None,
    };
    if let Some(file) = &receipts {
        fleet = fleet.receipts(file.known());
    }
    let mut follow = FollowFleet::new(printer, receipts.as_mut());
    let unread = Notify::new();
    let mut trouble = None;
    let running = fleet.run().on_event(|event| {
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
    drop(follow);
    let (report, trouble) = match (trouble, ended) {
        (Some(Failure::ClosedPipe), None) | (None, None) => return Err(Failure::Unread),
        (Some(failure), None) => return Err(failure),
        (trouble, Some(ended)) => (ended?, trouble),
    };
    if printer.format() != Format::Jsonl {
        printer.record(&report, || text(&report))?;
    }
    // Of the last disk: all others were mirrored nevertheless.
    trouble.map_or(Ok(()), Err)?;
    judged(&report)
}

/// The fleet that the flags describe, and what a run of it does, in words.
async fn fleet(
    args: &Mirror,
    contexts: &Contexts,
    keep: Option<&Keep>,
    shard: Option<Shard>,
    printer: &Printer,
) -> Result<(MirrorFleet, String)> {
    let (fleet, mut what) = match &args.fleet.list {
        Some(path) => {
            let mirrors = listed(path, contexts).await?;
            let disks = Counted(mirrors.len().try_into().unwrap_or(u64::MAX), "disk");
            (MirrorFleet::new(mirrors), format!("Mirror the snapshots of {disks}"))
        }
        None => {
            let [source, dest] = [(&args.source, "SOURCE"), (&args.dest, "DEST")]
                .map(|(given, name)| folder(given.as_deref(), name));
            let (source, dest) = (source?, dest?);
            let [from, to] = [contexts.source_container(&source)?, contexts.container(&dest)?];
            if dest.name.starts_with(&source.name)
                && without_query(&from.url()?) == without_query(&to.url()?)
            {
                return Err(Failure::usage(
                    format!("DEST {} is in SOURCE {}", dest.shown(), source.shown()),
                    "name a DEST outside of it: otherwise each run would mirror the mirrors too",
                ));
            }
            let what = format!(
                "Mirror the snapshots of the disks of {} to {}",
                source.shown(),
                dest.shown()
            );
            (MirrorFleet::of_container(&from, &source.name, &to, &dest.name), what)
        }
    };
    if let Some(keep) = keep {
        what.push_str(&format!(", and there {keep}"));
    }
    let settings = args.settings(printer);
    let mut fleet = fleet.each(move |mirror| settings.of(mirror));
    match args.verify {
        None => {}
        Some(Which::New) => fleet = fleet.verify(),
        Some(Which::All) => fleet = fleet.verify_all(),
    }
    if let Some(keep) = keep {
        fleet = fleet.keep(keep);
    }
    if let Some(most) = args.keep.max_delete() {
        fleet = fleet.max_delete(most);
    }
    if let Some(disks) = args.fleet.parallel {
        fleet = fleet.concurrency(disks.into());
    }
    if let Some(shard) = shard {
        fleet = fleet.part_of(shard);
    }
    Ok((fleet, what))
}

fn folder(given: Option<&str>, what: &str) -> Result<Address> {
    let Some(given) = given else {
        return Err(Failure::usage(
            format!("-r needs a container as {what}"),
            "write it as blobcopy mirror -r SOURCE/ DEST/",
        ));
    };
    let address = Address::parse(given)?.base(what)?;
    match address.is_folder() {
        true => Ok(address),
        false => Err(Failure::usage(
            format!("{what} {} names one blob", address.shown()),
            "end the name of a folder with /; one disk is mirrored without -r",
        )),
    }
}

/// The mirrors of a file with a pair of addresses a line.
async fn listed(path: &str, contexts: &Contexts) -> Result<Vec<SnapshotMirror>> {
    let text = input::text(path).await?;
    // PowerShell 5 puts a mark before the first line.
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let lines = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let lines = lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let mut mirrors = Vec::new();
    for (number, line) in lines {
        let Some((source, dest)) = pair(line) else {
            return Err(Failure::usage(
                format!("line {number} of {path} is not a pair"),
                "write SOURCE and DEST in each line, with a tab or a space between them",
            ));
        };
        let read = || {
            let source = Address::parse(source)?.blob("SOURCE")?.base("SOURCE")?;
            let dest = Address::parse(dest)?.base("DEST")?.or_below(&source.name)?;
            let from = contexts.source_blob(&source)?.page_blob_client();
            let to = contexts.blob(&dest)?.page_blob_client();
            // A name that the service cannot have.
            from.url().and_then(|_| to.url())?;
            Ok(SnapshotMirror::new(&from, &to))
        };
        let mirror = read().map_err(|failure: Failure| failure.in_line(number, path))?;
        mirrors.push(mirror);
    }
    if mirrors.is_empty() {
        return Err(Failure::usage(
            format!("{path} names no disk"),
            "write SOURCE and DEST in each line; what makes the list has perhaps failed",
        ));
    }
    Ok(mirrors)
}

/// Two words, or what is on both sides of a tab: then names may hold spaces.
fn pair(line: &str) -> Option<(&str, &str)> {
    let (one, other) = match line.split_once('\t') {
        Some((one, other)) if !other.contains('\t') => (one, other),
        Some(_) => return None,
        None => {
            let mut words = line.split_whitespace();
            let pair = (words.next()?, words.next()?);
            return words.next().is_none().then_some(pair);
        }
    };
    let (one, other) = (one.trim(), other.trim());
    (!one.is_empty() && !other.is_empty()).then_some((one, other))
}

/// Fails if a disk cannot be mirrored.
fn planned(plan: &FleetPlan) -> Result {
    let is_bad = plan.disks.iter().filter(|disk| disk.failure.is_some() || disk.broken.is_some());
    let bad = Counted(is_bad.count().try_into().unwrap_or(u64::MAX), "disk");
    match bad.0 {
        0 => Ok(()),
        _ => Err(Failure::new(
            Exit::Unfinished,
            format!("{bad} cannot be mirrored"),
            "mend what is named; a broken series goes on with --new-generation",
        )),
    }
}

/// What the run leaves, and whether another one may mend it.
fn judged(report: &FleetReport) -> Result {
    if report.is_ok() {
        return Ok(());
    }
    let failed = Counted(report.failed(), "disk");
    let (verb, what) = match &report.unlisted {
        Some(failure) => ("", format!("not all disks are known: {}", failure.message)),
        None => (if failed.0 == 1 { "is" } else { "are" }, String::new()),
    };
    let what = match what.is_empty() {
        true => format!("{failed} {verb} not as it should be"),
        false => what,
    };
    let differs = |disk: &FleetDisk| {
        disk.failure.as_ref().is_some_and(|failure| failure.step == FleetStep::Verify)
    };
    let (exit, advice) = match report.may_be_mended() {
        false if report.disks.iter().any(differs) => {
            (Exit::Unfinished, "see what differs; `blobcopy prune` and a new copy may mend it")
        }
        true => (Exit::Unfinished, "run the same command again: what is done stays done"),
        false => (
            Exit::Hopeless,
            "mend what is named: another run cannot; a broken series goes on with \
             --new-generation",
        ),
    };
    Err(Failure::new(exit, what, advice))
}

/// The report for people.
fn text(report: &FleetReport) -> String {
    let mut text = String::new();
    for disk in report.disks.iter().filter(|disk| disk.failure.is_some()) {
        text.push_str(&format!("{}\n", of_disk(disk)));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    let mut lines = vec![
        ("disks", report.disks.len().to_string()),
        ("failed", report.failed().to_string()),
        ("left", report.left.to_string()),
        ("there before", Counted(report.present(), "snapshot").to_string()),
        ("copied", format!("{}, {} bytes", Counted(report.copied(), "snapshot"), report.bytes())),
    ];
    let verified = report.disks.iter().map(|disk| disk.verified).sum::<u64>();
    if verified > 0 {
        lines.push(("compared", Counted(verified, "snapshot").to_string()));
    }
    if report.removed() > 0 {
        lines.push(("removed", Counted(report.removed(), "snapshot").to_string()));
    }
    if let Some(shard) = &report.shard {
        lines.insert(0, ("shard", shard.to_string()));
    }
    lines.push(("requests", report.requests.to_string()));
    lines.push(("time", shown(report.elapsed)));
    text.push_str(&pairs(lines));
    text
}

/// What became of a disk, in a line.
fn of_disk(disk: &FleetDisk) -> String {
    match &disk.failure {
        Some(failure) => format!("failed: {}: {}", disk.destination, failure.message),
        None => format!(
            "{}: {} copied, {}",
            disk.destination,
            Counted(disk.copied, "snapshot"),
            HumanBytes(disk.bytes)
        ),
    }
}

/// Follows a run: a picture in a terminal, a line for each disk elsewhere, events as JSON lines.
struct FollowFleet<'a> {
    printer: Printer,
    picture: Option<FleetPicture>,
    receipts: Option<&'a mut ReceiptFile>,
}

impl<'a> FollowFleet<'a> {
    fn new(printer: &Printer, receipts: Option<&'a mut ReceiptFile>) -> Self {
        let picture = printer.draws_bars().then(|| FleetPicture::new(printer));
        Self { printer: printer.clone(), picture, receipts }
    }

    fn event(&mut self, event: &FleetEvent) -> Result {
        if let Some(picture) = &mut self.picture {
            picture.event(event);
        }
        // Disk by disk: a run that is killed has proved what it has proved.
        if let (FleetEvent::Verified { found, .. }, Some(file)) = (event, &mut self.receipts) {
            file.add(found.receipts())?;
        }
        match (self.printer.format(), event) {
            // Progress would be most of the lines.
            (Format::Jsonl, FleetEvent::Disk { of: MirrorEvent::HopProgress { .. }, .. }) => {}
            (
                Format::Table | Format::Json,
                FleetEvent::Disk { of: MirrorEvent::Waiting(wait), .. },
            ) => {
                self.printer.note(&wait.to_string());
            }
            (Format::Jsonl, _) => self.printer.record(event, String::new)?,
            (Format::Table, FleetEvent::Finished { outcome, .. }) => {
                match (&outcome.failure, &self.picture) {
                    (Some(_), _) => self.printer.warn(&of_disk(outcome)),
                    (None, None) => self.printer.note(&of_disk(outcome)),
                    (None, Some(_)) => {}
                }
            }
            (Format::Table, FleetEvent::Left(left)) => {
                self.printer.note(&format!("not mirrored: {}: {}", left.source, left.because));
            }
            _ => {}
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_two_words_or_has_one_tab() {
        assert_eq!(pair("vhds/a backups/b"), Some(("vhds/a", "backups/b")));
        assert_eq!(pair("vhds/a b\tbackups/c d"), Some(("vhds/a b", "backups/c d")));
        for bad in ["vhds/a", "a b c", "a\tb\tc", "a\t", "\tb"] {
            assert_eq!(pair(bad), None, "{bad:?}");
        }
    }
}
