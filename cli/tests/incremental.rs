//! `blobcopy incremental`: the five parameter sets of the cmdlet, and what they share.

use crate::support::{Ended, World, bare, finish, spawn};

fn url(world: &World, path: &str) -> String {
    let endpoint = world.simulator.endpoint("devstoreaccount1").to_string();
    format!("{}/{path}", endpoint.trim_end_matches('/'))
}

/// The blob that a run has copied into, and the snapshot that it has copied.
fn copied(ended: &Ended) -> (String, String) {
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let record: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    let text = |name: &str| record[name].as_str().expect(name).to_owned();
    assert_eq!(text("status"), "success", "{record}");
    (text("destination"), text("source_snapshot"))
}

/// Waits for the end, which an answer to a start does not tell.
const JSON: [&str; 3] = ["--wait", "--output", "json"];

#[test]
fn container_and_blob_names_with_a_snapshot_time() {
    let world = World::new().with_disk();
    let first = world.snapshot();
    world.snapshot();
    let ended = world.run(
        &[&["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", &first][..], &JSON].concat(),
    );
    assert_eq!(copied(&ended), (url(&world, "backups/disk0.vhd"), first));
}

#[test]
fn a_containers_url_and_a_blob_name() {
    let world = World::new().with_disk();
    let first = world.snapshot();
    let container = url(&world, "vhds");
    let flags = ["incremental", "--source-container", &container, "disk0.vhd", "backups/x.vhd"];
    let ended = world.run(&[&flags[..], &JSON].concat());
    assert_eq!(copied(&ended), (url(&world, "backups/x.vhd"), first));
}

#[test]
fn a_snapshots_url_and_a_destination_container() {
    let world = World::new().with_disk();
    let first = world.snapshot();
    world.snapshot();
    let source = url(&world, &format!("vhds/disk0.vhd?snapshot={first}"));
    let ended = world.run(&[&["incremental", &source, "backups"][..], &JSON].concat());
    assert_eq!(copied(&ended), (url(&world, "backups/disk0.vhd"), first));
}

#[test]
fn a_snapshots_url_and_a_destination_blobs_url() {
    let world = World::new().with_disk();
    let first = world.snapshot();
    let source = url(&world, &format!("vhds/disk0.vhd?snapshot={first}"));
    let dest = url(&world, "backups/daily/disk0.vhd");
    let ended = world.run(&[&["incremental", &source, &dest][..], &JSON].concat());
    assert_eq!(copied(&ended), (dest, first));
}

#[test]
fn any_absolute_uri() {
    let world = World::new().with_disk();
    let first = world.snapshot();
    // Signed by its owner, and used by someone who has no other account than the destination's.
    let signed = world.good(&["sas", "vhds/disk0.vhd", "--permissions", "r", "--expiry", "2h"]);
    let source = format!("{}&snapshot={first}", signed.trim());
    let ended = world.run(&[&["incremental", &source, "backups/"][..], &JSON].concat());
    assert_eq!(copied(&ended), (url(&world, "backups/disk0.vhd"), first));
    assert!(ended.err.starts_with("warning: the process list shows the SAS"), "{}", ended.err);
    assert!(!format!("{}{}", ended.out, ended.err).contains("sig="), "{ended:?}");
}

#[test]
fn a_source_in_another_account_has_a_context_of_its_own() {
    let builder = blobcopy_simulator::Simulator::builder();
    let world = World::of(builder.account("disks", "ZGlza3M=").account("backups", "YmFja3Vwcw=="));
    let world = world.with_disk();
    let first = world.snapshot();
    let strings = ["disks", "backups"]
        .map(|account| world.simulator.connection_string_of(account).expect("an account"));
    let run = |arguments: &[&str]| {
        let mut command = bare(arguments);
        command.env("AZURE_STORAGE_SOURCE_CONNECTION_STRING", &strings[0]);
        command.env("AZURE_STORAGE_CONNECTION_STRING", &strings[1]);
        finish(spawn(command), "")
    };
    assert_eq!(run(&["create", "daily"]).code, Some(0));
    let ended = run(&[&["incremental", "vhds/disk0.vhd", "daily/"][..], &JSON].concat());
    let (dest, snapshot) = copied(&ended);
    assert!(dest.ends_with("/backups/daily/disk0.vhd"), "{dest}");
    assert_eq!(snapshot, first);
}

