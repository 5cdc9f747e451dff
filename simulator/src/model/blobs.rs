//! The blobs of a container, found by hash and listed in order.
//!
//! A tree alone would be slow for containers with a million blobs: each lookup compares dozens of
//! names scattered over memory, and every one is a cache miss.

use std::{
    collections::{BTreeSet, HashMap, btree_set, hash_map::Entry},
    sync::Arc,
};

use super::{blob::Blob, leases, revision::Revision};
use crate::wire::names::{Name, Order};

/// Blobs by name.
#[derive(Debug, Default)]
pub(crate) struct Blobs {
    found: HashMap<Arc<str>, Box<Blob>>,
    names: BTreeSet<Name>,
    order: Order,
}

/// The blobs from a name on, in name order.
#[derive(Debug)]
pub(crate) struct Listed<'a> {
    found: &'a HashMap<Arc<str>, Box<Blob>>,
    names: btree_set::Range<'a, Name>,
}

impl Blobs {
    pub(crate) fn new(order: Order) -> Self {
        Self { order, ..Self::default() }
    }

    pub(crate) fn order(&self) -> Order {
        self.order
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Blob> {
        self.found.get(name).map(|blob| &**blob)
    }

    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Blob> {
        self.found.get_mut(name).map(|blob| &mut **blob)
    }

    /// Stores a new base blob. The snapshots and the lease of the old one stay.
    pub(crate) fn put(&mut self, name: &str, revision: Revision) -> &mut Blob {
        match self.found.entry(name.into()) {
            Entry::Vacant(place) => {
                self.names.insert(self.order.name(place.key().clone()));
                place.insert(Box::new(Blob::new(revision)))
            }
            Entry::Occupied(place) => {
                let blob = place.into_mut();
                leases::drop_ended(&mut blob.lease, revision.last_modified);
                blob.current = revision;
                blob
            }
        }
    }

    pub(crate) fn remove(&mut self, name: &str) {
        self.found.remove(name);
        self.names.remove(&self.order.name(name));
    }

    pub(crate) fn from(&self, name: &str) -> Listed<'_> {
        Listed { found: &self.found, names: self.names.range(self.order.name(name)..) }
    }
}

impl<'a> Iterator for Listed<'a> {
    type Item = (&'a str, &'a Blob);

    fn next(&mut self) -> Option<Self::Item> {
        let name = self.names.next()?.as_str();
        Some((name, self.found.get(name)?))
    }
}
