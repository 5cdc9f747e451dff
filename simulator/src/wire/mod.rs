//! Requests and answers on the wire: their addresses, headers, dates, XML and errors.

pub(crate) mod answer;
pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod dates;
pub(crate) mod document;
pub(crate) mod error;
pub(crate) mod json;
pub(crate) mod management;
pub(crate) mod names;
pub(crate) mod op;
pub(crate) mod payload;
pub(crate) mod route;
pub(crate) mod versions;
pub(crate) mod xml;
