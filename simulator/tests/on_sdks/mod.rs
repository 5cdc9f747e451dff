//! The simulator with Microsoft's own SDKs: scripts in Python and JavaScript call its listener,
//! each with its own checks (`tests/sdk`).
//!
//! The packages are pinned there, at their newest versions of 2026-11-21. `@azure/storage-blob`
//! declares Node.js 22 since 12.33; the parts that the checks use work on 20 as well.

mod harness;
mod live;
mod packages;

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use blobcopy_simulator::Simulator;
use libtest_mimic::Trial;

use self::packages::{JavaScript, Python};
use crate::support::azurite::{ACCOUNT, OTHER_ACCOUNT};

pub(super) fn all_tests() -> Vec<Trial> {
    [tests(), harness::tests(), live::tests()].into_iter().flatten().collect()
}

tests![
    python_finds_the_service_in_the_simulator,
    javascript_finds_the_service_in_the_simulator,
    the_values_to_compare_signatures_with_are_those_of_the_sdk,
];

async fn python_finds_the_service_in_the_simulator(python: &Python) {
    all_checks_pass("Python", python.script("run.py")).await;
}

async fn javascript_finds_the_service_in_the_simulator(javascript: &JavaScript) {
    all_checks_pass("JavaScript", javascript.script("run.js")).await;
}

/// The reference values for this crate's signatures match those of the installed package.
async fn the_values_to_compare_signatures_with_are_those_of_the_sdk(python: &Python) {
    let Output { status, stdout, stderr } =
        python.script("sas_values.py").output().expect("it was installed");
    assert!(status.success(), "{status}\n{}", String::from_utf8_lossy(&stderr));
    let (_, expected) = include_str!("../../../src/auth/sas/python_sdk.txt")
        .split_once("# azure-storage-blob 12.31.1, ")
        .expect("the newest is the last");
    // Those for directories come from another package.
    let expected: Vec<_> =
        expected.lines().skip(1).filter(|line| !line.contains("&sr=d&")).collect();
    let printed = String::from_utf8(stdout).expect("text");
    assert_eq!(printed.lines().collect::<Vec<_>>(), expected);
}

/// Runs the checks of a language against a new simulator.
async fn all_checks_pass(language: &str, script: Command) {
    // Slow enough to see a copy pending, and for a large one never to end.
    let sim = Simulator::builder()
        .account(ACCOUNT.name, ACCOUNT.key)
        .account(OTHER_ACCOUNT.name, OTHER_ACCOUNT.key)
        .copy_rate(1 << 20)
        .accept_bearer(|token| token == "a-token-for-tests")
        .https()
        .start()
        .await
        .expect("a port is free");
    let certificate = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{language}.pem"));
    fs::write(&certificate, sim.certificate_pem().expect("https is on")).expect("it is writable");

    let mut script = tokio::process::Command::from(script);
    for account in [ACCOUNT, OTHER_ACCOUNT] {
        let secure = sim.connection_string_of(account.name).expect("it has both");
        // Only bearer tokens need https, which is served on the same port.
        script.arg(secure.replace("https", "http"));
    }
    // One language takes the certificate as an argument, the other from the environment.
    script.arg(sim.endpoint(ACCOUNT.name).as_str()).arg(&certificate);
    script.env("NODE_EXTRA_CA_CERTS", &certificate);
    let Output { status, stdout, stderr } =
        script.kill_on_drop(true).output().await.expect("it was run before");
    let said = String::from_utf8_lossy(&[stdout, stderr].concat()).into_owned();
    assert!(status.success(), "{language}: {status}\n{said}");
    let summary = said.trim_end().lines().next_back().unwrap_or_default();
    assert!(summary.ends_with("passed, 0 failed"), "{language} ended with {summary:?}");
}
