//! tmp
/// x
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct PageRange {
    /// x
    pub start: u64,
    /// x
    pub end: u64,
}
pub(crate) struct PageList {
    pub(crate) next_marker: Option<String>,
}
impl PageList {
    pub(crate) fn pages(&self) -> impl Iterator<Item = PageRange> {
        std::iter::empty()
    }
}
pub(crate) fn parse(_: &[u8]) -> Result<PageList, String> {
    Ok(PageList { next_marker: None })
}
