//! `blobcopy copy -r`, `check`, `verify` and `watch`.

use std::time::Duration;

use blobcopy_simulator::Op;
use serde_json::Value;

use crate::support::{Ended, World, disk::Folder, finish, spawn};

impl World {
    /// So many small blobs in `vhds`, which were written a while ago.
    pub(crate) fn with_blobs(self, count: usize) -> Self {
        let account = self.simulator.accounts().next().expect("an account").to_owned();
        self.simulator.fill(&account, "vhds", count, 64);
        self.later();
        self.good(&["create", "backups"]);
        self
    }

    pub(crate) fn later(&self) {
        self.simulator.clock().advance(Duration::from_secs(2));
    }

    /// Writes a blob of `backups`.
    fn overwrite(&self, name: &str) {
        let blob = self.service().container_client("backups").block_blob_client(name);
        self.runtime.block_on(async { blob.upload("other").await }).expect("written");
    }

    /// The name of the first blob of `vhds`.
    fn first(&self) -> String {
        let vhds = self.service().container_client("vhds");
        let all = self.runtime.block_on(async { vhds.list_blobs().collect_all().await });
        all.expect("listed")[0].name.clone()
    }
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).expect(text)
}

/// How many blobs of a report had this outcome.
pub(crate) fn count(report: &Value, outcome: &str) -> u64 {
    let outcomes = report["outcomes"].as_array().expect("outcomes");
    let found = outcomes.iter().find(|count| count["outcome"] == outcome);
    found.map_or(0, |count| count["blobs"].as_u64().expect("a number"))
}

const COPY: [&str; 4] = ["copy", "-r", "vhds/", "backups/"];

pub(crate) fn with<'a>(flags: &[&'a str]) -> Vec<&'a str> {
    [&COPY[..], flags].concat()
}

#[test]
fn all_blobs_are_copied_and_then_none() {
    let world = World::new().with_blobs(30);
    let text = world.good(&COPY);
    assert!(text.contains("\ncopied       30\n"), "{text}");
    assert!(text.contains("\nbytes        1920\n"), "{text}");
    world.later();
    let again = json(&world.good(&with(&["--output", "json"])));
    assert_eq!((count(&again, "same"), again["bytes"].as_u64()), (30, Some(0)), "{again}");
    let checked = world.run(&["check", "vhds/", "backups/"]);
    assert_eq!((checked.code, checked.out.as_str()), (Some(0), ""));
    assert_eq!(checked.err, "30 the same, 0 different\n");
    let below = world.good(&["copy", "-r", "vhds/", "backups/daily/", "-o", "json"]);
    assert_eq!(count(&json(&below), "copied"), 30);
}

#[test]
fn json_lines_tell_each_blob_and_end_with_the_report() {
    let world = World::new().with_blobs(5);
    let out = world.good(&with(&["--output", "jsonl"]));
    let events: Vec<Value> = out.lines().map(json).collect();
    let of = |kind: &str| events.iter().filter(|event| event["event"] == kind).count();
    assert_eq!((of("started"), of("finished"), of("ended")), (5, 5, 1), "{out}");
    let last = events.last().expect("one");
    assert_eq!((last["event"].as_str(), count(last, "copied")), (Some("ended"), 5), "{out}");
}

#[test]
fn another_account_is_read_by_its_own_credential() {
    let builder = blobcopy_simulator::Simulator::builder();
    let world = World::of(builder.account("near", "bmVhcg==").account("far", "ZmFy"));
    world.simulator.fill("far", "vhds", 4, 64);
    world.later();
    let far = world.simulator.connection_string_of("far").expect("an account");
    let near = world.simulator.connection_string_of("near").expect("an account");
    let run = |arguments: &[&str], source: &str| {
        let mut command = world.command(arguments);
        command.env("AZURE_STORAGE_CONNECTION_STRING", &near);
        command.env("AZURE_STORAGE_SOURCE_CONNECTION_STRING", source);
        finish(spawn(command), "")
    };
    let ended = run(&with(&["--create", "-o", "json"]), &far);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let report = json(&ended.out);
    assert_eq!(report["routes"]["blob-from-url"], 4, "{report}");
    world.later();
    let checked = run(&["check", "vhds/", "backups/", "--content"], &far);
    assert_eq!(checked.code, Some(0), "{checked:#?}");

    // By a SAS in a URL of the container.
    let mut command = world.command(&["sas", "vhds", "--permissions", "rlt", "--expiry", "1h"]);
    command.env("AZURE_STORAGE_CONNECTION_STRING", &far);
    let signed = finish(spawn(command), "").out;
    let named = ["copy", "-r", signed.trim(), "backups/daily/", "-o", "json"];
    let ended = run(&named, "");
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(count(&json(&ended.out), "copied"), 4, "{ended:#?}");
    let shown = format!("{}{}", ended.out, ended.err);
    assert!(!shown.replace("sig=REDACTED", "").contains("sig="), "{shown}");
}

