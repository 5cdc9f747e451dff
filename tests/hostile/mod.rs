//! Hostile values and hostile answers: no panic, no unbounded memory, no unbounded time.
//!
//! `PROPTEST_CASES` sets the number of cases for each, and `PROPTEST_RNG_SEED` selects others than
//! the default ones.

mod answers;
mod bounds;
mod documents;
mod driven;
mod face;
mod run;
mod runner;
mod service;
mod values;
mod with_answers;
mod with_values;
