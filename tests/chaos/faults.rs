//! The faults that the seed selects.

use std::time::Duration;

use fastrand::Rng;

/// The kind of a request, as far as faults and the truth depend on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Start { incremental: bool },
    Look,
    Abort,
    Other,
}

/// One fault. "Applied" is the effect in the service, whatever the client learns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No connection.
    Refused,
    /// The connection breaks, and the request is lost.
    Reset,
    /// The request is applied, and the answer is lost.
    LostAnswer,
    /// The connection breaks, and the request is applied later all the same.
    Late,
    /// No answer, and the request is lost.
    Silence,
    /// No answer, and the request is applied.
    SilenceApplied,
    /// No answer, and the request is applied later, perhaps after the client has given up.
    SilenceLate,
    /// The answer takes seconds.
    Slow,
    /// 503, without `Retry-After`.
    Busy,
    /// 503, with a wait of seconds.
    BusyForSeconds,
    /// 503, with a wait of ten days.
    BusyForDays,
    /// 429.
    Throttled,
    /// 500, and nothing is applied.
    ServerError,
    /// 500, and the request is applied.
    ServerErrorApplied,
    /// 502 of a gateway, which does not forward the request.
    BadGateway,
    /// 504 of a gateway, which has forwarded the request: it is applied.
    GatewayTimeout,
    /// 404 of a gateway, which says nothing about a blob.
    GatewayNotFound,
    /// The answer has no `Date`.
    NoDate,
    /// The answer to a start does not name the copy.
    NoCopyId,
    /// The answer's optional headers are malformed.
    OddHeaders,
}

impl Fault {
    pub(super) const ALL: [Self; 20] = [
        Self::Refused,
        Self::Reset,
        Self::LostAnswer,
        Self::Late,
        Self::Silence,
        Self::SilenceApplied,
        Self::SilenceLate,
        Self::Slow,
        Self::Busy,
        Self::BusyForSeconds,
        Self::BusyForDays,
        Self::Throttled,
        Self::ServerError,
        Self::ServerErrorApplied,
        Self::BadGateway,
        Self::GatewayTimeout,
        Self::GatewayNotFound,
        Self::NoDate,
        Self::NoCopyId,
        Self::OddHeaders,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Refused => "connection refused",
            Self::Reset => "reset, not applied",
            Self::LostAnswer => "answer lost",
            Self::Late => "reset, applied late",
            Self::Silence => "silence, not applied",
            Self::SilenceApplied => "silence, applied",
            Self::SilenceLate => "silence, applied late",
            Self::Slow => "slow answer",
            Self::Busy => "503",
            Self::BusyForSeconds => "503 with Retry-After",
            Self::BusyForDays => "503 with Retry-After of ten days",
            Self::Throttled => "429",
            Self::ServerError => "500, not applied",
            Self::ServerErrorApplied => "500, applied",
            Self::BadGateway => "502 of a gateway",
            Self::GatewayTimeout => "504 of a gateway, applied",
            Self::GatewayNotFound => "404 of a gateway",
            Self::NoDate => "answer without Date",
            Self::NoCopyId => "start's answer without copy id",
            Self::OddHeaders => "malformed optional headers",
        }
    }

    /// Whether it can happen to such a request.
    fn fits(self, kind: Kind) -> bool {
        match self {
            Self::NoCopyId => matches!(kind, Kind::Start { .. }),
            Self::NoDate | Self::OddHeaders => kind == Kind::Look,
            // A read has nothing to apply.
            Self::Late | Self::SilenceLate | Self::ServerErrorApplied | Self::GatewayTimeout => {
                kind != Kind::Look
            }
            _ => true,
        }
    }
}

/// Selects faults.
#[derive(Debug)]
pub(super) struct Faults {
    rng: Rng,
    /// The probability of a fault, from 0 to 1.
    trouble: f64,
    /// The longest one-way delay of a request.
    longest_way: Duration,
}

impl Faults {
    pub(super) fn new(seed: u64, trouble: f64, longest_way: Duration) -> Self {
        Self { rng: Rng::with_seed(seed), trouble, longest_way }
    }

    pub(super) fn pick(&mut self, kind: Kind) -> Option<Fault> {
        if self.rng.f64() >= self.trouble {
            return None;
        }
        // The faults that matter most for starts.
        if matches!(kind, Kind::Start { .. }) && self.rng.bool() {
            let worst = [
                Fault::LostAnswer,
                Fault::LostAnswer,
                Fault::Reset,
                Fault::Late,
                Fault::SilenceApplied,
                Fault::SilenceLate,
            ];
            return self.rng.choice(worst);
        }
        let fitting = Fault::ALL.into_iter().filter(|fault| fault.fits(kind));
        self.rng.choice(fitting.collect::<Vec<_>>())
    }

    /// The delay of a request that arrives late.
    pub(super) fn delay(&mut self) -> Duration {
        let most = [200, 3_000, 15_000][self.rng.usize(..3)];
        Duration::from_millis(self.rng.u64(50..=most))
    }

    /// The one-way delay of a request.
    pub(super) fn latency(&mut self) -> Duration {
        self.longest_way.mul_f64(self.rng.f64())
    }
}
