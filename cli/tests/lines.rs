//! `blobcopy incremental -`: sources as JSON lines, the cmdlet's pipeline.

use crate::support::{World, finish, spawn};

fn url(world: &World, path: &str) -> String {
    let endpoint = world.simulator.endpoint("devstoreaccount1").to_string();
    format!("{}/{path}", endpoint.trim_end_matches('/'))
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

#[cfg(unix)]
#[test]
fn interrupted_lines_that_have_not_begun_are_told_of() {
    use rustix::process::{Pid, Signal, kill_process};

    let world = World::new().with_disk();
    world.snapshot();
    world.change(0, 512);
    world.snapshot();
    let lines = world.good(&["snapshots", "vhds/disk0.vhd", "--output", "jsonl"]);
    world.simulator.copies().hold();
    let mut child = spawn(world.command(&["incremental", "-", "backups/", "--wait"]));
    let mut stdin = child.stdin.take().expect("piped");
    std::io::Write::write_all(&mut stdin, lines.as_bytes()).expect("it reads");
    drop(stdin);
    world.until(|| world.simulator.copies().started() == 1);
    let mut line = String::new();
    let mut err = std::io::BufReader::new(child.stderr.take().expect("piped"));
    std::io::BufRead::read_line(&mut err, &mut line).expect("it waits");
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
    kill_process(id, Signal::INT).expect("it lives");
    let mut said = String::new();
    std::io::Read::read_to_string(&mut err, &mut said).expect("UTF-8");
    assert_eq!(finish(child, "").code, Some(130), "{said}");
    assert!(said.contains("; the same lines again start those that are left"), "{said}");
}

#[test]
fn lines_cannot_be_confirmed_one_by_one() {
    let world = World::new().with_disk();
    world.snapshot();
    let lines = world.good(&["snapshots", "vhds/disk0.vhd", "--output", "jsonl"]);
    let run = |flags: &[&str]| {
        let arguments = [&["incremental", "-", "backups/"], flags].concat();
        finish(spawn(world.command(&arguments)), &lines)
    };
    let ended = run(&["--confirm"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(64), ""), "{ended:?}");
    assert!(ended.err.contains("--what-if"), "{ended:?}");
    assert_eq!(run(&["--confirm", "--yes"]).code, Some(0));
}

#[cfg(unix)]
#[test]
fn lines_that_are_typed_are_waited_for_and_said_to_be() {
    use crate::support::terminal::Terminal;

    let world = World::new().with_disk();
    world.snapshot();
    let command = world.command(&["incremental", "-", "backups/", "--what-if"]);
    let mut terminal = Terminal::start(command, 80);
    terminal.until("reading sources as JSON lines; Ctrl-D ends them");
    terminal.type_line("{\"container\":\"vhds\",\"name\":\"disk0.vhd\"}");
    terminal.type_line("\u{4}");
    let (code, shown) = terminal.finish();
    assert_eq!(code, Some(0), "{shown}");
    assert!(shown.contains("what if: Incremental Copy Blob"), "{shown}");
}
