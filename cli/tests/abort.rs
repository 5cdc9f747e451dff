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
    let told = format!("error: copy {other} is not there: the blob carries copy ");
    assert!(ended.err.starts_with(&told) && ended.err.lines().count() == 2, "{ended:?}");
    let status = world.good(&["status", "backups/d", "--output", "json"]);
    let status: serde_json::Value = serde_json::from_str(&status).expect("JSON");
    assert_eq!(status["status"], "pending");
    let id = status["copy_id"].as_str().expect("an id");
    world.good(&["abort", "backups/d", "--copy-id", id]);
    let never = world.run(&["abort", "vhds/disk0.vhd", "--copy-id", other]);
    assert_eq!(never.code, Some(4), "{never:?}");
    assert!(never.err.contains("the blob carries no copy"), "{never:?}");
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

#[cfg(unix)]
#[test]
fn the_service_may_take_so_long_for_every_request_of_an_abort() {
    use crate::support::{bare, finish, spawn, stand_in::StandIn};

    let over = "<Error><Code>NoPendingCopyOperation</Code><Message>It has ended.</Message></Error>";
    let service = StandIn::by_http(409, over);
    let id = "11111111-2222-3333-4444-555555555555";
    for (named, requests) in [(&["--copy-id", id][..], 2), (&[], 1)] {
        let before = service.seen().len();
        let abort = ["abort", "backups/d", "--server-timeout", "7s"];
        let mut command = bare(&[&abort, named].concat());
        let string = "AccountName=acct;AccountKey=c2VjcmV0;BlobEndpoint=";
        let string = format!("{string}{}/acct", service.url);
        command.env("AZURE_STORAGE_CONNECTION_STRING", string);
        let ended = finish(spawn(command), "");
        assert_eq!(ended.code, Some(2), "{ended:?}");
        let seen = service.seen().split_off(before);
        assert_eq!(seen.len(), requests, "{seen:#?}");
        for request in seen {
            let line = request.lines().next().expect("a line");
            assert!(line.contains("timeout=7"), "{line}");
        }
    }
}
