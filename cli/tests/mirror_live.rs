//! What `blobcopy mirror` shows while it runs, and what it says when it is ended.

use std::time::Duration;

use blobcopy_simulator::{Op, Simulator};
use rustix::process::{Pid, Signal, kill_process};

use crate::support::{World, finish, screen::screen, spawn, terminal::Terminal};

/// A disk with three snapshots.
fn world(copies: Duration) -> World {
    let world = World::of(Simulator::builder().copy_duration(copies)).with_disk();
    for number in 0..3 {
        world.change(number * 4096, 512);
        world.snapshot();
    }
    world
}

const MIRROR: [&str; 3] = ["mirror", "vhds/disk0.vhd", "backups/"];

#[test]
fn a_terminal_shows_the_chain_and_how_far_it_has_come() {
    for (columns, route) in [(100, "incremental"), (100, "ranges"), (40, "incremental")] {
        for variable in ["NO_COLOR", "UNRELATED"] {
            let world = world(Duration::from_millis(300));
            let mut command = world.command(&[&MIRROR[..], &["--route", route]].concat());
            command.env(variable, "1");
            let (code, shown) = Terminal::start(command, columns).finish();
            assert_eq!(code, Some(0), "{shown}");
            assert!(shown.contains("vhds/disk0.vhd to backups/disk0.vhd"), "{shown:?}");
            assert!(shown.contains("3 to copy"), "{shown:?}");
            // Not every picture is drawn of a run that is soon over.
            if route == "incremental" {
                let parts = ["1 snapshot there", " > ", " = "];
                assert!(parts.iter().all(|part| shown.contains(part)), "{shown:?}");
            }
            // Lines are filled up to the width, and follow each other without an end.
            for drawn in shown.split(['\r', '\n']) {
                let drawn: Vec<char> = console::strip_ansi_codes(drawn).chars().collect();
                for line in drawn.chunks(columns.into()).filter(|line| line.contains(&'>')) {
                    let line: String = line.iter().collect();
                    assert!(line.starts_with("20"), "{line:?}: {shown:?}");
                }
            }
            let colors = shown.split("\u{1b}[").skip(1).filter(|code| {
                code.find(|c: char| c.is_ascii_alphabetic()).is_some_and(|at| &code[at..=at] == "m")
            });
            assert_eq!(colors.count(), 0, "{variable}: {shown:?}");
            // What stays is the result.
            let left = screen(&shown);
            assert!(left.starts_with("destination "), "{left}");
            assert!(left.contains("3 snapshots, "), "{left}");
        }
    }
}

/// Whether a child of this process does not ignore SIGHUP, as one under `nohup` does.
fn hears_hangup() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
        .is_some_and(|mask| mask & 1 == 0)
}

#[test]
fn a_run_that_is_ended_leaves_no_lock_and_the_next_one_goes_on() {
    let mut signals = vec![(Signal::INT, 130, "interrupted"), (Signal::TERM, 143, "terminated")];
    if hears_hangup() {
        signals.push((Signal::HUP, 143, "terminated"));
    }
    for (signal, code, word) in signals {
        for route in ["incremental", "ranges"] {
            let world = world(Duration::from_millis(1));
            let arguments = [&MIRROR[..], &["--route", route]].concat();
            let op = match route {
                "incremental" => {
                    world.simulator.copies().hold();
                    Op::IncrementalCopy
                }
                _ => {
                    // The service is busy for as long as it is asked.
                    world.simulator.faults().on(Op::PutPageFromUrl).answer(503, "ServerBusy");
                    Op::PutPageFromUrl
                }
            };
            let child = spawn(world.command(&arguments));
            world.until(|| world.simulator.count(op) > 0);
            let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
            kill_process(id, signal).expect("it lives");
            let ended = finish(child, "");
            assert_eq!(ended.code, Some(code), "{route}: {ended:#?}");
            let told = format!("error: {word}: what was copied is kept\n");
            assert!(ended.err.contains(&told), "{ended:#?}");
            assert!(ended.err.contains("run the same command again: it goes on"), "{ended:#?}");
            world.simulator.copies().release();
            world.simulator.faults().clear();
            // Its lock is released, and no snapshot is copied twice.
            world.good(&arguments);
            let listed = world.good(&["snapshots", "backups/disk0.vhd", "-o", "jsonl"]);
            assert_eq!(listed.lines().count(), 3, "{route}: {listed}");
        }
    }
}

#[test]
fn a_terminal_that_is_closed_ends_the_run_and_leaves_no_lock() {
    if !hears_hangup() {
        return;
    }
    let world = world(Duration::from_millis(1));
    world.simulator.copies().hold();
    let mut terminal = Terminal::start(world.command(&MIRROR), 80);
    terminal.until("3 to copy");
    world.until(|| world.simulator.count(Op::IncrementalCopy) > 0);
    assert_eq!(terminal.hang_up(), Some(143), "it has nowhere to say so");
    world.simulator.copies().release();
    world.good(&MIRROR);
}
