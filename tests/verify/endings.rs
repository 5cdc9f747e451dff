//! Every verdict other than identical and different.

use std::time::Duration;

use blobcopy::{
    AccessTier, BlobClient, BlobContainerClient, ClientOptions, Credential, CustomerProvidedKey,
    jobs::{Side, UnverifiableReason, Verdict, Verified, verify},
    sas::{BlobSasPermissions, ContainerSasPermissions},
};
use blobcopy_simulator::{Op, Simulator};

use super::{Kind, World, noise, write};

async fn two_of(world: &World, kind: Kind, length: usize) -> (BlobClient, BlobClient) {
    let (source, destination) = (world.from("a"), world.to("a"));
    for blob in [&source, &destination] {
        write(blob, kind, &noise(length, 1)).await;
    }
    (source, destination)
}

fn unverifiable(verified: &Verified) -> (UnverifiableReason, Option<Side>) {
    match &verified.verdict {
        Verdict::Unverifiable(why) => (why.reason, why.side),
        _ => panic!("{verified}"),
    }
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_does_not_exist_is_gone() {
    let world = World::new().await;
    let (source, destination) = two_of(&world, Kind::Block, 100).await;
    let (nobody, nowhere) = (world.from("nobody"), world.own.container_client("nowhere"));
    let gone = verify(&nobody, &destination).await.expect("compared");
    assert_eq!(gone.verdict, Verdict::SourceGone);
    let gone = verify(&nowhere.blob_client("a"), &nobody).await.expect("compared");
    assert_eq!(gone.verdict, Verdict::SourceGone);
    let gone = verify(&source, &nobody).await.expect("compared");
    assert_eq!(gone.verdict, Verdict::DestinationGone);
    assert_eq!(gone.to_string(), "the destination does not exist");
}

/// Starts a comparison, does something in its middle, and lets it end.
async fn meanwhile(
    world: &World,
    blobs: (&BlobClient, &BlobClient),
    act: impl AsyncFnOnce(),
) -> Verified {
    world.sim.faults().on(Op::PutBlockFromUrl).stall(Duration::from_secs(10));
    let compare = verify(blobs.0, blobs.1).piece(512).concurrency(2);
    let running = tokio::spawn(compare.into_future());
    pause(Duration::from_secs(15)).await;
    act().await;
    let verified = running.await.expect("no panic").expect("compared");
    world.sim.faults().clear();
    verified
}

#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_is_modified_meanwhile_is_told() {
    for kind in [Kind::Block, Kind::Append, Kind::Page] {
        let world = World::new().await;
        let (source, destination) = two_of(&world, kind, 8 * 512).await;
        world.sim.forget_requests();
        let blobs = (&source, &destination);
        for (changed, side) in [(&source, Side::Source), (&destination, Side::Destination)] {
            let rewrite = async || write(changed, kind, &noise(8 * 512, 1)).await;
            let verified = meanwhile(&world, blobs, rewrite).await;
            assert_eq!(verified.verdict, Verdict::Changed(side), "{kind:?}");
            assert_eq!(verified.scratch_left, None);
        }
        assert!(verify(&source, &destination).await.expect("compared").is_identical());
    }
}

#[tokio::test(start_paused = true)]
async fn a_blob_that_is_deleted_meanwhile_is_gone() {
    for kind in [Kind::Block, Kind::Page] {
        for (source_goes, verdict) in
            [(true, Verdict::SourceGone), (false, Verdict::DestinationGone)]
        {
            let world = World::new().await;
            let (source, destination) = two_of(&world, kind, 8 * 512).await;
            let going = if source_goes { &source } else { &destination };
            let delete = async || going.delete().await.expect("deleted");
            let verified = meanwhile(&world, (&source, &destination), delete).await;
            assert_eq!(verified.verdict, verdict);
            world.sim.forget_requests();
            world.check_clean().await;
        }
    }
}

