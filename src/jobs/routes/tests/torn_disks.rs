//! Random disks, and copies of them that are torn anywhere.

use proptest::prelude::*;

use super::world::{CUTS, Cut, World, bytes, content, pass};
use crate::jobs::{
    routes::{Why, pages::carry},
    task::Settings,
};

const NAME: &str = "disk0.vhd";
const PAGES: u64 = 24;

/// What happens to the source, or to a run of the copy.
#[derive(Debug, Clone)]
enum Step {
    /// Writes pages.
    Write { first: u64, pages: u64, seed: u64 },
    /// Clears pages.
    Clear { first: u64, pages: u64 },
    /// A run that is cut off at a request.
    Torn { at: u64, cut: Cut, proved: bool, snapshot: bool },
    /// What is late arrives.
    Wait,
}

fn step() -> impl Strategy<Value = Step> {
    let range = (0..PAGES, 1..6_u64).prop_map(|(first, pages)| (first, pages.min(PAGES - first)));
    prop_oneof![
        2 => (range.clone(), any::<u64>())
            .prop_map(|((first, pages), seed)| Step::Write { first, pages, seed }),
        1 => range.prop_map(|(first, pages)| Step::Clear { first, pages }),
        4 => (1..16_u64, 0..3_usize, any::<bool>(), any::<bool>()).prop_map(
            |(at, cut, proved, snapshot)| Step::Torn { at, cut: CUTS[cut], proved, snapshot }
        ),
        1 => Just(Step::Wait),
    ]
}

fn settings(proved: bool, snapshot_sources: bool) -> Settings {
    Settings { proved, snapshot_sources, in_flight: 2, ..Settings::default() }
}

async fn lived(steps: Vec<Step>) {
    let world = World::new().await;
    let disk = world.from.page_blob_client(NAME);
    disk.create(PAGES * 512).metadata([("owner", "team a")]).await.expect("created");
    for step in steps {
        match step {
            Step::Write { first, pages, seed } => {
                let content = bytes(seed, usize::try_from(pages * 512).expect("small"));
                disk.upload_pages(first * 512, content).await.expect("written");
            }
            Step::Clear { first, pages } => {
                let range = first * 512..(first + pages) * 512;
                disk.clear_pages(range).await.expect("cleared");
            }
            Step::Torn { at, cut, proved, snapshot } => {
                world.cut(Some((at, cut)));
                let task = world.task(NAME, settings(proved, snapshot)).await;
                let whole = content(&world.from, NAME).await;
                if carry(&task).await.is_ok() {
                    assert!(content(&world.to, NAME).await == whole, "it said that it was done");
                }
            }
            Step::Wait => pass(120).await,
        }
    }
    world.cut(None);
    // Late writes of dead runs may change the ETag between the listing and the run.
    for _ in 0..3 {
        match carry(&world.task(NAME, settings(false, true)).await).await {
            Ok(_) => break,
            Err(error) => assert_eq!(error.why, Why::DestinationChanged, "{error:?}"),
        }
    }
    pass(120).await;
    assert!(content(&world.from, NAME).await == content(&world.to, NAME).await);
    let copy = world.to.blob_client(NAME).get_properties().await.expect("there");
    let source = disk.get_properties().await.expect("there");
    assert_eq!(copy.metadata, source.metadata);
    assert_eq!(copy.sequence_number, source.sequence_number);
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 40,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn a_disk_that_is_torn_anywhere_and_copied_again_is_equal(
        steps in proptest::collection::vec(step(), 0..14)
    ) {
        let mut runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = runtime.enable_all().start_paused(true).build().expect("a runtime");
        runtime.block_on(lived(steps));
    }
}
