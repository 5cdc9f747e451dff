//! Counts what happened, by kind, to check that the test covers it.

use std::{collections::BTreeMap, fmt};

use super::faults::Fault;

/// How often each thing happened.
#[derive(Debug, Default)]
pub(super) struct Tally(BTreeMap<(Group, &'static str), u64>);

/// The kinds of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Group {
    Copy,
    Fault,
    Rival,
    Start,
    Wait,
    Abort,
    Note,
}

/// Everything that must happen in a run of many seeds, in addition to every fault.
const EXPECTED: [(Group, &[&str]); 5] = [
    (Group::Copy, &["incremental", "pages", "pages of a snapshot", "block blob"]),
    (
        Group::Rival,
        &[
            "aborts",
            "deletes",
            "writes the destination",
            "copies the same source",
            "copies another source",
            "changes the source",
            "deletes the container",
        ],
    ),
    (Group::Start, &["started", "adopted its own", "adopted another's", "refused", "lost"]),
    (
        Group::Wait,
        &[
            "completed",
            "failed",
            "aborted",
            "superseded",
            "destination gone",
            "no copy properties",
            "timed out",
        ],
    ),
    (Group::Abort, &["aborted", "already finished", "superseded or gone", "lost"]),
];

impl Tally {
    pub(super) fn count(&mut self, group: Group, kind: &'static str) {
        *self.0.entry((group, kind)).or_default() += 1;
    }

    pub(super) fn add(&mut self, other: &Self) {
        for (kind, count) in &other.0 {
            *self.0.entry(*kind).or_default() += count;
        }
    }

    /// What should have happened and did not.
    pub(super) fn missing(&self) -> Vec<(Group, &'static str)> {
        let expected = EXPECTED
            .iter()
            .flat_map(|(group, kinds)| kinds.iter().map(move |kind| (*group, *kind)));
        let faults = Fault::ALL.iter().map(|fault| (Group::Fault, fault.name()));
        expected.chain(faults).filter(|kind| !self.0.contains_key(kind)).collect()
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let titles = [
            (Group::Copy, "copies"),
            (Group::Fault, "faults injected"),
            (Group::Rival, "what rivals did"),
            (Group::Start, "how starts ended"),
            (Group::Wait, "how waits ended"),
            (Group::Abort, "how aborts ended"),
            (Group::Note, "besides"),
        ];
        for (group, title) in titles {
            let of_group = || self.0.iter().filter(move |((other, _), _)| *other == group);
            let all: u64 = of_group().map(|(_, count)| count).sum();
            writeln!(f, "{all:>9}  {title}")?;
            for ((_, kind), count) in of_group() {
                writeln!(f, "{count:>9}    {kind}")?;
            }
        }
        Ok(())
    }
}
