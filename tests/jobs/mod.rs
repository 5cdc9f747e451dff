//! Many copies, on virtual time.

mod checks;
mod content;
mod disks;
mod ends;
mod faults;
mod killed;
mod limits;
mod listings;
mod moves;
mod plans;
mod receipts;
mod runs;
mod safety;
mod shards;
mod world;
