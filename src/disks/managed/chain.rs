//! Which of the listed snapshots are the chain of one disk.

use std::collections::BTreeSet;

use super::ManagedSnapshot;
use crate::disks::{MirrorError, SourceSnapshot};

/// Why a snapshot's id, or a disk's, is refused if it may hold the signature of a SAS.
pub(super) const IS_SECRET: &str = "must be a name or a resource id, and not a URL with a SAS: it \
                                    is kept in metadata and shown in reports";

/// The length of the footer of a VHD.
pub(super) const FOOTER: u64 = 512;

/// The complete incremental snapshots of the one disk, oldest first, and the disk's unique id.
/// `wanted` is the disk that the user named.
pub(super) fn the_one_disk(
    listed: Vec<ManagedSnapshot>,
    wanted: Option<&str>,
) -> Result<(String, Vec<SourceSnapshot>), MirrorError> {
    let is_wanted = |disk: &str| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(disk));
    let mut chain: Vec<_> =
        listed.into_iter().filter(|it| it.is_incremental && is_wanted(&it.disk)).collect();
    let disks: BTreeSet<String> = chain.iter().map(|it| it.disk.to_ascii_lowercase()).collect();
    if disks.len() > 1 {
        let ids: Vec<&str> = disks.iter().map(String::as_str).collect();
        return Err(MirrorError::refused(
            "managed disk",
            format_args!(
                "the snapshots are of {} disks, with the unique ids {}: a disk that was made again \
                 under its name is another one; name one of them with ManagedSnapshots::disk",
                ids.len(),
                ids.join(", ")
            ),
        ));
    }
    let Some(disk) = chain.first().map(|it| it.disk.clone()).or(wanted.map(str::to_owned)) else {
        let why = "no incremental snapshots were found";
        return Err(MirrorError::refused("managed disk", why));
    };
    // The listed text itself is not shown.
    if chain.iter().any(|it| may_hold_a_secret(&it.id)) {
        return Err(MirrorError::refused(
            "managed disk",
            format!("the id of a snapshot {IS_SECRET}"),
        ));
    }
    if may_hold_a_secret(&disk) {
        return Err(MirrorError::refused("managed disk", format!("its unique id {IS_SECRET}")));
    }
    let mut ids = BTreeSet::new();
    if let Some(twice) = chain.iter().find(|it| !ids.insert(it.id.to_ascii_lowercase())) {
        return Err(MirrorError::refused(&twice.id, "the snapshot is listed twice"));
    }
    chain.retain(|it| it.completion >= 100.0);
    let mut found = chain.into_iter().map(read).collect::<Result<Vec<_>, _>>()?;
    found.sort_by_cached_key(SourceSnapshot::key);
    Ok((disk, found))
}

/// Whether text that names something looks like a URL with a query, or like a part of one with a
/// signature.
pub(super) fn may_hold_a_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let is_url = name.split_once("://").is_some_and(|(_, rest)| rest.contains('?'));
    is_url || name.contains("sig=") || name.contains("sig%3d")
}

fn read(listed: ManagedSnapshot) -> Result<SourceSnapshot, MirrorError> {
    let ManagedSnapshot { id, time, size, .. } = listed;
    let length = match size {
        Some(size) if size % FOOTER != 0 => {
            let why = format!("its size of {size} bytes is not a multiple of 512");
            return Err(MirrorError::refused(id, why));
        }
        size => size.map(|size| size.saturating_add(FOOTER)),
    };
    Ok(SourceSnapshot { time, id, length })
}

#[cfg(test)]
mod tests {
    use time::{Duration, macros::datetime};

    use super::*;

    fn snapshot(id: &str, disk: &str, minute: i64) -> ManagedSnapshot {
        ManagedSnapshot {
            id: id.to_owned(),
            disk: disk.to_owned(),
            time: datetime!(2026-01-01 00:00 UTC) + Duration::minutes(minute),
            size: Some(1024),
            is_incremental: true,
            completion: 100.0,
            is_granted: false,
        }
    }

    fn ids(listed: Vec<ManagedSnapshot>, wanted: Option<&str>) -> Vec<String> {
        let (_, found) = the_one_disk(listed, wanted).expect("one disk");
        assert!(found.iter().all(|found| found.length == Some(1536)));
        found.into_iter().map(|found| found.id).collect()
    }

    #[test]
    fn only_complete_incremental_snapshots_count_oldest_first() {
        let full = ManagedSnapshot { is_incremental: false, ..snapshot("full", "other", 1) };
        let half = ManagedSnapshot { completion: 99.9, ..snapshot("half", "D", 2) };
        let listed = vec![snapshot("b", "D", 4), full, half, snapshot("a", "d", 3)];
        assert_eq!(ids(listed, None), ["a", "b"]);
    }

    #[test]
    fn snapshots_of_several_disks_are_refused_unless_one_is_named() {
        let listed = || vec![snapshot("a", "one", 1), snapshot("b", "two", 2)];
        let error = the_one_disk(listed(), None).expect_err("two disks").to_string();
        assert!(error.contains("one, two") && error.contains("ManagedSnapshots::disk"), "{error}");
        assert_eq!(ids(listed(), Some("TWO")), ["b"]);
        let (disk, found) = the_one_disk(listed(), Some("three")).expect("none yet");
        assert_eq!((disk.as_str(), found.len()), ("three", 0));
    }

    #[test]
    fn an_id_that_may_hold_a_signature_is_refused_and_not_shown() {
        let secrets =
            ["https://md-a.z01/x?sv=1&SIG=s3cret", "x?a=s3cret&sig%3Ds3cret", "a://b?s3cret"];
        for secret in secrets {
            for listed in [snapshot(secret, "d", 1), snapshot("a", secret, 1)] {
                let error = the_one_disk(vec![listed], None).expect_err(secret).to_string();
                assert!(error.contains("URL with a SAS") && !error.contains("s3cret"), "{error}");
            }
        }
        for plain in ["/subscriptions/s/providers/Microsoft.Compute/snapshots/a?", "big-signal=1"] {
            assert_eq!(ids(vec![snapshot(plain, "d", 1)], None), [plain]);
        }
    }

    #[test]
    fn what_cannot_be_a_chain_is_refused() {
        let error = |listed| the_one_disk(listed, None).expect_err("refused").to_string();
        assert!(error(vec![]).contains("no incremental snapshots"));
        let twice = vec![snapshot("a", "d", 1), snapshot("a", "d", 2)];
        assert!(error(twice).contains("twice"));
        let twice = vec![snapshot("/GRP/a", "d", 1), snapshot("/grp/A", "d", 2)];
        assert!(error(twice).contains("twice"));
        let odd = ManagedSnapshot { size: Some(700), ..snapshot("a", "d", 1) };
        assert!(error(vec![odd]).contains("700 bytes"));
    }
}
