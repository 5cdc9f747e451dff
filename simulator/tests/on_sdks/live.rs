//! Compares the simulator with the live service: replays exchanges recorded from real accounts.
//!
//! The recordings come with the tests of `azure-storage-blob` 12.0.0: made with service version
//! 2019-02-02, in two runs. Each difference is a row with its reason in
//! `docs/simulator-conformance.md`.

use std::{collections::BTreeMap, process::Output};

use blobcopy_simulator::Simulator;
use tokio::process::Command;

use super::packages::Recordings;
use crate::support::azurite::{ACCOUNT, OTHER_ACCOUNT};

tests![recorded_exchanges_of_the_live_service_come_back_as_they_were];

/// How many of a thousand exchanges must agree.
const AGREE: usize = 995;

async fn recorded_exchanges_of_the_live_service_come_back_as_they_were(recordings: &Recordings) {
    let mut differences = BTreeMap::new();
    for (half, least) in [("sync", 3900), ("async", 3400)] {
        let played = play(recordings, half).await;
        let put = played.same + played.otherwise;
        eprintln!("{half}: {} of {put} exchanges as the live service", played.same);
        assert!(put >= least, "only {put} exchanges were put: {played:?}");
        assert!(
            played.same * 1000 >= put * AGREE,
            "{} of {put} agree: {:#?}",
            played.same,
            played.differences
        );
        for (what, count) in played.differences {
            *differences.entry(what).or_insert(0) += count;
        }
    }
    let told = explained();
    let missing: Vec<_> =
        differences.iter().filter(|(what, _)| !told.contains(&what.as_str())).collect();
    let stale: Vec<_> = told.iter().filter(|what| !differences.contains_key(**what)).collect();
    assert!(missing.is_empty(), "rows are missing: {missing:#?}");
    assert!(stale.is_empty(), "rows hold no longer: {stale:#?}");
}

#[derive(Debug, Default)]
struct Played {
    same: usize,
    otherwise: usize,
    differences: BTreeMap<String, usize>,
}

/// Replays one half of the recordings to a new simulator.
async fn play(recordings: &Recordings, half: &str) -> Played {
    let sim = Simulator::builder()
        .account(ACCOUNT.name, ACCOUNT.key)
        .account(OTHER_ACCOUNT.name, OTHER_ACCOUNT.key)
        .start()
        .await
        .expect("a port is free");
    let endpoint = sim.endpoint(ACCOUNT.name);
    let base = endpoint.as_str().trim_end_matches(ACCOUNT.name);
    let mut script = Command::from(recordings.replay());
    script.args([base, half]).kill_on_drop(true);
    let Output { status, stdout, stderr } = script.output().await.expect("it was installed");
    assert!(status.success(), "{status}\n{}", String::from_utf8_lossy(&stderr));
    let printed = String::from_utf8(stdout).expect("text");

    let mut played = Played::default();
    for line in printed.lines() {
        let columns: Vec<&str> = line.split('\t').collect();
        match columns[..] {
            [count, what, _] => {
                let count: usize = count.parse().expect("a count");
                played.otherwise += count;
                played.differences.insert(what.to_owned(), count);
            }
            _ => {
                let (same, _) = line.split_once(" as the live service").expect("the last line");
                played.same = same.parse().expect("a count");
            }
        }
    }
    played
}

/// The differences that the page explains: the first column of its table on recordings.
fn explained() -> Vec<&'static str> {
    let page = include_str!("../../../docs/simulator-conformance.md");
    let (_, section) =
        page.split_once("## Beside recorded answers of the live service").expect("is there");
    let rows = section.lines().skip_while(|line| !line.starts_with("| ---")).skip(1);
    let rows = rows.take_while(|line| line.starts_with('|'));
    rows.map(|row| row.split('`').nth(1).expect("a difference in code marks")).collect()
}
