//! The content of a page blob: sparse, and shared between a blob, its snapshots and its copies.
//!
//! A tree with sixteen branches at each node, whose leaves hold up to 64 written pages each. Nodes
//! are shared until one side writes, so a snapshot costs one pointer, and a comparison of two
//! contents skips everything that both share.

use std::{ops::Range, sync::Arc};

use crate::wire::{
    call::AskedRange,
    error::{Code, Refusal},
    payload::Sparse,
};

/// The size of a page in bytes.
pub(crate) const PAGE: u64 = 512;
const PAGE_BYTES: usize = 512;
/// How many pages a leaf spans.
const LEAF_PAGES: u64 = 64;
const FAN_BITS: u32 = 4;
/// Levels of branches: 16^7 leaves of 32 KiB make the 8 TiB limit of a page blob.
const DEPTH: u32 = 7;

/// The written pages of a page blob.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pages {
    root: Option<Arc<Node>>,
}

#[derive(Debug, Clone)]
enum Node {
    Branch([Option<Arc<Node>>; 1 << FAN_BITS]),
    Leaf(Leaf),
}

/// Up to 64 pages: only pages that were ever written are kept, in ascending order.
#[derive(Debug, Clone, Default)]
struct Leaf {
    /// One bit for each written page.
    written: u64,
    /// One bit for each page that was written once and is cleared now. A comparison reports it,
    /// even with a content that is older than both.
    cleared: u64,
    /// When each page of both kinds was last written or cleared, as an increasing number.
    stamps: Vec<u64>,
    /// The bytes of the written pages.
    data: Vec<u8>,
}

/// Bytes `start..end` that were written, or cleared since an earlier content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PageRun {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) cleared: bool,
}

impl Pages {
    /// Writes whole pages at `offset`. Both must be multiples of a page.
    pub(crate) fn write(&mut self, offset: u64, mut bytes: &[u8], stamp: u64) {
        let mut page = offset / PAGE;
        while !bytes.is_empty() {
            let first = page % LEAF_PAGES;
            let room = usize::try_from(LEAF_PAGES - first).unwrap_or(0) * PAGE_BYTES;
            let (now, rest) = bytes.split_at(room.min(bytes.len()));
            self.leaf_mut(page / LEAF_PAGES).write(first, now, stamp);
            page += LEAF_PAGES - first;
            bytes = rest;
        }
    }

    /// Makes the pages of `bytes` read as zeros, and no longer count as written.
    pub(crate) fn clear(&mut self, bytes: Range<u64>, stamp: u64) {
        let pages = bytes.start / PAGE..bytes.end.div_ceil(PAGE);
        clear(&mut self.root, 0, DEPTH, &pages, stamp);
    }

