//! `blobcopy simulate`.

use std::{
    io::{BufRead, BufReader},
    process::Child,
};

use crate::support::{bare, finish, spawn};

/// Starts a simulator and reads what it says of its accounts.
fn start(arguments: &[&str], lines: usize) -> (Child, Vec<String>) {
    let arguments = [&["simulate", "--port", "0"], arguments].concat();
    let mut child = spawn(bare(&arguments));
    let out = child.stdout.take().expect("piped");
    let said = BufReader::new(out).lines().take(lines).map(|line| line.expect("UTF-8"));
    let said = said.collect();
    (child, said)
}

fn end(child: Child) -> Option<i32> {
    #[cfg(unix)]
    {
        use rustix::process::{Pid, Signal, kill_process};
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
        kill_process(id, Signal::INT).expect("it lives");
    }
    finish(child, "").code
}

#[test]
fn its_connection_string_is_enough_to_work_with_it() {
    let (child, said) = start(&["--output", "jsonl"], 1);
    let served: serde_json::Value = serde_json::from_str(&said[0]).expect("JSON");
    assert_eq!(served["account"], "devstoreaccount1");
    let mut command = bare(&["create", "backups"]);
    let string = served["connection_string"].as_str().expect("text");
    command.env("AZURE_STORAGE_CONNECTION_STRING", string);
    let made = finish(spawn(command), "");
    assert_eq!(made.code, Some(0), "{made:?}");
    assert_eq!(end(child), Some(0), "to interrupt it is how it is ended");
}

#[test]
fn it_has_the_accounts_that_it_is_given() {
    let (child, said) = start(&["--account", "one:b25l", "--account", "two:dHdv:Mg=="], 6);
    assert_eq!(said.iter().filter(|line| line.starts_with("account ")).count(), 2, "{said:?}");
    assert!(said.iter().any(|line| line.contains("AccountName=two;AccountKey=dHdv;")), "{said:?}");
    end(child);
}

#[cfg(unix)]
#[test]
fn in_a_terminal_its_connection_string_can_be_copied_from_one_line() {
    use rustix::process::Signal;

    use crate::support::terminal::Terminal;

    for columns in [100, 40] {
        for (signal, form) in [(Signal::INT, "table"), (Signal::TERM, "json")] {
            let command = bare(&["simulate", "--port", "0", "--output", form]);
            let mut terminal = Terminal::start(command, columns);
            terminal.until("Serving until interrupted (Ctrl-C).");
            terminal.signal(signal);
            let (code, shown) = terminal.finish();
            assert_eq!(code, Some(0), "{shown}");
            assert!(!shown.contains('\u{1b}'), "{shown}");
            let line = shown.lines().find(|line| line.contains("AccountName=")).expect("a string");
            assert!(line.contains("/devstoreaccount1;"), "whole: {shown}");
        }
    }
}

#[test]
fn an_account_may_list_its_blobs_path_by_path() {
    let flags = ["--account", "one:b25l", "--hierarchical", "one", "--output", "jsonl"];
    let (child, said) = start(&flags, 1);
    let served: serde_json::Value = serde_json::from_str(&said[0]).expect("JSON");
    assert_eq!(served["account"], "one");
    end(child);
}

#[test]
fn it_is_filled_and_slow_as_it_is_told() {
    let flags = ["--fill", "files:3:10", "--throttle", "1", "--keep-requests", "0", "-o", "jsonl"];
    let (child, said) = start(&flags, 1);
    let served: serde_json::Value = serde_json::from_str(&said[0]).expect("JSON");
    let string = served["connection_string"].as_str().expect("text");
    let run = |arguments: &[&str]| {
        let mut command = bare(arguments);
        command.env("AZURE_STORAGE_CONNECTION_STRING", string);
        finish(spawn(command), "")
    };
    let again = run(&["create", "files", "-v"]);
    assert!(again.err.contains("ContainerAlreadyExists"), "{again:?}");
    // Of two requests at once, one is too many.
    let children = [(); 2].map(|()| {
        let mut command = bare(&["status", "files", "--verbose"]);
        command.env("AZURE_STORAGE_CONNECTION_STRING", string);
        spawn(command)
    });
    let ended = children.map(|child| finish(child, ""));
    assert!(ended.iter().any(|ended| ended.err.contains("503")), "{ended:?}");
    end(child);
}

#[test]
fn it_has_managed_disks() {
    let flags = ["--managed-disk", "group/disk0:1048576:2", "--path-style-disks", "-o", "jsonl"];
    let (child, said) = start(&flags, 1);
    let served: serde_json::Value = serde_json::from_str(&said[0]).expect("JSON");
    assert!(served["resource_manager"].is_string(), "{served}");
    assert!(served["subscription"].is_string(), "{served}");
    assert_eq!(end(child), Some(0));
}

#[test]
fn several_accounts_are_one_document() {
    let accounts = ["--account", "one:b25l", "--account", "two:dHdv", "-o", "json"];
    let (child, said) = start(&accounts, 12);
    let served: serde_json::Value = serde_json::from_str(&said.join("\n")).expect("JSON");
    assert_eq!((&served[0]["account"], &served[1]["account"]), (&"one".into(), &"two".into()));
    end(child);
}

#[test]
fn what_it_cannot_serve_is_refused() {
    for arguments in [
        &["--account", "two"][..],
        &["--account", "TWO:dHdv"],
        &["--account", "two:not base64"],
        &["--allow-host", "a:1"],
        &["--any-bearer"],
        &["--hierarchical", "two"],
        &["--managed-disk", "disk0:512:1"],
        &["--managed-disk", "group/disk0:513:1"],
        &["--fill", "vhds:1"],
        &["--fill", "VHDS:1:1"],
        &["--fill", "vhds:one:1"],
        &["--fill", "two/vhds:1:1"],
        &["--copy-rate", "1", "--copy-duration", "1s"],
    ] {
        let ended = finish(spawn(bare(&[&["simulate", "--port", "0"], arguments].concat())), "");
        assert_eq!(ended.code, Some(64), "{arguments:?}: {ended:?}");
    }
}

#[test]
fn it_has_every_option_of_the_simulators_own_binary() {
    let own = include_str!("../../simulator/src/main.rs");
    let help = own.split("const HELP").nth(1).and_then(|rest| rest.split("\";").next());
    let lines = help.expect("its help").lines();
    let options: Vec<&str> =
        lines.filter_map(|line| line.strip_prefix("  --")?.split(' ').next()).collect();
    assert!(options.len() >= 8, "{options:?}");
    let ours = finish(spawn(bare(&["simulate", "--help"])), "").out;
    for option in options {
        assert!(ours.contains(&format!("--{option}")), "--{option} is missing");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = std::net::TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let ended = finish(spawn(bare(&["simulate", "--port", &port])), "");
    assert_eq!(ended.code, Some(64));
    assert!(ended.err.contains(&port) && ended.err.contains("--port"), "{}", ended.err);
}

#[test]
fn its_certificate_is_written_where_it_is_wanted() {
    let folder = std::env::temp_dir().join(format!("blobcopy-cli-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let file = folder.join("certificate.pem");
    let (child, said) = start(&["--https", file.to_str().expect("UTF-8")], 4);
    assert!(said[1].contains("https://127.0.0.1:"), "{said:?}");
    let pem = std::fs::read_to_string(&file).expect("it is written");
    assert!(pem.starts_with("-----BEGIN CERTIFICATE-----"));
    end(child);
    std::fs::remove_dir_all(&folder).expect("it is ours");
}
