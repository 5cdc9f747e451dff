//! `blobcopy status`, and waiting.

use std::time::Duration;

use blobcopy_simulator::{DEFAULT_KEY, Op, Simulator};

use crate::support::{World, finish, spawn};

fn pending() -> World {
    let world = World::new().with_disk();
    world.simulator.copies().hold();
    world.good(&["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new"]);
    world
}

#[test]
fn a_copy_is_told_with_all_that_the_service_says() {
    let world = World::new().with_disk();
    world.good(&["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new", "--wait"]);
    insta::assert_snapshot!("one", world.shown(&world.good(&["status", "backups/disk0.vhd"])));
    let json = world.good(&["status", "backups/disk0.vhd", "--output", "json"]);
    insta::assert_snapshot!("one_json", world.shown(&json));
    world.good(&["copy", "vhds/disk0.vhd", "backups/more/plain.vhd", "--wait"]);
    insta::assert_snapshot!("all", world.shown(&world.good(&["status", "backups/"])));
    let below = world.good(&["status", "backups/more/", "--output", "jsonl"]);
    assert_eq!(below.lines().count(), 1, "{below}");
    assert_eq!(world.run(&["status", "vhds/disk0.vhd"]).code, Some(4));
    assert_eq!(world.run(&["status", "vhds/missing"]).code, Some(2));
}

