//! Faults on purpose.

use std::{sync::Arc, time::Duration};

use http::{HeaderName, StatusCode};

use crate::{
    doors::shared::Shared,
    faults::{Fault, Rule},
    wire::op::Op,
};

/// Faults on purpose, by rules: see [`Simulator::faults`](crate::Simulator::faults).
///
/// ```
/// use std::time::Duration;
/// use blobcopy_simulator::{Op, Simulator};
///
/// let sim = Simulator::builder().build();
/// // The first start is applied, but its answer is lost.
/// sim.faults().on(Op::IncrementalCopy).lose_answer().times(1);
/// // Every poll of one blob is slow, and two of them are refused.
/// sim.faults().on(Op::GetBlobProperties).blob("disk0.vhd").stall(Duration::from_secs(2));
/// let busy = sim.faults().on(Op::GetBlobProperties).answer(503, "ServerBusy");
/// busy.retry_after(Duration::from_secs(1)).times(2);
/// // At most a hundred requests per second.
/// sim.faults().on_any().throttle(100);
/// // One download in ten has wrong bytes; the seed decides which.
/// sim.faults().on(Op::GetBlob).garble_body().chance(0.1);
/// // Back to normal.
/// sim.faults().clear();
/// ```
#[derive(Debug, Clone)]
pub struct Faults(pub(crate) Arc<Shared>);

/// One rule: which requests it strikes, how often, and what it does to them.
///
/// A rule takes effect as soon as it has something to do, such as [`reset`](Self::reset). Each
/// method changes the rule at once; a rule that goes out of scope stays in effect.
///
/// If several rules match a request, the oldest that is not used up applies.
#[derive(Debug)]
pub struct FaultRule {
    shared: Arc<Shared>,
    id: u64,
}

impl Faults {
    /// Adds a rule for one operation.
    #[must_use = "a rule without a fault does nothing"]
    pub fn on(&self, op: Op) -> FaultRule {
        self.add(Some(op))
    }

    /// Adds a rule for every operation.
    #[must_use = "a rule without a fault does nothing"]
    pub fn on_any(&self) -> FaultRule {
        self.add(None)
    }

    /// Sets the service's clock ahead of the simulator's, or behind it if `by` is negative.
    ///
    /// Beyond 15 minutes the service refuses every request that is signed with a shared key.
    ///
    /// ```
    /// # use blobcopy_simulator::Simulator;
    /// let sim = Simulator::builder().build();
    /// sim.faults().skew_clock(time::Duration::minutes(-20));
    /// ```
    pub fn skew_clock(&self, by: time::Duration) {
        self.0.service().faults.skew = by;
    }

    /// Removes every rule and undoes [`skew_clock`](Self::skew_clock).
    pub fn clear(&self) {
        self.0.service().faults.clear();
    }

    fn add(&self, op: Option<Op>) -> FaultRule {
        let id = self.0.service().faults.add(op);
        FaultRule { shared: self.0.clone(), id }
    }
}

impl FaultRule {
    /// Strikes only requests to this account.
    pub fn account(self, name: &str) -> Self {
        self.change(|rule| rule.account = Some(name.to_owned()))
    }

    /// Strikes only requests to this container and to blobs in it.
    pub fn container(self, name: &str) -> Self {
        self.change(|rule| rule.container = Some(name.to_owned()))
    }

    /// Strikes only requests to blobs with this name.
    pub fn blob(self, name: &str) -> Self {
        self.change(|rule| rule.blob = Some(name.to_owned()))
    }

    /// Strikes only requests for a range of more than `bytes` bytes, and those without a range,
    /// which are for the whole blob.
    ///
    /// ```
    /// # use blobcopy_simulator::{Op, Simulator};
    /// let sim = Simulator::builder().build();
    /// // The page ranges of a large, fragmented disk take too long; those of a part of it do not.
    /// let slow = sim.faults().on(Op::GetPageRanges).wider_than(1 << 40);
    /// slow.answer(500, "OperationTimedOut");
    /// ```
    pub fn wider_than(self, bytes: u64) -> Self {
        self.change(|rule| rule.wider_than = Some(bytes))
    }

