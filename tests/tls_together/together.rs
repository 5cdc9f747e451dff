//! The program beside a simulator that takes https. It believes the simulator's certificate by
//! `SSL_CERT_FILE`, which is read when a client is made, so it runs as a process of its own.

use std::{fs, process::Stdio};

use blobcopy_simulator::Simulator;
use tokio::process::Command;

async fn run(how: &str) {
    let sim = Simulator::builder().https().start().await.expect("a port");
    let server = sim.endpoint("devstoreaccount1").replace("/devstoreaccount1", "");
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
    for one in ["blobcopy: ", "reqwest: ", "azure_identity: "] {
        assert!(said.contains(one), "{said}");
    }
}

#[tokio::test]
async fn this_crate_may_make_its_connection_first() {
    run("ours first").await;
}

#[tokio::test]
async fn others_may_make_theirs_first() {
    run("theirs first").await;
}

#[tokio::test]
async fn the_program_may_have_installed_a_provider() {
    run("installed").await;
}
