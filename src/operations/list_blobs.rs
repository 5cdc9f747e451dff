//! List Blobs: flat, or by hierarchy.

use std::{collections::BTreeSet, fmt, marker::PhantomData};

use futures_core::Stream;
use futures_util::{TryStreamExt, stream};
use serde::Serialize;

use super::paging::{self, Trail};
use crate::{
    error::{Error, Result},
    models::{
        BlobHierarchyItem, BlobItem,
        listing::{self, Entry},
    },
    operations::operation::{Call, Operation, call_options},
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{redaction, transport::BoxFuture},
};

/// What a list of blobs can tell besides names and properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BlobInclude {
    /// The last copy into each blob (from version 2012-02-12).
    Copy,
    /// Snapshots, beside the blob that they are of, the oldest first. Not by hierarchy.
    Snapshots,
    /// Metadata.
    Metadata,
    /// Blobs of which blocks were uploaded, and none committed.
    UncommittedBlobs,
    /// Blobs that are deleted, and kept for a while (from version 2017-07-29).
    Deleted,
    /// Tags (from version 2019-12-12).
    Tags,
    /// Versions (from version 2019-12-12).
    Versions,
    /// Blobs that are deleted, but have versions (from version 2020-10-02).
    DeletedWithVersions,
    /// Immutability policies (from version 2020-06-12).
    ImmutabilityPolicy,
    /// Legal holds (from version 2020-06-12).
    LegalHold,
    /// Owner, group and permissions, in accounts with a hierarchical namespace (2020-06-12).
    Permissions,
}

impl BlobInclude {
    fn word(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Snapshots => "snapshots",
            Self::Metadata => "metadata",
            Self::UncommittedBlobs => "uncommittedblobs",
            Self::Deleted => "deleted",
            Self::Tags => "tags",
            Self::Versions => "versions",
            Self::DeletedWithVersions => "deletedwithversions",
            Self::ImmutabilityPolicy => "immutabilitypolicy",
            Self::LegalHold => "legalhold",
            Self::Permissions => "permissions",
        }
    }
}

/// One page of a list of blobs.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobPage<T> {
    /// In the order of their names. May be empty although more pages follow.
    pub items: Vec<T>,
    /// Where the next page begins; `None` on the last.
    #[serde(serialize_with = "redaction::serialize")]
    pub next_marker: Option<String>,
    /// What the names begin with, as the service read it, where it was asked for.
    #[serde(serialize_with = "redaction::serialize")]
    pub prefix: Option<String>,
    /// Where this page begins, unless it is the first.
    #[serde(serialize_with = "redaction::serialize")]
    pub marker: Option<String>,
    /// The most that the page was to hold, where that was asked for.
    pub max_results: Option<u32>,
    /// What names are grouped by, in a list by hierarchy.
    #[serde(serialize_with = "redaction::serialize")]
    pub delimiter: Option<String>,
}

impl<T: fmt::Debug> fmt::Debug for BlobPage<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BlobPage")
            .field("items", &self.items)
            .field("next_marker", &redaction::Shown(&self.next_marker))
            .field("prefix", &redaction::Shown(&self.prefix))
            .field("marker", &redaction::Shown(&self.marker))
            .field("max_results", &self.max_results)
            .field("delimiter", &redaction::Shown(&self.delimiter))
            .finish()
    }
}

/// Lists the blobs of a container: made by
/// [`BlobContainerClient::list_blobs`](crate::BlobContainerClient::list_blobs).
///
/// Awaited, it gives one page; [`stream`](Self::stream) gives every blob, [`pages`](Self::pages)
/// every page.
///
/// [List Blobs](https://learn.microsoft.com/rest/api/storageservices/list-blobs)
#[must_use = "nothing is sent until it is awaited or its stream is read"]
#[derive(Debug, Clone)]
pub struct ListBlobs {
    call: Call,
    query: ListQuery,
}

/// Lists the blobs of a container up to a delimiter: made by
/// [`ListBlobs::by_hierarchy`].
///
/// Awaited, it gives one page; [`stream`](Self::stream) gives every entry, [`pages`](Self::pages)
/// every page.
///
/// [List Blobs](https://learn.microsoft.com/rest/api/storageservices/list-blobs)
#[must_use = "nothing is sent until it is awaited or its stream is read"]
#[derive(Debug, Clone)]
pub struct ListBlobsByHierarchy {
    call: Call,
    query: ListQuery,
}

