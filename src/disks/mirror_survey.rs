//! Both sides of a mirror, and what follows from them: the copies to make.

use std::collections::HashSet;

use time::OffsetDateTime;

use super::{
    BrokenSeries, Chain, ChainSnapshot, DatedSnapshot, HopDone, Keep, LeftSnapshot, MirrorError,
    MirrorPlan, MirrorRoute, MirrorWarning, PlannedHop, SourceSnapshot,
    chain::{Base, copied as copied_by},
    lineage::{Lineage, Point},
    source::SourceKey,
};
use crate::SnapshotId;

/// What is there, and what is to be copied.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Survey {
    /// The source's unique id.
    pub(crate) source: String,
    pub(crate) destination: String,
    pub(crate) chain: Chain,
    pub(crate) route: MirrorRoute,
    pub(crate) because: String,
    /// The copies, oldest first.
    pub(crate) steps: Vec<Step>,
    pub(crate) left: Vec<LeftSnapshot>,
    /// Why nothing can follow the steps.
    pub(crate) broken: Option<BrokenSeries>,
    pub(crate) warnings: Vec<MirrorWarning>,
    /// How many of the source's snapshots are at the destination.
    pub(crate) present: u64,
}

/// A copy of one source snapshot.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Step {
    pub(crate) from: Option<SourceSnapshot>,
    pub(crate) to: SourceSnapshot,
    pub(crate) generation: u32,
    pub(crate) bytes: Option<u64>,
    pub(crate) cleared: u64,
    pub(crate) whole: Option<String>,
}

/// The two sides as they were listed.
#[derive(Debug)]
pub(crate) struct Sides<'a> {
    pub(crate) source: String,
    pub(crate) is_managed: bool,
    /// Oldest first.
    pub(crate) snapshots: Vec<SourceSnapshot>,
    /// Those that cannot be read yet, oldest first. None after the first of them is copied now,
    /// since it could never follow.
    pub(crate) incomplete: Vec<SourceSnapshot>,
    pub(crate) destination: String,
    pub(crate) chain: Chain,
    /// The other blob that the copies into the newest generation come from.
    pub(crate) other: Option<String>,
    /// What a base by ranges that has lost its lineage equals.
    pub(crate) found: Option<Lineage>,
    pub(crate) route: Option<MirrorRoute>,
    pub(crate) new_generation: bool,
    pub(crate) pruning: Option<&'a Keep>,
}

/// The source snapshot that the newest generation equals.
struct Tip {
    id: String,
    time: OffsetDateTime,
}

impl Tip {
    fn key(&self) -> SourceKey {
        SourceKey::of(&self.id, self.time)
    }
}

