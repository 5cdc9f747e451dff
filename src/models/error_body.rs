//! tmp
use std::collections::BTreeMap;
#[derive(Default)]
pub(crate) struct ErrorBody {
    pub(crate) code: Option<String>,
    pub(crate) message: String,
    pub(crate) source_status: Option<u16>,
    pub(crate) source_code: Option<String>,
    pub(crate) source_message: Option<String>,
    pub(crate) details: BTreeMap<String, String>,
}
pub(crate) fn parse(_: &[u8]) -> ErrorBody {
    ErrorBody::default()
}
