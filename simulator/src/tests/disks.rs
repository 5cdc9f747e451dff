//! Managed disks: what a SAS opens and what it does not.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use super::kit::{Kit, kit, plain};
use crate::{GrantUrl, ManagedDisk, Op};

pub(super) const HOUR: Duration = Duration::from_secs(3600);
const FORMS: [GrantUrl; 3] = [GrantUrl::Blob, GrantUrl::BlobWithPolicy, GrantUrl::Snapshot];

/// A disk of 1 MiB whose first page is written.
pub(super) fn disk(kit: &Kit) -> ManagedDisk {
    let _time = kit.enter();
    let disk = kit.sim.managed_disks().create("group", "disk0", 1 << 20);
    disk.write(0, &[1; 512]);
    disk
}

#[test]
fn a_grant_of_every_form_reads_the_snapshot_with_its_footer() {
    let kit = plain();
    let _time = kit.enter();
    let disk = disk(&kit);
    for (at, form) in FORMS.into_iter().enumerate() {
        disk.grant_urls(form);
        let snapshot = disk.snapshot(&format!("s{at}"));
        disk.write(0, &[2 + u8::try_from(at).unwrap(); 512]);
        let url = snapshot.grant(HOUR).unwrap();
        let host = url.host_str().unwrap();
        assert!(host.starts_with("md-") && host.ends_with(".z01.blob.storage.azure.net"), "{host}");
        let query: Vec<_> = url.query_pairs().map(|(name, _)| name.into_owned()).collect();
        let expected: &[&str] = match form {
            GrantUrl::Blob => &["sv", "sr", "sk", "sig", "st", "se", "sp"],
            GrantUrl::BlobWithPolicy => &["sv", "sr", "si", "sk", "sig"],
            GrantUrl::Snapshot => &["snapshot", "sv", "sr", "si", "sig"],
        };
        assert_eq!(query, expected);

        let head = kit.ask_at("HEAD", url.as_str()).send().expect(200);
        assert_eq!(head.header("content-length"), ((1 << 20) + 512).to_string());
        assert_eq!(head.header("x-ms-blob-type"), "PageBlob");
        let get = kit.ask_at("GET", url.as_str()).send().expect(200);
        assert_eq!(get.body[..512], [1 + u8::try_from(at).unwrap(); 512]);
        assert!(get.body[1 << 20..].starts_with(b"conectix"));
        let part = kit.ask_at("GET", url.as_str()).header("x-ms-range", "bytes=0-1023").send();
        assert_eq!(part.expect(206).body.len(), 1024);
        let pages = kit.ask_at("GET", &format!("{url}&comp=pagelist")).send().expect(200);
        let listed = "<PageRange><Start>0</Start><End>511</End></PageRange>\
             <PageRange><Start>1048576</Start><End>1049087</End></PageRange>";
        assert!(pages.text().contains(listed), "{}", pages.text());
    }
    assert_eq!((disk.granted(), disk.most_granted()), (3, 3));
    assert_eq!(kit.sim.count(Op::GetPageRanges), 3);
}

#[test]
fn nothing_else_than_reading_is_permitted() {
    let kit = plain();
    let _time = kit.enter();
    let disk = disk(&kit);
    for form in FORMS {
        disk.grant_urls(form);
        let url = disk.snapshot(&format!("{form:?}")).grant(HOUR).unwrap();
        let page = |kind: &'static str| {
            let ask =
                kit.ask_at("PUT", &format!("{url}&comp=page")).header("x-ms-range", "bytes=0-511");
            ask.header("x-ms-page-write", kind)
        };
        let refused = [
            page("clear").send(),
            page("update").body(&[0; 512]).send(),
            kit.ask_at("DELETE", url.as_str()).send(),
            kit.ask_at("PUT", &format!("{url}&comp=snapshot")).send(),
            kit.ask_at("PUT", &format!("{url}&comp=metadata")).send(),
            kit.ask_at("GET", &format!("{url}&comp=metadata")).send(),
            kit.ask_at("PUT", &format!("{url}&comp=lease"))
                .header("x-ms-lease-action", "break")
                .send(),
        ];
        for reply in refused {
            reply.refused(403, "AuthorizationPermissionMismatch");
        }
    }
    let url = disk.snapshots()[0].grant(HOUR).unwrap();
    let host = url.host_str().unwrap();
    let bare = format!("https://{host}{}", url.path());
    kit.ask_at("GET", &bare).send().refused(401, "NoAuthenticationInformation");
    let account = host.strip_suffix(".blob.storage.azure.net").unwrap().to_owned();
    let signed = kit.ask("GET", url.path()).account(&account).send();
    signed.refused(403, "AuthenticationFailed");
    kit.ask_at("GET", &format!("https://{host}/?comp=list")).send().expect(401);
}

