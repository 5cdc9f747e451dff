//! Which of the listed snapshots are the chain of one disk.

use std::collections::{BTreeMap, BTreeSet};

use super::{ManagedSnapshot, ids::why_not};
use crate::disks::{LeftSnapshot, MirrorError, SourceSnapshot};

/// The length of the footer of a VHD.
pub(super) const FOOTER: u64 = 512;

/// What is listed of the one disk.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct OneDisk {
    /// The disk's unique id.
    pub(crate) id: String,
    /// Its complete incremental snapshots, oldest first.
    pub(crate) snapshots: Vec<SourceSnapshot>,
    /// Its incremental snapshots that are not complete yet, oldest first.
    pub(crate) incomplete: Vec<SourceSnapshot>,
    /// Its other snapshots, oldest first, and why they are left out.
    pub(crate) left: Vec<LeftSnapshot>,
    /// Other disks of which there are snapshots, though nobody named the one.
    pub(crate) others: Vec<String>,
}

/// The snapshots of the one disk. `wanted` is the disk that the user named, and `known` the one
/// that the destination is the mirror of.
pub(super) fn the_one_disk(
    listed: Vec<ManagedSnapshot>,
    wanted: Option<&str>,
    known: Option<&str>,
) -> Result<OneDisk, MirrorError> {
    let is_wanted = |disk: &str| wanted.is_none_or(|wanted| wanted.eq_ignore_ascii_case(disk));
    let (mut chain, full): (Vec<_>, Vec<_>) =
        listed.into_iter().filter(|it| is_wanted(&it.disk)).partition(|it| it.is_incremental);
    // The listed text itself is not shown.
    if let Some(why) = chain.iter().find_map(|it| why_not(&it.id)) {
        return Err(MirrorError::refused("managed disk", format!("the id of a snapshot {why}")));
    }
    if let Some(lost) = chain.iter().find(|it| it.disk.trim().is_empty()) {
        let why = "its list does not say of which disk it is: its unique id is empty";
        return Err(MirrorError::refused(&lost.id, why));
    }
    let all = chain.iter().map(|it| it.disk.as_str()).chain(wanted);
    if let Some(why) = all.clone().find_map(why_not) {
        return Err(MirrorError::refused("managed disk", format!("its unique id {why}")));
    }
    let disks = chain.iter().map(|it| (it.disk.to_ascii_lowercase(), it.disk.clone()));
    let mut disks: BTreeMap<String, String> = disks.collect();
    let mut others = Vec::new();
    if disks.len() > 1 {
        let known = known.map(str::to_ascii_lowercase).filter(|known| disks.contains_key(known));
        let Some(known) = known else { return Err(several(disks.into_values())) };
        chain.retain(|it| it.disk.eq_ignore_ascii_case(&known));
        disks.remove(&known);
        others.extend(disks.into_values());
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
    let mut ids = BTreeSet::new();
    if let Some(twice) = chain.iter().find(|it| !ids.insert(it.id.to_ascii_lowercase())) {
        return Err(MirrorError::refused(&twice.id, "the snapshot is listed twice"));
    }
    let full = full.into_iter().filter(|it| {
        // One that cannot be shown is not worth an error.
        it.disk.eq_ignore_ascii_case(&disk) && why_not(&it.id).is_none()
    });
    let (mut snapshots, mut incomplete, mut left) = (Vec::new(), Vec::new(), Vec::new());
    for listed in chain.into_iter().chain(full) {
        match why_left(&listed) {
            Some(because) => {
                let ManagedSnapshot { time, id, size, is_incremental, .. } = listed;
                let length = size.map(|size| size.saturating_add(FOOTER));
                let snapshot = SourceSnapshot { time, id, length };
                incomplete.extend(is_incremental.then(|| snapshot.clone()));
                left.push(LeftSnapshot { snapshot, because });
            }
            None => snapshots.push(read(listed)?),
        }
    }
    snapshots.sort_by_cached_key(SourceSnapshot::key);
    incomplete.sort_by_cached_key(SourceSnapshot::key);
    left.sort_by_cached_key(|left: &LeftSnapshot| left.snapshot.key());
    Ok(OneDisk { id: disk, snapshots, incomplete, left, others })
}

/// The refusal of snapshots of several disks.
fn several(disks: impl Iterator<Item = String>) -> MirrorError {
    let ids: Vec<String> = disks.collect();
    MirrorError::refused(
        "managed disk",
        format_args!(
            "the snapshots are of {} disks, with the unique ids {}: a disk that was made again \
             under its name is another one, and needs a destination of its own; name one of them \
             with ManagedSnapshots::disk (of the command: --disk-id)",
            ids.len(),
            ids.join(", ")
        ),
    )
}

/// Why a snapshot of the disk is not mirrored.
fn why_left(listed: &ManagedSnapshot) -> Option<String> {
    if !listed.is_incremental {
        return Some("it is a full snapshot, and only incremental ones are mirrored".to_owned());
    }
    (!is_complete(listed.completion)).then(|| not_complete(listed.completion))
}

/// Whether all of a snapshot is there. What is no number does not say so.
pub(super) fn is_complete(percent: f64) -> bool {
    percent >= 100.0
}

/// In words.
pub(super) fn not_complete(percent: f64) -> String {
    if percent.is_nan() {
        return "it is not known to be complete".to_owned();
    }
    // Whole percents, and never 100 of what is not complete.
    format!("it is not complete yet: {} %", percent.clamp(0.0, 99.0).floor())
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
        let found = the_one_disk(listed, wanted, None).expect("one disk").snapshots;
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
        let left = the_one_disk(listed, None, None).expect("one disk").left;
        let left: Vec<_> =
            left.iter().map(|left| (left.snapshot.id.as_str(), left.because.as_str())).collect();
        let full = "it is a full snapshot, and only incremental ones are mirrored";
        assert_eq!(left, [("half", "it is not complete yet: 99 %"), ("full", full)]);
    }

    #[test]
    fn snapshots_of_several_disks_are_refused_unless_one_is_named() {
        let listed = || vec![snapshot("a", "one", 1), snapshot("b", "two", 2)];
        let error = the_one_disk(listed(), None, None).expect_err("two disks").to_string();
        assert!(error.contains("one, two") && error.contains("ManagedSnapshots::disk"), "{error}");
        assert_eq!(ids(listed(), Some("TWO")), ["b"]);
        let found = the_one_disk(listed(), Some("three"), None).expect("none yet");
        assert_eq!((found.id.as_str(), found.snapshots.len()), ("three", 0));
    }

    #[test]
    fn an_id_that_may_hold_a_signature_is_refused_and_not_shown() {
        let secrets =
            ["https://md-a.z01/x?sv=1&SIG=s3cret", "x?a=s3cret&sig%3Ds3cret", "a://b?s3cret"];
        for secret in secrets {
            for listed in [snapshot(secret, "d", 1), snapshot("a", secret, 1)] {
                let error = the_one_disk(vec![listed], None, None).expect_err(secret).to_string();
                assert!(error.contains("URL with a SAS") && !error.contains("s3cret"), "{error}");
            }
        }
        for plain in ["/subscriptions/s/providers/Microsoft.Compute/snapshots/a?", "big-signal=1"] {
            assert_eq!(ids(vec![snapshot(plain, "d", 1)], None), [plain]);
        }
    }

    #[test]
    fn a_snapshot_that_does_not_say_of_which_disk_it_is_is_refused() {
        let error =
            |listed, wanted| the_one_disk(listed, wanted, None).expect_err("refused").to_string();
        for blank in ["", "  "] {
            let listed = || vec![snapshot("a", blank, 1), snapshot("b", blank, 2)];
            let expected = "a: its list does not say of which disk it is: its unique id is empty";
            assert_eq!(error(listed(), None), expected);
            assert_eq!(error(listed(), Some(blank)), expected);
            assert!(error(vec![], Some(blank)).contains("unique id must not be empty"));
            let mixed = vec![snapshot("b", "d", 1), snapshot("a", blank, 2)];
            assert_eq!(error(mixed.clone(), None), expected);
            assert_eq!(ids(mixed, Some("d")), ["b"]);
        }
    }

    #[test]
    fn of_several_disks_the_one_that_the_destination_has_is_taken() {
        let listed = || vec![snapshot("a", "One", 1), snapshot("b", "two", 2)];
        let found = the_one_disk(listed(), None, Some("ONE")).expect("the known one");
        assert_eq!((found.id.as_str(), found.others), ("One", vec!["two".to_owned()]));
        assert_eq!(found.snapshots.len(), 1);
        let error = the_one_disk(listed(), None, Some("three")).expect_err("neither").to_string();
        assert!(error.contains("One, two") && error.contains("--disk-id"), "{error}");
        let named = the_one_disk(listed(), Some("two"), Some("one")).expect("the named one");
        assert_eq!((named.id.as_str(), named.others.len()), ("two", 0));
    }

    #[test]
    fn what_does_not_say_how_complete_it_is_is_not_complete() {
        let odd = ManagedSnapshot { completion: f64::NAN, ..snapshot("odd", "d", 2) };
        let listed = vec![odd, snapshot("a", "d", 1)];
        let found = the_one_disk(listed, None, None).expect("one disk");
        assert_eq!((found.snapshots.len(), found.incomplete[0].id.as_str()), (1, "odd"));
        assert_eq!(found.left[0].because, "it is not known to be complete");
    }

    #[test]
    fn what_cannot_be_a_chain_is_refused() {
        let error = |listed| the_one_disk(listed, None, None).expect_err("refused").to_string();
        assert!(error(vec![]).contains("no incremental snapshots"));
        let full = ManagedSnapshot { is_incremental: false, ..snapshot("full", "d", 1) };
        assert!(error(vec![full]).contains("only 1 full ones"));
        let twice = vec![snapshot("a", "d", 1), snapshot("a", "d", 2)];
        assert!(error(twice).contains("twice"));
        let twice = vec![snapshot("/GRP/a", "d", 1), snapshot("/grp/A", "d", 2)];
        assert!(error(twice).contains("twice"));
        assert!(error(vec![snapshot("a\x1b[31m", "d", 1)]).contains("control characters"));
        assert!(error(vec![snapshot("a", &"d".repeat(7000), 1)]).contains("its unique id is 7000"));
        let odd = ManagedSnapshot { size: Some(700), ..snapshot("a", "d", 1) };
        assert!(error(vec![odd]).contains("700 bytes"));
    }
}
