//! Which snapshots of a chain a policy keeps.

use std::{collections::HashMap, fmt};

use serde::{Deserialize, Serialize};
use time::{UtcOffset, macros::format_description};

use crate::{
    Result, SnapshotId,
    disks::{Chain, ChainSnapshot, DatedSnapshot, Keep, Reason, reads::Reads},
};

/// What a [`prune`](crate::disks::DiskBackup::prune) would delete, and why the rest stays.
///
/// `Display` is a table with a line for each snapshot, the oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PrunePlan {
    /// The destination's name.
    pub destination: String,
    /// The policy.
    pub keep: Keep,
    /// Every snapshot of the chain, by the time of the source snapshots, the oldest first.
    pub snapshots: Vec<PlannedPrune>,
    /// The older generations of which no snapshot is left then: their blobs are deleted too.
    pub bases: Vec<String>,
}

/// What a policy says of one snapshot of a chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct PlannedPrune {
    /// The snapshot of the destination. Its `time`, by which it is judged, is that of the source
    /// snapshot that it equals.
    pub snapshot: ChainSnapshot,
    /// Whether it stays, and why.
    pub fate: PruneFate,
}

/// Whether a snapshot stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum PruneFate {
    /// The policy keeps it, for these reasons.
    Kept(Vec<Reason>),
    /// It is the last one of the newest generation: the next copy builds on it.
    NextNeedsIt,
    /// It is not known which source snapshot it equals. No policy can judge it, so it is left
    /// alone.
    LeftAlone,
    /// No rule keeps it, but a restore or a drill reads it now: a later prune deletes it.
    BeingRead,
    /// No rule keeps it: it is deleted.
    Goes,
}

impl PrunePlan {
    /// Applies a policy to a chain.
    pub(crate) fn of(chain: &Chain, keep: &Keep) -> Result<Self> {
        let reasons = reasons(chain, keep)?;
        let last = last_of_newest_generation(chain);
        let planned = chain.snapshots.iter().zip(reasons).map(|(snapshot, reasons)| {
            let fate = match reasons {
                None => PruneFate::LeftAlone,
                Some(reasons) if !reasons.is_empty() => PruneFate::Kept(reasons),
                Some(_) if last == Some(snapshot) => PruneFate::NextNeedsIt,
                Some(_) => PruneFate::Goes,
            };
            PlannedPrune { snapshot: snapshot.clone(), fate }
        });
        let snapshots: Vec<PlannedPrune> = planned.collect();
        let (destination, keep) = (chain.name.clone(), keep.clone());
        Ok(Self { destination, keep, snapshots, bases: Vec::new() })
    }

    /// Leaves what is being read.
    pub(super) fn spare(&mut self, reads: &Reads) {
        for one in &mut self.snapshots {
            if one.fate == PruneFate::Goes && reads.holds(&one.snapshot) {
                one.fate = PruneFate::BeingRead;
            }
        }
    }

    /// What would go, but is being read.
    pub(super) fn being_read(&self) -> impl Iterator<Item = &ChainSnapshot> {
        let read = self.snapshots.iter().filter(|one| one.fate == PruneFate::BeingRead);
        read.map(|one| &one.snapshot)
    }

    /// The older generations of which no snapshot stays.
    pub(super) fn emptied(&self, newest: u32) -> impl Iterator<Item = u32> {
        let stay = |generation: &u32| {
            let of = self.snapshots.iter().filter(|one| one.snapshot.generation == *generation);
            of.filter(|one| one.stays()).count() > 0
        };
        (1..newest.max(1)).filter(move |generation| !stay(generation))
    }

    /// The snapshots that go, the oldest first.
    pub fn goes(&self) -> impl Iterator<Item = &ChainSnapshot> {
        self.snapshots.iter().filter(|one| !one.stays()).map(|one| &one.snapshot)
    }
}

impl PlannedPrune {
    /// Whether it stays.
    pub fn stays(&self) -> bool {
        self.fate != PruneFate::Goes
    }

    /// Whether the policy keeps it, or cannot judge it.
    pub(super) fn is_kept(&self) -> bool {
        self.stays() && self.fate != PruneFate::BeingRead
    }
}

/// The last snapshot of the newest generation, whatever the times say.
pub(super) fn last_of_newest_generation(chain: &Chain) -> Option<&ChainSnapshot> {
    let newest = chain.snapshots.iter().filter(|one| one.generation == chain.generation);
    newest
        .filter(|one| one.equals.is_some())
        .max_by(|a, b| a.snapshot.as_str().cmp(b.snapshot.as_str()))
}

/// Why each snapshot stays by the policy; `None` of those that it cannot judge.
///
/// The policy tells snapshots apart by their ids, and two generations may use the same one: it is
/// given their places in the chain instead.
fn reasons(chain: &Chain, keep: &Keep) -> Result<Vec<Option<Vec<Reason>>>> {
    let place = |at: usize| SnapshotId::from_service(&format!("{at:020}"));
    // Where a source snapshot is there twice, it counts once.
    let mut first = HashMap::new();
    let known = chain.snapshots.iter().enumerate();
    let known = known.filter_map(|(at, one)| Some((at, *first.entry(one.key()?).or_insert(at))));
    let known: Vec<(usize, usize)> = known.collect();
    let counted = known.iter().filter(|(at, first)| at == first);
    let dated = counted.filter_map(|(at, _)| {
        Some(DatedSnapshot { snapshot: place(*at)?, time: chain.snapshots[*at].time })
    });
    let mut reasons = vec![None; chain.snapshots.len()];
    for kept in keep.apply(dated)? {
        let at: Option<usize> = kept.snapshot.as_str().parse().ok();
        if let Some(reason) = at.and_then(|at| reasons.get_mut(at)) {
            *reason = Some(kept.reasons);
        }
    }
    for (at, first) in known {
        reasons[at] = reasons[first].clone();
    }
    Ok(reasons)
}

impl fmt::Display for PruneFate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kept(reasons) => {
                let reasons: Vec<String> = reasons.iter().map(Reason::to_string).collect();
                f.write_str(&reasons.join(", "))
            }
            Self::NextNeedsIt => f.write_str("the next copy builds on it"),
            Self::LeftAlone => f.write_str("equals no known snapshot of the source"),
            Self::BeingRead => f.write_str("a restore reads it"),
            Self::Goes => Ok(()),
        }
    }
}

impl fmt::Display for PlannedPrune {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = if self.stays() { "keep" } else { "remove" };
        let Self { snapshot, fate } = self;
        let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second]");
        let utc = snapshot.time.and_then(|time| time.checked_to_offset(UtcOffset::UTC));
        let time = utc.and_then(|time| time.format(format).ok());
        let time = time.as_deref().unwrap_or("-");
        let shown = crate::wire::redaction::redact(&snapshot.to_string()).into_owned();
        f.write_str(format!("{action:<6} {shown}  {time:<19}  {fate}").trim_end())
    }
}

impl fmt::Display for PrunePlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for one in &self.snapshots {
            writeln!(f, "{one}")?;
        }
        for base in &self.bases {
            writeln!(f, "remove {base}, of which no snapshot is left")?;
        }
        let goes = self.goes().count();
        write!(f, "{}: {goes} of {} snapshots go", self.keep, self.snapshots.len())
    }
}

#[cfg(test)]
#[path = "plan_tests.rs"]
mod tests;
