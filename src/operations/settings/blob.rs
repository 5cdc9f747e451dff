//! What writes of a blob have in common: conditions, lease, metadata, tags, tier, immutability.

use time::OffsetDateTime;

use crate::{
    error::Result,
    models::{AccessTier, ImmutabilityPolicyMode, LeaseId, Tags},
    pipeline::request::Prepared,
    wire::{headers, http_date},
};

/// `conditions` for a builder that has them.
macro_rules! with_conditions {
    ($builder:ident) => {
        impl $builder {
            /// Conditions on the blob (`if_tags` from version 2019-12-12). Not met: 412, or 304 for
            /// a read that asks for a change.
            pub fn conditions(mut self, conditions: crate::models::Conditions) -> Self {
                self.conditions = conditions;
                self
            }
        }
    };
}
pub(crate) use with_conditions;

/// `lease_id` for a builder that takes one.
macro_rules! with_lease {
    ($builder:ident) => {
        impl $builder {
            /// The id of the blob's active lease: needed to write a leased blob, checked on a read.
            pub fn lease_id(mut self, id: crate::models::LeaseId) -> Self {
                self.lease_id = Some(id);
                self
            }
        }
    };
}
pub(crate) use with_lease;

/// `metadata` for a builder that sets it.
macro_rules! with_metadata {
    ($builder:ident) => {
        impl $builder {
            /// Names and values to keep with it, in place of any that are there.
            pub fn metadata(mut self, metadata: impl Into<crate::models::Metadata>) -> Self {
                self.metadata = metadata.into();
                self
            }
        }
    };
}
pub(crate) use with_metadata;

/// `tags` for a builder that takes some.
macro_rules! with_tags {
    ($builder:ident) => {
        impl $builder {
            /// Index tags for what is written (from version 2019-12-12).
            pub fn tags(mut self, tags: impl Into<crate::models::Tags>) -> Self {
                self.tags = tags.into();
                self
            }
        }
    };
}
pub(crate) use with_tags;

/// Writes the lease id, if there is one.
pub(crate) fn write_lease(request: Prepared, lease: Option<&LeaseId>) -> Result<Prepared> {
    match lease {
        None => Ok(request),
        Some(id) => request.text(headers::LEASE_ID, "lease id", id.as_str()),
    }
}

/// Writes the tier, if there is one.
pub(crate) fn write_tier(request: Prepared, tier: Option<&AccessTier>) -> Result<Prepared> {
    match tier {
        None => Ok(request),
        Some(tier) => request.text(headers::ACCESS_TIER, "tier", tier.as_str()),
    }
}

/// Writes the tags, if there are any.
pub(crate) fn write_tags(request: Prepared, tags: &Tags) -> Result<Prepared> {
    match tags.is_empty() {
        true => Ok(request),
        false => Ok(request.header(headers::TAGS, tags.header_value()?)),
    }
}

/// Writes what keeps a blob from being changed: until a date, and until a hold is lifted.
pub(crate) fn write_immutability(
    mut request: Prepared,
    policy: Option<&(OffsetDateTime, ImmutabilityPolicyMode)>,
    hold: Option<bool>,
) -> Result<Prepared> {
    if let Some((until, mode)) = policy {
        let what = "immutability policy";
        let date = http_date::value(*until).map_err(|why| why.at(what, until))?;
        request = request.header(headers::IMMUTABILITY_POLICY_UNTIL_DATE, date).text(
            headers::IMMUTABILITY_POLICY_MODE,
            what,
            mode.as_str(),
        )?;
    }
    if let Some(hold) = hold {
        request = request.header(headers::LEGAL_HOLD, headers::flag(hold));
    }
    Ok(request)
}
