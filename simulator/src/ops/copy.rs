//! Copy Blob and Abort Copy Blob.

use std::time::Duration;

use http::StatusCode;

use super::{
    copy_source::{Source, SourceUrl},
    write,
};
use crate::{
    auth::Principal,
    model::{
        blob::Blob,
        conditions::Conditions,
        content::Content,
        copies::{
            self,
            job::{CopyJob, JobSource},
            record::{CopyRecord, Status},
        },
        encryption,
        leases::{self, LeaseState},
        metadata,
        pages::Pages,
        revision::Revision,
        state::State,
        tiers::{self, Tier},
    },
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
        route::BlobAddress,
    },
};

/// [Copy Blob](https://learn.microsoft.com/rest/api/storageservices/copy-blob).
pub(super) fn start(
    state: &mut State,
    call: &Call,
    principal: Principal,
) -> Result<Answer, Refusal> {
    call.not_a_snapshot()?;
    let at = call.blob_address()?;
    let (own_metadata, tags) = (metadata::metadata(call)?, metadata::tags(call)?);
    state.accounts.container(&at.account, &at.container)?;
    let url = SourceUrl::of(call)?;
    let source = url.read(state, call, Some(principal))?;
    // Later versions read a source whether or not it is leased.
    if !call.since("2012-02-12") {
        let leased = state.accounts.blob(&source.at)?;
        leases::check_source(leased.lease.as_ref(), call)?;
    }
    let tier = tier(call, &source.revision)?;
    let sealed = seal(call, &source.revision.content)?;

    let existing = state.accounts.find(&at)?;
    let conditions = Conditions::of_target(call)?;
    let kind = source.revision.content.kind();
    write::check_replacement(existing, call, &conditions, kind, principal)?;
    check_lease(existing, call)?;

    // A tier that was set on the source is not copied.
    let premium = || match (&source.revision.tier, &source.revision.content) {
        (Some(_), Content::Page { length, .. }) => Some(Tier::of_premium(*length, call.now)),
        _ => None,
    };
    let kept_tier = existing.and_then(|blob| blob.current.tier.clone()).or_else(premium);
    let outcome = Revision {
        metadata: if own_metadata.is_empty() {
            source.revision.metadata.clone()
        } else {
            own_metadata
        },
        tags,
        etag: state.stamps.etag(),
        last_modified: call.now,
        created: existing.map_or(call.now, |blob| blob.current.created),
        generation: state.stamps.next(),
        tier: tier.or(kept_tier),
        copy: None,
        incremental: false,
        sealed,
        // The request has no scope header, but the SAS may name a scope.
        encryption: encryption::asked_scope(call),
        ..source.revision.clone()
    };
    let total = outcome.content.length();
    let record = CopyRecord::new(state.stamps.guid(), url.echoed(call, state.settings.echo), total);
    let placeholder = Revision {
        content: placeholder(&outcome.content),
        copy: Some(Box::new(record)),
        ..outcome.clone()
    };

    let needed = state.settings.pace.time_for(total);
    let (same_account, onto_itself) =
        (source.at.account == at.account, source.at == at && source.snapshot.is_none());
    let job = plan(state, call, source, outcome, needed);
    let blob = state.accounts.replace(&at, placeholder)?;
    let behind = state.copies.is_queue(&at.account);
    let at_once = same_account && !behind && needed.is_zero() && job.failure.is_none() && !job.held;
    blob.job = Some(Box::new(job));

    // Before 2012-02-12 a copy completed before the answer, and left no record.
    let synchronous = !call.since("2012-02-12");
    if at_once || onto_itself || synchronous {
        copies::finish(blob, &mut state.stamps, call.now);
    }
    if synchronous {
        blob.current.copy = None;
        return Ok(Answer::about(StatusCode::CREATED, &blob.current));
    }
    let (answer, under_way) = (accepted(blob), blob.job.is_some());
    if under_way {
        copies::begin(state, at);
    }
    Ok(answer)
}

/// A copy takes time, so the lease of its destination must be infinite.
pub(super) fn check_lease(existing: Option<&Blob>, call: &Call) -> Result<(), Refusal> {
    match existing.and_then(|blob| blob.lease.as_ref()) {
        Some(lease)
            if lease.duration.is_some()
                && call.since("2012-02-12")
                && LeaseState::of(Some(lease), call.now).locked() =>
        {
            Err(Code::InfiniteLeaseDurationRequired.into())
        }
        _ => Ok(()),
    }
}

