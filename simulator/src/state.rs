//! Everything that the service remembers.

use std::time::Duration;

use time::OffsetDateTime;

use super::{
    account::Accounts, auth::BearerRule, copies::CopyDesk, dates, faults::FaultBook, handle::Late,
    requests::RequestLog,
};

/// The whole state of the simulated service.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) accounts: Accounts,
    pub(crate) settings: Settings,
    pub(crate) stamps: Stamps,
    pub(crate) copies: CopyDesk,
    pub(crate) faults: FaultBook,
    pub(crate) late: Late,
    pub(crate) requests: RequestLog,
}

/// What the test chose when it built the simulator.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) pace: Pace,
    pub(crate) echo: SourceEcho,
    pub(crate) bearer: Option<BearerRule>,
    pub(crate) public_access: bool,
    pub(crate) listed_snapshot: ListedSnapshot,
    /// Whether the copies into one account wait for each other.
    pub(crate) queued: bool,
}

/// How long copies take.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pace {
    /// The same time for every copy; zero for at once.
    Time(Duration),
    /// Bytes a second.
    Rate(u64),
}

impl Pace {
    pub(crate) fn time_for(self, bytes: u64) -> Duration {
        match self {
            Self::Time(time) => time,
            Self::Rate(rate) => {
                let micros = u128::from(bytes) * 1_000_000 / u128::from(rate.max(1));
                Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
            }
        }
    }
}

/// How the source of a copy is shown in `x-ms-copy-source` afterwards.
///
/// The service never promises to show what it was sent; see each variant. A client that compares
/// the two as text is wrong on a real account too.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SourceEcho {
    /// As real accounts do: from version 2021-04-10 on without the signature of a SAS, the rest of
    /// which stays; from 2026-02-06 on also with the scheme `https`, with `:443` behind a host
    /// without a port, and with percent-encoded bytes in lower case.
    #[default]
    Rewritten,
    /// As [`Rewritten`](SourceEcho::Rewritten) with the newest version, without any of the SAS.
    WithoutSas,
    /// As it was sent, which is what Azurite does.
    AsSent,
}

/// What List Blobs calls the destination snapshot of an incremental copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ListedSnapshot {
    /// `CopyDestinationSnapshot`, as real accounts do.
    #[default]
    Observed,
    /// `DestinationSnapshot`, as the service's specification has it.
    Specified,
}

impl ListedSnapshot {
    pub(crate) fn element(self) -> &'static str {
        match self {
            Self::Observed => "CopyDestinationSnapshot",
            Self::Specified => "DestinationSnapshot",
        }
    }
}

/// Where ids, ETags and the order of writes come from: the same seed gives the same run.
#[derive(Debug)]
pub(crate) struct Stamps {
    random: fastrand::Rng,
    count: u64,
    last_ticks: i128,
}

impl Stamps {
    pub(crate) fn new(seed: u64) -> Self {
        Self { random: fastrand::Rng::with_seed(seed), count: 0, last_ticks: i128::MIN }
    }

    /// A number that only grows.
    pub(crate) fn next(&mut self) -> u64 {
        self.count += 1;
        self.count
    }

    /// A new ETag, with its quotes.
    pub(crate) fn etag(&mut self) -> String {
        format!("\"0x8DE{:012X}\"", self.next())
    }

    pub(crate) fn guid(&mut self) -> String {
        let bits = self.random.u128(..);
        let (version, variant) = (bits & !(0xf << 76) | 4 << 76, 0b10 << 62);
        let hex = format!("{:032x}", version & !(0b11 << 62) | variant);
        format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
    }

    /// The id of a snapshot taken `at`: later than every other that was ever given out.
    pub(crate) fn snapshot(&mut self, at: OffsetDateTime) -> String {
        self.last_ticks = dates::ticks(at).max(self.last_ticks + 1);
        dates::snapshot_time(self.last_ticks)
    }
}
