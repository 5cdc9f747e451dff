//! Misbehaviour on request.

use std::{sync::Arc, time::Duration};

use http::StatusCode;

use super::{Shared, call::Call, error::Refusal, op::Op};

/// What to do wrong, and how often: see [`Simulator::faults`](super::Simulator::faults).
///
/// ```
/// use std::time::Duration;
/// use blobcopy::simulator::{Op, Simulator};
///
/// let sim = Simulator::builder().build();
/// // The first start is applied, but its answer never arrives.
/// sim.faults().on(Op::IncrementalCopy).lose_answer().times(1);
/// // Every poll of one blob is slow, and two of them are refused.
/// sim.faults().on(Op::GetBlobProperties).blob("disk0.vhd").stall(Duration::from_secs(2));
/// sim.faults().on(Op::GetBlobProperties).answer(503, "ServerBusy").retry_after(Duration::from_secs(1)).times(2);
/// // All is well again.
/// sim.faults().clear();
/// ```
#[derive(Debug, Clone)]
pub struct Faults(pub(super) Arc<Shared>);

/// One rule of misbehaviour. It is in force as soon as it is told what to do; each method changes
/// the rule that is in force.
///
/// Of several rules that match a request, the one that was made first and is not used up decides.
#[derive(Debug)]
pub struct FaultRule {
    shared: Arc<Shared>,
    id: u64,
}

/// The rules in force.
#[derive(Debug, Default)]
pub(crate) struct FaultBook {
    rules: Vec<Rule>,
    made: u64,
}

#[derive(Debug)]
struct Rule {
    id: u64,
    op: Option<Op>,
    account: Option<String>,
    container: Option<String>,
    blob: Option<String>,
    /// How many matching requests are let through first.
    skip: u64,
    left: Option<u64>,
    fault: Option<Fault>,
    headers: Vec<(String, String)>,
}

#[derive(Debug, Clone)]
enum Fault {
    Answer(StatusCode, String),
    Reset,
    LoseAnswer,
    Stall(Duration),
    Truncate(u64),
}

/// A fault that has been chosen for a request.
#[derive(Debug)]
pub(crate) struct Chosen {
    fault: Fault,
    headers: Vec<(String, String)>,
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

impl Faults {
    /// Begins a rule for one operation.
    #[must_use = "the rule does nothing until it is told what to do"]
    pub fn on(&self, op: Op) -> FaultRule {
        self.add(Some(op))
    }

    /// Begins a rule for every operation.
    #[must_use = "the rule does nothing until it is told what to do"]
    pub fn on_any(&self) -> FaultRule {
        self.add(None)
    }

    /// Takes every rule back.
    pub fn clear(&self) {
        self.0.state().faults.rules.clear();
    }

    fn add(&self, op: Option<Op>) -> FaultRule {
        let mut state = self.0.state();
        let book = &mut state.faults;
        book.made += 1;
        let (account, container, blob) = (None, None, None);
        let (id, headers) = (book.made, Vec::new());
        book.rules.push(Rule {
            id,
            op,
            account,
            container,
            blob,
            skip: 0,
            left: None,
            fault: None,
            headers,
        });
        FaultRule { shared: self.0.clone(), id }
    }
}

impl FaultRule {
    /// Only requests to this account.
    pub fn account(self, name: &str) -> Self {
        self.change(|rule| rule.account = Some(name.to_owned()))
    }

    /// Only requests to this container, and to blobs in it.
    pub fn container(self, name: &str) -> Self {
        self.change(|rule| rule.container = Some(name.to_owned()))
    }

    /// Only requests to blobs of this name.
    pub fn blob(self, name: &str) -> Self {
        self.change(|rule| rule.blob = Some(name.to_owned()))
    }

    /// Lets the first `count` matching requests through.
    pub fn after(self, count: u64) -> Self {
        self.change(|rule| rule.skip = count)
    }

