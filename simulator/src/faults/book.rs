//! The rules in effect, and which of them strikes a request.

use std::time::Duration;

use time::OffsetDateTime;

use super::struck::{Chosen, Fault};
use crate::wire::{call::Call, op::Op};

/// The rules in effect.
#[derive(Debug)]
pub(crate) struct FaultBook {
    rules: Vec<Rule>,
    made: u64,
    /// The random numbers for chances: separate, so that the ids of a run do not depend on the
    /// rules.
    random: fastrand::Rng,
    /// How far the service's clock is ahead.
    pub(crate) skew: time::Duration,
}

#[derive(Debug)]
pub(crate) struct Rule {
    id: u64,
    op: Option<Op>,
    pub(crate) account: Option<String>,
    pub(crate) container: Option<String>,
    pub(crate) blob: Option<String>,
    /// Only requests for more than this many bytes.
    pub(crate) wider_than: Option<u64>,
    /// How many matching requests to let pass first.
    pub(crate) skip: u64,
    pub(crate) left: Option<u64>,
    pub(crate) chance: f64,
    pub(crate) fault: Option<Fault>,
    pub(crate) headers: Vec<(String, String)>,
    /// Until when earlier requests have used up the rate of a throttle.
    used_until: Option<OffsetDateTime>,
}

impl FaultBook {
    pub(crate) fn new(seed: u64) -> Self {
        let (random, skew) = (fastrand::Rng::with_seed(seed), time::Duration::ZERO);
        Self { rules: Vec::new(), made: 0, random, skew }
    }

    /// The time on the service's clock.
    pub(crate) fn skewed(&self, now: OffsetDateTime) -> OffsetDateTime {
        now.checked_add(self.skew).unwrap_or(now)
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.skew = time::Duration::ZERO;
    }

    /// Adds a rule that does nothing yet, and returns its id.
    pub(crate) fn add(&mut self, op: Option<Op>) -> u64 {
        self.made += 1;
        self.rules.push(Rule {
            id: self.made,
            op,
            account: None,
            container: None,
            blob: None,
            wider_than: None,
            skip: 0,
            left: None,
            chance: 1.0,
            fault: None,
            headers: Vec::new(),
            used_until: None,
        });
        self.made
    }

    pub(crate) fn rule_mut(&mut self, id: u64) -> Option<&mut Rule> {
        self.rules.iter_mut().find(|rule| rule.id == id)
    }

    /// The fault that strikes this request, if one does.
    pub(crate) fn strike(&mut self, call: &Call) -> Option<Chosen> {
        let Self { rules, random, .. } = self;
        let matching = rules.iter_mut().filter(|rule| rule.fault.is_some() && rule.matches(call));
        for rule in matching {
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            if rule.left == Some(0)
                || (rule.chance < 1.0 && random.f64() >= rule.chance)
                || !rule.is_exceeded(call.now)
            {
                continue;
            }
            rule.left = rule.left.map(|left| left - 1);
            let fault = rule.fault.clone()?;
            return Some(Chosen { fault, headers: rule.headers.clone(), seed: random.u64(..) });
        }
        None
    }
}

impl Rule {
    fn matches(&self, call: &Call) -> bool {
        let same = |wanted: &Option<String>, actual: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| actual == Some(wanted))
        };
        // A request in a batch has no connection, and no answer that could be cut.
        let answers = matches!(self.fault, Some(Fault::Answer(..) | Fault::Throttle(_)));
        (answers || call.batch.is_none())
            && self.op.is_none_or(|op| op == call.op)
            && same(&self.account, Some(&call.route.account))
            && same(&self.container, call.route.container.as_deref())
            && same(&self.blob, call.route.blob.as_deref())
            && self.wider_than.is_none_or(|bytes| is_wider(call, bytes))
    }

    /// Whether the rate of a throttle is used up; a request that passes uses its share. Other
    /// faults have no rate.
    fn is_exceeded(&mut self, now: OffsetDateTime) -> bool {
        let Some(Fault::Throttle(per_second)) = self.fault else { return true };
        let Some(share) = Duration::from_secs(1).checked_div(per_second) else { return true };
        let until = self.used_until.map_or(now, |until| until.max(now)) + share;
        let exceeded = until > now + Duration::from_secs(1);
        if !exceeded {
            self.used_until = Some(until);
        }
        exceeded
    }
}

/// Whether a request is for more than `bytes` bytes; without a range it is for all.
fn is_wider(call: &Call, bytes: u64) -> bool {
    let range = call.range().ok().flatten();
    let last = range.and_then(|range| Some((range.start, range.last?)));
    last.is_none_or(|(start, last)| last - start >= bytes)
}
