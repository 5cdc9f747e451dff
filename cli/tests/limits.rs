//! `--server-timeout` and `--client-timeout`, in every command for disks.

use std::time::Duration;

use blobcopy::Clock;
use blobcopy_simulator::{Op, Simulator};

use crate::{
    mirror::{MIRROR, of},
    support::World,
};

/// The commands for disks: each needs what the one before has made.
const COMMANDS: [&[&str]; 9] = [
    &[MIRROR[0], MIRROR[1], MIRROR[2], "--plan"],
    &[MIRROR[0], MIRROR[1], MIRROR[2], "--verify"],
    &[MIRROR[0], MIRROR[1], "backups/r", "--route", "ranges", "--verify", "--keep-last", "1"],
    &["mirror", "-r", "vhds/", "backups/", "--verify", "--keep-last", "2"],
    &["prune", "backups/disk0.vhd", "--keep-last", "1", "--plan"],
    &["prune", "--source", "vhds/disk0.vhd", "backups/disk0.vhd", "--keep-last", "1"],
    &["prune", "backups/disk0.vhd", "--keep-last", "1"],
    &["restore", "backups/disk0.vhd", "vhds/restored.vhd"],
    &["drill", "backups/disk0.vhd", "--remove-left"],
];

fn world() -> World {
    of(Simulator::builder())
}

#[test]
fn the_service_may_take_so_long_for_every_request_about_disks() {
    let world = world();
    for command in COMMANDS {
        world.simulator.forget_requests();
        world.good(&[command, &["--server-timeout", "7s"]].concat());
        let requests = world.simulator.requests();
        assert!(!requests.is_empty());
        for request in requests {
            assert_eq!(request.server_timeout(), Some(7), "{command:?}: {request:?}");
        }
    }
    world.simulator.forget_requests();
    world.good(&[&MIRROR[..], &["--plan"]].concat());
    assert!(world.simulator.requests().iter().all(|request| request.server_timeout().is_none()));
}

#[test]
fn an_attempt_takes_no_longer_than_it_may() {
    let world = world();
    let commands = [COMMANDS[1], COMMANDS[6], COMMANDS[7], COMMANDS[8]];
    let ops = [Op::LeaseBlob, Op::DeleteBlob, Op::CopyBlob, Op::GetBlobProperties];
    for (command, op) in commands.into_iter().zip(ops) {
        world.simulator.faults().on(op).stall(Duration::from_secs(3600)).times(1);
        let began = Clock::system().now();
        world.good(&[command, &["--client-timeout", "1s"][..]].concat());
        let took = Clock::system().now() - began;
        assert!(took < Duration::from_secs(60), "{command:?} took {took}");
        assert!(took >= Duration::from_secs(1), "{command:?} met no {op}");
    }
}
