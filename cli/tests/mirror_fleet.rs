//! `blobcopy mirror -r` and `--list`.

use blobcopy_simulator::Simulator;
use serde_json::Value;

use crate::support::{World, disk::Folder};

/// Disks in `vhds`, each with two snapshots, and one without any.
fn world() -> World {
    let world = World::of(Simulator::builder());
    let service = world.service();
    world.runtime.block_on(async {
        let vhds = service.container_client("vhds");
        vhds.create().await.expect("created");
        service.container_client("backups").create().await.expect("created");
        for number in 0..5u8 {
            let disk = vhds.page_blob_client(&format!("team/disk{number}.vhd"));
            disk.create(64 << 10).await.expect("a disk");
            for change in 0..2 {
                disk.upload_pages(change * 4096, vec![number + 1; 1024]).await.expect("data");
                disk.create_snapshot().await.expect("a snapshot");
            }
        }
        vhds.page_blob_client("team/new.vhd").create(512).await.expect("a disk");
    });
    world
}

fn json(world: &World, arguments: &[&str]) -> Value {
    let out = world.good(&[arguments, &["--output", "json"]].concat());
    serde_json::from_str(&out).expect("JSON")
}

/// The snapshots of all blobs in `backups`.
fn snapshots(world: &World) -> usize {
    world.runtime.block_on(async {
        let backups = world.service().container_client("backups");
        let listed = backups.list_blobs().include([blobcopy::BlobInclude::Snapshots]);
        let listed = listed.collect_all().await.expect("listed");
        listed.iter().filter(|item| item.snapshot.is_some()).count()
    })
}

#[test]
fn a_destination_inside_of_the_source_is_refused() {
    let world = world();
    for (source, dest) in [("vhds/", "vhds/mirror/"), ("vhds/team/", "vhds/team/mirror/")] {
        for flags in [&[][..], &["--plan"]] {
            let ended = world.run(&[&["mirror", "-r", source, dest], flags].concat());
            assert_eq!(ended.code, Some(64), "{ended:#?}");
            assert!(ended.err.contains("is in SOURCE"), "{ended:#?}");
        }
    }
    world.good(&["mirror", "-r", "vhds/team/", "vhds/team-mirror/", "--plan"]);
    world.good(&["mirror", "-r", "vhds/", "backups/vhds/", "--plan"]);
}

#[test]
fn the_disks_of_a_folder_are_mirrored_and_nothing_twice() {
    let world = world();
    let mirror = ["mirror", "-r", "vhds/team/", "backups/daily/"];
    let plan = json(&world, &[&mirror[..], &["--plan"]].concat());
    assert_eq!(plan["disks"].as_array().map(Vec::len), Some(5), "{plan}");
    assert_eq!(snapshots(&world), 0);
    let text = world.run(&mirror);
    assert_eq!(text.code, Some(0), "{text:#?}");
    assert!(text.out.contains("copied        10 snapshots"), "{}", text.out);
    assert_eq!(text.err.matches(": 2 snapshots copied").count(), 5, "{}", text.err);
    assert!(text.err.contains("not mirrored: ") && text.err.contains("new.vhd"), "{}", text.err);
    assert_eq!(snapshots(&world), 10);
    let again = json(&world, &mirror);
    assert_eq!(again["disks"][0]["copied"], 0, "{again}");
    assert_eq!(snapshots(&world), 10);
    let thinned = world.good(&[&mirror[..], &["--verify", "--keep-last", "1"]].concat());
    assert!(thinned.contains("compared      5 snapshots"), "{thinned}");
    assert!(thinned.contains("removed       5 snapshots"), "{thinned}");
    assert_eq!(snapshots(&world), 5);
    let names = world.good(&["snapshots", "backups/daily/disk0.vhd", "-o", "jsonl"]);
    assert_eq!(names.lines().count(), 1);
}

#[test]
fn shards_have_each_disk_once() {
    let world = world();
    let mut disks = 0;
    for shard in ["0/3", "1/3", "2/3"] {
        let report = json(&world, &["mirror", "-r", "vhds/", "backups/", "--shard", shard]);
        disks += report["disks"].as_array().expect("disks").len();
        assert_eq!(report["shard"]["count"], 3, "{report}");
    }
    assert_eq!((disks, snapshots(&world)), (5, 10));
    let mut command = world.command(&["mirror", "-r", "vhds/", "backups/"]);
    command.env("JOB_COMPLETION_INDEX", "9").env("BLOBCOPY_SHARDS", "3");
    let bad = crate::support::finish(crate::support::spawn(command), "");
    assert_eq!(bad.code, Some(64), "{bad:#?}");
}

