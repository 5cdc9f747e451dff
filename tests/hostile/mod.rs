//! Hostile values and hostile answers: no panic, no unbounded memory, no unbounded time.
//!
//! `PROPTEST_CASES` sets how many cases are tried of each, and `PROPTEST_RNG_SEED` other ones than
//! those of every run.

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
