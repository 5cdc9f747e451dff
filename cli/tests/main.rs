//! The binary, end to end against the simulator: in a pipe and in a terminal.

mod abort;
mod backup;
#[cfg(unix)]
mod backup_guide;
mod contexts;
mod copy;
mod create;
mod delete;
mod diff;
mod everywhere;
mod examples;
mod get;
mod incremental;
mod input;
mod jobs;
#[cfg(unix)]
mod killed;
#[cfg(unix)]
mod killed_managed;
#[cfg(unix)]
mod killed_mirror;
mod limits;
mod lines;
#[cfg(unix)]
mod logins;
#[cfg(unix)]
mod managed_disks;
mod mirror;
mod mirror_fleet;
#[cfg(unix)]
mod mirror_live;
mod names;
mod put_and_get;
mod reports;
mod sas;
mod secrets;
mod simulate;
mod snapshots;
mod status;
mod streams;
mod support;
mod usage;
#[cfg(unix)]
mod waited_out;
#[cfg(unix)]
mod walkthrough;
