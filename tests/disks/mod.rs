//! Mirrors of disks.

mod backup;
mod fleet;
mod incremental;
mod lost;
mod lost_metadata;
mod managed;
mod property;
mod ranges;
mod sources;
mod unmirrored;
mod warnings;
mod world;

// Runs that meet others, die, or find that their series is broken.
mod gate;
mod generations;
mod locks;
mod pending;
mod torn;
mod windows;
