//! How requests and URLs are authorized: shared key, shared access signatures, connection strings.
#![allow(unreachable_pub, unused_imports)] // until lib.rs exports what users name

pub(crate) mod connection_string;
pub(crate) mod sas;
pub(crate) mod shared_key;
