//! Two listings, joined as they stream.

use std::{
    cmp::Ordering,
    task::{Context, Poll, ready},
};

use super::{
    feed::{Feed, Head, Listing, rest},
    index::Index,
    order,
};
use crate::{BlobItem, Result};

/// A pair of blobs, or one without a partner.
#[derive(Debug)]
pub(crate) enum Joined {
    /// A blob of the source, and the blob at the destination that has its name.
    Source(Box<BlobItem>, Option<Box<BlobItem>>),
    /// A blob at the destination alone, by the word of the join: nothing is deleted on it.
    Extra(Box<BlobItem>),
    /// One of the listings has another order. What was said of single blobs so far may be wrong:
    /// all pairs come again, joined by an index.
    Reordered,
}

/// Two listings, joined by the names after their prefixes.
///
/// As long as both are ordered by UTF-16 code units, it holds a few pages. If one is not, it reads
/// the destination's listing into an index of names and then the source's again.
pub(crate) struct Join {
    source: Feed,
    destination: Feed,
    source_prefix: String,
    destination_prefix: String,
    state: State,
}

enum State {
    Merging,
    /// The destination is read into the index.
    Indexing(Index),
    /// The source is looked up in the index.
    LookingUp(Index),
    /// What is left in the index is extra.
    Emptying(Index),
}

impl Join {
    pub(crate) fn new(source: Listing, destination: Listing) -> Self {
        Self {
            source_prefix: source.prefix.clone(),
            destination_prefix: destination.prefix.clone(),
            source: Feed::new(source),
            destination: Feed::new(destination),
            state: State::Merging,
        }
    }

    pub(crate) fn source(&self) -> &Feed {
        &self.source
    }

    pub(crate) fn destination(&self) -> &Feed {
        &self.destination
    }

    pub(crate) fn source_prefix(&self) -> &str {
        &self.source_prefix
    }

    pub(crate) fn destination_prefix(&self) -> &str {
        &self.destination_prefix
    }

    /// Whether one of the listings has another order.
    pub(crate) fn is_indexed(&self) -> bool {
        !matches!(self.state, State::Merging)
    }

    /// The most bytes that an index of names has taken; 0 without one.
    pub(crate) fn index_bytes(&self) -> u64 {
        match &self.state {
            State::Merging => 0,
            State::Indexing(index) | State::LookingUp(index) | State::Emptying(index) => {
                index.bytes()
            }
        }
    }

    /// Reads both listings again, and joins them by an index.
    pub(crate) fn restart(&mut self) {
        self.source = self.source.again();
        self.destination = self.destination.again();
        self.state = State::Indexing(Index::default());
    }

    /// Requests pages ahead.
    pub(crate) fn poll_ahead(&mut self, cx: &mut Context<'_>) -> Result<()> {
        for feed in [&mut self.source, &mut self.destination] {
            if let Poll::Ready(done) = feed.poll_ahead(cx) {
                done?;
            }
        }
        Ok(())
    }

    /// The next pair; `None` at the end.
    pub(crate) fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Joined>>> {
        loop {
            let step = match &mut self.state {
                State::Merging => return self.poll_merge(cx),
                State::Indexing(index) => match ready!(self.destination.poll_head(cx))? {
                    Head::End => Step::LookUp,
                    _ => {
                        let item = self.destination.take();
                        self.destination.forget_order();
                        if let Some(item) = item {
                            index.insert(rest(&self.destination_prefix, &item.name), &item);
                        }
                        continue;
                    }
                },
                State::LookingUp(index) => match ready!(self.source.poll_head(cx))? {
                    Head::End => Step::Empty,
                    _ => {
                        let item = self.source.take();
                        self.source.forget_order();
                        let Some(item) = item else { continue };
                        let rest = rest(&self.source_prefix, &item.name);
                        let found = index.take(rest, &self.destination_prefix);
                        return Poll::Ready(Ok(Some(Joined::Source(item, found))));
                    }
                },
                State::Emptying(index) => {
                    let left = index.pop(&self.destination_prefix);
                    return Poll::Ready(Ok(left.map(Joined::Extra)));
                }
            };
            let before = std::mem::replace(&mut self.state, State::Merging);
            self.state = match (step, before) {
                (Step::LookUp, State::Indexing(index)) => State::LookingUp(index),
                (_, State::LookingUp(index)) => State::Emptying(index),
                (_, other) => other,
            };
        }
    }

    fn poll_merge(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Joined>>> {
        let heads = (ready!(self.source.poll_head(cx))?, ready!(self.destination.poll_head(cx))?);
        if matches!(heads, (Head::OutOfOrder, _) | (_, Head::OutOfOrder)) {
            self.restart();
            return Poll::Ready(Ok(Some(Joined::Reordered)));
        }
        let (from, to) = (self.source.rest(), self.destination.rest());
        let order = match (from, to) {
            (Some(from), Some(to)) => order::compare(from, to),
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (None, None) => return Poll::Ready(Ok(None)),
        };
        let joined = match order {
            Ordering::Less => self.source.take().map(|item| Joined::Source(item, None)),
            Ordering::Greater => self.destination.take().map(Joined::Extra),
            Ordering::Equal => {
                let partner = self.destination.take();
                self.source.take().map(|item| Joined::Source(item, partner))
            }
        };
        Poll::Ready(Ok(joined))
    }
}

enum Step {
    LookUp,
    Empty,
}
