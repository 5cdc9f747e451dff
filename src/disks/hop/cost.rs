//! What a hop would move.

use std::sync::Arc;

use super::{
    Hop, HopCost, MirrorError, Reading,
    changes::{Change, Changes},
    claim::{self, FIRST, Standing},
    listing::{Listed, Listing},
    torn::Torn,
};
use crate::{LeaseState, PageRange, disks::lineage::Lineage};

/// What the hop would move, without changing anything.
///
/// If the destination does not equal `from` yet, it is taken to be so: the hop is a later one of a
/// plan.
pub(crate) async fn cost(hop: &Hop) -> Result<HopCost, MirrorError> {
    let reading = Arc::new(Reading::of(&hop.to, hop.from.as_ref()));
    let length = reading.properties().await?.content_length;
    let found = claim::look(hop).await?;
    let mut refused = None;
    loop {
        let (mut changes, whole) = match &found {
            Some((seen, lineage)) if is_at(hop, lineage) => {
                let copies = claim::copies(hop, lineage).await?;
                let lengths = (length, seen.content_length);
                // A lease that is over without a trace was written past, or released.
                let is_unbroken =
                    matches!(seen.lease_state, Some(LeaseState::Leased | LeaseState::Expired));
                let refused = refused.clone();
                let standing = Standing::of(hop, lineage, &copies, lengths, refused, is_unbroken);
                now(hop, &reading, &standing, lengths)
            }
            _ => later(hop, &reading, refused.clone(), length),
        };
        let mut cost = HopCost { written: 0, cleared: 0, mended: 0, whole };
        let counted = loop {
            match changes.next().await {
                Ok(Some(Change::Write(range))) => cost.written += range.len(),
                Ok(Some(Change::Clear(range))) => cost.cleared += range.len(),
                Ok(None) => break Ok(()),
                Err(torn) => break Err(torn),
            }
        };
        match counted {
            Ok(()) => {
                // What a torn hop has written is nobody else's.
                let torn = found.as_ref().is_some_and(|(_, lineage)| lineage.hop.is_some());
                let counts = cost.whole.is_none() && !torn;
                cost.mended = if counts { changes.besides() } else { 0 };
                return Ok(cost);
            }
            Err(Torn::Failed(error)) => return Err(error),
            Err(Torn::DiffRefused(code)) if refused.is_none() => refused = Some(code),
            Err(Torn::DiffRefused(code)) => {
                let why = format!("the service refuses to list its pages: {code}");
                return Err(MirrorError::refused(&hop.to.snapshot, why));
            }
        }
    }
}

/// Whether the hop begins with what the base equals, or must copy everything.
fn is_at(hop: &Hop, lineage: &Lineage) -> bool {
    let noted = lineage.hop.as_ref().filter(|noted| noted.sealing).map(|noted| &noted.to);
    hop.from.as_ref().is_none_or(|from| {
        [lineage.equals.as_ref(), noted].into_iter().flatten().any(|at| at.is(&from.snapshot))
    })
}

/// The changes of a hop that is the next.
fn now(
    hop: &Hop,
    reading: &Arc<Reading>,
    standing: &Standing,
    (length, base_length): (u64, u64),
) -> (Changes, Option<String>) {
    let blob = hop.destination.clone();
    let data = Listed::Data(Arc::clone(reading));
    let done = if standing.sealed.is_some() { length } else { standing.done };
    let range = PageRange::from(done..length);
    // Pages that are not there yet cannot be listed.
    let there = PageRange::from(done..length.min(base_length));
    match (&standing.earlier, &hop.from) {
        (Some(earlier), Some(from)) if standing.whole.is_none() => {
            let changed = Listed::Changes(Arc::clone(reading), from.clone());
            let touched = Listing::of(Listed::HeldSince(blob, earlier.clone()), there);
            (Changes::difference(changed, Some(touched), data, range), None)
        }
        _ => {
            let held = Listing::of(Listed::Held(blob), there);
            (Changes::whole(data, Some(held), range), standing.whole.clone())
        }
    }
}

/// The changes of a hop that others come before.
fn later(
    hop: &Hop,
    reading: &Arc<Reading>,
    refused: Option<String>,
    length: u64,
) -> (Changes, Option<String>) {
    let data = Listed::Data(Arc::clone(reading));
    let range = PageRange::from(0..length);
    match (&hop.from, refused) {
        (Some(from), None) => {
            let changed = Listed::Changes(Arc::clone(reading), from.clone());
            (Changes::difference(changed, None, data, range), None)
        }
        (Some(from), refused) => {
            let held = from.snapshot.length.map(|held| {
                let of = Listed::EarlierData(Arc::clone(reading), from.clone());
                Listing::of(of, PageRange::from(0..held.min(length)))
            });
            (Changes::whole(data, held, range), refused)
        }
        (None, _) => (Changes::whole(data, None, range), Some(FIRST.to_owned())),
    }
}
