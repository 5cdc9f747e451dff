//! Accounts, and how an address leads to the blobs stored there.

use std::collections::BTreeMap;

use super::{blob::Blob, container::Container, properties::ServiceProperties, revision::Revision};
use crate::wire::{
    error::{Code, Refusal},
    names::Order,
    route::BlobAddress,
};

/// A storage account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// The decoded keys: one or two, equally valid.
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) properties: ServiceProperties,
    /// How it lists blobs.
    pub(crate) order: Order,
    pub(crate) containers: BTreeMap<String, Container>,
}

/// All accounts, by name.
#[derive(Debug, Default)]
pub(crate) struct Accounts(pub(crate) BTreeMap<String, Account>);

impl Accounts {
    pub(crate) fn get(&self, name: &str) -> Option<&Account> {
        self.0.get(name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.0.contains_key(name)
    }

    pub(crate) fn container(&self, account: &str, name: &str) -> Result<&Container, Refusal> {
        let account = self.0.get(account).ok_or(Code::ResourceNotFound)?;
        Ok(account.containers.get(name).ok_or(Code::ContainerNotFound)?)
    }

    pub(crate) fn container_mut(
        &mut self,
        account: &str,
        name: &str,
    ) -> Result<&mut Container, Refusal> {
        let account = self.0.get_mut(account).ok_or(Code::ResourceNotFound)?;
        Ok(account.containers.get_mut(name).ok_or(Code::ContainerNotFound)?)
    }

    /// The blob at this address, or `None` if its container has no such blob.
    pub(crate) fn find(&self, at: &BlobAddress) -> Result<Option<&Blob>, Refusal> {
        Ok(self.container(&at.account, &at.container)?.blobs.get(&at.blob))
    }

    pub(crate) fn blob(&self, at: &BlobAddress) -> Result<&Blob, Refusal> {
        Ok(self.find(at)?.ok_or(Code::BlobNotFound)?)
    }

    pub(crate) fn blob_mut(&mut self, at: &BlobAddress) -> Result<&mut Blob, Refusal> {
        let container = self.container_mut(&at.account, &at.container)?;
        Ok(container.blobs.get_mut(&at.blob).ok_or(Code::BlobNotFound)?)
    }

    /// The base blob, or the named snapshot.
    pub(crate) fn revision(
        &self,
        at: &BlobAddress,
        snapshot: Option<&str>,
    ) -> Result<&Revision, Refusal> {
        self.blob(at)?.revision(snapshot)
    }

    /// Stores a new base blob. The snapshots and the lease of the old one stay; its uncommitted
    /// blocks are discarded.
    pub(crate) fn replace(
        &mut self,
        at: &BlobAddress,
        revision: Revision,
    ) -> Result<&mut Blob, Refusal> {
        let container = self.container_mut(&at.account, &at.container)?;
        container.staged.remove(&container.name(&at.blob));
        Ok(container.blobs.put(&at.blob, revision))
    }
}
