//! The settings that a test passes to the builder.

use std::{fmt, sync::Arc, time::Duration};

/// The settings of a simulator.
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
    /// Bytes per second.
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

/// How `x-ms-copy-source` shows the source of a copy.
///
/// The service does not promise to return the URL that it was sent, so a client must not compare
/// the two as text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SourceEcho {
    /// As real accounts do. From version 2021-04-10 on, without the signature of a SAS but with its
    /// other parameters. From 2026-02-06 on, also with the scheme `https`, with `:443` after a host
    /// without a port, and with percent-encoded bytes in lower case.
    #[default]
    Rewritten,
    /// As [`Rewritten`](SourceEcho::Rewritten) in the newest version, but without any parameter of
    /// the SAS.
    WithoutSas,
    /// As it was sent. Azurite does this.
    AsSent,
}

/// The element in which List Blobs returns the destination snapshot of an incremental copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum ListedSnapshot {
    /// `CopyDestinationSnapshot`, as real accounts do.
    #[default]
    Observed,
    /// `DestinationSnapshot`, as the REST reference says.
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

/// Decides whether a bearer token is accepted.
#[derive(Clone)]
pub(crate) struct BearerRule(pub(crate) Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for BearerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerRule")
    }
}
