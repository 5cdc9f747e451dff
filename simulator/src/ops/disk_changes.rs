//! The earlier snapshot of a page-range difference between snapshots of managed disks, which are
//! blobs of their own: a URL names it, with its own SAS.

use http::Uri;

use super::pages::PREVIOUS_URL;
use crate::{
    auth,
    model::{revision::Revision, state::State},
    wire::{
        call::Call,
        error::{Code, Refusal},
        route::{BlobAddress, Query, is_same_service, locate},
    },
};

/// There is no difference between a disk of up to this size and one above it.
const BOUNDARY: u64 = 4 << 40;

/// The version that added the URL.
const SINCE: &str = "2019-07-07";

/// The snapshot that `url` names, if the requested one may be compared with it.
pub(super) fn previous<'a>(
    state: &'a State,
    call: &Call,
    url: &str,
) -> Result<&'a Revision, Refusal> {
    let own = state.disks.in_account(&call.route.account).ok_or_else(|| {
        Refusal::from(Code::UnsupportedHeaderForNonManagedDisksAccount).naming(PREVIOUS_URL, url)
    })?;
    let refuse = || Refusal::bad_header(PREVIOUS_URL, url);
    if !call.since(SINCE) {
        return Err(Refusal::unsupported_header(PREVIOUS_URL, url));
    }
    let uri: Uri = url.parse().map_err(|_| refuse())?;
    let authority = uri.authority().ok_or_else(refuse)?;
    let query = Query::parse(uri.query()).map_err(|_| refuse())?;
    if !is_same_service(authority, call.authority.as_ref()) {
        return Err(Code::PreviousSnapshotNotFound.into());
    }
    let knows = |name: &str| state.accounts.has(name);
    let route = locate(knows, Some(authority), uri.path(), false)?;
    auth::authorize_previous(&route, &query, call, state)?;

    let (Some(container), Some(blob)) = (route.container, route.blob) else {
        return Err(refuse());
    };
    let at = BlobAddress { account: route.account, container, blob };
    let time = query.get("snapshot");
    let earlier = Some(own).filter(|family| family.account == at.account);
    let earlier = earlier.and_then(|family| family.snapshot_at(&at.container, time));
    // A family is one disk; a disk that was recreated is another.
    let earlier = earlier.ok_or(Code::PreviousSnapshotNotFound)?;
    let newer = own.snapshot_at(call.container()?, call.snapshot());
    let newer = newer.ok_or(Code::BlobNotFound)?;
    if !earlier.incremental || !newer.incremental {
        return Err(Code::PreviousSnapshotOperationNotSupported.into());
    }
    if earlier.is_after(newer) {
        return Err(Code::PreviousSnapshotCannotBeNewer.into());
    }
    if (earlier.size > BOUNDARY) != (newer.size > BOUNDARY) {
        return Err(Code::PreviousSnapshotOperationNotSupported.into());
    }
    state.accounts.revision(&at, time)
}
