//! `blobcopy delete`.

use crate::support::World;

#[test]
fn snapshots_are_deleted_with_the_blob_or_without_it() {
    let world = World::new().with_disk();
    let first = world.snapshot();
    world.snapshot();
    let refused = world.run(&["delete", "vhds/disk0.vhd"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.err.contains("--snapshots include"), "{refused:?}");
    let one = world.good(&["delete", &format!("vhds/disk0.vhd@{first}")]);
    assert_eq!(world.shown(&one), "deleted [ENDPOINT]/vhds/disk0.vhd?snapshot=[TIME 1]\n");
    let only = world.good(&["delete", "vhds/disk0.vhd", "--snapshots", "only", "-o", "json"]);
    insta::assert_snapshot!("only", world.shown(&only));
    assert_eq!(world.good(&["snapshots", "vhds/disk0.vhd"]), "");
    world.good(&["delete", "vhds/disk0.vhd", "--snapshots", "include"]);
    assert_eq!(world.run(&["delete", "vhds/disk0.vhd"]).code, Some(2));
}

#[test]
fn what_if_deletes_nothing() {
    let world = World::new().with_disk();
    let said = world.good(&["delete", "vhds/disk0.vhd", "--what-if"]);
    assert_eq!(world.shown(&said), "what if: Delete Blob [ENDPOINT]/vhds/disk0.vhd\n");
    world.snapshot();
}
