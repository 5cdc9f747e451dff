//! `blobcopy-simulator live-check`, with a second simulator in place of a real account.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use blobcopy_simulator::{Op, Simulator};

use crate::live_check::{
    case,
    check::Check,
    outcome,
    wire::{self, Server},
};

const ACCOUNT: &str = "ourownaccount";
const KEY: &str = "YSBrZXkgdGhhdCBub2JvZHkgbWF5IHNlZQ==";
const PREFIX: &str = "blobcopy-live-check-1";

async fn service() -> (Simulator, Server) {
    let service = Simulator::builder().account(ACCOUNT, KEY).start().await.expect("a port");
    let server =
        Server::new(service.endpoint(ACCOUNT), ACCOUNT, KEY, None).naming_containers(PREFIX);
    (service, server)
}

#[tokio::test]
async fn one_simulator_differs_from_another_in_nothing() {
    let (_service, server) = service().await;
    let check = Check::all();
    let report = check.run(&server, |_| {}).await.expect("a report");
    assert!(report.ended.is_none() && report.differences.is_empty(), "{report}");
    assert_eq!(report.settled.len(), check.questions.len());
    for settled in &report.settled {
        assert_eq!(settled.service, settled.simulator, "{}", settled.question);
        // Requests before the last one must succeed; in one question, their failure is part of it.
        let works = !settled.service.contains("(request");
        assert!(works || settled.question.ends_with("with x-ms-meta-*"), "{report}");
    }
    let all = check.cases.len() + check.questions.len();
    assert_eq!(report.cases + report.left_out.len(), all);
    assert!(report.left_out.len() < 5, "{:?}", report.left_out);
}

#[tokio::test]
async fn a_difference_is_printed_and_the_account_is_not() {
    let (service, server) = service().await;
    service.faults().on(Op::SnapshotBlob).drop_header("x-ms-snapshot").times(1);
    service.faults().on(Op::PutBlob).answer(503, "ServerBusy").times(1);
    service.faults().on(Op::GetBlob).answer(418, &format!("{ACCOUNT}{KEY}")).times(1);
    let report = Check::all().run(&server, |_| {}).await.expect("a report");
    let text = server.hide(&report.to_string());
    assert!(text.contains("    service:   503 ServerBusy\n    simulator: 201\n"), "{text}");
    assert!(text.contains("no x-ms-snapshot\n    simulator: 201; x-ms-snapshot: …\n"), "{text}");
    assert!(text.contains("    service:   418 ACCOUNTKEY\n"), "{text}");
    for secret in [ACCOUNT, KEY, "127.0.0.1", "sig=", "SharedKey"] {
        assert!(!text.contains(secret), "{secret} in {text}");
    }
}

#[tokio::test]
async fn nothing_but_its_own_containers_is_touched_and_none_is_left() {
    let (service, server) = service().await;
    let mut check = Check::all();
    // The simulator must keep all of these requests in full.
    let mut seen = 0;
    let (cases, questions) = (std::mem::take(&mut check.cases), check.questions);
    for cases in [cases, questions] {
        let check = Check { cases, questions: Vec::new() };
        check.run(&server, |_| {}).await.expect("a report");
        let requests = service.requests();
        seen += requests.len();
        assert!(requests.len() < 4096, "more than is remembered");
        for request in requests {
            let harmless = match request.op() {
                Op::ListContainers | Op::GetAccountInformation => true,
                Op::CreateContainer if request.status() == 400 => true,
                _ => request.container().is_some_and(|name| name.starts_with(PREFIX)),
            };
            assert!(harmless, "{request:?}");
        }
        service.forget_requests();
    }
    assert!(seen > 500, "{seen}");
    assert_eq!(server.left(), [""; 0]);
    assert_eq!(containers(&service).await, 0);
}

#[test]
fn every_case_has_a_name_of_its_own() {
    let cases = case::Case::all();
    let names: BTreeSet<_> = cases.iter().map(|case| &case.name).collect();
    assert_eq!(names.len(), cases.len());
    assert!(cases.len() > 100, "only {} cases were read", cases.len());
}

/// Whatever a server answers, no name in a case may be that of a user's container.
#[test]
fn the_cases_name_no_container_that_may_exist() {
    let check = Check::all();
    for request in check.cases.iter().chain(&check.questions).flat_map(|case| &case.requests) {
        let target = request.target.as_str();
        let own = ["{c}", "{missing}"].iter().any(|start| target.starts_with(start))
            || target == "?comp=list&prefix={c}";
        let name = target.strip_suffix("?restype=container").unwrap_or(target);
        let illegal = name.len() < 3 || name.contains("--") || name != name.to_lowercase();
        assert!(own || illegal, "{target}");
    }
}

#[tokio::test]
async fn an_interruption_leaves_nothing() {
    let (service, server) = service().await;
    let stop = Arc::new(AtomicBool::new(false));
    let server = server.stopped_by(Arc::clone(&stop));
    let stopping = |done| stop.store(done == 3, Ordering::Relaxed);
    let report = Check::all().run(&server, stopping).await.expect("a report");
    assert_eq!((report.cases, report.ended.as_deref()), (3, Some("interrupted")));
    assert_eq!(containers(&service).await, 0);
}

#[tokio::test]
async fn an_account_that_refuses_ends_it_at_once() {
    let (service, _) = service().await;
    let wrong = Server::new(service.endpoint(ACCOUNT), ACCOUNT, "d3Jvbmc=", None);
    let refused = Check::all().run(&wrong, |_| {}).await.expect_err("the wrong key");
    assert!(refused.ends_with("403 AuthenticationFailed"), "{refused}");
}

/// Removing a leased container takes two steps, and a container that cannot be removed is reported.
#[tokio::test]
async fn what_cannot_be_removed_is_told() {
    let (service, server) = service().await;
    let check = Check {
        cases: case::read(
            "a leased container\n    PUT {c}?restype=container&comp=lease\n        \
             x-ms-lease-action: acquire\n        x-ms-lease-duration: -1\n",
        ),
        questions: Vec::new(),
    };
    check.run(&server, |_| {}).await.expect("a report");
    assert_eq!((server.left().len(), containers(&service).await), (0, 0));

    service.faults().on(Op::DeleteContainer).answer(403, "AuthorizationFailure");
    check.run(&server, |_| {}).await.expect("a report");
    assert_eq!(server.left().len(), 2);
    assert_eq!(containers(&service).await, 2);
}

/// A container may have been created although the service reports a failure.
#[tokio::test]
async fn what_may_have_been_made_is_removed() {
    let (service, server) = service().await;
    service.faults().on(Op::CreateContainer).answer(500, "OperationTimedOut").times(1);
    let ended = Check::all().run(&server, |_| {}).await.expect_err("no container");
    assert!(ended.ends_with("500 OperationTimedOut"), "{ended}");
    assert_eq!((service.count(Op::DeleteContainer), server.left().len()), (1, 0));
}

/// An intermediary may answer anything, in any script.
#[test]
fn a_long_body_of_any_letters_is_shortened() {
    let headers = Default::default();
    let body = format!("a{}", "\u{e4}".repeat(40)).into();
    let facts = outcome::facts(&wire::Answer { status: 200, headers, body }, false);
    assert!(facts["body"].ends_with(" (41)"), "{facts:?}");
}

async fn containers(service: &Simulator) -> usize {
    service.faults().clear();
    let client = service.service_client().expect("a client");
    client.list_containers().collect_all().await.expect("a list").len()
}
