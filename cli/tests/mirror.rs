//! `blobcopy mirror`, in a pipe.

use std::time::Duration;

use blobcopy::LeaseId;
use blobcopy_simulator::{Op, Simulator};
use serde_json::Value;

use crate::support::{Ended, World, disk::Folder};

/// A disk with two snapshots, of which the second differs in 512 bytes.
pub(crate) fn world() -> World {
    of(Simulator::builder())
}

pub(crate) fn of(builder: blobcopy_simulator::SimulatorBuilder) -> World {
    let world = World::of(builder).with_disk();
    world.snapshot();
    world.change(8192, 512);
    world.snapshot();
    world
}

pub(crate) const MIRROR: [&str; 3] = ["mirror", "vhds/disk0.vhd", "backups/"];

impl World {
    fn mirror(&self, flags: &[&str]) -> Ended {
        self.run(&[&MIRROR, flags].concat())
    }

    pub(crate) fn json(&self, arguments: &[&str]) -> Value {
        let out = self.good(&[arguments, &["--output", "json"]].concat());
        serde_json::from_str(&out).expect("JSON")
    }

    /// The times of a blob's snapshots.
    pub(crate) fn snapshots_of(&self, blob: &str) -> Vec<String> {
        let listed = self.json(&["snapshots", blob]);
        let listed = listed.as_array().expect("an array").iter();
        listed.map(|row| row["snapshot"].as_str().expect("a time").to_owned()).collect()
    }

    /// The content of a blob, or of a snapshot, byte for byte.
    pub(crate) fn content(&self, blob: &str) -> Vec<u8> {
        let output = self.command(&["get", blob, "-", "--quiet"]).output().expect("it runs");
        assert_eq!(output.status.code(), Some(0), "{blob}: {output:?}");
        output.stdout
    }

    /// Fails unless each snapshot of the disk has one at the destination with the same content.
    fn is_mirrored(&self, destination: &str) {
        let (from, to) = (self.snapshots_of("vhds/disk0.vhd"), self.snapshots_of(destination));
        assert_eq!(from.len(), to.len(), "each is there once");
        for (from, to) in from.iter().zip(&to) {
            let source = self.content(&format!("vhds/disk0.vhd@{from}"));
            assert!(source == self.content(&format!("{destination}@{to}")), "{from} is not {to}");
        }
    }

    /// Requests that change something.
    fn writes(&self) -> u64 {
        let reads = [Op::ListBlobs, Op::GetBlobProperties, Op::GetPageRanges, Op::GetBlob];
        let counts = self.simulator.counts();
        counts.iter().filter(|(op, _)| !reads.contains(op)).map(|(_, count)| count).sum()
    }

    /// Takes the lease of a run that is at work.
    fn lock(&self) -> LeaseId {
        let container = self.service().container_client("backups");
        let marker = container.block_blob_client("disk0.vhd.blobcopy");
        self.runtime.block_on(async {
            marker.upload("{}").await.expect("a marker");
            marker.acquire_lease(Duration::from_secs(60)).await.expect("a lease").lease_id
        })
    }
}

#[test]
fn each_route_copies_what_is_missing_and_nothing_twice() {
    for route in ["incremental", "ranges"] {
        let world = world();
        let first = world.mirror(&["--route", route, "--output", "json"]);
        assert_eq!(first.code, Some(0), "{first:#?}");
        let report: Value = serde_json::from_str(&first.out).expect("JSON");
        assert_eq!(report["hops"].as_array().map(Vec::len), Some(2), "{report}");
        assert_eq!(report["hops"][1]["bytes"], 512, "{report}");
        world.is_mirrored("backups/disk0.vhd");
        let listed = world.json(&["snapshots", "backups/disk0.vhd"]);
        let sources = world.snapshots_of("vhds/disk0.vhd");
        assert_eq!(listed[1]["source_snapshot"], sources[1].as_str(), "{listed}");

        let again = world.json(&MIRROR);
        assert_eq!((&again["present"], &again["bytes"]), (&2.into(), &0.into()), "{again}");
        world.change(0, 1024);
        world.snapshot();
        let third = world.json(&MIRROR);
        assert_eq!((&third["present"], &third["bytes"]), (&2.into(), &1024.into()), "{third}");
        world.is_mirrored("backups/disk0.vhd");
    }
}

