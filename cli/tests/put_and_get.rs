//! `blobcopy put` and `blobcopy get`.

use blobcopy_simulator::Op;

use crate::support::{World, disk::Folder, finish, spawn};

fn disk(pages: &[(usize, u8)], size: usize) -> Vec<u8> {
    let mut content = vec![0; size];
    for (page, byte) in pages {
        content[page * 512..(page + 1) * 512].fill(*byte);
    }
    content
}

#[test]
fn a_page_blob_is_written_in_place() {
    let world = World::new().with_disk();
    let folder = Folder::new("in-place");
    let first = folder.write("a.img", &disk(&[(0, 1), (3, 2), (200, 3)], 128 << 10));
    world.good(&["put", &first, "vhds/a.img", "--page"]);
    world.good(&["incremental", "vhds/a.img", "backups/", "--snapshot", "new", "--wait"]);
    let second = disk(&[(3, 9), (100, 4)], 96 << 10);
    let file = folder.write("a.img", &second);
    let said = world.good(&["put", &file, "vhds/a.img", "--page"]);
    insta::assert_snapshot!("in_place", world.shown(&said));
    let blob = world.service().container_client("vhds").page_blob_client("a.img");
    let (content, ranges) = world.runtime.block_on(async {
        let content = blob.download().await.expect("there").bytes().await.expect("whole");
        (content, blob.get_properties().await.expect("there"))
    });
    assert!(content == second, "the blob is what the file is");
    assert!(ranges.sequence_number.is_some_and(|number| number > 0));
    // The series goes on.
    world.good(&["incremental", "vhds/a.img", "backups/", "--snapshot", "new", "--wait"]);
    let got = folder.path("got.img");
    world.good(&["get", "backups/a.img@latest", &got]);
    assert!(std::fs::read(&got).expect("there") == second);
    // Made again, it does not.
    let again = world.run(&["put", &file, "vhds/a.img", "--page", "--recreate"]);
    assert!(again.err.starts_with("warning: a blob that is created again breaks"), "{again:?}");
    let broken = world.run(&["incremental", "vhds/a.img", "backups/", "--snapshot", "new"]);
    assert_eq!(broken.code, Some(2), "{broken:?}");
}

#[test]
fn every_write_is_guarded_by_a_sequence_number_of_its_own() {
    let world = World::new().with_disk();
    let folder = Folder::new("guard");
    let file = folder.write("d.img", &disk(&[(0, 1)], 64 << 10));
    let mut last = 0;
    for more in [&["--all"][..], &["--all"], &["--recreate"]] {
        world.simulator.forget_requests();
        world.good(&[&["put", &file, "vhds/disk0.vhd", "--page"], more].concat());
        let requests = world.simulator.requests();
        let mut writes = requests.iter().filter(|seen| seen.op() == Op::PutPage).peekable();
        let number = |write: &blobcopy_simulator::SeenRequest| -> u64 {
            let number = write.header("x-ms-if-sequence-number-eq").expect("guarded");
            number.parse().expect("a number")
        };
        let first = number(writes.peek().expect("a write"));
        assert!(first > last, "{first} after {last}");
        assert!(writes.all(|write| number(write) == first));
        last = first;
    }
}

/// The ranges that were asked for by requests of one kind, in order.
fn ranges(world: &World, op: Op) -> Vec<String> {
    let requests = world.simulator.requests();
    let seen = requests.iter().filter(|seen| seen.op() == op);
    let range = |name| {
        move |seen: &&_| -> Option<String> {
            let seen: &blobcopy_simulator::SeenRequest = seen;
            seen.header(name).map(str::to_owned)
        }
    };
    let mut ranges: Vec<String> = seen
        .filter_map(|seen| range("x-ms-range")(&seen).or_else(|| range("range")(&seen)))
        .collect();
    ranges.sort_by_key(|range| range.len());
    ranges
}

#[test]
fn scattered_pages_take_one_request_and_wide_zeros_are_cleared() {
    let world = World::new().with_disk();
    let folder = Folder::new("scattered");
    let full = folder.write("d.img", &vec![1; 1 << 20]);
    world.good(&["put", &full, "vhds/d.img", "--page"]);
    let scattered: Vec<(usize, u8)> = (0..400).step_by(2).map(|page| (page, 3)).collect();
    let content = disk(&scattered, 1 << 20);
    let file = folder.write("d.img", &content);
    world.simulator.forget_requests();
    world.good(&["put", &file, "vhds/d.img", "--page"]);
    assert_eq!(ranges(&world, Op::PutPage), ["bytes=0-204287", "bytes=204288-1048575"]);
    let got = folder.path("got.img");
    world.good(&["get", "vhds/d.img", &got]);
    assert!(std::fs::read(&got).expect("there") == content);
}

