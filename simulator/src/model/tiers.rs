//! Access tiers, the archive, and rehydration.

use std::time::Duration;

use time::OffsetDateTime;

use super::content::Content;
use crate::wire::{
    call::Call,
    error::{Code, Refusal},
    op::Op,
};

const PREMIUM: [&str; 11] =
    ["P4", "P6", "P10", "P15", "P20", "P30", "P40", "P50", "P60", "P70", "P80"];
const BLOCK: [&str; 5] = ["Hot", "Cool", "Cold", "Archive", "Smart"];
const ARCHIVE: &str = "Archive";

/// How long rehydration takes. The service promises only that it takes less.
const STANDARD: Duration = Duration::from_secs(15 * 60 * 60);
const HIGH: Duration = Duration::from_secs(60 * 60);

/// An access tier, and when it was set.
#[derive(Debug, Clone)]
pub(crate) struct Tier {
    name: &'static str,
    changed: OffsetDateTime,
    /// Whether it follows from the blob's size, because none was set.
    inferred: bool,
    /// The rehydration from the archive to another tier.
    rehydration: Option<Rehydration>,
}

/// A rehydration from the archive to another tier.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rehydration {
    to: &'static str,
    high: bool,
    ready: OffsetDateTime,
}

impl Tier {
    pub(crate) fn new(name: &'static str, changed: OffsetDateTime) -> Self {
        Self { name, changed, inferred: false, rehydration: None }
    }

    /// A tier that an archived blob will have after a delay.
    pub(crate) fn rehydrating(to: &'static str, high: bool, now: OffsetDateTime) -> Self {
        let ready = now + if high { HIGH } else { STANDARD };
        let rehydration = Some(Rehydration { to, high, ready });
        Self { name: ARCHIVE, changed: now, inferred: false, rehydration }
    }

    /// The default tier of a page blob of this length in a premium account: the smallest that fits,
    /// from P10 on.
    pub(crate) fn of_premium(length: u64, now: OffsetDateTime) -> Self {
        let name = PREMIUM.into_iter().skip(2).find(|name| length <= room(name));
        Self { inferred: true, ..Self::new(name.unwrap_or(PREMIUM[PREMIUM.len() - 1]), now) }
    }

    pub(crate) fn name(&self, now: OffsetDateTime) -> &'static str {
        match &self.rehydration {
            Some(way) if way.ready <= now => way.to,
            _ => self.name,
        }
    }

    pub(crate) fn changed(&self, now: OffsetDateTime) -> OffsetDateTime {
        match &self.rehydration {
            Some(way) if way.ready <= now => way.ready,
            _ => self.changed,
        }
    }

    /// Counts it as set at `now`.
    pub(crate) fn touch(&mut self, now: OffsetDateTime) {
        self.changed = now;
    }

    pub(crate) fn is_archived(&self, now: OffsetDateTime) -> bool {
        self.name(now) == ARCHIVE
    }

    pub(crate) fn under_way(&self, now: OffsetDateTime) -> Option<Rehydration> {
        self.rehydration.filter(|way| now < way.ready)
    }

    /// The tier after a request to set `asked`.
    pub(crate) fn change(
        &self,
        asked: &'static str,
        high: bool,
        now: OffsetDateTime,
    ) -> Result<Self, Refusal> {
        match self.under_way(now) {
            // During rehydration only the priority may change, and only be raised.
            Some(way) if way.to == asked && way.high <= high => {
                let mut tier = Self::rehydrating(asked, high, now);
                if let Some(new) = tier.rehydration.as_mut() {
                    new.ready = new.ready.min(way.ready);
                }
                Ok(Self { changed: self.changed, ..tier })
            }
            Some(_) => Err(Code::BlobBeingRehydrated.into()),
            None if self.is_archived(now) && asked != ARCHIVE => {
                Ok(Self::rehydrating(asked, high, now))
            }
            None if !self.inferred && premium(asked) < premium(self.name(now)) => {
                Err(Code::CannotChangeToLowerTier.into())
            }
            None => Ok(Self::new(asked, now)),
        }
    }
}

