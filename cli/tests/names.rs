//! Names that look like something else.

use crate::support::{World, disk::Folder, finish, spawn};

/// They look like a signature, like a user in a URL, and like a login.
const ODD: [&str; 3] = ["sig=abc", "x://a@b", "a@b"];

#[test]
fn a_name_that_looks_like_a_secret_is_shown_and_used_again() {
    let world = World::new().with_disk();
    let folder = Folder::new("odd-names");
    let image = folder.write("disk.img", &[1; 4096]);
    for name in ODD {
        let blob = format!("vhds/{name}");
        world.good(&["put", &image, &blob, "--page"]);
        world.good(&["snapshot", &blob]);
        let lines = world.good(&["snapshots", &blob, "--output", "jsonl"]);
        let row: serde_json::Value = serde_json::from_str(lines.trim()).expect("JSON");
        assert_eq!(row["name"], name);
        let command = world.command(&["incremental", "-", "backups/", "--wait", "-o", "jsonl"]);
        let ended = finish(spawn(command), &lines);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        let deleted = world.good(&["delete", &blob, "--snapshots", "include"]);
        assert!(!deleted.contains("REDACTED"), "{deleted}");
    }
    let listed = world.good(&["status", "backups/", "--output", "json"]);
    assert!(!listed.contains("REDACTED") && listed.matches("success").count() == 3, "{listed}");
}

#[test]
fn the_commands_that_are_printed_name_it_as_it_is() {
    let world = World::new().with_disk();
    world.snapshot();
    world.simulator.copies().hold();
    for name in ODD {
        let dest = format!("backups/{name}");
        let flags = ["--wait", "--timeout", "1s"];
        let ended = world.run(&[&["incremental", "vhds/disk0.vhd", &dest], &flags[..]].concat());
        assert_eq!(ended.code, Some(5), "{ended:?}");
        let abort = format!("`blobcopy abort {dest}`");
        assert!(ended.err.contains(&abort), "{abort}: {ended:?}");
    }
}

#[test]
fn a_sas_behind_a_name_is_refused_and_makes_no_blob() {
    let world = World::new().with_disk();
    let folder = Folder::new("sas-behind-a-name");
    let notes = folder.write("notes.txt", b"notes");
    let ended = world.run(&["put", &notes, "vhds/notes.txt?sv=2026-10-06&sig=SECRET"]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.err.contains("--sas-file") && !ended.err.contains("SECRET"), "{ended:?}");
}

#[test]
fn a_snapshot_behind_a_name_is_advised_of() {
    let world = World::new().with_disk();
    let snapshot = world.snapshot();
    let ended = world.run(&["status", &format!("vhds/disk0.vhd?snapshot={snapshot}")]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("BLOB@TIME"), "{ended:?}");
}
