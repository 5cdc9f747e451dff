//! Misbehaviour on request.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, StatusCode};

use crate::{
    doors::shared::Shared,
    faults::{Fault, Rule},
    wire::op::Op,
};

/// What to do wrong, and how often: see [`Simulator::faults`](crate::Simulator::faults).
///
/// ```
/// use std::time::Duration;
/// use blobcopy_simulator::{Op, Simulator};
///
/// let sim = Simulator::builder().build();
/// // The first start is applied, but its answer never arrives.
/// sim.faults().on(Op::IncrementalCopy).lose_answer().times(1);
/// // Every poll of one blob is slow, and two of them are refused.
/// sim.faults().on(Op::GetBlobProperties).blob("disk0.vhd").stall(Duration::from_secs(2));
/// sim.faults().on(Op::GetBlobProperties).answer(503, "ServerBusy").retry_after(Duration::from_secs(1)).times(2);
/// // More than a hundred requests a second are too many.
/// sim.faults().on_any().throttle(100);
/// // One download in ten is garbled, and which ones the seed decides.
/// sim.faults().on(Op::GetBlob).garble_body().chance(0.1);
/// // All is well again.
/// sim.faults().clear();
/// ```
#[derive(Debug, Clone)]
pub struct Faults(pub(crate) Arc<Shared>);

/// One rule of misbehaviour. It is in force as soon as it is told what to do; each method changes
/// the rule that is in force.
///
/// Of several rules that match a request, the one that was made first and is not used up decides.
#[derive(Debug)]
pub struct FaultRule {
    shared: Arc<Shared>,
    id: u64,
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

    /// Lets the service's clock go ahead of the simulator's by so much, or behind it when negative.
    ///
    /// By more than 15 minutes, no request that is signed with a shared key is accepted.
    ///
    /// ```
    /// # use blobcopy_simulator::Simulator;
    /// let sim = Simulator::builder().build();
    /// sim.faults().skew_clock(time::Duration::minutes(-20));
    /// ```
    pub fn skew_clock(&self, by: time::Duration) {
        self.0.service().faults.skew = by;
    }

    /// Takes every rule back, and sets the clock right.
    pub fn clear(&self) {
        self.0.service().faults.clear();
    }

    fn add(&self, op: Option<Op>) -> FaultRule {
        let id = self.0.service().faults.add(op);
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

    /// Strikes each matching request with this chance, from 0 to 1. Which ones are struck follows
    /// from the simulator's seed.
    pub fn chance(self, chance: f64) -> Self {
        self.change(|rule| rule.chance = chance)
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

    /// Breaks the connection at once, and applies the request after `delay` on the simulator's
    /// clock: the caller gives up while its write is still on the way.
    ///
    /// The write lands before any request that comes after that moment, and is judged as of then: a
    /// signature may be too old, a lease may be gone, another write may have come first.
    /// [`Simulator::requests`](crate::Simulator::requests) and
    /// [`count`](crate::Simulator::count) show it once it has landed.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use blobcopy_simulator::{Op, Simulator};
    /// let sim = Simulator::builder().build();
    /// // The client believes its first start lost, and ten seconds later there is a copy.
    /// sim.faults().on(Op::CopyBlob).land_late(Duration::from_secs(10)).times(1);
    /// ```
    pub fn land_late(self, delay: Duration) -> Self {
        self.set(Fault::LandLate(delay))
    }

    /// Applies the request at once, but answers only after `wait`.
    pub fn stall(self, wait: Duration) -> Self {
        self.set(Fault::Stall(wait))
    }

    /// Applies the request, then breaks the connection after `bytes` bytes of the answer's body.
    pub fn truncate_body(self, bytes: u64) -> Self {
        self.set(Fault::Truncate(bytes))
    }

    /// Applies the request, then answers with a body of the right length whose bytes are wrong.
    pub fn garble_body(self) -> Self {
        self.set(Fault::Garble)
    }

    /// Applies the request, then answers with this header twice.
    ///
    /// # Panics
    ///
    /// When `name` is not the name of a header.
    pub fn duplicate_header(self, name: &str) -> Self {
        self.set(Fault::Duplicate(header_name(name)))
    }

    /// Applies the request, then answers without this header. (HTTP itself may need
    /// `content-length`, so that one stays where a listener answers.)
    ///
    /// # Panics
    ///
    /// When `name` is not the name of a header.
    pub fn drop_header(self, name: &str) -> Self {
        self.set(Fault::Drop(header_name(name)))
    }

    /// Answers 503 `ServerBusy` with `Retry-After: 1` to what is more than `per_second` matching
    /// requests a second, of which all may come at once.
    pub fn throttle(self, per_second: u32) -> Self {
        self.set(Fault::Throttle(per_second))
    }

    fn set(self, fault: Fault) -> Self {
        self.change(|rule| rule.fault = Some(fault))
    }

    fn change(self, change: impl FnOnce(&mut Rule)) -> Self {
        let mut service = self.shared.service();
        if let Some(rule) = service.faults.rule_mut(self.id) {
            change(rule);
        }
        drop(service);
        self
    }
}

fn header_name(name: &str) -> HeaderName {
    HeaderName::try_from(name).expect("the name of a header has no spaces, nor anything odd")
}
