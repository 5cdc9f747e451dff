//! What the address of a blob says of it: whose it is, and whether it can be listed.

use url::Url;

use super::MirrorError;
use crate::{BlobClient, PageBlobClient};

/// Whether both URLs are of one blob: the same account, container and name, whatever the scheme,
/// the port and the host of the account. An account's own domain is not known.
pub(crate) fn is_same_blob(one: &str, other: &str) -> bool {
    let bare = |url: &str| url.split(['?', '#']).next().unwrap_or_default().to_owned();
    BlobClient::is_one_source(&bare(one), &bare(other))
}

/// Whether a URL is that of a snapshot of a managed disk, as granting access returns it. Names of
/// storage accounts have no hyphen.
fn is_managed_disk(url: &Url) -> bool {
    url.host_str().is_some_and(|host| host.starts_with("md-") && host.contains(".blob."))
}

/// Refuses a source whose snapshots cannot be listed: a managed disk's, each of which is a blob of
/// its own; and one with a SAS of the blob alone.
pub(crate) fn check_source(blob: &PageBlobClient) -> Result<(), MirrorError> {
    let mut url = blob.url()?;
    url.set_query(None);
    if is_managed_disk(&url) {
        let why = "is one snapshot of a managed disk, which lists no others: give the disk as \
                   ManagedSnapshots, by its resource group and name or by JSON lines with the URL \
                   of each snapshot (of the command: --resource-group and --disk, or \
                   --managed-snapshots)";
        return Err(MirrorError::refused(url, why));
    }
    check_lists(blob, "the source's snapshots are listed in it")
}

/// Refuses a destination that cannot be listed.
pub(crate) fn check_destination(blob: &PageBlobClient) -> Result<(), MirrorError> {
    check_lists(blob, "the backup is listed in it, and the lock is a blob beside it")
}

fn check_lists(blob: &PageBlobClient, what_for: &str) -> Result<(), MirrorError> {
    if !blob.container_client().has_sas_of_one_blob() {
        return Ok(());
    }
    let mut url = blob.url()?;
    url.set_query(None);
    let why = format!(
        "its SAS is of one blob (sr=b), which lists no snapshots: give a SAS of the container, \
         since {what_for}"
    );
    Err(MirrorError::refused(url, why))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_blob_is_the_same_under_each_address_of_its_account() {
        let blob = "https://acct.blob.core.windows.net/vhds/disk%200.vhd";
        for same in [
            "http://acct.blob.core.windows.net/vhds/disk%200.vhd",
            "https://acct-secondary.blob.core.windows.net/vhds/disk%200.vhd?sig=x",
            "https://acct-dualstack.blob.core.windows.net:443/vhds/disk%200.vhd",
        ] {
            assert!(is_same_blob(blob, same) && is_same_blob(same, blob), "{same}");
        }
        for other in [
            "https://acct.blob.core.windows.net/vhds/Disk%200.vhd",
            "https://acct2.blob.core.windows.net/vhds/disk%200.vhd",
            "https://acct.blob.core.chinacloudapi.cn/vhds/disk%200.vhd",
            "d-1",
            "",
        ] {
            assert!(!is_same_blob(blob, other) && !is_same_blob(other, blob), "{other}");
        }
        let local = |host: &str| format!("http://{host}:10000/devstoreaccount1/vhds/d");
        for host in ["localhost", "[::1]", "127.0.0.2"] {
            assert!(is_same_blob(&local("127.0.0.1"), &local(host)), "{host}");
        }
        assert!(!is_same_blob(&local("127.0.0.1"), &local("10.0.0.1")));
    }

    #[test]
    fn a_source_without_a_list_of_its_snapshots_is_refused_with_what_to_give() {
        let refused = |url: &str, sas: &str| {
            let url = format!("{url}?{sas}").parse().expect("a URL");
            let blob = PageBlobClient::builder(url).build().expect("a client");
            check_source(&blob).err().map(|error| error.to_string())
        };
        let disk = "https://md-a.z01.blob.storage.azure.net/xyz/abcd";
        let error = refused(disk, "sv=2018-11-09&sr=b&sig=c2VjcmV0").expect("no list");
        for part in [
            "https://md-a.z01.blob.storage.azure.net/xyz/abcd: is one snapshot",
            "ManagedSnapshots",
            "--managed-snapshots",
            "--resource-group",
        ] {
            assert!(error.contains(part) && !error.contains("c2VjcmV0"), "{error}");
        }
        let blob = "https://acct.blob.core.windows.net/vhds/disk0.vhd";
        for kind in ["b", "bs", "bv"] {
            let sas = format!("sv=2026-04-06&sr={kind}&sp=r&sig=c2VjcmV0");
            let error = refused(blob, &sas).expect("no list");
            assert!(error.contains("lists no snapshots") && !error.contains("c2VjcmV0"), "{error}");
        }
        assert_eq!(refused(blob, "sv=2026-04-06&sr=c&sp=rl&sig=c2VjcmV0"), None);
        assert_eq!(refused(blob, "sv=2026-04-06&ss=b&srt=sco&sp=rl&sig=c2VjcmV0"), None);
        let near = "https://mdb.blob.core.windows.net/vhds/disk0.vhd";
        assert_eq!(refused(near, "sv=2026-04-06&sr=c&sp=rl&sig=c2VjcmV0"), None);
    }
}