#[test]
fn a_url_that_lost_a_part_is_refused() {
    let kit = plain();
    let _time = kit.enter();
    let disk = disk(&kit);
    disk.grant_urls(GrantUrl::Snapshot);
    let (first, second) = (disk.snapshot("one"), disk.snapshot("two"));
    let url = first.grant(HOUR).unwrap();
    let other = second.grant(HOUR).unwrap();
    let pairs: Vec<_> = url.query().unwrap().split('&').collect();
    for lost in 0..pairs.len() {
        let mut less = pairs.clone();
        less.remove(lost);
        let mut less_url = url.clone();
        less_url.set_query(Some(&less.join("&")));
        let status = kit.ask_at("HEAD", less_url.as_str()).send().status;
        assert!(matches!(status, 401 | 403), "{status} without {}", pairs[lost]);
    }
    // The snapshot twice, as one SDK sent it, or that of another grant.
    let twice = format!("{url}&{}", pairs[0]);
    kit.ask_at("GET", &twice).send().refused(403, "AuthenticationFailed");
    let mixed = url.as_str().replace(pairs[0], other.query().unwrap().split('&').next().unwrap());
    kit.ask_at("GET", &mixed).send().refused(403, "AuthenticationFailed");
    kit.ask_at("GET", url.as_str()).send().expect(200);
}

#[test]
fn a_grant_ends_when_it_expires_or_is_revoked_and_five_hold_at_a_time() {
    let kit = plain();
    let _time = kit.enter();
    let disk = disk(&kit);
    let snapshots: Vec<_> = (0..6).map(|at| disk.snapshot(&format!("s{at}"))).collect();
    let urls: Vec<_> = snapshots.iter().map(|it| it.grant(HOUR)).collect();
    assert_eq!(urls.iter().flatten().count(), 5);
    assert!(urls[5].is_none() && !snapshots[5].is_granted());
    // Another SAS for one of the five is not one more; both end when it is revoked.
    let again = snapshots[0].grant(HOUR).unwrap();
    let first = urls[0].clone().unwrap();
    assert_ne!(again, first);
    assert_eq!((disk.granted(), disk.most_granted()), (5, 5));
    kit.ask_at("GET", again.as_str()).send().expect(200);
    snapshots[0].revoke();
    for url in [&again, &first] {
        kit.ask_at("HEAD", url.as_str()).send().refused(403, "AuthenticationFailed");
    }
    let sixth = snapshots[5].grant(2 * HOUR).unwrap();
    kit.advance(3601);
    assert_eq!(disk.granted(), 1);
    let expired = urls[1].clone().unwrap();
    let refused = kit.ask_at("GET", expired.as_str()).send().refused(403, "AuthenticationFailed");
    assert!(refused.text().contains("time frame"));
    kit.ask_at("GET", sixth.as_str()).send().expect(200);
    // Another disk has five of its own.
    let other = kit.sim.managed_disks().create("group", "disk1", 1 << 20);
    assert!(other.snapshot("other").grant(HOUR).is_some());
    snapshots[5].delete();
    kit.ask_at("GET", sixth.as_str()).send().refused(403, "AuthenticationFailed");
    assert!(snapshots[5].created().is_none() && snapshots[5].grant(HOUR).is_none());
    let unfinished = disk.snapshot("unfinished");
    unfinished.set_completion(40.0);
    assert!(unfinished.grant(HOUR).is_none());
}

