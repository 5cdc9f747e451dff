//! Mirrors of disks.

mod fleet;
mod incremental;
mod world;