#[derive(Clone, Default)]
struct ListQuery {
    prefix: Option<String>,
    delimiter: Option<String>,
    start_from: Option<String>,
    marker: Option<String>,
    page_size: Option<u32>,
    include: BTreeSet<BlobInclude>,
}

redaction::debug_redacted!(ListQuery {
    prefix: text,
    delimiter: text,
    start_from: text,
    marker: text,
    page_size,
    include,
});

impl ListBlobs {
    pub(crate) fn new(call: Call) -> Self {
        Self { call, query: ListQuery::default() }
    }

    /// Every blob, page after page, as they are read.
    pub fn stream(self) -> impl Stream<Item = Result<BlobItem>> + Send + 'static {
        flatten(self.pages())
    }

    /// Every page, one request each, as they are read.
    pub fn pages(self) -> impl Stream<Item = Result<BlobPage<BlobItem>>> + Send + 'static {
        pages(self.call, self.query)
    }

    /// Groups names that have the same beginning up to `delimiter`, most often `/`: of the blobs
    /// below it, only that [`Prefix`](BlobHierarchyItem::Prefix) is listed.
    pub fn by_hierarchy(mut self, delimiter: &str) -> ListBlobsByHierarchy {
        self.query.delimiter = Some(delimiter.to_owned());
        ListBlobsByHierarchy { call: self.call, query: self.query }
    }
}

impl ListBlobsByHierarchy {
    /// Every blob and prefix, page after page, as they are read.
    pub fn stream(self) -> impl Stream<Item = Result<BlobHierarchyItem>> + Send + 'static {
        flatten(self.pages())
    }

    /// Every page, one request each, as they are read.
    pub fn pages(self) -> impl Stream<Item = Result<BlobPage<BlobHierarchyItem>>> + Send + 'static {
        pages(self.call, self.query)
    }
}

macro_rules! list_settings {
    ($builder:ident) => {
        impl $builder {
            /// Only names that begin so.
            pub fn prefix(mut self, prefix: &str) -> Self {
                self.query.prefix = Some(prefix.to_owned());
                self
            }

            /// Begins with the first name that is not before this one (from version 2026-02-06).
            pub fn start_from(mut self, name: &str) -> Self {
                self.query.start_from = Some(name.to_owned());
                self
            }

            /// Begins where an earlier page said that the next one does.
            pub fn marker(mut self, marker: &str) -> Self {
                self.query.marker = Some(marker.to_owned());
                self
            }

            /// The most that a page may hold: 1 to 5000. The service may give fewer.
            pub fn page_size(mut self, entries: u32) -> Self {
                self.query.page_size = Some(entries);
                self
            }

            /// What to tell of each blob, and which blobs to list, besides the plain ones.
            pub fn include(mut self, include: impl IntoIterator<Item = BlobInclude>) -> Self {
                self.query.include.extend(include);
                self
            }
        }
    };
}

list_settings!(ListBlobs);
call_options!(ListBlobs);
list_settings!(ListBlobsByHierarchy);
call_options!(ListBlobsByHierarchy);

impl IntoFuture for ListBlobs {
    type Output = Result<BlobPage<BlobItem>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.call.run(&Page::of(&self.query)).await })
    }
}

impl IntoFuture for ListBlobsByHierarchy {
    type Output = Result<BlobPage<BlobHierarchyItem>>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.call.run(&Page::of(&self.query)).await })
    }
}

fn pages<T: Entry + Send + 'static>(
    call: Call,
    query: ListQuery,
) -> impl Stream<Item = Result<BlobPage<T>>> + Send + 'static {
    stream::try_unfold(Some((call, query, Trail::default())), async |next| {
        let Some((call, mut query, mut trail)) = next else { return Ok(None) };
        let page: BlobPage<T> = call.run(&Page::of(&query)).await?;
        trail
            .follow(page.next_marker.as_deref())
            .map_err(|why| call.unexpected(Page::<T>::NAME, why))?;
        query.marker = page.next_marker.clone();
        let next = query.marker.is_some().then_some((call, query, trail));
        Ok(Some((page, next)))
    })
}

