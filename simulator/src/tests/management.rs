//! The stand-in for Azure Resource Manager: list, grant and revoke.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    disks::HOUR,
    kit::{Ask, Kit, Reply, kit, plain},
};
use crate::{ManagedDisk, Op, wire::json::Json};

const READ: &str = r#"{"access":"Read","durationInSeconds":3600,"fileFormat":"VHD"}"#;
const GROUP: &str = "/subscriptions/5bb00000-0000-4000-8000-000000000001/resourceGroups/group\
                     /providers/Microsoft.Compute/snapshots";

/// A kit that accepts tokens, with a disk that has snapshots of these names.
fn with_snapshots(names: &[&str]) -> (Kit, ManagedDisk) {
    let kit = kit(|builder| builder.accept_bearer(|token| token != "bad"));
    let time = kit.enter();
    let disk = kit.sim.managed_disks().create("group", "disk0", (1 << 30) + 512);
    for name in names {
        disk.snapshot(name);
        kit.advance(1);
    }
    drop(time);
    (kit, disk)
}

fn ask<'a>(kit: &'a Kit, method: &'a str, path: &str) -> Ask<'a> {
    let url = format!("https://management.azure.com{GROUP}{path}?api-version=2025-01-02");
    kit.ask_at(method, &url).header("authorization", "Bearer token")
}

fn grant(kit: &Kit, name: &str) -> Reply {
    let path = format!("/{name}/beginGetAccess");
    ask(kit, "POST", &path).body(READ.as_bytes()).send()
}

/// Follows `Location` to the end.
fn follow(kit: &Kit, accepted: &Reply) -> Reply {
    let location = accepted.header("location");
    kit.ask_at("GET", location).header("authorization", "Bearer token").send()
}

fn json(reply: &Reply) -> Json {
    Json::read(reply.text()).expect("a JSON answer")
}

/// What is at `path`, with dots, as JSON text.
fn at(json: &Json, path: &str) -> String {
    path.split('.').fold(json.clone(), |it, name| it.field(name).cloned().unwrap()).to_string()
}

fn values(reply: &Reply) -> Vec<Json> {
    match json(reply).field("value") {
        Some(Json::List(values)) => values.clone(),
        _ => panic!("{}", reply.text()),
    }
}

#[track_caller]
fn refused(reply: Reply, status: u16, code: &str) {
    assert_eq!(reply.status, status, "{}", reply.text());
    assert_eq!(at(&json(&reply), "error.code"), format!("\"{code}\""));
    assert!(reply.header("content-type").starts_with("application/json"));
}

#[test]
fn snapshots_are_listed_with_what_a_mirror_needs() {
    let (kit, disk) = with_snapshots(&["b", "a"]);
    let _time = kit.enter();
    disk.full_snapshot("full").set_completion(62.5);
    disk.require_bearer(true);
    kit.sim.managed_disks().create("other", "disk1", 512).snapshot("elsewhere");
    let listed = ask(&kit, "GET", "").send().expect(200);
    let found = values(&listed);
    let names: Vec<_> = found.iter().map(|it| at(it, "name")).collect();
    assert_eq!(names, ["\"a\"", "\"b\"", "\"full\""]);
    let text = |path: &str| at(&found[1], path);
    assert_eq!(text("id"), format!("\"{GROUP}/b\""));
    assert_eq!(text("type"), "\"Microsoft.Compute/snapshots\"");
    assert_eq!(text("properties.timeCreated"), "\"2026-01-01T00:00:00.0000000+00:00\"");
    assert_eq!(text("properties.creationData.sourceResourceId"), format!("\"{}\"", disk.id()));
    let unique = format!("\"{}\"", disk.unique_id());
    assert_eq!(text("properties.creationData.sourceUniqueId"), unique);
    assert_eq!(text("properties.diskSizeGB"), "2");
    assert_eq!(text("properties.diskSizeBytes"), ((1_u64 << 30) + 512).to_string());
    assert_eq!(text("properties.completionPercent"), "100");
    assert_eq!(text("properties.incremental"), "true");
    assert_eq!(text("properties.diskState"), "\"Unattached\"");
    assert_eq!(text("properties.dataAccessAuthMode"), "\"AzureActiveDirectory\"");
    assert_eq!(at(&found[2], "properties.completionPercent"), "62.5");
    assert_eq!(at(&found[2], "properties.incremental"), "false");
    assert!(found[2].field("properties").unwrap().field("incrementalSnapshotFamilyId").is_none());

    disk.snapshots()[0].grant(HOUR).unwrap();
    let one = ask(&kit, "GET", "/B").send().expect(200);
    assert_eq!(at(&json(&one), "properties.diskState"), "\"ActiveSAS\"");
    assert_eq!(kit.sim.count(Op::ListDiskSnapshots), 1);
    let seen = kit.sim.requests();
    assert_eq!((seen[0].container(), seen[1].blob()), (Some("group"), Some("B")));
}

