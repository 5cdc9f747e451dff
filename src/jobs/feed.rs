//! One listing, read ahead and checked.

use std::{
    borrow::Cow,
    cmp::Ordering,
    pin::Pin,
    task::{Context, Poll, ready},
    vec,
};

use futures_core::Stream;

use super::{NotKept, Shard, order, patience};
use crate::{BlobContainerClient, BlobInclude, BlobItem, Error, ErrorCode, Pages, Result};

/// The blobs of a page. Two pages of each listing are in memory at a time; an item and its XML
/// take about 2 KiB.
pub(crate) const PAGE: u32 = 2_000;

/// What a listing is made of.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    pub(crate) container: BlobContainerClient,
    pub(crate) prefix: String,
    pub(crate) include: Vec<BlobInclude>,
    /// What is included beside that, where the account and the service version know it.
    pub(crate) told: Vec<BlobInclude>,
    /// Whether a container that does not exist counts as an empty one.
    pub(crate) may_be_missing: bool,
    /// The part of the job; its names are those of the source.
    pub(crate) shard: Option<Shard>,
    /// The prefix that names have at the source, if these are the destination's.
    pub(crate) to_source: Option<String>,
}

impl Listing {
    /// The name at which the listing of a part can start.
    fn start(&self) -> Option<String> {
        let from = self.shard.as_ref()?.start_from()?;
        match &self.to_source {
            None => Some(from.to_owned()),
            Some(prefix) => Some([&self.prefix, from.strip_prefix(prefix.as_str())?].concat()),
        }
    }

    /// Whether no blob after this one is in the part of the job.
    fn is_behind(&self, item: &BlobItem) -> bool {
        self.shard.as_ref().is_some_and(|shard| shard.is_behind(&self.name_at_source(item)))
    }

    fn name_at_source<'a>(&self, item: &'a BlobItem) -> Cow<'a, str> {
        match &self.to_source {
            None => Cow::Borrowed(&item.name),
            Some(prefix) => Cow::Owned([prefix, rest(&self.prefix, &item.name)].concat()),
        }
    }

    /// Whether the blob is in the part of the job.
    fn holds(&self, item: &BlobItem) -> bool {
        self.shard.as_ref().is_none_or(|shard| shard.holds(&self.name_at_source(item)))
    }
}

/// The blobs of a listing, in its order. The next page is requested while one is worked on.
pub(crate) struct Feed {
    listing: Listing,
    pages: Pages<BlobItem>,
    /// The page after the current one.
    ahead: Option<vec::IntoIter<BlobItem>>,
    items: vec::IntoIter<BlobItem>,
    head: Option<Box<BlobItem>>,
    marker: Option<String>,
    /// The name of the last blob.
    last: String,
    ended: bool,
    /// Whether the service version can start a listing at a name.
    can_start: bool,
    faults: u32,
    pause: Option<patience::Pause>,
    pub(crate) is_missing: bool,
    pub(crate) not_kept: NotKept,
    /// The blobs and bytes of all pages that have come.
    pub(crate) blobs: u64,
    pub(crate) bytes: u64,
    /// Pages that have come, and how many of them were shorter than asked for, but not the last.
    pub(crate) pages_read: u64,
    pub(crate) short_pages: u64,
}

/// The next of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Head {
    Blob,
    /// The next name comes before the last one: the listing has another order.
    OutOfOrder,
    End,
}

impl Feed {
    pub(crate) fn new(listing: Listing) -> Self {
        Self {
            pages: pages(&listing, None, listing.start()),
            can_start: true,
            listing,
            ahead: None,
            items: Vec::new().into_iter(),
            head: None,
            marker: None,
            last: String::new(),
            ended: false,
            faults: 0,
            pause: None,
            is_missing: false,
            not_kept: NotKept::default(),
            blobs: 0,
            bytes: 0,
            pages_read: 0,
            short_pages: 0,
        }
    }

    /// Begins the listing again, in full: that of a part may have been cut in the wrong places.
    pub(crate) fn again(&self) -> Self {
        let shard = self.listing.shard.as_ref().map(Shard::without_cuts);
        Self::new(Listing { shard, ..self.listing.clone() })
    }

    /// Whether all pages have come.
    pub(crate) fn is_complete(&self) -> bool {
        self.ended
    }

    /// The requests that its pages took, without those of short pages.
    pub(crate) fn list_requests(&self) -> u64 {
        self.pages_read - self.short_pages + u64::from(self.is_missing)
    }

    /// The name of the next blob after the prefix; only after [`poll_head`](Self::poll_head).
    pub(crate) fn rest(&self) -> Option<&str> {
        self.head.as_ref().map(|item| rest(&self.listing.prefix, &item.name))
    }

    pub(crate) fn take(&mut self) -> Option<Box<BlobItem>> {
        let item = self.head.take()?;
        self.last.clear();
        self.last.push_str(&item.name);
        Some(item)
    }

