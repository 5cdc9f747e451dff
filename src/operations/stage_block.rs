//! Put Block: uploads an uncommitted block.

use bytes::Bytes;

use crate::{
    error::{Error, Result},
    models::{BlockId, BlockInfo, ServiceVersion, since},
    operations::{
        operation::{Operation, builder},
        settings::{
            access::{Access, with_lease},
            checksum::{Checksum, with_content_crc64, with_content_md5},
            content::Content,
            encryption::{with_customer_key, with_encryption_scope},
        },
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
};

builder! {
    /// Uploads a block. It becomes part of the blob when a block list with its id is committed.
    ///
    /// Returned by [`BlockBlobClient::stage_block`](crate::BlockBlobClient::stage_block).
    ///
    /// At least 1 byte and at most 4000 MiB (before version 2020-04-08: 100 MiB; before 2016-05-31:
    /// 4 MiB).
    ///
    /// [Put Block](https://learn.microsoft.com/rest/api/storageservices/put-block)
    StageBlock of PutBlock -> BlockInfo
}

#[derive(Debug, Clone)]
pub(crate) struct PutBlock {
    id: BlockId,
    content: Content,
    checksum: Checksum,
    access: Access,
}

impl PutBlock {
    pub(crate) fn new(id: BlockId, content: Bytes) -> Self {
        let (content, checksum) = (Content(content), Checksum::default());
        Self { id, content, checksum, access: Access::default() }
    }
}

/// Refuses an empty block, and one that is too long for the service version.
pub(super) fn check_length(version: ServiceVersion, length: u64) -> Result<()> {
    let (longest, rule) = match version {
        _ if since::BLOCKS_OF_4000_MIB.is_known_to(version) => (4000, "1 byte to 4000 MiB"),
        _ if since::BLOCKS_OF_100_MIB.is_known_to(version) => (100, "1 byte to 100 MiB"),
        _ => (4, "1 byte to 4 MiB"),
    };
    if (1..=longest << 20).contains(&length) {
        return Ok(());
    }
    let rule = format!("must be {rule} at service version {version}");
    Err(Error::invalid("block length", length, &rule))
}

with_lease!(StageBlock, operation.access);
with_customer_key!(StageBlock, operation.access.encryption);
with_encryption_scope!(StageBlock, operation.access.encryption);
with_content_md5!(StageBlock);
with_content_crc64!(StageBlock);

impl Operation for PutBlock {
    type Output = BlockInfo;

    const NAME: &'static str = "Put Block";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        to.put()
            .check(check_length(to.version, self.content.len() as u64))
            .query("comp", "block")
            .query("blockid", self.id.to_base64().as_str())
            .body(self.content.0.clone())
            .settings(&self.checksum)
            .settings(&self.access)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlockInfo> {
        Ok(BlockInfo::from_headers(&answer.headers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::offline;

    #[test]
    fn the_id_travels_in_base64_and_encoded() {
        let id = BlockId::new([0xfb, 0xff, 0xfe]).expect("legal");
        let stage = offline::blob().block_blob_client().stage_block(id, "abc");
        let request = stage.prepared().expect("legal");
        assert_eq!(request.url.query(), Some("comp=block&blockid=%2B%2F%2F%2B"));
        assert_eq!(
            (&request.body[..], &request.headers["content-length"]),
            (&b"abc"[..], &3.into())
        );
    }

    #[test]
    fn the_longest_block_depends_on_the_version() {
        let (mib, over) = (1 << 20, 1);
        for (version, longest) in
            [("2015-12-11", 4 * mib), ("2016-05-31", 100 * mib), ("2020-04-08", 4000 * mib)]
        {
            let at = version.parse().expect("a version");
            assert!(check_length(at, longest).is_ok(), "{version}");
            for length in [0, longest + over] {
                let error = check_length(at, length).expect_err(version).to_string();
                assert!(error.starts_with("block length: ") && error.contains(version), "{error}");
            }
        }
        let empty = offline::blob().block_blob_client().stage_block(BlockId::numbered(1), "");
        assert!(empty.prepared().is_err());
    }
}
