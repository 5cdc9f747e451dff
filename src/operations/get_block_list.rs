//! Get Block List: the committed and uncommitted blocks of a block blob.

use crate::{
    error::Result,
    models::{BlockList, LeaseId, block_list},
    operations::{
        operation::{Operation, builder},
        settings::access::with_lease,
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
};

builder! {
    /// Lists the committed and uncommitted blocks of a block blob; of a snapshot or version, only
    /// the committed ones.
    ///
    /// Returned by [`BlockBlobClient::get_block_list`](crate::BlockBlobClient::get_block_list).
    ///
    /// [Get Block List](https://learn.microsoft.com/rest/api/storageservices/get-block-list)
    GetBlockList of ListBlocks -> BlockList
}

#[derive(Debug, Clone, Default)]
pub(crate) struct ListBlocks {
    lease_id: Option<LeaseId>,
}

with_lease!(GetBlockList, operation);

impl Operation for ListBlocks {
    type Output = BlockList;

    const NAME: &'static str = "Get Block List";
    const EFFECT: Effect = Effect::Read;

    fn request(&self, to: &Target) -> Result<Prepared> {
        // A snapshot or version has no uncommitted blocks.
        let which = if to.is_fixed() { "committed" } else { "all" };
        to.get()
            .query("comp", "blocklist")
            .query("blocklisttype", which)
            .settings(&self.lease_id)
            .done()
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
        let request = list.prepared().expect("legal");
        assert_eq!(request.url.query(), Some("comp=blocklist&blocklisttype=all"));
        let snapshot: SnapshotId = "2026-01-01T00:00:00.1234567Z".parse().expect("a snapshot");
        let list = blob.with_snapshot(snapshot).get_block_list();
        let request = list.prepared().expect("legal");
        assert!(request.url.query().is_some_and(|query| query.ends_with("=committed")));
    }
}
