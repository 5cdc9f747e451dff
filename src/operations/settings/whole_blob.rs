//! Settings of every write of a whole blob.

use http::HeaderValue;
use time::OffsetDateTime;

use super::{access::Access, stored::Stored};
use crate::{
    error::{Error, Result},
    models::{
        AccessTier, ImmutabilityPolicyMode, Metadata, RehydratePriority, Tags,
        since::{self, Since},
    },
    pipeline::request::{Prepared, Settings},
    wire::{headers, http_date},
};

/// What is stored with a blob, and the conditions of its write.
#[derive(Debug, Clone, Default)]
pub(crate) struct WholeBlob {
    pub(crate) stored: Stored,
    pub(crate) metadata: Metadata,
    pub(crate) tags: Tags,
    /// Whether to copy the tags of the source.
    pub(crate) tags_of_source: bool,
    pub(crate) tier: Option<AccessTier>,
    pub(crate) immutability_policy: Option<(OffsetDateTime, ImmutabilityPolicyMode)>,
    pub(crate) legal_hold: Option<bool>,
    pub(crate) access: Access,
}

impl Settings for WholeBlob {
    fn write(&self, request: Prepared) -> Prepared {
        let copies_tags = self.tags_of_source.then_some(HeaderValue::from_static("COPY"));
        request
            .settings(&self.stored)
            .headers(|to| self.metadata.write(to))
            .check(self.check_tags())
            .settings(&self.tags)
            .header(headers::COPY_SOURCE_TAG_OPTION, copies_tags)
            .since(self.tier.as_ref().and_then(since_of_tier))
            .settings(&self.tier)
            .headers(|to| self.write_immutability(to))
            .header(headers::LEGAL_HOLD, self.legal_hold.map(headers::flag))
            .settings(&self.access)
    }
}

impl WholeBlob {
    fn check_tags(&self) -> Result<()> {
        if !self.tags_of_source || self.tags.is_empty() {
            return Ok(());
        }
        let rule = "must not be combined with copy_source_tags";
        Err(Error::invalid("tags", format!("{} tags", self.tags.len()), rule))
    }

    /// Writes the immutability policy.
    fn write_immutability(&self, to: &mut http::HeaderMap) -> Result<()> {
        let Some((until, mode)) = &self.immutability_policy else { return Ok(()) };
        let what = "immutability policy";
        let date = http_date::value(*until).map_err(|why| why.at(what, until))?;
        let mode = headers::value(mode.as_str()).map_err(|why| why.at(what, mode.as_str()))?;
        to.insert(headers::IMMUTABILITY_POLICY_UNTIL_DATE, date);
        to.insert(headers::IMMUTABILITY_POLICY_MODE, mode);
        Ok(())
    }
}

/// What the service version must know to accept this tier with a write, besides the tier itself.
fn since_of_tier(tier: &AccessTier) -> Option<Since> {
    let of_block_blobs = matches!(tier.as_str(), "Hot" | "Cool" | "Archive");
    of_block_blobs.then_some(since::TIERS_OF_WRITES)
}

impl Settings for Tags {
    fn write(&self, request: Prepared) -> Prepared {
        if self.is_empty() {
            return request;
        }
        request.headers(|to| {
            to.insert(headers::TAGS, self.header_value()?);
            Ok(())
        })
    }
}

impl Settings for AccessTier {
    fn write(&self, request: Prepared) -> Prepared {
        request.text(headers::ACCESS_TIER, "tier", self.as_str())
    }
}

impl Settings for RehydratePriority {
    fn write(&self, request: Prepared) -> Prepared {
        request.text(headers::REHYDRATE_PRIORITY, "rehydrate priority", self.as_str())
    }
}

/// `metadata` for a builder.
macro_rules! with_metadata {
    ($builder:ident, $($at:ident).+) => {
        impl $builder {
            /// The metadata to store. It replaces all existing metadata.
            pub fn metadata(mut self, metadata: impl Into<crate::models::Metadata>) -> Self {
                self.$($at.)+metadata = metadata.into();
                self
            }
        }
    };
}
pub(crate) use with_metadata;

/// `tags` for a builder.
macro_rules! with_tags {
    ($builder:ident) => {
        impl $builder {
            /// The index tags of the blob (from version 2019-12-12).
            pub fn tags(mut self, tags: impl Into<crate::models::Tags>) -> Self {
                self.operation.blob.tags = tags.into();
                self
            }
        }
    };
}
pub(crate) use with_tags;

/// `tier` for a builder that writes a block blob.
macro_rules! with_tier {
    ($builder:ident) => {
        impl $builder {
            /// The blob's access tier (from version 2018-11-09; `Cold` from 2021-12-02, `Smart`
            /// from 2026-06-06).
            #[doc(alias("AccessTier", "standard_blob_tier"))]
            pub fn tier(mut self, tier: crate::models::AccessTier) -> Self {
                self.operation.blob.tier = Some(tier);
                self
            }
        }
    };
}
pub(crate) use with_tier;

/// The settings of a builder that writes a new blob; its operation has a [`WholeBlob`] as `blob`.
macro_rules! with_blob {
    ($builder:ident $(, $content_type:literal)?) => {
        crate::operations::settings::whole_blob::with_metadata!($builder, operation.blob);
        crate::operations::settings::whole_blob::with_tags!($builder);
        crate::operations::settings::stored::with_stored_headers!($builder $(, $content_type)?);
        crate::operations::settings::access::with_access!($builder, operation.blob.access);
    };
}
pub(crate) use with_blob;