#[test]
fn only_a_page_blob_gets_a_new_snapshot() {
    let world = World::new().with_disk();
    let notes = world.service().container_client("vhds").block_blob_client("notes.txt");
    world.runtime.block_on(async { notes.upload("notes").await }).expect("there");
    let ended = world.run(&["incremental", "vhds/notes.txt", "backups/", "--snapshot", "new"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("is a BlockBlob"), "{ended:?}");
    assert_eq!(world.good(&["snapshots", "vhds/notes.txt", "-o", "jsonl"]), "");
}

#[test]
fn a_series_that_cannot_go_on_is_not_advised_to() {
    let world = World::new().with_disk();
    let new = ["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new", "--wait"];
    world.good(&new);
    let disk = world.service().container_client("vhds").page_blob_client("disk0.vhd");
    world.runtime.block_on(async { disk.create(64 << 10).await }).expect("created again");
    let ended = world.run(&new);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("is kept") && !ended.err.contains("`blobcopy inc"), "{ended:?}");
}

#[test]
fn what_incremental_copies_made_is_written_by_nothing_else() {
    let world = World::new().with_disk();
    let new = ["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new", "--wait"];
    world.good(&new);
    let copied = world.run(&["copy", "vhds/disk0.vhd", "backups/"]);
    assert_eq!(copied.code, Some(2), "{copied:?}");
    assert!(copied.err.contains("nothing else may be written there"), "{copied:?}");
    let taken = world.run(&["snapshot", "backups/disk0.vhd"]);
    assert!(taken.err.contains("each is a snapshot"), "{taken:?}");
    let onto_itself = world.run(&["incremental", "vhds/disk0.vhd", "vhds/"]);
    assert!(onto_itself.err.contains("copy to a new blob"), "{onto_itself:?}");
}