#[test]
fn a_plan_says_what_each_hop_moves_and_changes_nothing() {
    let world = world();
    world.simulator.forget_requests();
    let plan = world.json(&[&MIRROR[..], &["--plan", "--keep-last", "1"]].concat());
    assert_eq!(plan["hops"].as_array().map(Vec::len), Some(2), "{plan}");
    assert_eq!((&plan["hops"][1]["bytes"], &plan["bytes"]), (&512.into(), &4608.into()), "{plan}");
    let kept = plan["retention"].as_array().expect("what the policy says");
    assert_eq!(kept.iter().filter(|one| one["reasons"] == serde_json::json!([])).count(), 1);
    let text = world.good(&[&MIRROR[..], &["--plan"]].concat());
    assert!(text.contains("to copy      2 snapshots, 4608 bytes"), "{text}");
    assert!(text.lines().any(|line| line.contains("512  to copy")), "{text}");
    assert_eq!(world.writes(), 0, "{:?}", world.simulator.counts());
    let what_if = world.good(&[&MIRROR[..], &["--what-if"]].concat());
    assert!(what_if.starts_with("what if: Mirror the snapshots of vhds/disk0.vhd"), "{what_if}");
    assert_eq!(world.writes(), 0);
}

#[test]
fn a_second_run_is_busy_or_waits_or_takes_the_lock() {
    let world = world();
    let lease = world.lock();
    let busy = world.mirror(&[]);
    assert_eq!(busy.code, Some(1), "{busy:#?}");
    assert!(busy.err.contains("--wait") && busy.err.contains("--take-lock"), "{busy:#?}");
    assert_eq!(busy.err.lines().filter(|line| line.starts_with("to do: ")).count(), 1);
    assert_eq!(world.snapshots_of("backups/disk0.vhd").len(), 0);

    let before = world.simulator.count(Op::LeaseBlob);
    let child = crate::support::spawn(world.command(&[&MIRROR[..], &["--wait"]].concat()));
    world.until(|| world.simulator.count(Op::LeaseBlob) > before);
    let marker = world.service().container_client("backups").blob_client("disk0.vhd.blobcopy");
    world.runtime.block_on(async { marker.release_lease(lease).await }).expect("released");
    let waited = crate::support::finish(child, "");
    assert_eq!(waited.code, Some(0), "{waited:#?}");
    world.is_mirrored("backups/disk0.vhd");

    world.change(0, 512);
    world.snapshot();
    world.lock();
    let taken = world.mirror(&["--take-lock"]);
    assert_eq!(taken.code, Some(0), "{taken:#?}");
    world.is_mirrored("backups/disk0.vhd");
}

#[test]
fn a_broken_series_is_told_the_command_that_goes_on() {
    let world = world();
    world.good(&MIRROR);
    world.runtime.block_on(async {
        let disk = world.service().container_client("vhds").page_blob_client("disk0.vhd");
        disk.create(64 << 10).await.expect("made again");
        disk.upload_pages(0, vec![9; 512]).await.expect("data");
    });
    world.snapshot();
    let flags = ["--concurrency", "3", "--keep-last", "5", "--keep-zone", "-05:00", "--verify"];
    let broken = world.mirror(&flags);
    assert_eq!(broken.code, Some(42), "{broken:#?}");
    let command = broken.err.split('`').nth(1).expect("a command");
    assert_eq!(
        command,
        "blobcopy mirror vhds/disk0.vhd backups/disk0.vhd --new-generation --verify --concurrency \
         3 --keep-last 5 --keep-zone=-05:00"
    );
    let plan = world.mirror(&["--plan"]);
    assert_eq!(plan.code, Some(42), "{plan:#?}");
    assert!(plan.err.contains("/disk0.vhd --new-generation`"), "{plan:#?}");
    let arguments: Vec<&str> = command.split(' ').skip(1).collect();
    let report = world.json(&arguments);
    assert_eq!(report["hops"].as_array().map(Vec::len), Some(1), "{report}");
    assert_eq!(world.snapshots_of("backups/disk0.vhd.g2").len(), 1);
    let listed = world.run(&["snapshots", "backups/disk0.vhd"]);
    assert_eq!(
        listed.err,
        "the mirror goes on in another blob with 1 snapshot: `blobcopy snapshots \
         backups/disk0.vhd.g2`\n"
    );
    assert_eq!(world.run(&["snapshots", "backups/disk0.vhd.g2"]).err, "");
}

