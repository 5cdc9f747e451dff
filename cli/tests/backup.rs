//! `blobcopy prune`, `restore` and `drill`.

use blobcopy_simulator::Op;

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
        &["prune", "--source", "vhds/d", "backups/d"],
        &["prune", "--source", "vhds/", "backups/d", "--keep-last", "1"],
        &["prune", "--source", "vhds/d@latest", "backups/d", "--keep-last", "1"],
        &["prune", "backups/d", "--keep-last", "1", "--also-absent"],
        &["prune", "backups/d", "--keep-last", "1", "--wait", "--take-lock"],
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
            let to_do = "to do: name another TARGET, which does not exist";
            assert!(refused.err.contains(to_do), "{refused:#?}");
        }
        let missing = "backups/disk0.vhd@2020-01-01T00:00:00.0000000Z";
        let missing = world.run(&["restore", missing, "vhds/new.vhd"]);
        assert_eq!(missing.code, Some(2), "{missing:#?}");
        assert!(missing.err.contains("`blobcopy snapshots DEST` lists"), "{missing:#?}");
        let missing = world.run(&["drill", "backups/other.vhd"]);
        assert_eq!(missing.code, Some(2), "{missing:#?}");
        assert!(!missing.err.contains("--plan"), "it has none: {missing:#?}");
        let missing = world.run(&["prune", "backups/other.vhd", "--keep-last", "1"]);
        assert_eq!(missing.code, Some(2), "{missing:#?}");
        assert!(missing.err.contains("to do: give the DEST of a mirror"), "{missing:#?}");
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

#[test]
fn what_a_killed_drill_left_is_told_and_removed_in_each_container() {
    let world = world();
    world.good(&MIRROR);
    world.good(&["create", "scratch"]);
    let name = format!("disk0.vhd.blobcopy-drill-{}", "0a".repeat(16));
    let containers = ["backups", "scratch"];
    for container in containers {
        let blob = world.service().container_client(container).page_blob_client(&name);
        world.runtime.block_on(async { blob.create(512).await }).expect("left");
    }
    let drill = ["drill", "backups/disk0.vhd", "--scratch", "scratch"];
    let told = world.run(&drill);
    assert_eq!(told.code, Some(0), "{told:#?}");
    for container in containers {
        let warning = format!("warning: {container}/{name} was left by a drill");
        assert!(told.err.contains(&warning), "{told:#?}");
    }
    let removed = world.run(&[&drill[..], &["--remove-left"]].concat());
    assert_eq!(
        (removed.code, removed.err.matches("removed ").count()),
        (Some(0), 2),
        "{removed:#?}"
    );
    let again = world.run(&drill);
    assert_eq!((again.code, again.err.as_str()), (Some(0), ""), "{again:#?}");
}

#[test]
fn a_leased_target_is_no_reason_for_a_flag_that_restore_lacks() {
    let world = world();
    world.good(&MIRROR);
    world.good(&["create", "restored"]);
    let target = world.service().container_client("restored").page_blob_client("disk0.vhd");
    world.runtime.block_on(async {
        target.create(64 << 10).await.expect("a disk");
        target.acquire_lease(std::time::Duration::from_secs(60)).await.expect("a lease");
    });
    let leased = world.run(&["restore", "backups/disk0.vhd", "restored/", "--overwrite"]);
    assert_eq!(leased.code, Some(2), "{leased:#?}");
    assert!(!leased.err.contains("--lease-id"), "{leased:#?}");
    assert!(leased.err.contains("holds a lease on the blob"), "{leased:#?}");
    // Nor has it conditions.
    world.simulator.faults().on(Op::CopyBlob).answer(412, "ConditionNotMet");
    let changed = world.run(&["restore", "backups/disk0.vhd", "restored/new.vhd"]);
    assert!(changed.err.contains("412 ConditionNotMet"), "{changed:#?}");
    assert!(changed.err.contains("to do: another program changed the blob"), "{changed:#?}");
}

#[test]
fn the_help_of_restore_calls_its_source_the_backup() {
    let world = World::new();
    let help = world.good(&["restore", "--help"]);
    assert!(help.contains("The backup's account, if it is another"), "{help}");
    assert!(!help.contains("ource's account"), "{help}");
    assert!(world.good(&["mirror", "--help"]).contains("Source's account, if it is another"));
}

