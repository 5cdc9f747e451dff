//! Standard input that never comes, and a process that is told to end meanwhile.
#![cfg(unix)]

use std::cell::RefCell;

use rustix::process::{Pid, Signal, kill_process};

use crate::support::{World, spawn, terminal::Terminal};

const SIGNALS: [(Signal, i32); 2] = [(Signal::INT, 130), (Signal::TERM, 143)];

/// The system call in which one of the process's threads reads standard input.
#[cfg(target_os = "linux")]
fn reads(id: u32) -> bool {
    let threads = std::fs::read_dir(format!("/proc/{id}/task"));
    let call = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("syscall"));
    threads.is_ok_and(|all| {
        all.flatten().any(|thread| {
            // read(0, …) on either of the usual machines.
            call(thread).is_ok_and(|call| call.starts_with("0 0x0 ") || call.starts_with("63 0x0 "))
        })
    })
}

#[cfg(target_os = "linux")]
#[test]
fn a_signal_ends_it_while_it_reads() {
    let world = World::new().with_disk();
    for arguments in [&["incremental", "-", "backups/"][..], &["create", "--key-file", "-", "logs"]]
    {
        for (signal, code) in SIGNALS {
            let mut command = world.command(arguments);
            command.env("AZURE_STORAGE_ACCOUNT", "acct");
            let child = RefCell::new(spawn(command));
            // Nothing is written there, and it stays open.
            let stdin = child.borrow_mut().stdin.take();
            world.until(|| reads(child.borrow().id()));
            let id =
                i32::try_from(child.borrow().id()).ok().and_then(Pid::from_raw).expect("an id");
            kill_process(id, signal).expect("it lives");
            world.until(|| child.borrow_mut().try_wait().expect("it ends").is_some());
            drop(stdin);
            assert_eq!(
                child.borrow_mut().wait().expect("ended").code(),
                Some(code),
                "{arguments:?}"
            );
        }
    }
}

#[test]
fn a_signal_ends_it_while_it_asks() {
    let world = World::new();
    for (signal, code) in SIGNALS {
        let command = world.command(&["create", "logs", "--confirm"]);
        let mut terminal = Terminal::start(command, 80);
        terminal.until("[y/N]");
        terminal.signal(signal);
        let (ended, screen) = terminal.finish();
        assert_eq!(ended, Some(code), "{screen}");
    }
}

#[test]
fn what_is_answered_is_heard() {
    let world = World::new();
    for (answer, made) in [("n", false), ("y", true)] {
        let mut terminal = Terminal::start(world.command(&["create", "logs", "--confirm"]), 80);
        terminal.until("[y/N]");
        terminal.type_line(answer);
        let (ended, screen) = terminal.finish();
        assert_eq!((ended, screen.contains("created")), (Some(0), made), "{screen}");
    }
}

#[test]
fn a_disk_is_not_written_from_standard_input_and_why_is_said() {
    let world = World::new().with_disk();
    let ended = world.run(&["put", "-", "vhds/new.vhd", "--page"]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(ended.err.starts_with("error: --page needs a file"), "{ended:?}");
}
