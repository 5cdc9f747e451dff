//! What each type of SAS permits, stored policies, user delegation keys, and public access.

use base64::{Engine, engine::general_purpose::STANDARD};

use super::kit::{Ask, HOST, Kit, Reply, kit, plain, sign_with, source_sas};
use crate::{DEFAULT_ACCOUNT, DEFAULT_KEY, model::container::StoredPolicy};

const VERSION: &str = "2026-04-06";
const LATER: &str = "2026-01-01T01:00:00Z";

/// The fields of a token by query name, signed in the order that the service documents.
struct Token<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Token<'a> {
    fn get(&self, name: &str) -> &'a str {
        self.0.iter().find(|(given, _)| *given == name).map_or("", |(_, value)| value)
    }

    fn query(&self, signature: &str) -> String {
        let mut query = form_urlencoded(&self.0);
        query.push_str(&form_urlencoded(&[("sig", signature)]));
        query.trim_end_matches('&').to_owned()
    }

    fn service(&self, path: &str, time: &str) -> String {
        let resource = format!("/blob/{DEFAULT_ACCOUNT}{path}");
        let mut fields: Vec<&str> = ["sp", "st", "se"].map(|name| self.get(name)).to_vec();
        fields.push(&resource);
        fields.extend(["si", "sip", "spr"].map(|name| self.get(name)));
        fields.extend([self.get("sv"), self.get("sr"), time, self.get("ses")]);
        fields.extend(["rscc", "rscd", "rsce", "rscl", "rsct"].map(|name| self.get(name)));
        self.query(&sign_with(&STANDARD.decode(DEFAULT_KEY).unwrap(), &fields.join("\n")))
    }

    fn account(&self) -> String {
        let mut fields = vec![DEFAULT_ACCOUNT];
        fields.extend(
            ["sp", "ss", "srt", "st", "se", "sip", "spr", "sv", "ses"].map(|name| self.get(name)),
        );
        fields.push("");
        self.query(&sign_with(&STANDARD.decode(DEFAULT_KEY).unwrap(), &fields.join("\n")))
    }

    fn delegation(&self, path: &str, key: &str) -> String {
        let resource = format!("/blob/{DEFAULT_ACCOUNT}{path}");
        let mut fields: Vec<&str> = ["sp", "st", "se"].map(|name| self.get(name)).to_vec();
        fields.push(&resource);
        let names = ["skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid"];
        fields.extend(names.map(|name| self.get(name)));
        fields.extend(["skdutid", "sduoid", "sip", "spr", "sv", "sr"].map(|name| self.get(name)));
        fields.extend(["", self.get("ses"), "", ""]);
        fields.extend(["rscc", "rscd", "rsce", "rscl", "rsct"].map(|name| self.get(name)));
        self.query(&sign_with(&STANDARD.decode(key).unwrap(), &fields.join("\n")))
    }
}

fn form_urlencoded(pairs: &[(&str, &str)]) -> String {
    let encode = |text: &str| {
        text.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
    };
    pairs.iter().map(|(name, value)| format!("{name}={}&", encode(value))).collect()
}

/// A container `one` with the block blobs `a` and `dir/sub/b`.
fn stocked() -> Kit {
    let kit = kit(|builder| builder.accept_bearer(|token| token.starts_with("good")));
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    kit.block_blob("/one/dir/sub/b", b"b");
    kit
}

fn unsigned<'a>(kit: &'a Kit, method: &'a str, target: &str) -> Ask<'a> {
    kit.ask(method, target).unsigned().header("x-ms-blob-type", "BlockBlob")
}

fn ask(kit: &Kit, method: &str, path: &str, query: &str) -> Reply {
    let joint = if path.contains('?') { '&' } else { '?' };
    unsigned(kit, method, &format!("{path}{joint}{query}")).send()
}

