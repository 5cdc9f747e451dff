//! Block blobs of another account, block by block.

use blobcopy_simulator::Op;

use super::world::{CUTS, Cut, World, bytes, content, pass};
use crate::{
    AccessTier, BlockId, Conditions, ETag,
    jobs::{
        Skipped,
        routes::{
            NotCarried, Why,
            blocks::{carry, cost},
        },
        task::{Carried, Settings},
    },
};

const NAME: &str = "film.mp4";
const LENGTH: usize = 10_000;

/// Blocks of 1 KB, three at a time, so that a film takes ten.
fn small() -> Settings {
    Settings { block: Some(1024), in_flight: 3, ..Settings::default() }
}

fn proved() -> Settings {
    Settings { proved: true, ..small() }
}

async fn film() -> World {
    let world = World::new().await;
    let film = world.from.block_blob_client(NAME);
    film.upload(bytes(1, LENGTH))
        .content_type("video/mp4")
        .content_encoding("none")
        .content_language("de")
        .content_disposition("inline")
        .cache_control("no-store")
        .metadata([("owner", "team a")])
        .tags([("stage", "final cut")])
        .tier(AccessTier::Cool)
        .await
        .expect("uploaded");
    world
}

async fn run(world: &World, settings: Settings) -> Result<Carried, NotCarried> {
    carry(&world.task(NAME, settings).await).await
}

async fn is_equal(world: &World) -> bool {
    content(&world.from, NAME).await == content(&world.to, NAME).await
}

#[tokio::test(start_paused = true)]
async fn a_blob_is_copied_with_all_that_it_is_kept_for() {
    let world = film().await;
    let carried = run(&world, small()).await.expect("carried");
    assert_eq!(world.sent(), 10 + 2, "a request for each block, and two");
    assert!(is_equal(&world).await);
    let source = world.from.blob_client(NAME).get_properties().await.expect("there");
    let copy = world.to.blob_client(NAME).get_properties().await.expect("there");
    assert_eq!(copy.metadata, source.metadata);
    assert_eq!(copy.content_type, source.content_type);
    assert_eq!(copy.content_encoding, source.content_encoding);
    assert_eq!(copy.content_language, source.content_language);
    assert_eq!(copy.content_disposition, source.content_disposition);
    assert_eq!(copy.cache_control, source.cache_control);
    assert_eq!((copy.content_md5, copy.content_md5.is_some()), (source.content_md5, true));
    assert_eq!(copy.access_tier, Some(AccessTier::Cool));
    let tags = world.to.blob_client(NAME).get_tags().await.expect("there");
    assert_eq!(tags.get("stage"), Some("final cut"));

    assert_eq!((carried.source_etag, carried.destination_etag), (source.etag, copy.etag));
    assert_eq!((carried.length, carried.bytes), (LENGTH as u64, LENGTH as u64));
    assert!(!carried.is_adopted && carried.changed_metadata.is_empty());
    let mut at = 0;
    for piece in &carried.pieces {
        assert_eq!(piece.offset, at);
        at += piece.length;
    }
    assert_eq!(at, LENGTH as u64, "the pieces prove the whole");
    let pins = world.seen(Op::PutBlockFromUrl);
    let pinned = |etag: &str| etag == carried_etag(&pins[0]);
    assert!(pins.iter().all(|request| request.header("x-ms-source-if-match").is_some_and(pinned)));
}

fn carried_etag(request: &blobcopy_simulator::SeenRequest) -> &str {
    request.header("x-ms-source-if-match").expect("pinned")
}

#[tokio::test(start_paused = true)]
async fn what_is_not_to_be_kept_is_not_kept() {
    let world = film().await;
    let settings = Settings { tags: false, tier: false, ..small() };
    run(&world, settings).await.expect("carried");
    let copy = world.to.blob_client(NAME).get_properties().await.expect("there");
    assert_eq!((copy.tag_count.unwrap_or_default(), copy.is_access_tier_inferred), (0, Some(true)));
}

#[tokio::test(start_paused = true)]
async fn a_copy_that_must_be_proved_adopts_nothing() {
    let world = film().await;
    world.cut(Some((6, Cut::Applied)));
    run(&world, proved()).await.expect_err("cut off");
    world.cut(None);
    let carried = run(&world, proved()).await.expect("carried");
    assert_eq!((carried.bytes, carried.pieces.len()), (LENGTH as u64, 10), "all is staged again");
    assert!(!carried.is_adopted);
}

