//! `blobcopy mirror`, killed while it holds the lock, and run again by those who do not take it.

use std::{
    process::{Child, Command},
    time::Duration,
};

use blobcopy_simulator::Op;

use crate::{
    killed::has_ended,
    managed_disks::Managed,
    support::{World, finish, spawn},
};

/// Longer than any process lives here.
const NEVER: Duration = Duration::from_secs(3600);

/// How long the lock of a dead process holds, on the simulator's clock.
const HELD: Duration = Duration::from_secs(60);

#[test]
fn a_dead_process_holds_its_lock_for_a_minute_by_each_route() {
    let routes = [("incremental", Op::IncrementalCopy), ("ranges", Op::PutPageFromUrl)];
    for (route, op) in routes {
        let world = World::new().with_disk();
        world.snapshot();
        world.change(8192, 512);
        world.snapshot();
        let mirror =
            || world.command(&["mirror", "vhds/disk0.vhd", "backups/disk0.vhd", "--route", route]);
        killed_at(&world, op, mirror());

        let busy = finish(spawn(mirror()), "");
        assert_eq!(busy.code, Some(1), "{route}: {busy:#?}");
        assert!(busy.err.contains("another run is at work"), "{route}: {busy:#?}");
        world.simulator.clock().advance(HELD);
        let good = finish(spawn(mirror()), "");
        assert_eq!(good.code, Some(0), "{route}: {good:#?}");
        let verified =
            world.run(&["mirror", "vhds/disk0.vhd", "backups/disk0.vhd", "--verify=all"]);
        assert_eq!(verified.code, Some(0), "{route}: {verified:#?}");
        assert_eq!(verified.out.matches("identical: ").count(), 2, "{route}: {verified:#?}");
    }
}

#[test]
fn a_process_waits_until_the_lock_of_a_dead_one_runs_out() {
    let managed = Managed::new("waits");
    let mirror = |flags: &[&str]| {
        managed.mirror_of("disk0", &[&["backups/disk0.vhd", "--verify"], flags].concat())
    };
    killed_at(&managed.world, Op::PutPageFromUrl, mirror(&[]));
    assert!(managed.disk.granted() > 0, "it had access when it was killed");

    let simulator = &managed.world.simulator;
    let tries = simulator.count(Op::LeaseBlob);
    let mut waiting = spawn(mirror(&["--wait"]));
    let has_tried = |child: &mut Child| simulator.count(Op::LeaseBlob) > tries || has_ended(child);
    managed.world.until(|| has_tried(&mut waiting));
    assert!(!has_ended(&mut waiting), "{:#?}", managed.finish(waiting));
    simulator.clock().advance(HELD);
    let good = managed.finish(waiting);
    assert_eq!(good.code, Some(0), "{good:#?}");
    assert_eq!(good.out.matches("identical: ").count(), 3, "{good:#?}");
    assert_eq!(managed.disk.granted(), 0, "all that was granted is given back");
}

/// Runs a process, and kills it when its first request of this kind is applied and not answered.
fn killed_at(world: &World, op: Op, command: Command) {
    let _ = world.simulator.faults().on(op).stall(NEVER);
    let mut child = spawn(command);
    world.until(|| world.simulator.count(op) > 0 || has_ended(&mut child));
    // The system's SIGKILL.
    child.kill().expect("it can be killed");
    let ended = finish(child, "");
    assert_eq!(ended.code, None, "it ended before {op:?}: {ended:#?}");
    world.simulator.faults().clear();
}
