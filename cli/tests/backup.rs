//! `blobcopy prune`, `restore` and `drill`.

use crate::{
    mirror::{MIRROR, world},
    support::World,
};

#[test]
fn wrong_lines_say_how_they_are_written() {
    let world = World::new();
    for arguments in [
        &["prune", "backups/d"][..],
        &["prune", "backups/d", "--keep-daily", "0"],
        &["restore", "backups/d"],
        &["restore", "backups/", "vhds/e"],
        &["restore", "backups/d", "vhds/e@latest"],
        &["drill"],
        &["drill", "backups/"],
    ] {
        let ended = world.run(arguments);
        assert_eq!((ended.code, ended.out.as_str()), (Some(64), ""), "{arguments:?}: {ended:?}");
        assert_eq!(ended.err.lines().count(), 2, "{arguments:?}: {ended:?}");
    }
}

#[test]
fn prune_says_why_and_removes_only_what_no_rule_keeps() {
    let world = world();
    world.good(&MIRROR);
    let keep = ["prune", "backups/disk0.vhd", "--keep-last", "1"];
    let plan = world.good(&[&keep[..], &["--plan"]].concat());
    assert!(plan.contains("remove") && plan.contains("newest"), "{plan}");
    world.good(&[&keep[..], &["--what-if"]].concat());
    let most = world.run(&[&keep[..], &["--max-delete", "0"]].concat());
    assert_eq!(most.code, Some(1), "{most:#?}");
    assert!(most.err.contains("1 snapshot should go"), "{most:#?}");
    assert_eq!(world.snapshots_of("backups/disk0.vhd").len(), 2, "nothing is removed");

    let newest = world.snapshots_of("backups/disk0.vhd").pop();
    world.good(&keep);
    assert_eq!(world.snapshots_of("backups/disk0.vhd"), newest.into_iter().collect::<Vec<_>>());
    // The next hop is still a difference.
    world.change(0, 512);
    world.snapshot();
    let report = world.json(&[&MIRROR[..], &["--keep-last", "1"]].concat());
    assert_eq!(report["bytes"], 512, "{report}");
    assert_eq!(world.snapshots_of("backups/disk0.vhd").len(), 1);
}

#[test]
fn a_restore_is_a_disk_as_it_was_and_replaces_none_unasked() {
    for route in ["incremental", "ranges"] {
        let world = world();
        world.good(&[&MIRROR[..], &["--route", route]].concat());
        let [first, second] = &world.snapshots_of("backups/disk0.vhd")[..] else { panic!("two") };
        let old = format!("backups/disk0.vhd@{first}");
        world.good(&["restore", &old, "vhds/old.vhd"]);
        assert!(world.content("vhds/old.vhd") == world.content(&old));
        let refused = world.run(&["restore", "backups/disk0.vhd", "vhds/old.vhd"]);
        assert_eq!(refused.code, Some(2), "{refused:#?}");
        assert!(refused.err.contains("--overwrite"), "{refused:#?}");
        let newest = ["restore", "backups/disk0.vhd@newest", "vhds/old.vhd", "--overwrite"];
        world.good(&newest);
        let new = world.content(&format!("backups/disk0.vhd@{second}"));
        assert!(world.content("vhds/old.vhd") == new);
        for own in ["vhds/disk0.vhd", "backups/disk0.vhd"] {
            let refused = world.run(&["restore", "backups/disk0.vhd", own, "--overwrite"]);
            assert_eq!(refused.code, Some(2), "{own}: {refused:#?}");
        }
        let missing = "backups/disk0.vhd@2020-01-01T00:00:00.0000000Z";
        let missing = world.run(&["restore", missing, "vhds/new.vhd"]);
        assert_eq!(missing.code, Some(2), "{missing:#?}");
    }
}

#[test]
fn a_drill_restores_and_leaves_nothing() {
    let world = world();
    world.good(&MIRROR);
    world.good(&["create", "scratch"]);
    for flags in [&[][..], &["--scratch", "scratch"]] {
        let drilled = world.json(&[&["drill", "backups/disk0.vhd"], flags].concat());
        assert!(drilled.is_object(), "{drilled}");
        let names = world.json(&["status", "scratch/"]);
        assert_eq!(names, serde_json::json!([]));
    }
}
