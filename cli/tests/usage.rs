//! Help, wrong command lines, and an account that is not there.

use crate::support::{World, bare, finish, spawn};

#[test]
fn help_goes_to_standard_output_and_names_the_exit_codes() {
    let ended = finish(spawn(bare(&["--help"])), "");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
    assert!(ended.out.contains("Exit codes:\n  0    done"), "{}", ended.out);
    let version = finish(spawn(bare(&["--version"])), "");
    assert_eq!(version.out, concat!("blobcopy ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_wrong_command_line_is_64_and_shows_no_secret() {
    for arguments in [
        &["create"][..],
        &["frobnicate"],
        &["create", "a", "b", "https://a.example/c?sv=1&sig=SECRET%2B"],
        &["create", "ftp://a/c?sv=1&sig=SECRET%2B"],
        &["create", "backups/blob"],
        &["create", "a", "--server-timeout", "soon"],
    ] {
        let world = World::new();
        let ended = world.run(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (Some(64), ""), "{arguments:?}: {ended:?}");
        assert!(!ended.err.contains("SECRET"), "{}", ended.err);
    }
}

#[test]
fn a_wrong_command_line_is_two_lines_or_fields() {
    for arguments in [
        &["create"][..],
        &["frobnicate"],
        &["create", "a", "--frobnicate"],
        &["create", "a", "--output", "xml"],
        &["status", "a", "--timeout", "1s"],
        &["create", "a", "--server-timeout", "soon"],
        &["create", "a", "--key-file", "a", "--sas-file", "b"],
    ] {
        let ended = finish(spawn(bare(arguments)), "");
        assert_eq!((ended.code, ended.out.as_str()), (Some(64), ""), "{arguments:?}: {ended:?}");
        let lines: Vec<&str> = ended.err.lines().collect();
        assert!(lines.len() == 2 && lines[1].starts_with("to do: "), "{lines:#?}");
        let json = finish(spawn(bare(&[&["-o", "json"], arguments].concat())), "");
        let told: serde_json::Value = serde_json::from_str(&json.err).expect("JSON");
        assert_eq!((json.code, &told["error"]["exit_code"]), (Some(64), &64.into()), "{told}");
        let message = told["error"]["message"].as_str().expect("text");
        assert_eq!(lines[0], format!("error: {message}"));
        assert!(told["error"]["advice"].is_string(), "{told}");
    }
    // Nothing at all is answered with the help.
    let ended = finish(spawn(bare(&[])), "");
    assert!(ended.code == Some(64) && ended.err.contains("Commands:"), "{ended:?}");
}

#[test]
fn without_an_account_it_says_how_to_name_one() {
    let ended = finish(spawn(bare(&["create", "backups"])), "");
    assert_eq!(ended.code, Some(64));
    insta::assert_snapshot!(ended.err);
}

#[test]
fn a_service_out_of_reach_is_6() {
    let mut command = bare(&["create", "backups", "--client-timeout", "1s"]);
    // Nothing listens on the port that is reserved for that.
    let string = "AccountName=acct;AccountKey=c2VjcmV0;BlobEndpoint=http://127.0.0.1:1/acct";
    command.env("AZURE_STORAGE_CONNECTION_STRING", string);
    let ended = finish(spawn(command), "");
    assert_eq!(ended.code, Some(6), "{ended:?}");
    assert_eq!(ended.err.lines().count(), 2, "{ended:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_an_error_and_a_closed_pipe_is_not() {
    let world = World::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("Linux has it");
    let mut command = world.command(&["create", "backups"]);
    let output = command.stdout(full).output().expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{err}");
    assert!(err.starts_with("error: the output cannot be written: "), "{err}");

    let mut child = spawn(world.command(&["create", "backups", "--if-missing"]));
    drop(child.stdout.take());
    let ended = finish(child, "");
    assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""));
}

#[cfg(unix)]
#[test]
fn no_color_is_respected() {
    use crate::support::terminal::Terminal;

    let run = |name: &str| {
        let mut command = bare(&["--help"]);
        command.env(name, "1");
        Terminal::start(command, 100).finish().1
    };
    assert!(run("UNRELATED").contains("\u{1b}["), "the terminal has colors");
    assert!(!run("NO_COLOR").contains("\u{1b}["));
}

#[test]
fn a_login_without_its_variables_names_them() {
    for (kind, variable) in [("client-secret", "AZURE_TENANT_ID"), ("workload", "AZURE_")] {
        let login = format!("--login={kind}");
        let ended = finish(spawn(bare(&["create", "backups", "--account", "acct", &login])), "");
        assert_eq!(ended.code, Some(64), "{ended:?}");
        assert!(ended.err.contains(variable), "{ended:?}");
        assert_eq!(ended.err.lines().count(), 2, "{ended:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn the_process_list_shows_no_secret() {
    // A copy that is waited for, by an account in a file.
    let world = World::new().with_disk();
    world.simulator.copies().hold();
    let folder = crate::support::disk::Folder::new("process-list");
    let file = folder.write("string", world.simulator.connection_string().as_bytes());
    let mut child = spawn(bare(&[
        "copy",
        "vhds/disk0.vhd",
        "backups/d",
        "--connection-string-file",
        &file,
        "--wait",
    ]));
    let mut err = std::io::BufReader::new(child.stderr.take().expect("piped"));
    let mut line = String::new();
    std::io::BufRead::read_line(&mut err, &mut line).expect("a line");
    let shown = std::fs::read(format!("/proc/{}/cmdline", child.id())).expect("it runs");
    let shown = String::from_utf8_lossy(&shown).into_owned();
    child.kill().expect("it lives");
    child.wait().expect("it ends");
    assert!(
        shown.contains("--wait") && !shown.contains(blobcopy_simulator::DEFAULT_KEY),
        "{shown}"
    );
}
