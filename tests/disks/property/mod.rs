//! Chains of snapshots of random disks, mirrored by runs that are torn anywhere, beside the truth.

mod disk;
mod door;
mod gate;
mod judge;
mod torn;
mod truth;
mod world;
mod wrong;
mod year;