fn flatten<T>(
    pages: impl Stream<Item = Result<BlobPage<T>>> + Send + 'static,
) -> impl Stream<Item = Result<T>> + Send + 'static
where
    T: Send + 'static,
{
    pages.map_ok(|page| stream::iter(page.items.into_iter().map(Ok))).try_flatten()
}

/// One page, made of blobs alone or of blobs and prefixes.
struct Page<'a, T> {
    query: &'a ListQuery,
    entries: PhantomData<fn() -> T>,
}

impl<'a, T> Page<'a, T> {
    fn of(query: &'a ListQuery) -> Self {
        Self { query, entries: PhantomData }
    }
}

impl<T: Entry> Operation for Page<'_, T> {
    type Output = BlobPage<T>;

    const NAME: &'static str = "List Blobs";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let words: Vec<&str> = self.query.include.iter().map(|include| include.word()).collect();
        let (size, words) = (self.query.page_size.map(|size| size.to_string()), words.join(","));
        to.get()
            .check(paging::check_size(self.query.page_size))
            .check(self.query.check())
            .query("restype", "container")
            .query("comp", "list")
            .query("prefix", self.query.prefix.as_deref())
            .query("delimiter", self.query.delimiter.as_deref())
            .query("startFrom", self.query.start_from.as_deref())
            .query("marker", self.query.marker.as_deref())
            .query("maxresults", size.as_deref())
            .query("include", Some(words.as_str()).filter(|words| !words.is_empty()))
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobPage<T>> {
        let list = listing::parse(answer.body.as_bytes()).map_err(|why| answer.unexpected(why))?;
        let sent = self.query.marker.as_deref();
        paging::check_next(sent, list.next_marker.as_deref())
            .map_err(|why| answer.unexpected(why))?;
        Ok(BlobPage {
            items: list.items,
            next_marker: list.next_marker,
            prefix: list.prefix,
            marker: list.marker,
            max_results: list.max_results,
            delimiter: list.delimiter,
        })
    }
}

impl ListQuery {
    fn check(&self) -> Result<()> {
        let Some(delimiter) = &self.delimiter else { return Ok(()) };
        if delimiter.is_empty() {
            return Err(Error::invalid("delimiter", delimiter, "must not be empty"));
        }
        if self.include.contains(&BlobInclude::Snapshots) {
            let rule = "must not hold snapshots in a list by hierarchy";
            return Err(Error::invalid("include", "Snapshots", rule));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::offline;

    fn sent(query: &ListQuery) -> Result<String> {
        let page = Page::<BlobItem>::of(query);
        page.request(&offline::target())
            .map(|request| request.url.query().unwrap_or_default().to_owned())
    }

    #[test]
    fn each_setting_is_one_parameter() {
        let query = ListQuery {
            prefix: Some("a/b c".into()),
            delimiter: Some("/".into()),
            start_from: Some("a/x".into()),
            marker: Some("2!4!=".into()),
            page_size: Some(2),
            include: [BlobInclude::Metadata, BlobInclude::Copy].into(),
        };
        assert_eq!(
            sent(&query).expect("legal"),
            "restype=container&comp=list&prefix=a%2Fb%20c&delimiter=%2F&startFrom=a%2Fx\
             &marker=2%214%21%3D&maxresults=2&include=copy%2Cmetadata"
        );
        assert_eq!(sent(&ListQuery::default()).expect("legal"), "restype=container&comp=list");
    }

    #[test]
    fn what_the_service_refuses_is_not_sent() {
        let snapshots = [BlobInclude::Snapshots].into();
        let by = |delimiter: &str| Some(delimiter.to_owned());
        let none = ListQuery::default;
        for (query, what) in [
            (ListQuery { page_size: Some(0), ..none() }, "page size: \"0\""),
            (ListQuery { page_size: Some(5001), ..none() }, "page size: \"5001\""),
            (ListQuery { delimiter: by(""), ..none() }, "delimiter: \"\""),
            (
                ListQuery { delimiter: by("/"), include: snapshots, ..none() },
                "include: \"Snapshots\"",
            ),
        ] {
            let error = sent(&query).expect_err(what).to_string();
            assert!(error.starts_with(what), "{error}");
        }
    }
}
