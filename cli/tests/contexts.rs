//! Which account is meant, and what authorizes the requests.

use blobcopy_simulator::DEFAULT_KEY;

use crate::support::{Ended, World, bare, disk::Folder, finish, spawn};

/// Runs the binary where no account is named but by its arguments.
fn run(arguments: &[&str]) -> Ended {
    finish(spawn(bare(arguments)), "")
}

fn url(world: &World, path: &str) -> String {
    let endpoint = world.simulator.endpoint("devstoreaccount1").to_string();
    format!("{}/{path}", endpoint.trim_end_matches('/'))
}

#[test]
fn a_url_names_the_account_of_a_sas_or_a_key_in_a_file() {
    let world = World::new().with_disk();
    let folder = Folder::new("url-and-file");
    let signed = world.good(&["sas", "vhds", "--permissions", "rwl", "--expiry", "2h"]);
    let sas = signed.trim().split_once('?').expect("a SAS").1;
    let sas = folder.write("sas", sas.as_bytes());
    let key = folder.write("key", DEFAULT_KEY.as_bytes());
    let whole = folder.write("url", signed.as_bytes());
    let (disk, got) = (url(&world, "vhds/disk0.vhd"), folder.path("got"));
    for credential in [["--sas-file", &sas], ["--sas-file", &whole], ["--key-file", &key]] {
        let ended = run(&[&["get", &disk, &got][..], &credential].concat());
        assert_eq!(ended.code, Some(0), "{credential:?}: {ended:?}");
        assert_eq!(ended.err, "", "{credential:?}");
        // A name alone does not say where it is.
        let ended = run(&[&["get", "vhds/disk0.vhd", &got][..], &credential].concat());
        assert_eq!(ended.code, Some(64), "{ended:?}");
        assert!(ended.err.contains("give --account, or set AZURE_STORAGE_ACCOUNT"), "{ended:?}");
    }
}

#[test]
fn a_sas_in_a_file_of_the_source_goes_to_the_source_alone() {
    let builder = blobcopy_simulator::Simulator::builder();
    let world = World::of(builder.account("disks", "ZGlza3M=").account("backups", "YmFja3Vwcw=="));
    let world = world.with_disk();
    let snapshot = world.snapshot();
    let folder = Folder::new("source-sas");
    let signed = world.good(&["sas", "vhds/disk0.vhd", "--permissions", "r", "--expiry", "2h"]);
    let (source, sas) = signed.trim().split_once('?').expect("a SAS");
    let sas = folder.write("sas", sas.as_bytes());
    let dest = world.simulator.connection_string_of("backups").expect("an account");
    let run = |arguments: &[&str]| {
        let mut command = bare(arguments);
        command.env("AZURE_STORAGE_CONNECTION_STRING", &dest);
        finish(spawn(command), "")
    };
    assert_eq!(run(&["create", "daily"]).code, Some(0));
    let time = ["--snapshot", &snapshot, "--wait"];
    let copy = [&["incremental", source, "daily/"], &time[..]].concat();
    let ended = run(&[&copy[..], &["--source-sas-file", &sas]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    // Without it the source cannot be read, and the advice names the source's own flags.
    let ended = run(&["incremental", "//disks/vhds/disk0.vhd", "daily/", "--snapshot", "new"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("--source-key-file"), "{ended:?}");
}

#[test]
fn a_sas_of_one_blob_does_not_find_its_latest_snapshot() {
    let world = World::new().with_disk();
    world.snapshot();
    let signed = world.good(&["sas", "vhds/disk0.vhd", "--permissions", "r", "--expiry", "2h"]);
    let ended = world.run(&["incremental", signed.trim(), "backups/"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("a SAS of one blob lists no snapshots"), "{ended:?}");
}

#[test]
fn a_variable_that_is_wrong_is_named() {
    let mut command = bare(&["status", "backups/"]);
    command.env("AZURE_STORAGE_SERVICE_ENDPOINT", "nonsense");
    let ended = finish(spawn(command), "");
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.err.starts_with("error: AZURE_STORAGE_SERVICE_ENDPOINT: "), "{ended:?}");
}

#[test]
fn a_connection_string_may_be_in_quotes_in_its_file() {
    let world = World::new().with_disk();
    let folder = Folder::new("quoted-string");
    let string = format!("\"{}\"\n", world.simulator.connection_string());
    let file = folder.write("string", string.as_bytes());
    let ended = run(&["status", "vhds/", "--connection-string-file", &file]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let bad = folder.write("bad", b"export X=SECRET");
    let ended = run(&["status", "vhds/", "--connection-string-file", &bad]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.err.contains("AccountName=…") && !ended.err.contains("SECRET"), "{ended:?}");
}