    /// Fills `buffer` with the content at `offset`; unwritten bytes are zero.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) {
        buffer.fill(0);
        let mut at = offset;
        let mut rest = buffer;
        while !rest.is_empty() {
            let page = at / PAGE;
            let within = usize::try_from(at % PAGE).unwrap_or(0);
            let length = rest.len().min(PAGE_BYTES - within);
            let (now, later) = rest.split_at_mut(length);
            if let Some(found) =
                self.leaf(page / LEAF_PAGES).and_then(|leaf| leaf.page(page % LEAF_PAGES))
            {
                now.copy_from_slice(&found[within..within + length]);
            }
            at += length as u64;
            rest = later;
        }
    }

    /// The written bytes inside `within`, ascending.
    pub(crate) fn ranges(&self, within: Range<u64>) -> Vec<PageRun> {
        let mut runs = self.changes_since(&Pages::default(), within);
        runs.retain(|run| !run.cleared);
        runs
    }

    /// The pages written and cleared inside `within` since this content was `earlier`: all that
    /// were touched, even if they read as before.
    pub(crate) fn changes_since(&self, earlier: &Pages, within: Range<u64>) -> Vec<PageRun> {
        let mut runs = Vec::new();
        let pages = within.start / PAGE..within.end.div_ceil(PAGE);
        compare(
            self.root.as_ref(),
            earlier.root.as_ref(),
            0,
            DEPTH,
            &pages,
            &mut |page, cleared| {
                push(&mut runs, page, cleared, &within);
            },
        );
        runs
    }

    fn leaf(&self, index: u64) -> Option<&Leaf> {
        let mut node = self.root.as_ref()?;
        let mut level = DEPTH;
        loop {
            match &**node {
                Node::Leaf(leaf) => return Some(leaf),
                Node::Branch(children) => {
                    level -= 1;
                    node = children[slot(index, level)].as_ref()?;
                }
            }
        }
    }

    fn leaf_mut(&mut self, index: u64) -> &mut Leaf {
        let mut place = &mut self.root;
        for level in (0..DEPTH).rev() {
            let node = place.get_or_insert_with(|| Arc::new(Node::Branch(Default::default())));
            place = match Arc::make_mut(node) {
                Node::Branch(children) => &mut children[slot(index, level)],
                Node::Leaf(_) => unreachable!("leaves are at the lowest level only"),
            };
        }
        let node = place.get_or_insert_with(|| Arc::new(Node::Leaf(Leaf::default())));
        match Arc::make_mut(node) {
            Node::Leaf(leaf) => leaf,
            Node::Branch(_) => unreachable!("the lowest level holds leaves only"),
        }
    }
}

/// Which child leads to leaf `index` from a branch `level` steps above the leaves' parents.
fn slot(index: u64, level: u32) -> usize {
    usize::try_from((index >> (FAN_BITS * level)) & 15).unwrap_or(0)
}

/// How many pages a node spans if its children are `level` levels above the leaves.
fn span(level: u32) -> u64 {
    LEAF_PAGES << (FAN_BITS * level)
}

fn clear(place: &mut Option<Arc<Node>>, first: u64, level: u32, cleared: &Range<u64>, stamp: u64) {
    let end = first + span(level);
    let Some(node) = place else { return };
    if cleared.start >= end || cleared.end <= first {
        return;
    }
    if let Node::Leaf(leaf) = &**node
        && cleared.start <= first
        && end <= cleared.end
    {
        // This need not copy the bytes of a shared leaf.
        *node = Arc::new(Node::Leaf(leaf.emptied(stamp)));
        return;
    }
    match Arc::make_mut(node) {
        Node::Branch(children) => {
            for (child, at) in children.iter_mut().zip(0..) {
                clear(child, first + at * span(level - 1), level - 1, cleared, stamp);
            }
        }
        Node::Leaf(leaf) => {
            let pages = cleared.start.saturating_sub(first)..(cleared.end - first).min(LEAF_PAGES);
            leaf.clear(pages, stamp);
        }
    }
}

/// Calls `visit` for every page that was touched in `new` later than in `old`, with whether it is
/// cleared.
fn compare(
    new: Option<&Arc<Node>>,
    old: Option<&Arc<Node>>,
    first: u64,
    level: u32,
    within: &Range<u64>,
    visit: &mut impl FnMut(u64, bool),
) {
    let same = match (new, old) {
        (None, None) => true,
        (Some(new), Some(old)) => Arc::ptr_eq(new, old),
        _ => false,
    };
    if same || within.start >= first + span(level) || within.end <= first {
        return;
    }
    if level > 0 {
        for at in 0..1 << FAN_BITS {
            let start = first + (at as u64) * span(level - 1);
            compare(child(new, at), child(old, at), start, level - 1, within, visit);
        }
        return;
    }
    let (new, old) = (leaf_of(new), leaf_of(old));
    for page in 0..LEAF_PAGES {
        let touched = |leaf: Option<&Leaf>| leaf.and_then(|leaf| leaf.touched(page));
        let (now, before) = (touched(new), touched(old));
        if now != before && within.contains(&(first + page)) {
            visit(first + page, now.is_none_or(|touched| touched.cleared));
        }
    }
}