#[test]
fn a_plan_sends_nothing_and_tells_the_requests() {
    let world = World::new().with_blobs(7);
    let plan = json(&world.good(&with(&["--plan", "-o", "json", "--requests-per-second", "1"])));
    assert_eq!(
        (&plan["blobs"], &plan["requests"], &plan["seconds"]),
        (&7.into(), &9.into(), &9.into())
    );
    let text = world.good(&with(&["--plan"]));
    assert!(text.contains("7 to copy by Copy Blob: 7 requests"), "{text}");
    assert_eq!(world.simulator.count(Op::CopyBlob), 0);
}

#[test]
fn the_shards_of_a_job_file_copy_all_of_it() {
    let world = World::new().with_blobs(40);
    let folder = Folder::new("job-file");
    let file = folder.write("job.json", world.good(&with(&["--plan", "--shards", "3"])).as_bytes());
    let mut copied = 0;
    for index in 0..3 {
        let mut command = world.command(&with(&["--job", &file, "-o", "json"]));
        command.env("JOB_COMPLETION_INDEX", index.to_string());
        let ended = finish(spawn(command), "");
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        let report = json(&ended.out);
        assert_eq!(report["shard"]["index"], index);
        copied += count(&report, "copied");
    }
    assert_eq!(copied, 40);
    let other = world.run(&with(&["--job", &file, "--shard", "0/3", "--no-tags"]));
    assert_eq!(other.code, Some(64), "{other:#?}");
    assert!(other.err.contains("another job"), "{other:#?}");
}

#[test]
fn a_shard_comes_from_the_flag_or_from_both_variables() {
    let world = World::new().with_blobs(40);
    let run = |flags: &[&str], variables: &[(&str, &str)]| {
        let mut command = world.command(&with(flags));
        command.envs(variables.iter().copied());
        finish(spawn(command), "")
    };
    let first = run(&["--shard", "0/2", "-o", "json"], &[("JOB_COMPLETION_INDEX", "1")]);
    let both = [("JOB_COMPLETION_INDEX", "1"), ("BLOBCOPY_SHARDS", "2")];
    let second = run(&["-o", "json"], &both);
    let copied = |ended: &Ended| count(&json(&ended.out), "copied");
    assert_eq!(copied(&first) + copied(&second), 40, "{first:#?} {second:#?}");
    for half in &both {
        let ended = run(&[], &[*half]);
        assert_eq!((ended.code, ended.out.as_str()), (Some(64), ""), "{half:?}: {ended:#?}");
        assert!(ended.err.contains("0/1 for all"), "{ended:#?}");
    }
    for wrong in ["2/2", "x", "1", "0/0"] {
        assert_eq!(run(&["--shard", wrong], &[]).code, Some(64), "{wrong}");
    }
}

#[test]
fn what_cannot_work_is_42_and_what_may_is_1() {
    let world = World::new().with_blobs(3);
    // Of another type than its source, which no copy changes.
    let name = world.first();
    let page = world.service().container_client("backups").page_blob_client(&name);
    world.runtime.block_on(async { page.create(512).await }).expect("created");
    let ended = world.run(&COPY);
    assert_eq!(ended.code, Some(42), "{ended:#?}");
    assert!(ended.err.contains(&format!("failed: {name}: ")), "{ended:#?}");
    assert!(ended.err.contains("error: 1 blob was not copied"), "{ended:#?}");
    assert!(ended.out.contains("copied "), "{ended:#?}");

    let world = World::new().with_blobs(3);
    world
        .simulator
        .faults()
        .on(Op::CopyBlob)
        .blob(&name)
        .times(1000)
        .answer(403, "AuthorizationFailure");
    let ended = world.run(&COPY);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
}

