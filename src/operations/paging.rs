//! Lists in pages: each page has the marker of the next.

use std::{
    fmt,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
    vec,
};

use futures_core::Stream;
use futures_util::TryStreamExt;

#[cfg(test)]
use crate::pipeline::request::Prepared;
use crate::{
    error::{Error, Result},
    operations::operation::{Call, Operation},
    wire::{malformed::Malformed, transport::BoxFuture},
};

/// A list that the service returns in pages, as one [`Stream`] of items.
///
/// Chain the settings, `list_blobs().prefix("a")`, then read the list in one of three ways:
///
/// - as a `Stream`, which requests a page once the items of the previous page are read;
/// - whole, with [`collect_all`](Self::collect_all);
/// - page by page, with [`pages`](Self::pages), which also gives the marker of the next page.
///
/// Nothing is sent before the first item is read. The stream ends after an error; to go on, start a
/// new list at the marker of the last page. Settings that change after the first item apply from
/// the next page on.
///
/// ```
/// use futures_util::TryStreamExt;
///
/// # blobcopy_simulator::example(async |service| {
/// let mut containers = service.list_containers();
/// while let Some(container) = containers.try_next().await? {
///     let blobs = service.container_client(&container.name).list_blobs().collect_all().await?;
///     println!("{}: {} blobs", container.name, blobs.len());
/// }
/// # Ok(()) });
/// ```
#[must_use = "nothing is sent until it is read"]
pub struct Pager<T: PagerItem> {
    pub(super) pages: Pages<T>,
    /// The current page without its items, and the items that are left of it.
    page: Option<T::Page>,
    items: vec::IntoIter<T>,
}

/// The pages of a list, one request each.
///
/// Returned by [`Pager::pages`].
#[must_use = "nothing is sent until it is read"]
pub struct Pages<T: PagerItem> {
    call: Call,
    pub(super) list: T::List,
    requested: Option<BoxFuture<'static, Result<T::Page>>>,
    ended: bool,
    trail: Trail,
}

/// An item of a [`Pager`]. Sealed: it cannot be implemented outside this crate.
#[expect(private_bounds, reason = "it seals the trait")]
pub trait PagerItem: Listed<OnePage = Self::Page, AllPages = Self::All> {
    /// What [`Pager::pages`] gives.
    type Page: Send + 'static;
    /// What [`Pager::collect_all`] gives.
    type All;
}

/// How the pages of a list are requested and read.
pub(crate) trait Listed: Sized + Send + 'static {
    type OnePage: Send + 'static;
    type AllPages;
    /// The operation that requests one page.
    type List: Operation<Output = Self::OnePage> + Clone + fmt::Debug + Send + Sync + 'static;

    /// The marker of the page to request.
    fn marker(list: &mut Self::List) -> &mut Option<String>;

    /// The marker of the next page; `None` on the last page.
    fn next_marker(page: &Self::OnePage) -> Option<&str>;

    /// Takes the items out of a page.
    fn items(page: &mut Self::OnePage) -> Vec<Self>;

    /// Updates `page` with what the pages before it say about the whole list.
    fn after(_page: &mut Self::OnePage, _before: Self::OnePage) {}

    /// All items, with what the last page says about the whole list.
    fn all(items: Vec<Self>, last: Self::OnePage) -> Self::AllPages;
}

impl<T: PagerItem> Pager<T> {
    pub(super) fn new(call: Call, list: T::List) -> Self {
        let pages = Pages { call, list, requested: None, ended: false, trail: Trail::default() };
        Self { pages, page: None, items: Vec::new().into_iter() }
    }

    #[cfg(test)]
    pub(super) fn prepare(&self) -> Result<Prepared> {
        self.pages.call.prepare(&self.pages.list)
    }

    /// The same call, for another list.
    pub(super) fn map<U: PagerItem>(self, list: impl FnOnce(T::List) -> U::List) -> Pager<U> {
        Pager::new(self.pages.call, list(self.pages.list))
    }

    /// Reads page by page, one request each. Items that are left of the current page are dropped.
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let mut pages = service.container_client("vhds").list_blobs().page_size(1).pages();
    /// while let Some(page) = pages.try_next().await? {
    ///     println!("{} blobs, then {:?}", page.items.len(), page.next_marker);
    /// }
    /// # Ok(()) });
    /// ```
    #[doc(alias("AsPages", "by_page"))]
    pub fn pages(self) -> Pages<T> {
        self.pages
    }

    /// Reads to the end, and returns all items that are not read yet: a `Vec` of blobs, snapshots
    /// or containers, or [`PageRanges`](crate::PageRanges).
    ///
    /// # Errors
    ///
    /// The first error of a request; the items before it are lost.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let container = service.container_client("vhds");
    /// let blobs = container.list_blobs().prefix("disk").collect_all().await?;
    /// assert_eq!(blobs[0].name, "disk0.vhd");
    /// # Ok(()) });
    /// ```
    #[doc(alias = "ToListAsync")]
    pub async fn collect_all(self) -> Result<T::All> {
        let Self { mut pages, page: mut last, items } = self;
        let mut all: Vec<T> = items.collect();
        while let Some(mut page) = pages.try_next().await? {
            all.append(&mut T::items(&mut page));
            if let Some(before) = last.take() {
                T::after(&mut page, before);
            }
            last = Some(page);
        }
        let Some(last) = last else {
            let rule = "ended with an error: start a new list at the marker of the last page";
            return Err(Error::invalid("list", <T::List as Operation>::NAME, rule));
        };
        Ok(T::all(all, last))
    }

    /// How long the service may work on each page, in whole seconds. The service lowers values
    /// above its own limit. When the time is over it answers 500 `OperationTimedOut`.
    pub fn server_timeout(mut self, limit: Duration) -> Self {
        self.pages.call.options.server_timeout = Some(limit);
        self
    }

