//! Many copies, on virtual time.

mod content;
mod disks;
mod ends;
mod faults;
mod killed;
mod listings;
mod moves;
mod plans;
mod receipts;
mod runs;
mod safety;
mod shards;
mod world;
