//! What a credential must allow, and by what right it is allowed.

use std::net::IpAddr;

use http::HeaderMap;
use time::OffsetDateTime;

use super::identity::Identity;
use crate::wire::{
    op::Op,
    route::{Query, Route},
};

/// By what right a request acts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Principal {
    /// The account's key.
    Owner,
    /// A bearer token that the test's rule accepts.
    Bearer,
    /// A SAS. `overwrite` tells whether it may also write over a blob that exists.
    Sas {
        overwrite: bool,
    },
    Anonymous,
}

impl Principal {
    /// Whether it may read whatever else is in its account, as the source of a Copy Blob.
    pub(crate) fn reads_own_account(self) -> bool {
        matches!(self, Self::Owner | Self::Bearer)
    }
}

/// What is to be done, as far as a credential must allow it: a request, or the read of a source.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Access<'a> {
    pub(crate) op: Op,
    pub(crate) route: &'a Route,
    pub(crate) query: &'a Query,
    pub(crate) version: &'a str,
    /// The headers of a request; a source has none of its own.
    pub(crate) headers: Option<&'a HeaderMap>,
    /// Where it comes from; a source is read by the service itself, so nowhere.
    pub(crate) address: Option<IpAddr>,
    pub(crate) https: bool,
    /// Whether a bearer token may be sent: over https, and where there is no wire at all.
    pub(crate) secure: bool,
    /// Whose bearer token came with it.
    pub(crate) user: Option<&'a Identity>,
    pub(crate) now: OffsetDateTime,
}
