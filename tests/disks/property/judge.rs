//! Whether copies equal what the source held when its snapshots were taken.

use blobcopy::{PageBlobClient, PageRange};

use super::truth::{Content, PAGE};

/// Ranges that are no further apart than this are read in one request.
const NEAR: u64 = 64 << 10;

/// What is wrong with a copy of a snapshot, read by its page ranges alone.
pub(super) async fn wrong(truth: &Content, copy: &PageBlobClient) -> Option<String> {
    let listed = copy.get_page_ranges().collect_all().await.expect("listed");
    if listed.content_length != truth.length {
        return Some(format!(
            "it has {} bytes in place of {}",
            listed.content_length, truth.length
        ));
    }
    let mut held = Vec::new();
    let mut rest = &listed.ranges[..];
    while let Some(first) = rest.first() {
        let gaps = rest.iter().zip(rest.iter().skip(1));
        let near = gaps.take_while(|(one, next)| next.start - one.end <= NEAR).count() + 1;
        let (these, later) = rest.split_at(near);
        let end = these.last().expect("the first").end;
        let bytes = copy.download().range(first.start..end).await.expect("opened");
        let bytes = bytes.bytes().await.expect("read");
        let part = |range: &PageRange| {
            let part = range.start - first.start..range.end - first.start;
            let [from, to] = [part.start, part.end].map(|at| usize::try_from(at).expect("few"));
            (range.start, bytes[from..to].to_vec())
        };
        held.extend(these.iter().map(part));
        rest = later;
    }
    assert!(held.iter().all(|(start, bytes)| (start + bytes.len() as u64).is_multiple_of(PAGE)));
    truth.wrong(&held)
}
