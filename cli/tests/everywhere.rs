//! Every command: in a pipe and in terminals, as text and as JSON.

use crate::support::{World, bare, disk::Folder, finish, spawn};

/// Where a command runs.
#[derive(Clone, Copy)]
enum Place {
    Pipe,
    #[cfg(unix)]
    Terminal(u16),
}

/// Runs one command after another, from an empty account to an empty container, and gives all that
/// they show.
fn transcript(place: Place, form: &[&str]) -> String {
    let world = World::new();
    let folder = Folder::new(&format!("everywhere-{}", number()));
    let notes = folder.write("notes.txt", b"some notes");
    let mut disk = vec![0; 256 << 10];
    disk[..4096].fill(1);
    let image = folder.write("disk.img", &disk);
    let got = folder.path("got.img");
    let mut shown = String::new();
    let timed = ["mirror", "prune", "restore", "drill"];
    let mut run = |line: &str| {
        let line = line.replace("IMAGE", &image).replace("NOTES", &notes).replace("GOT", &got);
        let arguments: Vec<&str> = line.split(' ').chain(form.iter().copied()).collect();
        let (code, text) = match place {
            Place::Pipe => {
                let ended = world.run(&arguments);
                (ended.code, format!("{}{}", ended.out, ended.err))
            }
            #[cfg(unix)]
            Place::Terminal(columns) => {
                use crate::support::{screen::screen, terminal::Terminal};
                let command = world.command(&arguments);
                let (code, text) = Terminal::start(command, columns).finish();
                (code, screen(&text))
            }
        };
        let text =
            if timed.iter().any(|name| line.starts_with(name)) { measures(&text) } else { text };
        let code = code.unwrap_or(-1);
        shown.push_str(&format!("$ blobcopy {line}\n{}\n[{code}]\n\n", text.trim_end()));
    };
    run("create vhds");
    run("create backups");
    run("create backups");
    run("create backups --if-missing");
    run("put NOTES vhds/notes.txt");
    run("put IMAGE vhds/disk0.vhd --page");
    run("incremental vhds/disk0.vhd backups/");
    run("snapshot vhds/disk0.vhd");
    run("put IMAGE vhds/disk0.vhd --page --what-if");
    run("incremental vhds/disk0.vhd backups/ --what-if");
    world.simulator.copies().hold();
    run("incremental vhds/disk0.vhd backups/");
    run("status backups/disk0.vhd");
    world.simulator.copies().release();
    run("status backups/disk0.vhd --wait --quiet");
    world.change(128 << 10, 1024);
    run("diff vhds/disk0.vhd@latest vhds/disk0.vhd");
    run("incremental vhds/disk0.vhd backups/ --snapshot new --wait --quiet");
    run("snapshots backups/disk0.vhd");
    run("mirror vhds/disk0.vhd backups/ --plan");
    world.change(64 << 10, 512);
    run("snapshot vhds/disk0.vhd");
    run("mirror vhds/disk0.vhd backups/ --plan");
    run("mirror vhds/disk0.vhd backups/ --quiet");
    run("mirror vhds/disk0.vhd backups/ --quiet --route ranges");
    run("mirror vhds/disk0.vhd backups/ --quiet --verify --keep-last 2");
    run("prune backups/disk0.vhd --keep-daily 1 --plan");
    run("prune backups/disk0.vhd --keep-last 1 --what-if");
    run("prune backups/disk0.vhd --keep-last 1");
    run("restore backups/disk0.vhd@newest vhds/restored.vhd");
    run("restore backups/disk0.vhd vhds/restored.vhd");
    world.simulator.clock().advance(std::time::Duration::from_secs(60));
    run("drill backups/disk0.vhd");
    run("delete vhds/restored.vhd");
    run("status backups/");
    run("copy vhds/notes.txt backups/notes.txt --sync");
    world.simulator.copies().hold();
    run("copy vhds/notes.txt backups/more/");
    run("abort backups/more/notes.txt");
    run("abort backups/more/notes.txt");
    world.simulator.copies().release();
    run("get backups/disk0.vhd@latest GOT");
    run("sas vhds/notes.txt --permissions r --expiry 2h");
    run("copy -r vhds/ backups/all/ --plan");
    run("copy -r vhds/ backups/all --plan");
    run("check vhds/ backups/all/");
    run("verify vhds/notes.txt backups/notes.txt");
    run("verify vhds/notes.txt backups/more/notes.txt");
    run("watch backups/");
    run("delete vhds/disk0.vhd");
    run("delete vhds/disk0.vhd --snapshots include");
    run("snapshots vhds/disk0.vhd");
    run("delete vhds/missing");
    run("completions tcsh");
    run("frobnicate");
    let folder = folder.path("");
    signatures(&world.shown(&shown.replace(&folder, "")))
}

