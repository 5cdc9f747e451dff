//! [Bearer tokens](https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory),
//! accepted by a rule that the test sets.

use http::StatusCode;

use super::access::{Access, Principal};
use crate::{
    model::settings::Settings,
    wire::error::{Code, Refusal},
};

pub(super) fn verify(
    token: &str,
    settings: &Settings,
    access: &Access<'_>,
) -> Result<Principal, Refusal> {
    let rule = settings.bearer.as_ref().ok_or_else(|| {
        Refusal::unauthenticated(
            "This simulator was given no rule by which it accepts a bearer token",
        )
    })?;
    if !access.secure {
        let why = "Authentication scheme Bearer is not allowed with HTTP";
        return Err(Refusal::unauthenticated(why));
    }
    if access.version < "2017-11-09" {
        let why = "Authentication scheme Bearer is not supported in this version";
        return Err(Refusal::unauthenticated(why));
    }
    match (rule.0)(token) {
        true => Ok(Principal::Bearer),
        false => Err(challenge(Code::InvalidAuthenticationInfo)),
    }
}

/// Refuses with the header that names the token issuer.
pub(super) fn challenge(code: Code) -> Refusal {
    const HEADER: &str = "Bearer authorization_uri=https://login.microsoftonline.com/\
        00000000-0000-0000-0000-000000000000/oauth2/authorize resource_id=https://storage.azure.com";
    Refusal::from(code).header("www-authenticate", HEADER).status(StatusCode::UNAUTHORIZED)
}
