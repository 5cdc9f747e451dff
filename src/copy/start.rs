//! Starting a copy exactly once, although answers get lost.

use http::HeaderValue;
use time::OffsetDateTime;

use super::{
    operation::CopyFromUriOperation,
    source::{CopySource, SourceIdentity},
    status,
};
use crate::{
    clients::BlobClient,
    error::{Error, Result},
    models::{
        AccessTier, Conditions, CopyState, ImmutabilityPolicyMode, Metadata, RehydratePriority,
        ServiceVersion, SnapshotId, Tags, http_date,
    },
    operations::{
        Call, Operation, call_options, copy_blob::CopyBlob, get_properties::GetProperties,
        incremental_copy_blob::IncrementalCopyBlob, with_conditions,
    },
    pipeline::{clock, send::Tries, transport::BoxFuture},
};

/// Starts an incremental copy of a page blob's snapshot: made by
/// [`PageBlobClient::start_copy_incremental`](crate::PageBlobClient::start_copy_incremental).
///
/// A lease, a tier, tags, metadata or source conditions cannot be set: the service allows none.
///
/// [Incremental Copy Blob](https://learn.microsoft.com/rest/api/storageservices/incremental-copy-blob)
/// (from version 2016-05-31)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct StartCopyIncremental {
    call: Call,
    blob: BlobClient,
    source: CopySource,
    snapshot: SnapshotId,
    conditions: Conditions,
}

impl StartCopyIncremental {
    pub(crate) fn new(blob: &BlobClient, source: CopySource, snapshot: SnapshotId) -> Self {
        let (call, blob, conditions) = (blob.call(), blob.clone(), Conditions::new());
        Self { call, blob, source, snapshot, conditions }
    }
}

call_options!(StartCopyIncremental);
with_conditions!(StartCopyIncremental);

impl IntoFuture for StartCopyIncremental {
    type Output = Result<CopyFromUriOperation>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { call, blob, source, snapshot, conditions } = self;
        Box::pin(async move {
            check(&blob, ServiceVersion::INCREMENTAL_COPY, "an incremental copy")?;
            let source = source.resolve_snapshot(&snapshot).await?;
            let operation = IncrementalCopyBlob { source: Some(source.clone()), conditions };
            let state = start(&call, &operation, &source).await?;
            Ok(CopyFromUriOperation::incremental(blob, state))
        })
    }
}

/// Starts an ordinary copy: made by
/// [`BlobClient::start_copy_from_uri`](crate::BlobClient::start_copy_from_uri).
///
/// [Copy Blob](https://learn.microsoft.com/rest/api/storageservices/copy-blob)
/// (asynchronous from version 2012-02-12)
#[must_use = "nothing is sent until it is awaited"]
#[derive(Debug, Clone)]
pub struct StartCopyFromUri {
    call: Call,
    blob: BlobClient,
    source: CopySource,
    copy: CopyBlob,
}

impl StartCopyFromUri {
    pub(crate) fn new(blob: &BlobClient, source: CopySource) -> Self {
        Self { call: blob.call(), blob: blob.clone(), source, copy: CopyBlob::default() }
    }

    /// Metadata for the destination. Without any, the source's is copied; with some, none of it is.
    pub fn metadata(mut self, metadata: impl Into<Metadata>) -> Self {
        self.copy.metadata = metadata.into();
        self
    }

    /// Index tags for the destination (from version 2019-12-12). The source's are never copied.
    pub fn tags(mut self, tags: impl Into<Tags>) -> Self {
        self.copy.tags = tags.into();
        self
    }

    /// The destination's tier (premium page blobs from version 2017-04-17, block blobs from
    /// 2018-11-09). Needed, and to be an online one, when the source is archived.
    pub fn tier(mut self, tier: AccessTier) -> Self {
        self.copy.tier = Some(tier);
        self
    }

    /// How fast an archived source is brought back (from version 2019-02-02).
    pub fn rehydrate_priority(mut self, priority: RehydratePriority) -> Self {
        self.copy.rehydrate_priority = Some(priority);
        self
    }

    /// Seals the destination, or leaves it open; for append blobs (from version 2019-12-12).
    pub fn seal(mut self, seal: bool) -> Self {
        self.copy.seal = Some(seal);
        self
    }

    /// Keeps the destination from being changed until a date (from version 2020-06-12).
    pub fn immutability_policy(
        mut self,
        until: OffsetDateTime,
        mode: ImmutabilityPolicyMode,
    ) -> Self {
        self.copy.immutability_policy = Some((until, mode));
        self
    }