    /// Strikes `count` times, then never again. Without it the rule holds until it is cleared.
    pub fn times(self, count: u64) -> Self {
        self.change(|rule| rule.left = Some(count))
    }

    /// Answers with this status and error code. The request is not applied.
    ///
    /// # Panics
    ///
    /// When `status` is not an HTTP status.
    pub fn answer(self, status: u16, code: &str) -> Self {
        let status = StatusCode::from_u16(status).expect("an HTTP status is from 100 to 999");
        self.set(Fault::Answer(status, code.to_owned()))
    }

    /// Adds a header to what [`answer`](FaultRule::answer) answers.
    pub fn header(self, name: &str, value: &str) -> Self {
        self.change(|rule| rule.headers.push((name.to_owned(), value.to_owned())))
    }

    /// Adds `Retry-After` in whole seconds, and `x-ms-retry-after-ms` when there is more to say.
    pub fn retry_after(self, wait: Duration) -> Self {
        if wait.subsec_millis() == 0 {
            return self.header("retry-after", &wait.as_secs().to_string());
        }
        self.header("x-ms-retry-after-ms", &wait.as_millis().to_string())
    }

    /// Breaks the connection before the request is applied.
    pub fn reset(self) -> Self {
        self.set(Fault::Reset)
    }

    /// Applies the request, then breaks the connection: the answer is lost.
    pub fn lose_answer(self) -> Self {
        self.set(Fault::LoseAnswer)
    }

    /// Applies the request at once, but answers only after `wait`.
    pub fn stall(self, wait: Duration) -> Self {
        self.set(Fault::Stall(wait))
    }

    /// Applies the request, then breaks the connection after `bytes` bytes of the answer's body.
    pub fn truncate_body(self, bytes: u64) -> Self {
        self.set(Fault::Truncate(bytes))
    }

    fn set(self, fault: Fault) -> Self {
        self.change(|rule| rule.fault = Some(fault))
    }

    fn change(self, change: impl FnOnce(&mut Rule)) -> Self {
        let mut state = self.shared.state();
        if let Some(rule) = state.faults.rules.iter_mut().find(|rule| rule.id == self.id) {
            change(rule);
        }
        drop(state);
        self
    }
}

impl FaultBook {
    /// The fault that strikes this request, if one does.
    pub(crate) fn strike(&mut self, call: &Call) -> Option<Chosen> {
        let matching =
            self.rules.iter_mut().filter(|rule| rule.fault.is_some() && rule.matches(call));
        for rule in matching {
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            match &mut rule.left {
                Some(0) => continue,
                Some(left) => *left -= 1,
                None => {}
            }
            let fault = rule.fault.clone()?;
            return Some(Chosen { fault, headers: rule.headers.clone() });
        }
        None
    }
}

impl Rule {
    fn matches(&self, call: &Call) -> bool {
        let same = |wanted: &Option<String>, actual: Option<&str>| {
            wanted.as_deref().is_none_or(|wanted| actual == Some(wanted))
        };
        self.op.is_none_or(|op| op == call.op)
            && same(&self.account, Some(&call.route.account))
            && same(&self.container, call.route.container.as_deref())
            && same(&self.blob, call.route.blob.as_deref())
    }
}

impl Chosen {
    /// What is answered in place of applying the request.
    pub(crate) fn instead(self) -> Option<Refusal> {
        match self.fault {
            Fault::Answer(status, code) => Some(Refusal::chosen(status, code, self.headers)),
            // Never delivered.
            Fault::Reset => {
                Some(Refusal::chosen(StatusCode::BAD_GATEWAY, "Reset".to_owned(), Vec::new()))
            }
            _ => None,
        }
    }

    pub(crate) fn delivery(&self) -> Delivery {
        match self.fault {
            Fault::Answer(..) => Delivery::Whole,
            Fault::Reset | Fault::LoseAnswer => Delivery::Broken,
            Fault::Stall(wait) => Delivery::Late(wait),
            Fault::Truncate(bytes) => Delivery::CutAfter(bytes),
        }
    }
}
