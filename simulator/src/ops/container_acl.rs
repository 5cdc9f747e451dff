//! Get and Set Container ACL: public access, and the stored access policies.

use http::StatusCode;

use super::container::{PUBLIC_ACCESS, public_access};
use crate::{
    model::{conditions::Conditions, container::StoredPolicy, leases, state::State},
    wire::{
        answer::Answer,
        call::Call,
        dates,
        document::Element,
        error::{Code, Refusal},
        xml::Xml,
    },
};

const MOST_POLICIES: usize = 5;
const LONGEST_ID: usize = 64;
/// Every permission that a container's policy may grant.
const PERMISSIONS: &str = "racwdxyltfmeopi";

/// [Get Container ACL](https://learn.microsoft.com/rest/api/storageservices/get-container-acl).
pub(super) fn get(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let container = state.accounts.container(&call.route.account, call.container()?)?;
    Conditions::of(call)?.check_read(container.into())?;
    leases::check_read(container.lease.as_ref(), call)?;
    let mut xml = Xml::new();
    xml.element("SignedIdentifiers", |xml| {
        for policy in &container.policies {
            xml.element("SignedIdentifier", |xml| {
                xml.text_element("Id", &policy.id);
                let parts = [
                    ("Start", &policy.start),
                    ("Expiry", &policy.expiry),
                    ("Permission", &policy.permissions),
                ];
                // An empty policy is returned as its id alone.
                if parts.iter().any(|(_, text)| text.is_some()) {
                    xml.element("AccessPolicy", |xml| {
                        for (name, text) in parts {
                            if let Some(text) = text {
                                xml.text_element(name, text);
                            }
                        }
                    });
                }
            });
        }
    });
    Ok(Answer::new(StatusCode::OK)
        .dated(&container.etag, container.last_modified)
        .maybe(PUBLIC_ACCESS, container.public_access.as_str())
        .xml(xml))
}

/// [Set Container ACL](https://learn.microsoft.com/rest/api/storageservices/set-container-acl):
/// replaces the access level and all policies.
pub(super) fn set(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let public_access = public_access(call, &state.settings)?;
    let policies = if call.body.is_empty() { Vec::new() } else { policies(call)? };
    let container = state.accounts.container_mut(&call.route.account, call.container()?)?;
    Conditions::of(call)?.check_write(Some((&*container).into()))?;
    leases::check_read(container.lease.as_ref(), call)?;
    container.public_access = public_access;
    container.policies = policies;
    container.touch(&mut state.stamps, call.now);
    Ok(Answer::new(StatusCode::OK).dated(&container.etag, container.last_modified))
}

fn policies(call: &Call) -> Result<Vec<StoredPolicy>, Refusal> {
    let document = Element::of(call, "SignedIdentifiers")?;
    if document.children.len() > MOST_POLICIES {
        return Err(Refusal::from(Code::InvalidXmlDocument).detail("Reason", "At most 5 policies"));
    }
    document.children.iter().map(policy).collect()
}

fn policy(element: &Element) -> Result<StoredPolicy, Refusal> {
    let refuse =
        |why: &str| Refusal::from(Code::InvalidXmlDocument).detail("Reason", why.to_owned());
    let id = element.child_text("Id").filter(|id| id.chars().count() <= LONGEST_ID);
    let id = id.ok_or_else(|| refuse("Id must have 1 to 64 characters"))?.to_owned();
    let Some(policy) = element.child("AccessPolicy") else {
        return Ok(StoredPolicy { id, ..StoredPolicy::default() });
    };
    let time = |name| match policy.child_text(name) {
        Some(text) if dates::parse_sas_time(text).is_none() => Err(refuse(name)),
        text => Ok(text.map(str::to_owned)),
    };
    let permissions = policy.child_text("Permission");
    if permissions.is_some_and(|letters| !letters.chars().all(|c| PERMISSIONS.contains(c))) {
        return Err(refuse("Permission"));
    }
    let (start, expiry) = (time("Start")?, time("Expiry")?);
    Ok(StoredPolicy { id, start, expiry, permissions: permissions.map(str::to_owned) })
}