/// What a run says in JSON that it has written, cleared and left alone.
fn bytes(said: &str) -> [u64; 3] {
    let said: serde_json::Value = serde_json::from_str(said).expect("JSON");
    ["written_bytes", "cleared_bytes", "left_alone_bytes"]
        .map(|name| said[name].as_u64().expect("a number"))
}

#[test]
fn of_a_disk_only_what_differs_is_written() {
    const SIZE: usize = 9 << 20;
    let world = World::new().with_disk();
    let folder = Folder::new("differs");
    let mut content = vec![0; SIZE];
    // Data in all three pieces that are read at once, with short and long zeros between.
    for page in (0..2000).step_by(2).chain(9000..9100).chain([18431]) {
        content[page * 512..(page + 1) * 512].fill(page.to_le_bytes()[0] | 1);
    }
    let put = |content: &[u8], more: &[&str]| {
        let file = folder.write("d.img", content);
        let put = [&["put", &file, "vhds/d.img", "--page", "-o", "json"], more].concat();
        world.simulator.forget_requests();
        bytes(&world.good(&put))
    };
    let snapshot = || world.good(&["snapshot", "vhds/d.img"]);
    let changed = || {
        let diff = ["diff", "vhds/d.img@latest", "vhds/d.img", "-o", "json"];
        let said: serde_json::Value = serde_json::from_str(&world.good(&diff)).expect("JSON");
        said["ranges"].clone()
    };
    put(&content, &[]);
    snapshot();
    // The same file again: nothing is written, and nothing has changed.
    assert_eq!(put(&content, &[]), [0, 0, SIZE as u64]);
    assert_eq!(world.simulator.count(Op::PutPage), 0);
    assert_eq!(changed(), serde_json::json!([]));
    // One sector.
    content[9050 * 512] ^= 0x80;
    assert_eq!(put(&content, &[]), [512, 0, SIZE as u64 - 512]);
    assert_eq!(ranges(&world, Op::PutPage), ["bytes=4633600-4634111"]);
    let range = serde_json::json!([{ "offset": 4633600, "length": 512, "cleared": false }]);
    assert_eq!(changed(), range);
    // Zeros where data was: the long ones are cleared, the short one is written with its neighbour.
    snapshot();
    content[9000 * 512..9100 * 512].fill(0);
    content[..512].fill(0);
    content[513] = 7;
    assert_eq!(put(&content, &[]), [1024, 51200, SIZE as u64 - 1024 - 51200]);
    let got = folder.path("got.img");
    world.good(&["get", "vhds/d.img", &got]);
    assert!(std::fs::read(&got).expect("there") == content);
    // All of it, without reading.
    let all = put(&content, &["--all"]);
    assert_eq!(world.simulator.count(Op::GetBlob), 0);
    assert_eq!(all, [1999 * 512 + 512, 0, SIZE as u64 - 2000 * 512]);
}

#[test]
fn a_disk_that_grows_or_shrinks_is_compared_as_far_as_it_goes() {
    let world = World::new().with_disk();
    let folder = Folder::new("resized");
    let put = |content: &[u8]| {
        let file = folder.write("d.img", content);
        bytes(&world.good(&["put", &file, "vhds/d.img", "--page", "-o", "json"]))
    };
    let (large, small) = (512 << 10, 256 << 10);
    let rest = |size: usize, sent: u64| size as u64 - sent;
    assert_eq!(put(&disk(&[(0, 1), (1000, 2)], large)), [1024, 0, rest(large, 1024)]);
    assert_eq!(put(&disk(&[(0, 1)], small)), [0, 0, rest(small, 0)]);
    // What was cut off does not come back.
    assert_eq!(put(&disk(&[(0, 1), (1000, 3)], large)), [512, 0, rest(large, 512)]);
    assert_eq!(put(&disk(&[(0, 1)], large)), [0, 512, rest(large, 512)]);
}

#[test]
fn a_read_before_the_write_that_is_refused_ends_it() {
    let world = World::new().with_disk();
    let folder = Folder::new("unreadable");
    let file = folder.write("d.img", &disk(&[(0, 9)], 64 << 10));
    world.simulator.faults().on(Op::GetBlob).answer(403, "AuthorizationPermissionMismatch");
    world.simulator.forget_requests();
    let ended = world.run(&["put", &file, "vhds/disk0.vhd", "--page"]);
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:?}");
    assert_eq!(world.simulator.count(Op::PutPage), 0);
    world.good(&["put", &file, "vhds/disk0.vhd", "--page", "--all"]);
}