    /// Keeps the destination from being changed until the hold is lifted (from version 2020-06-12).
    pub fn legal_hold(mut self, hold: bool) -> Self {
        self.copy.legal_hold = Some(hold);
        self
    }

    /// Conditions on the source. Not met: 412 `SourceConditionNotMet`.
    pub fn source_conditions(mut self, conditions: Conditions) -> Self {
        self.copy.source_conditions = conditions;
        self
    }

    /// Conditions on the destination. Not met: 412, or 409 `BlobAlreadyExists` for a destination that
    /// must not exist.
    pub fn conditions(mut self, conditions: Conditions) -> Self {
        self.copy.conditions = conditions;
        self
    }

    /// The id of the destination's lease, which must be an infinite one.
    pub fn lease_id(mut self, id: crate::LeaseId) -> Self {
        self.copy.lease_id = Some(id);
        self
    }
}

call_options!(StartCopyFromUri);

impl IntoFuture for StartCopyFromUri {
    type Output = Result<CopyFromUriOperation>;
    type IntoFuture = BoxFuture<'static, Self::Output>;

    fn into_future(self) -> Self::IntoFuture {
        let Self { call, blob, source, mut copy } = self;
        Box::pin(async move {
            check(&blob, ServiceVersion::ASYNCHRONOUS_COPY, "a copy that can be watched")?;
            let source = source.resolve(&blob).await?;
            copy.source = Some(source.clone());
            let state = start(&call, &copy, &source).await?;
            Ok(CopyFromUriOperation::ordinary(blob, state, copy.lease_id))
        })
    }
}

/// Refuses destinations and versions with which no copy can be started.
fn check(blob: &BlobClient, since: ServiceVersion, what: &str) -> Result<()> {
    if blob.snapshot().is_some() || blob.version_id().is_some() {
        let rule = "is a snapshot or version, which cannot be the destination of a copy";
        return Err(Error::invalid("destination", blob.url()?, rule));
    }
    blob.call().since(since, what)
}

/// Sends a start until it is known that it worked, or that it did not.
///
/// An attempt that brought no answer may have worked. So before another is made, and before the call
/// fails, the destination is looked at; if it carries our copy, that one is taken on.
async fn start<O: Operation<Output = CopyState>>(
    call: &Call,
    operation: &O,
    source: &HeaderValue,
) -> Result<CopyState> {
    let begun = clock::instant();
    let request = call.prepare(operation)?;
    let mut tries = Tries::default();
    loop {
        let answer = call.send(operation, &request, &mut tries).await;
        let error = match answer.and_then(|answer| operation.parse(answer)) {
            Ok(state) => return Ok(state),
            Err(error) => error,
        };
        // Success that does not name the copy is as good as no answer.
        tries.ambiguous |= matches!(error, Error::UnexpectedResponse { .. });
        if !tries.ambiguous {
            return Err(error);
        }
        let again = error.is_retryable() && call.pipeline.back_off(&tries).await;
        // In a box of its own, since hardly any start gets here.
        match Box::pin(look(call, source, begun)).await {
            Ok(Some(state)) => {
                tracing::debug!(operation = O::NAME, copy_id = %state.copy_id, "found the copy again");
                return Ok(state);
            }
            Ok(None) if again => {}
            // Not to be found, or not to be seen: what was answered stands.
            Ok(None) | Err(_) => return Err(error),
        }
    }
}

/// Looks at the destination for a copy of `source` that this call has started.
async fn look(
    call: &Call,
    source: &HeaderValue,
    begun: tokio::time::Instant,
) -> Result<Option<CopyState>> {
    let call = Call { options: Default::default(), ..call.clone() }.at_primary();
    let operation = GetProperties::new(call.clone());
    let request = call.prepare(&operation)?;
    let asked = begun.elapsed();
    let answer = match call.send(&operation, &request, &mut Tries::default()).await {
        Ok(answer) => answer,
        Err(error) if status::is_gone(&error) => return Ok(None),
        Err(error) => return Err(error),
    };
    let date = answer.text(&http::header::DATE).and_then(http_date::parse);
    let date = date.unwrap_or_else(|| call.pipeline.clock().now());
    let start = CallStart {
        earliest: date - begun.elapsed(),
        latest: date + time::Duration::SECOND - asked,
    };
    let source = source.to_str().ok().and_then(SourceIdentity::of);
    let found = operation.parse(answer)?.copy.zip(source);
    Ok(found.filter(|(copy, source)| is_ours(copy, source, start)).map(|(copy, _)| copy))
}

