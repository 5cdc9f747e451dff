//! Lease Blob: acquires, renews, changes, releases and breaks a lock on writes.

use std::time::Duration;

use http::HeaderValue;
use serde::Serialize;
use time::OffsetDateTime;

use crate::{
    error::{Error, Result},
    models::{Conditions, ETag, ErrorCode, LeaseId, ServiceVersion, since},
    operations::{
        operation::{Call, Operation, builder},
        settings::access::with_conditions,
    },
    pipeline::{
        request::{Effect, Prepared, Target},
        response::Answer,
    },
    wire::{headers, http_date, transport::BoxFuture},
};
use claim::Claim;

mod claim;

/// An active lease on a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct BlobLease {
    /// The lease id. Every write of the blob must carry it while the lease is active.
    pub lease_id: LeaseId,
    /// The blob's ETag. Leases do not change it.
    pub etag: Option<ETag>,
    /// When the blob was last written.
    #[serde(with = "time::serde::rfc3339::option")]
    pub last_modified: Option<OffsetDateTime>,
}

impl BlobLease {
    fn read(answer: &Answer) -> Result<Self> {
        let id = answer.required(&headers::LEASE_ID)?;
        let lease_id =
            LeaseId::from_service(id).ok_or_else(|| answer.unexpected("the lease id is empty"))?;
        Ok(Self {
            lease_id,
            etag: answer.text(&http::header::ETAG).and_then(|etag| etag.parse().ok()),
            last_modified: answer.text(&http::header::LAST_MODIFIED).and_then(http_date::parse),
        })
    }
}

/// How long every lease lasts before version 2012-02-12.
const OLD_LEASE: Duration = Duration::from_secs(60);

builder! {
    /// Acquires a lease.
    ///
    /// Returned by [`BlobClient::acquire_lease`](crate::BlobClient::acquire_lease) and
    /// [`BlobClient::acquire_infinite_lease`](crate::BlobClient::acquire_infinite_lease).
    ///
    /// Awaiting it gives the [`BlobLease`] with its id. [`guard`](AcquireLease::guard) gives a
    /// [`Lease`](crate::Lease) that renews and releases itself.
    ///
    /// The client chooses the id, unless you [propose](AcquireLease::proposed_id) one, so a retry
    /// acquires the same lease. If the future is dropped before it completes, or fails after a
    /// response was lost, the lease may exist and only the client knows its id: the client releases
    /// it in the background. A lease with an id that you proposed is left to you.
    ///
    /// Before version 2012-02-12 every lease lasts 60 seconds and the service chooses its id. The
    /// id cannot be chosen; if a response is lost, the retry fails with 409 `LeaseAlreadyPresent`.
    ///
    /// [Lease Blob](https://learn.microsoft.com/rest/api/storageservices/lease-blob)
    AcquireLease of Acquire
}

#[derive(Debug, Clone)]
pub(crate) struct Acquire {
    /// `None` for an infinite lease.
    pub(crate) duration: Option<Duration>,
    proposed_id: Option<LeaseId>,
    conditions: Conditions,
}

impl Acquire {
    pub(crate) fn new(duration: Option<Duration>) -> Self {
        Self { duration, proposed_id: None, conditions: Conditions::new() }
    }

    pub(crate) fn check(&self) -> Result<()> {
        match self.duration {
            Some(time) if !(15..=60).contains(&time.as_secs()) || time.subsec_nanos() != 0 => {
                let rule = "must be 15 to 60 whole seconds, or infinite";
                Err(Error::invalid("lease duration", format!("{time:?}"), rule))
            }
            _ => Ok(()),
        }
    }

    /// Whether the request must carry neither duration nor id: old service versions accept none.
    fn leaves_all_to_the_service(&self, version: ServiceVersion) -> bool {
        let is_old = !since::LEASE_DURATIONS.is_known_to(version);
        is_old && self.duration == Some(OLD_LEASE) && self.proposed_id.is_none()
    }
}

impl AcquireLease {
    /// The lease id to propose (from version 2012-02-12). By default a new GUID for each call. If
    /// the active lease has this id, it gets the new duration.
    pub fn proposed_id(mut self, id: impl Into<LeaseId>) -> Self {
        self.operation.proposed_id = Some(id.into());
        self
    }

