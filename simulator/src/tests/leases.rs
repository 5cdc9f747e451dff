//! Leases, and their effect on other requests.

use super::kit::{Kit, Reply, kit, plain};

const ONE: &str = "11111111-2222-3333-4444-555555555555";
const TWO: &str = "66666666-7777-8888-9999-000000000000";

fn lease(kit: &Kit, target: &str, action: &str, headers: &[(&str, &str)]) -> Reply {
    let mark = if target.contains('?') { '&' } else { '?' };
    let ask = kit.ask("PUT", &format!("{target}{mark}comp=lease"));
    let ask = ask.header("x-ms-lease-action", action);
    headers.iter().fold(ask, |ask, (name, value)| ask.header(name, value)).send()
}

fn acquire(kit: &Kit, target: &str, id: &str, duration: &str) -> Reply {
    let headers = [("x-ms-lease-duration", duration), ("x-ms-proposed-lease-id", id)];
    lease(kit, target, "acquire", &headers)
}

fn by_id(kit: &Kit, target: &str, action: &str, id: &str) -> Reply {
    lease(kit, target, action, &[("x-ms-lease-id", id)])
}

fn a_blob() -> Kit {
    let kit = plain();
    kit.container("one");
    kit.block_blob("/one/a", b"a");
    kit
}

fn state(kit: &Kit, target: &str) -> (String, String, String) {
    let head = kit.head(target).expect(200);
    let text = |name: &str| head.header(name).to_owned();
    (text("x-ms-lease-status"), text("x-ms-lease-state"), text("x-ms-lease-duration"))
}

fn says(status: &str, state: &str, duration: &str) -> (String, String, String) {
    (status.to_owned(), state.to_owned(), duration.to_owned())
}

#[test]
fn a_lease_goes_through_its_states_on_the_clock() {
    let kit = a_blob();
    assert_eq!(state(&kit, "/one/a"), says("unlocked", "available", ""));
    let etag = kit.head("/one/a").header("etag").to_owned();
    let acquired = acquire(&kit, "/one/a", ONE, "15").expect(201);
    assert_eq!((acquired.header("x-ms-lease-id"), acquired.header("etag")), (ONE, &*etag));
    assert_eq!(state(&kit, "/one/a"), says("locked", "leased", "fixed"));
    kit.advance(14);
    by_id(&kit, "/one/a", "renew", ONE).expect(200);
    kit.advance(14);
    assert_eq!(state(&kit, "/one/a").1, "leased");
    kit.advance(1);
    assert_eq!(state(&kit, "/one/a"), says("unlocked", "expired", ""));
    by_id(&kit, "/one/a", "renew", ONE).expect(200);
    acquire(&kit, "/one/a", ONE, "-1").expect(201);
    assert_eq!(state(&kit, "/one/a"), says("locked", "leased", "infinite"));
    let breaking = lease(&kit, "/one/a", "break", &[("x-ms-lease-break-period", "10")]);
    assert_eq!(breaking.expect(202).header("x-ms-lease-time"), "10");
    assert_eq!(state(&kit, "/one/a"), says("locked", "breaking", ""));
    kit.advance(4);
    // A break can be moved forward, not back.
    let longer = lease(&kit, "/one/a", "break", &[("x-ms-lease-break-period", "60")]);
    assert_eq!(longer.expect(202).header("x-ms-lease-time"), "6");
    kit.advance(6);
    assert_eq!(state(&kit, "/one/a"), says("unlocked", "broken", ""));
    by_id(&kit, "/one/a", "release", ONE).expect(200);
    assert_eq!(state(&kit, "/one/a"), says("unlocked", "available", ""));
    assert_eq!(kit.head("/one/a").header("etag"), etag);
}

