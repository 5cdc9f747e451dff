//! Get Block List: what a block blob is made of, and what is staged for it.

use http::Method;
use url::Url;

use crate::{
    error::Result,
    models::{BlockList, LeaseId, block_list},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::blob::{with_lease, write_lease},
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
};

/// Lists the blocks of a blob and those that are staged: made by
/// [`BlockBlobClient::get_block_list`](crate::BlockBlobClient::get_block_list).
///
/// [Get Block List](https://learn.microsoft.com/rest/api/storageservices/get-block-list)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct GetBlockList {
    call: Call,
    lease_id: Option<LeaseId>,
}

impl GetBlockList {
    pub(crate) fn new(call: Call) -> Self {
        Self { call, lease_id: None }
    }
}

call_options!(GetBlockList);
with_lease!(GetBlockList);
awaitable!(GetBlockList -> BlockList);

impl Operation for GetBlockList {
    type Output = BlockList;

    const NAME: &'static str = "Get Block List";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        // A snapshot has no staged blocks to ask for.
        let fixed = url.query().is_some();
        let request = Prepared::new(Method::GET, url)
            .query("comp", "blocklist")
            .query("blocklisttype", if fixed { "committed" } else { "all" });
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<BlockList> {
        block_list::parse(answer.body.as_bytes()).map_err(|why| answer.unexpected(why))
    }
}

#[cfg(test)]
mod tests {
    use crate::{models::SnapshotId, operations::offline};

    #[test]
    fn both_lists_are_asked_for_unless_it_is_a_snapshot() {
        let blob = offline::blob().block_blob_client();
        let list = blob.get_block_list();
        let request = list.call.prepare(&list).expect("legal");
        assert_eq!(request.url.query(), Some("comp=blocklist&blocklisttype=all"));
        let snapshot: SnapshotId = "2026-01-01T00:00:00.1234567Z".parse().expect("a snapshot");
        let list = blob.with_snapshot(snapshot).get_block_list();
        let request = list.call.prepare(&list).expect("legal");
        assert!(request.url.query().is_some_and(|query| query.ends_with("=committed")));
    }
}