    /// Acquires the lease with an id that is known before the request is sent. Releases a lease
    /// that the caller does not get; unless it is `guarded`, only if the caller does not know its
    /// id.
    pub(crate) fn claim(mut self, guarded: bool) -> BoxFuture<'static, Result<BlobLease>> {
        let (is_known, version) =
            (self.operation.proposed_id.is_some(), self.call.pipeline.version());
        if !is_known && !self.operation.leaves_all_to_the_service(version) {
            self.operation.proposed_id = Some(LeaseId::random());
        }
        // Options of the acquire call do not apply to the release.
        let call = Call { options: Default::default(), ..self.call.clone() };
        let id = self.operation.proposed_id.clone().filter(|_| guarded || !is_known);
        let acquire = Box::pin(async move { self.call.run(&self.operation).await });
        match id {
            None => acquire,
            Some(id) => Box::pin(Claim::new(acquire, ReleaseLease::new(call, Release::new(id)))),
        }
    }
}

with_conditions!(AcquireLease, operation);

impl IntoFuture for AcquireLease {
    type Output = Result<BlobLease>;
    type IntoFuture = BoxFuture<'static, Result<BlobLease>>;

    fn into_future(self) -> Self::IntoFuture {
        self.claim(false)
    }
}

impl Operation for Acquire {
    type Output = BlobLease;

    const NAME: &'static str = "Lease Blob";
    // The client chooses the id, so every attempt acquires the same lease.
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let duration = match self.duration {
            None => HeaderValue::from_static("-1"),
            Some(time) => HeaderValue::from(time.as_secs()),
        };
        let told = (!self.leaves_all_to_the_service(to.version)).then_some(duration);
        let id = self.proposed_id.as_ref().map(LeaseId::as_str);
        action(to, "acquire", &self.conditions)
            .check(self.check())
            .header(headers::LEASE_DURATION, told)
            .text(headers::PROPOSED_LEASE_ID, "proposed lease id", id)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobLease> {
        BlobLease::read(&answer)
    }
}

builder! {
    /// Renews a lease: its duration starts again.
    ///
    /// Returned by [`BlobClient::renew_lease`](crate::BlobClient::renew_lease).
    ///
    /// [Lease Blob](https://learn.microsoft.com/rest/api/storageservices/lease-blob)
    RenewLease of Renew -> BlobLease
}

#[derive(Debug, Clone)]
pub(crate) struct Renew {
    id: LeaseId,
    conditions: Conditions,
}

impl Renew {
    pub(crate) fn new(id: LeaseId) -> Self {
        Self { id, conditions: Conditions::new() }
    }
}

with_conditions!(RenewLease, operation);

impl Operation for Renew {
    type Output = BlobLease;

    const NAME: &'static str = "Lease Blob";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        action(to, "renew", &self.conditions).settings(&self.id).done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobLease> {
        BlobLease::read(&answer)
    }
}

builder! {
    /// Changes the id of a lease.
    ///
    /// Returned by [`BlobClient::change_lease`](crate::BlobClient::change_lease).
    ///
    /// [Lease Blob](https://learn.microsoft.com/rest/api/storageservices/lease-blob)
    /// (from version 2012-02-12)
    ChangeLease of Change -> BlobLease
}

#[derive(Debug, Clone)]
pub(crate) struct Change {
    id: LeaseId,
    proposed_id: LeaseId,
    conditions: Conditions,
}

impl Change {
    pub(crate) fn new(id: LeaseId, proposed_id: LeaseId) -> Self {
        Self { id, proposed_id, conditions: Conditions::new() }
    }
}

with_conditions!(ChangeLease, operation);

impl Operation for Change {
    type Output = BlobLease;

    const NAME: &'static str = "Lease Blob";
    const EFFECT: Effect = Effect::Once;