#[test]
fn what_does_not_fit_the_state_is_refused() {
    let kit = a_blob();
    let target = "/one/a";
    for action in ["renew", "release"] {
        by_id(&kit, target, action, ONE).refused(409, "LeaseNotPresentWithLeaseOperation");
    }
    lease(&kit, target, "break", &[]).refused(409, "LeaseNotPresentWithLeaseOperation");
    acquire(&kit, target, ONE, "60").expect(201);
    acquire(&kit, target, TWO, "60").refused(409, "LeaseAlreadyPresent");
    let without = lease(&kit, target, "acquire", &[("x-ms-lease-duration", "60")]);
    without.refused(409, "LeaseAlreadyPresent");
    for action in ["renew", "release"] {
        by_id(&kit, target, action, TWO).refused(409, "LeaseIdMismatchWithLeaseOperation");
    }
    let change = |from: &str, to: &str| {
        let headers = [("x-ms-lease-id", from), ("x-ms-proposed-lease-id", to)];
        lease(&kit, target, "change", &headers)
    };
    assert_eq!(change(ONE, TWO).expect(200).header("x-ms-lease-id"), TWO);
    change(ONE, TWO).expect(200);
    change(ONE, ONE).refused(409, "LeaseIdMismatchWithLeaseOperation");
    // A break takes the time remaining on a fixed lease.
    assert_eq!(lease(&kit, target, "break", &[]).expect(202).header("x-ms-lease-time"), "60");
    acquire(&kit, target, TWO, "60").refused(409, "LeaseIsBreakingAndCannotBeAcquired");
    acquire(&kit, target, ONE, "60").refused(409, "LeaseAlreadyPresent");
    change(TWO, ONE).refused(409, "LeaseIsBreakingAndCannotBeChanged");
    kit.advance(60);
    by_id(&kit, target, "renew", TWO).refused(409, "LeaseIsBrokenAndCannotBeRenewed");
    change(TWO, ONE).refused(409, "LeaseNotPresentWithLeaseOperation");
    acquire(&kit, target, ONE, "60").expect(201);
}

#[test]
fn a_malformed_request_for_a_lease_names_the_header() {
    let kit = a_blob();
    for (action, headers, header) in [
        ("steal", vec![], "x-ms-lease-action"),
        ("acquire", vec![("x-ms-lease-duration", "14")], "x-ms-lease-duration"),
        ("acquire", vec![("x-ms-lease-duration", "61")], "x-ms-lease-duration"),
        ("acquire", vec![("x-ms-lease-duration", "0")], "x-ms-lease-duration"),
        ("break", vec![("x-ms-lease-break-period", "61")], "x-ms-lease-break-period"),
        ("renew", vec![("x-ms-lease-id", "mine")], "x-ms-lease-id"),
    ] {
        let refused = lease(&kit, "/one/a", action, &headers).refused(400, "InvalidHeaderValue");
        assert!(refused.text().contains(&format!("<HeaderName>{header}</HeaderName>")));
    }
    for action in ["acquire", "renew", "change", "release"] {
        lease(&kit, "/one/a", action, &[]).refused(400, "MissingRequiredHeader");
    }
    let snapshot = kit.snapshot("/one/a");
    let on_snapshot = acquire(&kit, &format!("/one/a?snapshot={snapshot}"), ONE, "-1");
    on_snapshot.refused(400, "InvalidOperation");
    acquire(&kit, "/one/none", ONE, "-1").refused(404, "BlobNotFound");
    assert_eq!(state(&kit, "/one/a").1, "available");
}

