//! List Containers.

use std::{collections::BTreeSet, mem};

use serde::Serialize;

use crate::{
    error::Result,
    models::{ContainerItem, container_listing},
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

/// What a list of containers can include besides names and properties.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ContainerInclude {
    /// Metadata.
    Metadata,
    /// Soft-deleted containers (from version 2019-12-12).
    Deleted,
    /// The service's own containers, such as `$logs` (from version 2020-10-02).
    System,
}

impl ContainerInclude {
    fn word(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Deleted => "deleted",
            Self::System => "system",
        }
    }
}

/// One page of a list of containers.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct ContainerPage {
    /// The containers, in the order of their names. May be empty although more pages follow.
    pub items: Vec<ContainerItem>,
    /// The marker of the next page; `None` on the last page.
    #[serde(serialize_with = "redaction::serialize")]
    pub next_marker: Option<String>,
}

redaction::debug_redacted!(ContainerPage { items, next_marker: text });

/// The request for one page of a list of containers.
///
/// [List Containers](https://learn.microsoft.com/rest/api/storageservices/list-containers2)
#[derive(Clone, Default)]
pub(crate) struct ListContainers {
    prefix: Option<String>,
    marker: Option<String>,
    page_size: Option<u32>,
    include: BTreeSet<ContainerInclude>,
}

redaction::debug_redacted!(ListContainers { prefix: text, marker: text, page_size, include });

impl PagerItem for ContainerItem {
    type Page = ContainerPage;
    type All = Vec<Self>;
}

impl Listed for ContainerItem {
    type OnePage = ContainerPage;
    type AllPages = Vec<Self>;
    type List = ListContainers;

    fn marker(list: &mut ListContainers) -> &mut Option<String> {
        &mut list.marker
    }

    fn next_marker(page: &ContainerPage) -> Option<&str> {
        page.next_marker.as_deref()
    }

    fn items(page: &mut ContainerPage) -> Vec<Self> {
        mem::take(&mut page.items)
    }

    fn all(items: Vec<Self>, _: ContainerPage) -> Vec<Self> {
        items
    }
}

/// Settings of
/// [`BlobServiceClient::list_containers`](crate::BlobServiceClient::list_containers).
impl Pager<ContainerItem> {
    pub(crate) fn containers(call: Call) -> Self {
        Self::new(call, ListContainers::default())
    }

    /// Lists only names that begin with `prefix`.
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.pages.list.prefix = Some(prefix.into());
        self
    }

    /// Continues at the `next_marker` of an earlier page.
    #[doc(alias = "continuation_token")]
    pub fn marker(mut self, marker: impl Into<String>) -> Self {
        self.pages.list.marker = Some(marker.into());
        self
    }

    /// The most containers that one page may hold: 1 to 5000, by default 5000. The service may
    /// return fewer.
    #[doc(alias = "maxresults")]
    pub fn page_size(mut self, containers: u32) -> Self {
        self.pages.list.page_size = Some(containers);
        self
    }

    /// Includes more about each container, and more kinds of containers. Calls add up.
    pub fn include(mut self, include: impl IntoIterator<Item = ContainerInclude>) -> Self {
        self.pages.list.include.extend(include);
        self
    }
}

impl Operation for ListContainers {
    type Output = ContainerPage;

    const NAME: &'static str = "List Containers";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let words: Vec<&str> = self.include.iter().map(|include| include.word()).collect();
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
        Ok(ContainerPage { items: list.items, next_marker: list.next_marker })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::offline;

    #[test]
    fn each_setting_is_one_parameter() {
        let query = ListContainers {
            prefix: Some("back".into()),
            marker: Some("/a/backups".into()),
            page_size: Some(7),
            include: [ContainerInclude::System, ContainerInclude::Metadata].into(),
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