#[test]
fn a_sas_for_a_directory_opens_what_is_below_it() {
    let kit = stocked();
    let fields = |depth| vec![("sp", "r"), ("se", LATER), ("sv", VERSION), ("sr", "d"), depth];
    let dir = Token(fields(("sdd", "1"))).service("/one/dir", "");
    ask(&kit, "GET", "/one/dir/sub/b", &dir).expect(200);
    ask(&kit, "GET", "/one/a", &dir).refused(403, "AuthenticationFailed");
    let deeper = Token(fields(("sdd", "2"))).service("/one/dir/sub", "");
    ask(&kit, "GET", "/one/dir/sub/b", &deeper).expect(200);
    ask(&kit, "GET", "/one/dir", &deeper).refused(403, "AuthenticationFailed");
    let without = Token(fields(("x", ""))).service("/one/dir", "");
    ask(&kit, "GET", "/one/dir/sub/b", &without).refused(403, "AuthenticationFailed");
}

#[test]
fn a_sas_for_a_snapshot_opens_no_other_and_not_the_base() {
    let kit = stocked();
    let (first, second) = (kit.snapshot("/one/a"), kit.snapshot("/one/a"));
    let fields = |sr| vec![("sp", "r"), ("se", LATER), ("sv", VERSION), ("sr", sr)];
    let one = Token(fields("bs")).service("/one/a", &first);
    ask(&kit, "GET", &format!("/one/a?snapshot={first}"), &one).expect(200);
    ask(&kit, "GET", &format!("/one/a?snapshot={second}"), &one)
        .refused(403, "AuthenticationFailed");
    ask(&kit, "GET", "/one/a", &one).refused(403, "AuthenticationFailed");
    let base = Token(fields("b")).service("/one/a", "");
    ask(&kit, "GET", &format!("/one/a?snapshot={second}"), &base).expect(200);

    // That is enough for the source of an incremental copy.
    kit.page_blob("/one/disk", 1);
    let kept = kit.snapshot("/one/disk");
    let one = Token(fields("bs")).service("/one/disk", &kept);
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}/one/disk?snapshot={kept}&{one}");
    let copy = kit.ask("PUT", "/one/backup?comp=incrementalcopy");
    copy.header("x-ms-copy-source", &source).send().expect(202);
}

#[test]
fn a_stored_policy_gives_what_the_sas_leaves_out_and_can_be_taken_back() {
    let kit = stocked();
    let set = |policies: Vec<StoredPolicy>| {
        let mut service = kit.sim.shared.service();
        service.state.accounts.container_mut(DEFAULT_ACCOUNT, "one").unwrap().policies = policies;
    };
    let policy = StoredPolicy {
        id: "readers".into(),
        start: None,
        expiry: Some(LATER.into()),
        permissions: Some("r".into()),
    };
    let fields = vec![("sv", VERSION), ("sr", "c"), ("si", "readers")];
    let named = Token(fields.clone()).service("/one", "");
    ask(&kit, "GET", "/one/a", &named).refused(403, "AuthenticationFailed");
    set(vec![policy.clone()]);
    ask(&kit, "GET", "/one/a", &named).expect(200);
    ask(&kit, "DELETE", "/one/a", &named).refused(403, "AuthorizationPermissionMismatch");
    let twice = Token([fields, vec![("sp", "r")]].concat()).service("/one", "");
    ask(&kit, "GET", "/one/a", &twice).refused(403, "AuthenticationFailed");
    set(vec![StoredPolicy { expiry: Some("2025-12-31".into()), ..policy }]);
    ask(&kit, "GET", "/one/a", &named).refused(403, "AuthenticationFailed");
    set(Vec::new());
    ask(&kit, "GET", "/one/a", &named).refused(403, "AuthenticationFailed");
}

