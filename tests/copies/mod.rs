//! Copies from their start to their end, on virtual time.

mod adopted;
mod endings;
mod gateway;
mod pace;
mod start_once;
mod stop;
