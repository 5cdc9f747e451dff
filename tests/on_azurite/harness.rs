//! The emulator itself: it is there, it says why when it is not, and it leaves when we do.

use std::{
    env,
    io::{ErrorKind, Read},
    net::TcpStream,
    process::{Command, Output},
    time::Duration,
};

use blobcopy::{BlobServiceClient, Credential};

use crate::support::{
    azurite::{ACCOUNT, Azurite, OTHER_ACCOUNT, SKIP},
    web,
};

#[tokio::test]
async fn both_accounts_answer_and_let_no_stranger_in() {
    let Some(azurite) = Azurite::shared() else { return };
    for account in [ACCOUNT, OTHER_ACCOUNT] {
        let url = format!("{}/private?restype=container&comp=list", azurite.endpoint(&account));
        let answer = web::client().get(url).send().await.expect("Azurite answers");
        assert_eq!(answer.status(), 403, "{account:?}");
        assert!(answer.headers().contains_key("x-ms-request-id"), "{account:?}");
    }
}

#[test]
fn an_abandoned_emulator_exits() {
    if Azurite::shared().is_none() {
        return;
    }
    let mut azurite = Azurite::start().expect("another one starts");
    let mut connection = TcpStream::connect(azurite.address()).expect("it listens");
    connection.set_read_timeout(Some(Duration::from_secs(30))).expect("a valid time-out");
    azurite.abandon();
    match connection.read(&mut [0]) {
        Ok(0) => {}
        Err(error) if error.kind() == ErrorKind::ConnectionReset => {}
        other => panic!("it still holds the connection: {other:?}"),
    }
}

#[tokio::test]
async fn an_emulator_that_checks_versions_is_told_apart() {
    if Azurite::shared().is_none() {
        return;
    }
    let azurite = Azurite::start_checking_versions().expect("another one starts");
    let service = BlobServiceClient::new(
        azurite.endpoint(&ACCOUNT).parse().expect("a URL"),
        Credential::shared_key(ACCOUNT.name, ACCOUNT.key).expect("a key"),
    );
    let blob = service.expect("a client").container_client("none").blob_client("none");
    let by_get = blob.download().await.expect_err("this version is newer than Azurite");
    let by_head = blob.get_properties().await.expect_err("this version is newer than Azurite");
    for error in [by_get, by_head].map(|error| error.to_string()) {
        assert!(error.contains("--skipApiVersionCheck"), "{error}");
        assert!(error.contains("ClientOptions::service_version"), "{error}");
    }
}

#[test]
fn without_node_js_one_line_says_what_to_do() {
    let run = run_again_with(|test| test.env("PATH", "").env_remove(SKIP));
    assert!(!run.status.success());
    let said = said(&run);
    let lines: Vec<_> = said.lines().filter(|line| line.contains("Node.js")).collect();
    let [line] = lines[..] else { panic!("not one line: {said}") };
    assert!(line.contains("need Node.js 20 or newer with npm (cannot run `n"), "{line}");
    assert!(line.contains("set BLOBCOPY_SKIP_AZURITE=1 to skip"), "{line}");
}

#[test]
fn one_line_says_that_tests_are_skipped() {
    let run = run_again_with(|test| test.env("PATH", "").env(SKIP, "1").env_remove("CI"));
    assert!(run.status.success());
    let said = said(&run);
    assert_eq!(said.matches("tests on Azurite are skipped").count(), 1, "{said}");
}

#[test]
fn ci_does_not_skip() {
    let run = run_again_with(|test| test.env("PATH", "").env(SKIP, "1").env("CI", "true"));
    assert!(!run.status.success());
    assert!(said(&run).contains("BLOBCOPY_SKIP_AZURITE is refused"), "{}", said(&run));
}

/// Runs the first test above in a process and an environment of its own.
fn run_again_with(environment: impl FnOnce(&mut Command) -> &mut Command) -> Output {
    let mut test = Command::new(env::current_exe().expect("a test is a file"));
    let name = "on_azurite::harness::both_accounts_answer_and_let_no_stranger_in";
    environment(test.args([name, "--exact"])).output().expect("a test can be run")
}

fn said(run: &Output) -> String {
    String::from_utf8_lossy(&[&run.stdout[..], &run.stderr].concat()).into_owned()
}
