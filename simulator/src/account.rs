//! Accounts, and the way from an address to what is stored there.

use std::collections::BTreeMap;

use http::uri::Authority;

use super::{
    blob::{Blob, Revision},
    container::Container,
    error::{Code, Refusal},
    names::Name,
    ops::ServiceProperties,
    route,
};

/// A storage account.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) name: String,
    /// The decoded keys: one or two, each as good as the other.
    pub(crate) keys: Vec<Vec<u8>>,
    pub(crate) properties: ServiceProperties,
    pub(crate) containers: BTreeMap<String, Container>,
}

/// Where a blob is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct BlobAddress {
    pub(crate) account: String,
    pub(crate) container: String,
    pub(crate) blob: String,
}

impl BlobAddress {
    /// Where something is that another server holds, in whichever style it is addressed. No account
    /// here has such a name.
    pub(crate) fn elsewhere(authority: &Authority, path: &str) -> Self {
        let (container, blob) = (String::new(), path.to_owned());
        let whole = Self { account: String::new(), container, blob };
        let mut at = route::blob_in(Some(authority), path).unwrap_or(whole);
        at.account = format!("//{}/{}", route::server(authority), at.account);
        at
    }
}

/// All accounts, by name.
#[derive(Debug, Default)]
pub(crate) struct Accounts(pub(crate) BTreeMap<String, Account>);

impl Accounts {
    pub(crate) fn get(&self, name: &str) -> Option<&Account> {
        self.0.get(name)
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

    /// The blob there, or `None` when its container has no such blob.
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

    /// The base blob, or the snapshot that is named.
    pub(crate) fn revision(
        &self,
        at: &BlobAddress,
        snapshot: Option<&str>,
    ) -> Result<&Revision, Refusal> {
        self.blob(at)?.revision(snapshot)
    }

    /// Puts a new base blob in its place. The snapshots and the lease of what was there stay, its
    /// uncommitted blocks do not.
    pub(crate) fn replace(
        &mut self,
        at: &BlobAddress,
        revision: Revision,
    ) -> Result<&mut Blob, Refusal> {
        let container = self.container_mut(&at.account, &at.container)?;
        container.staged.remove(&Name::from(&*at.blob));
        Ok(container.blobs.put(&at.blob, revision))
    }
}
