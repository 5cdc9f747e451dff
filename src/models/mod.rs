//! The service's concepts as values: ids, words, conditions, properties.

pub(crate) mod copy_state;
pub(crate) mod error_body;
pub(crate) mod error_code;
pub(crate) mod opaque;
#[allow(unreachable_pub)] // until lib.rs exports it
pub(crate) mod page_ranges;
pub(crate) mod words;
pub(crate) mod xml;

pub use self::{copy_state::*, error_code::ErrorCode, opaque::*, words::*};

#[allow(unreachable_pub, unused_imports)] // until lib.rs exports them
pub use self::page_ranges::{PageRange, PageRangeItem};
