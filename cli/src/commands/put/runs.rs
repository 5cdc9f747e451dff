//! Where a piece of a disk holds data, and where it is zero.

/// A run of pages of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Run {
    Data { offset: u64, length: u64 },
    Zero { offset: u64, length: u64 },
}

const PAGE: usize = 512;

/// The runs of a piece that begins at `offset` of the disk.
pub(super) fn runs(offset: u64, piece: &[u8]) -> Vec<Run> {
    let mut found: Vec<Run> = Vec::new();
    let mut at = offset;
    for page in piece.chunks(PAGE) {
        let (size, zero) = (page.len() as u64, page.iter().all(|byte| *byte == 0));
        match (found.last_mut(), zero) {
            (Some(Run::Data { length, .. }), false) | (Some(Run::Zero { length, .. }), true) => {
                *length += size;
            }
            (_, false) => found.push(Run::Data { offset: at, length: size }),
            (_, true) => found.push(Run::Zero { offset: at, length: size }),
        }
        at += size;
    }
    found
}

/// The parts of a run that lie in `ranges`, which are offsets and lengths in order.
pub(super) fn covered(ranges: &[(u64, u64)], offset: u64, length: u64) -> Vec<(u64, u64)> {
    let end = offset + length;
    let first = ranges.partition_point(|(start, length)| start + length <= offset);
    let within = ranges[first..].iter().take_while(|(start, _)| *start < end);
    within
        .map(|(start, length)| {
            let from = (*start).max(offset);
            (from, (start + length).min(end) - from)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_whole_pages_of_one_kind() {
        let mut piece = vec![0; 5 * PAGE];
        piece[PAGE] = 1;
        piece[3 * PAGE - 1] = 1;
        assert_eq!(
            runs(4096, &piece),
            [
                Run::Zero { offset: 4096, length: 512 },
                Run::Data { offset: 4608, length: 1024 },
                Run::Zero { offset: 5632, length: 1024 },
            ]
        );
        assert_eq!(runs(0, &[]), []);
    }

    #[test]
    fn only_what_holds_data_is_cleared() {
        let held = [(0, 512), (1024, 1024), (4096, 512)];
        assert_eq!(covered(&held, 512, 512), []);
        assert_eq!(covered(&held, 0, 8192), held);
        assert_eq!(covered(&held, 1536, 3072), [(1536, 512), (4096, 512)]);
        assert_eq!(covered(&[], 0, 512), []);
    }
}
