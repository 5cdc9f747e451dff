//! The rules in force, and what they do to a request.

use std::time::Duration;

use http::{HeaderName, Response, StatusCode};
use time::OffsetDateTime;

use crate::{call::Call, error::Refusal, op::Op, payload::Payload};

/// The rules in force.
#[derive(Debug)]
pub(crate) struct FaultBook {
    rules: Vec<Rule>,
    made: u64,
    /// What decides by chance: of its own, so that the ids of a run stay what they are without it.
    random: fastrand::Rng,
    /// How far the service's clock is ahead.
    pub(super) skew: time::Duration,
}

#[derive(Debug)]
pub(super) struct Rule {
    id: u64,
    op: Option<Op>,
    pub(super) account: Option<String>,
    pub(super) container: Option<String>,
    pub(super) blob: Option<String>,
    /// How many matching requests are let through first.
    pub(super) skip: u64,
    pub(super) left: Option<u64>,
    pub(super) chance: f64,
    pub(super) fault: Option<Fault>,
    pub(super) headers: Vec<(String, String)>,
    /// Up to when the requests that were let through have used up the rate of a throttle.
    used_until: Option<OffsetDateTime>,
}

#[derive(Debug, Clone)]
pub(super) enum Fault {
    Answer(StatusCode, String),
    Reset,
    LoseAnswer,
    LandLate(Duration),
    Stall(Duration),
    Truncate(u64),
    Garble,
    Duplicate(HeaderName),
    Drop(HeaderName),
    Throttle(u32),
}

/// A fault that has been chosen for a request.
#[derive(Debug)]
pub(crate) struct Chosen {
    fault: Fault,
    headers: Vec<(String, String)>,
    seed: u64,
}

/// How an answer is to be delivered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// The connection is broken instead.
    Broken,
    /// After a while.
    Late(Duration),
    /// The connection breaks after so many bytes of the body.
    CutAfter(u64),
}

/// What is done to an answer before it leaves.
#[derive(Debug)]
pub(crate) enum Spoil {
    Garble(u64),
    Duplicate(HeaderName),
    Drop(HeaderName),
}

impl FaultBook {
    pub(crate) fn new(seed: u64) -> Self {
        let (random, skew) = (fastrand::Rng::with_seed(seed), time::Duration::ZERO);
        Self { rules: Vec::new(), made: 0, random, skew }
    }

    /// The time as the service has it.
    pub(crate) fn skewed(&self, now: OffsetDateTime) -> OffsetDateTime {
        now.checked_add(self.skew).unwrap_or(now)
    }

    pub(super) fn clear(&mut self) {
        self.rules.clear();
        self.skew = time::Duration::ZERO;
    }

    /// Adds a rule that does nothing yet, and returns its id.
    pub(super) fn add(&mut self, op: Option<Op>) -> u64 {
        self.made += 1;
        self.rules.push(Rule {
            id: self.made,
            op,
            account: None,
            container: None,
            blob: None,
            skip: 0,
            left: None,
            chance: 1.0,
            fault: None,
            headers: Vec::new(),
            used_until: None,
        });
        self.made
    }

    pub(super) fn rule_mut(&mut self, id: u64) -> Option<&mut Rule> {
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
        // A request in a batch has no connection of its own, nor an answer that could be cut.
        let answers = matches!(self.fault, Some(Fault::Answer(..) | Fault::Throttle(_)));
        (answers || call.batch.is_none())
            && self.op.is_none_or(|op| op == call.op)
            && same(&self.account, Some(&call.route.account))
            && same(&self.container, call.route.container.as_deref())
            && same(&self.blob, call.route.blob.as_deref())
    }

    /// Whether the rate of a throttle is used up; what is let through uses up its share of it.
    /// Every other fault has no rate.
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

impl Chosen {
    /// What is answered in place of applying the request.
    pub(crate) fn instead(&self) -> Option<Refusal> {
        let headers = self.headers.clone();
        match &self.fault {
            Fault::Answer(status, code) => Some(Refusal::chosen(*status, code.clone(), headers)),
            Fault::Throttle(_) => {
                let wait = [("retry-after".to_owned(), "1".to_owned())];
                let headers = wait.into_iter().chain(headers).collect();
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Some(Refusal::chosen(status, "ServerBusy".to_owned(), headers))
            }
            // Never delivered.
            Fault::Reset | Fault::LandLate(_) => {
                Some(Refusal::chosen(StatusCode::BAD_GATEWAY, "Reset".to_owned(), Vec::new()))
            }
            _ => None,
        }
    }

    /// After how long the request is applied, where that is not now.
    pub(crate) fn lands_late(&self) -> Option<Duration> {
        match self.fault {
            Fault::LandLate(delay) => Some(delay),
            _ => None,
        }
    }

    pub(crate) fn delivery(&self) -> Delivery {
        match self.fault {
            Fault::Reset | Fault::LoseAnswer | Fault::LandLate(_) => Delivery::Broken,
            Fault::Stall(wait) => Delivery::Late(wait),
            Fault::Truncate(bytes) => Delivery::CutAfter(bytes),
            _ => Delivery::Whole,
        }
    }

    pub(crate) fn spoil(&self) -> Option<Spoil> {
        match &self.fault {
            Fault::Garble => Some(Spoil::Garble(self.seed)),
            Fault::Duplicate(name) => Some(Spoil::Duplicate(name.clone())),
            Fault::Drop(name) => Some(Spoil::Drop(name.clone())),
            _ => None,
        }
    }
}

impl Spoil {
    pub(crate) fn apply(self, response: &mut Response<Payload>) {
        match self {
            Self::Garble(seed) => {
                let body = std::mem::replace(response.body_mut(), Payload::empty());
                *response.body_mut() = body.garbled(seed);
            }
            Self::Duplicate(name) => {
                if let Some(value) = response.headers().get(&name).cloned() {
                    response.headers_mut().append(name, value);
                }
            }
            Self::Drop(name) => {
                response.headers_mut().remove(name);
            }
        }
    }
}
