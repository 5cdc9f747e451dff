//! The service's behaviour, asked for in raw requests.

mod authorization;
mod blobs;
mod control;
mod copy;
mod doors;
mod incremental;
mod kit;
mod malformed;
mod model;
mod refusals;