/// When the call began, by the service's clock, as closely as whole seconds let it be known.
#[derive(Debug, Clone, Copy)]
struct CallStart {
    earliest: OffsetDateTime,
    latest: OffsetDateTime,
}

/// Whether a copy that the destination carries is the one that the call has started.
///
/// It must have our source, and must not have ended before the call began. Dates have whole seconds;
/// where they leave open which came first, only a source that cannot change is given the benefit of
/// the doubt: an older copy of it would hold the same bytes.
fn is_ours(copy: &CopyState, source: &SourceIdentity, start: CallStart) -> bool {
    let echoed = copy.source.as_ref().and_then(|echoed| SourceIdentity::of(echoed.expose()));
    if echoed.as_ref() != Some(source) {
        return false;
    }
    match copy.completed_on {
        None => !copy.status.is_final(),
        Some(ended) if ended >= start.latest => true,
        Some(ended) if ended + time::Duration::SECOND <= start.earliest => false,
        Some(_) => source.is_immutable(),
    }
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;
    use crate::models::EchoedSource;

    const LIVE: &str = "https://a.blob.core.windows.net/c/b";
    const SNAPSHOT: &str =
        "https://a.blob.core.windows.net/c/b?snapshot=2026-01-01T00:00:00.1234567Z";
    const BEGUN: OffsetDateTime = datetime!(2026-01-01 12:00:00.3 UTC);

    fn found(source: &str, status: &str, ended: Option<OffsetDateTime>) -> CopyState {
        let mut copy = CopyState::new("id-1".parse().expect("an id"), status.into());
        copy.source = Some(EchoedSource::new(source));
        copy.completed_on = ended;
        copy
    }

    /// The call began at 12:00:00.3; what is known of it is 12:00:00.2 to 12:00:01.2.
    fn ours(copy: &CopyState, source: &str) -> bool {
        let start = CallStart {
            earliest: BEGUN - Duration::milliseconds(100),
            latest: BEGUN + Duration::milliseconds(900),
        };
        is_ours(copy, &SourceIdentity::of(source).expect("a source"), start)
    }

    #[test]
    fn a_pending_copy_of_our_source_is_ours() {
        assert!(ours(&found(LIVE, "pending", None), LIVE));
        assert!(ours(&found(LIVE, "paused", None), LIVE));
        let echoed = "http://a.blob.core.windows.net:443/c/b?sp=r&sig=x";
        assert!(ours(&found(echoed, "pending", None), LIVE));
    }

    #[test]
    fn a_copy_of_another_source_is_not() {
        for other in [
            "https://a.blob.core.windows.net/c/other",
            "https://b.blob.core.windows.net/c/b",
            SNAPSHOT,
            "not a url",
        ] {
            assert!(!ours(&found(other, "pending", None), LIVE), "{other}");
        }
        let mut unnamed = found(LIVE, "pending", None);
        unnamed.source = None;
        assert!(!ours(&unnamed, LIVE));
    }

    #[test]
    fn a_copy_that_ended_before_the_call_is_not() {
        for ended in [BEGUN - Duration::hours(1), datetime!(2026-01-01 11:59:59 UTC)] {
            assert!(!ours(&found(LIVE, "success", Some(ended)), LIVE), "{ended}");
            assert!(!ours(&found(SNAPSHOT, "success", Some(ended)), SNAPSHOT), "{ended}");
        }
    }

    #[test]
    fn a_copy_that_ended_after_the_call_began_is_however_it_ended() {
        let ended = datetime!(2026-01-01 12:00:02 UTC);
        for status in ["success", "failed", "aborted"] {
            assert!(ours(&found(LIVE, status, Some(ended)), LIVE), "{status}");
        }
    }

    #[test]
    fn in_doubt_only_a_source_that_cannot_change_is_taken() {
        let ended = datetime!(2026-01-01 12:00:00 UTC);
        assert!(ours(&found(SNAPSHOT, "success", Some(ended)), SNAPSHOT));
        assert!(!ours(&found(LIVE, "success", Some(ended)), LIVE));
        assert!(!ours(&found(SNAPSHOT, "success", None), SNAPSHOT));
    }
}