    fn request(&self, to: &Target) -> Result<Prepared> {
        action(to, "change", &self.conditions)
            .settings(&self.id)
            .text(headers::PROPOSED_LEASE_ID, "proposed lease id", self.proposed_id.as_str())
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<BlobLease> {
        BlobLease::read(&answer)
    }
}

builder! {
    /// Releases a lease. A new one can be acquired at once.
    ///
    /// Returned by [`BlobClient::release_lease`](crate::BlobClient::release_lease).
    ///
    /// If a response is lost and the retry finds no such lease, the lease counts as released.
    ///
    /// [Lease Blob](https://learn.microsoft.com/rest/api/storageservices/lease-blob)
    ReleaseLease of Release
}

#[derive(Debug, Clone)]
pub(crate) struct Release {
    id: LeaseId,
    conditions: Conditions,
}

impl Release {
    pub(crate) fn new(id: LeaseId) -> Self {
        Self { id, conditions: Conditions::new() }
    }
}

with_conditions!(ReleaseLease, operation);

impl IntoFuture for ReleaseLease {
    type Output = Result<()>;
    type IntoFuture = BoxFuture<'static, Result<()>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { self.call.run_to_end(&self.operation, is_released).await })
    }
}

fn is_released(error: &Error) -> bool {
    use ErrorCode::{LeaseIdMismatchWithLeaseOperation, LeaseNotPresentWithLeaseOperation};
    matches!(
        error.code(),
        Some(LeaseIdMismatchWithLeaseOperation | LeaseNotPresentWithLeaseOperation)
    )
}

impl Operation for Release {
    type Output = ();

    const NAME: &'static str = "Lease Blob";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        action(to, "release", &self.conditions).settings(&self.id).done()
    }

    fn parse(&self, _: Answer) -> Result<()> {
        Ok(())
    }
}

builder! {
    /// Breaks the active lease of a blob, without its id.
    ///
    /// Returned by [`BlobClient::break_lease`](crate::BlobClient::break_lease).
    ///
    /// Awaiting it gives the time until the lease is broken, in whole seconds.
    ///
    /// [Lease Blob](https://learn.microsoft.com/rest/api/storageservices/lease-blob)
    BreakLease of Break -> Duration
}

#[derive(Debug, Clone, Default)]
pub(crate) struct Break {
    period: Option<Duration>,
    conditions: Conditions,
}

impl Break {
    fn check(&self) -> Result<()> {
        match self.period {
            Some(time) if time.as_secs() > 60 || time.subsec_nanos() != 0 => {
                let rule = "must be 0 to 60 whole seconds";
                Err(Error::invalid("break period", format!("{time:?}"), rule))
            }
            _ => Ok(()),
        }
    }
}

impl BreakLease {
    /// How long to keep the lease before it breaks (from version 2012-02-12): 0 to 60 whole
    /// seconds, never longer than the time remaining. By default, a lease with a duration runs to
    /// its end, and an infinite lease breaks at once.
    pub fn period(mut self, period: Duration) -> Self {
        self.operation.period = Some(period);
        self
    }
}

with_conditions!(BreakLease, operation);

impl Operation for Break {
    type Output = Duration;

    const NAME: &'static str = "Lease Blob";
    const EFFECT: Effect = Effect::Repeatable;

    fn request(&self, to: &Target) -> Result<Prepared> {
        let seconds = self.period.map(|time| HeaderValue::from(time.as_secs()));
        action(to, "break", &self.conditions)
            .check(self.check())
            .header(headers::LEASE_BREAK_PERIOD, seconds)
            .done()
    }

    fn parse(&self, answer: Answer) -> Result<Duration> {
        let seconds = answer.required(&headers::LEASE_TIME)?;
        let unreadable = || answer.unexpected(format_args!("the time is {seconds:?}"));
        seconds.parse().map(Duration::from_secs).map_err(|_| unreadable())
    }
}

