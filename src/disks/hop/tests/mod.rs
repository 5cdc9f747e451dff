//! Hops on the simulator, between two accounts.

mod beside;
mod filled;
mod late;
mod lists;
mod plain;
mod torn;
mod world;
