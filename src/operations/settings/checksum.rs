//! Checksums that the service compares with the content it receives.

use http::HeaderName;

use crate::{
    error::Error,
    models::{ContentCrc64, ContentMd5},
    pipeline::request::{Prepared, Settings},
    wire::headers,
};

/// An MD5, a CRC-64, or neither.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Checksum {
    pub(crate) md5: Option<ContentMd5>,
    pub(crate) crc64: Option<ContentCrc64>,
}

/// What a checksum covers: the names of its settings and headers.
pub(crate) struct Of {
    md5: (&'static str, HeaderName),
    crc64: (&'static str, HeaderName),
}

/// Covers the request's body.
const CONTENT: Of = Of {
    md5: ("content_md5", headers::CONTENT_MD5),
    crc64: ("content_crc64", headers::CONTENT_CRC64),
};

/// Covers what the service reads from the source.
pub(crate) const SOURCE: Of = Of {
    md5: ("source_content_md5", headers::SOURCE_CONTENT_MD5),
    crc64: ("source_content_crc64", headers::SOURCE_CONTENT_CRC64),
};

impl Checksum {
    pub(crate) fn is_set(&self) -> bool {
        self.md5.is_some() || self.crc64.is_some()
    }

    /// Adds the header of the checksum.
    pub(crate) fn write_of(&self, of: &Of, request: Prepared) -> Prepared {
        let ((md5_name, md5_header), (crc64_name, crc64_header)) = (&of.md5, &of.crc64);
        let both = match (self.md5, self.crc64) {
            (Some(_), Some(_)) => {
                let rule = format!("must not be combined with {md5_name}: the service accepts one");
                Err(Error::invalid(crc64_name, "a CRC-64", &rule))
            }
            _ => Ok(()),
        };
        let (md5, crc64) =
            (self.md5.map(|md5| md5.to_string()), self.crc64.map(|crc| crc.to_string()));
        request.check(both).text(md5_header.clone(), md5_name, md5.as_deref()).text(
            crc64_header.clone(),
            crc64_name,
            crc64.as_deref(),
        )
    }
}

/// Covers the request's body.
impl Settings for Checksum {
    fn write(&self, request: Prepared) -> Prepared {
        self.write_of(&CONTENT, request)
    }
}

/// `content_md5` for a builder.
macro_rules! with_content_md5 {
    ($builder:ident) => {
        impl $builder {
            /// The MD5 of the content. If the service receives content with another one, it answers
            /// 400 `Md5Mismatch`.
            pub fn content_md5(mut self, md5: impl Into<crate::models::ContentMd5>) -> Self {
                self.operation.checksum.md5 = Some(md5.into());
                self
            }
        }
    };
}
pub(crate) use with_content_md5;

/// `content_crc64` for a builder.
macro_rules! with_content_crc64 {
    ($builder:ident) => {
        impl $builder {
            /// The CRC-64 (CRC-64/NVME) of the content, instead of an MD5 (from version
            /// 2019-02-02). If the service receives content with another one, it answers 400
            /// `Crc64Mismatch`.
            pub fn content_crc64(mut self, crc64: impl Into<crate::models::ContentCrc64>) -> Self {
                self.operation.checksum.crc64 = Some(crc64.into());
                self
            }
        }
    };
}
pub(crate) use with_content_crc64;

#[cfg(test)]
mod tests {
    use crate::operations::offline::{self, sent};

    #[test]
    fn each_write_of_a_body_can_carry_one() {
        let blob = offline::blob();
        let (block, page) = (blob.block_blob_client(), blob.page_blob_client());
        let log = offline::blob().append_blob_client();
        let id = crate::models::BlockId::numbered(1);
        for request in [
            block.upload("x").content_md5([1; 16]).prepared(),
            block.stage_block(id.clone(), "x").content_md5([1; 16]).prepared(),
            page.upload_pages(0, vec![0; 512]).content_md5([1; 16]).prepared(),
            log.append_block("x").content_md5([1; 16]).prepared(),
        ] {
            let request = request.expect("legal");
            assert!(sent(&request.headers).contains(&("content-md5", "AQEBAQEBAQEBAQEBAQEBAQ==")));
        }
        for request in [
            block.upload("x").content_crc64([1; 8]).prepared(),
            block.stage_block(id, "x").content_crc64([1; 8]).prepared(),
            page.upload_pages(0, vec![0; 512]).content_crc64([1; 8]).prepared(),
            log.append_block("x").content_crc64([1; 8]).prepared(),
        ] {
            let request = request.expect("legal");
            assert!(sent(&request.headers).contains(&("x-ms-content-crc64", "AQEBAQEBAQE=")));
        }
    }

    #[test]
    fn two_are_refused_and_so_is_a_crc64_that_the_version_does_not_know() {
        let blob = offline::blob();
        let two = blob.block_blob_client().upload("x").content_md5([1; 16]).content_crc64([1; 8]);
        let error = two.prepared().expect_err("two").to_string();
        assert!(error.starts_with("content_crc64: ") && error.contains("accepts one"), "{error}");

        let blob = offline::blob_at("2018-11-09");
        let upload = blob.block_blob_client().upload("x").content_crc64([1; 8]);
        let error = upload.prepared().expect_err("old").to_string();
        assert!(error.contains("2019-02-02 or later for a CRC-64"), "{error}");
    }
}
