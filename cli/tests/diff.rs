//! `blobcopy diff`.

use crate::support::World;

#[test]
fn it_tells_ranges_bytes_and_where() {
    let world = World::new().with_disk();
    let before = world.snapshot();
    world.change(8192, 1024);
    world.runtime.block_on(async {
        let disk = world.service().container_client("vhds").page_blob_client("disk0.vhd");
        disk.clear_pages(0..2048).await.expect("cleared");
    });
    let after = world.snapshot();
    let (a, b) = (format!("vhds/disk0.vhd@{before}"), format!("vhds/disk0.vhd@{after}"));
    insta::assert_snapshot!("text", world.shown(&world.good(&["diff", &a, &b])));
    insta::assert_snapshot!("json", world.shown(&world.good(&["diff", &a, &b, "-o", "json"])));
    let none = world.good(&["diff", "vhds/disk0.vhd@latest", "vhds/disk0.vhd"]);
    insta::assert_snapshot!("nothing", world.shown(&none));
    assert_eq!(world.run(&["diff", &b, &a]).code, Some(64));
    assert_eq!(world.run(&["diff", "vhds/disk0.vhd", &b]).code, Some(64));
    assert_eq!(world.run(&["diff", &a, "vhds/other.vhd"]).code, Some(64));
}

#[test]
fn what_cannot_be_compared_is_told_why() {
    let world = World::new().with_disk();
    let refused = |before: &str, after: &str| {
        let ended = world.run(&["diff", before, after]);
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        ended.err
    };
    let before = format!("vhds/disk0.vhd@{}", world.snapshot());
    world.runtime.block_on(async {
        let container = world.service().container_client("vhds");
        let notes = container.block_blob_client("notes.txt");
        notes.upload("some notes").await.expect("a blob");
        notes.create_snapshot().await.expect("a snapshot");
        container.page_blob_client("disk0.vhd").create(65536).await.expect("a new disk");
    });
    let again = refused(&before, "vhds/disk0.vhd");
    assert!(again.contains("compare it with one taken after that"), "{again}");
    let other = refused("vhds/notes.txt@latest", "vhds/notes.txt");
    assert!(other.contains("only page blobs tell what changed"), "{other}");
}