fn child(node: Option<&Arc<Node>>, at: usize) -> Option<&Arc<Node>> {
    match node.map(|node| &**node) {
        Some(Node::Branch(children)) => children[at].as_ref(),
        _ => None,
    }
}

fn leaf_of(node: Option<&Arc<Node>>) -> Option<&Leaf> {
    match node.map(|node| &**node) {
        Some(Node::Leaf(leaf)) => Some(leaf),
        _ => None,
    }
}

/// Adds a page to the last run if adjacent, else begins a new run.
fn push(runs: &mut Vec<PageRun>, page: u64, cleared: bool, within: &Range<u64>) {
    let (start, end) = ((page * PAGE).max(within.start), ((page + 1) * PAGE).min(within.end));
    match runs.last_mut() {
        Some(last) if last.end == start && last.cleared == cleared => last.end = end,
        _ => runs.push(PageRun { start, end, cleared }),
    }
}

/// When a page was last touched, and whether that cleared it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Touched {
    stamp: u64,
    cleared: bool,
}

/// How many of the pages in `pages` come before `page`.
fn before(pages: u64, page: u64) -> usize {
    (pages & ((1 << page) - 1)).count_ones() as usize
}

impl Leaf {
    fn has(&self, page: u64) -> bool {
        self.written & (1 << page) != 0
    }

    /// The pages that were ever written.
    fn known(&self) -> u64 {
        self.written | self.cleared
    }

    fn touched(&self, page: u64) -> Option<Touched> {
        let known = self.known() & (1 << page) != 0;
        known.then(|| Touched {
            stamp: self.stamps[before(self.known(), page)],
            cleared: !self.has(page),
        })
    }

    fn page(&self, page: u64) -> Option<&[u8]> {
        let start = self.has(page).then(|| before(self.written, page) * PAGE_BYTES)?;
        Some(&self.data[start..start + PAGE_BYTES])
    }

    fn write(&mut self, first: u64, bytes: &[u8], stamp: u64) {
        for (page, bytes) in (first..).zip(bytes.chunks_exact(PAGE_BYTES)) {
            let place = before(self.known(), page);
            match self.touched(page) {
                Some(_) => self.stamps[place] = stamp,
                None => self.stamps.insert(place, stamp),
            }
            let start = before(self.written, page) * PAGE_BYTES;
            if self.has(page) {
                self.data[start..start + PAGE_BYTES].copy_from_slice(bytes);
            } else {
                self.data.splice(start..start, bytes.iter().copied());
            }
            self.written |= 1 << page;
            self.cleared &= !(1 << page);
        }
    }

    fn clear(&mut self, pages: Range<u64>, stamp: u64) {
        let first = before(self.written, pages.start);
        let doomed = pages.filter(|page| self.has(*page)).fold(0, |bits, page| bits | 1 << page);
        let end = first + u64::count_ones(doomed) as usize;
        self.data.drain(first * PAGE_BYTES..end * PAGE_BYTES);
        for page in (0..LEAF_PAGES).filter(|page| doomed & (1 << page) != 0) {
            let place = before(self.known(), page);
            self.stamps[place] = stamp;
        }
        self.written &= !doomed;
        self.cleared |= doomed;
    }

    /// The leaf with every page cleared.
    fn emptied(&self, stamp: u64) -> Self {
        let mut leaf = Self { data: Vec::new(), stamps: self.stamps.clone(), ..*self };
        let pages = (0..LEAF_PAGES).filter(|page| self.known() & (1 << page) != 0);
        for (place, page) in pages.enumerate() {
            if self.has(page) {
                leaf.stamps[place] = stamp;
            }
        }
        (leaf.written, leaf.cleared) = (0, self.known());
        leaf
    }
}

