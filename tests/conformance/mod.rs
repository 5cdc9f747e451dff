//! The simulator beside Azurite: the same requests to both, and every difference accounted for.
//!
//! `cases/` has the requests. `docs/simulator-conformance.md` has the differences, with what the
//! service's documentation says; the test fails on one that is not there, and on a row that holds
//! no longer. It prints the rows that are missing.

#![allow(clippy::unwrap_used, reason = "what cannot be sent or read fails the test")]

mod case;
mod document;
mod outcome;
mod wire;

use std::{collections::BTreeSet, fs, path::PathBuf};

use blobcopy::simulator::Simulator;

use self::{
    case::Case,
    document::{Document, Row},
    outcome::differences,
    wire::Server,
};
use crate::support::azurite::{ACCOUNT, Azurite, OTHER_ACCOUNT};

#[tokio::test]
async fn every_difference_to_azurite_is_explained() {
    let Some(azurite) = Azurite::shared() else { return };
    let sim = Simulator::builder()
        .account(ACCOUNT.name, ACCOUNT.key)
        .account(OTHER_ACCOUNT.name, OTHER_ACCOUNT.key)
        .start()
        .await
        .expect("a port is free");
    let document = Document::read();
    let azurite = Server::new(azurite.endpoint(&ACCOUNT));
    let simulator = Server::new(sim.endpoint(ACCOUNT.name));

    let mut found = BTreeSet::new();
    let mut used = BTreeSet::new();
    for case in Case::all() {
        let (theirs, ours) = (azurite.run(&case).await, simulator.run(&case).await);
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

#[test]
fn every_case_has_a_name_of_its_own() {
    let cases = Case::all();
    let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() > 100, "only {} cases were read", cases.len());
}

/// A file of this repository.
fn text(path: &str) -> String {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