#[test]
fn a_long_list_comes_in_pages() {
    let names: Vec<String> = (0..120).map(|at| format!("s {at:03}")).collect();
    let (kit, _) = with_snapshots(&names.iter().map(|name| &**name).collect::<Vec<_>>());
    let mut page = ask(&kit, "GET", "").send().expect(200);
    let mut seen = Vec::new();
    let mut pages = 1;
    loop {
        seen.extend(values(&page).iter().map(|it| at(it, "name").replace('"', "")));
        let body = json(&page);
        let Some(next) = body.field("nextLink").and_then(Json::text) else { break };
        page = kit.ask_at("GET", next).header("authorization", "Bearer token").send().expect(200);
        pages += 1;
    }
    assert_eq!((seen, pages), (names, 3));
}

#[test]
fn access_is_granted_polled_and_revoked() {
    let (kit, disk) = with_snapshots(&["one"]);
    let _time = kit.enter();
    kit.sim.managed_disks().operations_take(Duration::from_secs(20));
    let accepted = grant(&kit, "one").expect(202);
    assert_eq!((accepted.body.len(), accepted.header("retry-after")), (0, "1"));
    assert!(disk.snapshots()[0].is_granted());
    let early = follow(&kit, &accepted).expect(202);
    assert_eq!(early.header("location"), accepted.header("location"));
    let status = |reply: &Reply| {
        let url = reply.header("azure-asyncoperation").to_owned();
        json(&kit.ask_at("GET", &url).header("authorization", "Bearer token").send().expect(200))
    };
    assert_eq!(at(&status(&accepted), "status"), "\"InProgress\"");
    kit.advance(20);
    let done = json(&follow(&kit, &accepted).expect(200));
    let url = done.field("accessSAS").unwrap().text().unwrap().to_owned();
    assert_eq!(at(&status(&accepted), "properties.output"), done.to_string());
    // The answer can be had again, if it was lost.
    assert_eq!(json(&follow(&kit, &accepted).expect(200)), done);
    kit.ask_at("HEAD", &url).send().expect(200);

    let second = json(&{
        let accepted = grant(&kit, "ONE").expect(202);
        kit.advance(20);
        follow(&kit, &accepted).expect(200)
    });
    assert_ne!(second, done);
    assert_eq!(disk.granted(), 1);
    let accepted = ask(&kit, "POST", "/one/endGetAccess").send().expect(202);
    for url in [&url, second.field("accessSAS").unwrap().text().unwrap()] {
        kit.ask_at("HEAD", url).send().refused(403, "AuthenticationFailed");
    }
    follow(&kit, &accepted).expect(202);
    kit.advance(20);
    assert_eq!(follow(&kit, &accepted).expect(200).body.len(), 0);
    assert_eq!(at(&status(&accepted), "status"), "\"Succeeded\"");
    // There is nothing to revoke any more, which is no error.
    ask(&kit, "POST", "/one/endGetAccess").send().expect(202);
}

#[test]
fn a_sixth_snapshot_of_a_family_gets_no_access() {
    let (kit, disk) = with_snapshots(&["a", "b", "c", "d", "e", "f"]);
    let _time = kit.enter();
    for name in ["a", "b", "c", "d", "e"] {
        grant(&kit, name).expect(202);
    }
    refused(grant(&kit, "f"), 409, "OperationNotAllowed");
    grant(&kit, "a").expect(202);
    kit.advance(3600);
    grant(&kit, "f").expect(202);
    assert_eq!((disk.granted(), disk.most_granted()), (1, 5));
}

