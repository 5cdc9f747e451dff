//! Ids, ETags and the order of writes.

use time::OffsetDateTime;

use crate::wire::dates;

/// Generates ids, ETags and the order of writes: the same seed gives the same run.
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

    /// An increasing number.
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

    /// The id of a snapshot taken `at`: later than every earlier id.
    pub(crate) fn snapshot(&mut self, at: OffsetDateTime) -> String {
        self.last_ticks = dates::ticks(at).max(self.last_ticks + 1);
        dates::snapshot_time(self.last_ticks)
    }
}
