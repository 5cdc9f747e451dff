//! Snapshots of disks: which ones to keep.
//!
//! | to do this | use |
//! | --- | --- |
//! | say which snapshots to keep, and see why each stays or goes | [`Keep`], [`Kept`] |
//! | say for how long | [`KeepDuration`] |
//! | date a snapshot by something other than its id | [`DatedSnapshot`] |

mod keep;
mod keep_words;
mod kept;

pub use self::{
    keep::Keep,
    keep_words::{KeepCount, KeepDuration, KeepRule, Reason},
    kept::{DatedSnapshot, Kept},
};
