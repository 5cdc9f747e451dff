//! Mirrors of disks.

mod backup;
mod fleet;
mod incremental;
mod managed;
mod property;
mod ranges;
mod world;
