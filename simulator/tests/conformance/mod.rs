//! Compares the simulator with Azurite: the same requests to both, and every difference explained.
//!
//! The requests are in `src/live_check/cases/`. The differences are in
//! `docs/simulator-conformance.md`, with what the service's documentation says; the test fails on a
//! difference that is missing there, and on a row that no longer applies. It prints the missing
//! rows.
//!
//! `blobcopy-simulator live-check` sends the same cases to a real account.

mod document;

use std::collections::BTreeSet;

use blobcopy_simulator::Simulator;

use self::document::{Document, Row};
use crate::live_check::{case::Case, outcome::differences, wire::Server};
use crate::support::azurite::{ACCOUNT, Account, Azurite, OTHER_ACCOUNT};

tests![every_difference_to_azurite_is_explained];

async fn every_difference_to_azurite_is_explained(azurite: &Azurite) {
    let sim = Simulator::builder()
        .account(ACCOUNT.name, ACCOUNT.key)
        .account(OTHER_ACCOUNT.name, OTHER_ACCOUNT.key)
        .start()
        .await
        .expect("a port is free");
    let document = Document::read();
    let server = |endpoint: &dyn Fn(&Account) -> String| {
        let other = Some(endpoint(&OTHER_ACCOUNT));
        Server::new(endpoint(&ACCOUNT), ACCOUNT.name, ACCOUNT.key, other)
    };
    let azurite = server(&|account| azurite.endpoint(account));
    let simulator = server(&|account| sim.endpoint(account.name).into());

    let mut found = BTreeSet::new();
    let mut used = BTreeSet::new();
    for (number, case) in Case::all().into_iter().enumerate() {
        let theirs = azurite.run(&case, number).await.expect("Azurite answers");
        let ours = simulator.run(&case, number).await.expect("the simulator answers");
        for (step, (theirs, ours)) in theirs.iter().zip(&ours).enumerate() {
            let differences = differences(theirs, ours, &document.headers, &mut used);
            let Some((theirs, ours)) = differences else { continue };
            let case = format!("{}, request {}", case.name, step + 1);
            found.insert(Row { case, azurite: theirs, simulator: ours });
        }
    }

    let missing: Vec<_> = found.difference(&document.rows).map(Row::to_string).collect();
    let stale: Vec<_> = document.rows.difference(&found).map(Row::to_string).collect();
    let unused: Vec<_> =
        document.headers.iter().filter(|rule| !used.contains(&rule.header)).collect();
    assert!(missing.is_empty(), "{} new differences:\n{}", missing.len(), missing.concat());
    assert!(stale.is_empty(), "{} rows hold no longer:\n{}", stale.len(), stale.concat());
    assert!(unused.is_empty(), "rows of headers that hold no longer: {unused:?}");
}
