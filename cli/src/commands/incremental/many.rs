//! `blobcopy incremental - DEST/`: sources as JSON lines.

use std::io::{BufRead, IsTerminal};

use blobcopy::SnapshotId;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::Value;

use super::{
    Incremental, Which,
    one::{self, Job, Start},
};
use crate::{
    Session,
    address::{Address, Place, When},
    args::WaitArgs,
    change,
    context::Contexts,
    failure::{Failure, Result, Told, without_query},
    input::reading,
    output::{Align, Format, Table},
    record::CopyRecord,
};

/// How one line ended.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Ended {
    Copied(Box<CopyRecord>),
    WouldSend {
        what_if: String,
    },
    Left {
        line: usize,
        destination: String,
        /// The destination as a command takes it.
        #[serde(skip)]
        shown: String,
        source: String,
        source_snapshot: Option<String>,
        /// `copied already`, `failed` or how else the copy stands, or `not tried` after a failure
        /// of a copy into the same blob.
        status: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        failure: Option<Box<Told>>,
    },
}

/// The copies into one blob, in the order of their lines.
struct Chain {
    destination: String,
    /// The same as a command takes it.
    shown: String,
    jobs: Vec<(usize, Job)>,
}

/// Reads the sources, and copies them: those with the same destination one after another, in the
/// order of the lines, and so many destinations at once as the flag says.
pub(super) async fn run(
    args: &Incremental,
    session: &Session,
    contexts: &Contexts,
    dest: &Address,
) -> Result {
    let below = dest.clone();
    if std::io::stdin().is_terminal() {
        session.printer.note("reading sources as JSON lines; Ctrl-D ends them");
    }
    let jobs = reading(move || read(&below)).await?;
    let nothing = jobs.is_empty();
    let mut places: Vec<(Address, Chain)> = Vec::new();
    for (line, job) in jobs {
        let place = dest.clone().or_below(&job.source.name)?;
        match places.iter_mut().find(|(known, _)| *known == place) {
            Some((_, chain)) => chain.jobs.push((line, job)),
            None => {
                let destination = without_query(&contexts.blob(&place)?.url()?);
                let shown = contexts.unmistakable(place.clone())?.shown();
                places.push((place, Chain { destination, shown, jobs: vec![(line, job)] }));
            }
        }
    }
    if places.len() > usize::from(args.concurrency) || places.iter().any(|(_, c)| c.jobs.len() > 1)
    {
        session.interrupt.leaves("the same lines again start those that are left");
    }
    let chains = stream::iter(places).map(|(_, chain)| follow(args, session, contexts, chain));
    let chains = chains.buffer_unordered(usize::from(args.concurrency));
    let chains: Vec<_> = chains.try_collect().await?;
    let mut ended: Vec<(usize, Option<Ended>, Option<Failure>)> =
        chains.into_iter().flatten().collect();
    ended.sort_by_key(|(line, ..)| *line);
    let mut first = None;
    let mut rows = Vec::new();
    for (_, row, failure) in ended {
        rows.extend(row);
        first = first.or(failure);
    }
    match session.printer.format() {
        Format::Jsonl => {}
        Format::Table if args.changes.what_if && !nothing => {
            rows.retain(|row| !matches!(row, Ended::WouldSend { .. }));
            if !rows.is_empty() {
                session.printer.list(&rows, "", table)?;
            }
        }
        _ => session.printer.list(&rows, "no sources", table)?,
    }
    first.map_or(Ok(()), Err)
}

/// The copies into one blob. The next one can begin only when the one before has ended; after a
/// failure none does, unless it says that this snapshot or a later one is copied already. Each JSON
/// line is written when its copy ends; the chain fails only if that fails.
async fn follow(
    args: &Incremental,
    session: &Session,
    contexts: &Contexts,
    chain: Chain,
) -> Result<Vec<(usize, Option<Ended>, Option<Failure>)>> {
    let tell = |row: &Ended| match (session.printer.format(), row) {
        (Format::Jsonl, row) => session.printer.record(row, String::new),
        (Format::Table, Ended::WouldSend { what_if }) => change::tell(&session.printer, what_if),
        _ => Ok(()),
    };
    let mut ended = Vec::new();
    let Chain { destination, shown, jobs } = chain;
    let count = jobs.len();
    let mut gone_wrong = false;
    for (number, (line, job)) in jobs.into_iter().enumerate() {
        let left = |status, failure: Option<&Failure>| Ended::Left {
            line,
            destination: destination.clone(),
            shown: shown.clone(),
            source: job.source.shown(),
            source_snapshot: job.which.time(),
            status,
            failure: failure.and_then(Failure::told).cloned().map(Box::new),
        };
        if gone_wrong {
            let row = left("not tried", None);
            tell(&row)?;
            ended.push((line, Some(row), None));
            continue;
        }
        let waits = args.wait.wait || number + 1 < count;
        let copied = async {
            let started = match one::start(args, session, contexts, &job).await? {
                Start::Made(started) => *started,
                Start::WouldSend(what_if) => return Ok(Some(Ended::WouldSend { what_if })),
                Start::Declined => return Ok(None),
            };
            let wait = WaitArgs { wait: waits, timeout: args.wait.timeout() };
            let record = one::follow_with(&wait, session, contexts, started).await?;
            Ok(Some(Ended::Copied(Box::new(record.shown_as(&shown)))))
        };
        let copied: Result<Option<Ended>> = copied.await;
        let (row, failure) = match copied {
            Ok(row) => (row, None),
            Err(failure) if failure.is_code("IncrementalCopyOfEarlierSnapshotNotAllowed") => {
                (Some(left("copied already", None)), None)
            }
            Err(failure) if failure.told().is_none() => return Err(failure),
            Err(failure) => {
                gone_wrong = true;
                let status = failure.ended().map_or("failed", |ending| ending.status);
                (Some(left(status, Some(&failure))), Some(failure))
            }
        };
        row.iter().try_for_each(tell)?;
        ended.push((line, row, failure));
    }
    Ok(ended)
}

