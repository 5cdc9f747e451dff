//! List Blobs: flat, or by hierarchy.

use std::{collections::BTreeSet, fmt, marker::PhantomData, mem};

use serde::Serialize;

use crate::{
    error::{Error, Result},
    models::{
        BlobHierarchyItem, BlobItem,
        listing::{self, Entry},
    },
    operations::{
        operation::{Call, Operation},
        paging::{self, Listed, Pager, PagerItem},
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::redaction,
};

/// What a list of blobs can include besides names and properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum BlobInclude {
    /// The last copy into each blob (from version 2012-02-12).
    Copy,
    /// Snapshots, oldest first, next to their base blob. Not in a list by hierarchy.
    Snapshots,
    /// Metadata.
    Metadata,
    /// Blobs that have only uncommitted blocks.
    UncommittedBlobs,
    /// Soft-deleted blobs (from version 2017-07-29).
    Deleted,
    /// Tags (from version 2019-12-12).
    Tags,
    /// Versions (from version 2019-12-12).
    Versions,
    /// Deleted blobs that have versions (from version 2020-10-02).
    DeletedWithVersions,
    /// Immutability policies (from version 2020-06-12).
    ImmutabilityPolicy,
    /// Legal holds (from version 2020-06-12).
    LegalHold,
    /// Owner, group and permissions, in accounts with a hierarchical namespace (from version
    /// 2020-06-12).
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
    /// The items, in the order of their names. May be empty although more pages follow.
    pub items: Vec<T>,
    /// The marker of the next page; `None` on the last page.
    #[serde(serialize_with = "redaction::serialize")]
    pub next_marker: Option<String>,
    /// The prefix of the request, as the service returns it.
    #[serde(serialize_with = "redaction::serialize")]
    pub prefix: Option<String>,
    /// The marker of this page; `None` on the first page.
    #[serde(serialize_with = "redaction::serialize")]
    pub marker: Option<String>,
    /// The page size of the request, if it was set.
    pub max_results: Option<u32>,
    /// The delimiter of the request, in a list by hierarchy.
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

/// The request for one page of a list of blobs, or of blobs and prefixes.
///
/// [List Blobs](https://learn.microsoft.com/rest/api/storageservices/list-blobs)
pub(crate) struct ListBlobs<T> {
    pub(super) query: ListQuery,
    entries: PhantomData<fn() -> T>,
}

#[derive(Clone, Default)]
pub(crate) struct ListQuery {
    pub(super) prefix: Option<String>,
    pub(super) delimiter: Option<String>,
    pub(super) start_from: Option<String>,
    pub(super) marker: Option<String>,
    pub(super) page_size: Option<u32>,
    pub(super) include: BTreeSet<BlobInclude>,
}

redaction::debug_redacted!(ListQuery {
    prefix: text,
    delimiter: text,
    start_from: text,
    marker: text,
    page_size,
    include,
});

impl<T> ListBlobs<T> {
    pub(super) fn new(query: ListQuery) -> Self {
        Self { query, entries: PhantomData }
    }
}

impl<T> Clone for ListBlobs<T> {
    fn clone(&self) -> Self {
        Self::new(self.query.clone())
    }
}

impl<T> fmt::Debug for ListBlobs<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.query.fmt(f)
    }
}

impl Pager<BlobItem> {
    pub(crate) fn blobs(call: Call) -> Self {
        Self::new(call, ListBlobs::new(ListQuery::default()))
    }

    /// Groups names by `delimiter`, usually `/`, like folders: names that continue after it are
    /// returned as one [`Prefix`](BlobHierarchyItem::Prefix).
    #[doc(alias = "GetBlobsByHierarchy")]
    #[doc(alias = "walk_blobs")]
    pub fn by_hierarchy(self, delimiter: impl Into<String>) -> Pager<BlobHierarchyItem> {
        let delimiter = Some(delimiter.into());
        self.map(|list| ListBlobs::new(ListQuery { delimiter, ..list.query }))
    }
}

/// How a list of `$item` is read.
macro_rules! listed {
    ($item:ident) => {
        impl PagerItem for $item {
            type Page = BlobPage<Self>;
            type All = Vec<Self>;
        }

        impl Listed for $item {
            type OnePage = BlobPage<Self>;
            type AllPages = Vec<Self>;
            type List = ListBlobs<Self>;

            fn marker(list: &mut Self::List) -> &mut Option<String> {
                &mut list.query.marker
            }

            fn next_marker(page: &BlobPage<Self>) -> Option<&str> {
                page.next_marker.as_deref()
            }

            fn items(page: &mut BlobPage<Self>) -> Vec<Self> {
                mem::take(&mut page.items)
            }

            fn all(items: Vec<Self>, _: BlobPage<Self>) -> Vec<Self> {
                items
            }
        }
    };
}

listed!(BlobItem);
listed!(BlobHierarchyItem);

/// The settings of a list of blobs.
macro_rules! list_settings {
    ($pager:ty) => {
        /// Settings of
        /// [`BlobContainerClient::list_blobs`](crate::BlobContainerClient::list_blobs).
        impl $pager {
            /// Lists only names that begin with `prefix`.
            pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
                self.pages.list.query.prefix = Some(prefix.into());
                self
            }

            /// Starts at the first name that is equal to `name` or after it (from version
            /// 2026-02-06).
            pub fn start_from(mut self, name: impl Into<String>) -> Self {
                self.pages.list.query.start_from = Some(name.into());
                self
            }

            /// Continues at the `next_marker` of an earlier page.
            #[doc(alias = "continuation_token")]
            pub fn marker(mut self, marker: impl Into<String>) -> Self {
                self.pages.list.query.marker = Some(marker.into());
                self
            }

            /// The most entries that one page may hold: 1 to 5000, by default 5000. The service may
            /// return fewer.
            #[doc(alias = "maxresults")]
            pub fn page_size(mut self, entries: u32) -> Self {
                self.pages.list.query.page_size = Some(entries);
                self
            }

            /// Includes more about each blob, and more kinds of blobs. Calls add up.
            pub fn include(mut self, include: impl IntoIterator<Item = BlobInclude>) -> Self {
                self.pages.list.query.include.extend(include);
                self
            }
        }
    };
}

list_settings!(Pager<BlobItem>);
list_settings!(Pager<BlobHierarchyItem>);

impl<T: Entry> Operation for ListBlobs<T> {
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
        let page = ListBlobs::<BlobItem>::new(query.clone());
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
