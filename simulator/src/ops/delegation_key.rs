//! Get User Delegation Key.

use http::StatusCode;
use time::OffsetDateTime;

use crate::{
    auth::{DelegationKey, Identity, LONGEST_KEY, Principal},
    model::state::State,
    wire::{
        answer::Answer,
        call::Call,
        dates,
        document::Element,
        error::{Code, Refusal},
        xml::Xml,
    },
};

/// [Get User Delegation
/// Key](https://learn.microsoft.com/rest/api/storageservices/get-user-delegation-key): a key that
/// signs SAS tokens in the name of the bearer token's user.
pub(super) fn get(state: &mut State, call: &Call, principal: Principal) -> Result<Answer, Refusal> {
    let token = call.header("authorization").and_then(|value| value.strip_prefix("Bearer "));
    let (Principal::Bearer, Some(token)) = (principal, token) else {
        let why = "Only a bearer token can ask for a user delegation key";
        return Err(Refusal::unauthenticated(why));
    };
    if !call.since("2018-11-09") {
        return Err(Refusal::bad_header("x-ms-version", call.version()));
    }
    let asked = KeyInfo::of(call)?;
    let (start, expiry) = asked.times(call.now)?;
    let (start, expiry) = (dates::sas_time(start), dates::sas_time(expiry));

    let account = state.accounts.get(&call.route.account).ok_or(Code::ResourceNotFound)?;
    let user = Identity::of(token);
    let key = DelegationKey {
        object_id: &user.object_id,
        tenant_id: &user.tenant_id,
        start: &start,
        expiry: &expiry,
        service: "b",
        version: call.version(),
        delegated_tenant_id: &asked.delegated_tenant_id,
    };
    let mut xml = Xml::new();
    xml.element("UserDelegationKey", |xml| {
        xml.text_element("SignedOid", key.object_id);
        xml.text_element("SignedTid", key.tenant_id);
        xml.text_element("SignedStart", key.start);
        xml.text_element("SignedExpiry", key.expiry);
        xml.text_element("SignedService", key.service);
        xml.text_element("SignedVersion", key.version);
        if !key.delegated_tenant_id.is_empty() {
            xml.text_element("SignedDelegatedUserTid", key.delegated_tenant_id);
        }
        xml.text_element("Value", &key.value(account));
    });
    Ok(Answer::new(StatusCode::OK).xml(xml))
}

/// The body of the request.
#[derive(Debug)]
struct KeyInfo {
    start: String,
    expiry: String,
    delegated_tenant_id: String,
}

impl KeyInfo {
    fn of(call: &Call) -> Result<Self, Refusal> {
        let document = Element::of(call, "KeyInfo")?;
        let text = |name| document.child_text(name).unwrap_or("").to_owned();
        let (start, expiry) = (text("Start"), text("Expiry"));
        Ok(Self { start, expiry, delegated_tenant_id: text("DelegatedUserTid") })
    }

    /// Start and expiry: at most seven days from now.
    fn times(&self, now: OffsetDateTime) -> Result<(OffsetDateTime, OffsetDateTime), Refusal> {
        let wrong = |why: &str| Refusal::from(Code::InvalidInput).detail("Reason", why);
        let start = match self.start.as_str() {
            "" => now,
            start => dates::parse_sas_time(start).ok_or_else(|| wrong("Start is not a time"))?,
        };
        let expiry = dates::parse_sas_time(&self.expiry);
        let expiry = expiry.ok_or_else(|| wrong("Expiry is missing or is not a time"))?;
        if expiry <= start || expiry <= now {
            return Err(wrong("Expiry must be after Start, and in the future"));
        }
        if start > now + LONGEST_KEY || expiry > now + LONGEST_KEY {
            return Err(wrong("Start and Expiry must be within seven days of now"));
        }
        Ok((start, expiry))
    }
}
