//! Set Blob Tier.

use http::Method;
use url::Url;

use crate::{
    error::Result,
    models::{AccessTier, LeaseId, RehydratePriority, ServiceVersion},
    operations::{
        operation::{Call, Operation, awaitable, call_options},
        settings::blob::{with_lease, write_lease},
    },
    pipeline::{
        request::{Prepared, Repeat},
        response::Answer,
    },
    wire::{headers, redaction},
};

/// What became of a change of tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TierChange {
    /// The blob is in its new tier.
    Done,
    /// The blob is on its way out of the archive; its properties tell how far.
    Rehydrating,
}

/// Moves a blob to another tier: made by [`BlobClient::set_tier`](crate::BlobClient::set_tier).
///
/// [Set Blob Tier](https://learn.microsoft.com/rest/api/storageservices/set-blob-tier)
/// (from version 2017-04-17; `Cold` from 2021-12-02, `Smart` from 2026-06-06)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Clone)]
pub struct SetTier {
    call: Call,
    tier: AccessTier,
    rehydrate_priority: Option<RehydratePriority>,
    if_tags: Option<String>,
    lease_id: Option<LeaseId>,
}

redaction::debug_redacted!(SetTier { call, tier, rehydrate_priority, if_tags: text, lease_id });

impl SetTier {
    pub(crate) fn new(call: Call, tier: AccessTier) -> Self {
        Self { call, tier, rehydrate_priority: None, if_tags: None, lease_id: None }
    }

    /// How fast an archived blob is brought back (from version 2019-02-02). Set on a blob that is
    /// being brought back already, it can be raised (from version 2020-06-12).
    pub fn rehydrate_priority(mut self, priority: RehydratePriority) -> Self {
        self.rehydrate_priority = Some(priority);
        self
    }

    /// Only if the blob's tags match this expression (from version 2019-12-12): the one condition
    /// that the service takes here. Not met: 412.
    pub fn if_tags(mut self, expression: &str) -> Self {
        self.if_tags = Some(expression.to_owned());
        self
    }
}

call_options!(SetTier);
with_lease!(SetTier);
awaitable!(SetTier -> TierChange);

impl Operation for SetTier {
    type Output = TierChange;

    const NAME: &'static str = "Set Blob Tier";
    const REPEAT: Repeat = Repeat::Safe;

    fn request(&self, url: Url) -> Result<Prepared> {
        self.call.since(ServiceVersion::TIERS, "a tier")?;
        let mut request = Prepared::new(Method::PUT, url).query("comp", "tier").text(
            headers::ACCESS_TIER,
            "tier",
            self.tier.as_str(),
        )?;
        if let Some(priority) = &self.rehydrate_priority {
            let what = "rehydrate priority";
            request = request.text(headers::REHYDRATE_PRIORITY, what, priority.as_str())?;
        }
        if let Some(expression) = &self.if_tags {
            request = request.text(headers::IF_TAGS, "if_tags", expression)?;
        }
        write_lease(request, self.lease_id.as_ref())
    }

    fn parse(&self, answer: Answer) -> Result<TierChange> {
        Ok(match answer.status {
            http::StatusCode::ACCEPTED => TierChange::Rehydrating,
            _ => TierChange::Done,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::offline;

    #[test]
    fn the_status_tells_whether_it_is_done() {
        let blob = offline::blob();
        let set = blob
            .set_tier(AccessTier::Hot)
            .rehydrate_priority(RehydratePriority::High)
            .if_tags("\"a\" = 'b'");
        let request = blob.call().prepare(&set).expect("legal");
        assert_eq!(request.url.query(), Some("comp=tier"));
        for (name, value) in [
            ("x-ms-access-tier", "Hot"),
            ("x-ms-rehydrate-priority", "High"),
            ("x-ms-if-tags", "\"a\" = 'b'"),
        ] {
            assert_eq!(request.headers[name], value);
        }
        for (status, change) in [(200, TierChange::Done), (202, TierChange::Rehydrating)] {
            assert_eq!(set.parse(offline::answer(status, "", "")).expect("an answer"), change);
        }
    }
}