#[test]
fn a_plan_says_in_words_why_everything_is_copied() {
    let world = world();
    world.good(&[&MIRROR[..], &["--route", "ranges"]].concat());
    world.runtime.block_on(async {
        let disk = world.service().container_client("vhds").page_blob_client("disk0.vhd");
        disk.create(64 << 10).await.expect("made again");
    });
    world.snapshot();
    let plan = world.good(&[&MIRROR[..], &["--plan"]].concat());
    assert!(plan.contains("to copy, everything: the disk was made again since"), "{plan}");
}

#[test]
fn an_error_names_the_blob_or_container_of_its_side() {
    let world = world();
    for (source, dest, named) in [
        ("vhds/disk0.vhd", "none/disk0.vhd", "/none/disk0.vhd"),
        ("nodisks/disk0.vhd", "backups/", "/nodisks"),
    ] {
        let ended = world.run(&["mirror", source, dest]);
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        let shown = world.shown(&ended.err);
        assert!(shown.contains(&format!("([ENDPOINT]{named}")), "{shown}");
    }
}

#[test]
fn what_is_verified_once_is_proved_by_its_receipt() {
    let world = world();
    let folder = Folder::new("mirror-receipts");
    let file = folder.path("proved.jsonl");
    let proved = world.mirror(&["--verify", "--receipts", &file]);
    assert_eq!(proved.code, Some(0), "{proved:#?}");
    assert_eq!(proved.out.matches(": identical: 65536 bytes").count(), 2, "{}", proved.out);
    let first = &world.snapshots_of("vhds/disk0.vhd")[0];
    world.good(&["delete", &format!("vhds/disk0.vhd@{first}")]);
    // The source prunes its snapshots too: that is told, and no failure.
    let gone = world.mirror(&["--verify=all"]);
    assert_eq!(gone.code, Some(0), "{gone:#?}");
    assert_eq!(gone.out.matches(": identical: 65536 bytes").count(), 1, "{}", gone.out);
    assert!(gone.out.contains("the source snapshot"), "{}", gone.out);
    // A run that was killed while it wrote.
    let text = std::fs::read_to_string(&file).expect("there");
    std::fs::write(&file, format!("{text}{{\"destination\":\"htt")).expect("written");
    for (verify, compared) in [("--verify=all", 2), ("--verify", 1), ("--verify=new", 1)] {
        let report = world.json(&[&MIRROR[..], &[verify, "--receipts", &file]].concat());
        let snapshots = report["verification"]["snapshots"].as_array();
        assert_eq!(snapshots.map(Vec::len), Some(compared), "{verify}: {report}");
    }
    let lines = std::fs::read_to_string(&file).expect("there");
    assert_eq!(lines.matches('\n').count(), 2, "{lines}");

    // A file that cannot be used is told before anything is copied.
    world.change(0, 512);
    world.snapshot();
    let other = folder.write("other.txt", b"a line of something else\n");
    for bad in [&*other, &folder.path("no/such/folder"), "-"] {
        let refused = world.mirror(&["--verify", "--receipts", bad]);
        assert_eq!(refused.code, Some(64), "{refused:#?}");
    }
    assert_eq!(world.snapshots_of("backups/disk0.vhd").len(), 2);
}

#[test]
fn a_copy_that_differs_stops_the_prune_and_ends_with_1_of_one_disk_and_of_many() {
    let world = world();
    world.good(&[&MIRROR[..], &["--route", "ranges"]].concat());
    // A snapshot that says that it equals the newest, and does not.
    world.runtime.block_on(async {
        let spoiled = world.service().container_client("backups").page_blob_client("disk0.vhd");
        let with = [blobcopy::BlobInclude::Metadata];
        let listed = spoiled.list_snapshots().include(with).collect_all().await.expect("listed");
        let newest = listed.last().expect("the newest");
        spoiled.upload_pages(0, vec![9; 512]).await.expect("written");
        let taken = spoiled.create_snapshot().metadata(newest.properties.metadata.clone());
        taken.await.expect("taken");
        spoiled.with_snapshot(&newest.snapshot).delete().await.expect("deleted");
    });
    for mirror in [&MIRROR[..], &["mirror", "-r", "vhds/", "backups/"]] {
        for verify in ["--verify", "--verify=all"] {
            let ended = world.run(&[mirror, &[verify, "--keep-last", "1"]].concat());
            assert_eq!(ended.code, Some(1), "{ended:#?}");
            assert!(ended.err.contains("see what differs"), "{ended:#?}");
            assert_eq!(world.snapshots_of("backups/disk0.vhd").len(), 2, "{ended:#?}");
        }
    }
}

