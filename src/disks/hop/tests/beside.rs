//! What happens to the destination beside a hop.

use blobcopy_simulator::Op;

use super::{
    super::claim::{Claim, Claimed},
    world::{KIB, World},
};

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