#[test]
fn a_rival_that_takes_the_blob_over_ends_the_write() {
    let world = World::new().with_disk();
    let folder = Folder::new("rival");
    let file = folder.write("d.img", &vec![9; 12 << 20]);
    // The first write passes; the service is busy when the next ones come.
    world.simulator.faults().on(Op::PutPage).after(1).answer(503, "ServerBusy");
    let before = world.simulator.count(Op::PutPage);
    let put = ["put", &file, "vhds/disk0.vhd", "--page", "--concurrency", "1"];
    let child = spawn(world.command(&put));
    world.until(|| world.simulator.count(Op::PutPage) >= before + 2);
    let blob = world.service().container_client("vhds").page_blob_client("disk0.vhd");
    let rival = blob.set_sequence_number(blobcopy::SequenceNumberAction::Increment);
    world.runtime.block_on(async { rival.await }).expect("taken over");
    world.simulator.faults().clear();
    let ended = finish(child, "");
    assert_eq!((ended.code, ended.out.as_str()), (Some(2), ""), "{ended:?}");
    insta::assert_snapshot!("rival", world.shown(&ended.err));
    // What was written before stays, and nothing after it.
    let ranges = world.good(&["get", "vhds/disk0.vhd", "-"]).len();
    assert_eq!(ranges, 12 << 20);
}

#[test]
fn of_a_disk_only_what_it_holds_is_downloaded() {
    let world = World::new().with_disk();
    let folder = Folder::new("sparse");
    let content = disk(&[(0, 1), (3, 2), (16383, 4)], 8 << 20);
    let file = folder.write("s.img", &content);
    world.good(&["put", &file, "vhds/s.img", "--page"]);
    world.good(&["snapshot", "vhds/s.img"]);
    for source in ["vhds/s.img", "vhds/s.img@latest"] {
        let got = folder.path("got.img");
        world.simulator.forget_requests();
        let said = world.good(&["get", source, &got, "-o", "json"]);
        assert!(std::fs::read(&got).expect("there") == content);
        let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!((&said["size"], &said["downloaded_bytes"]), (&(8 << 20).into(), &2560.into()));
        assert_eq!(ranges(&world, Op::GetBlob), ["bytes=0-2047", "bytes=8388096-8388607"]);
    }
    // A disk that holds nothing is a file of zeros.
    let empty = folder.write("e.img", &[0; 4096]);
    world.good(&["put", &empty, "vhds/e.img", "--page"]);
    let got = folder.path("e.got");
    world.good(&["get", "vhds/e.img", &got]);
    assert_eq!(std::fs::read(&got).expect("there"), [0; 4096]);
}

#[test]
fn a_file_that_is_no_disk_and_a_blob_that_is_none_are_refused() {
    let world = World::new().with_disk();
    let folder = Folder::new("no-disk");
    let odd = folder.write("odd.img", &[1; 513]);
    assert_eq!(world.run(&["put", &odd, "vhds/odd.img", "--page"]).code, Some(64));
    let even = folder.write("even.img", &[1; 512]);
    world.good(&["put", &even, "vhds/block.img"]);
    // A page blob is not replaced by a file of any size.
    let replaced = world.run(&["put", &even, "vhds/disk0.vhd"]);
    assert_eq!(replaced.code, Some(2), "{replaced:?}");
    assert!(replaced.err.contains("--page"), "{replaced:?}");
    assert_eq!(world.run(&["put", &even, "vhds/block.img", "--page"]).code, Some(2));
    assert_eq!(world.run(&["put", &folder.path("missing"), "vhds/x"]).code, Some(64));
}

#[test]
fn a_block_blob_comes_back_as_it_went() {
    let world = World::new().with_disk();
    let folder = Folder::new("blocks");
    let content: Vec<u8> = (0..20u32 << 20).map(|at| (at / 7).to_le_bytes()[0]).collect();
    let file = folder.write("large", &content);
    let said = world.good(&["put", &file, "vhds/", "--content-type", "text/x-test"]);
    insta::assert_snapshot!("blocks", world.shown(&said));
    assert!(world.simulator.count(Op::PutBlock) >= 2);
    let got = folder.path("got");
    world.good(&["get", "vhds/large", &got]);
    assert!(std::fs::read(&got).expect("there") == content);
    let piped = finish(spawn(world.command(&["put", "-", "vhds/piped"])), "by pipe");
    assert_eq!(piped.code, Some(0), "{piped:?}");
    assert_eq!(world.good(&["get", "vhds/piped", "-"]), "by pipe");
}

