//! Requests that are refused before they have any effect, and the form of the refusal.

use super::kit::{HOST, plain, sas};
use crate::DEFAULT_ACCOUNT;

#[test]
fn a_refusal_has_its_code_in_header_and_body_and_echoes_the_client_id() {
    let kit = plain();
    let refused = kit.ask("GET", "/none/a").header("x-ms-client-request-id", "me-1").send();
    let refused = refused.refused(404, "ContainerNotFound");
    assert!(refused.text().starts_with("\u{feff}<?xml"));
    assert!(refused.text().contains("<Error><Code>ContainerNotFound</Code><Message>"));
    assert!(refused.text().contains(&format!("RequestId:{}", refused.header("x-ms-request-id"))));
    assert_eq!(refused.header("x-ms-client-request-id"), "me-1");
    assert_eq!(refused.header("x-ms-version"), "2026-04-06");

    let head = kit.head("/none/a").refused(404, "ContainerNotFound");
    assert!(head.body.is_empty());
}

#[test]
fn a_wrong_signature_or_date_is_refused_with_the_reason() {
    let kit = plain();
    let wrong = kit.ask("GET", "/one/a").unsigned();
    let wrong = wrong.header("authorization", &format!("SharedKey {DEFAULT_ACCOUNT}:AAAA")).send();
    let wrong = wrong.refused(403, "AuthenticationFailed");
    assert!(wrong.text().contains("Server used following string to sign: 'GET\n"));
    for (date, status) in [
        ("Thu, 01 Jan 2026 00:14:59 GMT", 404),
        ("Wed, 31 Dec 2025 23:45:00 GMT", 404),
        ("Thu, 01 Jan 2026 00:15:01 GMT", 403),
        ("Wed, 31 Dec 2025 23:44:59 GMT", 403),
        ("now", 403),
    ] {
        kit.ask("GET", "/one/a").header("x-ms-date", date).send().expect(status);
    }
}

#[test]
fn without_a_credential_only_public_blobs_are_read() {
    let kit = plain();
    kit.container("private");
    kit.block_blob("/private/a", b"a");
    let public = kit.ask("PUT", "/public?restype=container");
    public.header("x-ms-blob-public-access", "blob").send().expect(201);
    kit.block_blob("/public/a", b"a");
    let anonymous = |method, target| kit.ask(method, target).unsigned().send();
    anonymous("GET", "/private/a").refused(401, "NoAuthenticationInformation");
    anonymous("GET", "/public/a").expect(200);
    anonymous("DELETE", "/public/a").refused(401, "NoAuthenticationInformation");
    anonymous("GET", "/public?restype=container").refused(401, "NoAuthenticationInformation");
    let bearer = kit.ask("GET", "/public/a").unsigned().header("authorization", "Bearer token");
    bearer.send().refused(403, "AuthenticationFailed");
}

#[test]
fn a_sas_opens_what_it_names_and_no_more() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    kit.block_blob("/one/b", b"b");
    let later = "2026-01-01T01:00:00Z";
    let ask = |method, target: &str, sas: &str| {
        kit.ask(method, &format!("{target}?{sas}"))
            .unsigned()
            .header("x-ms-blob-type", "BlockBlob")
            .send()
    };
    let read = sas("/one/a", "b", "r", later);
    ask("GET", "/one/a", &read).expect(200);
    ask("GET", "/one/b", &read).refused(403, "AuthenticationFailed");
    ask("DELETE", "/one/a", &read).refused(403, "AuthorizationPermissionMismatch");
    let create = sas("/one", "c", "c", later);
    ask("PUT", "/one/new", &create).expect(201);
    ask("PUT", "/one/new", &create).refused(403, "UnauthorizedBlobOverwrite");
    ask("PUT", "/one/a", &sas("/one", "c", "w", later)).expect(201);
    kit.advance(3600);
    ask("GET", "/one/a", &read).refused(403, "AuthenticationFailed");
}

#[test]
fn malformed_requests_change_nothing() {
    let kit = plain();
    kit.container("one");
    let put = || kit.ask("PUT", "/one/a");
    put().send().refused(400, "MissingRequiredHeader");
    put().header("x-ms-blob-type", "Blob").send().refused(400, "InvalidHeaderValue");
    put().header("x-ms-blob-type", "PageBlob").send().refused(400, "MissingRequiredHeader");
    let odd = put().header("x-ms-blob-type", "PageBlob").header("x-ms-blob-content-length", "513");
    odd.send().refused(400, "InvalidHeaderValue");
    let md5 = put().header("x-ms-blob-type", "BlockBlob").body(b"a");
    md5.header("content-md5", "v2GerAzfP2jUluqTRBN+iw==").send().refused(400, "Md5Mismatch");
    let metadata = put().header("x-ms-blob-type", "BlockBlob").header("x-ms-meta-1a", "x");
    metadata.send().refused(400, "InvalidMetadata");
    let version = kit.ask("GET", "/one/a").header("x-ms-version", "2026-04-07").send();
    version.refused(400, "InvalidHeaderValue");
    kit.ask("PUT", "/UPPER?restype=container").send().refused(400, "InvalidResourceName");
    kit.ask("PUT", "/ab?restype=container").send().refused(400, "OutOfRangeInput");
    kit.ask("PUT", "/one/a?comp=nonsense").send().refused(400, "InvalidQueryParameterValue");

    let mut request = put().header("x-ms-blob-type", "BlockBlob").request();
    request.headers_mut().remove("content-length");
    let _guard = kit.enter();
    let outcome = kit.sim.shared.step(request);
    assert_eq!(outcome.response.status().as_u16(), 411);
    let stranger = http::Request::get(format!("{HOST}/nobody/one/a")).body(Default::default());
    assert_eq!(kit.sim.shared.step(stranger.unwrap()).response.status().as_u16(), 404);
    kit.head("/one/a").expect(404);
}
