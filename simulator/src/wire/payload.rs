//! The body of an answer, read piece by piece: a page blob of terabytes is never expanded in
//! memory.

use std::{collections::VecDeque, fmt, ops::Range, sync::Arc};

use bytes::Bytes;

/// How much of a sparse body is expanded at a time.
const PIECE: u64 = 1 << 20;

/// Content with holes, such as that of a page blob.
pub(crate) trait Sparse: fmt::Debug + Send + Sync {
    /// Fills `buffer` with the bytes from `offset` on.
    fn read(&self, offset: u64, buffer: &mut [u8]);
}

/// The body of an answer.
#[derive(Debug, Clone)]
pub(crate) enum Payload {
    /// Bytes in memory, in pieces.
    Bytes(VecDeque<Bytes>),
    /// A range of sparse content, expanded as it is read.
    Sparse { content: Arc<dyn Sparse>, range: Range<u64> },
    /// Another body with wrong bytes.
    Garbled { body: Box<Payload>, random: fastrand::Rng },
}

impl Payload {
    pub(crate) fn empty() -> Self {
        Self::Bytes(VecDeque::new())
    }

    pub(crate) fn remaining(&self) -> u64 {
        match self {
            Self::Bytes(pieces) => pieces.iter().map(|piece| piece.len() as u64).sum(),
            Self::Sparse { range, .. } => range.end - range.start,
            Self::Garbled { body, .. } => body.remaining(),
        }
    }

    /// The same number of other bytes, derived from `seed`.
    pub(crate) fn garbled(self, seed: u64) -> Self {
        Self::Garbled { body: Box::new(self), random: fastrand::Rng::with_seed(seed) }
    }

    /// The first `bytes` bytes of it.
    pub(crate) fn cut_after(self, bytes: u64) -> Self {
        match self {
            Self::Sparse { content, range } => {
                let end = range.end.min(range.start.saturating_add(bytes));
                Self::Sparse { content, range: range.start..end }
            }
            Self::Garbled { body, random } => {
                Self::Garbled { body: Box::new(body.cut_after(bytes)), random }
            }
            Self::Bytes(pieces) => {
                let mut left = usize::try_from(bytes).unwrap_or(usize::MAX);
                let cut = pieces.into_iter().map_while(|mut piece| {
                    piece.truncate(left);
                    left -= piece.len();
                    (!piece.is_empty()).then_some(piece)
                });
                Self::Bytes(cut.collect())
            }
        }
    }
}

impl From<Bytes> for Payload {
    fn from(bytes: Bytes) -> Self {
        Self::Bytes(if bytes.is_empty() { VecDeque::new() } else { VecDeque::from([bytes]) })
    }
}

impl Iterator for Payload {
    type Item = Bytes;

    fn next(&mut self) -> Option<Bytes> {
        match self {
            Self::Bytes(pieces) => pieces.pop_front(),
            Self::Garbled { body, random } => {
                let mut piece = body.next()?.to_vec();
                // Never zero, so that every byte changes.
                piece.iter_mut().for_each(|byte| *byte ^= random.u8(1..));
                Some(piece.into())
            }
            Self::Sparse { range, .. } if range.is_empty() => None,
            Self::Sparse { content, range } => {
                let length = PIECE.min(range.end - range.start);
                let mut piece = vec![0; usize::try_from(length).unwrap_or(0)];
                content.read(range.start, &mut piece);
                range.start += length;
                Some(piece.into())
            }
        }
    }
}
