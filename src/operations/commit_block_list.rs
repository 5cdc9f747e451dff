//! Put Block List: commits blocks as the content of a blob.

use http::header;

use crate::{
    error::{Error, Result},
    models::{BlobContentInfo, BlockListEntry, ContentMd5, block_list},
    operations::{
        operation::{Operation, builder},
        settings::whole_blob::{WholeBlob, with_blob, with_tier},
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::headers,
};

builder! {
    /// Commits a list of blocks, in order, as the content of a block blob.
    ///
    /// Returned by
    /// [`BlockBlobClient::commit_block_list`](crate::BlockBlobClient::commit_block_list).
    ///
    /// At most 50,000 blocks; all ids have the same length. Uncommitted blocks that are not in the
    /// list are discarded, and headers and metadata that are not set here are cleared.
    ///
    /// [Put Block List](https://learn.microsoft.com/rest/api/storageservices/put-block-list)
    CommitBlockList of PutBlockList -> BlobContentInfo
}

#[derive(Debug, Clone)]
pub(crate) struct PutBlockList {
    blocks: Vec<BlockListEntry>,
    blob: WholeBlob,
}

impl PutBlockList {
    const MOST: usize = 50_000;

    pub(crate) fn new(blocks: Vec<BlockListEntry>) -> Self {
        Self { blocks, blob: WholeBlob::default() }
    }

    fn check(&self) -> Result<()> {
        if self.blocks.len() > Self::MOST {
            let rule = "must be at most 50000 blocks";
            return Err(Error::invalid("block list", self.blocks.len(), rule));
        }
        let mut ids = self.blocks.iter().map(BlockListEntry::id);
        let Some(first) = ids.next() else { return Ok(()) };
        match ids.find(|id| id.as_bytes().len() != first.as_bytes().len()) {
            None => Ok(()),
            Some(other) => {
                let rule = format!("must be as long as the other ids, such as {first}");
                Err(Error::invalid("block id", other, &rule))
            }
        }
    }
}

impl CommitBlockList {
    /// The MD5 to store with the blob. The service does not check it.
    pub fn stored_md5(mut self, md5: impl Into<ContentMd5>) -> Self {
        let md5 = md5.into().to_string();
        self.operation.blob.stored.set(headers::BLOB_CONTENT_MD5, "stored MD5", md5);
        self
    }
}

with_blob!(CommitBlockList);
with_tier!(CommitBlockList);

impl Operation for PutBlockList {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Put Block List";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .check(self.check())
            .query("comp", "blocklist")
            .word(header::CONTENT_TYPE, "application/xml")
            .body(block_list::write(&self.blocks).into())
            .settings(&self.blob)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobContentInfo> {
        Ok(BlobContentInfo::from_headers(&answer.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        models::{AccessTier, BlockId},
        operations::offline,
    };

    fn commit(blocks: impl IntoIterator<Item = BlockId>) -> CommitBlockList {
        offline::blob().block_blob_client().commit_block_list(blocks)
    }

    #[test]
    fn the_list_is_the_body() {
        let commit = commit([BlockId::numbered(1)]).content_type("a/b").tier(AccessTier::Cool);
        let request = commit.prepared().expect("legal");
        assert_eq!(request.url.query(), Some("comp=blocklist"));
        let body = std::str::from_utf8(&request.body).expect("text");
        assert!(body.ends_with("<BlockList><Latest>MDAwMDAwMDAwMQ==</Latest></BlockList>"));
        assert_eq!(request.headers["content-length"], body.len().to_string().as_str());
        assert_eq!(request.headers["content-type"], "application/xml");
        assert_eq!(request.headers["x-ms-blob-content-type"], "a/b");
    }

    #[test]
    fn too_many_blocks_and_ids_of_several_lengths_are_refused() {
        let most = commit((0..50_000).map(BlockId::numbered));
        assert!(most.prepared().is_ok());
        let many = commit((0..50_001).map(BlockId::numbered));
        let error = many.prepared().expect_err("too many").to_string();
        assert_eq!(error, "block list: \"50001\" must be at most 50000 blocks");
        let uneven = commit(["a", "bc"].map(|id| BlockId::new(id).expect("legal")));
        let error = uneven.prepared().expect_err("uneven").to_string();
        assert!(error.starts_with("block id: \"YmM=\" must be as long as"), "{error}");
    }
}