    /// Lets the first `count` matching requests pass.
    pub fn after(self, count: u64) -> Self {
        self.change(|rule| rule.skip = count)
    }

    /// Strikes at most `count` times. By default the rule applies until it is cleared.
    pub fn times(self, count: u64) -> Self {
        self.change(|rule| rule.left = Some(count))
    }

    /// Strikes each matching request with this probability, from 0 to 1. The simulator's
    /// [`seed`](crate::SimulatorBuilder::seed) decides which.
    pub fn chance(self, chance: f64) -> Self {
        self.change(|rule| rule.chance = chance)
    }

    /// Answers with this status and error code, without applying the request.
    ///
    /// # Panics
    ///
    /// If `status` is not from 100 to 999.
    pub fn answer(self, status: u16, code: &str) -> Self {
        let status = StatusCode::from_u16(status).expect("an HTTP status is from 100 to 999");
        self.set(Fault::Answer(status, code.to_owned()))
    }

    /// Adds a header to the answer of [`answer`](FaultRule::answer).
    pub fn header(self, name: &str, value: &str) -> Self {
        self.change(|rule| rule.headers.push((name.to_owned(), value.to_owned())))
    }

    /// Adds `Retry-After`, or `x-ms-retry-after-ms` if `wait` is not whole seconds.
    pub fn retry_after(self, wait: Duration) -> Self {
        if wait.subsec_millis() == 0 {
            return self.header("retry-after", &wait.as_secs().to_string());
        }
        self.header("x-ms-retry-after-ms", &wait.as_millis().to_string())
    }

    /// Breaks the connection without applying the request.
    pub fn reset(self) -> Self {
        self.set(Fault::Reset)
    }

    /// Applies the request, then breaks the connection, so that the answer is lost.
    pub fn lose_answer(self) -> Self {
        self.set(Fault::LoseAnswer)
    }

    /// Breaks the connection at once and applies the request after `delay` on the simulator's
    /// clock: the caller has given up while its write is still on the way.
    ///
    /// The request is applied before any later one, and checked at that moment: its signature may
    /// be too old, its lease may be gone, another write may have come first.
    /// [`Simulator::requests`](crate::Simulator::requests) and [`count`](crate::Simulator::count)
    /// include it from then on.
    ///
    /// ```
    /// # use std::time::Duration;
    /// # use blobcopy_simulator::{Op, Simulator};
    /// let sim = Simulator::builder().build();
    /// // The first start seems lost; ten seconds later its copy exists.
    /// sim.faults().on(Op::CopyBlob).land_late(Duration::from_secs(10)).times(1);
    /// ```
    pub fn land_late(self, delay: Duration) -> Self {
        self.set(Fault::LandLate(delay))
    }

    /// Applies the request at once and answers after `wait`.
    pub fn stall(self, wait: Duration) -> Self {
        self.set(Fault::Stall(wait))
    }

    /// Applies the request, then breaks the connection after `bytes` bytes of the body.
    pub fn truncate_body(self, bytes: u64) -> Self {
        self.set(Fault::Truncate(bytes))
    }

    /// Applies the request, then answers with a body of the right length but with wrong bytes.
    pub fn garble_body(self) -> Self {
        self.set(Fault::Garble)
    }

    /// Applies the request, then sends this header of the answer twice.
    ///
    /// # Panics
    ///
    /// If `name` is not a valid header name.
    pub fn duplicate_header(self, name: &str) -> Self {
        self.set(Fault::Duplicate(header_name(name)))
    }

    /// Applies the request, then answers without this header. A listener still sends
    /// `content-length`, which HTTP needs.
    ///
    /// # Panics
    ///
    /// If `name` is not a valid header name.
    pub fn drop_header(self, name: &str) -> Self {
        self.set(Fault::Drop(header_name(name)))
    }

    /// Answers 503 `ServerBusy` with `Retry-After: 1` to matching requests beyond `per_second` per
    /// second. All requests of one second may arrive at once.
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
