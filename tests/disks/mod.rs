//! Mirrors of disks.

mod backup;
mod fleet;
mod incremental;
mod world;
