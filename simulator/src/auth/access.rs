//! Which permissions a request needs, and which rights a credential gives.

use std::net::IpAddr;

use http::HeaderMap;
use time::OffsetDateTime;

use super::identity::Identity;
use crate::wire::{
    op::Op,
    route::{Query, Route},
};

/// The right that a request acts under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Principal {
    /// The account's key.
    Owner,
    /// A bearer token that the test's rule accepts.
    Bearer,
    /// A SAS. `overwrite` is whether it may also overwrite an existing blob.
    Sas {
        overwrite: bool,
    },
    Anonymous,
}

impl Principal {
    /// Whether it may read other blobs in its account as the source of a Copy Blob.
    pub(crate) fn reads_own_account(self) -> bool {
        matches!(self, Self::Owner | Self::Bearer)
    }
}

/// The action to authorize: a request, or the read of a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) op: Op,
    pub(crate) route: &'a Route,
    pub(crate) query: &'a Query,
    pub(crate) version: &'a str,
    /// The headers of a request; a source has none of its own.
    pub(crate) headers: Option<&'a HeaderMap>,
    /// The client's address; none for a source, which the service itself reads.
    pub(crate) address: Option<IpAddr>,
    pub(crate) https: bool,
    /// Whether a bearer token is allowed: over https, and in process.
    pub(crate) secure: bool,
    /// The identity in its bearer token.
    pub(crate) user: Option<&'a Identity>,
    pub(crate) now: OffsetDateTime,
}
