//! Azure Resource Manager: lists the snapshots of a managed disk, grants access and revokes it.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use blobcopy::{
    AccessToken, ClientOptions, Clock, Credential, CredentialError, Error, PageBlobClient,
    ResourceManager, RetryOptions, TokenProvider,
    disks::{GrantAccess, ManagedSnapshot},
    transport::{BoxFuture, TransportErrorKind},
};
use blobcopy_simulator::{GrantUrl, ManagedDisk, Op, Simulator};
use serde_json::{Value, json};
use time::macros::datetime;
use tokio::time::Instant;

use crate::support::script::{Script, Step};

const HOUR: Duration = Duration::from_secs(3600);
const SECRET: &str = "U0VDUkVUIFNJRw";

/// Records the requested scopes.
#[derive(Debug, Clone, Default)]
struct Login(Arc<Mutex<Vec<String>>>);

impl TokenProvider for Login {
    fn token<'a>(&'a self, scope: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
        self.0.lock().expect("no test panics while it holds it").push(scope.to_owned());
        Box::pin(async { Ok(AccessToken::new("TOKEN", datetime!(2030-01-01 00:00 UTC))) })
    }
}

/// A simulator with a disk, and Resource Manager for it.
fn world() -> (Simulator, ManagedDisk, ResourceManager) {
    let clock = Clock::starting_at(datetime!(2026-01-01 00:00 UTC));
    let sim = Simulator::builder().clock(clock).accept_bearer(|token| token == "TOKEN").build();
    let disk = sim.managed_disks().create("Group", "disk0", 1 << 20);
    let manager = manager(&sim, "disk0");
    (sim, disk, manager)
}

fn manager(sim: &Simulator, disk: &str) -> ResourceManager {
    let builder = ResourceManager::builder(sim.managed_disks().subscription(), "group", disk);
    let credential = Credential::token(Login::default());
    builder.credential(credential).options(sim.client_options()).build().expect("legal")
}

async fn listed(manager: &ResourceManager) -> Vec<ManagedSnapshot> {
    manager.list().await.expect("listed")
}

#[tokio::test(start_paused = true)]
async fn the_snapshots_of_one_disk_are_listed_over_all_pages() {
    let (sim, disk, manager) = world();
    let disks = sim.managed_disks();
    disks.create("Group", "disk1", 512).snapshot("of another disk");
    for at in 0..120 {
        disk.snapshot(&format!("s {at:03}"));
    }
    disk.full_snapshot("full").set_completion(62.5);
    let mine = disk.snapshots();
    mine[7].grant(HOUR).expect("granted");
    let found = listed(&manager).await;
    assert_eq!((found.len(), sim.count(Op::ListDiskSnapshots)), (121, 3));
    let by_name = |name: &str| found.iter().find(|it| it.id.ends_with(name)).expect("listed");
    let full = by_name("/full");
    assert_eq!((full.is_incremental, full.completion, full.is_granted), (false, 62.5, false));
    let seven = by_name("/s 007");
    assert_eq!(seven.id, mine[7].id());
    assert_eq!((seven.is_incremental, seven.completion, seven.is_granted), (true, 100.0, true));
    assert_eq!((&seven.disk, seven.size), (&disk.unique_id(), Some(1 << 20)));
    assert_eq!(Some(seven.time), mine[7].created());

    let elsewhere = disks.create("other", "disk0", 512);
    let manager = crate::resource_manager::manager(&sim, &elsewhere.id().to_uppercase());
    assert_eq!(listed(&manager).await, []);
    disks.create("group", "disk0", 1 << 20).snapshot("of a disk that was made again");
    let found = listed(&crate::resource_manager::manager(&sim, "DISK0")).await;
    assert_eq!(found.len(), 122);
}

