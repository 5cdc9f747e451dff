//! List Containers.

use futures_core::Stream;
use futures_util::{TryStreamExt, stream};
use serde::Serialize;

use super::paging::{self, Trail};
use crate::{
    error::Result,
    models::{ContainerItem, container_listing},
    operations::operation::{Call, Operation, call_options},
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{redaction, transport::BoxFuture},
};

/// One page of a list of containers.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ContainerPage {
    /// In the order of their names. May be empty although more pages follow.
    pub items: Vec<ContainerItem>,
    /// Where the next page begins; `None` on the last.
    #[serde(serialize_with = "redaction::serialize")]
    pub next_marker: Option<String>,
}

redaction::debug_redacted!(ContainerPage { items, next_marker: text });

/// Lists the containers of an account: made by
/// [`BlobServiceClient::list_containers`](crate::BlobServiceClient::list_containers).
///
/// Awaited, it gives one page; [`stream`](Self::stream) gives every container,
/// [`pages`](Self::pages) every page.
///
/// [List Containers](https://learn.microsoft.com/rest/api/storageservices/list-containers2)
#[must_use = "nothing is sent until it is awaited or its stream is read"]
#[derive(Debug, Clone)]
pub struct ListContainers {
    call: Call,
    query: ListQuery,
}

#[derive(Clone, Default)]
struct ListQuery {
    prefix: Option<String>,
    marker: Option<String>,
    page_size: Option<u32>,
    metadata: bool,
    deleted: bool,
    system: bool,
}

redaction::debug_redacted!(ListQuery {
    prefix: text,
    marker: text,
    page_size,
    metadata,
    deleted,
    system,
});

impl ListContainers {
    pub(crate) fn new(call: Call) -> Self {
        Self { call, query: ListQuery::default() }
    }

    /// Only names that begin so.
    pub fn prefix(mut self, prefix: &str) -> Self {
        self.query.prefix = Some(prefix.to_owned());
        self
    }

    /// Begins where an earlier page said that the next one does.
    pub fn marker(mut self, marker: &str) -> Self {
        self.query.marker = Some(marker.to_owned());
        self
    }

    /// The most that a page may hold: 1 to 5000. The service may give fewer.
    pub fn page_size(mut self, containers: u32) -> Self {
        self.query.page_size = Some(containers);
        self
    }

    /// Tells the metadata of each container.
    pub fn include_metadata(mut self) -> Self {
        self.query.metadata = true;
        self
    }

    /// Lists also containers that are deleted, and kept for a while (from version 2019-12-12).
    pub fn include_deleted(mut self) -> Self {
        self.query.deleted = true;
        self
    }

    /// Lists also the service's own containers, such as `$logs` (from version 2020-10-02).
    pub fn include_system(mut self) -> Self {
        self.query.system = true;
        self
    }

    /// Every container, page after page, as they are read.
    pub fn stream(self) -> impl Stream<Item = Result<ContainerItem>> + Send + 'static {
        self.pages().map_ok(|page| stream::iter(page.items.into_iter().map(Ok))).try_flatten()
    }

    /// Every page, one request each, as they are read.
    pub fn pages(self) -> impl Stream<Item = Result<ContainerPage>> + Send + 'static {
        stream::try_unfold(Some((self, Trail::default())), async |next| {
            let Some((mut list, mut trail)) = next else { return Ok(None) };
            let page = list.call.run(&list.query).await?;
            trail
                .follow(page.next_marker.as_deref())
                .map_err(|why| list.call.unexpected(ListQuery::NAME, why))?;
            list.query.marker = page.next_marker.clone();
            let next = list.query.marker.is_some().then_some((list, trail));
            Ok(Some((page, next)))
        })
    }
}

call_options!(ListContainers);

impl IntoFuture for ListContainers {
    type Output = Result<ContainerPage>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.call.run(&self.query).await })
    }
}

impl Operation for ListQuery {
    type Output = ContainerPage;

    const NAME: &'static str = "List Containers";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let include =
            [("metadata", self.metadata), ("deleted", self.deleted), ("system", self.system)];
        let words: Vec<&str> =
            include.iter().filter(|(_, asked)| *asked).map(|(word, _)| *word).collect();
        let (size, words) = (self.page_size.map(|size| size.to_string()), words.join(","));
        to.get()
            .check(paging::check_size(self.page_size))
            .query("comp", "list")
            .query("prefix", self.prefix.as_deref())
            .query("marker", self.marker.as_deref())
            .query("maxresults", size.as_deref())
            .query("include", Some(words.as_str()).filter(|words| !words.is_empty()))
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<ContainerPage> {
        let list = container_listing::parse(answer.body.as_bytes())
            .map_err(|why| answer.unexpected(why))?;
        let sent = self.marker.as_deref();
        paging::check_next(sent, list.next_marker.as_deref())
            .map_err(|why| answer.unexpected(why))?;
        Ok(ContainerPage { items: list.items, next_marker: list.next_marker })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::offline;

    #[test]
    fn each_setting_is_one_parameter() {
        let query = ListQuery {
            prefix: Some("back".into()),
            marker: Some("/a/backups".into()),
            page_size: Some(7),
            metadata: true,
            deleted: false,
            system: true,
        };
        let request = query.request(&offline::target()).expect("legal");
        assert_eq!(
            request.url.query(),
            Some(
                "comp=list&prefix=back&marker=%2Fa%2Fbackups&maxresults=7&include=metadata%2Csystem"
            )
        );
    }
}
