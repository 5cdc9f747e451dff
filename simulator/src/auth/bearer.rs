//! [Bearer tokens](https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory),
//! accepted by a rule that the test sets.

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use http::StatusCode;

use super::{Access, Principal};
use crate::{
    error::{Code, Refusal},
    state::Settings,
};

/// Decides whether a bearer token is accepted.
#[derive(Clone)]
pub(crate) struct BearerRule(pub(crate) Arc<dyn Fn(&str) -> bool + Send + Sync>);

impl fmt::Debug for BearerRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BearerRule")
    }
}

/// Whom a token was issued to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) object_id: String,
    pub(crate) tenant_id: String,
}

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

/// Refuses with the header that tells where tokens are to be had.
pub(super) fn challenge(code: Code) -> Refusal {
    const HEADER: &str = "Bearer authorization_uri=https://login.microsoftonline.com/\
        00000000-0000-0000-0000-000000000000/oauth2/authorize resource_id=https://storage.azure.com";
    Refusal::from(code).header("www-authenticate", HEADER).status(StatusCode::UNAUTHORIZED)
}

impl Identity {
    /// Reads the claims `oid` and `tid` of a token. One that is no JWT, as tests like to use,
    /// stands for a user whose ids end in `a` and `b`.
    pub(crate) fn of(token: &str) -> Self {
        let claims = token.split('.').nth(1).and_then(|part| URL_SAFE_NO_PAD.decode(part).ok());
        let claims = claims.and_then(|json| String::from_utf8(json).ok()).unwrap_or_default();
        let or = |name: &str, end: char| {
            let claim = claim(&claims, name).map(str::to_owned);
            claim.unwrap_or_else(|| format!("00000000-0000-0000-0000-00000000000{end}"))
        };
        Self { object_id: or("oid", 'a'), tenant_id: or("tid", 'b') }
    }
}

/// A claim whose value is a plain string, as ids are.
fn claim<'a>(json: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = json.split_once(&format!("\"{name}\""))?;
    let rest = rest.trim_start().strip_prefix(':')?.trim_start().strip_prefix('"')?;
    Some(rest.split_once('"')?.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_from_the_claims_of_a_jwt_and_else_are_made_up() {
        let claims = URL_SAFE_NO_PAD.encode(r#"{"aud":"x","oid": "user-1","tid":"tenant-1"}"#);
        let found = Identity::of(&format!("e30.{claims}.signature"));
        assert_eq!((&*found.object_id, &*found.tenant_id), ("user-1", "tenant-1"));
        for opaque in ["token", "a.b.c", ""] {
            let found = Identity::of(opaque);
            assert_eq!(found.object_id, "00000000-0000-0000-0000-00000000000a");
            assert_eq!(found.tenant_id, "00000000-0000-0000-0000-00000000000b");
        }
    }
}
