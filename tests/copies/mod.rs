//! Copies from their start to their end, on virtual time.

mod adopted;
mod endings;
mod gateway;
mod pace;
mod pace_table;
mod start_once;
mod stop;
