//! What a verification leaves behind: nothing.

use std::time::Duration;

use blobcopy::{
    BlobContainerClient, BlobInclude, BlobItem, BlockId,
    jobs::{remove_scratch, verify},
};
use blobcopy_simulator::Op;
use futures_util::TryStreamExt;

use super::{Kind, World, noise, write};

/// The names in a container that have uncommitted blocks alone.
pub(super) async fn left_in(container: &BlobContainerClient) -> Vec<String> {
    let list = container.list_blobs().include([BlobInclude::UncommittedBlobs]);
    let found: Vec<BlobItem> = list.try_collect().await.expect("listed");
    let left = found.into_iter().filter(|item| item.properties.etag.is_none());
    left.map(|item| item.name).collect()
}

async fn world() -> World {
    let world = World::new().await;
    for blob in [world.from("a"), world.to("a")] {
        write(&blob, Kind::Block, &noise(64 * 512, 1)).await;
    }
    world.sim.forget_requests();
    world
}

#[tokio::test(start_paused = true)]
async fn few_blocks_are_used_again_and_again() {
    let world = world().await;
    for _ in 0..2 {
        world.sim.faults().on(Op::PutBlockFromUrl).stall(Duration::from_millis(10));
        world.sim.faults().on(Op::DeleteBlob).answer(403, "AuthorizationFailure");
        let compare = verify(&world.from("a"), &world.to("a")).piece(512).concurrency(6);
        let verified = compare.await.expect("compared");
        assert!(verified.is_identical());
        let left = verified.scratch_left.expect("left");
        let to = world.own.container_client("dest");
        let names = left_in(&to).await;
        let [name] = &names[..] else { panic!("{names:?}") };
        assert!(
            left.url.ends_with(&format!("/dest/{name}")) && !left.url.contains('?'),
            "{left:?}"
        );
        assert!(left.message.contains("AuthorizationFailure"), "{left:?}");
        let list = to.block_blob_client(name).get_block_list().await.expect("listed");
        assert_eq!(list.uncommitted.len(), 6, "as many as are in flight");

        world.sim.faults().clear();
        assert_eq!(remove_scratch(&to).await.expect("removed"), names);
        assert_eq!(left_in(&to).await, [""; 0]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_name_is_taken_only_if_nothing_is_known_of_it() {
    let world = world().await;
    assert!(verify(&world.from("a"), &world.to("a")).await.expect("compared").is_identical());
    let requests = world.sim.requests();
    let of = |op: Op| requests.iter().filter(move |request| request.op() == op);
    let scratch = of(Op::DeleteBlob).next().and_then(|request| request.blob()).expect("a name");
    let random = scratch.strip_prefix(".blobcopy-verify-").expect("the prefix");
    assert!(random.len() == 32 && random.bytes().all(|byte| byte.is_ascii_hexdigit()));
    for op in [Op::GetBlobProperties, Op::GetBlockList] {
        let found = of(op).find(|request| request.blob() == Some(scratch)).expect("looked");
        assert_eq!(found.status(), 404);
    }
    assert_eq!(requests.len(), 2 + 2 + 2 + 1, "{requests:?}");
}

#[tokio::test(start_paused = true)]
async fn a_dropped_verification_removes_its_blocks_in_the_background() {
    let world = world().await;
    world.sim.faults().on(Op::PutBlockFromUrl).after(2).stall(Duration::from_secs(10));
    let compare = verify(&world.from("a"), &world.to("a")).piece(512).concurrency(2);
    let running = tokio::spawn(compare.into_future());
    pause(Duration::from_secs(5)).await;
    let to = world.own.container_client("dest");
    assert_eq!(left_in(&to).await.len(), 1);
    running.abort();
    pause(Duration::from_secs(5)).await;
    assert_eq!(left_in(&to).await, [""; 0]);
}

#[allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]
async fn pause(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test(start_paused = true)]
async fn only_scratch_is_removed() {
    let world = world().await;
    let to = world.own.container_client("dest");
    let id = BlockId::numbered(0);
    for name in [".blobcopy-verify-1", ".blobcopy-verify-2", ".blobcopy-verify-3", "mine"] {
        to.block_blob_client(name).stage_block(&id, "x").await.expect("staged");
    }
    // Somebody committed one, and stages more for it.
    let kept = to.block_blob_client(".blobcopy-verify-2");
    kept.commit_block_list([&id]).await.expect("committed");
    kept.stage_block(&id, "y").await.expect("staged");
    let removed = remove_scratch(&to).await.expect("removed");
    assert_eq!(removed, [".blobcopy-verify-1", ".blobcopy-verify-3"]);
    assert!(kept.exists().await.expect("looked"));
    assert_eq!(kept.get_block_list().await.expect("listed").uncommitted.len(), 1);
    assert_eq!(left_in(&to).await, ["mine"]);
}

#[tokio::test(start_paused = true)]
async fn a_running_verification_is_not_disturbed() {
    let world = world().await;
    world.sim.faults().on(Op::PutBlockFromUrl).stall(Duration::from_secs(10));
    let compare = verify(&world.from("a"), &world.to("a")).piece(8192).concurrency(2);
    let running = tokio::spawn(compare.into_future());
    pause(Duration::from_secs(15)).await;
    let to = world.own.container_client("dest");
    assert_eq!(remove_scratch(&to).await.expect("removed").len(), 1);
    let verified = running.await.expect("no panic").expect("compared");
    assert!(verified.is_identical() && verified.scratch_left.is_none(), "{verified:?}");
    assert_eq!(left_in(&to).await, [""; 0]);
}