#[test]
fn a_download_goes_on_where_it_ended_if_the_blob_is_the_same() {
    let world = World::new().with_disk();
    let folder = Folder::new("resume");
    let got = folder.path("d.img");
    let etag = world.runtime.block_on(async {
        let disk = world.service().container_client("vhds").blob_client("disk0.vhd");
        disk.get_properties().await.expect("there").etag.expect("an ETag")
    });
    // What an interrupted download leaves.
    let part = || folder.write("d.img.part", &[1; 1024]);
    let resumed_at = |etag: &str| {
        part();
        folder.write("d.img.part.etag", etag.as_bytes());
        let said = world.good(&["get", "vhds/disk0.vhd", &got, "--resume", "-o", "json"]);
        let said: serde_json::Value = serde_json::from_str(&said).expect("JSON");
        assert_eq!(std::fs::metadata(&got).expect("there").len(), 64 << 10);
        said["resumed_at"].as_u64().expect("a number")
    };
    assert_eq!(resumed_at(etag.as_str()), 1024);
    assert_eq!(resumed_at("\"0x1\""), 0);
}

#[test]
fn the_destination_of_incremental_copies_is_read_through_its_snapshots() {
    let world = World::new().with_disk();
    world.good(&["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new", "--wait"]);
    let ended = world.run(&["get", "backups/disk0.vhd", "-"]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    assert!(ended.err.contains("BLOB@latest"), "{ended:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_1_and_a_device_stays_one() {
    use std::os::unix::fs::FileTypeExt;

    let world = World::new().with_disk();
    // A link, so that nothing but the link could be replaced.
    let folder = Folder::new("full");
    let full = folder.path("full");
    std::os::unix::fs::symlink("/dev/full", &full).expect("a link");
    let ended = world.run(&["get", "vhds/disk0.vhd", &full]);
    assert_eq!(ended.code, Some(1), "{ended:?}");
    assert!(ended.err.contains("No space left"), "{ended:?}");
    let file_type = std::fs::metadata(&full).expect("still there").file_type();
    assert!(file_type.is_char_device());
}

#[test]
fn what_is_lost_is_said_before_it_is() {
    let world = World::new().with_disk();
    let folder = Folder::new("lost");
    let small = folder.write("s.img", &[1; 4096]);
    let run =
        |flags: &[&str]| world.run(&[&["put", &small, "vhds/disk0.vhd", "--page"], flags].concat());
    let ended = run(&["--what-if"]);
    assert!(ended.out.contains("in place, resized from 65536 to 4096 bytes"), "{ended:?}");
    assert!(ended.err.contains("warning: the blob shrinks from 65536 to 4096"), "{ended:?}");
    let ended = run(&["--what-if", "--recreate"]);
    assert!(ended.out.contains("of 4096 bytes, over one of 65536 bytes"), "{ended:?}");
    assert!(ended.err.contains("warning: a blob that is created again breaks"), "{ended:?}");
    assert_eq!(world.good(&["get", "vhds/disk0.vhd", "-"]).len(), 64 << 10, "it is as it was");
}

#[cfg(unix)]
#[test]
fn the_warning_of_a_recreated_blob_comes_before_the_question() {
    use crate::support::terminal::Terminal;

    let world = World::new().with_disk();
    let folder = Folder::new("asked");
    let file = folder.write("s.img", &[1; 4096]);
    let put = ["put", &file, "vhds/disk0.vhd", "--page", "--recreate", "--confirm"];
    let mut terminal = Terminal::start(world.command(&put), 100);
    let shown = terminal.until("[y/N]");
    assert!(shown.contains("breaks its incremental series"), "{shown}");
    terminal.type_line("n");
    assert_eq!(terminal.finish().0, Some(0));
}

#[test]
fn a_refused_download_leaves_nothing() {
    let world = World::new().with_disk();
    let folder = Folder::new("refused");
    world.good(&["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new", "--wait"]);
    let got = folder.path("d.img");
    let ended = world.run(&["get", "backups/disk0.vhd", &got]);
    assert_eq!(ended.code, Some(2), "{ended:?}");
    for name in ["d.img", "d.img.part", "d.img.part.etag"] {
        assert!(std::fs::metadata(folder.path(name)).is_err(), "{name}");
    }
}

#[test]
fn a_file_that_cannot_be_is_64() {
    let world = World::new().with_disk();
    let folder = Folder::new("nowhere");
    for file in [folder.path("missing/d.img"), folder.path("missing/")] {
        let ended = world.run(&["get", "vhds/disk0.vhd", &file]);
        assert_eq!(ended.code, Some(64), "{ended:?}");
    }
}
