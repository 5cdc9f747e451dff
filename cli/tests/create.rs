//! `blobcopy create`.

use crate::support::{World, bare, finish, spawn};

#[test]
fn a_container_is_made_once() {
    let world = World::new();
    assert_eq!(world.shown(&world.good(&["create", "backups"])), "created [ENDPOINT]/backups\n");
    let again = world.run(&["create", "backups"]);
    assert_eq!((again.code, again.out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(world.shown(&again.err));
    let content = world.good(&["create", "backups", "--if-missing"]);
    assert_eq!(world.shown(&content), "[ENDPOINT]/backups exists already\n");
}

#[test]
fn as_json_it_is_fields() {
    let world = World::new();
    let made = world.good(&["create", "backups", "--output", "json"]);
    insta::assert_snapshot!("json", world.shown(&made));
    let again = world.run(&["create", "backups", "--output", "jsonl"]);
    insta::assert_snapshot!("json_error", world.shown(&again.err));
}

#[test]
fn what_if_sends_nothing() {
    let world = World::new();
    let said = world.good(&["create", "backups", "--what-if"]);
    assert_eq!(world.shown(&said), "what if: Create Container [ENDPOINT]/backups\n");
    assert!(world.simulator.requests().is_empty());
}

#[test]
fn confirm_needs_a_terminal() {
    let world = World::new();
    let ended = world.run(&["create", "backups", "--confirm"]);
    assert_eq!(ended.code, Some(64), "{ended:?}");
    world.good(&["create", "backups", "--confirm", "--yes"]);
}

#[cfg(unix)]
#[test]
fn confirm_asks_in_a_terminal() {
    use crate::support::terminal::Terminal;

    let world = World::new();
    for (answer, code, made) in [("n", 0, false), ("y", 0, true)] {
        let mut terminal = Terminal::start(world.command(&["create", "backups", "--confirm"]), 80);
        terminal.until("[y/N]");
        terminal.type_line(answer);
        let (ended, screen) = terminal.finish();
        assert_eq!(ended, Some(code), "{screen}");
        assert_eq!(screen.contains("created "), made, "{screen}");
    }
}

#[test]
fn a_key_in_a_file_or_on_standard_input_is_as_good() {
    let world = World::new();
    let endpoint = world.simulator.endpoint("devstoreaccount1").to_string();
    let key = blobcopy_simulator::DEFAULT_KEY;
    let account = ["--account", "devstoreaccount1", "--endpoint", &endpoint];
    let run = |arguments: &[&str], input: &str| {
        finish(spawn(bare(&[arguments, &account].concat())), input)
    };
    let ended = run(&["create", "one", "--key-file", "-"], &format!("{key}\n"));
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let string = world.simulator.connection_string();
    let command = bare(&["create", "two", "--connection-string-file", "-"]);
    assert_eq!(finish(spawn(command), &string).code, Some(0));
    // A file that is not there, and one whose content is no key: it is not shown.
    let ended = run(&["create", "three", "--key-file", "/nowhere/key"], "");
    assert_eq!(ended.code, Some(64), "{ended:?}");
    let ended = run(&["create", "three", "--key-file", "-"], "n0t base64!");
    assert_eq!(ended.code, Some(64), "{ended:?}");
    assert!(!ended.err.contains("n0t base64!"), "{ended:?}");
}

#[test]
fn the_variables_of_the_azure_cli_are_read() {
    let world = World::new();
    let mut command = bare(&["create", "backups"]);
    command
        .env(
            "AZURE_STORAGE_SERVICE_ENDPOINT",
            world.simulator.endpoint("devstoreaccount1").as_str(),
        )
        .env("AZURE_STORAGE_ACCOUNT", "devstoreaccount1")
        .env("AZURE_STORAGE_KEY", blobcopy_simulator::DEFAULT_KEY);
    let ended = finish(spawn(command), "");
    assert_eq!(ended.code, Some(0), "{ended:?}");
}

#[test]
fn v_shows_requests_without_their_secrets() {
    let world = World::new();
    let ended = world.run(&["create", "backups", "-v"]);
    assert!(ended.err.contains(r#"operation="Create Container""#), "{}", ended.err);
    let everything = format!("{}{}", ended.out, ended.err);
    let key = blobcopy_simulator::DEFAULT_KEY;
    assert!(!everything.contains(key) && !everything.contains("SharedKey"), "{everything}");
}
