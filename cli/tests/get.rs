//! `blobcopy get`: where the file goes, and what is not read.

use blobcopy_simulator::Op;

use crate::support::{World, disk::Folder};

#[test]
fn a_blob_is_not_read_while_a_copy_into_it_is_pending() {
    let world = World::new().with_disk();
    let folder = Folder::new("pending-get");
    let notes = folder.write("notes.txt", b"notes");
    world.good(&["put", &notes, "vhds/notes.txt"]);
    world.simulator.copies().hold();
    world.good(&["copy", "vhds/notes.txt", "backups/notes.txt"]);
    let got = folder.path("got.txt");
    for file in [got.as_str(), "-"] {
        let ended = world.run(&["get", "backups/notes.txt", file]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:?}");
        assert!(ended.err.contains("`blobcopy status backups/notes.txt --wait`"), "{ended:?}");
    }
    assert!(!std::path::Path::new(&got).exists());
    world.good(&["abort", "backups/notes.txt"]);
    let ended = world.run(&["get", "backups/notes.txt", &got]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.err.starts_with("warning: the last copy into "), "{ended:?}");
}

#[test]
fn in_a_folder_the_file_has_the_blobs_name() {
    let world = World::new().with_disk();
    let folder = Folder::new("get-into");
    let notes = folder.write("notes.txt", b"notes");
    world.good(&["put", &notes, "vhds/2026/notes.txt"]);
    let into = folder.path("into");
    std::fs::create_dir(&into).expect("a folder");
    for file in [into.clone(), format!("{into}/")] {
        let got = world.good(&["get", "vhds/2026/notes.txt", &file, "--output", "json"]);
        let got: serde_json::Value = serde_json::from_str(&got).expect("JSON");
        assert_eq!(got["file"], format!("{into}/notes.txt"));
        assert_eq!(std::fs::read(format!("{into}/notes.txt")).expect("there"), b"notes");
    }
}

#[test]
fn a_blob_that_is_written_while_it_is_read_is_said_to_be() {
    let world = World::new().with_disk();
    let folder = Folder::new("meanwhile");
    world.simulator.faults().on(Op::GetPageRanges).answer(412, "ConditionNotMet");
    let ended = world.run(&["get", "vhds/disk0.vhd", &folder.path("got")]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("written while it was read"), "{ended:?}");
}