#[test]
fn a_disk_may_need_a_token_of_its_audience_beside_the_sas() {
    let token = |audience: &str| {
        let claims = URL_SAFE_NO_PAD.encode(format!("{{\"aud\":\"{audience}\"}}"));
        format!("Bearer e30.{claims}.signature")
    };
    let kit = kit(|builder| builder.accept_bearer(|token| token != "bad"));
    let _time = kit.enter();
    let disk = disk(&kit);
    disk.require_bearer(true);
    let url = disk.snapshot("one").grant(HOUR).unwrap();
    let ask = || kit.ask_at("HEAD", url.as_str());
    let missing = ask().send().refused(401, "NoAuthenticationInformation");
    assert!(missing.header("www-authenticate").contains("resource_id=https://disk.azure.com/"));
    for bad in [token("https://storage.azure.com/"), "Bearer bad".to_owned()] {
        ask().header("authorization", &bad).send().refused(401, "InvalidAuthenticationInfo");
    }
    for good in [token("https://disk.azure.com/"), "Bearer opaque".to_owned()] {
        ask().header("authorization", &good).send().expect(200);
    }
    let without_sas = format!("https://{}{}", url.host_str().unwrap(), url.path());
    let ask = kit.ask_at("GET", &without_sas).header("authorization", "Bearer opaque");
    ask.send().refused(401, "NoAuthenticationInformation");

    // A copy brings the token for its source.
    kit.container("one");
    kit.page_blob("/one/copy", 1);
    let put = || {
        let ask = kit.ask("PUT", "/one/copy?comp=page").header("x-ms-page-write", "update");
        let ask = ask.header("x-ms-range", "bytes=0-511").header("x-ms-copy-source", url.as_str());
        ask.header("x-ms-source-range", "bytes=0-511")
    };
    put().send().refused(401, "CannotVerifyCopySource");
    put().header("x-ms-copy-source-authorization", "Bearer opaque").send().expect(201);
}

#[test]
fn a_disk_is_copied_by_pages_or_whole_but_not_incrementally() {
    let kit = plain();
    let _time = kit.enter();
    let disk = disk(&kit);
    kit.container("one");
    kit.page_blob("/one/copy", 2049);
    for form in FORMS {
        disk.grant_urls(form);
        let snapshot = disk.snapshot(&format!("{form:?}"));
        let url = snapshot.grant(HOUR).unwrap();
        let put = || {
            let ask = kit.ask("PUT", "/one/copy?comp=page").header("x-ms-page-write", "update");
            let ask = ask.header("x-ms-range", "bytes=512-1023");
            ask.header("x-ms-copy-source", url.as_str()).header("x-ms-source-range", "bytes=0-511")
        };
        put().send().expect(201);
        assert_eq!(kit.ask("GET", "/one/copy").send().body[512..1024], [1; 512]);
        let whole = format!("/one/{form:?}");
        kit.ask("PUT", &whole).header("x-ms-copy-source", url.as_str()).send().expect(202);
        let copied = kit.ask("GET", &whole).send().expect(200).body;
        assert_eq!(copied, kit.ask_at("GET", url.as_str()).send().body);

        let incremental = |url: &str| {
            let ask = kit.ask("PUT", "/one/incremental?comp=incrementalcopy");
            ask.header("x-ms-copy-source", url).send()
        };
        let with_time = match form {
            GrantUrl::Snapshot => url.to_string(),
            _ => format!("{url}&snapshot=2026-01-01T00:00:00.0000000Z"),
        };
        incremental(&with_time).refused(500, "InternalError");
        let (host, zone) = (url.host_str().unwrap(), ".blob.storage.azure.net");
        let account = host.strip_suffix(zone).unwrap();
        let path_style = with_time.replace(host, &format!("127.0.0.1:10000/{account}"));
        incremental(&path_style).refused(500, "InternalError");
        snapshot.revoke();
        put().send().refused(403, "CannotVerifyCopySource");
    }
}