#[test]
fn every_write_needs_the_id_of_an_active_lease() {
    let kit = a_blob();
    acquire(&kit, "/one/a", ONE, "15").expect(201);
    let writes = |id: Option<&str>| {
        [
            ("PUT", "/one/a"),
            ("PUT", "/one/a?comp=metadata"),
            ("PUT", "/one/a?comp=properties"),
            ("PUT", "/one/a?comp=block&blockid=AAAA"),
            ("PUT", "/one/a?comp=blocklist"),
            ("PUT", "/one/a?comp=tags"),
            ("DELETE", "/one/a"),
        ]
        .map(|(method, target)| {
            let body = match target {
                "/one/a?comp=tags" => "<Tags><TagSet /></Tags>",
                _ => "<BlockList />",
            };
            let ask = kit.ask(method, target).header("x-ms-blob-type", "BlockBlob");
            let ask = if method == "DELETE" { ask } else { ask.body(body.as_bytes()) };
            id.into_iter().fold(ask, |ask, id| ask.header("x-ms-lease-id", id)).send()
        })
    };
    for reply in writes(None) {
        reply.refused(412, "LeaseIdMissing");
    }
    for reply in writes(Some(TWO)) {
        reply.refused(412, "LeaseIdMismatchWithBlobOperation");
    }
    let read = |id: &str| kit.ask("GET", "/one/a").header("x-ms-lease-id", id).send();
    kit.ask("GET", "/one/a").send().expect(200);
    read(ONE).expect(200);
    read(TWO).refused(412, "LeaseIdMismatchWithBlobOperation");
    kit.snapshot("/one/a");
    kit.ask("DELETE", "/one/a").header("x-ms-delete-snapshots", "only").send().expect(202);
    kit.advance(15);
    for reply in writes(Some(ONE)) {
        reply.refused(412, "LeaseLost");
    }
    read(ONE).refused(412, "LeaseLost");
    // A write without the lease ends what remained of it.
    kit.block_blob("/one/a", b"anew");
    assert_eq!(state(&kit, "/one/a").1, "available");
    by_id(&kit, "/one/a", "renew", ONE).refused(409, "LeaseNotPresentWithLeaseOperation");
    for reply in writes(Some(ONE)) {
        reply.refused(412, "LeaseNotPresentWithBlobOperation");
    }
    let created = kit.ask("PUT", "/one/new").header("x-ms-blob-type", "BlockBlob");
    let created = created.header("x-ms-lease-id", ONE).send();
    created.refused(412, "LeaseNotPresentWithBlobOperation");
    acquire(&kit, "/one/a", ONE, "-1").expect(201);
    for reply in writes(Some(ONE)) {
        assert!(reply.status < 300, "{reply:?}");
    }
    kit.head("/one/a").expect(404);
}

#[test]
fn a_copy_needs_an_infinite_lease_and_a_pending_destination_takes_none() {
    let kit = kit(|builder| builder.copy_rate(1));
    kit.container("one");
    kit.block_blob("/one/a", b"0123456789");
    kit.block_blob("/one/b", b"b");
    // The source's lease does not matter.
    acquire(&kit, "/one/a", TWO, "-1").expect(201);
    acquire(&kit, "/one/b", ONE, "15").expect(201);
    let copy = || kit.copy("/one/a", "/one/b").header("x-ms-lease-id", ONE).send();
    copy().refused(412, "InfiniteLeaseDurationRequired");
    kit.copy("/one/a", "/one/b").send().refused(412, "LeaseIdMissing");
    acquire(&kit, "/one/b", ONE, "-1").expect(201);
    let started = copy().expect(202);
    for action in ["renew", "release", "break"] {
        by_id(&kit, "/one/b", action, ONE).refused(409, "PendingCopyOperation");
    }
    acquire(&kit, "/one/b", ONE, "15").refused(409, "PendingCopyOperation");
    let id = started.header("x-ms-copy-id");
    let target = format!("/one/b?comp=copy&copyid={id}");
    let abort = || kit.ask("PUT", &target).header("x-ms-copy-action", "abort");
    abort().send().refused(412, "LeaseIdMissing");
    abort().header("x-ms-lease-id", ONE).send().expect(204);
    assert_eq!(state(&kit, "/one/b"), says("locked", "leased", "infinite"));
}

#[test]
fn a_leased_container_is_deleted_by_its_holder_only() {
    let kit = a_blob();
    let target = "/one?restype=container";
    acquire(&kit, target, ONE, "-1").expect(201);
    let head = kit.head(target).expect(200);
    assert_eq!(head.header("x-ms-lease-state"), "leased");
    kit.ask("DELETE", target).send().refused(412, "LeaseIdMissing");
    let delete = |id: &str| kit.ask("DELETE", target).header("x-ms-lease-id", id).send();
    delete(TWO).refused(412, "LeaseIdMismatchWithContainerOperation");
    kit.block_blob("/one/b", b"b");
    delete(ONE).expect(202);
}
