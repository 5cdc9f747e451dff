//! Put Block List: a blob made of blocks.

use http::{Method, header};
use url::Url;

use crate::{
    error::{Error, Result},
    models::{
        AccessTier, BlobContentInfo, BlockListEntry, Conditions, LeaseId, Metadata, Tags,
        block_list,
    },
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::{
            blob::{
                with_conditions, with_lease, with_metadata, with_tags, write_lease, write_tags,
                write_tier,
            },
            encryption::{Encryption, with_customer_key, with_encryption_scope},
            stored::{Stored, with_stored_headers},
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::headers,
};

/// Makes a blob of blocks, in the order of their list: made by
/// [`BlockBlobClient::commit_block_list`](crate::BlockBlobClient::commit_block_list).
///
/// At most 50,000 blocks, whose ids have one length. What is staged and not in the list is dropped,
/// and so is what is stored with the blob and not set here.
///
/// [Put Block List](https://learn.microsoft.com/rest/api/storageservices/put-block-list)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct CommitBlockList {
    call: Call,
    blocks: Vec<BlockListEntry>,
    stored: Stored,
    metadata: Metadata,
    tags: Tags,
    tier: Option<AccessTier>,
    encryption: Encryption,
    conditions: Conditions,
    lease_id: Option<LeaseId>,
}

impl CommitBlockList {
    const MOST: usize = 50_000;

    pub(crate) fn new(call: Call, blocks: Vec<BlockListEntry>) -> Self {
        Self {
            call,
            blocks,
            stored: Stored::default(),
            metadata: Metadata::new(),
            tags: Tags::new(),
            tier: None,
            encryption: Encryption::default(),
            conditions: Conditions::new(),
            lease_id: None,
        }
    }

    /// The stored MD5, in base64, which the service does not check.
    pub fn stored_md5(mut self, base64: &str) -> Self {
        self.stored.set(headers::BLOB_CONTENT_MD5, "stored MD5", base64);
        self
    }

    /// The blob's tier (from version 2018-11-09; `Cold` from 2021-12-02, `Smart` from 2026-06-06).
    pub fn tier(mut self, tier: AccessTier) -> Self {
        self.tier = Some(tier);
        self
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

call_options!(CommitBlockList);
with_metadata!(CommitBlockList);
with_tags!(CommitBlockList);
with_stored_headers!(CommitBlockList);
with_conditions!(CommitBlockList);
with_lease!(CommitBlockList);
with_customer_key!(CommitBlockList);
with_encryption_scope!(CommitBlockList);
awaitable!(CommitBlockList -> BlobContentInfo);

impl Operation for CommitBlockList {
    type Output = BlobContentInfo;

    const NAME: &'static str = "Put Block List";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.check()?;
        self.conditions.check_write("conditions")?;
        let mut request = Prepared::new(Method::PUT, url)
            .query("comp", "blocklist")
            .header(header::CONTENT_TYPE, http::HeaderValue::from_static("application/xml"))
            .body(block_list::write(&self.blocks).into());
        request = self.stored.write(request)?;
        request = write_tier(request, self.tier.as_ref())?;
        request = write_tags(request, &self.tags)?;
        self.metadata.write(&mut request.headers)?;
        self.conditions.write("conditions", &mut request.headers)?;
        request = self.encryption.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<BlobContentInfo> {
        Ok(BlobContentInfo::from_headers(&answer.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{models::BlockId, operations::offline};

    fn commit(blocks: impl IntoIterator<Item = BlockId>) -> CommitBlockList {
        offline::blob().block_blob_client().commit_block_list(blocks)
    }

    #[test]
    fn the_list_is_the_body() {
        let commit = commit([BlockId::numbered(1)]).content_type("a/b").tier(AccessTier::Cool);
        let request = commit.call.prepare(&commit).expect("legal");
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
        assert!(most.call.prepare(&most).is_ok());
        let many = commit((0..50_001).map(BlockId::numbered));
        let error = many.call.prepare(&many).expect_err("too many").to_string();
        assert_eq!(error, "block list: \"50001\" must be at most 50000 blocks");
        let uneven = commit(["a", "bc"].map(|id| BlockId::new(id).expect("legal")));
        let error = uneven.call.prepare(&uneven).expect_err("uneven").to_string();
        assert!(error.starts_with("block id: \"YmM=\" must be as long as"), "{error}");
    }
}
