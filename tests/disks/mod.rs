//! Mirrors of disks.

mod backup;
mod fleet;
mod incremental;
mod property;
mod world;
