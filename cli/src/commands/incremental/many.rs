//! `blobcopy incremental - DEST/`: sources as JSON lines.

use std::io::BufRead;

use blobcopy::SnapshotId;
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::Serialize;
use serde_json::Value;

use super::{
    Incremental, Which,
    one::{self, Job},
};
use crate::{
    Session,
    address::{Address, Place, When},
    args::WaitArgs,
    context::Contexts,
    failure::{Failure, Result, Told},
    input::reading,
    output::{Align, Format, Table},
    record::CopyRecord,
};

/// How one line ended.
#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Ended {
    Copied(Box<CopyRecord>),
    /// `copied already`, or `not tried` after a failure of a copy into the same blob.
    LeftOut {
        line: usize,
        source: String,
        status: &'static str,
    },
    Failed {
        line: usize,
        source: String,
        failure: Box<Told>,
    },
}

const COPIED_ALREADY: &str = "copied already";
const NOT_TRIED: &str = "not tried";

/// Reads the sources, and copies them: those with the same destination one after another, in the
/// order of the lines, and so many destinations at once as the flag says.
pub(super) async fn run(
    args: &Incremental,
    session: &Session,
    contexts: &Contexts,
    dest: &Address,
) -> Result {
    let below = dest.clone();
    let jobs = reading(move || read(&below)).await?;
    let mut groups: Vec<(Address, Vec<(usize, Job)>)> = Vec::new();
    for (line, job) in jobs {
        let place = dest.clone().or_below(&job.source.name)?;
        match groups.iter_mut().find(|(known, _)| *known == place) {
            Some((_, jobs)) => jobs.push((line, job)),
            None => groups.push((place, vec![(line, job)])),
        }
    }
    let chains = stream::iter(groups).map(|(_, jobs)| chain(args, session, contexts, jobs));
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
    if session.printer.format() != Format::Jsonl {
        session.printer.list(&rows, "no sources, or nothing sent", table)?;
    }
    first.map_or(Ok(()), Err)
}

/// The copies into one blob. The next one can begin only when the one before has ended; after a
/// failure none does, unless it says that this snapshot or a later one is copied already. Each JSON
/// line is written when its copy ends; the chain fails only if that fails.
async fn chain(
    args: &Incremental,
    session: &Session,
    contexts: &Contexts,
    jobs: Vec<(usize, Job)>,
) -> Result<Vec<(usize, Option<Ended>, Option<Failure>)>> {
    let tell = |row: &Ended| match session.printer.format() {
        Format::Jsonl => session.printer.record(row, String::new),
        _ => Ok(()),
    };
    let mut ended = Vec::new();
    let count = jobs.len();
    let mut gone_wrong = false;
    for (number, (line, job)) in jobs.into_iter().enumerate() {
        let source = shown(&job);
        let left_out = |status| Ended::LeftOut { line, source: source.clone(), status };
        if gone_wrong {
            let row = left_out(NOT_TRIED);
            tell(&row)?;
            ended.push((line, Some(row), None));
            continue;
        }
        let waits = args.wait.wait || number + 1 < count;
        let copied = async {
            let started = one::start(args, session, contexts, &job).await?;
            let Some(started) = started else { return Ok(None) };
            let wait = WaitArgs { wait: waits, timeout: args.wait.timeout() };
            one::follow_with(&wait, session, contexts, started).await.map(Some)
        };
        match copied.await {
            Ok(None) => ended.push((line, None, None)),
            Ok(Some(record)) => {
                let row = Ended::Copied(Box::new(record));
                tell(&row)?;
                ended.push((line, Some(row), None));
            }
            Err(failure) if failure.is_code("IncrementalCopyOfEarlierSnapshotNotAllowed") => {
                let row = left_out(COPIED_ALREADY);
                tell(&row)?;
                ended.push((line, Some(row), None));
            }
            Err(failure) => {
                gone_wrong = true;
                let Some(told) = failure.told().cloned() else { return Err(failure) };
                let row = Ended::Failed { line, source, failure: Box::new(told) };
                tell(&row)?;
                ended.push((line, Some(row), Some(failure)));
            }
        }
    }
    Ok(ended)
}

/// The source of a line, with its snapshot.
fn shown(job: &Job) -> String {
    let when = match &job.which {
        Which::Existing(when) => Some(when.clone()),
        Which::New => None,
    };
    Address { when, ..job.source.clone() }.shown()
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
                "each line is JSON with a url, or with container, name and snapshot",
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
                record.destination.clone(),
                record.status.clone(),
                record.source_snapshot.clone().unwrap_or_default(),
                record.destination_snapshot.clone().unwrap_or_default(),
            ],
            Ended::LeftOut { source, status, .. } => {
                [source.clone(), (*status).to_owned(), String::new(), String::new()]
            }
            Ended::Failed { source, failure, .. } => {
                [source.clone(), failure.message().to_owned(), String::new(), String::new()]
            }
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
