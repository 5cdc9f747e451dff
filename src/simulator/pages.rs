//! The content of a page blob: sparse, and shared between a blob, its snapshots and its copies.
//!
//! A tree with sixteen branches at each node, whose leaves hold up to 64 written pages each. Nodes
//! are shared until one side writes, so a snapshot costs one pointer, and a comparison of two
//! contents steps over everything that both share.

use std::{ops::Range, sync::Arc};

/// The size of a page in bytes.
pub(crate) const PAGE: u64 = 512;
const PAGE_BYTES: usize = 512;
/// How many pages a leaf spans.
const LEAF_PAGES: u64 = 64;
const FAN_BITS: u32 = 4;
/// Levels of branches: 16^7 leaves of 32 KiB are the 8 TiB that a page blob may have.
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

/// Up to 64 pages: only those that were written are kept, in ascending order.
#[derive(Debug, Clone, Default)]
struct Leaf {
    /// One bit for each page that is written.
    written: u64,
    /// When each written page was last written, as a number that only grows.
    stamps: Vec<u64>,
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

    /// Makes the pages of `bytes` read as zeros again, and no longer count as written.
    pub(crate) fn clear(&mut self, bytes: Range<u64>) {
        clear(&mut self.root, 0, DEPTH, &(bytes.start / PAGE..bytes.end.div_ceil(PAGE)));
    }

    /// Fills `buffer` with the content at `offset`; what was never written is zero.
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
        self.changes_since(&Pages::default(), within)
    }

    /// What was written and what was cleared inside `within` since this content was `earlier`.
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

/// How many pages a node spans whose children are `level` levels above the leaves.
fn span(level: u32) -> u64 {
    LEAF_PAGES << (FAN_BITS * level)
}

fn clear(place: &mut Option<Arc<Node>>, first: u64, level: u32, cleared: &Range<u64>) {
    let end = first + span(level);
    let Some(node) = place else { return };
    if cleared.start >= end || cleared.end <= first {
        return;
    }
    if cleared.start <= first && end <= cleared.end {
        *place = None;
        return;
    }
    let empty = match Arc::make_mut(node) {
        Node::Branch(children) => {
            for (child, at) in children.iter_mut().zip(0..) {
                clear(child, first + at * span(level - 1), level - 1, cleared);
            }
            children.iter().all(Option::is_none)
        }
        Node::Leaf(leaf) => {
            leaf.clear(cleared.start.saturating_sub(first)..(cleared.end - first).min(LEAF_PAGES));
            leaf.written == 0
        }
    };
    if empty {
        *place = None;
    }
}

/// Shows `visit` every page that is written in `new` and not the same in `old`, or only in `old`.
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
        let stamp = |leaf: Option<&Leaf>| leaf.and_then(|leaf| leaf.stamp(page));
        let (now, before) = (stamp(new), stamp(old));
        if now != before && within.contains(&(first + page)) {
            visit(first + page, now.is_none());
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

/// Adds a page to the last run when it continues it, else begins a new one.
fn push(runs: &mut Vec<PageRun>, page: u64, cleared: bool, within: &Range<u64>) {
    let (start, end) = ((page * PAGE).max(within.start), ((page + 1) * PAGE).min(within.end));
    match runs.last_mut() {
        Some(last) if last.end == start && last.cleared == cleared => last.end = end,
        _ => runs.push(PageRun { start, end, cleared }),
    }
}

impl Leaf {
    fn position(&self, page: u64) -> usize {
        (self.written & ((1 << page) - 1)).count_ones() as usize
    }

    fn has(&self, page: u64) -> bool {
        self.written & (1 << page) != 0
    }

    fn stamp(&self, page: u64) -> Option<u64> {
        self.has(page).then(|| self.stamps[self.position(page)])
    }

    fn page(&self, page: u64) -> Option<&[u8]> {
        let start = self.has(page).then(|| self.position(page) * PAGE_BYTES)?;
        Some(&self.data[start..start + PAGE_BYTES])
    }

    fn write(&mut self, first: u64, bytes: &[u8], stamp: u64) {
        for (page, bytes) in (first..).zip(bytes.chunks_exact(PAGE_BYTES)) {
            let position = self.position(page);
            let start = position * PAGE_BYTES;
            if self.has(page) {
                self.stamps[position] = stamp;
                self.data[start..start + PAGE_BYTES].copy_from_slice(bytes);
            } else {
                self.written |= 1 << page;
                self.stamps.insert(position, stamp);
                self.data.splice(start..start, bytes.iter().copied());
            }
        }
    }

    fn clear(&mut self, pages: Range<u64>) {
        let first = self.position(pages.start);
        let doomed = pages.filter(|page| self.has(*page)).fold(0, |bits, page| bits | 1 << page);
        let end = first + u64::count_ones(doomed) as usize;
        self.written &= !doomed;
        self.stamps.drain(first..end);
        self.data.drain(first * PAGE_BYTES..end * PAGE_BYTES);
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
        pages.clear(1024..2048);
        pages.write(1 << 40, &[3; 1024], 3);
        pages.clear(1 << 30..1 << 31);
        let changes = pages.changes_since(&before, 0..8 << 40);
        let expected =
            [run(512, 1024, false), run(1024, 2048, true), run(1 << 40, (1 << 40) + 1024, false)];
        assert_eq!(changes, expected);
        assert!(pages.changes_since(&pages.clone(), 0..8 << 40).is_empty());
    }

    #[test]
    fn clearing_everything_leaves_nothing_behind() {
        let mut pages = Pages::default();
        for at in [0, 1 << 20, 1 << 33, 1 << 42] {
            pages.write(at, &[1; 1024], 1);
        }
        pages.clear(512..1024);
        assert_eq!(pages.ranges(0..4096), [run(0, 512, false)]);
        pages.clear(0..8 << 40);
        assert!(pages.root.is_none());
    }
}