#[test]
fn requests_that_ask_for_something_else_are_refused() {
    let (kit, disk) = with_snapshots(&["one"]);
    let _time = kit.enter();
    let begin = |body: &str| ask(&kit, "POST", "/one/beginGetAccess").body(body.as_bytes()).send();
    for body in ["", "[]", "{", "\"Read\""] {
        refused(begin(body), 400, "InvalidRequestContent");
    }
    for body in [
        r#"{"durationInSeconds":3600}"#,
        r#"{"access":"None","durationInSeconds":3600}"#,
        r#"{"access":"Read"}"#,
        r#"{"access":"Read","durationInSeconds":0}"#,
        r#"{"access":"Read","durationInSeconds":1.5}"#,
        r#"{"access":"Read","durationInSeconds":5184001}"#,
        r#"{"access":"Read","durationInSeconds":60,"fileFormat":"RAW"}"#,
    ] {
        refused(begin(body), 400, "InvalidParameter");
    }
    let write = r#"{"access":"Write","durationInSeconds":60}"#;
    refused(begin(write), 409, "OperationNotAllowed");
    let vhdx = r#"{"access":"Read","durationInSeconds":60,"fileFormat":"VHDX"}"#;
    refused(begin(vhdx), 501, "NotImplemented");
    disk.snapshots()[0].set_completion(99.9);
    refused(begin(READ), 409, "OperationNotAllowed");
    refused(grant(&kit, "none"), 404, "ResourceNotFound");
    refused(ask(&kit, "POST", "/none/endGetAccess").send(), 404, "ResourceNotFound");
    refused(ask(&kit, "GET", "/none").send(), 404, "ResourceNotFound");
    refused(ask(&kit, "PUT", "/one").send(), 501, "NotImplemented");
    let to = |target: &str| {
        let url = format!("https://management.azure.com{target}");
        kit.ask_at("GET", &url).header("authorization", "Bearer token").send()
    };
    refused(to(GROUP), 400, "MissingApiVersionParameter");
    let other = GROUP.replace("5bb", "5bc");
    refused(to(&format!("{other}?api-version=1")), 404, "SubscriptionNotFound");
    assert_eq!(disk.granted(), 0);
}

#[test]
fn it_takes_a_token_of_its_own_audience() {
    let token = |audience: &str| {
        let claims = URL_SAFE_NO_PAD.encode(format!("{{\"aud\":\"{audience}\"}}"));
        format!("Bearer e30.{claims}.signature")
    };
    let (kit, _) = with_snapshots(&["one"]);
    let to = |scheme: &str| format!("{scheme}://management.azure.com{GROUP}?api-version=1");
    refused(kit.ask_at("GET", &to("https")).send(), 401, "AuthenticationFailed");
    let with = |token: &str| kit.ask_at("GET", &to("https")).header("authorization", token).send();
    for bad in [token("https://storage.azure.com/"), "Bearer bad".to_owned()] {
        let reply = with(&bad);
        assert!(reply.header("www-authenticate").contains("invalid_token"));
        refused(reply, 401, "InvalidAuthenticationToken");
    }
    for good in [token("https://management.azure.com/"), "Bearer opaque".to_owned()] {
        with(&good).expect(200);
    }
    let plain_http = kit.ask_at("GET", &to("http")).header("authorization", "Bearer token");
    refused(plain_http.send(), 401, "AuthenticationFailed");
    let kit = plain();
    refused(ask(&kit, "GET", "").send(), 401, "AuthenticationFailed");
}

#[test]
fn faults_strike_it_like_everything_else() {
    let (kit, disk) = with_snapshots(&["one", "two"]);
    let _time = kit.enter();
    kit.sim
        .faults()
        .on(Op::GrantSnapshotAccess)
        .blob("one")
        .answer(429, "TooManyRequests")
        .times(1);
    refused(grant(&kit, "one"), 429, "TooManyRequests");
    kit.sim.faults().on(Op::GrantSnapshotAccess).lose_answer().times(1);
    grant(&kit, "two");
    assert_eq!(disk.granted(), 1);
    kit.sim.faults().on(Op::RevokeSnapshotAccess).land_late(HOUR / 60).times(1);
    ask(&kit, "POST", "/two/endGetAccess").send();
    assert_eq!(disk.granted(), 1);
    kit.advance(60);
    assert_eq!(disk.granted(), 0);
}

#[tokio::test]
async fn a_listener_answers_at_its_own_address_and_grants_its_own_hosts() {
    for path_style in [false, true] {
        let builder = crate::Simulator::builder().https().path_style_disks(path_style);
        let sim = builder.accept_bearer(|_| true).start().await.unwrap();
        let disks = sim.managed_disks();
        disks.create("group", "disk0", 1 << 20).snapshot("one");
        let endpoint = disks.endpoint();
        assert_eq!((endpoint.scheme(), endpoint.host_str()), ("https", Some("127.0.0.1")));
        let kit = Kit::around(sim.clone());
        let url = format!("{endpoint}{}/one/beginGetAccess?api-version=1", &GROUP[1..]);
        let ask = kit.ask_at("POST", &url).header("authorization", "Bearer token");
        let accepted = ask.body(READ.as_bytes()).send().expect(202);
        assert!(accepted.header("location").starts_with(endpoint.as_str()));
        let done = json(&follow(&kit, &accepted).expect(200));
        let sas = done.field("accessSAS").unwrap().text().unwrap().to_owned();
        let port = endpoint.port().unwrap();
        match path_style {
            true => assert!(sas.starts_with(&format!("https://127.0.0.1:{port}/md-")), "{sas}"),
            false => assert!(sas.contains(&format!(".z01.blob.localhost:{port}/")), "{sas}"),
        }
        kit.ask_at("HEAD", &sas).send().expect(200);
    }
}
