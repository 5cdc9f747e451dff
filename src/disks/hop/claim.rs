//! The base of the destination, created or taken over for one hop.

use super::{
    ATTEMPTS, Hop, MirrorError,
    base::{Base, Note},
    hold,
    snapshots::{self, Copy},
    stored::Headers,
    torn::is_changed,
};
use crate::{
    BlobProperties, BlobType, Conditions, ETag, Error, ErrorCode, GuardedPages, Metadata,
    SnapshotId,
    disks::{
        lineage::{HopState, Lineage, Point},
        lost_lineage::{self, is_lost},
    },
    wire::redaction::redact,
};

/// A base that has the note and the number of this hop.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) base: Base<Lineage>,
    /// The length of the snapshot.
    pub(super) length: u64,
    /// The metadata of the source snapshot.
    pub(super) metadata: Metadata,
    /// Its content headers.
    pub(super) headers: Headers,
    /// Why everything is copied, if it is.
    pub(super) whole: Option<String>,
    /// All before this offset is done.
    pub(super) done: u64,
    /// The base's own snapshot of what it equals.
    pub(super) earlier: Option<SnapshotId>,
    /// Whether a torn hop is gone on with.
    pub(super) is_resumed: bool,
    /// Whether the base was created for this claim, so that it holds nothing.
    pub(super) is_new: bool,
    /// Whether the snapshot may have been taken already.
    pub(super) may_be_taken: bool,
}

/// What a claim finds.
#[derive(Debug)]
pub(super) enum Claimed {
    ToDo(Box<Claim>),
    /// The hop was done before.
    Sealed(SnapshotId),
}

/// How the base stands to a hop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) equals: Option<Point>,
    pub(super) earlier: Option<SnapshotId>,
    pub(super) whole: Option<String>,
    pub(super) done: u64,
    pub(super) is_resumed: bool,
    pub(super) may_be_taken: bool,
    /// The snapshot that equals the hop's end, if the hop is done.
    pub(super) sealed: Option<SnapshotId>,
}

/// Why a first copy is whole.
pub(super) const FIRST: &str = "it is the first copy";

/// So great that few numbers are left above it.
const MANY: u64 = 1 << 62;

impl Note for Lineage {
    fn read(metadata: &Metadata) -> Option<Self> {
        Self::read(metadata)
    }

    fn with(&self, others: &Metadata) -> Metadata {
        self.with(others)
    }

    fn guard(&self) -> Option<u64> {
        self.hop.as_ref().map(|hop| hop.guard)
    }
}

impl Claim {
    /// Creates the base, or takes it over as it is. `refused` says why differences cannot be had.
    pub(super) async fn take(
        hop: &Hop,
        source: &BlobProperties,
        refused: Option<String>,
    ) -> Result<Claimed, MirrorError> {
        let mut changed = None;
        for _ in 0..ATTEMPTS {
            let Some((seen, lineage)) = look(hop).await? else {
                match create(hop, source).await? {
                    Ok(claim) => return Ok(Claimed::ToDo(Box::new(claim))),
                    Err(error) => changed = Some(error),
                }
                continue;
            };
            check(hop)?;
            let goes_on = lineage.hop.as_ref().is_some_and(|torn| {
                torn.to.is(&hop.to.snapshot) && (torn.done > 0 || torn.sealing)
            });
            let is_unbroken = goes_on && hop.hold.take_over(&hop.destination, &lineage).await?;
            let copies = copies(hop, &lineage).await?;
            check(hop)?;
            let copies = snapshots::keep_one(&hop.destination, copies).await?;
            let lengths = (source.content_length, seen.content_length);
            let refused = refused.clone();
            let standing = Standing::of(hop, &lineage, &copies, lengths, refused, is_unbroken);
            if let Some(snapshot) = standing.sealed {
                return Ok(Claimed::Sealed(snapshot));
            }
            hop.hold.make_way(&hop.destination, &seen, &lineage).await?;
            // A run that was torn before it raised the number has noted a greater one. Steps are
            // random, so the next number would hardly ever be the same; above both, it never is.
            let noted = lineage.hop.as_ref().map(|hop| hop.guard);
            let guard = number(seen.sequence_number.max(noted).unwrap_or_default())?;
            let state = HopState {
                to: Point::from(&hop.to.snapshot),
                whole: standing.whole.is_some(),
                guard,
                done: standing.done,
                sealing: standing.may_be_taken,
            };
            let equals = standing.equals.clone();
            let lease = Some(hop.hold.id());
            let note = Lineage { equals, hop: Some(state), sealed: false, lease, ..lineage };
            let unchanged = seen.etag.clone().unwrap_or(ETag::ANY);
            let set = hop.destination.set_metadata(note.with(&seen.metadata));
            let set = set.conditions(Conditions::new().if_match(unchanged));
            let held = hop.hold.held();
            let set = match &held {
                Some(lease) => set.lease_id(lease),
                None => set,
            };
            let etag = match set.await {
                Ok(set) => set.etag,
                Err(error)
                    if is_changed(&error)
                        || error.may_have_been_applied()
                        || (held.is_none() && hold::is_refused(&error)) =>
                {
                    changed = Some(error);
                    continue;
                }
                Err(error) => return Err(error.into()),
            };
            if let Err(error) = hop.hold.acquire(&hop.destination, etag.as_ref()).await? {
                changed = Some(error);
                continue;
            }
            let holds = (hop.lock.clone(), hop.hold.held());
            let mut base = Base::noted(&hop.destination, (note, guard), &seen, etag, holds);
            base.raise().await?;
            let claim = Self::begin(base, source, standing).await?;
            return Ok(Claimed::ToDo(Box::new(claim)));
        }
        let why = "another run changes it all the time";
        Err(MirrorError::kept_changing(hop.destination.name(), why, changed))
    }

