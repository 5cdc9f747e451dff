//! What happens to the destination beside a hop.

use blobcopy_simulator::Op;

use super::{
    super::claim::{Claim, Claimed},
    world::{Cut, KIB, World, bytes, pass},
};
use crate::disks::SourceSnapshot;

const LENGTH: u64 = 512 * KIB;

#[tokio::test(start_paused = true)]
async fn a_note_that_was_there_before_is_no_sign_that_it_was_noted_again() {
    let world = World::new(LENGTH).await;
    let first = world.snapshot().await;
    let hop = world.hop(None, &first);
    let source = world.disk.get_properties().await.expect("there");
    let claimed = Claim::take(&hop, &source, None).await.expect("taken");
    let Claimed::ToDo(mut claim) = claimed else { panic!("it is there already") };
    for attempts in 1..6 {
        let before = world.backup.get_properties().await.expect("there").etag;
        drop(world.sim.faults().on(Op::SetBlobMetadata).times(attempts).reset());
        let note = claim.base.note.clone();
        claim.base.set_note(note).await.expect("noted");
        let after = world.backup.get_properties().await.expect("there").etag;
        assert_ne!(before, after, "{attempts} attempts were lost");
    }
}

/// A disk with data in all windows, whose first snapshot is mirrored, and another that differs.
async fn changed() -> (World, Vec<SourceSnapshot>) {
    let (world, first) = World::mirrored(LENGTH).await;
    for at in 0..16 {
        world.write(at * 32 * KIB, 16 * KIB, 100 + at).await;
    }
    let second = world.snapshot().await;
    (world, vec![first, second])
}

/// Writes to the backup each second, and returns how often that was refused.
async fn scribble(world: &World, times: u64) -> u64 {
    let mut refused = 0;
    for number in 0..times {
        let at = (number * 37 % 512) * 512;
        let content = bytes(500 + number, 512);
        match world.backup.upload_pages(at, content).await {
            Ok(_) => {}
            Err(error) if error.status().is_some_and(|status| status == 412) => refused += 1,
            // It is not there yet.
            Err(error) => assert_eq!(error.status().expect("a status"), 404),
        }
        pass(5).await;
    }
    refused
}

#[tokio::test(start_paused = true)]
async fn nobody_else_writes_to_the_base_while_a_hop_is_at_work() {
    for is_first in [true, false] {
        let (world, mut all) = changed().await;
        if is_first {
            world.backup.delete().snapshots(crate::DeleteSnapshots::Include).await.expect("gone");
            all.remove(0);
        }
        world.slow_down(2000);
        let to = all.last().expect("one").clone();
        let (refused, carried) = tokio::join!(scribble(&world, 60), world.carry(&to));
        carried.expect("carried");
        assert!(refused > 3, "first {is_first}: {refused}");
        world.slow_down(0);
        world.has(&all, "while others write").await;
        // What was written after the hop is put right by the next.
        all.push(world.snapshot().await);
        world.carry(all.last().expect("one")).await.expect("carried");
        world.has(&all, "after others wrote").await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_others_write_to_a_torn_hop_is_put_right_where_it_was_done_too() {
    for is_whole in [true, false] {
        let mut cases = 0;
        for request in 8.. {
            let (world, mut all) = changed().await;
            if is_whole {
                world
                    .backup
                    .delete()
                    .snapshots(crate::DeleteSnapshots::Include)
                    .await
                    .expect("gone");
                all.remove(0);
            }
            let to = all.last().expect("one").clone();
            world.cut(Some((request, Cut::Applied)));
            let torn = world.carry(&to).await;
            world.cut(None);
            let context = format!("whole {is_whole}, torn at {request}");
            if torn.is_ok() {
                break;
            }
            match world.lineage().await.hop {
                Some(hop) if hop.done > 512 => cases += 1,
                _ => continue,
            }
            pass(61).await;
            // Once where the hop wrote, and once where it did not.
            for at in [512, 22 * KIB] {
                world.backup.upload_pages(at, bytes(900, 512)).await.expect("written");
            }
            world.carry(&to).await.expect(&context);
            all.push(world.snapshot().await);
            world.carry(all.last().expect("one")).await.expect(&context);
            world.has(&all, &context).await;
        }
        assert!(cases > 5, "{cases}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_lease_of_somebody_else_stops_a_hop_before_it_changes_anything() {
    for was_torn in [false, true] {
        let (world, all) = changed().await;
        if was_torn {
            world.cut(Some((12, Cut::Applied)));
            world.carry(&all[1]).await.expect_err("torn");
            world.cut(None);
            pass(61).await;
        }
        let lease = world.backup.acquire_infinite_lease().await.expect("acquired").lease_id;
        let before = world.backup.get_properties().await.expect("there").etag;
        let refused = world.carry(&all[1]).await.expect_err("leased").to_string();
        assert!(refused.contains("somebody else holds a lease"), "{refused}");
        assert_eq!(world.backup.get_properties().await.expect("there").etag, before);
        world.backup.release_lease(&lease).await.expect("released");
        world.carry(&all[1]).await.expect("carried");
        world.has(&all, "after the lease").await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_hop_whose_lease_is_broken_stops_and_the_next_run_puts_all_right() {
    for first in 1..40 {
        let (world, all) = changed().await;
        world.slow_down(2000);
        let breaks = async {
            pass(first).await;
            let broken = world.backup.break_lease().period(std::time::Duration::ZERO).await;
            let written = world.backup.upload_pages(512, bytes(7, 512)).await;
            broken.is_ok() && written.is_ok()
        };
        let (is_broken, carried) = tokio::join!(breaks, world.carry(&all[1]));
        let context = format!("after {first} seconds");
        if is_broken && let Err(error) = carried {
            let words = error.to_string();
            assert!(words.contains("was broken") || words.contains("lock was lost"), "{words}");
            world.slow_down(0);
            world.carry(&all[1]).await.expect(&context);
        }
        world.has(&all, &context).await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_run_takes_two_requests_for_its_lease() {
    let (world, all) = changed().await;
    world.sim.forget_requests();
    world.carry(&all[1]).await.expect("carried");
    assert_eq!(world.count(Op::LeaseBlob), 2);
}
