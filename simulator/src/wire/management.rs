//! The requests of Azure Resource Manager among all others, and what they are about.

use http::{Method, uri::Authority};
use percent_encoding::percent_decode_str;

use super::{op::Op, route::Route};

/// The service's host, and that of a listener.
const HOSTS: [&str; 2] = ["management.azure.com", "management.localhost"];

/// Whether this is the service's own host.
pub(crate) fn is_service_host(host: &str) -> bool {
    host.eq_ignore_ascii_case(HOSTS[0])
}

/// The operation of a request to Resource Manager, and its place: the subscription as the account,
/// the resource group as the container, and the snapshot or the operation as the blob.
pub(crate) fn locate(
    knows: impl Fn(&str) -> bool,
    method: &Method,
    authority: Option<&Authority>,
    path: &str,
) -> Option<(Op, Route)> {
    let named = authority.is_some_and(|authority| {
        HOSTS.iter().any(|host| authority.host().eq_ignore_ascii_case(host))
    });
    const FIRST: &str = "/subscriptions/";
    let first = path.get(..FIRST.len()).is_some_and(|first| first.eq_ignore_ascii_case(FIRST));
    // An account of that name comes first, as it did before there was Resource Manager.
    let is_for_it = first && !knows("subscriptions") || named && !knows("management");
    is_for_it.then_some(())?;
    let decoded = |part: &str| percent_decode_str(part).decode_utf8_lossy().into_owned();
    let parts: Vec<String> = path.split('/').filter(|part| !part.is_empty()).map(decoded).collect();
    let is = |at: usize, word: &str| {
        parts.get(at).is_some_and(|part: &String| part.eq_ignore_ascii_case(word))
    };
    let compute = |at| is(at, "providers") && is(at + 1, "Microsoft.Compute");
    let of_group = is(2, "resourceGroups") && compute(4) && is(6, "snapshots");
    let of_location = compute(2) && is(4, "locations") && is(6, "DiskOperations");
    let get = method == Method::GET;
    let post = method == Method::POST;
    let op = match parts.len() {
        7 if get && of_group => Op::ListDiskSnapshots,
        8 if get && of_group => Op::GetDiskSnapshot,
        9 if post && of_group && is(8, "beginGetAccess") => Op::GrantSnapshotAccess,
        9 if post && of_group && is(8, "endGetAccess") => Op::RevokeSnapshotAccess,
        8 if get && of_location => Op::GetDiskOperation,
        _ => Op::ManagementNotModelled,
    };
    let account = parts.get(1).cloned().filter(|_| is(0, "subscriptions")).unwrap_or_default();
    let container = parts.get(3).cloned().filter(|_| of_group);
    let blob = parts.get(7).cloned().filter(|_| of_group || of_location);
    Some((op, Route { account, secondary: false, container, blob }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(method: &Method, host: &str, path: &str) -> Option<(Op, Route)> {
        locate(|name| name == "acct", method, Some(&host.parse().unwrap()), path)
    }

    #[test]
    fn each_operation_is_found_by_its_path() {
        const GROUP: &str = "/subscriptions/sub/resourceGroups/g%20x/providers/Microsoft.Compute";
        for (method, path, op, blob) in [
            (Method::GET, "/snapshots", Op::ListDiskSnapshots, None),
            (Method::GET, "/SNAPSHOTS/one", Op::GetDiskSnapshot, Some("one")),
            (Method::POST, "/snapshots/one/beginGetAccess", Op::GrantSnapshotAccess, Some("one")),
            (Method::POST, "/snapshots/one/endGetAccess", Op::RevokeSnapshotAccess, Some("one")),
            (Method::PUT, "/snapshots/one", Op::ManagementNotModelled, Some("one")),
            (Method::GET, "/disks", Op::ManagementNotModelled, None),
        ] {
            for host in ["management.azure.com", "management.localhost:1", "127.0.0.1:10000"] {
                let (found_op, route) = found(&method, host, &format!("{GROUP}{path}")).unwrap();
                assert_eq!((found_op, route.blob.as_deref()), (op, blob), "{method} {path}");
                assert_eq!(route.account, "sub");
            }
        }
        let path = "/subscriptions/s/providers/Microsoft.Compute/locations/x/DiskOperations/id";
        let (op, route) = found(&Method::GET, "127.0.0.1", path).unwrap();
        assert_eq!((op, route.blob.as_deref()), (Op::GetDiskOperation, Some("id")));
    }

    #[test]
    fn other_requests_are_not_for_it() {
        for (host, path) in [
            ("127.0.0.1", "/acct/subscriptions/x"),
            ("acct.blob.core.windows.net", "/container/subscriptions"),
            ("127.0.0.1", "/"),
        ] {
            assert!(found(&Method::GET, host, path).is_none(), "{host}{path}");
        }
        let (op, _) = found(&Method::GET, "management.azure.com", "/").unwrap();
        assert_eq!(op, Op::ManagementNotModelled);
        let knows = |name: &str| name == "subscriptions";
        assert!(locate(knows, &Method::GET, None, "/subscriptions/c/b").is_none());
    }
}
