//! The user that a bearer token represents.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// The user that a token was issued to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) object_id: String,
    pub(crate) tenant_id: String,
}

impl Identity {
    /// Reads the claims `oid` and `tid` of a token. A token that is not a JWT, as many tests use,
    /// represents a user whose ids end in `a` and `b`.
    pub(crate) fn of(token: &str) -> Self {
        let claims = claims(token).unwrap_or_default();
        let or = |name: &str, end: char| {
            let claim = claim(&claims, name).map(str::to_owned);
            claim.unwrap_or_else(|| format!("00000000-0000-0000-0000-00000000000{end}"))
        };
        Self { object_id: or("oid", 'a'), tenant_id: or("tid", 'b') }
    }
}

/// The audience of a token, if it is a JWT that names one.
pub(super) fn audience(token: &str) -> Option<String> {
    claim(&claims(token)?, "aud").map(str::to_owned)
}

/// The claims of a token, as JSON, if it is a JWT.
fn claims(token: &str) -> Option<String> {
    let part = token.split('.').nth(1)?;
    String::from_utf8(URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}

/// A claim with a plain string value, as ids have.
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
        assert_eq!(audience(&format!("e30.{claims}.signature")).as_deref(), Some("x"));
        assert_eq!((audience("token"), audience("a.b.c")), (None, None));
        for opaque in ["token", "a.b.c", ""] {
            let found = Identity::of(opaque);
            assert_eq!(found.object_id, "00000000-0000-0000-0000-00000000000a");
            assert_eq!(found.tenant_id, "00000000-0000-0000-0000-00000000000b");
        }
    }
}
