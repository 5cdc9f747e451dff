//! Test controls of a simulator: what its copies do, and which requests fail.

mod copies;
mod faults;
mod fill;

pub(crate) use self::fill::fill;
pub use self::{
    copies::{Copies, CopyInto},
    faults::{FaultRule, Faults},
};