impl Rehydration {
    pub(crate) fn archive_status(self) -> String {
        format!("rehydrate-pending-to-{}", self.to.to_ascii_lowercase())
    }

    pub(crate) fn priority(self) -> &'static str {
        if self.high { "High" } else { "Standard" }
    }
}

/// The tier of the account, which block blobs without a tier of their own have.
pub(crate) const INFERRED: &str = "Hot";

/// The version that added `x-ms-rehydrate-priority` to answers and lists.
const TELLS_PRIORITY: &str = "2019-12-12";

/// The reported tier of a blob.
#[derive(Debug)]
pub(crate) struct Shown {
    pub(crate) name: &'static str,
    /// Whether it is inferred.
    pub(crate) inferred: bool,
    pub(crate) changed: Option<OffsetDateTime>,
    pub(crate) under_way: Option<Rehydration>,
    pub(crate) tells_priority: bool,
}

/// The tier as answers and lists report it. Page blobs of a standard account have none; those of a
/// premium account never report when it was set.
pub(crate) fn shown(content: &Content, tier: Option<&Tier>, call: &Call) -> Option<Shown> {
    let now = call.now;
    let is_block = matches!(content, Content::Block(_));
    match tier {
        Some(tier) => Some(Shown {
            name: tier.name(now),
            inferred: tier.inferred,
            changed: is_block.then(|| tier.changed(now)),
            under_way: tier.under_way(now),
            tells_priority: call.since(TELLS_PRIORITY),
        }),
        None if is_block => Some(Shown {
            name: INFERRED,
            inferred: true,
            changed: None,
            under_way: None,
            tells_priority: false,
        }),
        None => None,
    }
}

/// The position of a tier among those of premium page blobs.
fn premium(name: &str) -> Option<usize> {
    PREMIUM.iter().position(|known| *known == name)
}

/// The tier that a request names, if it names one that is valid for this blob type.
pub(crate) fn named(call: &Call, content: &Content) -> Result<Option<&'static str>, Refusal> {
    const NAME: &str = "x-ms-access-tier";
    let Some(name) = call.header(NAME) else { return Ok(None) };
    let allowed: &[&str] = match content {
        Content::Block(_) => &BLOCK,
        Content::Page { .. } => &PREMIUM,
        Content::Append(_) => &[],
    };
    let known = allowed.iter().find(|known| known.eq_ignore_ascii_case(name));
    let since = match known {
        Some(&"Cold") => "2021-12-02",
        Some(&"Smart") => "2026-06-06",
        _ => "2017-04-17",
    };
    match known {
        Some(known) if call.since(since) => Ok(Some(known)),
        // Recorded from Copy Blob.
        _ if call.op == Op::CopyBlob => Err(Refusal::bad_header(NAME, name)),
        _ => Err(Code::InvalidBlobTier.into()),
    }
}

/// The same, as a tier that is set now.
pub(crate) fn asked(call: &Call, content: &Content) -> Result<Option<Tier>, Refusal> {
    Ok(named(call, content)?.map(|name| Tier::new(name, call.now)))
}

/// Whether `x-ms-rehydrate-priority` is high.
pub(crate) fn high_priority(call: &Call) -> Result<bool, Refusal> {
    const NAME: &str = "x-ms-rehydrate-priority";
    match call.header(NAME) {
        None | Some("Standard") => Ok(false),
        Some("High") => Ok(true),
        Some(other) => Err(Refusal::bad_header(NAME, other)),
    }
}

/// The longest premium page blob that a tier allows.
pub(crate) fn room(tier: &str) -> u64 {
    const GIB: u64 = 1 << 30;
    match premium(tier) {
        Some(place) => (32 * GIB) << place.min(8),
        None => u64::MAX,
    }
}
