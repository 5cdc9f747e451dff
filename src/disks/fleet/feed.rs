//! The disks of a fleet, one after the other.

use std::{
    collections::BTreeSet,
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use futures_core::Stream;
use futures_util::{StreamExt, stream::FuturesUnordered};

use super::{
    super::{MirrorError, MirrorSource, SnapshotMirror, lineage::Lineage},
    FleetSettings, LeftBlob,
};
use crate::{
    BlobContainerClient, BlobInclude, BlobItem, BlobType, Error, PageBlobClient, Pager,
    jobs::Budget,
    transport::BoxFuture,
    wire::redaction::{bare, redact},
};

/// The items of a page of a listing, snapshots included.
const PAGE: u32 = 2_000;

/// Where the disks of a fleet come from.
#[allow(clippy::large_enum_variant, reason = "there is one for each fleet")]
#[derive(Clone)]
pub(in crate::disks) enum Origin {
    List(Vec<SnapshotMirror>),
    Container {
        source: BlobContainerClient,
        prefix: String,
        destination: BlobContainerClient,
        destination_prefix: String,
    },
}

impl Origin {
    /// A line for each disk, or for the container.
    pub(super) fn lines(&self) -> Vec<String> {
        match self {
            Self::List(mirrors) => mirrors.iter().map(|mirror| named(mirror).join(" ")).collect(),
            Self::Container { source, prefix, destination, destination_prefix } => {
                let line = [
                    &format!("prefix {} {prefix}", prefix.len()),
                    &shown(source.url()),
                    destination_prefix,
                    &shown(destination.url()),
                ];
                vec![line.map(String::as_str).join(" ")]
            }
        }
    }

    /// Whether the fleet can be run.
    fn check(&self) -> Result<(), MirrorError> {
        match self {
            Self::List(mirrors) => {
                let mut seen = BTreeSet::new();
                for [_, destination] in mirrors.iter().map(named) {
                    if seen.contains(&destination) {
                        let why = "is the destination of two mirrors: give each its own";
                        return Err(MirrorError::refused(destination, why));
                    }
                    seen.insert(destination);
                }
                Ok(())
            }
            Self::Container { source, prefix, destination, destination_prefix } => {
                let [source, destination] =
                    [shown(Ok(source.url()?)), shown(Ok(destination.url()?))];
                if source == destination && prefix == destination_prefix {
                    let why = "would be mirrored to itself: choose another destination or prefix";
                    return Err(MirrorError::refused(source, why));
                }
                Ok(())
            }
        }
    }
}

impl fmt::Debug for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::List(mirrors) => write!(f, "{} mirrors", mirrors.len()),
            Self::Container { .. } => f.write_str(&self.lines().concat()),
        }
    }
}

/// What the source and the destination of a mirror are called.
pub(super) fn named(mirror: &SnapshotMirror) -> [String; 2] {
    let source = match &mirror.source {
        MirrorSource::PageBlob(source) => shown_blob(source.blob()),
        MirrorSource::Managed(source) => {
            source.disk.clone().unwrap_or_else(|| "managed disk".to_owned())
        }
    };
    [redact(&source).into_owned(), shown_blob(&mirror.destination)]
}

/// The budgets that a mirror draws from: its own, or those of its clients.
pub(super) fn budgets_of(mirror: &SnapshotMirror) -> Vec<Budget> {
    if let Some(own) = &mirror.settings.budget {
        return vec![own.clone()];
    }
    let of = |blob: &PageBlobClient| blob.container_client().budget().cloned();
    let source = match &mirror.source {
        MirrorSource::PageBlob(source) => of(source.blob()),
        MirrorSource::Managed(source) => source.options.budget.clone(),
    };
    of(&mirror.destination).into_iter().chain(source).collect()
}

/// A URL without its query.
fn shown(url: crate::Result<url::Url>) -> String {
    url.map(|url| redact(bare(url).as_str()).into_owned()).unwrap_or_default()
}

/// The URL of a blob. If there is none, its names: the error of the first request says why.
fn shown_blob(blob: &PageBlobClient) -> String {
    match blob.url() {
        Ok(url) => shown(Ok(url)),
        Err(_) => redact(&format!("{}/{}", blob.container_name(), blob.name())).into_owned(),
    }
}

/// What comes next.
pub(super) enum Found {
    /// A disk to mirror.
    Disk(Box<SnapshotMirror>),
    /// A disk that cannot be mirrored.
    Refused { source: String, destination: String, error: MirrorError },
    /// A page blob that is none.
    Left(LeftBlob),
    /// The container cannot be listed to its end.
    Unlisted(Error),
}

/// The disks that belong to a run.
pub(super) struct Feed {
    settings: FleetSettings,
    budget: Budget,
    from: From,
}