impl Survey {
    /// Decides what to copy. Sends nothing.
    pub(crate) fn of(sides: Sides<'_>) -> Result<Self, MirrorError> {
        let (route, because) = sides.route()?;
        if let Some(other) = &sides.other {
            return Err(of_another(&sides.destination, other));
        }
        let tip = sides.tip(route)?;
        let Sides { source, snapshots, destination, chain, .. } = &sides;
        let newest = chain.newest().and_then(ChainSnapshot::key);
        let floor = newest.max(tip.as_ref().map(Tip::key));
        let unsealed = sides.unsealed(route);
        let (present, mut left, mut later) =
            sort(snapshots, &chain.keys(), floor.clone(), (unsealed.as_ref(), tip.as_ref()));
        let begun = unsealed.as_ref().map(|to| SourceKey::of(&to.id, to.time));
        let waits = sides.first_incomplete(floor.max(begun));
        if let Some(waits) = waits {
            let end = later.partition_point(|one| one.key() < waits.key());
            left.extend(later.drain(end..).map(|snapshot| LeftSnapshot {
                snapshot,
                because: format!("it is later than {waits}, which is not complete yet"),
            }));
        }
        let last = tip.as_ref().map(|tip| snapshots.iter().find(|s| s.is(&tip.id, tip.time)));
        let is_gone = matches!(last, Some(None));
        let mut warnings = twice(chain);
        let foreign = chain.foreign.iter().cloned();
        warnings.extend(foreign.map(|blob| MirrorWarning::ForeignGeneration { blob }));
        if let Some(equals) = sides.found.as_ref().and_then(|found| found.equals.as_ref()) {
            warnings.push(MirrorWarning::MetadataLost { snapshot: equals.id.clone() });
        }
        if let Some(tip) = &tip {
            let is_deleted = left.iter().any(|left| left.snapshot.is(&tip.id, tip.time));
            let deleted = is_deleted.then(|| tip.id.clone());
            warnings.extend(deleted.map(|snapshot| MirrorWarning::CopyDeleted { snapshot }));
        }
        if let Some(waits) = waits {
            warnings.push(MirrorWarning::Incomplete { snapshot: waits.id.clone() });
        } else if snapshots.is_empty() {
            warnings.push(MirrorWarning::NoSourceSnapshots);
        }
        let incremental = route == MirrorRoute::Incremental;
        if let Some(tip) = &tip {
            if is_gone && (!incremental || later.is_empty()) {
                let snapshot = tip.id.clone();
                warnings.push(MirrorWarning::LastSourceSnapshotGone { snapshot });
            }
            if !is_gone && !later.is_empty() && sides.prunes(tip)? {
                warnings.push(MirrorWarning::AboutToBePruned { snapshot: tip.id.clone() });
            }
        }
        let broken = match () {
            () if !incremental => None,
            () if is_gone && !later.is_empty() => Some(BrokenSeries::LastSnapshotGone),
            () => None,
        };
        let from = last.flatten().cloned();
        let why = match (is_gone, &from) {
            (true, _) => Some("the source snapshot that was copied last is gone".to_owned()),
            (false, None) => Some("the first copy".to_owned()),
            (false, Some(_)) => None,
        };
        let mut steps = steps(from, later, chain.generation.max(1), why);
        if sides.is_managed {
            steps.iter_mut().for_each(Step::mark_border);
        }
        let mut survey = Self {
            steps,
            source: source.clone(),
            destination: destination.clone(),
            chain: sides.chain,
            route,
            because,
            left,
            broken: None,
            warnings,
            present,
        };
        if let Some(reason) = broken {
            survey.break_at(0, reason, sides.new_generation);
        }
        Ok(survey)
    }

    /// Ends the series before a step, or goes on with a new generation there.
    pub(crate) fn break_at(&mut self, step: usize, reason: BrokenSeries, new_generation: bool) {
        if !new_generation {
            let rest = self.steps.drain(step.min(self.steps.len())..);
            let because = format!("the series is broken: {reason}");
            let left =
                rest.map(|step| LeftSnapshot { snapshot: step.to, because: because.clone() });
            self.left.extend(left);
            self.broken = Some(reason);
            return;
        }
        let later = self.steps.iter_mut().skip(step);
        later.for_each(|later| later.generation = self.chain.next_free(later.generation));
        if let Some(first) = self.steps.get_mut(step) {
            first.from = None;
            first.whole = Some(format!("a new generation: {reason}"));
        }
    }

    /// Leaves out the steps to snapshots that the service has refused.
    pub(crate) fn leave(&mut self, refused: &[SourceSnapshot]) {
        let mut from = None;
        for step in std::mem::take(&mut self.steps) {
            let step = Step { from: from.take().unwrap_or(step.from), ..step };
            if refused.contains(&step.to) {
                from = Some(step.from);
                let because = "the service says that a later one was copied before".to_owned();
                self.left.push(LeftSnapshot { snapshot: step.to, because });
            } else {
                self.steps.push(step);
            }
        }
    }

    /// Counts what was there before the run that has made these hops.
    pub(crate) fn count_without(&mut self, hops: &[HopDone]) {
        let there = self.chain.keys();
        let own = hops.iter().filter(|done| there.contains(&done.source.key())).count();
        self.present = self.present.saturating_sub(own as u64);
    }

