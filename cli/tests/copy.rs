//! `blobcopy copy`.

use crate::support::{World, bare, finish, spawn};

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

#[test]
fn a_failure_names_the_blob_that_it_is_about() {
    let world = World::new().with_disk();
    world.snapshot();
    world.good(&["incremental", "vhds/disk0.vhd", "backups/", "--wait"]);
    let source = |arguments: &[&str], named: &str, advice: &str| {
        let ended = world.run(arguments);
        assert_eq!(ended.code, Some(2), "{arguments:?}: {ended:#?}");
        let err = world.shown(&ended.err);
        assert!(err.contains(&format!("([ENDPOINT]/{named})")), "{err}");
        assert!(err.contains(advice), "{err}");
    };
    source(&["copy", "vhds/none", "backups/x"], "vhds/none", "check the container, the name");
    source(&["copy", "nowhere/none", "backups/x"], "nowhere/none", "check the account");
    source(&["copy", "vhds/disk0.vhd", "nowhere/x"], "nowhere/x", "blobcopy create");
    source(&["copy", "vhds/disk0.vhd", "vhds/x", "--sync"], "vhds/disk0.vhd", "leave it out");
    source(&["copy", "backups/disk0.vhd", "vhds/x"], "backups/disk0.vhd", "SOURCE@latest");
    let dated = ["copy", "vhds/disk0.vhd@2026-01-01T00:00:00", "backups/x"];
    source(&dated, "vhds/disk0.vhd%402026-01-01T00%3A00%3A00", "needs an offset or Z");
    world.runtime.block_on(async {
        let notes = world.service().container_client("vhds").block_blob_client("notes.txt");
        notes.upload("some notes").await.expect("a blob");
        notes.create_snapshot().await.expect("a snapshot");
    });
    let notes = ["incremental", "vhds/notes.txt@latest", "backups/"];
    source(&notes, "vhds/notes.txt", "`blobcopy copy SOURCE DEST`");
    let onto = ["copy", "vhds/notes.txt", "vhds/disk0.vhd"];
    source(&onto, "vhds/disk0.vhd", "of another type, which no copy changes");
}

#[test]
fn a_blob_that_is_not_there_is_not_one_without_snapshots() {
    let world = World::new().with_disk();
    for when in ["latest", "2020-01-01T00:00:00Z"] {
        for command in [&["incremental"][..], &["copy"]] {
            let named = format!("vhds/none@{when}");
            let ended = world.run(&[command, &[&named, "backups/"]].concat());
            assert_eq!(ended.code, Some(2), "{ended:#?}");
            assert!(ended.err.contains("404 BlobNotFound"), "{ended:#?}");
        }
    }
    let ended = world.run(&["snapshots", "vhds/disk0.vhd@latest"]);
    assert_eq!(ended.code, Some(64), "{ended:#?}");
    assert!(ended.err.contains("the command is about the blob"), "{ended:#?}");
}

#[test]
fn a_time_that_no_snapshot_has_shows_the_nearest_everywhere() {
    let world = World::new().with_disk();
    let near = world.snapshot();
    let gone = "vhds/disk0.vhd@2020-01-01T00:00:00Z";
    for arguments in [
        &["copy", gone, "backups/"][..],
        &["copy", gone, "backups/", "--sync", "--what-if"],
        &["delete", gone],
        &["delete", gone, "--what-if"],
        &["sas", gone, "--permissions", "r", "--expiry", "2h"],
        &["sas", gone, "--permissions", "r", "--expiry", "2h", "--account-sas"],
    ] {
        let ended = world.run(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{arguments:?}: {ended:#?}");
        assert!(ended.err.contains(&format!("the nearest is {near}")), "{arguments:?}: {ended:#?}");
    }
}

#[test]
fn a_snapshot_that_may_not_be_read_may_be_deleted() {
    let world = World::new().with_disk();
    let taken = world.snapshot();
    let make = ["sas", "vhds/disk0.vhd", "--permissions", "d", "--expiry", "2h"];
    let signed = world.good(&make);
    let url = format!("{}&snapshot={taken}", signed.trim());
    let ended = finish(spawn(bare(&["delete", &url])), "");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(world.good(&["snapshots", "vhds/disk0.vhd"]), "");
}
