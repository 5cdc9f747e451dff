//! Where output goes, and what becomes of a command whose reader, room or terminal is gone.
#![cfg(unix)]

use std::{
    fs::OpenOptions,
    io::{BufRead, BufReader, Read},
    process::{Child, Command, Stdio},
    time::Duration,
};

use blobcopy_simulator::{Op, Simulator};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{BINARY, World, bare, disk::Folder, finish, spawn, terminal::Terminal};

/// Commands that print a result, one of each kind.
fn results(folder: &Folder) -> Vec<Vec<String>> {
    let file = folder.write("notes.txt", b"some notes");
    let got = folder.path("got");
    let lines = [
        "create backups --if-missing".to_owned(),
        format!("put {file} vhds/notes.txt"),
        "snapshot vhds/disk0.vhd".to_owned(),
        "snapshots vhds/disk0.vhd".to_owned(),
        "incremental vhds/disk0.vhd backups/ --snapshot new --wait --quiet".to_owned(),
        "mirror vhds/disk0.vhd backups/mirrored.vhd --plan".to_owned(),
        "mirror vhds/disk0.vhd backups/mirrored.vhd --quiet".to_owned(),
        "prune backups/mirrored.vhd --keep-last 9 --plan".to_owned(),
        "restore backups/mirrored.vhd vhds/restored.vhd --overwrite --quiet".to_owned(),
        "drill backups/mirrored.vhd --quiet".to_owned(),
        "status backups/disk0.vhd".to_owned(),
        "status backups/ -o jsonl".to_owned(),
        "copy vhds/notes.txt backups/notes.txt".to_owned(),
        "abort backups/notes.txt".to_owned(),
        "diff vhds/disk0.vhd@latest vhds/disk0.vhd -o json".to_owned(),
        "get vhds/disk0.vhd -".to_owned(),
        format!("get vhds/disk0.vhd {got}"),
        "sas vhds/disk0.vhd --permissions r --expiry 2h".to_owned(),
        "delete vhds/notes.txt".to_owned(),
        "simulate --port 0".to_owned(),
        "completions bash".to_owned(),
        "--help".to_owned(),
    ];
    lines.iter().map(|line| line.split(' ').map(str::to_owned).collect()).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_by_every_command() {
    let world = World::new().with_disk();
    let folder = Folder::new("full-disk");
    for arguments in results(&folder) {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let full = OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
        let output = world.command(&arguments).stdout(full).output().expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {err}");
        let told = "the output cannot be written: No space left on device";
        assert!(err.contains(told), "{arguments:?}: {err}");
    }
}

#[test]
fn a_closed_pipe_ends_every_command_quietly() {
    let world = World::new().with_disk();
    let folder = Folder::new("closed-pipe");
    for arguments in results(&folder) {
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = world.command(&arguments).stdout(writer).output().expect("it runs");
        let err = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*err), (Some(0), ""), "{arguments:?}");
    }
}

#[test]
fn without_a_terminal_or_any_stream_it_works() {
    let world = World::of(Simulator::builder().copy_duration(Duration::from_millis(1)));
    let world = world.with_disk();
    let line = "incremental vhds/disk0.vhd backups/ --snapshot new --wait";
    let arguments: Vec<&str> = line.split(' ').collect();
    let mut command = world.command(&arguments);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    assert_eq!(command.status().expect("it runs").code(), Some(0));
    // All three closed.
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec {BINARY} {line} <&- >&- 2>&-")]).env_clear();
    shell.env("AZURE_STORAGE_CONNECTION_STRING", world.simulator.connection_string());
    let code = shell.status().expect("it runs").code();
    assert_eq!(code, Some(0));
    assert_eq!(world.good(&["snapshots", "backups/disk0.vhd", "-o", "jsonl"]).lines().count(), 2);
}

#[test]
fn no_color_leaves_bars_without_colors() {
    let world = World::of(Simulator::builder().copy_duration(Duration::from_secs(1)));
    let world = world.with_disk();
    for (number, variable) in ["NO_COLOR", "UNRELATED"].into_iter().enumerate() {
        let dest = format!("backups/{number}");
        let mut command = world.command(&["copy", "vhds/disk0.vhd", &dest, "--wait"]);
        command.env(variable, "1");
        let (code, screen) = Terminal::start(command, 100).finish();
        assert_eq!(code, Some(0), "{screen}");
        assert!(screen.contains("%") && screen.contains("\u{1b}[2K"), "a bar: {screen:?}");
        // A color ends with m.
        let colors = screen.split("\u{1b}[").skip(1).filter(|code| {
            code.find(|c: char| c.is_ascii_alphabetic()).is_some_and(|at| &code[at..=at] == "m")
        });
        assert_eq!(colors.count(), 0, "{variable}: {screen:?}");
    }
}

