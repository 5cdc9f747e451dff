//! Set Blob Tier.

use crate::{
    error::Result,
    models::{AccessTier, LeaseId, RehydratePriority, since},
    operations::{
        operation::{Operation, builder},
        settings::access::with_lease,
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{headers, redaction},
};

/// The outcome of a change of tier.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum TierChange {
    /// The blob is in its new tier.
    Done,
    /// The service rehydrates the blob from the archive tier. Its property `archive_status` shows
    /// when that is over.
    Rehydrating,
}

builder! {
    /// Sets the access tier of a blob.
    ///
    /// Returned by [`BlobClient::set_tier`](crate::BlobClient::set_tier).
    ///
    /// [Set Blob Tier](https://learn.microsoft.com/rest/api/storageservices/set-blob-tier)
    /// (from version 2017-04-17; `Cold` from 2021-12-02, `Smart` from 2026-06-06)
    SetTier of SetBlobTier -> TierChange
}

#[derive(Clone)]
pub(crate) struct SetBlobTier {
    tier: AccessTier,
    rehydrate_priority: Option<RehydratePriority>,
    if_tags: Option<String>,
    lease_id: Option<LeaseId>,
}

impl SetBlobTier {
    pub(crate) fn new(tier: AccessTier) -> Self {
        Self { tier, rehydrate_priority: None, if_tags: None, lease_id: None }
    }
}

redaction::debug_redacted!(SetBlobTier { tier, rehydrate_priority, if_tags: text, lease_id });

impl SetTier {
    /// How fast an archived blob is rehydrated (from version 2019-02-02). It can be raised while
    /// the blob is being rehydrated (from version 2020-06-12).
    pub fn rehydrate_priority(mut self, priority: RehydratePriority) -> Self {
        self.operation.rehydrate_priority = Some(priority);
        self
    }

    /// Sets the tier only if the blob's tags match this expression (from version 2019-12-12);
    /// otherwise the service answers 412. It accepts no other condition here.
    pub fn if_tags(mut self, expression: impl Into<String>) -> Self {
        self.operation.if_tags = Some(expression.into());
        self
    }
}

with_lease!(SetTier, operation);

impl Operation for SetBlobTier {
    type Output = TierChange;

    const NAME: &'static str = "Set Blob Tier";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let of_snapshot = to.url.query().is_some_and(|query| query.starts_with("snapshot="));
        to.put()
            .since(of_snapshot.then_some(since::TIERS_OF_SNAPSHOTS))
            .query("comp", "tier")
            .settings(&self.tier)
            .settings(&self.rehydrate_priority)
            .text(headers::IF_TAGS, "if_tags", self.if_tags.as_deref())
            .settings(&self.lease_id)
            .done()
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
        let request = set.prepared().expect("legal");
        assert_eq!(request.url.query(), Some("comp=tier"));
        for (name, value) in [
            ("x-ms-access-tier", "Hot"),
            ("x-ms-rehydrate-priority", "High"),
            ("x-ms-if-tags", "\"a\" = 'b'"),
        ] {
            assert_eq!(request.headers[name], value);
        }
        for (status, change) in [(200, TierChange::Done), (202, TierChange::Rehydrating)] {
            assert_eq!(
                set.operation.parse(offline::answer(status, "", "")).expect("an answer"),
                change
            );
        }
    }
}