#[test]
fn a_sas_is_bound_to_protocol_address_and_time() {
    let kit = stocked();
    let with = |field: (&'static str, &'static str)| {
        let fields = vec![("sp", "r"), ("se", LATER), ("sv", VERSION), ("sr", "b"), field];
        ask(&kit, "GET", "/one/a", &Token(fields).service("/one/a", ""))
    };
    with(("spr", "https")).refused(403, "AuthorizationProtocolMismatch");
    with(("spr", "https,http")).expect(200);
    for wrong in ["http", "http,https", "https,https"] {
        with(("spr", wrong)).refused(403, "AuthenticationFailed");
    }
    with(("sip", "127.0.0.1")).expect(200);
    with(("sip", "127.0.0.0-127.0.0.9")).expect(200);
    with(("sip", "168.1.5.60-168.1.5.70")).refused(403, "AuthorizationSourceIPMismatch");
    with(("st", "2026-01-01T00:00:00Z")).expect(200);
    let early = with(("st", "2026-01-01T00:00:01Z")).refused(403, "AuthenticationFailed");
    assert!(early.text().contains("Start [2026-01-01T00:00:01Z] - Expiry [2026-01-01T01:00:00Z]"));
    let unknown = vec![("sp", "r"), ("se", LATER), ("sv", "2026-04-07"), ("sr", "b")];
    let unknown = Token(unknown).service("/one/a", "");
    ask(&kit, "GET", "/one/a", &unknown).refused(400, "InvalidQueryParameterValue");
}

#[test]
fn a_sas_can_change_the_headers_of_what_it_reads_and_names_the_scope_of_what_it_writes() {
    let kit = stocked();
    let fields = vec![("sp", "rw"), ("se", LATER), ("sv", VERSION), ("sr", "b")];
    let shown = vec![("rsct", "text/plain"), ("rscc", "no-store"), ("ses", "scope1")];
    let query = Token([fields, shown].concat()).service("/one/a", "");
    let read = ask(&kit, "GET", "/one/a", &query).expect(200);
    assert_eq!(
        (read.header("content-type"), read.header("cache-control")),
        ("text/plain", "no-store")
    );
    let put = ask(&kit, "PUT", "/one/a", &query).expect(201);
    assert_eq!(put.header("x-ms-encryption-scope"), "scope1");
    let other = unsigned(&kit, "PUT", &format!("/one/a?{query}"));
    other.header("x-ms-encryption-scope", "scope2").send().refused(403, "AuthorizationFailure");
    // A copy accepts no scope header.
    let source = format!("{HOST}/{DEFAULT_ACCOUNT}/one/dir/sub/b?{}", source_sas("/one/dir/sub/b"));
    let copy = kit.ask("PUT", &format!("/one/a?{query}")).unsigned();
    copy.header("x-ms-copy-source", &source).send().expect(202);
    assert_eq!(kit.head("/one/a").header("x-ms-encryption-scope"), "scope1");
}

#[test]
fn who_may_only_delete_may_break_a_lease_and_no_more() {
    let kit = stocked();
    let id = "11111111-2222-3333-4444-555555555555";
    let lease = |permissions: &'static str, action: &str, version: &str| {
        let token = vec![("sp", permissions), ("se", LATER), ("sv", VERSION), ("sr", "b")];
        let query = Token(token).service("/one/a", "");
        let ask = kit.ask("PUT", &format!("/one/a?comp=lease&{query}")).unsigned();
        ask.header("x-ms-lease-action", action)
            .header("x-ms-version", version)
            .header("x-ms-lease-duration", "-1")
            .header("x-ms-lease-id", id)
            .header("x-ms-proposed-lease-id", id)
            .send()
    };
    for (action, status) in [("acquire", 201), ("renew", 200), ("change", 200)] {
        lease("d", action, VERSION).refused(403, "AuthorizationPermissionMismatch");
        lease("w", action, VERSION).expect(status);
    }
    lease("d", "release", VERSION).refused(403, "AuthorizationPermissionMismatch");
    lease("d", "break", "2017-04-17").refused(403, "AuthorizationPermissionMismatch");
    assert_eq!(kit.head("/one/a").header("x-ms-lease-state"), "leased");
    lease("d", "break", VERSION).expect(202);
    assert_eq!(kit.head("/one/a").header("x-ms-lease-state"), "broken");
    lease("w", "release", VERSION).expect(200);
}