#[test]
fn of_many_failures_some_are_shown_and_the_report_has_all() {
    let world = World::new().with_blobs(30);
    world.simulator.faults().on(Op::CopyBlob).answer(403, "AuthorizationFailure");
    let folder = Folder::new("failures");
    let file = folder.path("report.jsonl");
    let ended = world.run(&with(&["--report", &file]));
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(ended.err.matches("failed: ").count(), 20, "{ended:#?}");
    assert!(ended.err.contains("--report"), "{ended:#?}");
    assert!(ended.err.contains("error: 30 blobs were not copied"), "{ended:#?}");
    let lines = std::fs::read_to_string(&file).expect("written");
    let failures = lines.lines().map(json).filter(|line| line.get("failure").is_some());
    assert_eq!(failures.count(), 30, "{lines}");
}

#[test]
fn extra_blobs_go_only_within_the_limit() {
    let world = World::new().with_blobs(3);
    for name in ["extra1", "extra2"] {
        world.overwrite(name);
    }
    let ended = world.run(&with(&["--delete", "--max-delete", "1"]));
    assert_eq!(ended.code, Some(42), "{ended:#?}");
    assert!(ended.err.contains("2 blobs are only at the destination"), "{ended:#?}");
    let report = json(&world.good(&with(&["--delete", "--max-delete", "2", "-o", "json"])));
    assert_eq!(count(&report, "deleted"), 2, "{report}");
    for alone in ["--delete", "--max-delete=3"] {
        assert_eq!(world.run(&with(&[alone])).code, Some(64), "{alone}");
    }
}