enum From {
    List(vec::IntoIter<SnapshotMirror>),
    Listing(Box<Listing>),
    Ended,
}

/// The listing of a container: the base blob comes beside its snapshots.
struct Listing {
    items: Pager<BlobItem>,
    prefix: String,
    source: BlobContainerClient,
    destination: BlobContainerClient,
    destination_prefix: String,
    /// What has come of the blob that the listing is at.
    blob: Option<Seen>,
}

#[derive(Default)]
struct Seen {
    name: String,
    has_snapshots: bool,
    /// Whether it has snapshots that a mirror has made.
    has_copies: bool,
    /// Why it is no source; `None` if that is unknown.
    kind: Option<Kind>,
}

#[derive(PartialEq)]
enum Kind {
    Disk,
    /// A destination of a mirror or of another incremental copy.
    Destination,
    OtherType,
}

impl Feed {
    pub(super) fn new(
        origin: &Origin,
        settings: &FleetSettings,
        budget: &Budget,
    ) -> Result<Self, MirrorError> {
        origin.check()?;
        let from = match origin {
            Origin::List(mirrors) => From::List(mirrors.clone().into_iter()),
            Origin::Container { source, prefix, destination, destination_prefix } => {
                let include = [BlobInclude::Snapshots, BlobInclude::Metadata, BlobInclude::Copy];
                let items = source.with_budget(budget).list_blobs().include(include);
                let items = items.page_size(PAGE);
                From::Listing(Box::new(Listing {
                    items: if prefix.is_empty() { items } else { items.prefix(prefix) },
                    prefix: prefix.clone(),
                    source: source.clone(),
                    destination: destination.clone(),
                    destination_prefix: destination_prefix.clone(),
                    blob: None,
                }))
            }
        };
        Ok(Self { settings: settings.clone(), budget: budget.clone(), from })
    }

    /// The next that belongs to the part of the fleet.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Found>> {
        loop {
            let found = match &mut self.from {
                From::Ended => None,
                From::List(mirrors) => mirrors.next().map(Of::Mirror),
                From::Listing(listing) => match ready!(listing.poll_next(cx)) {
                    Some(Err(error)) => {
                        self.from = From::Ended;
                        return Poll::Ready(Some(Found::Unlisted(error)));
                    }
                    Some(Ok(seen)) => listing.of(seen),
                    None => None,
                },
            };
            let Some(found) = found else {
                self.from = From::Ended;
                return Poll::Ready(None);
            };
            if let Some(found) = self.taken(found) {
                return Poll::Ready(Some(found));
            }
        }
    }

    /// What is to be done with it; `None` if it is no disk, or one of another part.
    fn taken(&self, of: Of) -> Option<Found> {
        let mirror = match of {
            Of::Mirror(mirror) => mirror,
            Of::Left(name, left) => {
                let is_ours = self.settings.shard.as_ref().is_none_or(|shard| shard.holds(&name));
                return is_ours.then_some(Found::Left(left));
            }
            Of::Nothing => return None,
        };
        let name = mirror.destination.name();
        if self.settings.shard.as_ref().is_some_and(|shard| !shard.holds(name)) {
            return None;
        }
        if is_reserved(name) {
            let [source, destination] = named(&mirror);
            let why = "names that end so are those of a mirror's markers and later generations: \
                       mirror this disk to another name";
            let error = MirrorError::refused(&destination, why);
            return Some(Found::Refused { source, destination, error });
        }
        let mirror = self.settings.each.iter().fold(mirror, |mirror, each| each(mirror));
        let mirror = match self.settings.budget.is_none() && !budgets_of(&mirror).is_empty() {
            true => mirror,
            false => mirror.budget(&self.budget),
        };
        Some(Found::Disk(Box::new(mirror)))
    }
}

/// What a feed has come to.
#[allow(clippy::large_enum_variant, reason = "it is taken apart where it is made")]
enum Of {
    Mirror(SnapshotMirror),
    /// The destination's name, and why it is left.
    Left(String, LeftBlob),
    Nothing,
}

/// Whether a mirror next to one of the same stem would take this destination for its own: `.g2` and
/// so on are its later generations, `.blobcopy` is its marker.
fn is_reserved(name: &str) -> bool {
    let is_generation = |(stem, ending): (&str, &str)| {
        let number = ending.strip_prefix('g').and_then(|digits| digits.parse::<u32>().ok());
        !stem.is_empty() && number.is_some_and(|number| number >= 2)
    };
    name.ends_with(".blobcopy") || name.rsplit_once('.').is_some_and(is_generation)
}

