//! Tests of the public API, in one binary. `referees.rs` has the tests that need more than Rust.

mod bad_input;
mod blob_versions;
mod challenges;
mod chaos;
mod connecting;
mod copies;
mod delegation_keys;
mod endpoints;
mod errors;
mod from_uri;
mod gateways;
mod guarded_pages;
mod hostile;
mod leases;
mod lengths;
mod listings;
mod managed_disks;
mod names;
mod old_versions;
mod over_http;
mod paging;
mod retries;
mod secrets;
mod shared_access;
mod support;
mod transfers;
