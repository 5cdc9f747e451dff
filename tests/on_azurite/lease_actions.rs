//! Lease actions: acquire, renew, change, release, break, and the guard.

use std::time::Duration;

use blobcopy::{BlobClient, Conditions, ETag, LeaseDuration, LeaseId, LeaseState, LeaseStatus};

use super::fixture::{assert_refused, container};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    a_lease_is_acquired_once_and_renewed_by_who_has_it,
    a_lease_changes_its_id_and_the_old_one_is_worth_nothing,
    a_released_blob_is_anybodys_at_once,
    a_broken_lease_holds_for_its_period,
    what_is_not_leased_cannot_be_broken_or_renewed,
    a_lease_is_acquired_on_conditions,
    a_guard_holds_its_lease_until_it_is_released_or_dropped,
];

const MINUTE: Duration = Duration::from_secs(60);
const MINE: &str = "11111111-2222-3333-4444-555555555555";
const OTHER: &str = "66666666-7777-8888-9999-aaaaaaaaaaaa";

const PRESENT: &[(u16, &str)] = &[(409, "LeaseAlreadyPresent")];
const MISMATCH: &[(u16, &str)] = &[(409, "LeaseIdMismatchWithLeaseOperation")];
const MISSING: &[(u16, &str)] = &[(412, "LeaseIdMissing")];

fn id(text: &str) -> LeaseId {
    text.parse().unwrap()
}

async fn blob(azurite: &Azurite) -> BlobClient {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("notes.txt");
    blob.upload("notes").await.unwrap();
    (*blob).clone()
}

/// The lease as the blob's properties report it.
async fn told(blob: &BlobClient) -> (LeaseState, LeaseStatus, Option<LeaseDuration>) {
    let properties = blob.get_properties().await.unwrap();
    let (state, status) = (properties.lease_state, properties.lease_status);
    (state.unwrap(), status.unwrap(), properties.lease_duration)
}

async fn a_lease_is_acquired_once_and_renewed_by_who_has_it(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let before = blob.get_properties().await.unwrap();
    let leased = blob.acquire_lease(MINUTE).await.unwrap();
    assert_eq!((&leased.etag, leased.last_modified), (&before.etag, before.last_modified));
    let fixed = Some(LeaseDuration::Fixed);
    assert_eq!(told(&blob).await, (LeaseState::Leased, LeaseStatus::Locked, fixed));

    assert_refused(blob.acquire_lease(MINUTE).await, PRESENT);
    assert_refused(blob.acquire_infinite_lease().await, PRESENT);
    let renewed = blob.renew_lease(&leased.lease_id).await.unwrap();
    assert_eq!(renewed, leased);
    assert_refused(blob.renew_lease(id(OTHER)).await, MISMATCH);
    assert_refused(blob.release_lease(id(OTHER)).await, MISMATCH);

    // The holder may acquire it again with another duration.
    let again = blob.acquire_infinite_lease().proposed_id(leased.lease_id.clone());
    assert_eq!(again.await.unwrap().lease_id, leased.lease_id);
    let infinite = Some(LeaseDuration::Infinite);
    assert_eq!(told(&blob).await, (LeaseState::Leased, LeaseStatus::Locked, infinite));
}

async fn a_lease_changes_its_id_and_the_old_one_is_worth_nothing(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let leased = blob.acquire_infinite_lease().proposed_id(id(MINE)).await.unwrap();
    assert_eq!(leased.lease_id, id(MINE));

    let third = "99999999-8888-7777-6666-555555555555";
    assert_refused(blob.change_lease(id(OTHER), id(third)).await, MISMATCH);
    let changed = blob.change_lease(id(MINE), id(OTHER)).await.unwrap();
    assert_eq!(changed.lease_id, id(OTHER));
    // A repeat finds it done.
    assert_eq!(blob.change_lease(id(MINE), id(OTHER)).await.unwrap(), changed);
    assert_refused(blob.renew_lease(id(MINE)).await, MISMATCH);
    let write = blob.set_metadata([("by", "who had it")]);
    assert_refused(write.lease_id(id(MINE)).await, &[(412, "LeaseIdMismatchWithBlobOperation")]);
    blob.set_metadata([("by", "who has it")]).lease_id(id(OTHER)).await.unwrap();
}

async fn a_released_blob_is_anybodys_at_once(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let leased = blob.acquire_infinite_lease().await.unwrap();
    assert_refused(blob.set_metadata([("k", "v")]).await, MISSING);

    blob.release_lease(&leased.lease_id).await.unwrap();
    assert_eq!(told(&blob).await, (LeaseState::Available, LeaseStatus::Unlocked, None));
    blob.set_metadata([("k", "v")]).await.unwrap();
    blob.acquire_lease(MINUTE).await.unwrap();
}

