//! The ids of snapshots and disks: what a mirror can keep in metadata, and may show.

use crate::disks::lineage::encoded;

/// How long an id may be in metadata, where two of snapshots and one of the disk share 8 KiB with
/// the metadata of the user. Those of Resource Manager are far shorter.
const LONGEST: usize = 2048;

/// Why an id is refused if it may hold the signature of a SAS.
const IS_SECRET: &str = "must be a name or a resource id, and not a URL with a SAS: it is kept in \
                         metadata and shown in reports";

/// Why text cannot be the id of a snapshot or of a disk. It does not show the text.
pub(super) fn why_not(id: &str) -> Option<String> {
    if id.trim().is_empty() {
        return Some("must not be empty".to_owned());
    }
    if id.contains(char::is_control) {
        return Some("must not have control characters".to_owned());
    }
    if may_hold_a_secret(id) {
        return Some(IS_SECRET.to_owned());
    }
    let length = encoded(id).len();
    (length > LONGEST).then(|| {
        format!("is {length} bytes long as metadata, where it must have at most {LONGEST}")
    })
}

/// Whether text that names something looks like a URL with a query, or like a part of one with a
/// signature.
fn may_hold_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_url = name.split_once("://").is_some_and(|(_, rest)| rest.contains('?'));
    is_url || name.contains("sig=") || name.contains("sig%3d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_short_text_without_a_secret() {
        let long = "ä".repeat(342);
        for (id, why) in [
            ("", "empty"),
            (" \u{a0}\t", "empty"),
            ("a\u{1b}[31m", "control characters"),
            ("a\nb", "control characters"),
            ("https://md-a/x?sig=x", "URL with a SAS"),
            (&long, "is 2052 bytes long"),
        ] {
            let found = why_not(id).expect(id);
            assert!(found.contains(why), "{found}");
        }
        for good in ["disk0-1", "/subscriptions/s/resourceGroups/g", "Ä 1", &"a".repeat(2048)] {
            assert_eq!(why_not(good), None);
        }
    }
}
