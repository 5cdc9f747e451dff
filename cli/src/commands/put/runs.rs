//! Which requests make a blob's pages what a disk's are.

/// A request for a run of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Request {
    Write { offset: u64, length: u64 },
    Clear { offset: u64, length: u64 },
}

/// What is known of the blob, where a piece of the disk goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Before<'a> {
    /// Where it holds data: offsets and lengths, in order.
    Ranges(&'a [(u64, u64)]),
    /// Its bytes in place of the piece's.
    Bytes(&'a [u8]),
}

const PAGE: usize = 512;
/// The least zeros for which a request of their own is worth its while. Fewer are written together
/// with the data around them, or a disk of scattered pages would take a request for each.
const GAP: u64 = 64 << 10;
/// The same for pages that do not differ. Each of them that is written all the same counts as
/// changed, and the next incremental copy moves it: no more than a file system's cluster of them.
const NEAR: u64 = 4 << 10;

impl Before<'_> {
    /// What is to be done with a page at this place of the piece, and of the disk.
    fn request(self, place: usize, offset: u64, page: &[u8]) -> Option<Request> {
        let length = page.len() as u64;
        let zero = is_zero(page);
        let differs = match self {
            Self::Ranges(held) => !zero || extent(held, offset, length).is_some(),
            Self::Bytes(bytes) => bytes.get(place..place + page.len()) != Some(page),
        };
        differs.then_some(match zero {
            true => Request::Clear { offset, length },
            false => Request::Write { offset, length },
        })
    }

    /// How many pages may be written without need, to save a request.
    fn near(self) -> u64 {
        match self {
            Self::Ranges(_) => GAP,
            Self::Bytes(_) => NEAR,
        }
    }
}

impl Request {
    /// Where it begins and ends.
    pub(super) fn place(self) -> (u64, u64) {
        let (Self::Write { offset, length } | Self::Clear { offset, length }) = self;
        (offset, offset + length)
    }

    pub(super) fn is_write(self) -> bool {
        matches!(self, Self::Write { .. })
    }

    /// Whether a write may do the same: not where so many zeros would be written.
    fn is_writable(self) -> bool {
        !matches!(self, Self::Clear { length, .. } if length >= GAP)
    }

    /// One request from its beginning to the end of a later one: a clear of two clears, otherwise a
    /// write.
    fn and(self, later: Self) -> Self {
        let (offset, length) = (self.place().0, later.place().1 - self.place().0);
        match self.is_write() || later.is_write() {
            true => Self::Write { offset, length },
            false => Self::Clear { offset, length },
        }
    }
}

/// The requests for a piece that begins at `offset` of the disk.
pub(super) fn requests(offset: u64, piece: &[u8], before: Before<'_>) -> Vec<Request> {
    let mut made: Vec<Request> = Vec::new();
    for run in runs(offset, piece, before) {
        match made.last_mut() {
            Some(last)
                if run.place().0 - last.place().1 < before.near()
                    && (last.is_write() || run.is_write())
                    && last.is_writable()
                    && run.is_writable() =>
            {
                *last = last.and(run);
            }
            _ => made.push(run),
        }
    }
    made
}

/// The pages for which something is to be done, as runs of one kind.
fn runs(offset: u64, piece: &[u8], before: Before<'_>) -> Vec<Request> {
    let mut found: Vec<Request> = Vec::new();
    // Where the last run ends in the piece.
    let mut end = 0;
    for (number, page) in piece.chunks(PAGE).enumerate() {
        let place = number * PAGE;
        let Some(next) = before.request(place, offset + place as u64, page) else { continue };
        // What is zero between two clears may be cleared too.
        let between = &piece[end..place];
        let joins = |last: &Request| match (last.is_write(), next.is_write()) {
            (true, true) => between.is_empty(),
            (false, false) => (between.len() as u64) < GAP && is_zero(between),
            _ => false,
        };
        match found.last_mut() {
            Some(last) if joins(last) => *last = last.and(next),
            _ => found.push(next),
        }
        end = place + page.len();
    }
    found
}

fn is_zero(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| *byte == 0)
}

/// From the first to the last byte of a range that lies in `ranges`, which are offsets and lengths
/// in order.
pub(super) fn extent(ranges: &[(u64, u64)], offset: u64, length: u64) -> Option<(u64, u64)> {
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
        let requests = |offset, piece: &[u8], held: &[(u64, u64)]| {
            requests(offset, piece, Before::Ranges(held))
        };
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

    #[test]
    fn of_a_blob_whose_bytes_are_known_only_what_differs_is_sent() {
        let before = piece(&[0, 10, 11, 30, 100, 200]);
        let now = |pages: &[usize]| requests(1 << 20, &piece(pages), Before::Bytes(&before));
        let place = |from: u64, to: u64| ((1 << 20) + from * 512, (to - from) * 512);
        let write = |from, to| {
            let (offset, length) = place(from, to);
            Request::Write { offset, length }
        };
        let clear = |from, to| {
            let (offset, length) = place(from, to);
            Request::Clear { offset, length }
        };
        let same = [0, 10, 11, 30, 100, 200];
        assert_eq!(now(&same), []);
        // Page 500 is new, page 30 is gone.
        assert_eq!(now(&[0, 10, 11, 100, 200, 500]), [clear(30, 31), write(500, 501)]);
        // Seven pages that are the same are written with their neighbours, and eight are not.
        assert_eq!(now(&[&same[..], &[300, 308]].concat()), [write(300, 309)]);
        assert_eq!(now(&[&same[..], &[300, 309]].concat()), [write(300, 301), write(309, 310)]);
        // What is the same between two pages that are gone is kept, if it is not zero.
        assert_eq!(now(&[0, 11, 100, 200]), [clear(10, 31 - 20), clear(30, 31)]);
        assert_eq!(now(&[0, 100, 200]), [clear(10, 31)]);
        // Zeros beside a change are written with it.
        assert_eq!(now(&[0, 9, 11, 30, 100, 200]), [write(9, 11)]);
        // A page that holds zeros is no change.
        assert_eq!(requests(0, &[0; 512], Before::Bytes(&[0; 512])), []);
        assert_eq!(requests(0, &[1; 512], Before::Bytes(&[1; 512])), []);
    }

    #[test]
    fn clears_over_what_the_blob_does_not_hold_are_joined() {
        let held = [(0, 512), (4096, 512), (1 << 19, 512)];
        let clear = |offset, length| Request::Clear { offset, length };
        let made = requests(0, &piece(&[]), Before::Ranges(&held));
        assert_eq!(made, [clear(0, 4608), clear(1 << 19, 512)]);
    }
}
