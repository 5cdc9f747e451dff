//! The binary, end to end against the simulator: in a pipe and in a terminal.

mod create;
mod simulate;
mod support;
mod usage;
