//! Authorization for the stand-in for Azure Resource Manager: a bearer token for its own audience.

use http::StatusCode;

use super::bearer;
use crate::{
    model::state::State,
    wire::{call::Call, error::Refusal},
};

/// The audiences of its tokens.
const AUDIENCE: [&str; 4] = [
    "https://management.azure.com/",
    "https://management.azure.com",
    "https://management.core.windows.net/",
    "https://management.core.windows.net",
];

/// Checks the token of a request to Resource Manager.
pub(crate) fn authorize_management(call: &Call, state: &State) -> Result<(), Refusal> {
    let token = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let Some(token) = token else {
        return Err(refuse("AuthenticationFailed", "The 'Authorization' header is missing."));
    };
    let secure = call.peer.https || call.peer.in_process;
    let accepted = bearer::check(token, &state.settings, secure, &AUDIENCE).map_err(|refusal| {
        let why = refusal.parts().details.first().map_or("", |(_, why)| why);
        refuse("AuthenticationFailed", why)
    })?;
    match accepted {
        true => Ok(()),
        false => Err(refuse(
            "InvalidAuthenticationToken",
            "The access token is not accepted, or is for another audience than \
             'https://management.azure.com/'.",
        )),
    }
}

fn refuse(code: &str, message: &str) -> Refusal {
    const HEADER: &str = "Bearer authorization_uri=\"https://login.microsoftonline.com/\
        00000000-0000-0000-0000-000000000000\", error=\"invalid_token\"";
    let refusal = Refusal::management(StatusCode::UNAUTHORIZED, code, message);
    refusal.header("www-authenticate", HEADER)
}
