//! `blobcopy restore`: a writable disk out of a snapshot of a mirror.

pub(crate) mod follow;

use blobcopy::disks::{DiskBackup, MirrorError, Restore as Restored, RestorePoint, RestoreReport};
use clap::{Arg, Args};

use crate::{
    Session,
    address::{Address, When},
    args::{AccountArgs, CallArgs, ChangeArgs, SourceAccountArgs},
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result},
    interrupt::Onward,
    moment::{self, service_form},
    output::pairs,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy restore backups/disk0.vhd vhds/restored.vhd
  blobcopy restore backups/disk0.vhd@newest vhds/restored.vhd --overwrite
  blobcopy restore backups/disk0.vhd@2026-01-01T00:00:00.1234567Z vhds/restored.vhd

Of a restore that was interrupted, running the command again is how it goes on.";

/// Makes a page blob that can be written out of a snapshot of a mirror's destination, and compares
/// the two
///
/// Inside an account the service copies it; into another one it is filled range by range. The
/// disk that is mirrored, and the destination itself, are never overwritten.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES, mut_args = of_backup)]
pub(crate) struct Restore {
    /// The destination of a mirror, with @ID of its snapshot or of the source's that it equals (of
    /// a managed disk's, the last part will do); or with @TIME, for the newest one at or before it;
    /// @newest is the default
    #[arg(value_name = "DEST@SNAPSHOT")]
    backup: String,
    /// The page blob to make; container/ keeps the name
    target: String,
    /// Replaces what is at TARGET
    #[arg(long)]
    overwrite: bool,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    source_account: SourceAccountArgs,
    #[command(flatten)]
    calls: CallArgs,
    #[command(flatten)]
    changes: ChangeArgs,
}

impl Restore {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let source = Some(&self.source_account);
        let contexts = Contexts::new(&self.account, source, &self.calls, printer).await?;
        let (from, point) = Written::read(&self.backup)?.chosen(&contexts).await?;
        let target = Address::parse(&self.target)?.base("TARGET")?.or_below(&from.name)?;
        let target = contexts.unmistakable(target)?;
        let blob = contexts.blob(&target)?.page_blob_client();
        let backup = DiskBackup::of(&contexts.source_blob(&from)?.page_blob_client());
        let mut what = format!("Restore {} ({point}) to {}", from.shown(), target.shown());
        if self.overwrite {
            what.push_str(", in place of what is there");
        }
        if !self.changes.allows(printer, &what).await? {
            return Ok(());
        }
        session.interrupt.goes_on(Onward::again("what was restored so far is kept"));
        let restore: Restored<'static> = backup.restore(point, &blob).overwrite(self.overwrite);
        let title = format!("{} to {}", from.shown(), target.shown());
        let ended = follow::followed(printer, &title, |tell| restore.on_event(tell).into_future());
        let report = ended.await?.map_err(refused)?;
        follow::ended(printer, &report, || text(&report))?;
        judged(&report)
    }
}

/// The source of a restore is the backup: the flags of its account say so.
fn of_backup(arg: Arg) -> Arg {
    const HEADING: &str = "The backup's account, if it is another (or from AZURE_STORAGE_SOURCE_*)";
    let Some(flag) = arg.get_long().filter(|flag| flag.starts_with("source-")) else { return arg };
    let help = match flag {
        "source-account" => "The name of the backup's account",
        "source-endpoint" => "The URL of the backup's blob service",
        "source-key-file" => "A file with the key of the backup's account",
        "source-connection-string-file" => {
            "A file with the connection string of the backup's account"
        }
        "source-sas-file" => "A file with a SAS that reads the backup",
        "source-login" => "Microsoft Entra ID for the backup",
        _ => return arg,
    };
    arg.help(help).help_heading(HEADING)
}

/// What to do about a refusal.
fn refused(error: MirrorError) -> Failure {
    let advice = match &error {
        MirrorError::Refused { why, .. } if why.contains("overwrite") => {
            "name a TARGET that does not exist, or add --overwrite"
        }
        MirrorError::Refused { why, .. }
            if ["restore to a", "choose another"].iter().any(|words| why.contains(words)) =>
        {
            "name another TARGET, which does not exist: --overwrite does not help here"
        }
        MirrorError::Refused { .. } => {
            "mend what is named; `blobcopy snapshots DEST` lists what can be restored, and a time \
             is written as DEST@2026-01-01T06:00Z"
        }
        _ => return error.into(),
    };
    Failure::from(error).advising(advice)
}

/// The report for people.
pub(crate) fn text(report: &RestoreReport) -> String {
    let mut lines = vec![
        ("target", report.target.clone()),
        ("snapshot", report.snapshot.to_string()),
        ("disk of", report.snapshot.time.map(service_form).unwrap_or_default()),
        ("size", format!("{} bytes", report.length)),
        ("by", report.route.to_string()),
    ];
    if report.resumed {
        lines.push(("resumed", "yes".to_owned()));
    }
    if !report.kept_from_prunes {
        lines.push(("not known to prunes", "the credential may not write there".to_owned()));
    }
    if let Some(verdict) = &report.verdict {
        lines.push(("compared", verdict.to_string()));
    }
    pairs(lines)
}

/// Fails unless the restored disk was proved to be the snapshot.
pub(crate) fn judged(report: &RestoreReport) -> Result {
    match (report.is_identical(), &report.verdict) {
        (true, _) => Ok(()),
        (false, Some(verdict)) => Err(Failure::new(
            Exit::Unfinished,
            format!("the restored disk is not proved to be the snapshot: {verdict}"),
            "run the command again, with --overwrite",
        )),
        (false, None) => Ok(()),
    }
}