#[tokio::test(start_paused = true)]
async fn a_run_that_was_cut_off_is_gone_on_with() {
    for cut in CUTS {
        for request in 1..=12 {
            let world = film().await;
            world.cut(Some((request, cut)));
            run(&world, small()).await.expect_err("cut off");
            world.cut(None);
            let list = world.to.block_blob_client(NAME).get_block_list().await;
            let there = list.map_or(0, |list| list.uncommitted.len() as u64);
            let before = world.sim.count(Op::PutBlockFromUrl);
            let task = world.task(NAME, small()).await;
            let planned = cost(&task).await.expect("planned");
            world.cut(None);
            let carried = carry(&task).await.expect("carried");
            assert_eq!((world.sent(), carried.bytes), (planned.requests, planned.bytes));
            let staged = world.sim.count(Op::PutBlockFromUrl) - before;
            assert!(is_equal(&world).await, "{cut:?} at {request}");
            assert_eq!((staged, carried.is_adopted), (10 - there, there > 0));
            pass(120).await;
            assert!(is_equal(&world).await, "{cut:?} at {request}, after what was late");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn only_pieces_of_this_run_are_a_proof() {
    let world = film().await;
    world.cut(Some((6, Cut::Applied)));
    run(&world, small()).await.expect_err("cut off");
    world.cut(None);
    let resumed = run(&world, small()).await.expect("carried");
    assert!(resumed.is_adopted && resumed.pieces.is_empty());
    assert!(resumed.bytes < LENGTH as u64);

    let world = film().await;
    world.cut(Some((6, Cut::Applied)));
    run(&world, proved()).await.expect_err("cut off");
    world.cut(None);
    let resumed = run(&world, proved()).await.expect("carried");
    let proved: u64 = resumed.pieces.iter().map(|piece| piece.length).sum();
    assert_eq!((resumed.bytes, proved), (LENGTH as u64, LENGTH as u64));
}

#[tokio::test(start_paused = true)]
async fn a_source_that_changed_or_is_gone_is_told_apart() {
    let world = film().await;
    let task = world.task(NAME, small()).await;
    let film = world.from.block_blob_client(NAME);
    film.upload(bytes(2, LENGTH)).await.expect("uploaded");
    let error = carry(&task).await.expect_err("another film");
    assert_eq!(error.why, Why::SourceChanged, "{error:?}");
    film.delete().await.expect("deleted");
    let error = carry(&task).await.expect_err("no film");
    assert_eq!(error.why, Why::SourceGone, "{error:?}");
    assert!(!world.to.blob_client(NAME).exists().await.expect("answered"));
    // Staged blocks of the first film are of no use for the second.
    film.upload(bytes(3, LENGTH)).await.expect("uploaded");
    assert!(!run(&world, small()).await.expect("carried").is_adopted);
    assert!(is_equal(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_destination_that_appeared_or_changed_is_not_overwritten() {
    let world = film().await;
    let task = world.task(NAME, small()).await;
    let there = world.to.block_blob_client(NAME);
    there.upload("theirs").await.expect("uploaded");
    let error = carry(&task).await.expect_err("it appeared");
    assert_eq!(error.why, Why::DestinationChanged, "{error:?}");
    let task = world.task(NAME, small()).await;
    there.upload("theirs too").await.expect("uploaded");
    let error = carry(&task).await.expect_err("it changed");
    assert_eq!(error.why, Why::DestinationChanged, "{error:?}");
    assert_eq!(content(&world.to, NAME).await, "theirs too");
    run(&world, small()).await.expect("it is seen now");
    assert!(is_equal(&world).await);
}

#[tokio::test(start_paused = true)]
async fn a_commit_whose_answer_was_lost_is_found() {
    let world = film().await;
    world.sim.faults().on(Op::PutBlockList).lose_answer().times(1);
    let carried = run(&world, small()).await.expect("carried");
    let copy = world.to.blob_client(NAME).get_properties().await.expect("there");
    assert_eq!(carried.destination_etag, copy.etag);
    assert!(is_equal(&world).await);

    // Not if another blob is there now.
    let world = film().await;
    let there = world.to.block_blob_client(NAME);
    there.upload("theirs").await.expect("uploaded");
    let task = world.task(NAME, small()).await;
    world.sim.faults().on(Op::PutBlockList).reset().times(1);
    there.upload("theirs too").await.expect("uploaded");
    assert_eq!(carry(&task).await.expect_err("theirs").why, Why::DestinationChanged);
}

#[tokio::test(start_paused = true)]
async fn blocks_of_another_tool_are_removed_only_if_nothing_is_committed() {
    let world = film().await;
    let there = world.to.block_blob_client(NAME);
    there.stage_block(BlockId::numbered(7), "theirs").await.expect("staged");
    run(&world, small()).await.expect("carried");
    assert!(is_equal(&world).await);

    there.stage_block(BlockId::numbered(7), "theirs").await.expect("staged");
    let error = run(&world, small()).await.expect_err("in the way");
    assert_eq!(error.why, Why::Skipped(Skipped::ForeignBlocks));
    assert_eq!(there.get_block_list().await.expect("listed").uncommitted.len(), 1);

    // A blob that was committed after the listing is not deleted.
    let world = film().await;
    let task = world.task(NAME, small()).await;
    let there = world.to.block_blob_client(NAME);
    let new = Conditions::new().if_none_match(ETag::ANY);
    there.upload("theirs").conditions(new).await.expect("uploaded");
    there.stage_block(BlockId::numbered(7), "more").await.expect("staged");
    let error = carry(&task).await.expect_err("in the way");
    assert_eq!(error.why, Why::Skipped(Skipped::ForeignBlocks), "{error:?}");
    assert_eq!(content(&world.to, NAME).await, "theirs");
}

#[tokio::test(start_paused = true)]
async fn an_empty_blob_is_copied_too() {
    let world = World::new().await;
    world.from.block_blob_client(NAME).upload("").await.expect("uploaded");
    let carried = run(&world, proved()).await.expect("carried");
    assert_eq!((carried.length, carried.pieces.len()), (0, 0));
    assert!(is_equal(&world).await);
}
