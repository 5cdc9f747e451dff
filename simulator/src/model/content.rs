//! The bytes of a blob.

use std::sync::Arc;

use bytes::Bytes;

use super::pages::Pages;

/// The bytes of a blob, by its type, shared between a blob, its snapshots and its copies.
#[derive(Debug, Clone)]
pub(crate) enum Content {
    Block(Arc<[Block]>),
    Append(Arc<Vec<Bytes>>),
    Page { length: u64, pages: Pages },
}

/// A committed block.
#[derive(Debug, Clone)]
pub(crate) struct Block {
    /// Its id, in base64; `None` for the block that Put Blob made.
    pub(crate) id: Option<String>,
    pub(crate) bytes: Bytes,
}

impl Content {
    /// `BlockBlob`, `AppendBlob` or `PageBlob`.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Block(_) => "BlockBlob",
            Self::Append(_) => "AppendBlob",
            Self::Page { .. } => "PageBlob",
        }
    }

    pub(crate) fn length(&self) -> u64 {
        match self {
            Self::Block(blocks) => blocks.iter().map(|block| block.bytes.len() as u64).sum(),
            Self::Append(blocks) => blocks.iter().map(|block| block.len() as u64).sum(),
            Self::Page { length, .. } => *length,
        }
    }

    /// A blob of the same type without content.
    pub(crate) fn emptied(&self) -> Self {
        match self {
            Self::Block(_) => Self::Block(Arc::default()),
            Self::Append(_) => Self::Append(Arc::default()),
            Self::Page { .. } => Self::Page { length: 0, pages: Pages::default() },
        }
    }
}