/// The tier of the destination. An archived source can only be copied to an online tier.
pub(super) fn tier(call: &Call, source: &Revision) -> Result<Option<Tier>, Refusal> {
    let asked = tiers::named(call, &source.content)?;
    let high = tiers::high_priority(call)?;
    let Some(tier) = source.tier.as_ref().filter(|tier| tier.is_archived(call.now)) else {
        return Ok(asked.map(|name| Tier::new(name, call.now)));
    };
    if tier.under_way(call.now).is_some() {
        return Err(Code::BlobBeingRehydrated.into());
    }
    match asked {
        None | Some("Archive") => Err(Code::BlobArchived.into()),
        Some(online) => Ok(Some(Tier::rehydrating(online, high, call.now))),
    }
}

/// Whether to seal the destination, if it is an append blob.
fn seal(call: &Call, content: &Content) -> Result<bool, Refusal> {
    const NAME: &str = "x-ms-seal-blob";
    match (call.flag(NAME)?, content) {
        (None | Some(false), _) => Ok(false),
        (Some(true), Content::Append(_)) => Ok(true),
        (Some(true), _) => Err(Refusal::bad_header(NAME, "true")),
    }
}

/// A job that starts now, with what the test has planned for it.
pub(super) fn plan(
    state: &mut State,
    call: &Call,
    source: Source,
    outcome: Revision,
    needed: Duration,
) -> CopyJob {
    state.copies.started += 1;
    CopyJob {
        source: JobSource {
            at: source.at,
            snapshot: source.snapshot,
            etag: source.revision.etag,
            verified: source.elsewhere.as_ref().map(|_| call.now),
            access: source.elsewhere.map(|elsewhere| elsewhere.access),
            lost: false,
        },
        outcome,
        started: call.now,
        needed,
        run: Duration::ZERO,
        seen: call.now,
        held: state.copies.hold_new,
        waits: false,
        failure: state.copies.failures.pop_front(),
        brings_nothing: false,
    }
}

/// The answer to a start: the destination's state, and the copy's id and status.
pub(super) fn accepted(blob: &Blob) -> Answer {
    let answer = Answer::about(StatusCode::ACCEPTED, &blob.current);
    match &blob.current.copy {
        None => answer,
        Some(copy) => {
            answer.header("x-ms-copy-id", &copy.id).header("x-ms-copy-status", copy.status.as_str())
        }
    }
}

impl CopyRecord {
    pub(super) fn new(id: String, source: String, total: u64) -> Self {
        Self {
            id,
            source,
            status: Status::Pending,
            copied: 0,
            total,
            completed_on: None,
            description: None,
            destination_snapshot: None,
        }
    }
}

/// The content of the destination during the copy: a page blob has its full length at once.
fn placeholder(content: &Content) -> Content {
    match content {
        Content::Page { length, .. } => Content::Page { length: *length, pages: Pages::default() },
        other => other.emptied(),
    }
}

/// [Abort Copy Blob](https://learn.microsoft.com/rest/api/storageservices/abort-copy-blob).
pub(super) fn abort(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    const ACTION: &str = "x-ms-copy-action";
    call.not_a_snapshot()?;
    match call.required(ACTION)? {
        "abort" => {}
        other => return Err(Refusal::bad_header(ACTION, other)),
    }
    let id = call.query.get("copyid").ok_or_else(|| Refusal::missing_query("copyid"))?;
    let id = leases::guid(id)
        .ok_or_else(|| Refusal::bad_query("copyid", id, "copyid needs to be valid Guid."))?;
    let at: BlobAddress = call.blob_address()?;
    let blob = state.accounts.blob_mut(&at)?;
    leases::check_write(blob.lease.as_ref(), call)?;
    match &blob.current.copy {
        Some(copy) if copy.status == Status::Pending && copy.id == id => {}
        Some(copy) if copy.status == Status::Pending => return Err(Code::CopyIdMismatch.into()),
        _ => return Err(Code::NoPendingCopyOperation.into()),
    }
    copies::abort(blob, &mut state.stamps, call.now);
    copies::leave(state, &at, call.now);
    Ok(Answer::new(StatusCode::NO_CONTENT))
}
