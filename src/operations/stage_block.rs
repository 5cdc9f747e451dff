//! Put Block: a block that is to become part of a blob.

use bytes::Bytes;
use http::Method;
use url::Url;

use crate::{
    error::{Error, Result},
    models::{BlockId, BlockInfo, LeaseId, ServiceVersion},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::{
            blob::{with_lease, write_lease},
            checksum::{self, Checksum, with_content_crc64, with_content_md5},
            content::Content,
            encryption::{Encryption, with_customer_key, with_encryption_scope},
        },
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
};

/// Uploads a block, which becomes part of the blob when a list that names it is committed: made by
/// [`BlockBlobClient::stage_block`](crate::BlockBlobClient::stage_block).
///
/// At most 4000 MiB (from version 2020-04-08), 100 MiB (from 2016-05-31), or 4 MiB; at least one
/// byte.
///
/// [Put Block](https://learn.microsoft.com/rest/api/storageservices/put-block)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct StageBlock {
    call: Call,
    id: BlockId,
    content: Content,
    checksum: Checksum,
    encryption: Encryption,
    lease_id: Option<LeaseId>,
}

impl StageBlock {
    pub(crate) fn new(call: Call, id: BlockId, content: Bytes) -> Self {
        let (content, checksum) = (Content(content), Checksum::default());
        Self { call, id, content, checksum, encryption: Encryption::default(), lease_id: None }
    }
}

/// Refuses a block that is longer than a service version takes, or empty.
pub(super) fn check_length(call: &Call, length: u64) -> Result<()> {
    let (longest, rule) = match call.pipeline.version() {
        version if version >= ServiceVersion::BLOCKS_OF_4000_MIB => (4000, "1 byte to 4000 MiB"),
        version if version >= ServiceVersion::BLOCKS_OF_100_MIB => (100, "1 byte to 100 MiB"),
        _ => (4, "1 byte to 4 MiB"),
    };
    if (1..=longest << 20).contains(&length) {
        return Ok(());
    }
    let rule = format!("must be {rule} at service version {}", call.pipeline.version());
    Err(Error::invalid("block length", length, &rule))
}

call_options!(StageBlock);
with_lease!(StageBlock);
with_content_md5!(StageBlock);
with_content_crc64!(StageBlock);
with_customer_key!(StageBlock);
with_encryption_scope!(StageBlock);
awaitable!(StageBlock -> BlockInfo);

impl Operation for StageBlock {
    type Output = BlockInfo;

    const NAME: &'static str = "Put Block";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        check_length(&self.call, u64::try_from(self.content.len()).unwrap_or(u64::MAX))?;
        let request = Prepared::new(Method::PUT, url)
            .query("comp", "block")
            .query("blockid", &self.id.to_base64())
            .body(self.content.0.clone());
        let request = self.checksum.write(&self.call, request, &checksum::CONTENT)?;
        let request = self.encryption.write(&self.call, request)?;
        write_lease(request, self.lease_id.as_ref())
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
        let request = stage.call.prepare(&stage).expect("legal");
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
            let call = offline::blob_at(version).call();
            assert!(check_length(&call, longest).is_ok(), "{version}");
            for length in [0, longest + over] {
                let error = check_length(&call, length).expect_err(version).to_string();
                assert!(error.starts_with("block length: ") && error.contains(version), "{error}");
            }
        }
        let empty = offline::blob().block_blob_client().stage_block(BlockId::numbered(1), "");
        assert!(empty.call.prepare(&empty).is_err());
    }
}