    /// The client request id of all requests: 1 to 1024 visible ASCII characters. The service logs
    /// it, and returns it from version 2019-02-02. By default a new GUID for each page.
    pub fn client_request_id(mut self, id: impl Into<String>) -> Self {
        self.pages.call.options.client_request_id = Some(id.into());
        self
    }
}

impl<T: PagerItem> Pages<T> {
    /// Sets the marker for the page after `page`.
    fn turn(&mut self, page: &T::Page) -> Result<(), Malformed> {
        let next = T::next_marker(page);
        let marker = T::marker(&mut self.list);
        if next.is_some() && next == marker.as_deref() {
            return Err(circle());
        }
        self.trail.follow(next)?;
        *marker = next.map(str::to_owned);
        self.ended = next.is_none();
        Ok(())
    }
}

impl<T: PagerItem> Stream for Pages<T> {
    type Item = Result<T::Page>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.ended {
            return Poll::Ready(None);
        }
        let Self { call, list, requested, .. } = &mut *self;
        let request = requested.get_or_insert_with(|| {
            let (call, list) = (call.clone(), list.clone());
            Box::pin(async move { call.run(&list).await })
        });
        let page = ready!(request.as_mut().poll(cx));
        self.requested = None;
        let page = page.and_then(|page| match self.turn(&page) {
            Ok(()) => Ok(page),
            Err(why) => Err(self.call.unexpected(<T::List as Operation>::NAME, why)),
        });
        self.ended |= page.is_err();
        Poll::Ready(Some(page))
    }
}

impl<T: PagerItem> Stream for Pager<T> {
    type Item = Result<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            if let Some(item) = self.items.next() {
                return Poll::Ready(Some(Ok(item)));
            }
            let mut page = match ready!(Pin::new(&mut self.pages).poll_next(cx)) {
                Some(Ok(page)) => page,
                Some(Err(error)) => {
                    self.page = None;
                    return Poll::Ready(Some(Err(error)));
                }
                None => return Poll::Ready(None),
            };
            self.items = T::items(&mut page).into_iter();
            if let Some(before) = self.page.take() {
                T::after(&mut page, before);
            }
            self.page = Some(page);
        }
    }
}

// Nothing in them is ever pinned.
impl<T: PagerItem> Unpin for Pager<T> {}
impl<T: PagerItem> Unpin for Pages<T> {}

/// A clone continues at the same item. It does not share a request in flight; it sends its own.
impl<T: PagerItem> Clone for Pager<T>
where
    T: Clone,
    T::Page: Clone,
{
    fn clone(&self) -> Self {
        Self { pages: self.pages.clone(), page: self.page.clone(), items: self.items.clone() }
    }
}

/// A clone continues at the same item. It does not share a request in flight; it sends its own.
impl<T: PagerItem> Clone for Pages<T> {
    fn clone(&self) -> Self {
        Self {
            call: self.call.clone(),
            list: self.list.clone(),
            requested: None,
            ended: self.ended,
            trail: self.trail.clone(),
        }
    }
}

impl<T: PagerItem> fmt::Debug for Pager<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pager")
            .field("call", &self.pages.call)
            .field("list", &self.pages.list)
            .finish_non_exhaustive()
    }
}

impl<T: PagerItem> fmt::Debug for Pages<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages")
            .field("call", &self.call)
            .field("list", &self.list)
            .finish_non_exhaustive()
    }
}

/// Refuses a page size that the service does not accept.
pub(super) fn check_size(size: Option<u32>) -> Result<()> {
    match size {
        Some(size) if !(1..=5000).contains(&size) => {
            Err(Error::invalid("page size", size, "must be 1 to 5000"))
        }
        _ => Ok(()),
    }
}

/// Detects markers that lead in a circle.
///
/// Brent's algorithm: it keeps one marker at a time, each for twice as many pages as the one
/// before, so it finds a circle of any length within a few rounds.
#[derive(Debug, Clone, Default)]
struct Trail {
    kept: Option<String>,
    /// For how many more pages the marker is kept, and for how many in all.
    left: u64,
    span: u64,
}

impl Trail {
    /// Checks the marker of the next page.
    fn follow(&mut self, next: Option<&str>) -> Result<(), Malformed> {
        let Some(next) = next else { return Ok(()) };
        if self.kept.as_deref() == Some(next) {
            return Err(circle());
        }
        if self.left == 0 {
            self.kept = Some(next.to_owned());
            self.span = self.span.saturating_mul(2).max(1);
            self.left = self.span;
        }
        self.left -= 1;
        Ok(())
    }
}

fn circle() -> Malformed {
    Malformed::new("NextMarker leads to an earlier page")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many pages are read of a list that runs in circles of `length` after `tail` pages.
    fn pages_read(tail: u64, length: u64) -> u64 {
        let mut trail = Trail::default();
        for page in 0.. {
            let place = if page < tail { page } else { tail + (page - tail) % length };
            if trail.follow(Some(&place.to_string())).is_err() {
                return page;
            }
        }
        unreachable!("it has no end")
    }

    #[test]
    fn a_circle_is_found_within_a_few_rounds() {
        for tail in [0, 1, 2, 7, 100] {
            for length in 1..100 {
                let pages = pages_read(tail, length);
                let rounds = 3 * (tail + length) + 3;
                assert!(pages <= rounds, "{pages} pages of {tail} + {length}");
            }
        }
    }

    #[test]
    fn a_list_without_a_circle_is_followed_to_its_end() {
        let mut trail = Trail::default();
        for page in 0..10_000 {
            trail.follow(Some(&page.to_string())).expect("goes on");
        }
        trail.follow(None).expect("ends");
    }
}
