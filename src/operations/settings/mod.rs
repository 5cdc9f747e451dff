//! Settings that several operations share.

pub(crate) mod access;
pub(crate) mod checksum;
pub(crate) mod content;
pub(crate) mod copy_source;
pub(crate) mod delegation;
pub(crate) mod encryption;
pub(crate) mod pieces;
pub(crate) mod sequence_number;
pub(crate) mod stored;
pub(crate) mod url_source;
pub(crate) mod whole_blob;