    async fn begin(
        mut base: Base<Lineage>,
        source: &BlobProperties,
        standing: Standing,
    ) -> Result<Self, MirrorError> {
        let length = source.content_length;
        if base.length < length {
            base.resize(length).await?;
        }
        let Standing { earlier, whole, done, is_resumed, may_be_taken, .. } = standing;
        let is_new = false;
        let (metadata, headers) = (source.metadata.clone(), source.into());
        Ok(Self {
            base,
            length,
            metadata,
            headers,
            whole,
            done,
            earlier,
            is_resumed,
            is_new,
            may_be_taken,
        })
    }
}

/// The base and its lineage; `None` if there is no base.
pub(super) async fn look(hop: &Hop) -> Result<Option<(BlobProperties, Lineage)>, MirrorError> {
    let base = &hop.destination;
    let refused = |why: &str| Err(MirrorError::refused(base.name(), why));
    let seen = match base.get_properties().await {
        Ok(seen) => seen,
        Err(error) if error.code() == Some(&ErrorCode::BlobNotFound) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let is_pages = matches!(seen.blob_type, None | Some(BlobType::PageBlob));
    let is_ours = is_pages && !seen.is_incremental_copy;
    if is_ours
        && is_lost(&seen.metadata)
        && let Some(lineage) = lost_lineage::find(base, &seen, &hop.source).await?
    {
        return Ok(Some((seen, lineage)));
    }
    if !is_ours || !Lineage::is_on(&seen.metadata) {
        return refused(
            "exists and was not made by a mirror by ranges: choose another destination",
        );
    }
    match Lineage::read(&seen.metadata) {
        None => refused("its metadata do not say what it equals: they were changed by hand"),
        Some(lineage) if !lineage.is_of(&hop.source) => {
            let other = lineage.source;
            refused(&format!("is the mirror of {other}, and not of {}", hop.source))
        }
        Some(lineage) => Ok(Some((seen, lineage))),
    }
}

/// The base's snapshots that matter to the hop.
pub(super) async fn copies(hop: &Hop, lineage: &Lineage) -> Result<Vec<Copy>, MirrorError> {
    let is_last =
        |last: &&Copy| lineage.hop.is_none() && lineage.equals.as_ref() == Some(&last.equals);
    if let Some(last) = hop.last.as_ref().filter(is_last) {
        return Ok(vec![last.clone()]);
    }
    let to = Point::from(&hop.to.snapshot);
    let noted = lineage.hop.as_ref().map(|hop| &hop.to);
    let points: Vec<_> =
        [Some(&to), lineage.equals.as_ref(), noted].into_iter().flatten().collect();
    if lineage.equals.is_none() && lineage.hop.as_ref().is_none_or(|hop| !hop.sealing) {
        return Ok(Vec::new());
    }
    snapshots::of(&hop.destination, &points).await
}

fn check(hop: &Hop) -> Result<(), MirrorError> {
    hop.lock.as_ref().map_or(Ok(()), |lock| lock.check())
}

/// A sequence number for the writes of a hop, above `current`.
fn number(current: u64) -> Result<u64, Error> {
    // Somebody else has used nearly all numbers up: it is set to a lower one, which is random.
    GuardedPages::number_above(if current > MANY { 0 } else { current })
}

/// Creates the base. An error inside says that it may be there now.
async fn create(hop: &Hop, source: &BlobProperties) -> Result<Result<Claim, Error>, MirrorError> {
    check(hop)?;
    let guard = number(0)?;
    let to = Point::from(&hop.to.snapshot);
    let state = HopState { to, whole: true, guard, done: 0, sealing: false };
    let source_id = redact(&hop.source).into_owned();
    let lease = Some(hop.hold.id());
    let note = Lineage { source: source_id, equals: None, hop: Some(state), sealed: false, lease };
    let length = source.content_length;
    let create = hop.destination.create(length).sequence_number(guard);
    let headers = Headers::from(source);
    let create = headers.create(create).metadata(note.with(&Metadata::new()));
    let created = match create.conditions(Conditions::new().if_none_match(ETag::ANY)).await {
        Ok(created) => created,
        Err(error)
            if is_changed(&error)
                || error.code() == Some(&ErrorCode::BlobAlreadyExists)
                || error.may_have_been_applied() =>
        {
            return Ok(Err(error));
        }
        Err(error) => return Err(error.into()),
    };
    let seen = BlobProperties {
        content_length: length,
        sequence_number: Some(guard),
        ..BlobProperties::default()
    };
    if let Err(error) = hop.hold.acquire(&hop.destination, created.etag.as_ref()).await? {
        return Ok(Err(error));
    }
    let holds = (hop.lock.clone(), hop.hold.held());
    Ok(Ok(Claim {
        // Without its ETag, somebody may have written to it before it was leased.
        is_new: created.etag.is_some(),
        base: Base::noted(&hop.destination, (note, guard), &seen, created.etag, holds)
            .with_headers(headers.clone().of_new()),
        length,
        metadata: source.metadata.clone(),
        headers,
        whole: Some(FIRST.to_owned()),
        done: 0,
        earlier: None,
        is_resumed: false,
        may_be_taken: false,
    }))
}

impl Standing {
    /// How a base with this lineage stands to the hop, by the lengths of the source snapshot and of
    /// the base, and by whether it `is_unbroken`: nobody else can have written to it since the run
    /// before had its lease.
    pub(super) fn of(
        hop: &Hop,
        lineage: &Lineage,
        copies: &[Copy],
        (length, base_length): (u64, u64),
        refused: Option<String>,
        is_unbroken: bool,
    ) -> Self {
        let copy_of = |point: &Point| copies.iter().find(|copy| copy.equals == *point);
        let is_from =
            |point: &Point| hop.from.as_ref().is_some_and(|from| point.is(&from.snapshot));
        let mut torn = lineage.hop.as_ref();
        let mut equals = lineage.equals.as_ref();
        // The last hop was torn after its snapshot: the base equals that too.
        if let Some(last) = torn
            && last.sealing
            && !last.to.is(&hop.to.snapshot)
            && copy_of(&last.to).is_some()
            && is_from(&last.to)
        {
            (torn, equals) = (None, Some(&last.to));
        }
        let same = torn.filter(|torn| torn.to.is(&hop.to.snapshot));
        let earlier = equals.and_then(copy_of);
        let whole = match (equals, earlier) {
            (None, _) => Some(FIRST.to_owned()),
            _ if refused.is_some() => refused,
            // What is behind this cannot be told from the state of the base: it was cut off.
            _ if torn.is_some_and(|torn| torn.whole) => {
                Some("everything was being copied when the run before was torn".to_owned())
            }
            (Some(_), _) if hop.from.is_none() => {
                Some("the source snapshot that was copied last no longer exists".to_owned())
            }
            (Some(equals), _) if !is_from(equals) => {
                Some(format!("the destination equals another snapshot, {}", equals.id))
            }
            (_, None) => Some("the destination's snapshot of it no longer exists".to_owned()),
            (_, Some(copy)) if base_length < copy.length.min(length) => {
                Some("the destination was made smaller".to_owned())
            }
            _ => None,
        };
        // Also if another run has gone on from it since: its lock was broken, and it lives.
        let sealed = copies
            .iter()
            .filter(|_| same.is_none())
            .find(|copy| copy.equals.is(&hop.to.snapshot))
            .map(|copy| copy.snapshot.clone());
        // Its snapshot is good. What was written to the base since is mended by the next hop.
        let is_taken =
            |same: &HopState| same.sealing && base_length >= length && copy_of(&same.to).is_some();
        // Somebody else may have written where it was done: all is looked at again.
        let done = same.filter(|same| is_unbroken || is_taken(same)).map_or(0, |same| same.done);
        Self {
            equals: equals.cloned(),
            earlier: earlier.map(|copy| copy.snapshot.clone()),
            whole,
            done: done.min(base_length).min(length),
            is_resumed: same.is_some(),
            may_be_taken: same.is_some_and(|same| same.sealing),
            sealed,
        }
    }
}
