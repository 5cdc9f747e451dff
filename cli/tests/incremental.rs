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
fn lines_of_json_are_the_cmdlets_pipeline() {
    let world = World::new().with_disk();
    for offset in [0, 8192, 16384] {
        world.change(offset, 512);
        world.snapshot();
    }
    let list = ["snapshots", "vhds/disk0.vhd", "--output", "jsonl"];
    let lines = world.good(&list);
    let command = world.command(&["incremental", "-", "backups/", "--wait"]);
    let ended = finish(spawn(command), &lines);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    insta::assert_snapshot!("pipeline", world.shown(&ended.out));
    let kept = world.good(&["snapshots", "backups/disk0.vhd"]);
    insta::assert_snapshot!("kept", world.shown(&kept));
    // The same again, with a new one: what is copied already is passed over.
    world.snapshot();
    let lines = world.good(&list);
    let again = ["incremental", "-", "backups/", "--wait", "-o", "jsonl"];
    let ended = finish(spawn(world.command(&again)), &lines);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let statuses: Vec<String> = ended.out.lines().map(|line| field(line, "status")).collect();
    assert_eq!(statuses, ["copied already", "copied already", "copied already", "success"]);
}

fn field(line: &str, name: &str) -> String {
    let row: serde_json::Value = serde_json::from_str(line).expect("JSON");
    row[name].as_str().unwrap_or_default().to_owned()
}

#[test]
fn after_a_failure_the_rest_is_not_tried_and_said_so() {
    let world = World::new().with_disk();
    world.snapshot();
    world.change(0, 512);
    world.snapshot();
    let lines = world.good(&["snapshots", "vhds/disk0.vhd", "--output", "jsonl"]);
    let run = |form: &str| {
        let command = world.command(&["incremental", "-", "nowhere/", "-o", form]);
        finish(spawn(command), &lines)
    };
    let ended = run("jsonl");
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    let rows: Vec<serde_json::Value> =
        ended.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let failure = &rows[0]["failure"];
    assert_eq!((&failure["code"], &failure["status"]), (&"ContainerNotFound".into(), &404.into()));
    assert!(failure["advice"].is_string() && failure["blob"].is_string(), "{failure}");
    assert_eq!(rows[1]["status"], "not tried");
    let dest = url(&world, "nowhere/disk0.vhd");
    for row in &rows {
        assert_eq!(row["destination"], dest.as_str(), "{row}");
        assert!(row["source_snapshot"].is_string(), "{row}");
    }
    let shown = run("table").out;
    assert!(shown.contains("not tried"));
    assert!(shown.lines().skip(1).all(|line| line.starts_with("nowhere/disk0.vhd ")), "{shown}");
}

#[test]
fn what_if_of_lines_says_nothing_else_and_is_one_document() {
    let world = World::new().with_disk();
    world.snapshot();
    world.change(0, 512);
    world.snapshot();
    let lines = world.good(&["snapshots", "vhds/disk0.vhd", "--output", "jsonl"]);
    for (form, expected) in [("table", 2), ("jsonl", 2), ("json", 1)] {
        let command = world.command(&["incremental", "-", "backups/", "--what-if", "-o", form]);
        let ended = finish(spawn(command), &lines);
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
        match form {
            "json" => {
                let all: Vec<serde_json::Value> = serde_json::from_str(&ended.out).expect("JSON");
                assert!(all.len() == 2 && all[0]["what_if"].is_string(), "{all:?}");
            }
            _ => assert_eq!(ended.out.lines().count(), expected, "{ended:?}"),
        }
    }
    assert_eq!(world.simulator.copies().started(), 0);
}

#[test]
fn a_sas_in_a_line_is_not_said_to_be_in_the_process_list() {
    let world = World::new().with_disk();
    let snapshot = world.snapshot();
    let signed = world.good(&["sas", "vhds/disk0.vhd", "--permissions", "r", "--expiry", "2h"]);
    let line = format!("{{\"url\":\"{}&snapshot={snapshot}\"}}\n", signed.trim());
    let command = world.command(&["incremental", "-", "backups/", "--wait", "--output", "jsonl"]);
    let ended = finish(spawn(command), &line);
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{ended:?}");
    assert!(!ended.out.contains("sig"), "{ended:?}");
}

#[test]
fn a_json_document_is_not_lines_and_the_form_is_named() {
    let world = World::new().with_disk();
    world.snapshot();
    let document = world.good(&["snapshots", "vhds/disk0.vhd", "--output", "json"]);
    let ended = finish(spawn(world.command(&["incremental", "-", "backups/"])), &document);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.err.contains("--output jsonl"), "{ended:?}");
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

