//! The stored state, and the rules that hold for it whatever the request.

pub(crate) mod account;
pub(crate) mod blob;
pub(crate) mod blobs;
pub(crate) mod conditions;
pub(crate) mod container;
pub(crate) mod content;
pub(crate) mod copies;
pub(crate) mod disks;
pub(crate) mod elsewhere;
pub(crate) mod encryption;
pub(crate) mod leases;
pub(crate) mod metadata;
pub(crate) mod pages;
pub(crate) mod properties;
pub(crate) mod revision;
pub(crate) mod settings;
pub(crate) mod stamps;
pub(crate) mod state;
pub(crate) mod tag_query;
pub(crate) mod tiers;