/// The request for an action on a lease. Snapshots and versions have no lease.
fn action(to: &Target, word: &'static str, conditions: &Conditions) -> Prepared {
    let checked = match to.is_fixed() {
        false => conditions.check_write("conditions"),
        true => {
            let rule = "must be on a blob, not on a snapshot or version";
            Err(Error::invalid("lease", &to.url, rule))
        }
    };
    to.put()
        .check(checked)
        .query("comp", "lease")
        .word(headers::LEASE_ACTION, word)
        .settings(conditions)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operations::offline::{self, sent};

    const ID: &str = "11111111-2222-3333-4444-555555555555";
    const OTHER: &str = "66666666-7777-8888-9999-000000000000";

    fn id(text: &str) -> LeaseId {
        text.parse().expect("a GUID")
    }

    #[test]
    fn each_action_has_its_own_headers() {
        let blob = offline::blob();
        let minute = blob.acquire_lease(Duration::from_secs(60)).proposed_id(id(ID));
        let endless = blob.acquire_infinite_lease().proposed_id(id(ID));
        let (action, length) = ("x-ms-lease-action", ("content-length", "0"));
        let (lease, proposed) = ("x-ms-lease-id", "x-ms-proposed-lease-id");
        for (request, expected) in [
            (
                minute.prepared(),
                vec![length, (action, "acquire"), ("x-ms-lease-duration", "60"), (proposed, ID)],
            ),
            (
                endless.prepared(),
                vec![length, (action, "acquire"), ("x-ms-lease-duration", "-1"), (proposed, ID)],
            ),
            (blob.renew_lease(id(ID)).prepared(), vec![length, (action, "renew"), (lease, ID)]),
            (
                blob.change_lease(id(ID), id(OTHER)).prepared(),
                vec![length, (action, "change"), (lease, ID), (proposed, OTHER)],
            ),
            (blob.release_lease(id(ID)).prepared(), vec![length, (action, "release"), (lease, ID)]),
            (blob.break_lease().prepared(), vec![length, (action, "break")]),
            (
                blob.break_lease().period(Duration::from_secs(5)).prepared(),
                vec![length, (action, "break"), ("x-ms-lease-break-period", "5")],
            ),
        ] {
            let request = request.expect("legal");
            assert_eq!(request.url.query(), Some("comp=lease"));
            assert_eq!(sent(&request.headers), expected);
        }
    }

    #[test]
    fn durations_that_the_service_refuses_are_refused() {
        let blob = offline::blob();
        for millis in [0, 14_000, 61_000, 15_500] {
            let acquire = blob.acquire_lease(Duration::from_millis(millis));
            let error = acquire.prepared().expect_err("refused").to_string();
            assert!(error.starts_with("lease duration: ") && error.contains("15 to 60"), "{error}");
        }
        for millis in [500, 61_000] {
            let breaks = blob.break_lease().period(Duration::from_millis(millis));
            let error = breaks.prepared().expect_err("refused").to_string();
            assert!(error.starts_with("break period: ") && error.contains("0 to 60"), "{error}");
        }
        let snapshot = blob.with_snapshot(
            "2026-01-01T00:00:00.1234567Z".parse::<crate::SnapshotId>().expect("a snapshot"),
        );
        let error = snapshot.break_lease().prepared().expect_err("a snapshot");
        assert!(error.to_string().contains("not on a snapshot"), "{error}");
    }

    #[test]
    fn before_durations_could_be_chosen_a_lease_of_a_minute_says_neither_duration_nor_id() {
        let old = offline::blob_at("2011-08-18");
        let minute = || old.acquire_lease(Duration::from_secs(60));
        let request = minute().prepared().expect("legal");
        let acquire = [("content-length", "0"), ("x-ms-lease-action", "acquire")];
        assert_eq!(sent(&request.headers), acquire);
        for acquire in [
            minute().proposed_id(id(ID)),
            old.acquire_lease(Duration::from_secs(59)),
            old.acquire_infinite_lease(),
        ] {
            let error = acquire.prepared().expect_err("refused").to_string();
            assert!(error.contains("must be 2012-02-12 or later"), "{error}");
        }
        let new = offline::blob_at("2012-02-12").acquire_lease(Duration::from_secs(60));
        let request = new.prepared().expect("legal");
        assert_eq!(request.headers["x-ms-lease-duration"], "60");
    }

    #[test]
    fn answers_name_the_lease_or_the_time_that_is_left() {
        let blob = offline::blob();
        let answer = offline::answer(201, &format!("x-ms-lease-id: {ID}\nETag: \"0x1\""), "");
        let leased = blob.renew_lease(id(ID)).operation.parse(answer).expect("complete");
        assert_eq!(leased.lease_id, id(ID));
        let answer = |headers| offline::answer(202, headers, "");
        let left =
            blob.break_lease().operation.parse(answer("x-ms-lease-time: 7")).expect("complete");
        assert_eq!(left, Duration::from_secs(7));
        for headers in ["x-ms-lease-time: soon", "ETag: \"0x1\""] {
            assert!(blob.break_lease().operation.parse(answer(headers)).is_err(), "{headers}");
        }
    }
}