#[test]
fn a_bar_is_never_wider_than_its_terminal() {
    let folder = Folder::new("narrow");
    let file = folder.write("a-disk-with-a-rather-long-name.img", &[1; 1 << 20]);
    let world = World::of(Simulator::builder().copy_duration(Duration::from_secs(1)));
    let world = world.with_disk();
    let long = "backups/a-destination-with-a-name-that-is-longer-than-40-columns.vhd";
    for arguments in [
        &["copy", "vhds/disk0.vhd", long, "--wait"][..],
        &["put", &file, "vhds/narrow.vhd", "--page"],
        &["get", "vhds/narrow.vhd", &file],
    ] {
        let (code, screen) = Terminal::start(world.command(arguments), 40).finish();
        assert_eq!(code, Some(0), "{screen}");
        for drawn in screen.split(['\r', '\n', '\u{1b}']).filter(|drawn| drawn.contains('%')) {
            let drawn = drawn.trim_start_matches("[2K");
            assert!(console::measure_text_width(drawn) <= 40, "{drawn:?}");
        }
    }
}

fn signal(child: &Child, signal: Signal) {
    let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
    kill_process(id, signal).expect("it lives");
}

#[test]
fn sigterm_ends_every_wait_and_names_what_goes_on() {
    let world = World::new().with_disk();
    world.simulator.copies().hold();
    for (arguments, resume) in [
        (
            "incremental vhds/disk0.vhd backups/ --snapshot new --wait",
            "blobcopy status backups/disk0.vhd --wait",
        ),
        ("copy vhds/disk0.vhd backups/c.vhd --wait", "blobcopy status backups/c.vhd --wait"),
        ("status backups/ --wait", "blobcopy status backups/ --wait"),
    ] {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let mut child = spawn(world.command(&arguments));
        // It waits once it says how the copy stands.
        let mut err = BufReader::new(child.stderr.take().expect("piped"));
        let mut said = String::new();
        err.read_line(&mut said).expect("a line");
        signal(&child, Signal::TERM);
        let ended = finish(child, "");
        err.read_to_string(&mut said).expect("UTF-8");
        assert_eq!(ended.code, Some(143), "{arguments:?}: {said}");
        assert!(said.contains("error: terminated: the cop"), "{said}");
        assert!(said.contains(&format!("`{resume}`")), "{said}");
        assert!(!said.contains("abort backups/`"), "no folder can be aborted: {said}");
    }
}

#[test]
fn interrupted_downloads_and_uploads_say_how_they_go_on() {
    let world = World::new().with_disk();
    let folder = Folder::new("interrupted");
    let file = folder.write("disk", &[1; 8192]);
    let got = folder.path("got");
    for (op, arguments, advice) in [
        (Op::GetBlob, ["get", "vhds/disk0.vhd", &got, "-v"], "--resume"),
        (Op::PutPage, ["put", &file, "vhds/other.vhd", "--page"], "run the command again"),
    ] {
        // The service is busy for as long as it is asked.
        world.simulator.faults().on(op).answer(503, "ServerBusy");
        let before = world.simulator.count(op);
        let child = spawn(world.command(&arguments));
        world.until(|| world.simulator.count(op) > before);
        signal(&child, Signal::INT);
        let ended = finish(child, "");
        assert_eq!(ended.code, Some(130), "{ended:?}");
        assert!(ended.err.contains(advice), "{ended:?}");
        world.simulator.faults().clear();
    }
    assert!(std::fs::metadata(format!("{got}.part")).is_ok(), "what has come is kept");
    world.good(&["get", "vhds/disk0.vhd", &got, "--resume"]);
    assert_eq!(std::fs::metadata(&got).expect("there").len(), 64 << 10);
}

#[test]
fn help_in_a_terminal_fits_it() {
    for command in ["incremental", "put", "simulate"] {
        let (_, screen) = Terminal::start(bare(&[command, "-h"]), 40).finish();
        let screen = console::strip_ansi_codes(&screen).into_owned();
        // The examples are there to be copied, and stay as they are.
        let wrapped = screen.split("Examples:").next().unwrap_or_default();
        let words = |line: &&str| line.contains("    ") && line.trim().contains(' ');
        for line in wrapped.lines().filter(words).filter(|line| !line.trim().starts_with('-')) {
            assert!(console::measure_text_width(line) <= 40, "{command}: {line:?}");
        }
    }
}