#[test]
fn an_account_sas_names_services_and_kinds_of_resource() {
    let kit = stocked();
    let with = |services, kinds, permissions| {
        let fields = vec![("sp", permissions), ("se", LATER), ("sv", VERSION), ("ss", services)];
        Token([fields, vec![("srt", kinds)]].concat()).account()
    };
    ask(&kit, "GET", "/one/a", &with("b", "o", "r")).expect(200);
    ask(&kit, "GET", "/one/a", &with("qtf", "o", "r")).refused(403, "AuthorizationServiceMismatch");
    ask(&kit, "GET", "/one/a", &with("b", "o", "rwr")).refused(403, "AuthenticationFailed");
    let container = with("b", "c", "rcwd");
    for (version, told) in [("2024-05-04", false), ("2024-08-04", true)] {
        let get = unsigned(&kit, "GET", &format!("/one/a?{container}"));
        let refused = get.header("x-ms-version", version).send();
        let why = "<ExtendedErrorDetail>SignedResourceTypes 'o' is required to perform";
        assert_eq!(refused.text().contains(why), told, "{version}");
        refused.refused(403, "AuthorizationResourceTypeMismatch");
    }
    ask(&kit, "HEAD", "/one?restype=container", &container).expect(200);
    ask(&kit, "PUT", "/two?restype=container", &container).expect(201);
    // A service SAS permits none of that.
    let fields = vec![("sp", "racwdl"), ("se", LATER), ("sv", VERSION), ("sr", "c")];
    let service = Token(fields).service("/one", "");
    ask(&kit, "HEAD", "/one?restype=container", &service)
        .refused(403, "AuthorizationPermissionMismatch");
    ask(&kit, "DELETE", "/one?restype=container", &service)
        .refused(403, "AuthorizationPermissionMismatch");
}

#[test]
fn tags_need_a_permission_of_their_own() {
    let kit = stocked();
    let put = |permissions| {
        let fields = vec![("sp", permissions), ("se", LATER), ("sv", VERSION), ("sr", "c")];
        let query = Token(fields).service("/one", "");
        unsigned(&kit, "PUT", &format!("/one/a?{query}")).header("x-ms-tags", "k=v").send()
    };
    put("w").refused(403, "AuthorizationPermissionMismatch");
    put("wt").expect(201);
}

#[test]
fn without_a_version_a_sas_request_is_answered_in_that_of_the_sas() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    let fields = vec![("sp", "r"), ("se", LATER), ("sv", "2021-12-02"), ("sr", "b")];
    let query = Token(fields).service("/one/a", "");
    let mut request = unsigned(&kit, "GET", &format!("/one/a?{query}")).request();
    request.headers_mut().remove("x-ms-version");
    let _guard = kit.enter();
    let response = kit.sim.shared.step(request).response;
    assert_eq!(
        (response.status().as_u16(), &response.headers()["x-ms-version"]),
        (200, &"2021-12-02".parse().unwrap())
    );
}

/// Requests a user delegation key with a bearer token, as over https.
fn key(kit: &Kit, token: &str, body: &str) -> Reply {
    let target = "/?restype=service&comp=userdelegationkey";
    let ask = kit.ask("POST", target).unsigned().body(body.as_bytes());
    let ask = ask.header("content-length", &body.len().to_string());
    ask.header("authorization", &format!("Bearer {token}")).over_https().send()
}

fn element<'a>(xml: &'a str, name: &str) -> &'a str {
    let (_, rest) = xml.split_once(&format!("<{name}>")).unwrap_or(("", "</"));
    rest.split_once("</").unwrap().0
}