#[tokio::test(start_paused = true)]
async fn one_snapshot_is_looked_at_without_the_others() {
    let (sim, disk, manager) = world();
    let id = disk.snapshot("one").id();
    disk.snapshot("two");
    let other = sim.managed_disks().create("Group", "disk1", 512).snapshot("other").id();
    disk.require_bearer(true);
    let get = async |id: &str| manager.get(id).await.expect("looked");
    let found = get(&id.to_uppercase()).await.expect("there");
    assert_eq!((&found.id, found.needs_token), (&id, Some(true)));
    assert_eq!(Some(found), listed(&manager).await.into_iter().find(|it| it.id == id));
    disk.require_bearer(false);
    assert_eq!(get(&id).await.expect("there").needs_token, Some(false));
    disk.snapshots()[0].delete();
    let elsewhere = id.replace("Group", "elsewhere");
    for none in [&*id, &other, &elsewhere, "disk0-1", &format!("{id}/..")] {
        assert_eq!(get(none).await, None, "{none}");
    }
    assert_eq!((sim.count(Op::GetDiskSnapshot), sim.count(Op::ListDiskSnapshots)), (4, 1));
    sim.faults().on(Op::GetDiskSnapshot).answer(403, "AuthorizationFailed").times(1);
    let error = manager.get(&id).await.expect_err("refused").to_string();
    assert!(error.starts_with("Snapshots - Get") && error.contains("403"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_snapshot_that_is_being_made_is_listed_as_not_complete() {
    let disk = "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.Compute/disks/d";
    let resource = |name: &str, unique: Option<&str>, of: &str| {
        json!({
            "id": format!("{}/{name}", disk.replace("disks/d", "snapshots")),
            "properties": {
                "creationData": {"sourceResourceId": of, "sourceUniqueId": unique},
                "provisioningState": "Updating", "incremental": true,
            },
        })
    };
    let made = [
        resource("new", Some("u-1"), disk),
        resource("newer", None, disk),
        resource("other", Some("u-2"), "/other"),
    ];
    let script = Script::new([answer(200, "", &json!({ "value": made }).to_string())]);
    let found = listed(&scripted(&script, Credential::token(Login::default()))).await;
    let shown: Vec<_> = found.iter().map(|it| (it.id.rsplit('/').next(), it.completion)).collect();
    assert_eq!(shown, [(Some("new"), 0.0)], "what does not say of which disk is left out");
}

#[tokio::test(start_paused = true)]
async fn access_is_granted_when_the_operation_has_ended_and_revoked() {
    for form in [GrantUrl::Blob, GrantUrl::BlobWithPolicy, GrantUrl::Snapshot] {
        let (sim, disk, manager) = world();
        disk.grant_urls(form);
        disk.write(0, &[7; 512]);
        let id = disk.snapshot("one").id();
        sim.managed_disks().operations_take(Duration::from_secs(20));
        let begun = Instant::now();
        let url = manager.grant(&id, HOUR).await.expect("granted");
        assert!((20..40).contains(&begun.elapsed().as_secs()), "{:?}", begun.elapsed());
        let polls = sim.count(Op::GetDiskOperation);
        assert!((19..22).contains(&polls), "as Retry-After says: {polls}");
        let builder = PageBlobClient::builder(url).options(sim.client_options());
        let blob = builder.build().expect("a client");
        let bytes = blob.download().range(0..512).await.expect("opened").bytes().await;
        assert_eq!(bytes.expect("read")[..], [7; 512]);
        manager.revoke(&id.to_uppercase()).await.expect("revoked");
        assert_eq!(disk.granted(), 0);
        blob.get_properties().await.expect_err("revoked");
        manager.revoke(&id).await.expect("nothing is left to revoke");
    }
}

#[tokio::test(start_paused = true)]
async fn what_passes_is_retried_and_what_was_lost_is_repeated() {
    let (sim, disk, manager) = world();
    let id = disk.snapshot("one").id();
    for op in [Op::GrantSnapshotAccess, Op::GetDiskOperation, Op::ListDiskSnapshots] {
        sim.faults().on(op).answer(429, "TooManyRequests").times(2);
        sim.faults().on(op).lose_answer().times(1);
    }
    assert!(!manager.may_grant_late(&id));
    manager.grant(&id, HOUR).await.expect("granted");
    assert!(manager.may_grant_late(&id.to_uppercase()), "the first attempt may land yet");
    assert_eq!(listed(&manager).await.len(), 1);
    sim.faults().on(Op::RevokeSnapshotAccess).reset().times(1);
    manager.revoke(&id).await.expect("revoked");
    assert_eq!((disk.granted(), disk.most_granted()), (0, 1));
}

#[tokio::test(start_paused = true)]
async fn refusals_are_shown_in_the_words_of_resource_manager() {
    let (sim, disk, manager) = world();
    for name in ["a", "b", "c", "d", "e", "f"] {
        disk.snapshot(name);
    }
    let all = disk.snapshots();
    for snapshot in &all[..5] {
        manager.grant(&snapshot.id(), HOUR).await.expect("granted");
    }
    let sixth = manager.grant(&all[5].id(), HOUR).await.expect_err("a sixth");
    assert_eq!(sixth.status().map(|status| status.as_u16()), Some(409));
    assert_eq!(sixth.code().map(|code| code.as_str()), Some("OperationNotAllowed"));
    let text = sixth.to_string();
    assert!(text.starts_with("Snapshots - Grant Access https://management.azure.com/"), "{text}");
    assert!(text.contains("5 snapshots of its family have an active SAS"), "{text}");
    assert!(!sixth.may_have_been_applied());
    all[0].delete();
    let gone = manager.revoke(&all[0].id()).await.expect_err("gone");
    assert!(gone.to_string().contains("404 ResourceNotFound"), "{gone}");

    // What was accepted may have been applied, however the question for its end fails.
    sim.faults().on(Op::GetDiskOperation).answer(403, "AuthorizationFailed").times(1);
    let unread = manager.grant(&all[1].id(), HOUR).await.expect_err("cannot be read");
    assert!(unread.may_have_been_applied(), "{unread}");
    assert!(unread.to_string().contains("403 AuthorizationFailed"), "{unread}");
}

#[tokio::test(start_paused = true)]
async fn requests_carry_a_token_of_their_own_scope_and_say_what_they_want() {
    let page = json!({ "value": [] }).to_string();
    let done = json!({ "accessSAS": format!("https://md-a.z01.blob.storage.azure.net/x/abcd?sig={SECRET}") });
    let script = Script::new([answer(200, "", &page), answer(200, "", &done.to_string())]);
    let login = Login::default();
    let manager = scripted(&script, Credential::token(login.clone()));
    assert_eq!(listed(&manager).await, []);
    let id = "/subscriptions/s-1/resourceGroups/G/providers/Microsoft.Compute/snapshots/one";
    let url = manager.grant(id, HOUR).await.expect("granted at once");
    assert!(url.as_str().ends_with(SECRET));
    assert_eq!(*login.0.lock().expect("unlocked"), ["https://management.azure.com/.default"]);
    let seen = script.seen();
    let base = "https://management.azure.com/subscriptions/s-1/resourceGroups/g/providers\
                /Microsoft.Compute/snapshots";
    assert_eq!(seen[0].url().as_str(), format!("{base}?api-version=2025-01-02"));
    let begin = format!("{base}/one/beginGetAccess?api-version=2025-01-02");
    assert_eq!((seen[1].method().as_str(), seen[1].url().as_str()), ("POST", begin.as_str()));
    let body: Value = serde_json::from_slice(seen[1].body()).expect("JSON");
    assert_eq!(body, json!({ "access": "Read", "durationInSeconds": 3600, "fileFormat": "VHD" }));
    for request in seen {
        let headers = request.headers();
        assert_eq!(headers["authorization"], "Bearer TOKEN");
        assert!(headers["authorization"].is_sensitive());
        assert!(!headers.contains_key("x-ms-version") && !headers.contains_key("x-ms-date"));
    }
    for endpoint in
        ["https://management.chinacloudapi.cn/", "https://management.usgovcloudapi.net/"]
    {
        let script = Script::new([answer(200, "", &page)]);
        let login = Login::default();
        let builder = builder(&script).credential(Credential::token(login.clone()));
        let manager = builder.endpoint(endpoint.parse().expect("a URL")).build().expect("legal");
        assert_eq!(listed(&manager).await, []);
        assert_eq!(*login.0.lock().expect("unlocked"), [format!("{endpoint}.default")]);
    }
}

#[tokio::test(start_paused = true)]
async fn a_token_is_sent_nowhere_else_and_no_answer_is_believed_blindly() {
    let page = |next: &str| json!({ "value": [], "nextLink": next }).to_string();
    let access = |url: &str| json!({ "accessSAS": url }).to_string();
    let secret = format!("http://md-a.blob.storage.azure.net/x/abcd?sig={SECRET}");
    let list = [
        (answer(200, "", &page("https://evil.example/?sig=U0VDUkVUIFNJRw")), "nextLink is not on"),
        (answer(200, "", &page("http://management.azure.com/x")), "nextLink is not on"),
        (answer(200, "", &page("https://management.azure.com:444/x")), "nextLink is not on"),
        (
            answer(200, "", "{\"value\": [{\"id\": \"U0VDUkVUIFNJRw\"}]}"),
            "cannot be read at line 1",
        ),
        (answer(200, "", "<html>"), "cannot be read"),
        (
            answer(
                401,
                "",
                "{\"error\":{\"code\":\"InvalidAuthenticationToken\",\"message\":\"Bearer U0VDUkVUIFNJRw\"}}",
            ),
            "401 InvalidAuthenticationToken",
        ),
    ];
    for (step, expected) in list {
        let script = Script::new([step]);
        let manager = scripted(&script, Credential::token(Login::default()));
        let error = manager.list().await.expect_err(expected);
        refused(&error, expected);
        assert_eq!(script.seen().len(), 1);
    }
    let grant = [
        (answer(202, "location: https://evil.example/", ""), "Location is not on the host"),
        (answer(202, "", ""), "202 without Location"),
        (answer(200, "", "{}"), "no accessSAS"),
        (answer(200, "", ""), "cannot be read"),
        (answer(200, "", &access(&secret)), "accessSAS is not https"),
        (answer(200, "", &access(SECRET)), "accessSAS is not a URL"),
    ];
    let id = "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.Compute/snapshots/one";
    for (step, expected) in grant {
        let script = Script::new([step]);
        let manager = scripted(&script, Credential::token(Login::default()));
        let error = manager.grant(id, HOUR).await.expect_err(expected);
        refused(&error, expected);
        assert!(error.may_have_been_applied(), "{error}");
        assert_eq!(script.seen().len(), 1);
    }
    for id in ["", "one", "/subscriptions/other/x", &format!("{id}/x"), &id.replace("one", "..")] {
        let script = Script::new([answer(200, "", "{}")]);
        let manager = scripted(&script, Credential::token(Login::default()));
        refused(&manager.grant(id, HOUR).await.expect_err("refused"), "must be the resource id");
        refused(&manager.revoke(id).await.expect_err("refused"), "must be the resource id");
        assert_eq!(script.seen().len(), 0);
    }
}

#[tokio::test(start_paused = true)]
async fn an_operation_that_does_not_end_is_left_after_ten_minutes() {
    let location = "location: https://management.azure.com/subscriptions/s-1/x?t=U0VDUkVUIFNJRw";
    for (after, most) in [("", 60), ("\nretry-after: 0", 700), ("\nretry-after: 86400", 12)] {
        let script = Script::new([answer(202, &format!("{location}{after}"), "")]);
        let manager = scripted(&script, Credential::token(Login::default()));
        let id = "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.Compute/snapshots/one";
        let error = manager.grant(id, HOUR).await.expect_err("endless");
        assert!(matches!(error, Error::Timeout { .. }), "{error}");
        assert!(error.may_have_been_applied());
        refused(&error, "no response within 600s");
        assert!(script.seen().len() <= most, "{after}: {}", script.seen().len());
    }
    // The token may be lost on the way, and other versions show the operation around the URL.
    let url = "https://md-a.z01.blob.storage.azure.net/x/abcd?snapshot=2026-01-01&sig=x";
    let done = json!({ "properties": { "output": { "accessSAS": url } } }).to_string();
    let script = Script::new([
        answer(202, location, ""),
        Step::Fault(TransportErrorKind::Interrupted),
        answer(202, location, ""),
        answer(200, "", &done),
    ]);
    let manager = scripted(&script, Credential::token(Login::default()));
    let id = "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.Compute/snapshots/one";
    assert_eq!(manager.grant(id, HOUR).await.expect("granted").as_str(), url);
}

#[tokio::test(start_paused = true)]
async fn disks_with_large_sectors_are_refused_since_no_vhd_can_hold_them() {
    let disk = "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.Compute/disks/d";
    let snapshot = |sector: Value| {
        json!({ "value": [{
            "id": "/subscriptions/s-1/resourceGroups/g/providers/Microsoft.Compute/snapshots/one",
            "name": "one",
            "properties": {
                "creationData": {
                    "createOption": "Copy",
                    "sourceResourceId": disk,
                    "sourceUniqueId": "u-1",
                    "logicalSectorSize": sector,
                },
                "timeCreated": "2026-01-01T00:00:00.1234567+00:00",
                "diskSizeBytes": 34_359_738_368_u64,
                "incremental": true,
                "provisioningState": "Succeeded",
            },
        }]})
    };
    for (sector, expected) in [(json!(4096), None), (json!(512), Some(1)), (json!(null), Some(1))] {
        let script = Script::new([answer(200, "", &snapshot(sector).to_string())]);
        let found = scripted(&script, Credential::token(Login::default())).list().await;
        match (found, expected) {
            (Ok(found), expected) => {
                assert_eq!(Some(found.len()), expected);
                assert_eq!(found[0].size, Some(34_359_738_368));
                assert_eq!((found[0].completion, found[0].is_granted), (100.0, false));
            }
            (Err(error), _) => refused(&error, "only VHD can be mirrored"),
        }
    }
    let mut half = snapshot(json!(512));
    half["value"][0]["properties"]["provisioningState"] = json!("Creating");
    let script = Script::new([answer(200, "", &half.to_string())]);
    let found = listed(&scripted(&script, Credential::token(Login::default()))).await;
    assert_eq!(found[0].completion, 0.0);
    // One of another disk that is being made does not hide those of this disk, and one of this disk
    // is listed with nothing of it there.
    let mut group = snapshot(json!(512));
    let odd = json!({ "id": "/odd", "properties": { "provisioningState": "Creating" } });
    group["value"].as_array_mut().expect("a list").push(odd);
    let mut untimed = snapshot(json!(512))["value"][0].clone();
    untimed["properties"].as_object_mut().expect("an object").remove("timeCreated");
    group["value"].as_array_mut().expect("a list").push(untimed);
    let script = Script::new([answer(200, "", &group.to_string())]);
    let found = listed(&scripted(&script, Credential::token(Login::default()))).await;
    assert_eq!(found.iter().map(|it| it.completion).collect::<Vec<_>>(), [100.0, 0.0]);
}

#[test]
fn what_cannot_work_is_refused_before_anything_is_sent() {
    let script = Script::new([]);
    let login = || Credential::token(Login::default());
    let key = Credential::shared_key("acct", "c2VjcmV0").expect("a key");
    let error = |subscription: &str, group: &str, disk: &str| {
        let builder = ResourceManager::builder(subscription, group, disk).credential(login());
        builder.build().expect_err("refused").to_string()
    };
    for credential in [key, Credential::anonymous()] {
        let error = builder(&script).credential(credential).build().expect_err("no token");
        assert!(error.to_string().contains("must be one that provides bearer tokens"), "{error}");
    }
    for endpoint in
        ["http://management.azure.com/", "https://u:p@management.azure.com/", "https://a/?b"]
    {
        let endpoint = endpoint.parse().expect("a URL");
        let built = builder(&script).credential(login()).endpoint(endpoint).build();
        let error = built.expect_err("refused").to_string();
        assert!(error.starts_with("endpoint: "), "{error}");
    }
    assert!(error("", "g", "d").starts_with("subscription: "));
    assert!(error("s", "g/h", "d").starts_with("resource group: "));
    assert!(error("s", "g", "..").starts_with("disk: "));
    assert!(error("s", "g", "a?b").starts_with("disk: "));
    assert!(error("s", "g", "/subscriptions/s/disks/d").contains("or a resource id such as"));
}

/// An answer in JSON.
fn answer(status: u16, headers: &str, body: &str) -> Step {
    let pair = |line: &str| {
        let (name, value) = line.split_once(':').expect("name: value");
        (name.to_owned(), value.trim().to_owned())
    };
    let headers = headers.lines().map(pair).collect();
    Step::Answer { status, headers, body: body.to_owned() }
}

fn builder(script: &Script) -> blobcopy::ResourceManagerBuilder {
    let options: ClientOptions = script.options().retry(RetryOptions::new().max_retries(2));
    ResourceManager::builder("s-1", "g", "d").options(options)
}

fn scripted(script: &Script, credential: Credential) -> ResourceManager {
    builder(script).credential(credential).build().expect("legal")
}

#[track_caller]
fn refused(error: &Error, expected: &str) {
    let shown = format!("{error} {error:?}");
    assert!(shown.contains(expected), "{shown}");
    assert!(!shown.contains(SECRET), "{shown}");
}
