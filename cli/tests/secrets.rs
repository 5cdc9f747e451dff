//! One search for secrets over all that every command shows.

use blobcopy::sas::{AccountSas, AccountSasPermissions, AccountSasResourceTypes};
use blobcopy_simulator::DEFAULT_KEY;

use crate::support::{World, bare, disk::Folder, finish, spawn};

/// Every command, with the flags that make it show most; some of them fail.
const COMMANDS: [&str; 36] = [
    "create vhds",
    "create made --if-missing",
    "put FILE vhds/notes.txt",
    "put DISK vhds/put.vhd --page",
    "snapshot vhds/disk0.vhd",
    "snapshot vhds/missing.vhd",
    "snapshots vhds/disk0.vhd",
    "incremental vhds/disk0.vhd backups/ --wait",
    "incremental vhds/disk0.vhd nowhere/ --snapshot new",
    "incremental vhds/disk0.vhd backups/ --what-if",
    "mirror vhds/disk0.vhd backups/mirrored.vhd --plan",
    "mirror vhds/disk0.vhd backups/mirrored.vhd --verify --keep-last 9",
    "mirror vhds/disk0.vhd nowhere/",
    "prune backups/mirrored.vhd --keep-last 1 --plan",
    "restore backups/mirrored.vhd@newest vhds/restored.vhd",
    "restore backups/mirrored.vhd vhds/disk0.vhd",
    "drill backups/mirrored.vhd",
    "copy vhds/disk0.vhd backups/copied.vhd --wait",
    "copy vhds/notes.txt backups/notes.txt --sync",
    "copy vhds/missing backups/missing",
    "copy -r vhds/ backups/all/ --plan",
    "copy -r vhds/ backups/all/ --plan --shards 2",
    "copy -r vhds/ backups/all/ --report GOT --output jsonl",
    "copy -r vhds/ nowhere/",
    "check vhds/ backups/all/ --content",
    "verify vhds/disk0.vhd backups/copied.vhd",
    "watch backups/",
    "status backups/",
    "status backups/copied.vhd --wait",
    "abort backups/copied.vhd",
    "diff vhds/disk0.vhd@latest vhds/disk0.vhd",
    "get vhds/notes.txt GOT",
    "sas vhds/disk0.vhd --permissions r --expiry 2h",
    "delete vhds/notes.txt",
    "completions bash",
    "frobnicate",
];

/// How the account's secret reaches the program.
const FORMS: [&str; 8] = [
    "key file",
    "string file",
    "sas file",
    "key on standard input",
    "string variable",
    "key variable",
    "sas variable",
    "source variables",
];

#[test]
fn no_command_shows_one_however_it_was_given() {
    for form in FORMS {
        search(form);
    }
}