impl Sparse for Pages {
    fn read(&self, offset: u64, buffer: &mut [u8]) {
        Self::read(self, offset, buffer);
    }
}

impl AskedRange {
    /// The range as whole pages, as every page operation requires.
    pub(crate) fn pages(self) -> Result<(u64, Option<u64>), Refusal> {
        let end = self.last.map(|last| last + 1);
        if !self.start.is_multiple_of(PAGE) || end.is_some_and(|end| !end.is_multiple_of(PAGE)) {
            return Err(Code::InvalidPageRange.into());
        }
        Ok((self.start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(start: u64, end: u64, cleared: bool) -> PageRun {
        PageRun { start, end, cleared }
    }

    #[test]
    fn what_is_written_is_read_back_and_the_rest_is_zero() {
        let mut pages = Pages::default();
        pages.write(31 * 1024, &[7; 4096], 1);
        let mut buffer = vec![1; 8192];
        pages.read(30 * 1024, &mut buffer);
        assert!(buffer[..1024].iter().all(|byte| *byte == 0));
        assert!(buffer[1024..5120].iter().all(|byte| *byte == 7));
        assert!(buffer[5120..].iter().all(|byte| *byte == 0));
        assert_eq!(pages.ranges(0..1 << 43), [run(31 * 1024, 35 * 1024, false)]);
        assert_eq!(pages.ranges(32 * 1024..33 * 1024), [run(32 * 1024, 33 * 1024, false)]);
    }

    #[test]
    fn the_difference_tells_rewritten_new_and_cleared_pages() {
        let mut pages = Pages::default();
        pages.write(0, &[1; 512 * 8], 1);
        let last = (8 << 40) - 512;
        pages.write(last, &[1; 512], 1);
        let before = pages.clone();
        pages.write(512, &[1; 512], 2);
        pages.clear(1024..2048, 4);
        pages.write(1 << 40, &[3; 1024], 3);
        pages.clear(1 << 30..1 << 31, 5);
        let changes = pages.changes_since(&before, 0..8 << 40);
        let expected =
            [run(512, 1024, false), run(1024, 2048, true), run(1 << 40, (1 << 40) + 1024, false)];
        assert_eq!(changes, expected);
        assert!(pages.changes_since(&pages.clone(), 0..8 << 40).is_empty());
    }

    #[test]
    fn what_was_cleared_reads_as_zeros_and_is_told() {
        let mut pages = Pages::default();
        for at in [0, 1 << 20, 1 << 33, 1 << 42] {
            pages.write(at, &[1; 1024], 1);
        }
        let empty = Pages::default();
        pages.clear(512..1024, 2);
        assert_eq!(pages.ranges(0..4096), [run(0, 512, false)]);
        let before = pages.clone();
        pages.clear(0..8 << 40, 3);
        assert!(pages.ranges(0..8 << 40).is_empty());
        let cleared = pages.changes_since(&before, 0..4096);
        assert_eq!(cleared, [run(0, 512, true)], "the page beside it was cleared before");
        let touched = pages.changes_since(&empty, 0..4096);
        assert_eq!(touched, [run(0, 1024, true)], "written and cleared since");
        let mut bytes = [1; 1024];
        pages.read(0, &mut bytes);
        assert_eq!(bytes, [0; 1024]);
    }

    #[test]
    fn what_was_cleared_can_be_written_again() {
        let mut pages = Pages::default();
        pages.write(0, &[1; 512 * 4], 1);
        pages.clear(512..1536, 2);
        pages.write(1024, &[2; 512], 3);
        let mut bytes = [9; 2048];
        pages.read(0, &mut bytes);
        let each: Vec<u8> = bytes.chunks(512).map(|page| page[0]).collect();
        assert_eq!(each, [1, 0, 2, 1]);
        assert_eq!(pages.ranges(0..2048), [run(0, 512, false), run(1024, 2048, false)]);
    }
}