#[test]
fn differences_have_letters() {
    let world = World::new().with_blobs(3);
    world.good(&COPY);
    world.later();
    let name = world.first();
    world.overwrite(&name);
    world.overwrite("only-there");
    let source = world.service().container_client("vhds").block_blob_client("only-here");
    world.runtime.block_on(async { source.upload("x").await }).expect("written");
    let ended = world.run(&["check", "vhds/", "backups/"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let mut lines: Vec<&str> = ended.out.lines().collect();
    lines.sort_unstable();
    let differs = format!("* {name}  (length differs)");
    assert_eq!(lines, [differs.as_str(), "+ only-here", "- only-there"]);
    assert!(ended.err.contains("2 the same, 3 different"), "{ended:#?}");
    let ended = world.run(&["check", "vhds/", "backups/", "-o", "jsonl"]);
    let lines: Vec<Value> = ended.out.lines().map(json).collect();
    assert_eq!((ended.code, lines.len()), (Some(1), 3), "{ended:#?}");
    let ended = world.run(&["check", "vhds/", "backups/", "-o", "json"]);
    assert_eq!(json(&ended.out)["different"], 3, "{ended:#?}");
}

#[test]
fn content_is_proved_once() {
    let world = World::new().with_blobs(4);
    let folder = Folder::new("receipts");
    let file = folder.path("report.jsonl");
    world.good(&with(&["--verify", "--report", &file]));
    world.later();
    let lines = std::fs::read_to_string(&file).expect("written");
    let of = |kind: &str| lines.lines().filter(|line| json(line).get(kind).is_some()).count();
    assert_eq!((of("receipt"), of("report"), lines.lines().count()), (4, 1, 5), "{lines}");
    // A run that resumes keeps what the first one has proved.
    world.good(&with(&["--report", &file]));
    let more = std::fs::read_to_string(&file).expect("written");
    assert!(more.starts_with(&lines) && more.len() > lines.len(), "{more}");

    let staged = || world.simulator.count(Op::PutBlockFromUrl);
    let before = staged();
    let check = ["check", "vhds/", "backups/", "--content", "--quiet"];
    world.good(&[&check[..], &["--receipts", &file]].concat());
    assert_eq!(staged(), before, "nothing was compared again");
    world.good(&check);
    assert!(staged() > before, "it was compared");
}

#[test]
fn two_blobs_are_compared_where_they_are() {
    let world = World::new().with_disk();
    world.good(&["copy", "vhds/disk0.vhd", "backups/disk0.vhd", "--wait"]);
    let same = world.run(&["verify", "vhds/disk0.vhd", "backups/"]);
    assert_eq!(same.code, Some(0), "{same:#?}");
    assert!(same.out.starts_with("identical: 65536 bytes"), "{same:#?}");
    world.change(8192, 512);
    let other = world.run(&["verify", "vhds/disk0.vhd", "backups/disk0.vhd"]);
    assert_eq!(other.code, Some(1), "{other:#?}");
    assert!(other.out.contains("8192..8704"), "{other:#?}");
    let fields = world.run(&["verify", "vhds/disk0.vhd", "backups/disk0.vhd", "-o", "json"]);
    let range = &json(&fields.out)["verdict"]["different"]["ranges"][0];
    assert_eq!(range["start"], 8192, "{fields:#?}");
    let gone = world.run(&["verify", "vhds/none", "backups/disk0.vhd"]);
    assert_eq!(gone.code, Some(2), "{gone:#?}");
    assert!(gone.err.contains("/vhds/none)"), "{gone:#?}");
    assert_eq!(world.simulator.count(Op::GetBlob), 0, "nothing was downloaded");
}

#[test]
fn pending_copies_are_watched_to_their_ends() {
    let world =
        World::of(blobcopy_simulator::Simulator::builder().copy_duration(Duration::from_secs(1)));
    let world = world.with_blobs(2);
    let name = world.first();
    world.good(&["copy", &format!("vhds/{name}"), "backups/"]);
    let ended = world.run(&["watch", "backups/", "-o", "jsonl"]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let lines: Vec<Value> = ended.out.lines().map(json).collect();
    assert_eq!((&lines[0]["blob"], &lines[0]["status"]), (&name.into(), &"success".into()));
    assert_eq!(lines[1]["succeeded"], 1, "{ended:#?}");
}

#[test]
fn a_container_that_is_missing_is_named_with_what_makes_it() {
    let world = World::new().with_blobs(2);
    for more in [&[][..], &["--plan"]] {
        let missing = world.run(&[&["copy", "-r", "vhds/", "nowhere/"][..], more].concat());
        assert_eq!(missing.code, Some(2), "{missing:#?}");
        assert!(missing.err.contains("/nowhere) "), "{missing:#?}");
        assert!(missing.err.contains("to do: add --create"), "{missing:#?}");
    }
    let source = world.run(&["copy", "-r", "nowhere/", "backups/", "--create"]);
    assert!(source.err.contains("/nowhere) "), "{source:#?}");
    assert!(!source.err.contains("--create"), "{source:#?}");
    let check = world.run(&["check", "vhds/", "nowhere/"]);
    assert!(check.err.contains("`blobcopy copy -r vhds/ nowhere/ --create`"), "{check:#?}");
    let check = world.run(&["check", "nowhere/", "vhds/"]);
    assert!(check.err.contains("/nowhere) "), "{check:#?}");
}

#[test]
fn the_advice_of_a_check_mends_what_it_found() {
    let world = World::new().with_blobs(1);
    let advised = |flags: &[&str]| {
        let ended = world.run(&[&["check", "vhds/", "backups/"][..], flags].concat());
        assert_eq!(ended.code, Some(1), "{ended:#?}");
        ended.err.split('`').nth(1).expect(&ended.err).to_owned()
    };
    let copy = "blobcopy copy -r vhds/ backups/";
    assert_eq!(advised(&["--no-tags"]), format!("{copy} --no-tags"));
    assert_eq!(advised(&["--content"]), format!("{copy} --verify"));
    world.good(&COPY);
    world.overwrite("only-there");
    world.later();
    assert_eq!(advised(&[]), format!("{copy} --delete --max-delete 1"));
    let one = world.run(&["check", "vhds/a", "backups/a"]);
    assert!(one.err.contains("blobcopy verify"), "{one:#?}");
}

#[test]
fn what_would_be_deleted_is_said_before() {
    let world = World::new().with_blobs(1);
    let said = world.good(&with(&["--delete", "--max-delete", "3", "--what-if"]));
    let what = "what if: Copy the blobs of vhds/ to backups/, and delete at most 3 that only \
                backups/ has\n";
    assert_eq!(said, what);
    let said = world.good(&with(&["--move", "--what-if"]));
    assert!(said.contains("to backups/, and delete each source that is copied"), "{said}");
}

#[test]
fn a_job_ends_when_nobody_reads_its_events() {
    let world = World::new().with_blobs(300);
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut command = world.command(&with(&["-o", "jsonl", "--concurrency", "1"]));
    let output = command.stdout(writer).output().expect("it runs");
    let err = String::from_utf8_lossy(&output.stderr);
    // Much is left, and another run may do it.
    assert_eq!((output.status.code(), &*err), (Some(1), ""));
    assert!(world.simulator.count(Op::CopyBlob) < 150);

    // The report comes last: what the job left is told all the same.
    world.simulator.faults().on(Op::CopyBlob).answer(403, "AuthorizationFailure");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = world.command(&COPY).stdout(writer).output().expect("it runs");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let mut check = world.command(&["check", "vhds/", "backups/"]);
    let output = check.stdout(writer).output().expect("it runs");
    assert_eq!((output.status.code(), output.stderr.len()), (Some(1), 0), "{output:?}");
}

#[test]
fn an_archived_blob_that_is_not_copied_is_42() {
    let world = World::new().with_blobs(2);
    let name = world.first();
    let archive = |world: &World, name: &str| {
        let blob = world.service().container_client("vhds").blob_client(name);
        let archived = async { blob.set_tier(blobcopy::AccessTier::Archive).await };
        world.runtime.block_on(archived).expect("archived");
    };
    archive(&world, &name);
    let left = world.run(&COPY);
    assert_eq!(left.code, Some(42), "{left:#?}");
    assert!(left.err.contains("error: 1 blob was not copied: archived"), "{left:#?}");
    assert!(left.err.contains("rehydrate"), "{left:#?}");
    // Archived after it was copied: nothing is left.
    let world = World::new().with_blobs(2);
    world.good(&COPY);
    world.later();
    archive(&world, &name);
    world.good(&COPY);
}

#[test]
fn a_move_leaves_nothing_behind() {
    let world = World::new().with_blobs(3);
    let report = json(&world.good(&with(&["--move", "-o", "json"])));
    assert_eq!(count(&report, "moved"), 3, "{report}");
    let vhds = world.service().container_client("vhds");
    let left = world.runtime.block_on(async { vhds.list_blobs().collect_all().await });
    assert!(left.expect("listed").is_empty());
}

#[test]
fn flags_of_one_blob_and_of_many_do_not_mix() {
    let world = World::new().with_blobs(1);
    let folder = Folder::new("wrong-receipts");
    let job = folder.path("job.json");
    folder.write("job.json", world.good(&with(&["--plan", "--shards", "2"])).as_bytes());
    for arguments in [
        &with(&["--sync"])[..],
        &with(&["--wait"]),
        &with(&["--tier", "Cool"]),
        &with(&["--if-match", "*"]),
        &["copy", "vhds/a", "backups/", "--plan"],
        &["copy", "vhds/a", "backups/", "--no-tags"],
        &["copy", "-r", "vhds/a", "backups/"],
        &["copy", "-r", "vhds/", "backups/a"],
        &with(&["--shards", "3"]),
        &with(&["--receipts", "x"]),
        &with(&["--move", "--delete", "--max-delete", "1"]),
        &with(&["--job", "/nowhere/job.json", "--shard", "0/2"]),
        &["copy", "-r", "vhds/", "vhds/inside/"],
        &with(&["--report", "-"]),
        &with(&["--plan", "--report", "x"]),
        &["check", "vhds/", "backups/", "--content", "--receipts", job.as_str()],
    ] {
        let ended = world.run(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (Some(64), ""), "{arguments:?}: {ended:#?}");
        assert_eq!(ended.err.lines().count(), 2, "{arguments:?}: {ended:#?}");
    }
}

#[cfg(unix)]
#[test]
fn an_interrupted_job_says_that_the_same_command_resumes() {
    use rustix::process::Signal;

    use crate::support::{screen::screen, terminal::Terminal};

    let world = World::new().with_blobs(8);
    world.simulator.copies().hold();
    let mut terminal = Terminal::start(world.command(&COPY), 100);
    world.until(|| world.simulator.count(Op::CopyBlob) == 8);
    terminal.signal(Signal::INT);
    terminal.until("to do: ");
    let (code, text) = terminal.finish();
    assert_eq!(code, Some(130), "{text}");
    let text = screen(&text);
    assert!(text.contains("interrupted: the copies that are under way go on"), "{text}");
    assert!(text.contains("run the same command again"), "{text}");
    world.simulator.copies().release();
    let report = json(&world.good(&with(&["-o", "json"])));
    let done = count(&report, "adopted") + count(&report, "same");
    assert_eq!((done, count(&report, "copied")), (8, 0), "{report}");
    assert_eq!(world.simulator.count(Op::CopyBlob), 8, "no copy was started again");
}

#[cfg(unix)]
#[test]
fn a_terminal_has_one_bar() {
    use crate::support::terminal::Terminal;

    let world =
        World::of(blobcopy_simulator::Simulator::builder().copy_duration(Duration::from_secs(1)));
    let world = world.with_blobs(150);
    let mut terminal = Terminal::start(world.command(&COPY), 100);
    let seen = terminal.until("/150 blobs, ").to_owned();
    assert!(seen.contains("% ["), "{seen}");
    let (code, text) = terminal.finish();
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("left"), "{text}");
    assert!(text.contains("copied       150"), "{text}");
}