#[test]
fn a_wait_ends_at_its_limit_and_says_for_what_it_waits() {
    let world = world();
    world.good(&MIRROR);
    world.lock();
    let prune = ["prune", "backups/disk0.vhd", "--keep-last", "1"];
    let source = ["prune", "--source", "vhds/disk0.vhd", "backups/disk0.vhd", "--keep-last", "1"];
    for command in [&MIRROR[..], &prune, &source, &["mirror", "-r", "vhds/", "backups/"]] {
        for output in ["table", "json"] {
            let waited = world.run(&[command, &["--wait=1s", "--output", output]].concat());
            assert_eq!(waited.code, Some(1), "{waited:#?}");
            let waits = "another run holds the lease on disk0.vhd.blobcopy: waiting for it";
            assert_eq!(waited.err.matches(waits).count(), 1, "{command:?}: {waited:#?}");
            assert!(!waited.err.contains("with --wait;"), "it has waited: {waited:#?}");
            if !command.contains(&"-r") {
                assert!(waited.err.contains("wait longer"), "{waited:#?}");
            }
        }
    }
    let lines = world.mirror(&["--wait=1s", "--output", "jsonl"]);
    assert!(lines.out.starts_with(r#"{"event":"waiting","#), "{lines:#?}");
}

#[test]
fn events_are_json_lines_and_lines_in_a_pipe() {
    let world = world();
    let lines = world.good(&[&MIRROR[..], &["--output", "jsonl"]].concat());
    let events: Vec<Value> =
        lines.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let names: Vec<&str> = events.iter().filter_map(|event| event["event"].as_str()).collect();
    assert_eq!((names.first(), names.last()), (Some(&"planned"), Some(&"ended")), "{names:?}");
    assert_eq!(names.iter().filter(|name| **name == "hop-done").count(), 2, "{names:?}");

    let world = self::world();
    let text = world.mirror(&[]);
    assert_eq!(text.code, Some(0), "{text:#?}");
    let said: Vec<&str> = text.err.lines().collect();
    assert!(said[0].starts_with("2 snapshots to copy, 4.50 KiB, by "), "{said:#?}");
    assert_eq!(said.iter().filter(|line| line.starts_with("copying ")).count(), 2, "{said:#?}");
    assert!(text.out.contains("copied        2 snapshots, 4608 bytes"), "{}", text.out);
    let quiet = world.mirror(&["--quiet"]);
    assert_eq!((quiet.code, quiet.err.as_str()), (Some(0), ""));
}

#[test]
fn wrong_lines_say_how_they_are_written() {
    let world = World::new();
    for arguments in [
        &["mirror"][..],
        &["mirror", "vhds/d"],
        &["mirror", "vhds/", "backups/"],
        &["mirror", "vhds/d@latest", "backups/"],
        &["mirror", "vhds/d", "backups/@latest"],
        &["mirror", "vhds/d", "backups/", "--disk", "d"],
        &["mirror", "vhds/d", "backups/", "--resource-group", "g", "--disk", "d"],
        &["mirror", "backups/", "--managed-snapshots", "no-such-file"],
        &["mirror", "vhds/d", "backups/", "--max-delete", "3"],
        &["mirror", "vhds/d", "backups/", "--take-lock", "--wait"],
        &["mirror", "vhds/d", "backups/", "--plan", "--verify"],
    ] {
        let ended = world.run(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (Some(64), ""), "{arguments:?}: {ended:?}");
        assert_eq!(ended.err.lines().count(), 2, "{arguments:?}: {ended:?}");
    }
}