#[test]
fn without_a_snapshot_it_names_the_way_to_one() {
    let world = World::new().with_disk();
    let ended = world.run(&["incremental", "vhds/disk0.vhd", "backups/"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    insta::assert_snapshot!("no_snapshot", world.shown(&ended.err));
    let ended = world.run(&["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    insta::assert_snapshot!("new", world.shown(&ended.out));
}

#[test]
fn a_new_snapshot_is_named_when_the_rest_fails() {
    let world = World::new().with_disk();
    let ended = world.run(&["incremental", "vhds/disk0.vhd", "nowhere/", "--snapshot", "new"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    insta::assert_snapshot!("new_but_failed", world.shown(&ended.err));
}

#[test]
fn a_time_that_no_snapshot_has_shows_the_nearest() {
    let world = World::new().with_disk();
    world.snapshot();
    let ended = world.run(&["incremental", "vhds/disk0.vhd@2020-01-01T00:00:00Z", "backups/"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    insta::assert_snapshot!("nearest", world.shown(&ended.err));
}

#[test]
fn what_if_changes_nothing() {
    let world = World::new().with_disk();
    world.snapshot();
    for snapshot in ["latest", "new"] {
        let flags = ["--snapshot", snapshot, "--what-if"];
        let said =
            world.good(&[&["incremental", "vhds/disk0.vhd", "backups/"], &flags[..]].concat());
        insta::assert_snapshot!(format!("what_if_{snapshot}"), world.shown(&said));
    }
    assert_eq!(world.simulator.copies().started(), 0);
}

#[test]
fn what_if_of_a_new_snapshot_says_that_its_source_is_missing() {
    let world = World::new().with_disk();
    let flags = ["--snapshot", "new", "--what-if"];
    let ended = world.run(&[&["incremental", "vhds/missing.vhd", "backups/"], &flags[..]].concat());
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:?}");
    assert!(world.shown(&ended.err).contains("[ENDPOINT]/vhds/missing.vhd"), "{ended:?}");
}

/// A SAS URL of a container, and nothing else that authorizes.
fn signed_container(world: &World, container: &str, permissions: &str) -> String {
    let make = ["sas", container, "--permissions", permissions, "--expiry", "2h"];
    world.good(&make).trim().to_owned()
}

#[test]
fn a_containers_sas_holds_for_what_comes_into_it_and_out_of_it() {
    let world = World::new().with_disk();
    let first = world.snapshot();
    let (vhds, backups) =
        (signed_container(&world, "vhds", "rl"), signed_container(&world, "backups", "rwcdl"));
    let run = |arguments: &[&str]| finish(spawn(bare(arguments)), "");
    let from = ["incremental", "--source-container", &vhds, "disk0.vhd", &backups];
    let ended = run(&[&from[..], &JSON].concat());
    assert_eq!(copied(&ended), (url(&world, "backups/disk0.vhd"), first.clone()));
    assert!(ended.err.contains("--source-sas-file keeps it out"), "{}", ended.err);
    assert!(!format!("{}{}", ended.out, ended.err).contains("sig="), "{ended:?}");
    let named = format!("disk0.vhd@{first}");
    let daily = backups.replacen("/backups?", "/backups/daily/?", 1);
    let from = ["incremental", "--source-container", &vhds, &named, &daily];
    let ended = run(&[&from[..], &JSON].concat());
    assert_eq!(copied(&ended), (url(&world, "backups/daily/disk0.vhd"), first));

    let blob = vhds.replacen("/vhds?", "/vhds/disk0.vhd?", 1);
    let deeper = backups.replacen("/backups?", "/backups/copies/?", 1);
    let ended = run(&[&["copy", &blob, &deeper][..], &JSON].concat());
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let folder = crate::support::disk::Folder::new("signed-container");
    let file = folder.write("notes.txt", b"some notes");
    let ended = run(&["put", &file, &backups]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let found = world.good(&["get", "backups/notes.txt", "-"]);
    assert_eq!(found, "some notes");
}

/// The command that advice names, as a shell takes it.
fn advised(err: &str) -> String {
    let start = err.find("`blobcopy incremental").expect(err);
    let rest = &err[start + 1..];
    rest[..rest.find('`').expect(err)].to_owned()
}

#[test]
fn the_command_that_repeats_a_failed_copy_works_for_urls_too() {
    let world = World::new().with_disk();
    let (source, dest) = (url(&world, "vhds/disk0.vhd"), url(&world, "later"));
    let folder = crate::support::disk::Folder::new("repeated");
    let file = folder.write("string", world.simulator.connection_string().as_bytes());
    let more = ["--snapshot", "new", "--source-connection-string-file", &file];
    let ended = world.run(&[&["incremental", &source, &dest][..], &more].concat());
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    let command = advised(&ended.err);
    let flag = format!(" --source-connection-string-file {file}");
    assert!(command.contains("?snapshot=") && command.ends_with(&flag), "{command}");
    world.good(&["create", "later"]);
    let words: Vec<String> =
        command.split(' ').skip(1).map(|word| word.trim_matches('\'').to_owned()).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ended = world.run(&[&words[..], &JSON].concat());
    assert_eq!(copied(&ended).0, url(&world, "later/disk0.vhd"));
}

#[test]
fn a_shown_command_says_where_its_sas_was_cut() {
    let world = World::new().with_disk();
    let signed = signed_container(&world, "vhds", "rw").replacen("/vhds?", "/vhds/disk0.vhd?", 1);
    let ended = world.run(&["incremental", &signed, "nowhere/", "--snapshot", "new"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    let command = advised(&ended.err);
    assert!(command.contains("&SAS' nowhere/disk0.vhd"), "{command}");
    assert!(ended.err.ends_with("; write the URL's own SAS where it says SAS\n"), "{}", ended.err);
    assert!(!ended.err.contains("sig="), "{}", ended.err);
}

#[test]
fn a_name_that_ends_like_a_snapshot_is_shown_as_a_url() {
    let world = World::new().with_disk();
    world.runtime.block_on(async {
        let disk = world.service().container_client("vhds").page_blob_client("d@latest");
        disk.create(4096).await.expect("a disk");
    });
    let source = url(&world, "vhds/d@latest");
    let ended = world.run(&["incremental", &source, "nowhere/", "--snapshot", "new"]);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    let shown = advised(&ended.err);
    assert!(shown.ends_with(&url(&world, "nowhere/d%40latest")), "{shown}");
}

#[test]
fn an_abort_is_shown_as_a_url_where_a_name_ends_like_a_snapshot() {
    let world = World::new().with_disk();
    world.simulator.copies().hold();
    let dest = url(&world, "backups/d@latest");
    world.good(&["copy", "vhds/disk0.vhd", &dest]);
    let ended = world.run(&["status", "backups/", "--wait", "--timeout", "1s"]);
    assert_eq!(ended.code, Some(5), "{ended:#?}");
    let shown = url(&world, "backups/d%40latest");
    assert!(ended.err.contains(&format!("`blobcopy abort {shown}`")), "{ended:#?}");
    world.good(&["abort", &shown]);
}
