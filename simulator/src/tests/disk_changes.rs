//! The page-range differences between snapshots of a managed disk.

use super::{
    disks::{HOUR, disk},
    kit::{Kit, Reply, plain},
};
use crate::{GrantUrl, ManagedSnapshot};

fn url(snapshot: &ManagedSnapshot) -> String {
    snapshot.grant(HOUR).unwrap().into()
}

fn changes(kit: &Kit, newer: &str, earlier: &str) -> Reply {
    let ask = kit.ask_at("GET", &format!("{newer}&comp=pagelist"));
    ask.header("x-ms-previous-snapshot-url", earlier).send()
}

/// The ranges of a list: with `-` before a cleared one.
fn ranges(reply: &Reply) -> Vec<String> {
    let pieces = reply.text().split("Range><Start>").skip(1);
    let parsed = pieces.filter_map(|piece| {
        let (start, rest) = piece.split_once("</Start><End>")?;
        Some(format!("{start}-{}", rest.split_once("</End>")?.0))
    });
    parsed.collect()
}

#[test]
fn the_difference_tells_what_was_written_and_cleared_between_two_of_any_form() {
    let kit = plain();
    let _time = kit.enter();
    let disk = disk(&kit);
    disk.write(4096, &[1; 4096]);
    let mut snapshots = Vec::new();
    for (form, offset) in
        [(GrantUrl::Blob, 8192), (GrantUrl::BlobWithPolicy, 16384), (GrantUrl::Snapshot, 32768)]
    {
        disk.grant_urls(form);
        let snapshot = disk.snapshot(&format!("{form:?}"));
        snapshots.push(url(&snapshot));
        disk.write(offset, &[2; 512]);
    }
    disk.clear(4096..5120);
    snapshots.push(url(&disk.snapshot("last")));
    let first = changes(&kit, &snapshots[1], &snapshots[0]).expect(200);
    assert_eq!(ranges(&first), ["8192-8703"]);
    let all = changes(&kit, &snapshots[3], &snapshots[0]).expect(200);
    assert_eq!(ranges(&all), ["4096-5119", "8192-8703", "16384-16895", "32768-33279"]);
    assert_eq!(all.text().matches("<ClearRange>").count(), 1);
    let total = (1 << 20) + 512;
    assert_eq!(all.header("x-ms-blob-content-length"), total.to_string());
    assert_eq!(ranges(&changes(&kit, &snapshots[3], &snapshots[3]).expect(200)), [""; 0]);

    // By ranges and in pages.
    let ask = kit.ask_at("GET", &format!("{}&comp=pagelist&maxresults=1", snapshots[3]));
    let ask = ask.header("x-ms-previous-snapshot-url", &snapshots[0]);
    let part = ask.header("x-ms-range", "bytes=8192-32767").send().expect(200);
    assert_eq!(ranges(&part), ["8192-8703"]);
    assert!(part.text().contains("<NextMarker>"));
}

#[test]
fn a_larger_disk_has_its_footer_elsewhere() {
    let kit = plain();
    let _time = kit.enter();
    let disk = disk(&kit);
    let before = url(&disk.snapshot("before"));
    disk.resize(2 << 20);
    disk.write(1 << 20, &[9; 1024]);
    let after = url(&disk.snapshot("after"));
    let moved = changes(&kit, &after, &before).expect(200);
    assert_eq!(ranges(&moved), ["1048576-1049599", "2097152-2097663"]);
    let disk = kit.ask_at("GET", &after).send().expect(200).body;
    assert_eq!((disk.len(), &disk[2 << 20..][..8]), ((2 << 20) + 512, &b"conectix"[..]));
}

#[test]
fn there_is_no_difference_across_four_tebibytes() {
    let kit = plain();
    let _time = kit.enter();
    let disk = kit.sim.managed_disks().create("group", "large", 4 << 40);
    let (small, same) = (disk.snapshot("small"), disk.snapshot("same"));
    disk.resize((4 << 40) + (1 << 30));
    let (large, larger) = (disk.snapshot("large"), disk.snapshot("larger"));
    let [small, same, large, larger] = [&small, &same, &large, &larger].map(url);
    changes(&kit, &same, &small).expect(200);
    changes(&kit, &larger, &large).expect(200);
    let across = changes(&kit, &large, &same);
    across.refused(409, "PreviousSnapshotOperationNotSupported");
}

#[test]
fn only_an_earlier_snapshot_of_the_family_that_may_be_read_is_compared_with() {
    let kit = plain();
    let _time = kit.enter();
    let disk = disk(&kit);
    let (one, two) = (disk.snapshot("one"), disk.snapshot("two"));
    let full = disk.full_snapshot("full");
    // A disk of the same name that was made anew.
    let again = kit.sim.managed_disks().create("group", "disk0", 1 << 20);
    assert_ne!(again.unique_id(), disk.unique_id());
    let (other, [first, second, full]) =
        (url(&again.snapshot("other")), [&one, &two, &full].map(url));
    changes(&kit, &first, &second).refused(400, "PreviousSnapshotCannotBeNewer");
    changes(&kit, &other, &first).refused(409, "PreviousSnapshotNotFound");
    changes(&kit, &full, &first).refused(409, "PreviousSnapshotOperationNotSupported");
    let bare = first.split('?').next().unwrap();
    changes(&kit, &second, bare).refused(401, "NoAuthenticationInformation");
    for garbage in ["nonsense", "/relative", "https://elsewhere.example/a/b?sig=1"] {
        let status = changes(&kit, &second, garbage).status;
        assert!(matches!(status, 400 | 409), "{garbage}: {status}");
    }
    let old = kit.ask_at("GET", &format!("{second}&comp=pagelist"));
    let old = old.header("x-ms-previous-snapshot-url", &first).header("x-ms-version", "2019-02-02");
    old.send().refused(400, "UnsupportedHeader");
    one.revoke();
    changes(&kit, &second, &first).refused(403, "AuthenticationFailed");
    // Ordinary accounts have nothing like it.
    kit.container("one");
    kit.page_blob("/one/disk", 1);
    let ask = kit.ask("GET", "/one/disk?comp=pagelist");
    let refused = ask.header("x-ms-previous-snapshot-url", &second).send();
    refused.refused(400, "UnsupportedHeaderForNonManagedDisksAccount");
}