    pub(crate) fn plan(&self) -> MirrorPlan {
        let hop = |step: &Step| PlannedHop {
            from: step.from.clone(),
            to: step.to.clone(),
            generation: step.generation,
            bytes: step.bytes,
            cleared: step.cleared,
            whole: step.whole.clone(),
        };
        let generation = self.steps.first().map(|step| step.generation);
        MirrorPlan {
            source: self.source.clone(),
            destination: self.destination.clone(),
            route: self.route,
            because: self.because.clone(),
            generation: generation.unwrap_or_else(|| self.chain.generation.max(1)),
            chain: self.chain.clone(),
            hops: self.steps.iter().map(hop).collect(),
            left: self.left.clone(),
            broken: self.broken.clone(),
            warnings: self.warnings.clone(),
        }
    }
}

/// The length of a managed disk of 4 TiB, with its footer.
const BORDER: u64 = (4 << 40) + 512;

impl Step {
    /// The service gives no difference between managed snapshots if one is longer than 4 TiB and
    /// the other is not.
    fn mark_border(&mut self) {
        let is_beyond = |snapshot: &SourceSnapshot| Some(snapshot.length? > BORDER);
        let before = self.from.as_ref().and_then(is_beyond);
        if self.whole.is_none() && before.is_some_and(|before| Some(!before) == is_beyond(&self.to))
        {
            self.whole = Some("the service gives no difference across 4 TiB".to_owned());
        }
    }
}

impl Sides<'_> {
    /// The route, and why.
    fn route(&self) -> Result<(MirrorRoute, String), MirrorError> {
        let Some(base) = self.chain.base() else {
            let (route, because) = match (self.route, self.is_managed) {
                (Some(MirrorRoute::Incremental), true) => {
                    let why = "is a managed disk, which Incremental Copy Blob cannot read: mirror \
                               it by changed ranges";
                    return Err(MirrorError::refused(&self.source, why));
                }
                (Some(route), _) => (route, "it was chosen for the first copy"),
                (None, true) => {
                    (MirrorRoute::Ranges, "Incremental Copy Blob cannot read managed disks")
                }
                (None, false) => {
                    (MirrorRoute::Incremental, "source and destination are page blobs")
                }
            };
            return Ok((route, because.to_owned()));
        };
        let found = base.route().filter(|_| base.is_page_blob).ok_or_else(|| {
            let why = "exists and was not made by a mirror: choose another name";
            MirrorError::refused(&self.destination, why)
        })?;
        if self.route.is_some_and(|wanted| wanted != found) {
            let why = format!("is mirrored by {found}, and a destination keeps its route");
            return Err(MirrorError::refused(&self.destination, why));
        }
        if found == MirrorRoute::Incremental && self.is_managed {
            let why = "is a mirror by Incremental Copy Blob, which cannot read managed disks: \
                       choose another name";
            return Err(MirrorError::refused(&self.destination, why));
        }
        Ok((found, "the destination was begun so".to_owned()))
    }

    fn tip(&self, route: MirrorRoute) -> Result<Option<Tip>, MirrorError> {
        let Some(base) = self.chain.base() else { return Ok(None) };
        if route == MirrorRoute::Ranges {
            return self.tip_by_ranges(base);
        }
        let of_this = |found: &&ChainSnapshot| found.generation == self.chain.generation;
        let copied = self.chain.snapshots.iter().rev().filter(of_this);
        let mut copied = copied.filter_map(|found| Some((found.equals.clone()?, found.time?)));
        let last = base.copy.as_ref().and_then(copied_by);
        let last = last.and_then(|(id, time)| Some((id, time?)));
        // The snapshot of the last copy may have been deleted: the base still equals it.
        let tips = [copied.next(), last].into_iter().flatten();
        Ok(tips.map(|(id, time)| Tip { id, time }).max_by_key(Tip::key))
    }

    fn tip_by_ranges(&self, base: &Base) -> Result<Option<Tip>, MirrorError> {
        let lineage = self.found.clone().or_else(|| Lineage::read(&base.metadata));
        let lineage = lineage.ok_or_else(|| {
            let why = "has metadata of a mirror that cannot be read: its lineage is unknown";
            MirrorError::refused(&self.destination, why)
        })?;
        if !lineage.is_of(&self.source) {
            return Err(of_another(&self.destination, &lineage.source));
        }
        Ok(lineage.equals.map(|point| Tip { id: point.id, time: point.time }))
    }

    /// The source snapshot of a hop by ranges that was torn while its snapshot was taken. It may be
    /// there already, or twice: the hop is to be ended first.
    fn unsealed(&self, route: MirrorRoute) -> Option<Point> {
        let base = self.chain.base().filter(|_| route == MirrorRoute::Ranges)?;
        let hop = Lineage::read(&base.metadata)?.hop?;
        Some(hop.to).filter(|_| hop.sealing)
    }

    /// The first snapshot after what is copied that cannot be read yet.
    fn first_incomplete(&self, copied: Option<SourceKey>) -> Option<&SourceSnapshot> {
        let is_later = |one: &&SourceSnapshot| copied.as_ref().is_none_or(|it| one.key() > *it);
        self.incomplete.iter().find(is_later)
    }

    /// Whether the policy for the source would remove the tip now.
    fn prunes(&self, tip: &Tip) -> Result<bool, MirrorError> {
        let Some(keep) = self.pruning else { return Ok(false) };
        // The ids of a managed disk's snapshots are names: their places stand for them.
        let place = |at: usize| SnapshotId::from_service(&format!("{at:020}"));
        let dated = self.snapshots.iter().enumerate().filter_map(|(at, one)| {
            Some(DatedSnapshot { snapshot: place(at)?, time: Some(one.time) })
        });
        let kept = keep.apply(dated)?;
        let at = self.snapshots.iter().position(|one| one.is(&tip.id, tip.time));
        let Some(place) = at.and_then(place) else { return Ok(false) };
        Ok(kept.iter().any(|kept| kept.snapshot == place && !kept.stays()))
    }
}