    /// Requests the page after the current one, if there is room for it.
    pub(crate) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Poll<Result<()>> {
        loop {
            if self.ahead.is_some() || self.ended {
                return Poll::Ready(Ok(()));
            }
            if let Some(pause) = &mut self.pause {
                ready!(pause.as_mut().poll(cx));
                self.pause = None;
            }
            match ready!(Pin::new(&mut self.pages).poll_next(cx)) {
                None => self.ended = true,
                Some(Ok(page)) => {
                    self.faults = 0;
                    self.ended = page.next_marker.is_none();
                    self.marker = page.next_marker;
                    let mut items = page.items;
                    self.count_page(items.len());
                    if self.listing.shard.is_some() {
                        self.ended |= items.last().is_some_and(|last| self.listing.is_behind(last));
                        items.retain(|item| self.listing.holds(item));
                    }
                    self.count(&items);
                    self.ahead = Some(items.into_iter());
                }
                Some(Err(error)) => self.failed(error)?,
            }
        }
    }

    fn count_page(&mut self, length: usize) {
        self.pages_read += 1;
        let full = usize::try_from(PAGE).unwrap_or(usize::MAX);
        self.short_pages += u64::from(!self.ended && length < full);
    }

    fn count(&mut self, items: &[BlobItem]) {
        for item in items {
            if self.not_kept.count(item) {
                self.blobs += 1;
                self.bytes += item.properties.content_length;
            }
        }
    }

    /// Goes on after an error at the page that failed, if that makes sense.
    fn failed(&mut self, error: Error) -> Result<()> {
        if self.listing.may_be_missing && error.code() == Some(&ErrorCode::ContainerNotFound) {
            (self.ended, self.is_missing) = (true, true);
            return Ok(());
        }
        let start = self.listing.start().filter(|_| self.can_start && self.marker.is_none());
        if matches!(error, Error::InvalidInput { .. }) && start.is_some() {
            self.can_start = false;
            self.pages = pages(&self.listing, None, None);
            return Ok(());
        }
        if self.pages_read == 0 && !self.listing.told.is_empty() && is_unknown(&error) {
            self.listing.told.clear();
            self.pages = pages(&self.listing, None, start);
            return Ok(());
        }
        self.faults += 1;
        let Some(pause) = patience::pause(&error, self.faults) else { return Err(error) };
        self.pause = Some(pause);
        self.pages = pages(&self.listing, self.marker.clone(), start);
        Ok(())
    }

    /// Finds the next blob. Others are counted.
    pub(crate) fn poll_head(&mut self, cx: &mut Context<'_>) -> Poll<Result<Head>> {
        while self.head.is_none() {
            let Some(item) = self.items.next() else {
                match self.ahead.take() {
                    Some(items) => self.items = items,
                    None if self.ended => return Poll::Ready(Ok(Head::End)),
                    None => ready!(self.poll_ahead(cx))?,
                }
                continue;
            };
            // The same name twice: it was listed again after its page had moved on.
            if is_blob(&item) && item.name != self.last {
                self.head = Some(Box::new(item));
            }
        }
        let next = self.head.as_ref().map_or("", |item| &item.name);
        let in_order = self.last.is_empty() || order::compare(&self.last, next) == Ordering::Less;
        Poll::Ready(Ok(if in_order { Head::Blob } else { Head::OutOfOrder }))
    }

    /// Accepts the next blob out of order: order does not matter any more.
    pub(crate) fn forget_order(&mut self) {
        self.last.clear();
    }
}

/// Whether an account or a service version does not know what a listing should include. Accounts
/// with a hierarchical namespace have no versions, for one.
fn is_unknown(error: &Error) -> bool {
    use ErrorCode::{
        FeatureVersionMismatch, InvalidQueryParameterValue, UnsupportedQueryParameter,
    };
    matches!(error, Error::InvalidInput { .. })
        || matches!(
            error.code(),
            Some(InvalidQueryParameterValue | UnsupportedQueryParameter | FeatureVersionMismatch)
        )
}

fn pages(listing: &Listing, marker: Option<String>, start: Option<String>) -> Pages<BlobItem> {
    let mut list = listing.container.list_blobs().page_size(PAGE);
    if !listing.prefix.is_empty() {
        list = list.prefix(&listing.prefix);
    }
    if let Some(marker) = marker {
        list = list.marker(marker);
    }
    if let Some(start) = start {
        list = list.start_from(start);
    }
    list.include(listing.include.iter().chain(&listing.told).copied()).pages()
}

/// A name without the prefix of its listing.
pub(crate) fn rest<'a>(prefix: &str, name: &'a str) -> &'a str {
    name.strip_prefix(prefix).unwrap_or(name)
}

/// Whether an entry is a blob: no snapshot, no version, and not deleted.
fn is_blob(item: &BlobItem) -> bool {
    NotKept::default().count(item)
}
