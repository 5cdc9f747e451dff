//! Many copies, on virtual time.

mod adverse;
mod checks;
mod content;
mod disks;
mod ends;
mod faults;
mod killed;
mod limits;
mod line;
mod listings;
mod moves;
mod plans;
mod receipts;
mod runs;
mod safety;
pub(crate) mod seeds;
mod shards;
mod stock;
mod throttled;
mod traced;
mod unquiet;
mod world;
