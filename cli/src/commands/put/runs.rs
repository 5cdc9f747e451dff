//! Where a piece of a disk holds data, and where it is zero.

/// A run of pages of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Run {
    Data { offset: u64, length: u64 },
    Zero { offset: u64, length: u64 },
}

/// A request that makes the blob's pages what the disk's are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Write { offset: u64, length: u64 },
    Clear { offset: u64, length: u64 },
}

const PAGE: usize = 512;
/// The least zeros for which a request of their own is worth its while. Fewer are written together
/// with the data around them, or a disk of scattered pages would take a request for each.
const GAP: u64 = 64 << 10;

/// The requests for a piece that begins at `offset` of the disk. `held` is where the blob holds
/// data: elsewhere nothing need be cleared.
pub(super) fn requests(offset: u64, piece: &[u8], held: &[(u64, u64)]) -> Vec<Request> {
    let mut made: Vec<Request> = Vec::new();
    // Where the next data begins: with zeros that are written along with it.
    let mut begin = None;
    let runs = runs(offset, piece);
    for (at, run) in runs.iter().enumerate() {
        match *run {
            Run::Data { offset, length } => match (made.last_mut(), begin.take()) {
                (Some(Request::Write { offset: first, length: written }), None)
                    if offset - (*first + *written) < GAP =>
                {
                    *written = offset + length - *first;
                }
                (_, begin) => {
                    let first = begin.unwrap_or(offset);
                    made.push(Request::Write { offset: first, length: offset + length - first });
                }
            },
            Run::Zero { offset, length } => {
                let Some((first, end)) = extent(held, offset, length) else { continue };
                let between = at > 0 && at + 1 < runs.len();
                match made.last_mut() {
                    _ if length >= GAP || runs.len() == 1 => {
                        made.push(Request::Clear { offset: first, length: end - first });
                    }
                    // The data that follows is joined to them.
                    _ if between => {}
                    Some(Request::Write { offset, length }) => *length = end - *offset,
                    _ => begin = Some(first),
                }
            }
        }
    }
    made
}

/// The runs of a piece that begins at `offset` of the disk.
fn runs(offset: u64, piece: &[u8]) -> Vec<Run> {
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

/// From the first to the last byte of a run that lies in `ranges`, which are offsets and lengths in
/// order.
fn extent(ranges: &[(u64, u64)], offset: u64, length: u64) -> Option<(u64, u64)> {
    let end = offset + length;
    let first = ranges.partition_point(|(start, length)| start + length <= offset);
    let past = ranges.partition_point(|(start, _)| *start < end);
    let within = ranges.get(first..past)?;
    let ((start, _), (last, length)) = (within.first()?, within.last()?);
    Some(((*start).max(offset), (last + length).min(end)))
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
        assert_eq!(extent(&held, 512, 512), None);
        assert_eq!(extent(&held, 0, 8192), Some((0, 4608)));
        assert_eq!(extent(&held, 1536, 3072), Some((1536, 4608)));
        assert_eq!(extent(&held, 8192, 512), None);
        assert_eq!(extent(&[], 0, 512), None);
    }

    /// A piece of 1 MiB with data in these pages.
    fn piece(pages: &[usize]) -> Vec<u8> {
        let mut piece = vec![0; 1 << 20];
        for page in pages {
            piece[page * PAGE] = 1;
        }
        piece
    }

    #[test]
    fn few_zeros_are_written_with_their_neighbours_and_many_are_cleared() {
        let held = [(0, 2 << 20)];
        let write = |from: u64, to: u64| Request::Write { offset: from, length: to - from };
        let clear = |from: u64, to: u64| Request::Clear { offset: from, length: to - from };
        // Every second page: one request, where it was one a page.
        let scattered: Vec<usize> = (0..1000).map(|at| at * 2).collect();
        assert_eq!(requests(0, &piece(&scattered), &held), [write(0, 1 << 20)]);
        assert_eq!(requests(0, &piece(&scattered), &[]), [write(0, 1999 * 512)]);
        // 128 pages are 64 KiB.
        assert_eq!(
            requests(0, &piece(&[0, 128, 2047]), &held),
            [write(0, 129 * 512), clear(129 * 512, 2047 * 512), write(2047 * 512, 1 << 20),]
        );
        assert_eq!(
            requests(0, &piece(&[0, 129]), &[]),
            [write(0, 512), write(129 * 512, 130 * 512)]
        );
        // Zeros at the edges.
        assert_eq!(requests(4096, &piece(&[2, 2045]), &held)[0], write(4096, 4096 + 3 * 512));
        assert_eq!(requests(0, &piece(&[2, 2045])[..], &held)[2], write(2045 * 512, 1 << 20));
        assert_eq!(requests(0, &piece(&[2, 3]), &[(512, 512)]), [write(512, 2048)]);
        assert_eq!(requests(0, &piece(&[]), &held), [clear(0, 1 << 20)]);
        assert_eq!(requests(0, &piece(&[])[..512], &held), [clear(0, 512)]);
        assert_eq!(requests(0, &piece(&[]), &[]), []);
    }
}
