//! The order of names in accounts with and without a hierarchical namespace.

use super::kit::{Kit, OTHER, Reply, kit};

const NAMES: [&str; 9] = ["a", "a-b", "a.txt", "a/b", "a/b-c", "a/b/c", "a0", "b", "b/x"];
const BY_PATHS: [&str; 9] = ["a", "a/b", "a/b/c", "a/b-c", "a-b", "a.txt", "a0", "b", "b/x"];

/// The second account lists by paths; both have the same blobs.
fn with_blobs() -> Kit {
    let kit = kit(|builder| builder.hierarchical_order(OTHER.0));
    for account in [crate::DEFAULT_ACCOUNT, OTHER.0] {
        kit.ask("PUT", "/one?restype=container").account(account).send().expect(201);
        for name in NAMES {
            let put = kit.ask("PUT", &format!("/one/{name}")).account(account);
            put.header("x-ms-blob-type", "BlockBlob").body(b"x").send().expect(201);
        }
    }
    kit
}

fn list(kit: &Kit, account: &str, query: &str) -> Reply {
    let target = format!("/one?restype=container&comp=list{query}");
    kit.ask("GET", &target).account(account).send().expect(200)
}

fn names(reply: &Reply) -> Vec<String> {
    let rest = reply.text().split("<Name>").skip(1);
    rest.map(|piece| piece.split_once('<').unwrap().0.to_owned()).collect()
}

/// All names, page by page.
fn paged(kit: &Kit, account: &str, query: &str, most: usize) -> Vec<String> {
    let (mut seen, mut marker) = (Vec::new(), String::new());
    loop {
        let page = list(kit, account, &format!("{query}&maxresults={most}{marker}"));
        seen.extend(names(&page));
        match page.text().split_once("<NextMarker>") {
            None => return seen,
            Some((_, rest)) => {
                let next = rest.split_once('<').unwrap().0;
                marker = format!("&marker={}", next.replace('=', "%3D"));
            }
        }
    }
}

#[test]
fn an_account_with_a_hierarchical_namespace_lists_path_by_path() {
    let kit = with_blobs();
    assert_eq!(names(&list(&kit, crate::DEFAULT_ACCOUNT, "")), NAMES);
    for most in [1, 2, 4, 9] {
        assert_eq!(paged(&kit, OTHER.0, "", most), BY_PATHS);
        assert_eq!(paged(&kit, OTHER.0, "&prefix=a", most), BY_PATHS[..7]);
        assert_eq!(paged(&kit, OTHER.0, "&prefix=a/", most), BY_PATHS[1..4]);
        assert_eq!(paged(&kit, OTHER.0, "&startFrom=a-", most), BY_PATHS[4..]);
        assert_eq!(paged(&kit, OTHER.0, "&startFrom=a/b0", most), BY_PATHS[4..]);
    }
}

#[test]
fn by_hierarchy_the_same_order_holds() {
    let kit = with_blobs();
    for most in [1, 3, 9] {
        let flat = paged(&kit, crate::DEFAULT_ACCOUNT, "&delimiter=/", most);
        assert_eq!(flat, ["a", "a-b", "a.txt", "a/", "a0", "b", "b/"]);
        let by_paths = paged(&kit, OTHER.0, "&delimiter=/", most);
        assert_eq!(by_paths, ["a", "a/", "a-b", "a.txt", "a0", "b", "b/"]);
        let below = paged(&kit, OTHER.0, "&delimiter=/&prefix=a/", most);
        assert_eq!(below, ["a/b", "a/b/", "a/b-c"]);
        let dashed = paged(&kit, OTHER.0, "&delimiter=-", most);
        assert_eq!(dashed, ["a", "a/b", "a/b/c", "a/b-", "a-", "a.txt", "a0", "b", "b/x"]);
    }
}

#[test]
fn uncommitted_and_deleted_blobs_keep_their_place() {
    let kit = with_blobs();
    let to = |target: &str| kit.ask("PUT", target).account(OTHER.0).body(b"x");
    to("/one/a/new?comp=block&blockid=AAAA").send().expect(201);
    to("/one/a%20b?comp=block&blockid=AAAA").send().expect(201);
    kit.ask("DELETE", "/one/a/b").account(OTHER.0).send().expect(202);
    let all = paged(&kit, OTHER.0, "&include=uncommittedblobs", 2);
    let expected = ["a", "a/b/c", "a/b-c", "a/new", "a b", "a-b", "a.txt", "a0", "b", "b/x"];
    assert_eq!(all, expected);
    kit.ask("DELETE", "/one/a/new").account(OTHER.0).send().expect(202);
    to("/one/a%20b?comp=blocklist").send();
    assert_eq!(paged(&kit, OTHER.0, "", 3)[..2], ["a", "a/b/c"]);
}

#[test]
fn the_account_says_that_it_has_one() {
    let kit = with_blobs();
    for (account, expected) in [(crate::DEFAULT_ACCOUNT, "false"), (OTHER.0, "true")] {
        let told = kit.ask("GET", "/?restype=account&comp=properties").account(account).send();
        assert_eq!(told.expect(200).header("x-ms-is-hns-enabled"), expected);
    }
}

#[test]
#[should_panic(expected = "must be added before its order")]
fn an_unknown_account_has_no_order() {
    let _ = crate::Simulator::builder().hierarchical_order("other");
}
