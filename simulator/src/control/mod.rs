//! A test's hand on a simulator: what its copies do, and what goes wrong.

mod copies;
mod faults;

pub use self::{
    copies::{Copies, CopyInto},
    faults::{FaultRule, Faults},
};