async fn a_broken_lease_holds_for_its_period(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let leased = blob.acquire_infinite_lease().await.unwrap();

    let left = blob.break_lease().period(MINUTE).await.unwrap();
    assert!(left <= MINUTE && left > Duration::ZERO, "{left:?}");
    assert_eq!(told(&blob).await, (LeaseState::Breaking, LeaseStatus::Locked, None));
    assert_refused(blob.set_metadata([("k", "v")]).await, MISSING);
    blob.set_metadata([("k", "v")]).lease_id(leased.lease_id.clone()).await.unwrap();
    // Azurite answers LeaseAlreadyPresent, even while the lease is breaking.
    let breaking = [(409, "LeaseIsBreakingAndCannotBeAcquired"), (409, "LeaseAlreadyPresent")];
    assert_refused(blob.acquire_lease(MINUTE).await, &breaking);
    let changed = blob.change_lease(&leased.lease_id, id(OTHER)).await;
    assert_refused(changed, &[(409, "LeaseIsBreakingAndCannotBeChanged")]);

    // A second break can only shorten it.
    assert_eq!(blob.break_lease().period(Duration::ZERO).await.unwrap(), Duration::ZERO);
    assert_eq!(told(&blob).await, (LeaseState::Broken, LeaseStatus::Unlocked, None));
    let renewed = blob.renew_lease(&leased.lease_id).await;
    assert_refused(renewed, &[(409, "LeaseIsBrokenAndCannotBeRenewed")]);
    blob.set_metadata([("k", "w")]).await.unwrap();
    blob.acquire_lease(MINUTE).await.unwrap();
}

async fn what_is_not_leased_cannot_be_broken_or_renewed(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let none = [(409, "LeaseNotPresentWithLeaseOperation")];
    assert_refused(blob.break_lease().await, &none);
    // Azurite compares the ids before it checks whether there is a lease.
    let none = [none[0], MISMATCH[0]];
    assert_refused(blob.renew_lease(id(MINE)).await, &none);
    assert_refused(blob.release_lease(id(MINE)).await, &none);
    assert_refused(blob.change_lease(id(MINE), id(OTHER)).await, &none);
    let missing = container(azurite, &ACCOUNT).await.blob_client("missing");
    assert_refused(missing.acquire_lease(MINUTE).await, &[(404, "BlobNotFound")]);
}

async fn a_lease_is_acquired_on_conditions(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let etag = blob.get_properties().await.unwrap().etag.unwrap();
    let other: ETag = "\"0x8D0000000000000\"".parse().unwrap();
    let is = |etag: &ETag| Conditions::new().if_match(etag.clone());
    let unmet = [(412, "ConditionNotMet")];

    assert_refused(blob.acquire_lease(MINUTE).conditions(is(&other)).await, &unmet);
    assert_eq!(told(&blob).await.0, LeaseState::Available);
    let leased = blob.acquire_lease(MINUTE).conditions(is(&etag)).await.unwrap();
    assert_refused(blob.renew_lease(&leased.lease_id).conditions(is(&other)).await, &unmet);
    assert_refused(blob.break_lease().conditions(is(&other)).await, &unmet);
    assert_refused(blob.release_lease(&leased.lease_id).conditions(is(&other)).await, &unmet);
    assert_eq!(told(&blob).await.0, LeaseState::Leased);
    blob.release_lease(&leased.lease_id).conditions(is(&etag)).await.unwrap();
    assert_eq!(told(&blob).await.0, LeaseState::Available);
}

async fn a_guard_holds_its_lease_until_it_is_released_or_dropped(azurite: &Azurite) {
    let blob = blob(azurite).await;
    let lease = blob.acquire_lease(MINUTE).proposed_id(id(MINE)).guard().await.unwrap();
    assert_eq!((lease.id(), lease.is_held()), (&id(MINE), true));
    assert_refused(blob.delete().await, MISSING);
    blob.set_metadata([("k", "v")]).lease_id(lease.id().clone()).await.unwrap();
    lease.release().await.unwrap();
    assert_eq!(told(&blob).await.0, LeaseState::Available);

    drop(blob.acquire_infinite_lease().guard().await.unwrap());
    // The release is in flight; each check of the blob gives it time.
    for _ in 0..1_000 {
        if told(&blob).await.0 == LeaseState::Available {
            return;
        }
    }
    panic!("the lease that was dropped is still there: {:?}", told(&blob).await);
}
