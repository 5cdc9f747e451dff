//! Listings of all orders and lengths.

use blobcopy::jobs::{Difference, Outcome};
use blobcopy_simulator::Op;

use super::world::World;

const ODD: [&str; 9] = ["a", "a-b", "a/b", "a/b-c", "a/b/c", "b", "é", "\u{10000}", "\u{ffee}"];

#[tokio::test(start_paused = true)]
async fn names_beyond_ascii_are_joined() {
    let world = World::new().await;
    world.fill(ODD).await;
    world.later();
    for job in [world.near_job(), world.far_job()] {
        assert_eq!(job.run().await.expect("a report").count(Outcome::Copied), 9);
        assert_eq!(job.run().await.expect("a report").count(Outcome::Same), 9);
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_path_by_path_is_joined_by_an_index() {
    for hierarchical in [&["near"][..], &["far"], &["near", "far"]] {
        let world = World::of(|builder| {
            hierarchical
                .iter()
                .fold(builder, |builder, account| builder.hierarchical_order(account))
        })
        .await;
        world.fill(ODD).await;
        world.later();
        let job = world.far_job();
        let first = job.run().await.expect("a report");
        assert_eq!(first.count(Outcome::Copied), 9, "{hierarchical:?} {first:?}");
        assert_eq!(World::contents(&world.far_to()).await, World::contents(&world.from()).await);
        world.far_to().block_blob_client("a-x").upload("extra").await.expect("uploaded");
        world.far_to().blob_client("b").delete().await.expect("deleted");

        let plan = job.plan().await.expect("a plan");
        assert!(plan.index_bytes > 0);
        assert_eq!(plan.copies(), 1, "{hierarchical:?} {plan}");
        let lines = job.check().await.expect("compared").differences;
        let lines: Vec<_> = lines.iter().map(|line| (line.difference, &*line.name)).collect();
        assert_eq!(lines, [(Difference::Missing, "b"), (Difference::Extra, "a-x")]);

        let again = job.delete_extra(1).run().await.expect("a report");
        let count = |outcome| again.count(outcome);
        assert_eq!(
            (count(Outcome::Copied), count(Outcome::Deleted), again.failures),
            (1, 1, 0),
            "{hierarchical:?} {again:?}"
        );
        assert_eq!(count(Outcome::Same), 8, "each once: {again:?}");
        assert!(again.index_bytes > 0);
    }
}

#[tokio::test(start_paused = true)]
async fn a_move_of_an_account_that_lists_path_by_path_tells_each_blob_once() {
    let world = World::of(|builder| builder.hierarchical_order("near")).await;
    world.fill(ODD).await;
    world.far_to().block_blob_client("extra").upload("x").await.expect("uploaded");
    world.later();
    let report = world.far_job().move_sources().run().await.expect("a report");
    let told: Vec<_> = report.outcomes.iter().map(|(outcome, count)| (*outcome, *count)).collect();
    assert_eq!(told, [(Outcome::Moved, 9), (Outcome::Extra, 1)], "{report:?}");
    assert!(World::contents(&world.from()).await.is_empty());
}

#[tokio::test(start_paused = true)]
async fn pages_are_read_ahead_and_none_is_lost() {
    let world = World::new().await;
    world.fill((0..4_500).map(|number| format!("{number:05}"))).await;
    world.later();
    world.sim.forget_requests();
    let report = world.near_job().run().await.expect("a report");
    assert_eq!(report.count(Outcome::Copied), 4_500);
    assert_eq!(world.sim.count(Op::ListBlobs), 4);
    let check = world.near_job().check().await.expect("compared");
    assert_eq!((check.same, check.different), (4_500, 0));
}

#[tokio::test(start_paused = true)]
async fn a_page_that_fails_is_read_again() {
    let world = World::new().await;
    world.fill((0..2_500).map(|number| format!("{number:05}"))).await;
    world.sim.faults().on(Op::ListBlobs).after(2).times(10).answer(500, "InternalError");
    let report = world.near_job().run().await.expect("a report");
    assert_eq!((report.count(Outcome::Copied), report.failures), (2_500, 0));
}

#[tokio::test(start_paused = true)]
async fn an_order_that_shows_late_copies_nothing_twice_and_deletes_nothing_wrongly() {
    for hierarchical in [&["near"][..], &["far"], &["near", "far"]] {
        let world = World::of(|builder| {
            let builder = builder.keep_requests(0);
            hierarchical
                .iter()
                .fold(builder, |builder, account| builder.hierarchical_order(account))
        })
        .await;
        // Whole pages are in both orders; the names after them are not.
        let plain = (0..4_200).map(|number| format!("{number:05}"));
        let crossed = (0..150).flat_map(|number| {
            let place = number % 7;
            [format!("x{place}/{number}"), format!("x{place}-{number}"), format!("x{place}")]
        });
        let names: std::collections::BTreeSet<_> = plain.chain(crossed).collect();
        let all = names.len() as u64;
        world.fill(&names).await;
        for name in ["x0.5", "x3/extra", "x9"] {
            let blob = world.far_to().block_blob_client(name);
            blob.upload("extra").await.expect("uploaded");
        }
        world.later();
        world.counted();
        let job = world.far_job().delete_extra(3);
        let report = job.run().await.expect("a report");
        let count = |outcome| report.count(outcome);
        let counts = (count(Outcome::Copied), count(Outcome::Deleted), report.failures);
        assert_eq!(counts, (all, 3, 0), "{hierarchical:?} {report:?}");
        assert_eq!(world.sim.count(Op::PutBlobFromUrl), all, "each once");
        let there: Vec<_> = World::contents(&world.far_to()).await.into_keys().collect();
        assert!(there.iter().eq(&names), "{hierarchical:?}");
        let again = job.run().await.expect("a report");
        assert_eq!(again.outcomes, [(Outcome::Same, all)].into(), "{hierarchical:?}");
        // The memory of the index: the names, and what is compared of each blob.
        assert!((all * 100..all * 1_000).contains(&again.index_bytes), "{}", again.index_bytes);
    }
}