#[test]
fn the_source_is_thinned_out_but_for_what_the_next_copy_needs() {
    for route in ["incremental", "ranges"] {
        let world = world();
        let prune = ["prune", "--source", "vhds/disk0.vhd", "backups/", "--keep-last", "1"];
        let unmirrored = world.run(&prune);
        assert_eq!(unmirrored.code, Some(2), "{unmirrored:#?}");
        world.good(&[&MIRROR[..], &["--route", route]].concat());
        world.change(0, 512);
        let later = world.snapshot();
        let before = world.snapshots_of("vhds/disk0.vhd");
        let plan = world.good(&[&prune[..], &["--plan"]].concat());
        let rows: Vec<&str> = plan.lines().skip(1).collect();
        assert!(rows[0].starts_with("remove "), "{plan}");
        assert!(rows[1].contains("the next difference is taken from it"), "{plan}");
        assert!(rows[2].contains("not copied yet"), "{plan}");
        let what_if = world.good(&[&prune[..], &["--what-if"]].concat());
        let told = "what if: Delete the snapshots of vhds/disk0.vhd, but keep 1 last snapshot";
        assert!(what_if.starts_with(told), "{what_if}");
        let most = world.run(&[&prune[..], &["--max-delete", "0"]].concat());
        assert_eq!(most.code, Some(1), "{most:#?}");
        assert_eq!(world.snapshots_of("vhds/disk0.vhd"), before, "nothing is removed");

        let report = world.json(&prune);
        assert_eq!(report["deleted"][0]["id"], before[0].as_str(), "{report}");
        assert_eq!((&report["kept"], &report["left"]), (&2.into(), &0.into()), "{report}");
        assert_eq!(world.snapshots_of("vhds/disk0.vhd"), before[1..]);
        assert_eq!(world.snapshots_of("backups/disk0.vhd").len(), 2, "it is not touched");
        assert_eq!(world.good(&prune), "0 snapshots removed, 2 kept\n");
        let report = world.json(&MIRROR);
        assert_eq!(report["bytes"], 512, "still a difference: {report}");
        assert_eq!(report["hops"][0]["source"]["id"], later.as_str(), "{report}");

        // What was removed at the destination goes only if that is said.
        world.good(&["prune", "backups/disk0.vhd", "--keep-last", "1"]);
        assert_eq!(world.good(&prune), "0 snapshots removed, 2 kept\n");
        let absent = world.good(&[&prune[..], &["--also-absent"]].concat());
        assert!(absent.starts_with(&format!("removed disk0.vhd@{}\n", before[1])), "{absent}");
        assert_eq!(world.snapshots_of("vhds/disk0.vhd"), [later]);
        // Another disk's mirror is no proof that these were copied.
        world.good(&["copy", "vhds/disk0.vhd", "vhds/other.vhd", "--wait"]);
        world.good(&["snapshot", "vhds/other.vhd"]);
        let other = ["prune", "--source", "vhds/other.vhd", "backups/disk0.vhd"];
        let other = world.run(&[&other[..], &["--keep-last", "1", "--also-absent"]].concat());
        assert_eq!(other.code, Some(2), "{other:#?}");
        assert_eq!(world.snapshots_of("vhds/other.vhd").len(), 1);
    }
}

#[test]
fn restores_and_drills_tell_events_as_json_lines_and_nothing_else_in_a_pipe() {
    let world = world();
    world.good(&MIRROR);
    let names = |lines: &str| -> Vec<String> {
        let events = lines.lines().map(|line| serde_json::from_str(line).expect("JSON"));
        let name = |event: serde_json::Value| event["event"].as_str().map(str::to_owned);
        events.filter_map(name).filter(|name| name != "progress").collect()
    };
    for command in
        [&["restore", "backups/disk0.vhd", "vhds/new.vhd"][..], &["drill", "backups/disk0.vhd"]]
    {
        let lines = world.good(&[command, &["--output", "jsonl"]].concat());
        assert_eq!(names(&lines), ["started", "comparing", "ended"], "{lines}");
        let last: serde_json::Value =
            serde_json::from_str(lines.lines().last().expect("a line")).expect("JSON");
        let restore = last.get("restore").unwrap_or(&last);
        assert_eq!(restore["length"], 65536, "{last}");
    }
    world.good(&["delete", "vhds/new.vhd"]);
    for command in
        [&["restore", "backups/disk0.vhd", "vhds/new.vhd"][..], &["drill", "backups/disk0.vhd"]]
    {
        let what_if = world.good(&[command, &["--what-if"]].concat());
        assert!(
            what_if.starts_with("what if: Restore backups/disk0.vhd (newest) to "),
            "{what_if}"
        );
        let quiet = world.run(command);
        assert_eq!((quiet.code, quiet.err.as_str()), (Some(0), ""), "{quiet:#?}");
    }
    assert_eq!(world.json(&["status", "backups/"]).as_array().map(Vec::len), Some(1));
}

#[cfg(unix)]
#[test]
fn a_terminal_shows_how_far_a_restore_has_come() {
    use std::time::Duration;

    use crate::support::{screen::screen, terminal::Terminal};

    let slow = blobcopy_simulator::Simulator::builder().copy_duration(Duration::from_millis(700));
    let world = crate::mirror::of(slow);
    world.good(&MIRROR);
    for columns in [120, 80, 40] {
        for (command, name) in [
            (&["restore", "backups/disk0.vhd", "vhds/r.vhd", "--overwrite"][..], "to vhds/r.vhd"),
            (&["drill", "backups/disk0.vhd"], "to a scratch blob"),
        ] {
            let (code, shown) = Terminal::start(world.command(command), columns).finish();
            assert_eq!(code, Some(0), "{shown}");
            let drawn = console::strip_ansi_codes(&shown).into_owned();
            assert!(columns < 120 || drawn.contains(name), "{drawn:?}");
            assert!(drawn.contains('%'), "{drawn:?}");
            let left = screen(&shown);
            assert!(left.contains("compared") && !left.contains('%'), "{left}");
        }
    }
}
