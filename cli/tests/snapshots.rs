//! `blobcopy snapshot` and `blobcopy snapshots`.

use crate::support::World;

#[test]
fn they_are_taken_and_listed() {
    let world = World::new().with_disk();
    let none = world.run(&["snapshots", "vhds/disk0.vhd"]);
    assert_eq!((none.code, none.out.as_str()), (Some(0), ""));
    assert_eq!(world.shown(&none.err), "[ENDPOINT]/vhds/disk0.vhd has no snapshots\n");
    assert_eq!(world.good(&["snapshots", "vhds/disk0.vhd", "-o", "json"]), "[]\n");
    let taken = world.good(&["snapshot", "vhds/disk0.vhd"]);
    insta::assert_snapshot!("taken", world.shown(&taken));
    let list = world.good(&["snapshots", "vhds/disk0.vhd"]);
    insta::assert_snapshot!("list", world.shown(&list));
    let list = world.good(&["snapshots", "vhds/disk0.vhd", "--output", "json"]);
    insta::assert_snapshot!("list_json", world.shown(&list));
    assert_eq!(world.run(&["snapshot", "vhds/missing"]).code, Some(2));
    assert_eq!(world.run(&["snapshot", "vhds/"]).code, Some(64));
    assert_eq!(world.run(&["snapshot", "vhds/disk0.vhd@latest"]).code, Some(64));
}

#[cfg(unix)]
#[test]
fn a_narrow_terminal_gets_lines_that_fit() {
    use crate::support::terminal::Terminal;

    let world = World::new().with_disk();
    world.good(&["incremental", "vhds/disk0.vhd", "backups/", "--snapshot", "new", "--wait"]);
    let command = || world.command(&["snapshots", "backups/disk0.vhd"]);
    let (_, wide) = Terminal::start(command(), 100).finish();
    insta::assert_snapshot!("wide", world.shown(&wide));
    let (_, narrow) = Terminal::start(command(), 40).finish();
    insta::assert_snapshot!("narrow", world.shown(&narrow));
}
