//! Containers: metadata, public access and stored access policies; and features not modelled.

use super::kit::{kit, plain};

const TARGET: &str = "/one?restype=container&comp=acl";

#[test]
fn metadata_is_replaced_whole() {
    let kit = plain();
    let create = kit.ask("PUT", "/one?restype=container").header("x-ms-meta-a", "1");
    let etag = create.send().expect(201).header("etag").to_owned();
    let set = |name: &str| kit.ask("PUT", "/one?restype=container&comp=metadata").header(name, "2");
    assert_ne!(set("x-ms-meta-b").send().expect(200).header("etag"), etag);
    let read = kit.ask("GET", "/one?restype=container&comp=metadata").send().expect(200);
    assert_eq!((read.header("x-ms-meta-a"), read.header("x-ms-meta-b")), ("", "2"));
    set("x-ms-meta-1").send().refused(400, "InvalidMetadata");
    let unmet = set("x-ms-meta-c").header("if-unmodified-since", "Thu, 01 Jan 2015 00:00:00 GMT");
    unmet.send().refused(412, "ConditionNotMet");
}

#[test]
fn stored_policies_and_public_access_are_set_and_read_back() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    let policy = "<SignedIdentifier><Id>read-only</Id><AccessPolicy>\
        <Start>2026-01-01T00:00:00.0000000Z</Start><Expiry>2026-02-01</Expiry>\
        <Permission>rl</Permission></AccessPolicy></SignedIdentifier>";
    let body = |policies: &str| format!("<SignedIdentifiers>{policies}</SignedIdentifiers>");
    let set = |body: &str| kit.ask("PUT", TARGET).body(body.as_bytes());
    let public = set(&body(policy)).header("x-ms-blob-public-access", "container");
    public.send().expect(200);
    let read = kit.ask("GET", TARGET).send().expect(200);
    assert!(read.text().ends_with(&body(policy)));
    assert_eq!(read.header("x-ms-blob-public-access"), "container");
    let list = "/one?restype=container&comp=list";
    kit.ask("GET", list).unsigned().send().expect(200);
    // Only the account's owner may read and set access.
    kit.ask("GET", TARGET).unsigned().send().expect(401);

    for policies in [
        policy.repeat(6),
        policy.replace("read-only", ""),
        policy.replace("read-only", &"x".repeat(65)),
        policy.replace("rl", "rq"),
        policy.replace("2026-02-01", "soon"),
    ] {
        set(&body(&policies)).send().refused(400, "InvalidXmlDocument");
    }
    set("<Other/>").send().refused(400, "InvalidXmlDocument");
    let odd = set("").header("x-ms-blob-public-access", "all").send();
    odd.refused(400, "InvalidHeaderValue");
    assert!(kit.ask("GET", TARGET).send().expect(200).text().ends_with(&body(policy)));

    set("").send().expect(200);
    assert!(kit.ask("GET", TARGET).send().expect(200).text().ends_with(&body("")));
    kit.ask("GET", list).unsigned().send().expect(401);
}

#[test]
fn an_account_may_forbid_public_access() {
    let kit = kit(|builder| builder.public_access(false));
    kit.container("one");
    let set = kit.ask("PUT", TARGET).header("x-ms-blob-public-access", "blob");
    set.send().refused(409, "PublicAccessNotPermitted");
}

#[test]
fn what_is_not_modelled_is_named() {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    for (method, target, name) in [
        ("GET", "?comp=blobs", "Find Blobs by Tags"),
        ("GET", "?restype=service&comp=stats", "Get Blob Service Stats"),
        ("PUT", "/one/a?comp=undelete", "Undelete Blob (soft delete)"),
        ("GET", "/one/a?versionid=2026-01-01T00:00:00.0000000Z", "Blob versions"),
        ("PUT", "/one/a?comp=immutabilityPolicies", "Blob Immutability Policy"),
    ] {
        let refused = kit.ask(method, target).send().refused(501, "NotImplemented");
        assert!(refused.text().contains(&format!("<Reason>{name}</Reason>")), "{target}");
    }
    kit.ask("TRACE", "/one/a").send().refused(405, "UnsupportedHttpVerb");
    kit.ask("DELETE", "/one/a?comp=lease").send().refused(400, "InvalidQueryParameterValue");
    kit.head("/one/a").expect(200);
}