/// A number that no other test of this process has.
fn number() -> usize {
    use std::sync::atomic::{AtomicUsize, Ordering};
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// SAS and ETags without what differs from run to run.
fn signatures(text: &str) -> String {
    let mut text = text.to_owned();
    for name in ["sig=", "se=", "st=", "\\\"0x"] {
        let mut parts = text.split(name);
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let end = part.find(|c: char| "&\"'`) \n\\".contains(c)).unwrap_or(part.len());
            kept.push_str(&format!("{name}[…]{}", &part[end..]));
        }
        text = kept;
    }
    text
}

/// Times taken and numbers of requests without what differs from run to run.
fn measures(text: &str) -> String {
    let mut text = text.to_owned();
    let names = [
        "\nrequests  ",
        "\ntime  ",
        "\nrecovery time  ",
        "Z, ",
        "blobcopy-drill-",
        "\"requests\":",
        "\"secs\":",
        "\"nanos\":",
    ];
    for name in names {
        let mut parts = text.split(name);
        let mut kept = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let begin = part.len() - part.trim_start_matches(' ').len();
            let end = part[begin..].find(|c: char| !c.is_ascii_alphanumeric());
            let end = end.map_or(part.len(), |end| begin + end);
            let measure = if end > begin { "0" } else { "" };
            kept.push_str(&format!("{name}{}{measure}{}", &part[..begin], &part[end..]));
        }
        text = kept;
    }
    text
}

#[test]
fn text_in_a_pipe() {
    let shown = transcript(Place::Pipe, &[]);
    assert!(!shown.contains('\u{1b}') && !shown.contains('\r'), "{shown}");
    insta::assert_snapshot!(shown);
}

#[test]
fn json_in_a_pipe() {
    insta::assert_snapshot!(transcript(Place::Pipe, &["--output", "json"]));
}

#[test]
fn json_lines_in_a_pipe() {
    let shown = transcript(Place::Pipe, &["--output", "jsonl"]);
    for line in shown.lines().filter(|line| line.starts_with(['{', '[']) && line.contains('"')) {
        serde_json::from_str::<serde_json::Value>(line).expect(line);
    }
    insta::assert_snapshot!(shown);
}

#[cfg(unix)]
#[test]
fn text_in_a_terminal() {
    insta::assert_snapshot!(transcript(Place::Terminal(100), &[]));
}

#[cfg(unix)]
#[test]
fn text_in_a_terminal_40_columns_wide() {
    insta::assert_snapshot!(transcript(Place::Terminal(40), &[]));
}

#[cfg(unix)]
#[test]
fn json_in_a_terminal_is_the_json_of_a_pipe() {
    let form = ["--output", "json"];
    let (terminal, pipe) = (transcript(Place::Terminal(40), &form), transcript(Place::Pipe, &form));
    assert_eq!(terminal, pipe);
}

#[test]
fn completions_and_help_need_no_account() {
    for arguments in [&["completions", "bash"][..], &["help", "put"], &["put", "--help"]] {
        let ended = finish(spawn(bare(arguments)), "");
        assert_eq!((ended.code, ended.err.as_str()), (Some(0), ""), "{arguments:?}");
    }
}
