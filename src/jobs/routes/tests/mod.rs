//! The routes on the simulator, between two accounts.

mod blocks;
mod choice;
mod pages;
mod torn_disks;
mod world;
