//! What a disk holds, and what each of its snapshots must hold for ever.

use std::{
    collections::{BTreeMap, btree_map::Entry},
    ops::Range,
};

use time::OffsetDateTime;

/// Bytes of a page.
pub(super) const PAGE: u64 = 512;
const PAGE_BYTES: usize = 512;

/// Bytes that a torn run may copy again.
pub(super) const WINDOW: u64 = 1 << 30;

/// The content of a disk: the number of the write that wrote each page.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) length: u64,
    pages: BTreeMap<u64, u64>,
    /// The page of a managed disk's footer, which its guest does not write.
    pub(super) footer: Option<u64>,
}

/// A snapshot of the source, as it was when it was taken.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    pub(super) id: String,
    pub(super) time: OffsetDateTime,
    /// How often the disk had been created.
    pub(super) created: u32,
    pub(super) content: Content,
    /// Whether the source has it no more.
    pub(super) is_gone: bool,
}

impl Content {
    pub(super) fn of(length: u64) -> Self {
        Self { length, ..Self::default() }
    }

    pub(super) fn write(&mut self, range: Range<u64>, number: u64) {
        self.pages.extend((range.start / PAGE..range.end / PAGE).map(|page| (page, number)));
    }

    pub(super) fn clear(&mut self, range: Range<u64>) {
        let pages = range.start / PAGE..range.end / PAGE;
        let doomed: Vec<u64> = self.pages.range(pages).map(|(page, _)| *page).collect();
        for page in doomed {
            self.pages.remove(&page);
        }
    }

    pub(super) fn resize(&mut self, length: u64) {
        if length < self.length {
            self.clear(length..self.length);
        }
        self.length = length;
    }

    /// Moves the footer to the end of a disk of `size` bytes.
    pub(super) fn put_footer(&mut self, size: u64, number: u64) {
        if let Some(old) = self.footer.take() {
            self.pages.remove(&old);
        }
        self.length = size + PAGE;
        self.footer = Some(size / PAGE);
        self.pages.insert(size / PAGE, number);
    }

    /// The bytes of written pages.
    pub(super) fn written(&self) -> u64 {
        self.pages.len() as u64 * PAGE
    }

    /// The bytes that were written since `earlier` and not cleared.
    pub(super) fn written_since(&self, earlier: &Self) -> u64 {
        self.changed_since(earlier).count() as u64 * PAGE
    }

    fn changed_since<'a>(&'a self, earlier: &'a Self) -> impl Iterator<Item = u64> + 'a {
        let changed = self.pages.iter().filter(|(page, number)| {
            earlier.pages.get(page).is_none_or(|before| before != *number)
        });
        changed.map(|(page, _)| *page)
    }

    /// What is wrong with these written ranges of a copy, and with what they hold.
    ///
    /// The pages of a copy are taken out of a list of those that must be there; so each page is
    /// looked at once.
    pub(super) fn wrong(&self, held: &[(u64, Vec<u8>)]) -> Option<String> {
        let mut expected = self.pages.clone();
        for (start, bytes) in held {
            for (page, bytes) in (start / PAGE..).zip(bytes.chunks(PAGE_BYTES)) {
                let at = page * PAGE;
                let Entry::Occupied(number) = expected.entry(page) else {
                    return Some(format!("the page at {at} is written, and must not be"));
                };
                let number = number.remove();
                if !self.holds(page, number, bytes) {
                    return Some(format!("the page at {at} is not that of write {number}"));
                }
            }
        }
        let (page, number) = expected.first_key_value()?;
        Some(format!("the page at {} of write {number} is missing", page * PAGE))
    }

    fn holds(&self, page: u64, number: u64, bytes: &[u8]) -> bool {
        if self.footer == Some(page) {
            let size = page * PAGE;
            return bytes.starts_with(b"conectix") && bytes[40..48] == size.to_be_bytes();
        }
        let word = word_of(page, number);
        bytes.starts_with(&word) && bytes[word.len()..] == bytes[..bytes.len() - word.len()]
    }
}

/// What a write puts into a page: no other page and no other write has the same.
pub(super) fn bytes_of(page: u64, number: u64) -> Vec<u8> {
    let word = word_of(page, number);
    word.repeat(PAGE_BYTES / word.len())
}

fn word_of(page: u64, number: u64) -> [u8; 8] {
    (number << 34 | page).to_le_bytes()
}