impl Listing {
    /// The next blob, with all that is listed of it.
    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<crate::Result<Seen>>> {
        loop {
            let item = match ready!(Pin::new(&mut self.items).poll_next(cx)) {
                None => return Poll::Ready(self.blob.take().map(Ok)),
                Some(Err(error)) => return Poll::Ready(Some(Err(error))),
                Some(Ok(item)) => item,
            };
            let is_next = self.blob.as_ref().is_none_or(|blob| blob.name != item.name);
            let before = if is_next {
                self.blob.replace(Seen { name: item.name.clone(), ..Seen::default() })
            } else {
                None
            };
            if let Some(blob) = &mut self.blob {
                match &item.snapshot {
                    Some(_) => {
                        blob.has_snapshots |= !item.is_deleted;
                        let lineage = Lineage::read(&item.properties.metadata);
                        blob.has_copies |= lineage.and_then(Lineage::into_sealed).is_some();
                    }
                    None => blob.kind = Some(Kind::of(&item)),
                }
            }
            if let Some(before) = before {
                return Poll::Ready(Some(Ok(before)));
            }
        }
    }

    /// What is to be done with a blob.
    fn of(&self, seen: Seen) -> Option<Of> {
        let rest = seen.name.strip_prefix(self.prefix.as_str()).unwrap_or(&seen.name);
        let name = [self.destination_prefix.as_str(), rest].concat();
        let source: PageBlobClient = self.source.page_blob_client(&seen.name);
        let left = |name, because: &str| {
            let source = shown(source.url());
            Of::Left(name, LeftBlob { source, because: because.to_owned() })
        };
        Some(match (seen.kind, seen.has_snapshots) {
            (Some(Kind::Disk), true) if seen.has_copies => {
                left(name, "it is the destination of a mirror and has lost its metadata")
            }
            (Some(Kind::Disk), true) => {
                let destination = self.destination.page_blob_client(&name);
                Of::Mirror(SnapshotMirror::new(&source, &destination))
            }
            // A drill is at work, or one was killed.
            (Some(Kind::Disk), false) if seen.name.contains(".blobcopy-drill-") => Of::Nothing,
            (Some(Kind::Disk), false) => left(name, "it has no snapshots"),
            _ => Of::Nothing,
        })
    }
}

impl Kind {
    fn of(item: &BlobItem) -> Self {
        if item.properties.blob_type != Some(BlobType::PageBlob) {
            return Self::OtherType;
        }
        let properties = &item.properties;
        match properties.is_incremental_copy || Lineage::is_on(&properties.metadata) {
            true => Self::Destination,
            false => Self::Disk,
        }
    }
}

/// The disks of a run, a bounded number of them at work.
pub(super) struct Pool<T> {
    feed: Feed,
    working: FuturesUnordered<BoxFuture<'static, T>>,
    concurrency: usize,
}

/// What a pool has come to.
pub(super) enum Step<T> {
    Done(T),
    Refused { source: String, destination: String, error: MirrorError },
    Left(LeftBlob),
    Unlisted(Error),
}

impl<T> Pool<T> {
    pub(super) fn new(feed: Feed, concurrency: usize) -> Self {
        Self { feed, working: FuturesUnordered::new(), concurrency }
    }

    /// The next step; `None` if all is done. `begin` makes the work on a disk.
    pub(super) fn poll_step(
        &mut self,
        cx: &mut Context<'_>,
        mut begin: impl FnMut(SnapshotMirror) -> BoxFuture<'static, T>,
    ) -> Poll<Option<Step<T>>> {
        let mut has_ended = false;
        while self.working.len() < self.concurrency && !has_ended {
            match self.feed.poll_next(cx) {
                Poll::Ready(Some(Found::Disk(mirror))) => self.working.push(begin(*mirror)),
                Poll::Ready(Some(Found::Refused { source, destination, error })) => {
                    return Poll::Ready(Some(Step::Refused { source, destination, error }));
                }
                Poll::Ready(Some(Found::Left(left))) => {
                    return Poll::Ready(Some(Step::Left(left)));
                }
                Poll::Ready(Some(Found::Unlisted(error))) => {
                    return Poll::Ready(Some(Step::Unlisted(error)));
                }
                Poll::Ready(None) => has_ended = true,
                Poll::Pending => break,
            }
        }
        match self.working.poll_next_unpin(cx) {
            Poll::Ready(Some(done)) => Poll::Ready(Some(Step::Done(done))),
            Poll::Ready(None) if has_ended => Poll::Ready(None),
            _ => Poll::Pending,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_of_generations_and_markers_are_reserved() {
        for name in ["disk.g2", "a/b.vhd.g17", "disk.blobcopy", "disk.g2.blobcopy"] {
            assert!(is_reserved(name), "{name}");
        }
        for name in ["disk", "disk.vhd", ".g2", "g2", "disk.g", "disk.g1", "disk.gx2", "disk.g-2"] {
            assert!(!is_reserved(name), "{name}");
        }
    }
}