#[cfg(unix)]
#[test]
fn several_bars_do_not_draw_over_each_other() {
    use std::process::Command;

    use crate::support::{BINARY, disk::Folder, terminal::Terminal};

    let world = World::new().with_disk();
    world.snapshot();
    let names = ["a.vhd", "b.vhd", "disk0.vhd"];
    let mut lines = String::new();
    for name in names {
        let disk = world.service().container_client("vhds").page_blob_client(name);
        world.runtime.block_on(async {
            disk.create(4096).await.expect("a disk");
            disk.create_snapshot().await.expect("a snapshot");
        });
        lines.push_str(&format!("{{\"container\":\"vhds\",\"name\":\"{name}\"}}\n"));
    }
    let file = Folder::new("bars");
    let file = file.write("lines", lines.as_bytes());
    world.simulator.copies().hold();
    let mut command = Command::new("sh");
    let line = format!("exec {BINARY} incremental - backups/ --wait <{file}");
    command.args(["-c", &line]).env_clear();
    command.env("AZURE_STORAGE_CONNECTION_STRING", world.simulator.connection_string());
    let mut terminal = Terminal::start(command, 100);
    // Three lines are drawn anew together: the cursor goes up over two of them.
    terminal.until("\u{1b}[2A");
    world.simulator.copies().release();
    let (code, shown) = terminal.finish();
    assert_eq!(code, Some(0), "{shown}");
}

#[test]
fn lines_may_be_given_a_limit_of_time() {
    let world = World::new().with_disk();
    world.snapshot();
    world.change(0, 512);
    world.snapshot();
    world.simulator.copies().hold();
    let lines = world.good(&["snapshots", "vhds/disk0.vhd", "--output", "jsonl"]);
    let command = world.command(&["incremental", "-", "backups/", "--timeout", "1s"]);
    let ended = finish(spawn(command), &lines);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let ended = world.run(&["incremental", "vhds/disk0.vhd", "backups/", "--timeout", "1s"]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.err.contains("--wait"), "{ended:?}");
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

/// The sources of two copies, as JSON lines.
const TWO_DISKS: &str = r#"{"container":"vhds","name":"disk0.vhd"}
                           {"container":"vhds","name":"other.vhd"}"#;

/// Two disks with a snapshot each; copies stay pending until they are let go.
fn with_two_disks() -> World {
    let world = World::new().with_disk();
    world.snapshot();
    world.runtime.block_on(async {
        let other = world.service().container_client("vhds").page_blob_client("other.vhd");
        other.create(4096).await.expect("a disk");
        other.create_snapshot().await.expect("a snapshot");
    });
    world.simulator.copies().hold();
    world
}

#[test]
fn json_lines_come_as_each_copy_ends() {
    use std::io::BufRead;

    let world = with_two_disks();
    let command = world.command(&["incremental", "-", "backups/", "--wait", "-o", "jsonl"]);
    let mut child = spawn(command);
    let mut stdin = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, TWO_DISKS.as_bytes()).expect("it reads");
    drop(stdin);
    world.until(|| world.simulator.copies().started() == 2);
    // The second of them ends first, and is told while the other is pending.
    assert!(world.simulator.copies().into_blob("backups", "other.vhd").complete());
    let mut out = std::io::BufReader::new(child.stdout.take().expect("piped"));
    let mut line = String::new();
    out.read_line(&mut line).expect("a line");
    assert!(line.contains("backups/other.vhd") && line.contains(r#""status":"success""#), "{line}");
    assert_eq!(world.simulator.copies().pending(), 1);
    world.simulator.copies().release();
    let mut rest = String::new();
    std::io::Read::read_to_string(&mut out, &mut rest).expect("UTF-8");
    assert_eq!(finish(child, "").code, Some(0));
    assert!(rest.lines().count() == 1 && rest.contains("backups/disk0.vhd"), "{rest}");
}

#[cfg(unix)]
#[test]
fn interrupted_lines_name_every_copy_that_goes_on() {
    use rustix::process::{Pid, Signal, kill_process};
    use std::io::{BufRead, Read};

    let world = with_two_disks();
    let mut child = spawn(world.command(&["incremental", "-", "backups/", "--wait"]));
    let mut stdin = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, TWO_DISKS.as_bytes()).expect("it reads");
    drop(stdin);
    let mut err = std::io::BufReader::new(child.stderr.take().expect("piped"));
    let mut said = String::new();
    for _ in 0..2 {
        err.read_line(&mut said).expect("a line for each copy");
    }
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
    kill_process(id, Signal::INT).expect("it lives");
    err.read_to_string(&mut said).expect("UTF-8");
    assert_eq!(finish(child, "").code, Some(130), "{said}");
    assert!(said.contains("error: interrupted: the copies go on"), "{said}");
    for name in ["disk0.vhd", "other.vhd"] {
        assert!(said.contains(&format!("blobcopy abort backups/{name}")), "{said}");
    }
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