/// What is restored, as it is written.
#[derive(Debug)]
struct Written {
    address: Address,
    point: RestorePoint,
    /// The blob whose name ends with what may name a snapshot too, if it is one.
    whole: Option<Address>,
}

impl Written {
    /// Reads `DEST@SNAPSHOT`: like any address, `@newest`, and `@` with the id or the name of a
    /// source snapshot. A URL names a snapshot in its query.
    ///
    /// The id of a snapshot, with seven digits, is that snapshot; another time is the newest
    /// snapshot at or before it.
    fn read(text: &str) -> Result<Self> {
        let of = |address, point| Self { address, point, whole: None };
        let base = |rest: &str| Address::parse(rest)?.blob("DEST")?.base("DEST");
        let after = text.rsplit_once('@').filter(|(rest, _)| !rest.contains("://"));
        match after {
            Some((rest, "newest")) => return Ok(of(base(rest)?, RestorePoint::Newest)),
            Some((_, "")) => {
                return Err(Failure::usage(
                    format!("{text:?} ends with @, and no snapshot"),
                    FORMS,
                ));
            }
            _ => {}
        }
        let address = Address::parse(text)?;
        let point = match (&address.when, after) {
            (Some(When::At(snapshot)), Some((_, time))) if time != snapshot.as_str() => {
                moment::date(time).map_err(|why| Failure::usage(why, FORMS))?.into()
            }
            (Some(When::At(snapshot)), _) => snapshot.into(),
            (Some(When::Latest), _) => RestorePoint::Newest,
            // A name with @ in a folder's name goes on after it; a resource id begins with a slash.
            (None, Some((rest, name)))
                if rest.trim_start_matches('/').contains('/')
                    && (name.starts_with('/') || !name.contains('/')) =>
            {
                let point = RestorePoint::Equals(name.to_owned());
                let whole = Some(address).filter(|_| !name.starts_with('/'));
                return Ok(Self { whole, ..of(base(rest)?, point) });
            }
            (None, _) => RestorePoint::Newest,
        };
        Ok(of(Address { when: None, ..address.blob("DEST")? }, point))
    }

    /// The blob and the point. A mirror's destination with the whole name comes first.
    async fn chosen(self, contexts: &Contexts) -> Result<(Address, RestorePoint)> {
        let Self { address, point, whole } = self;
        if let Some(whole) = whole {
            let backup = DiskBackup::of(&contexts.source_blob(&whole)?.page_blob_client());
            if backup.chain().await.is_ok_and(|chain| !chain.snapshots.is_empty()) {
                return Ok((whole, RestorePoint::Newest));
            }
        }
        Ok((address, point))
    }
}

/// How a snapshot is named.
const FORMS: &str = "write DEST@newest; DEST@TIME, such as 2026-01-01T12:00:00Z; or DEST@ID, with \
                     the id of a snapshot, or that or the name of the source's";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_snapshot_is_an_id_a_time_or_the_newest() {
        let read = |text: &str| {
            let Written { address, point, whole } = Written::read(text).expect(text);
            assert!(address.when.is_none() && whole.is_none());
            (address.name, point)
        };
        let name = || "disk0.vhd".to_owned();
        for newest in ["", "@newest", "@latest"] {
            let read = read(&format!("//acct/backups/disk0.vhd{newest}"));
            assert_eq!(read, (name(), RestorePoint::Newest));
        }
        let time = "2026-01-01T00:00:00.1234567Z";
        let id = || RestorePoint::Snapshot(time.parse().expect("an id"));
        assert_eq!(read(&format!("backups/disk0.vhd@{time}")), (name(), id()));
        let url = "https://acct.blob.core.windows.net/backups/disk0.vhd";
        let of_url = format!("{url}?snapshot={time}");
        assert_eq!(read(&of_url).1, id());
        assert_eq!(read(&format!("{url}@newest")).0, "disk0.vhd@newest");
        for earlier in ["2026-01-01T00:00Z", "2026-01-01T01:00:00+0100"] {
            let (_, point) = read(&format!("backups/disk0.vhd@{earlier}"));
            assert_eq!(point.to_string(), moment::date(earlier).map(rfc3339).expect("a time"));
        }
        let bad = ["backups/@newest", "backups/", "backups/d@2026-01-01T00:00:00Z@newest"];
        for bad in [&bad[..], &["backups/d@", "backups@d", "backups/@d"]].concat() {
            assert_eq!(Written::read(bad).expect_err(bad).exit_code(), 64, "{bad}");
        }
    }

    #[test]
    fn what_is_no_time_is_the_source_snapshots_id_or_name() {
        let read = |text: &str| Written::read(text).expect(text);
        let id = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/snapshots/d-1";
        for name in [id, "d-1", "2026-01-01-daily"] {
            for place in ["backups/disk0.vhd", "//acct/backups/disk0.vhd"] {
                let Written { address, point, whole } = read(&format!("{place}@{name}"));
                assert_eq!(
                    (&*address.name, &point),
                    ("disk0.vhd", &RestorePoint::Equals(name.into()))
                );
                let whole = whole.map(|whole| whole.name);
                assert_eq!(whole, (name != id).then(|| format!("disk0.vhd@{name}")));
            }
        }
        let folder = read("backups/a@b/disk0.vhd");
        assert_eq!((&*folder.address.name, folder.point), ("a@b/disk0.vhd", RestorePoint::Newest));
    }

    fn rfc3339(time: time::OffsetDateTime) -> String {
        RestorePoint::from(time).to_string()
    }
}
