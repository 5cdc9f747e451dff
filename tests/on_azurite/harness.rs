//! The emulator itself: it runs, it explains why if not, and it exits with the tests.

use std::{
    env,
    io::{ErrorKind, Read},
    net::TcpStream,
    process::{Command, Output},
    time::Duration,
};

use blobcopy::{BlobServiceClient, Credential};

use crate::support::{
    azurite::{ACCOUNT, Azurite, OTHER_ACCOUNT},
    web,
};

tests![
    both_accounts_answer_and_let_no_stranger_in,
    an_abandoned_emulator_exits,
    an_emulator_that_checks_versions_is_told_apart;
    plain:
    without_node_js_a_test_is_ignored_with_the_reason,
    ci_ignores_no_test,
    a_listing_names_every_test_and_runs_none,
];

async fn both_accounts_answer_and_let_no_stranger_in(azurite: &Azurite) {
    for account in [ACCOUNT, OTHER_ACCOUNT] {
        let url = format!("{}/private?restype=container&comp=list", azurite.endpoint(&account));
        let answer = web::client().get(url).send().await.expect("Azurite answers");
        assert_eq!(answer.status(), 403, "{account:?}");
        assert!(answer.headers().contains_key("x-ms-request-id"), "{account:?}");
    }
}

async fn an_abandoned_emulator_exits(_: &Azurite) {
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

async fn an_emulator_that_checks_versions_is_told_apart(_: &Azurite) {
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

fn without_node_js_a_test_is_ignored_with_the_reason() {
    let run = run_again(&[FIRST, "--exact"], |test| test.env("PATH", "").env_remove("CI"));
    let said = said(&run);
    assert!(run.status.success(), "{said}");
    let needs = "needs Node.js 20 or newer with npm: cannot run `node`";
    assert!(said.contains(&format!("test {FIRST} ... ignored ({needs}")), "{said}");
    let last = said.lines().next_back().unwrap_or_default();
    let expected = format!("referees of blobcopy: 0 tests ran, 1 ignored; 1: {needs}");
    assert!(last.starts_with(&expected), "{said}");
    // A download would show that it did more than check.
    assert!(!said.contains("installing"), "{said}");
}

fn ci_ignores_no_test() {
    let run = run_again(&[FIRST, "--exact"], |test| test.env("PATH", "").env("CI", "true"));
    let said = said(&run);
    assert!(!run.status.success(), "{said}");
    assert!(said.contains("CI runs every test, and this one needs Node.js 20"), "{said}");
    let last = said.lines().next_back().unwrap_or_default();
    assert!(
        last.starts_with("referees of blobcopy: 0 tests ran, 1 missing; 1: needs Node.js"),
        "{said}"
    );
}

fn a_listing_names_every_test_and_runs_none() {
    let run = run_again(&["--list"], |test| test.env("PATH", ""));
    let said = said(&run);
    assert!(run.status.success(), "{said}");
    assert!(said.lines().any(|line| line == format!("{FIRST}: test")), "{said}");
    assert!(!said.contains("referees of"), "{said}");
}

/// The first test above.
const FIRST: &str = "on_azurite::harness::both_accounts_answer_and_let_no_stranger_in";

/// Runs this binary again, with another environment.
fn run_again(arguments: &[&str], environment: impl FnOnce(&mut Command) -> &mut Command) -> Output {
    let mut test = Command::new(env::current_exe().expect("a test is a file"));
    environment(test.args(arguments)).output().expect("a test can be run")
}

fn said(run: &Output) -> String {
    String::from_utf8_lossy(&[&run.stderr[..], &run.stdout].concat()).into_owned()
}