/// The refusal of a destination that is the mirror of another source.
pub(crate) fn of_another(destination: &str, other: &str) -> MirrorError {
    MirrorError::refused(
        destination,
        format_args!("is a mirror of {other}: choose another destination"),
    )
}

/// How many snapshots are there, those that are left out, and those to copy.
fn sort(
    snapshots: &[SourceSnapshot],
    there: &HashSet<SourceKey>,
    floor: Option<SourceKey>,
    (unsealed, tip): (Option<&Point>, Option<&Tip>),
) -> (u64, Vec<LeftSnapshot>, Vec<SourceSnapshot>) {
    let (mut present, mut left, mut later) = (0, Vec::new(), Vec::new());
    for snapshot in snapshots {
        let key = snapshot.key();
        if unsealed.is_some_and(|point| point.is(snapshot)) {
            later.push(snapshot.clone());
        } else if there.contains(&key) {
            present += 1;
        } else if floor.as_ref().is_none_or(|floor| key > *floor) {
            later.push(snapshot.clone());
        } else {
            let is_beside = floor.as_ref().is_some_and(|floor| floor.time == key.time);
            let because = match tip.is_some_and(|tip| snapshot.is(&tip.id, tip.time)) {
                true => "it was copied, and the copy was deleted at the destination",
                false if is_beside => {
                    "it has the same time as the newest that was copied, and comes before it"
                }
                false => "it is older than the newest that was copied",
            };
            let because = because.to_owned();
            left.push(LeftSnapshot { snapshot: snapshot.clone(), because });
        }
    }
    (present, left, later)
}

fn steps(
    mut from: Option<SourceSnapshot>,
    later: Vec<SourceSnapshot>,
    generation: u32,
    mut whole: Option<String>,
) -> Vec<Step> {
    let step = |to: SourceSnapshot| {
        let from = from.replace(to.clone());
        Step { from, to, generation, bytes: None, cleared: 0, whole: whole.take() }
    };
    later.into_iter().map(step).collect()
}

/// A warning for each source snapshot that more than one of the destination equals.
fn twice(chain: &Chain) -> Vec<MirrorWarning> {
    let equal = |a: &ChainSnapshot, b: &ChainSnapshot| {
        a.equals.is_some() && (a.key(), a.generation) == (b.key(), b.generation)
    };
    let groups = chain.snapshots.chunk_by(equal).filter(|group| group.len() > 1);
    let ids = groups.filter_map(|group| group.first()?.equals.clone());
    ids.map(|snapshot| MirrorWarning::CopiedTwice { snapshot }).collect()
}

#[cfg(test)]
#[path = "mirror_survey_tests.rs"]
mod tests;
