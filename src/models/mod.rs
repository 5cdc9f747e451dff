//! The service's concepts as values: ids, words, conditions, properties.

pub(crate) mod copy_state;
pub(crate) mod error_code;
pub(crate) mod opaque;
pub(crate) mod words;

pub use self::{copy_state::*, error_code::ErrorCode, opaque::*, words::*};