#[test]
fn a_wait_ends_with_the_copy() {
    let world = World::of(Simulator::builder().copy_duration(Duration::from_secs(1))).with_disk();
    world.good(&["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new"]);
    let ended = world.run(&["status", "backups/disk0.vhd", "--wait"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    assert!(ended.out.contains("success") && ended.out.contains("new snapshot"), "{ended:?}");
    // Lines, not a bar.
    assert!(ended.err.starts_with("backups/disk0.vhd: pending"), "{ended:?}");
    assert!(!ended.err.contains('\u{1b}') && !ended.err.contains('\r'), "{ended:?}");
}

#[test]
fn a_pending_copy_at_the_timeout_is_5() {
    let world = pending();
    let ended = world.run(&["status", "backups/disk0.vhd", "--wait", "--timeout", "1s"]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let onward = "follow it with `blobcopy status backups/disk0.vhd --wait`, or end it with \
                  `blobcopy abort backups/disk0.vhd`";
    assert!(ended.err.contains(onward), "{ended:?}");
    let quiet = ["status", "backups/", "--wait", "--timeout", "1s", "--quiet"];
    let ended = world.run(&quiet);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 2, "{ended:?}");
}

#[test]
fn an_aborted_copy_is_4_and_a_failed_one_3() {
    let world = World::new().with_disk();
    world.simulator.copies().fail_next(512, "500 InternalServerError \"Copy failed.\"");
    let ended = world.run(&["copy", "vhds/disk0.vhd", "backups/failed.vhd", "--wait"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert_eq!(world.run(&["status", "backups/failed.vhd", "--wait"]).code, Some(3));
    assert_eq!(world.run(&["status", "backups/failed.vhd"]).code, Some(0));
    world.simulator.copies().hold();
    world.good(&["copy", "vhds/disk0.vhd", "backups/aborted.vhd"]);
    world.good(&["abort", "backups/aborted.vhd"]);
    assert_eq!(world.run(&["status", "backups/aborted.vhd", "--wait"]).code, Some(4));
}

#[cfg(unix)]
#[test]
fn an_interrupted_wait_names_the_commands_that_go_on() {
    use rustix::process::{Pid, Signal, kill_process};

    use crate::support::{finish, terminal::Terminal};

    let world = pending();
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let mut child = spawn(world.command(&["status", "backups/disk0.vhd", "--wait"]));
        // It has begun to wait when it says how the copy stands.
        let mut line = String::new();
        let mut err = std::io::BufReader::new(child.stderr.take().expect("piped"));
        std::io::BufRead::read_line(&mut err, &mut line).expect("a line");
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw).expect("an id");
        kill_process(id, signal).expect("it lives");
        let ended = finish(child, "");
        let mut rest = String::new();
        std::io::Read::read_to_string(&mut err, &mut rest).expect("UTF-8");
        assert_eq!(ended.code, Some(code), "{rest}");
        insta::assert_snapshot!(format!("interrupted_{code}"), world.shown(&rest));
    }
    let command = world.command(&["status", "backups/disk0.vhd", "--wait"]);
    let mut terminal = Terminal::start(command, 80);
    terminal.until("pending");
    terminal.signal(Signal::INT);
    let (code, screen) = terminal.finish();
    assert_eq!(code, Some(130), "{screen}");
    assert!(screen.contains("`blobcopy abort backups/disk0.vhd`"), "{screen}");
}

#[test]
fn a_copy_below_a_folder_is_named_as_it_is() {
    let world = pending();
    let start = ["incremental", "vhds/disk0.vhd", "backups/daily/", "--wait", "--timeout", "1s"];
    let ended = world.run(&start);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.err.starts_with("backups/daily/disk0.vhd: pending"), "{ended:?}");
}

#[cfg(unix)]
#[test]
fn a_terminal_shows_a_bar_and_a_narrow_one_fits() {
    use crate::support::terminal::Terminal;

    for columns in [100, 40] {
        let world = World::of(Simulator::builder().copy_duration(Duration::from_secs(1)));
        let world = world.with_disk();
        world.good(&["copy", "vhds/disk0.vhd", "backups/d"]);
        let command = world.command(&["status", "backups/d", "--wait"]);
        let (code, screen) = Terminal::start(command, columns).finish();
        assert_eq!(code, Some(0), "{screen}");
        assert!(screen.contains('%') && screen.contains("success"), "{screen}");
    }
}

#[cfg(unix)]
#[test]
fn lines_that_come_while_a_bar_is_drawn_go_above_it() {
    use crate::support::{screen::screen, terminal::Terminal};

    let world = pending();
    let command = world.command(&["status", "backups/disk0.vhd", "--wait", "--verbose"]);
    let terminal = Terminal::start(command, 100);
    let before = world.simulator.count(Op::GetBlobProperties);
    world.until(|| world.simulator.count(Op::GetBlobProperties) > before + 3);
    world.simulator.copies().release();
    let (code, shown) = terminal.finish();
    let shown = screen(&shown);
    assert_eq!(code, Some(0), "{shown}");
    let requests: Vec<&str> = shown.lines().filter(|line| line.contains("answered ")).collect();
    assert!(requests.len() > 3, "{shown}");
    for line in requests {
        assert!(line.starts_with("answered ") && line.matches("answered").count() == 1, "{shown}");
    }
}

#[test]
fn nothing_there_is_said_and_is_no_error() {
    let world = World::new().with_disk();
    let ended = finish(spawn(world.command(&["status", "vhds/"])), "");
    assert_eq!((ended.code, ended.out.as_str()), (Some(0), ""));
    assert_eq!(ended.err, "no copies in vhds/\n");
}

#[test]
fn a_wait_for_all_tells_how_each_ends() {
    let world = World::new().with_disk();
    world.simulator.copies().fail_next(512, "500 InternalServerError \"Copy failed.\"");
    assert_eq!(world.run(&["copy", "vhds/disk0.vhd", "backups/failed", "--wait"]).code, Some(3));
    world.simulator.copies().hold();
    // As when each is waited for alone.
    let ended = world.run(&["status", "backups/", "--wait"]);
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(
        ended.err.contains("Copy failed.") && ended.err.contains("backups/failed"),
        "{ended:?}"
    );
    assert_eq!(world.run(&["status", "backups/"]).code, Some(0));
    // And of one that ends badly meanwhile.
    world.good(&["delete", "backups/failed"]);
    world.good(&["copy", "vhds/disk0.vhd", "backups/aborted"]);
    let mut child = spawn(world.command(&["status", "backups/", "--wait", "-o", "jsonl"]));
    let before = world.simulator.count(Op::GetBlobProperties);
    world.until(|| world.simulator.count(Op::GetBlobProperties) > before);
    world.good(&["abort", "backups/aborted"]);
    drop(child.stdin.take());
    let ended = finish(child, "");
    assert_eq!(ended.code, Some(4), "{ended:?}");
    assert!(ended.out.contains(r#""status":"aborted""#), "{ended:?}");
}

#[test]
fn a_wait_for_all_names_a_command_that_aborts_each() {
    let world = pending();
    world.good(&["copy", "vhds/disk0.vhd", "backups/other.vhd"]);
    let ended = world.run(&["status", "backups/", "--wait", "--timeout", "1s"]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let onward = "to do: follow it with `blobcopy status backups/ --wait`, or end it with \
                  `blobcopy abort backups/disk0.vhd; blobcopy abort backups/other.vhd`";
    assert!(ended.err.contains(onward), "{ended:?}");
    assert_eq!(ended.out.matches(" pending ").count(), 2, "{ended:?}");
}

#[test]
fn copies_of_a_folder_are_followed_so_many_at_once() {
    let world = pending();
    world.good(&["copy", "vhds/disk0.vhd", "backups/other.vhd"]);
    let one = ["status", "backups/", "--wait", "--timeout", "1s", "--concurrency", "1"];
    let ended = world.run(&one);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    assert!(ended.err.starts_with("backups/disk0.vhd: pending") || ended.err.starts_with("disk0"));
    let none = ["status", "backups/", "--wait", "--concurrency", "0"];
    assert_eq!(world.run(&none).code, Some(64));
}

#[test]
fn a_stored_name_that_no_user_may_give_does_not_stop_the_others() {
    let world = pending();
    let endpoint = world.simulator.endpoint("devstoreaccount1").to_string();
    let endpoint = endpoint.trim_end_matches('/');
    let key = blobcopy::Credential::shared_key("devstoreaccount1", DEFAULT_KEY).expect("a key");
    let odd = format!("{endpoint}/backups/a./b").parse().expect("a URL");
    let odd = blobcopy::BlobClient::new(odd, key).expect("a client");
    let disk = world.service().container_client("vhds").blob_client("disk0.vhd");
    world.runtime.block_on(async { odd.start_copy_from_uri(&disk).await }).expect("started");
    for folder in ["backups/", &format!("{endpoint}/backups/")] {
        let ended = world.run(&["status", folder, "--wait", "--timeout", "1s"]);
        assert_eq!(ended.code, Some(5), "{ended:?}");
        assert!(ended.out.contains("backups/a./b "), "{ended:?}");
        assert!(ended.out.contains("backups/disk0.vhd "), "{ended:?}");
        assert!(ended.err.contains("backups/a./b"), "{ended:?}");
    }
}

#[test]
fn a_prefix_without_its_slash_is_advised_of() {
    let world = World::new().with_disk();
    let ended = world.run(&["status", "backups/daily"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("for all copies below it, end it with /"), "{ended:?}");
}

#[test]
fn a_container_lists_its_copies_by_names_that_a_command_takes() {
    let world = World::new().with_disk();
    world.good(&["copy", "vhds/disk0.vhd", "backups/daily/d", "--wait"]);
    let endpoint = world.simulator.endpoint("devstoreaccount1").to_string();
    let url = format!("{}/backups", endpoint.trim_end_matches('/'));
    for (container, name) in [
        ("backups", "backups/daily/d".to_owned()),
        ("//devstoreaccount1/backups/daily/", "//devstoreaccount1/backups/daily/d".to_owned()),
        (&url, format!("{url}/daily/d")),
    ] {
        let listed = world.good(&["status", container]);
        let row = listed.lines().nth(1).expect("a row");
        let (first, _) = row.split_once(' ').expect("columns");
        assert_eq!(first, name);
        world.good(&["status", first]);
    }
}

#[test]
fn a_containers_url_names_the_url_of_each_copy() {
    let world = pending();
    let signed = world.good(&["sas", "backups", "--permissions", "rl", "--expiry", "2h"]);
    let ended = world.run(&["status", signed.trim(), "--wait", "--timeout", "1s"]);
    assert_eq!(ended.code, Some(5), "{ended:?}");
    let said = world.shown(&ended.err);
    assert!(said.contains("`blobcopy abort '[ENDPOINT]/backups/disk0.vhd?SAS'`"), "{said}");
}

#[cfg(unix)]
#[test]
fn bars_of_names_that_differ_in_length_stand_below_each_other() {
    use crate::support::terminal::Terminal;

    let world = World::of(Simulator::builder().copy_duration(Duration::from_secs(60))).with_disk();
    let names = ["d", "disk-with-a-name"];
    for name in names {
        world.good(&["copy", "vhds/disk0.vhd", &format!("backups/{name}")]);
    }
    let command = world.command(&["status", "backups/", "--wait"]);
    let mut terminal = Terminal::start(command, 100);
    // A bar's line is as wide as the terminal.
    let bar = |screen: &str, name: &str| -> Option<String> {
        let start = format!("{name} ");
        let bars = screen.match_indices("% [").filter_map(|(at, _)| {
            let line = screen[..at].rfind(&start)?;
            let line: String = screen[line..].chars().take(100).collect();
            line.contains("% [").then_some(line)
        });
        bars.last()
    };
    let [one, other] = loop {
        let screen = terminal.more();
        if let [Some(one), Some(other)] = names.map(|name| bar(screen, name)) {
            break [one, other];
        }
    };
    for mark in ["[", "]", "/s"] {
        assert!(one.find(mark).is_some() && one.find(mark) == other.find(mark), "{one}\n{other}");
    }
    terminal.signal(rustix::process::Signal::INT);
    assert_eq!(terminal.finish().0, Some(130));
}
