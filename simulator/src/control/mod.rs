//! Test controls of a simulator: what its copies do, which requests fail, and what is stored.

mod copies;
mod disks;
mod faults;
mod fill;

pub(crate) use self::fill::fill;
pub use self::{
    copies::{Copies, CopyInto},
    disks::{ManagedDisk, ManagedDisks, ManagedSnapshot},
    faults::{FaultRule, Faults},
};