#[test]
fn a_bearer_token_gets_a_key_and_the_key_signs_a_sas() {
    let kit = stocked();
    let body = "\u{feff}<?xml version=\"1.0\"?><KeyInfo><Start>2026-01-01T00:00:00Z</Start>\
        <Expiry>2026-01-03T00:00:00Z</Expiry></KeyInfo>";
    let reply = key(&kit, "good", body).expect(200);
    let found = |name| element(reply.text(), name);
    assert_eq!((found("SignedService"), found("SignedVersion")), ("b", VERSION));
    let mut fields = vec![("sp", "r"), ("se", LATER), ("sv", VERSION), ("sr", "b")];
    fields.extend([
        ("skoid", found("SignedOid")),
        ("sktid", found("SignedTid")),
        ("skt", found("SignedStart")),
        ("ske", found("SignedExpiry")),
        ("sks", found("SignedService")),
        ("skv", found("SignedVersion")),
    ]);
    let query = Token(fields.clone()).delegation("/one/a", found("Value"));
    ask(&kit, "GET", "/one/a", &query).expect(200);
    ask(&kit, "DELETE", "/one/a", &query).refused(403, "AuthorizationPermissionMismatch");
    let wrong = Token(fields.clone()).delegation("/one/a", DEFAULT_KEY);
    ask(&kit, "GET", "/one/a", &wrong).refused(403, "AuthenticationFailed");

    let one_user = [fields, vec![("sduoid", found("SignedOid"))]].concat();
    let query = Token(one_user).delegation("/one/a", found("Value"));
    ask(&kit, "GET", "/one/a", &query).refused(403, "AuthenticationFailed");
    let beside = |token: &str| {
        let ask = unsigned(&kit, "GET", &format!("/one/a?{query}")).over_https();
        ask.header("authorization", &format!("Bearer {token}")).send()
    };
    beside("good").expect(200);
    beside("bad").refused(401, "InvalidAuthenticationInfo");
    let claims = base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(r#"{"oid":"another"}"#);
    beside(&format!("good.{claims}.x")).refused(403, "AuthenticationFailed");

    kit.advance(3 * 24 * 3600);
    let fields = vec![("sp", "r"), ("se", "2026-02-01"), ("sv", VERSION), ("sr", "b")];
    let late = Token(fields).delegation("/one/a", found("Value"));
    ask(&kit, "GET", "/one/a", &late).refused(403, "AuthenticationFailed");
}

#[test]
fn a_user_delegation_key_takes_a_bearer_token_and_times_within_a_week() {
    let kit = stocked();
    let info = |start: &str, expiry: &str| {
        format!("<KeyInfo><Start>{start}</Start><Expiry>{expiry}</Expiry></KeyInfo>")
    };
    key(&kit, "bad", &info("", "2026-01-02")).refused(401, "InvalidAuthenticationInfo");
    key(&kit, "good", &info("", "2026-01-08")).expect(200);
    for (start, expiry) in
        [("", ""), ("", "2026-01-08T00:00:01Z"), ("2026-01-02", "2026-01-01"), ("x", "2026-01-02")]
    {
        key(&kit, "good", &info(start, expiry)).refused(400, "InvalidInput");
    }
    key(&kit, "good", "<KeyInfo>").refused(400, "InvalidXmlDocument");
    let target = "/?restype=service&comp=userdelegationkey";
    let by_key = kit.ask("POST", target).header("content-length", "0").send();
    by_key.refused(403, "AuthenticationFailed");
    let http = kit.ask("POST", target).unsigned().header("authorization", "Bearer good");
    http.header("content-length", "0").send().refused(403, "AuthenticationFailed");
}

#[test]
fn the_public_access_level_says_what_anyone_may_read() {
    let kit = stocked();
    for level in ["blob", "container"] {
        let made = kit.ask("PUT", &format!("/{level}?restype=container"));
        made.header("x-ms-blob-public-access", level).send().expect(201);
        kit.block_blob(&format!("/{level}/a"), b"a");
        let anyone = |method, target: &str| kit.ask(method, target).unsigned().send().status;
        let blob = format!("/{level}/a");
        assert_eq!((anyone("GET", &blob), anyone("HEAD", &blob)), (200, 200));
        let properties = anyone("GET", &format!("/{level}?restype=container"));
        assert_eq!(properties, if level == "container" { 200 } else { 401 });
        assert_eq!(anyone("DELETE", &blob), 401);
    }
}