fn read(dest: &Address) -> Result<Vec<(usize, Job)>> {
    let mut jobs = Vec::new();
    for (at, line) in std::io::stdin().lock().lines().enumerate() {
        let line = line.map_err(|error| {
            Failure::usage(format!("standard input cannot be read: {error}"), "give JSON lines")
        })?;
        if line.trim().is_empty() {
            continue;
        }
        let (source, which) = source(&line).map_err(|why| {
            Failure::usage(
                format!("line {}: {why}", at + 1),
                "each line is JSON with a url, or with container, name and snapshot, as `snapshots \
                 --output jsonl` prints it",
            )
        })?;
        jobs.push((at + 1, Job { source, which, dest: dest.clone() }));
    }
    Ok(jobs)
}

/// The source of one line. A line without a snapshot means the latest.
fn source(line: &str) -> std::result::Result<(Address, Which), String> {
    let value: Value = serde_json::from_str(line).map_err(|_| "it is not JSON".to_owned())?;
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let url = value.as_str().or_else(|| text("url"));
    let mut source = match (url, text("container"), text("name")) {
        (Some(url), ..) => Address::parse(url).map_err(|failure| failure.message())?,
        (None, Some(container), Some(name)) => Address {
            place: match text("account") {
                Some(account) => Place::Account(account.to_owned()),
                None => Place::Context,
            },
            container: container.to_owned(),
            name: name.to_owned(),
            when: None,
        },
        _ => return Err("it names no blob".to_owned()),
    };
    if source.is_folder() {
        return Err("it names no blob".to_owned());
    }
    if let Some(time) = text("snapshot") {
        let snapshot: SnapshotId = crate::moment::snapshot(time)?;
        source.when = Some(When::At(snapshot));
    }
    let which = Which::Existing(source.when.take().unwrap_or(When::Latest));
    Ok((source, which))
}

fn table(rows: &[Ended]) -> Table {
    let mut table = Table::new([
        ("DESTINATION", Align::Left),
        ("STATUS", Align::Left),
        ("SOURCE SNAPSHOT", Align::Left),
        ("NEW SNAPSHOT", Align::Left),
    ]);
    for row in rows {
        table.row(match row {
            Ended::Copied(record) => [
                record.name(),
                record.status.clone(),
                record.source_snapshot.clone().unwrap_or_default(),
                record.destination_snapshot.clone().unwrap_or_default(),
            ],
            Ended::Left { shown, source_snapshot, status, failure, .. } => [
                shown.clone(),
                failure
                    .as_ref()
                    .map_or_else(|| (*status).to_owned(), |told| told.message().to_owned()),
                source_snapshot.clone().unwrap_or_default(),
                String::new(),
            ],
            // They are told as they come.
            Ended::WouldSend { .. } => continue,
        });
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_a_blob_and_perhaps_its_snapshot() {
        let time = "2026-01-01T00:00:00.1234567Z";
        let at = Which::Existing(When::At(time.parse().expect("a time")));
        let url = format!("https://a.blob.core.windows.net/vhds/d?snapshot={time}");
        for line in [
            format!(r#"{{"url":"{url}"}}"#),
            format!("{url:?}"),
            format!(r#"{{"container":"vhds","name":"d","snapshot":"{time}","size":1}}"#),
        ] {
            let (address, which) = source(&line).expect(&line);
            assert_eq!((address.container.as_str(), address.name.as_str()), ("vhds", "d"));
            assert_eq!(which, at, "{line}");
        }
        let latest = source(r#"{"container":"vhds","name":"d@latest"}"#).expect("a blob");
        assert_eq!((latest.0.name.as_str(), latest.1), ("d@latest", Which::Existing(When::Latest)));
        for bad in ["", "x", "{}", "3", r#"{"container":"vhds"}"#, r#"{"url":"vhds"}"#] {
            assert!(source(bad).is_err(), "{bad}");
        }
    }
}
