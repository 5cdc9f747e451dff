//! The service's behaviour, asked for in raw requests.

mod blobs;
mod blocks;
mod containers;
mod control;
mod copy;
mod doors;
mod from_url;
mod incremental;
mod kit;
mod leases;
mod list;
mod refusals;
mod set;
