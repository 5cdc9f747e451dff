//! Which snapshot is meant, and whether it exists.

use blobcopy::{BlobClient, SnapshotId};
use url::Url;

use crate::{
    address::When,
    args::CallArgs,
    exit::Exit,
    failure::{Failure, Result, without_query},
    limits::Limited,
    listing::{self, Listed},
};

/// The snapshot that `when` names; it must exist.
pub(crate) async fn existing(
    blob: &BlobClient,
    when: &When,
    calls: &CallArgs,
) -> Result<SnapshotId> {
    let url = blob.url()?;
    match when {
        When::Latest => {
            let listed = listing::snapshots(blob, calls).await;
            match listed.map_err(Failure::unlisted)?.into_iter().next_back() {
                Some(last) => Ok(last.snapshot),
                None => Err(absent(blob, calls).await.unwrap_or_else(|| none(&url))),
            }
        }
        When::At(snapshot) => {
            let looked = blob.with_snapshot(snapshot).get_properties().limited(calls).await;
            match looked.map_err(Failure::from) {
                Ok(_) => Ok(snapshot.clone()),
                Err(failure) if failure.is_missing() => {
                    // Whoever may not list is told all the same that it is not there.
                    let others = listing::snapshots(blob, calls).await.unwrap_or_default();
                    if others.is_empty()
                        && let Some(absent) = absent(blob, calls).await
                    {
                        return Err(absent);
                    }
                    Err(missing(&url, snapshot, &others))
                }
                Err(failure) => Err(failure.at(&url)),
            }
        }
    }
}

/// The same, for what need not read the blob: where it may not be read, its time is taken as it is.
pub(crate) async fn named(blob: &BlobClient, when: &When, calls: &CallArgs) -> Result<SnapshotId> {
    match (existing(blob, when, calls).await, when) {
        (Err(failure), When::At(snapshot)) if failure.is_unreadable() => Ok(snapshot.clone()),
        (found, _) => found,
    }
}

/// What the service says of a blob that is not there at all.
async fn absent(blob: &BlobClient, calls: &CallArgs) -> Option<Failure> {
    let looked = blob.get_properties().limited(calls).await;
    let failure = looked.map_err(Failure::from).err().filter(Failure::is_not_found)?;
    Some(match blob.url() {
        Ok(url) => failure.at(&url),
        Err(_) => failure,
    })
}

/// A blob without any snapshot.
fn none(url: &Url) -> Failure {
    Failure::new(
        Exit::Refused,
        format!("{} has no snapshot", without_query(url)),
        "take one: `blobcopy snapshot BLOB`, or --snapshot new for an incremental copy",
    )
}

fn missing(url: &Url, wanted: &SnapshotId, others: &[Listed]) -> Failure {
    let message = format!("there is no snapshot {wanted} of {}", without_query(url));
    let near: Vec<String> = nearest(wanted.as_str(), others).map(|at| at.to_string()).collect();
    let advice = match near.as_slice() {
        [] => "check the name and the time; `blobcopy snapshots BLOB` lists them".to_owned(),
        [one] => format!("the nearest is {one}"),
        [before, .., after] => format!("the nearest are {before} and {after}"),
    };
    Failure::new(Exit::Refused, message, advice)
}

/// The last one before a time, and the first one after it. `all` is in order.
fn nearest<'a>(wanted: &'a str, all: &'a [Listed]) -> impl Iterator<Item = &'a SnapshotId> {
    let after = all.partition_point(|listed| listed.snapshot.as_str() < wanted);
    all[after.saturating_sub(1)..all.len().min(after + 1)].iter().map(|listed| &listed.snapshot)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_are_one_before_and_one_after() {
        let day = |day: u8| format!("2026-01-{day:02}T00:00:00.0000000Z");
        let listed =
            |at: u8| Listed { snapshot: day(at).parse().expect("a time"), size: 0, copy: None };
        let all = [listed(2), listed(4), listed(6)];
        let near = |at: u8| -> Vec<String> {
            nearest(&day(at), &all).map(|found| found.as_str()[8..10].to_owned()).collect()
        };
        assert_eq!(near(1), ["02"]);
        assert_eq!(near(3), ["02", "04"]);
        assert_eq!(near(5), ["04", "06"]);
        assert_eq!(near(7), ["06"]);
        assert_eq!(nearest("2026", &[]).count(), 0);
    }
}
