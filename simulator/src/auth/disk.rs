//! Authorization for managed disks: the SAS of a grant and, if the disk says so, a bearer token
//! beside it. From public documentation only, as all of managed disks here.

use http::StatusCode;

use super::{access::Access, bearer};
use crate::{
    model::{disks::Family, state::State},
    wire::{
        error::{Code, Refusal},
        op::Op,
    },
};

/// The audience of a token beside the SAS of a managed disk.
const AUDIENCE: [&str; 2] = ["https://disk.azure.com/", "https://disk.azure.com"];

/// Checks a request, or the read of a source, for a snapshot of a managed disk. `credential` is its
/// `Authorization`.
pub(super) fn verify(
    family: &Family,
    credential: Option<&str>,
    state: &State,
    access: &Access<'_>,
) -> Result<(), Refusal> {
    let token = credential.and_then(|credential| credential.strip_prefix("Bearer "));
    if access.query.get("sig").is_none() {
        return Err(match credential {
            Some(_) if token.is_none() => {
                Refusal::unauthenticated("An account of managed disks has no key to sign with")
            }
            _ => challenge(Code::NoAuthenticationInformation),
        });
    }
    family.opened_by(access.route, access.query, access.now)?;
    if family.needs_bearer {
        let token = token.ok_or_else(|| challenge(Code::NoAuthenticationInformation))?;
        bearer::check(token, &state.settings, access.secure, &AUDIENCE)?
            .then_some(())
            .ok_or_else(|| challenge(Code::InvalidAuthenticationInfo))?;
    }
    // The SAS is for reading, and nothing else can be done with a managed disk.
    match access.op {
        Op::GetBlob | Op::GetBlobProperties | Op::GetPageRanges => Ok(()),
        _ => Err(Code::AuthorizationPermissionMismatch.into()),
    }
}

fn challenge(code: Code) -> Refusal {
    const HEADER: &str = "Bearer authorization_uri=https://login.microsoftonline.com/\
        00000000-0000-0000-0000-000000000000/oauth2/authorize resource_id=https://disk.azure.com/";
    Refusal::from(code).header("www-authenticate", HEADER).status(StatusCode::UNAUTHORIZED)
}
