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
