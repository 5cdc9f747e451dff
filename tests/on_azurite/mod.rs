//! What the crate does, shown on Azurite, the emulator that other tools test against too.
//!
//! It knows no incremental copies, and every copy is over at once; those are the simulator's part.

mod harness;