#[test]
fn a_list_has_a_pair_in_each_line_and_a_disk_that_fails_stops_no_other() {
    let world = world();
    let folder = Folder::new("mirror-list");
    let list = "# disks\nvhds/team/disk0.vhd backups/a.vhd\n\
                vhds/team/disk1.vhd\tbackups/b c.vhd\n\nvhds/team/missing.vhd backups/\n";
    let file = folder.write("disks.txt", list.as_bytes());
    let ended = world.run(&["mirror", "--list", &file, "--parallel", "2"]);
    assert!(matches!(ended.code, Some(0 | 1 | 42)), "{ended:#?}");
    assert_eq!(snapshots(&world), 4, "{ended:#?}");
    let lines = world.run(&["mirror", "--list", &file, "-o", "jsonl"]);
    let events: Vec<Value> =
        lines.out.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert_eq!(events.last().expect("events")["event"], "ended", "{lines:#?}");

    let bad = folder.write("bad.txt", b"vhds/team/disk0.vhd\n");
    let refused = world.run(&["mirror", "--list", &bad]);
    assert_eq!(refused.code, Some(64), "{refused:#?}");
    assert!(refused.err.contains("line 1"), "{refused:#?}");
    // A mark before the first line is none of the name; a wrong line is named, not its meeting
    // another; and a list without disks comes from what has failed.
    let marked =
        folder.write("marked.txt", "\u{feff}vhds/team/disk0.vhd backups/a.vhd\n".as_bytes());
    world.good(&["mirror", "--list", &marked]);
    let two = b"vhds/team/disk0.vhd xy/a.vhd\nvhds/team/disk1.vhd zz/a.vhd\n";
    let none = folder.write("none.txt", b"# nothing\n\n");
    for (file, word) in [(folder.write("two.txt", two), "line 1 of"), (none, "names no disk")] {
        let refused = world.run(&["mirror", "--list", &file]);
        assert_eq!((refused.code, refused.out.as_str()), (Some(64), ""), "{refused:#?}");
        assert!(refused.err.contains(word), "{refused:#?}");
    }
    for arguments in [
        &["mirror", "-r", "vhds/"][..],
        &["mirror", "-r", "vhds/d", "backups/"],
        &["mirror", "--list", &file, "backups/"],
        &["mirror", "--list", &file, "--verify", "--receipts", &bad],
        &["mirror", "-r", "vhds/", "backups/", "--list", &file],
        &["mirror", "-r", "vhds/", "backups/", "--shard", "3/3"],
    ] {
        let refused = world.run(arguments);
        assert_eq!((refused.code, refused.out.as_str()), (Some(64), ""), "{refused:#?}");
    }
}

#[test]
fn what_is_verified_once_is_proved_by_its_receipt() {
    let (world, folder) = (world(), Folder::new("fleet-receipts"));
    let file = folder.write("proved.jsonl", b"{\"destination\":\"htt");
    let mirror = ["mirror", "-r", "vhds/team/", "backups/", "--receipts", &file];
    let verified = |flags: &[&str]| {
        let report = json(&world, &[&mirror[..], flags].concat());
        let disks = report["disks"].as_array().expect("disks").clone();
        disks.iter().map(|disk| disk["verified"].as_u64()).sum::<Option<u64>>()
    };
    assert_eq!(verified(&["--verify"]), Some(10));
    assert_eq!(verified(&["--verify"]), Some(5), "the newest of each");
    let lines = std::fs::read_to_string(&file).expect("there");
    assert_eq!(lines.lines().count(), 10, "{lines}");
    let listed = world.good(&["snapshots", "vhds/team/disk0.vhd", "-o", "jsonl"]);
    let first: Value = listed.lines().next().map(serde_json::from_str).expect("one").expect("JSON");
    let first = first["snapshot"].as_str().expect("a time");
    world.good(&["delete", &format!("vhds/team/disk0.vhd@{first}")]);
    assert_eq!(verified(&["--verify=all"]), Some(10), "one by its receipt");
    std::fs::write(&file, "").expect("written");
    assert_eq!(verified(&["--verify=all"]), Some(9), "whose source is gone is no failure");
}

#[cfg(unix)]
#[test]
fn a_terminal_shows_the_disks_that_are_under_way() {
    use crate::support::terminal::Terminal;

    for columns in [100, 40] {
        let world = world();
        let command = world.command(&["mirror", "-r", "vhds/", "backups/", "--parallel", "2"]);
        let (code, shown) = Terminal::start(command, columns).finish();
        assert_eq!(code, Some(0), "{shown}");
        // Not every picture is drawn of a run that is soon over.
        assert!(shown.contains("team/disk0.vhd ") && shown.contains("0 disks done, "), "{shown:?}");
        let left = crate::support::screen::screen(&shown);
        assert!(left.contains("disks         5\n"), "{left}");
    }
}
