//! Which of the listed snapshots are the chain of one disk.

use std::collections::BTreeSet;

use super::ManagedSnapshot;
use crate::disks::{LeftSnapshot, MirrorError, SourceSnapshot};

/// Why a snapshot's id, or a disk's, is refused if it may hold the signature of a SAS.
pub(super) const IS_SECRET: &str = "must be a name or a resource id, and not a URL with a SAS: it \
                                    is kept in metadata and shown in reports";

/// The length of the footer of a VHD.
pub(super) const FOOTER: u64 = 512;

/// What is listed of the one disk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OneDisk {
    /// The disk's unique id.
    pub(crate) id: String,
    /// Its complete incremental snapshots, oldest first.
    pub(crate) snapshots: Vec<SourceSnapshot>,
    /// Its other snapshots, oldest first, and why they are left out.
    pub(crate) left: Vec<LeftSnapshot>,
}

/// The snapshots of the one disk. `wanted` is the disk that the user named.
pub(super) fn the_one_disk(
    listed: Vec<ManagedSnapshot>,
    wanted: Option<&str>,
) -> Result<OneDisk, MirrorError> {
    let is_wanted = |disk: &str| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(disk));
    let (chain, full): (Vec<_>, Vec<_>) =
        listed.into_iter().filter(|it| is_wanted(&it.disk)).partition(|it| it.is_incremental);
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
        let why = match full.len() {
            0 => "no incremental snapshots were found".to_owned(),
            full => format!(
                "no incremental snapshots were found, only {full} full ones, which cannot be \
                 mirrored"
            ),
        };
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
    let full = full.into_iter().filter(|it| {
        // One that cannot be shown is not worth an error.
        it.disk.eq_ignore_ascii_case(&disk) && !may_hold_a_secret(&it.id)
    });
    let (mut snapshots, mut left) = (Vec::new(), Vec::new());
    for listed in chain.into_iter().chain(full) {
        match why_left(&listed) {
            Some(because) => {
                let ManagedSnapshot { time, id, size, .. } = listed;
                let length = size.map(|size| size.saturating_add(FOOTER));
                let snapshot = SourceSnapshot { time, id, length };
                left.push(LeftSnapshot { snapshot, because });
            }
            None => snapshots.push(read(listed)?),
        }
    }
    snapshots.sort_by_cached_key(SourceSnapshot::key);
    left.sort_by_cached_key(|left: &LeftSnapshot| left.snapshot.key());
    Ok(OneDisk { id: disk, snapshots, left })
}

/// Why a snapshot of the disk is not mirrored.
fn why_left(listed: &ManagedSnapshot) -> Option<String> {
    if !listed.is_incremental {
        return Some("it is a full snapshot, and only incremental ones are mirrored".to_owned());
    }
    (listed.completion < 100.0).then(|| not_complete(listed.completion))
}

/// In words.
pub(super) fn not_complete(percent: f64) -> String {
    // Whole percents, and never 100 of what is not complete.
    format!("it is not complete yet: {} %", percent.clamp(0.0, 99.0).floor())
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
            needs_token: None,
        }
    }

    fn ids(listed: Vec<ManagedSnapshot>, wanted: Option<&str>) -> Vec<String> {
        let found = the_one_disk(listed, wanted).expect("one disk").snapshots;
        assert!(found.iter().all(|found| found.length == Some(1536)));
        found.into_iter().map(|found| found.id).collect()
    }

    #[test]
    fn only_complete_incremental_snapshots_count_oldest_first() {
        let other = ManagedSnapshot { is_incremental: false, ..snapshot("other", "other", 1) };
        let full = ManagedSnapshot { is_incremental: false, ..snapshot("full", "d", 5) };
        let half = ManagedSnapshot { completion: 99.9, ..snapshot("half", "D", 2) };
        let listed = vec![snapshot("b", "D", 4), full, half, other, snapshot("a", "d", 3)];
        assert_eq!(ids(listed.clone(), None), ["a", "b"]);
        let left = the_one_disk(listed, None).expect("one disk").left;
        let left: Vec<_> =
            left.iter().map(|left| (left.snapshot.id.as_str(), left.because.as_str())).collect();
        let full = "it is a full snapshot, and only incremental ones are mirrored";
        assert_eq!(left, [("half", "it is not complete yet: 99 %"), ("full", full)]);
    }

    #[test]
    fn snapshots_of_several_disks_are_refused_unless_one_is_named() {
        let listed = || vec![snapshot("a", "one", 1), snapshot("b", "two", 2)];
        let error = the_one_disk(listed(), None).expect_err("two disks").to_string();
        assert!(error.contains("one, two") && error.contains("ManagedSnapshots::disk"), "{error}");
        assert_eq!(ids(listed(), Some("TWO")), ["b"]);
        let found = the_one_disk(listed(), Some("three")).expect("none yet");
        assert_eq!((found.id.as_str(), found.snapshots.len()), ("three", 0));
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
        let full = ManagedSnapshot { is_incremental: false, ..snapshot("full", "d", 1) };
        assert!(error(vec![full]).contains("only 1 full ones"));
        let twice = vec![snapshot("a", "d", 1), snapshot("a", "d", 2)];
        assert!(error(twice).contains("twice"));
        let twice = vec![snapshot("/GRP/a", "d", 1), snapshot("/grp/A", "d", 2)];
        assert!(error(twice).contains("twice"));
        let odd = ManagedSnapshot { size: Some(700), ..snapshot("a", "d", 1) };
        assert!(error(vec![odd]).contains("700 bytes"));
    }
}
