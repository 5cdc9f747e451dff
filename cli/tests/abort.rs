//! `blobcopy abort`.

use crate::support::World;

#[test]
fn a_pending_copy_is_found_and_aborted() {
    let world = World::new().with_disk();
    world.simulator.copies().hold();
    world.good(&["copy", "vhds/disk0.vhd", "backups/d"]);
    insta::assert_snapshot!("aborted", world.shown(&world.good(&["abort", "backups/d"])));
    insta::assert_snapshot!("again", world.shown(&world.good(&["abort", "backups/d"])));
    let json = world.good(&["abort", "backups/d", "--output", "json"]);
    insta::assert_snapshot!("again_json", world.shown(&json));
}

#[test]
fn only_the_copy_that_is_named_is_aborted() {
    let world = World::new().with_disk();
    world.simulator.copies().hold();
    world.good(&["copy", "vhds/disk0.vhd", "backups/d"]);
    let other = "11111111-2222-3333-4444-555555555555";
    let ended = world.run(&["abort", "backups/d", "--copy-id", other]);
    assert_eq!(ended.code, Some(4), "{ended:?}");
    let status = world.good(&["status", "backups/d", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["status"], "pending");
    let id = status["copy_id"].as_str().expect("an id");
    world.good(&["abort", "backups/d", "--copy-id", id]);
}

#[test]
fn a_blob_without_a_copy_has_nothing_to_abort() {
    let world = World::new().with_disk();
    let said = world.good(&["abort", "vhds/disk0.vhd"]);
    assert_eq!(world.shown(&said), "[ENDPOINT]/vhds/disk0.vhd tells of no copy\n");
}

#[test]
fn a_named_copy_that_has_ended_is_told() {
    let world = World::new().with_disk();
    world.simulator.copies().hold();
    let started = world.good(&["copy", "vhds/disk0.vhd", "backups/d", "-o", "json"]);
    let started: serde_json::Value = serde_json::from_str(&started).expect("JSON");
    let id = started["copy_id"].as_str().expect("an id");
    let abort = ["abort", "backups/d", "--copy-id", id, "--server-timeout", "7s", "-o", "json"];
    let outcome = |said: String| -> String {
        let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        said["outcome"].as_str().expect("text").to_owned()
    };
    assert_eq!(outcome(world.good(&abort)), "aborted");
    assert_eq!(outcome(world.good(&abort)), "already_finished");
}