fn search(form: &str) {
    let world = World::new().with_disk();
    world.snapshot();
    let folder = Folder::new(&format!("secrets-{}", form.replace(' ', "-")));
    let endpoint = world.simulator.endpoint("devstoreaccount1").to_string();
    let string = world.simulator.connection_string();
    let sas = account_sas();
    let signature = sas.split("sig=").nth(1).and_then(|rest| rest.split('&').next());
    let signature = signature.expect("a signature");
    let plain: String = url::form_urlencoded::parse(signature.as_bytes())
        .map(|(name, _)| name.into_owned())
        .collect();
    let key_file = folder.write("key", DEFAULT_KEY.as_bytes());
    let string_file = folder.write("string", string.as_bytes());
    let sas_file = folder.write("sas", sas.as_bytes());
    let (file, disk) = (folder.write("notes.txt", b"notes"), folder.write("disk", &[1; 4096]));
    let got = folder.path("got");
    let account = ["--account", "devstoreaccount1", "--endpoint", &endpoint];
    for output in [&["-v"][..], &["-v", "-o", "json"]] {
        for line in COMMANDS {
            let line = line.replace("FILE", &file).replace("DISK", &disk).replace("GOT", &got);
            let mut arguments: Vec<&str> = line.split(' ').chain(output.iter().copied()).collect();
            let needs_account = !line.starts_with("completions") && line != "frobnicate";
            let (mut variables, mut input) = (Vec::new(), "");
            let flags = match form {
                "key file" => vec!["--key-file", &key_file],
                "string file" => vec!["--connection-string-file", &string_file],
                "sas file" => vec!["--sas-file", &sas_file],
                "key on standard input" => {
                    input = DEFAULT_KEY;
                    vec!["--key-file", "-"]
                }
                "key variable" => {
                    variables.push(("AZURE_STORAGE_KEY", DEFAULT_KEY));
                    vec![]
                }
                "sas variable" => {
                    variables.push(("AZURE_STORAGE_SAS_TOKEN", sas.as_str()));
                    vec![]
                }
                "source variables" => {
                    variables.push(("AZURE_STORAGE_CONNECTION_STRING", string.as_str()));
                    variables.push(("AZURE_STORAGE_SOURCE_CONNECTION_STRING", string.as_str()));
                    vec![]
                }
                _ => {
                    variables.push(("AZURE_STORAGE_CONNECTION_STRING", string.as_str()));
                    vec![]
                }
            };
            if needs_account {
                arguments.extend(flags);
                if !form.contains("string") && form != "source variables" {
                    arguments.extend(account);
                }
            }
            let mut command = bare(&arguments);
            command.envs(variables);
            let child = spawn(command);
            let listed = listed(child.id());
            let ended = finish(child, input);
            assert!(ended.code.is_some(), "{form}: {arguments:?}: {ended:?}");
            let shown = format!("{}\n{}\n{listed}\n{arguments:?}", ended.out, ended.err);
            for secret in [DEFAULT_KEY, signature, &plain, "SharedKey devstore", "AccountKey="] {
                assert!(!shown.contains(secret), "{form}: {arguments:?}: {secret}: {shown}");
            }
            // What `sas` makes is the one signature that is to be seen, and only as its result.
            let told = if line.starts_with("sas ") { &ended.err } else { &shown };
            let signed = told.replace("sig=REDACTED", "");
            assert!(!signed.contains("sig="), "{form}: {arguments:?}: {shown}");
        }
    }
}

/// A SAS for all of the account, made without the program.
fn account_sas() -> String {
    let all = AccountSasPermissions::new().read().write().delete().list().add().create();
    let types = AccountSasResourceTypes::new().service().container().object();
    let key = blobcopy::SharedKey::new("devstoreaccount1", DEFAULT_KEY).expect("a key");
    let expiry = blobcopy::Clock::system().now() + time::Duration::hours(1);
    let sas = AccountSas::new(types).permissions(all).expires(expiry).sign(&key).expect("signed");
    sas.expose().to_owned()
}

/// What the process list shows of a process, while it runs.
fn listed(id: u32) -> String {
    let shown = std::fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
    String::from_utf8_lossy(&shown).into_owned()
}

#[test]
fn a_url_with_a_sas_is_warned_of_and_shown_nowhere_else() {
    let world = World::new().with_disk();
    let made = world.good(&["sas", "vhds/disk0.vhd", "--permissions", "r", "--expiry", "2h"]);
    let url = made.trim();
    let to = world.good(&["sas", "backups/d", "--permissions", "rcw", "--expiry", "2h"]);
    for arguments in [
        &["copy", url, to.trim(), "--wait", "-v"][..],
        &["copy", url, "backups/e", "-v", "-o", "json"],
        &["status", to.trim(), "-v"],
        &["snapshot", url, "-v"],
        &["get", url, "/nowhere/file", "-v"],
        &["copy", url, "backups/e", "--no-such-flag"],
        &["copy", url, "backups/e", url],
        &["copy", url, "backups/e", "--tier", url, "--what-if"],
        &["put", url, "backups/e"],
        &["create", url, "-o", "json"],
    ] {
        let ended = world.run(arguments);
        let shown = format!("{}{}", ended.out, ended.err).replace("sig=REDACTED", "");
        assert!(!shown.contains("sig=") && !shown.contains("sig%3D"), "{arguments:?}: {shown}");
    }
    let ended = world.run(&["copy", url, "backups/f"]);
    let warnings = ended.err.matches("the process list shows the SAS").count();
    assert_eq!((ended.code, warnings), (Some(0), 1), "{ended:?}");
}

#[test]
fn a_quiet_run_is_not_warned_of_a_sas() {
    let world = World::new().with_disk();
    let signed = world.good(&["sas", "vhds/disk0.vhd", "--permissions", "r", "--expiry", "2h"]);
    for (flags, warned) in [(&["--quiet"][..], false), (&[], true)] {
        let ended = world.run(&[&["get", signed.trim(), "-"], flags].concat());
        assert_eq!((ended.code, ended.err.starts_with("warning: ")), (Some(0), warned));
    }
}