#[tokio::test]
async fn a_listener_shows_its_own_hosts_or_paths() {
    for path_style in [false, true] {
        let builder = crate::Simulator::builder().path_style_disks(path_style);
        let sim = builder.start().await.unwrap();
        let kit = Kit::around(sim.clone());
        let url = disk(&kit).snapshot("one").grant(HOUR).unwrap();
        let port = sim.endpoint(crate::DEFAULT_ACCOUNT).port().unwrap();
        assert_eq!(url.port(), Some(port));
        match path_style {
            true => assert!(url.path().starts_with("/md-"), "{url}"),
            false => assert!(url.host_str().unwrap().ends_with(".z01.blob.localhost"), "{url}"),
        }
        let host = url.host_str().unwrap().to_owned();
        let target = format!("{}?{}", url.path(), url.query().unwrap());
        let head = format!("HEAD {target} HTTP/1.1\r\nhost: {host}:{port}\r\n");
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("PageBlob"), "{answer}");
    }
}

#[tokio::test]
async fn a_disk_of_another_simulator_is_read_over_the_network() {
    let builder = crate::Simulator::builder().path_style_disks(true);
    let theirs = builder.start().await.unwrap();
    let disk = disk(&Kit::around(theirs.clone()));
    let kit = Kit::around(crate::Simulator::builder().build());
    kit.container("one");
    kit.page_blob("/one/copy", 2049);
    for form in FORMS {
        disk.grant_urls(form);
        let snapshot = disk.snapshot(&format!("{form:?}"));
        let url = snapshot.grant(HOUR).unwrap();
        let put = async || {
            let ask = kit.ask("PUT", "/one/copy?comp=page").header("x-ms-page-write", "update");
            let ask = ask.header("x-ms-range", "bytes=512-1023");
            let ask = ask.header("x-ms-source-range", "bytes=0-511");
            let ask = ask.header("x-ms-copy-source", url.as_str());
            kit.sim.shared.exchange(ask.request()).await.response.status().as_u16()
        };
        assert_eq!(put().await, 201, "{form:?}");
        assert_eq!(kit.ask("GET", "/one/copy").send().body[512..1024], [1; 512]);
        snapshot.revoke();
        assert_eq!(put().await, 403, "{form:?}");
    }
}

#[test]
fn a_thousand_disks_with_thirty_snapshots_each_are_listed_at_once() {
    let kit = kit(|builder| builder.accept_bearer(|_| true));
    let _time = kit.enter();
    let disks = kit.sim.managed_disks();
    for number in 0..1000 {
        let disk = disks.create("group", &format!("disk{number:04}"), 1 << 30);
        for at in 0..30 {
            disk.write(at * 512, &[1; 512]);
            disk.snapshot(&format!("disk{number:04}-{at:02}"));
        }
    }
    let subscription = disks.subscription();
    let path = format!("/subscriptions/{subscription}/resourceGroups/group/providers");
    let mut next =
        format!("https://management.azure.com{path}/Microsoft.Compute/snapshots?api-version=1");
    let mut seen = 0;
    loop {
        let ask = kit.ask_at("GET", &next).header("authorization", "Bearer token");
        let page = ask.send().expect(200);
        seen += page.text().matches("\"sourceUniqueId\"").count();
        match page.text().split_once("\"nextLink\":\"") {
            Some((_, link)) => next = link.split_once('"').unwrap().0.to_owned(),
            None => break,
        }
    }
    assert_eq!((seen, kit.sim.count(Op::ListDiskSnapshots)), (30_000, 600));
    let disk = disks.get("group", "disk0999").unwrap();
    let url = disk.snapshots()[29].grant(HOUR).unwrap();
    kit.ask_at("HEAD", url.as_str()).send().expect(200);
}

#[test]
#[should_panic(expected = "within the disk")]
fn nothing_is_written_beyond_the_end() {
    disk(&plain()).write(1 << 20, &[0; 512]);
}

#[test]
#[should_panic(expected = "has a snapshot \"ONE\" already")]
fn a_name_is_given_once() {
    let disk = disk(&plain());
    disk.snapshot("one");
    disk.snapshot("ONE");
}
