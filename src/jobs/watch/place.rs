//! The copies into one container, and whether to list it or to poll each.

use std::{collections::BTreeMap, fmt};

use super::WatchedCopy;
use crate::{
    BlobClient, BlobContainerClient, BlobInclude, BlobItem, CopyFromUriOperation, CopyId,
    CopyProgress, CopyState, Pages,
};

/// The copies into blobs of one container.
pub(super) struct Place {
    pub(super) container: BlobContainerClient,
    /// By the names of their destinations.
    copies: BTreeMap<Box<str>, Watched>,
    /// The prefix whose pending copies are still to be listed.
    to_be_listed: Option<String>,
    /// The pages of the last listing, or the least that one takes.
    pages: Option<usize>,
    /// Whether the container can be listed: maybe the credential is for blobs only.
    lists: bool,
    /// Whether listings may start at the first name.
    pub(super) starts_at_first: bool,
    /// How many names no URL can have: only a listing shows their copies.
    unaddressable: usize,
}

/// One copy: small, for there may be many.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) id: CopyId,
    pub(super) progress: Option<CopyProgress>,
    /// The last round that saw the copy.
    pub(super) seen: u64,
}

/// How the copies of a place are looked at.
pub(super) enum Way {
    /// By a listing of at most so many pages.
    List(Box<Pages<BlobItem>>, usize),
    Ask,
}

impl Place {
    pub(super) fn new(container: BlobContainerClient) -> Self {
        Self {
            container,
            copies: BTreeMap::new(),
            to_be_listed: None,
            pages: None,
            lists: true,
            starts_at_first: true,
            unaddressable: 0,
        }
    }

    /// All pending copies below a prefix.
    pub(super) fn to_be_listed(container: BlobContainerClient, prefix: &str) -> Self {
        Self { to_be_listed: Some(prefix.to_owned()), ..Self::new(container) }
    }

    /// Whether this copy can be here: a blob is here once.
    pub(super) fn may_add(&self, name: &str, id: &CopyId) -> bool {
        self.to_be_listed.is_none() && self.copies.get(name).is_none_or(|copy| copy.id == *id)
    }

    pub(super) fn add(&mut self, name: &str, id: &CopyId) {
        if !self.copies.contains_key(name) {
            self.unaddressable += usize::from(!self.has_url(name));
            let copy = Watched { id: id.clone(), progress: None, seen: 0 };
            self.copies.insert(name.into(), copy);
        }
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Watched> {
        let copy = self.copies.remove(name)?;
        self.unaddressable -= usize::from(!self.has_url(name));
        Some(copy)
    }

    pub(super) fn get(&mut self, name: &str) -> Option<&mut Watched> {
        self.copies.get_mut(name)
    }

    pub(super) fn len(&self) -> usize {
        self.copies.len()
    }

    pub(super) fn is_over(&self) -> bool {
        self.copies.is_empty() && self.to_be_listed.is_none()
    }

    pub(super) fn is_to_be_listed(&self) -> bool {
        self.to_be_listed.is_some()
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.copies.keys().map(|name| &**name)
    }

    /// The names of the copies that a round has not seen.
    pub(super) fn unseen(&self, round: u64) -> Vec<Box<str>> {
        let unseen = self.copies.iter().filter(|(_, copy)| copy.seen != round);
        unseen.map(|(name, _)| name.clone()).collect()
    }

    /// The way that takes fewer requests.
    pub(super) fn way(&self) -> Way {
        if self.is_to_be_listed() || self.unaddressable > 0 {
            return self.listing(usize::MAX);
        }
        match (self.copies.len(), self.pages) {
            (copies, _) if copies < 2 || !self.lists => Way::Ask,
            (copies, Some(pages)) if pages < copies => self.listing(copies),
            (_, Some(_)) => Way::Ask,
            // The first listing may turn out to be long: it is given up when it cannot pay.
            (copies, None) => self.listing(copies.div_ceil(2)),
        }
    }

    fn listing(&self, most: usize) -> Way {
        let list = self.container.list_blobs().include([BlobInclude::Copy]);
        let list = match &self.to_be_listed {
            Some(prefix) if prefix.is_empty() => list,
            Some(prefix) => list.prefix(prefix.as_str()),
            None => {
                let list = match self.common_prefix() {
                    "" => list,
                    prefix => list.prefix(prefix),
                };
                // The service orders names by UTF-16 code units.
                let first = self.names().min_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
                match first.filter(|_| self.starts_at_first) {
                    Some(first) => list.start_from(first),
                    None => list,
                }
            }
        };
        Way::List(Box::new(list.pages()), most)
    }

    /// The prefix of all names.
    fn common_prefix(&self) -> &str {
        let ends = self.copies.keys().next().zip(self.copies.keys().next_back());
        let Some((first, last)) = ends else { return "" };
        let same = first.chars().zip(last.chars()).take_while(|(one, other)| one == other);
        &first[..same.map(|(character, _)| character.len_utf8()).sum()]
    }

    /// A listing took so many pages; if it is not complete, more.
    pub(super) fn has_pages(&mut self, pages: usize, is_complete: bool) {
        self.pages = Some(if is_complete { pages } else { pages.max(self.copies.len()) });
        if is_complete {
            self.to_be_listed = None;
        }
    }

    /// The container cannot be listed. Returns whether its copies can be followed otherwise.
    pub(super) fn cannot_be_listed(&mut self) -> bool {
        self.lists = false;
        let can_ask = self.to_be_listed.is_none();
        (self.to_be_listed, self.unaddressable) = (None, 0);
        can_ask
    }

    /// The copy as a single one.
    pub(super) fn operation(&self, name: &str, id: &CopyId) -> CopyFromUriOperation {
        self.blob(name).resume_copy(id)
    }

    pub(super) fn tell(&self, name: &str, id: &CopyId) -> WatchedCopy {
        let container = self.container.name().to_owned();
        WatchedCopy { container, blob: name.to_owned(), copy_id: id.clone() }
    }

    fn blob(&self, name: &str) -> BlobClient {
        let item = BlobItem { name: name.to_owned(), ..BlobItem::default() };
        self.container.blob_client_of(&item)
    }

    fn has_url(&self, name: &str) -> bool {
        self.blob(name).url().is_ok()
    }
}

impl Watched {
    /// Takes the state that a round saw; returns the progress if it is news.
    pub(super) fn see(&mut self, state: &CopyState, round: u64) -> Option<CopyProgress> {
        self.seen = round;
        let news = state.progress.filter(|progress| self.progress != Some(*progress));
        self.progress = state.progress.or(self.progress);
        news
    }
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Place")
            .field("container", &self.container)
            .field("copies", &self.copies.len())
            .finish_non_exhaustive()
    }
}
