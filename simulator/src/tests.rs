//! Tests of the service's behaviour, by raw requests.

mod authorization;
mod blobs;
mod blocks;
mod containers;
mod control;
mod copy;
mod doors;
mod elsewhere;
mod encryption;
mod foreign;
mod foreign_faults;
mod from_url;
mod headers;
mod incremental;
mod kit;
mod leases;
mod list;
mod malformed;
mod many;
mod model;
mod random_requests;
mod recorded;
mod recorded_copies;
mod refusals;
mod service;
mod set;
