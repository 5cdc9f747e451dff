//! Runs the program with a simulator that serves https. The program trusts the simulator's
//! certificate through `SSL_CERT_FILE`, which is read when a client is built, so it runs as a
//! separate process.

use std::{fs, process::Stdio};

use blobcopy_simulator::Simulator;
use tokio::process::Command;

/// The output of the program, run in this way.
async fn run(how: &str) -> String {
    let sim = Simulator::builder().https().start().await.expect("a port");
    let server = sim.endpoint("devstoreaccount1").origin().ascii_serialization();
    let certificate = format!("{}/{how}.pem", env!("CARGO_TARGET_TMPDIR"));
    fs::write(&certificate, sim.certificate_pem().expect("it takes https")).expect("a file");
    let run = Command::new(env!("CARGO_BIN_EXE_tls_together"))
        .arg(how)
        .env("AZURE_STORAGE_CONNECTION_STRING", sim.connection_string())
        .env("SERVER", server)
        .env("SSL_CERT_FILE", certificate)
        .env_remove("SSL_CERT_DIR")
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the program runs");
    let said = String::from_utf8_lossy(&run.stdout);
    let wrong = String::from_utf8_lossy(&run.stderr);
    assert!(run.status.success() && wrong.is_empty(), "{said}{wrong}");
    said.into_owned()
}

async fn all_speak(how: &str) {
    let said = run(how).await;
    for one in ["blobcopy: ", "reqwest: ", "azure_identity: "] {
        assert!(said.contains(one), "{said}");
    }
}

#[tokio::test]
async fn this_crate_may_make_its_connection_first() {
    all_speak("ours first").await;
}

#[tokio::test]
async fn others_may_make_theirs_first() {
    all_speak("theirs first").await;
}

#[tokio::test]
async fn the_program_may_have_installed_a_provider() {
    all_speak("installed").await;
}

#[tokio::test]
async fn a_provider_that_is_installed_is_used_and_its_faults_are_errors() {
    let said = run("installed without ciphers").await;
    assert!(said.contains("no usable cipher suites"), "{said}");
}
