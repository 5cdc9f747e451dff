//! `blobcopy copy`.

use crate::support::World;

#[test]
fn a_copy_runs_in_the_background_or_in_one_call() {
    let world = World::new().with_disk();
    let ended = world.good(&["copy", "vhds/disk0.vhd", "backups/d", "--wait"]);
    insta::assert_snapshot!("waited", world.shown(&ended));
    world.runtime.block_on(async {
        let notes = world.service().container_client("vhds").block_blob_client("notes.txt");
        notes.upload("some notes").await.expect("a blob");
    });
    let flags = ["--sync", "--metadata", "origin=a=b", "--tags", "stage=test", "--tier", "Cool"];
    let ended = world.good(&[&["copy", "vhds/notes.txt", "backups/"], &flags[..]].concat());
    insta::assert_snapshot!("at_once", world.shown(&ended));
    let copied = world.service().container_client("backups").blob_client("notes.txt");
    let (properties, tags) = world.runtime.block_on(async {
        (copied.get_properties().await.expect("there"), copied.get_tags().await.expect("there"))
    });
    assert_eq!(properties.metadata.get("origin"), Some("a=b"));
    assert_eq!(properties.access_tier, Some(blobcopy::AccessTier::Cool));
    assert_eq!(tags.get("stage"), Some("test"));
}

#[test]
fn a_snapshot_is_promoted() {
    let world = World::new().with_disk();
    let before = world.snapshot();
    world.change(0, 4096);
    world.good(&["copy", &format!("vhds/disk0.vhd@{before}"), "vhds/disk0.vhd", "--wait"]);
    let disk = world.service().container_client("vhds").blob_client("disk0.vhd");
    let content = world.runtime.block_on(async { disk.download().await?.bytes().await });
    assert_eq!(content.expect("there")[..4096], [1; 4096]);
}

#[test]
fn a_condition_that_is_not_met_is_refused() {
    let world = World::new().with_disk();
    let copy = ["copy", "vhds/disk0.vhd", "backups/d", "--if-none-match", "*"];
    world.good(&copy);
    let ended = world.run(&copy);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    let source = ["copy", "vhds/disk0.vhd", "backups/e", "--source-if-match", "0x1"];
    assert_eq!(world.run(&source).code, Some(2));
    let bad = ["copy", "vhds/disk0.vhd", "backups/e", "--if-modified-since", "yesterday"];
    assert_eq!(world.run(&bad).code, Some(64));
}

#[test]
fn a_promoted_snapshot_warns_that_it_ends_the_series() {
    let world = World::new().with_disk();
    world.snapshot();
    for (flag, warns) in [("--what-if", true), ("--wait", true), ("--quiet", false)] {
        let ended = world.run(&["copy", "vhds/disk0.vhd@latest", "vhds/disk0.vhd", flag]);
        assert_eq!(ended.code, Some(0), "{ended:?}");
        assert_eq!(ended.err.starts_with("warning: "), warns, "{ended:?}");
        assert_eq!(ended.err.contains("series"), warns, "{ended:?}");
    }
    let ended = world.run(&["copy", "vhds/disk0.vhd@latest", "vhds/new.vhd", "--what-if"]);
    assert_eq!(ended.err, "", "there is nothing to be lost");
}