#[tokio::test(start_paused = true)]
async fn another_etag_than_expected_is_a_change() {
    let world = World::new().await;
    let (source, destination) = two_of(&world, Kind::Block, 100).await;
    let etag = source.get_properties().await.expect("there").etag.expect("an ETag");
    let compare = || verify(&source, &destination);
    assert!(compare().source_etag(&etag).await.expect("compared").is_identical());
    let changed = compare().destination_etag(&etag).await.expect("compared");
    assert_eq!(changed.verdict, Verdict::Changed(Side::Destination));
    write(&source, Kind::Block, &noise(100, 1)).await;
    let changed = compare().source_etag(&etag).await.expect("compared");
    assert_eq!(changed.verdict, Verdict::Changed(Side::Source));
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_can_be_either_side() {
    for kind in [Kind::Block, Kind::Append, Kind::Page] {
        let world = World::new().await;
        let (source, destination) = two_of(&world, kind, 3 * 512).await;
        let taken = source.create_snapshot().await.expect("taken").snapshot;
        let snapshot = source.with_snapshot(&taken);
        write(&source, kind, &noise(3 * 512, 9)).await;
        for (one, other) in [(&snapshot, &destination), (&destination, &snapshot)] {
            assert!(verify(one, other).await.expect("compared").is_identical(), "{kind:?}");
        }
        assert!(!verify(&snapshot, &source).await.expect("compared").is_identical());
    }
}

#[tokio::test(start_paused = true)]
async fn accounts_may_differ_in_every_way() {
    let world = World::new().await;
    let content = noise(5 * 512, 3);
    let blob = |service: &blobcopy::BlobServiceClient, name: &str| {
        service.container_client(name).blob_client("a")
    };
    let (source, destination) = (blob(&world.own, "from"), blob(&world.other, "dest"));
    write(&source, Kind::Page, &content).await;
    write(&destination, Kind::Block, &content).await;
    world.sim.forget_requests();
    let compare = || verify(&source, &destination).piece(1024);
    assert!(compare().await.expect("compared").is_identical());
    let staged = |request: &blobcopy_simulator::SeenRequest| request.op() == Op::PutBlockFromUrl;
    let accounts = |sim: &Simulator| -> Vec<String> {
        let requests = sim.requests().into_iter().filter(staged);
        requests.map(|request| request.account().to_owned()).collect()
    };
    assert!(accounts(&world.sim).iter().all(|account| account == super::OTHER));
    world.check_clean().await;

    world.sim.forget_requests();
    let scratch = world.own.container_client("from");
    assert!(compare().scratch(&scratch).await.expect("compared").is_identical());
    assert!(accounts(&world.sim).iter().all(|account| account == "account1"));
}

#[tokio::test(start_paused = true)]
async fn what_the_service_cannot_read_is_unverifiable() {
    let world = World::new().await;
    let (source, destination) = two_of(&world, Kind::Block, 100).await;
    destination.set_tier(AccessTier::Archive).await.expect("set");
    let verified = verify(&source, &destination).await.expect("compared");
    assert_eq!(unverifiable(&verified), (UnverifiableReason::Archived, Some(Side::Destination)));
    assert_eq!(verified.to_string(), "cannot be verified: the destination is archived");

    let hidden = world.from("hidden");
    let key = CustomerProvidedKey::new([1; 32]);
    hidden.block_blob_client().upload("x").customer_key(key).await.expect("uploaded");
    let verified = verify(&hidden, &source).await.expect("compared");
    assert_eq!(unverifiable(&verified), (UnverifiableReason::CustomerKey, Some(Side::Source)));

    let disk = world.from("disk").page_blob_client();
    let backup = world.to("disk").page_blob_client();
    disk.create(1024).await.expect("created");
    let snapshot = disk.create_snapshot().await.expect("taken").snapshot;
    let mut copy = backup.start_copy_incremental(&disk, &snapshot).await.expect("started");
    let kept = copy.wait().await.expect("copied").destination_snapshot.expect("a snapshot");
    let verified = verify(&disk, &backup).await.expect("compared");
    assert_eq!(
        unverifiable(&verified),
        (UnverifiableReason::IncrementalCopy, Some(Side::Destination))
    );
    let kept = backup.with_snapshot(&kept);
    assert!(verify(&disk, &kept).await.expect("compared").is_identical());

    let pending = world.to("pending");
    world.sim.copies().hold();
    pending.start_copy_from_uri(&source).await.expect("started");
    let verified = verify(&source, &pending).await.expect("compared");
    assert_eq!(unverifiable(&verified), (UnverifiableReason::PendingCopy, Some(Side::Destination)));
}

#[tokio::test(start_paused = true)]
async fn a_list_of_page_ranges_that_is_refused_is_about_its_blob() {
    let world = World::new().await;
    let (source, destination) = two_of(&world, Kind::Page, 1024).await;
    for (container, side) in [("from", Side::Source), ("dest", Side::Destination)] {
        let rule = world.sim.faults().on(Op::GetPageRanges).container(container);
        rule.answer(403, "AuthorizationPermissionMismatch");
        let verified = verify(&source, &destination).await.expect("compared");
        let expected = (UnverifiableReason::NoPermission, Some(side));
        assert_eq!(unverifiable(&verified), expected, "{verified}");
        world.sim.faults().clear();
    }
}

/// A client with a SAS for one blob.
async fn lent(world: &World, blob: &BlobClient, rights: BlobSasPermissions) -> BlobClient {
    let until = world.sim.clock().now() + time::Duration::hours(1);
    let url = blob.sas_url(rights, until).await.expect("signed");
    let clock = world.sim.clock().clone();
    BlobClient::builder((&url).into())
        .options(ClientOptions::new().transport(world.sim.transport()).clock(clock))
        .build()
        .expect("a client")
}

#[tokio::test(start_paused = true)]
async fn without_permission_nothing_is_claimed() {
    let world = World::new().await;
    let (source, destination) = two_of(&world, Kind::Block, 100).await;
    let anonymous = BlobClient::builder(source.url().expect("legal"))
        .credential(Credential::anonymous())
        .options(ClientOptions::new().transport(world.sim.transport()))
        .build()
        .expect("a client");
    let verified = verify(&anonymous, &destination).await.expect("compared");
    assert_eq!(unverifiable(&verified), (UnverifiableReason::NoPermission, Some(Side::Source)));
    let Verdict::Unverifiable(why) = verified.verdict else { panic!("checked above") };
    assert!(why.message.is_some_and(|message| message.contains("Get Blob Properties")));

    let reader = lent(&world, &source, BlobSasPermissions::new().read()).await;
    assert!(verify(&reader, &destination).await.expect("compared").is_identical());
    // The SAS of the destination does not reach the scratch blob.
    let lent = lent(&world, &destination, BlobSasPermissions::new().read().write()).await;
    let verified = verify(&source, &lent).await.expect("compared");
    assert_eq!(unverifiable(&verified), (UnverifiableReason::NoPermission, None));
    let scratch = world.own.container_client("dest");
    assert!(verify(&source, &lent).scratch(&scratch).await.expect("compared").is_identical());
}

#[tokio::test(start_paused = true)]
async fn a_scratch_container_needs_its_rights_and_must_exist() {
    let world = World::new().await;
    let (source, destination) = two_of(&world, Kind::Block, 100).await;
    let until = world.sim.clock().now() + time::Duration::hours(1);
    let lent = async |rights: ContainerSasPermissions| {
        let url = world.own.container_client("dest").sas_url(rights, until).await.expect("signed");
        let options = ClientOptions::new().transport(world.sim.transport());
        let options = options.clock(world.sim.clock().clone());
        BlobContainerClient::builder((&url).into()).options(options).build().expect("a client")
    };
    let rights = ContainerSasPermissions::new().read();
    for (rights, enough) in [(rights, false), (rights.write(), true), (rights.create(), true)] {
        let compare = verify(&source, &destination).scratch(&lent(rights).await);
        let verified = compare.await.expect("compared");
        match enough {
            true => assert!(verified.is_identical(), "{verified}"),
            false => assert_eq!(unverifiable(&verified), (UnverifiableReason::NoPermission, None)),
        }
        // Without the right to delete, the blocks stay, and that is told.
        assert_eq!(verified.scratch_left.is_some(), enough);
    }
    let nowhere = world.own.container_client("nowhere");
    let error = verify(&source, &destination).scratch(&nowhere).await.expect_err("no container");
    assert_eq!(error.code(), Some(&blobcopy::ErrorCode::ContainerNotFound));
}

#[tokio::test(start_paused = true)]
async fn bad_settings_are_refused_before_any_request() {
    let world = World::new().await;
    world.sim.forget_requests();
    let new = || verify(&world.from("a"), &world.to("a"));
    for (compare, what) in [
        (new().piece(0), "piece: \"0\""),
        (new().piece(1000), "piece: \"1000\" must be a multiple of 512"),
        (new().piece((4000 << 20) + 512), "up to 4000 MiB"),
        (new().concurrency(1), "concurrency: \"1\" must be 2 to 64"),
        (new().concurrency(65), "concurrency"),
        (new().differences(0), "differences"),
    ] {
        let error = compare.await.expect_err(what).to_string();
        assert!(error.contains(what), "{error}");
    }
    assert!(world.sim.requests().is_empty());
}
