//! Mirrors of disks.

mod incremental;
mod world;
