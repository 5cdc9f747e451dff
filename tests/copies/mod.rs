//! Copies from start to end, on virtual time.

mod adopted;
mod endings;
mod gateway;
mod pace;
mod pace_table;
mod start_once;
mod stop;
