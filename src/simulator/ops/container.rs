//! Create, Delete and Get Properties of containers.

use std::collections::{BTreeMap, btree_map::Entry};

use http::StatusCode;

use crate::simulator::{
    answer::Answer,
    call::Call,
    conditions::{Conditions, Seen},
    container::{Container, PublicAccess},
    error::{Code, Refusal},
    metadata,
    state::State,
};

const PUBLIC_ACCESS: &str = "x-ms-blob-public-access";
const NO_TAGS: &BTreeMap<String, String> = &BTreeMap::new();

/// [Create Container](https://learn.microsoft.com/rest/api/storageservices/create-container).
pub(super) fn create(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let public_access = match call.header(PUBLIC_ACCESS) {
        None => PublicAccess::None,
        Some("blob") => PublicAccess::Blob,
        Some("container") => PublicAccess::Container,
        Some(other) => return Err(Refusal::bad_header(PUBLIC_ACCESS, other)),
    };
    if public_access != PublicAccess::None && !state.settings.public_access {
        return Err(Code::PublicAccessNotPermitted.into());
    }
    let container = Container {
        etag: state.stamps.etag(),
        last_modified: call.now,
        metadata: metadata::metadata(call)?,
        public_access,
        blobs: BTreeMap::new(),
        policies: Vec::new(),
    };
    let answer = Answer::new(StatusCode::CREATED).dated(&container.etag, container.last_modified);
    let account = state.accounts.0.get_mut(&call.route.account).ok_or(Code::ResourceNotFound)?;
    match account.containers.entry(call.container()?.to_owned()) {
        Entry::Occupied(_) => Err(Code::ContainerAlreadyExists.into()),
        Entry::Vacant(place) => {
            place.insert(container);
            Ok(answer)
        }
    }
}

/// [Delete Container](https://learn.microsoft.com/rest/api/storageservices/delete-container), with
/// everything in it. Its name is free again at once, where the service takes about 30 seconds.
pub(super) fn delete(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let name = call.container()?;
    let container = state.accounts.container(&call.route.account, name)?;
    Conditions::of(call)?.check_write(Some(seen(container)))?;
    if let Some(account) = state.accounts.0.get_mut(&call.route.account) {
        account.containers.remove(name);
    }
    Ok(Answer::new(StatusCode::ACCEPTED))
}

/// [Get Container Properties](https://learn.microsoft.com/rest/api/storageservices/get-container-properties).
pub(super) fn properties(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let container = state.accounts.container(&call.route.account, call.container()?)?;
    Conditions::of(call)?.check_read(seen(container))?;
    let mut answer = Answer::new(StatusCode::OK)
        .dated(&container.etag, container.last_modified)
        .maybe(PUBLIC_ACCESS, container.public_access.as_str())
        .header("x-ms-lease-status", "unlocked")
        .header("x-ms-lease-state", "available")
        .header("x-ms-has-immutability-policy", "false")
        .header("x-ms-has-legal-hold", "false")
        .header("x-ms-default-encryption-scope", "$account-encryption-key")
        .header("x-ms-deny-encryption-scope-override", "false");
    metadata::show_metadata(&container.metadata, &mut answer.headers);
    Ok(answer)
}

fn seen(container: &Container) -> Seen<'_> {
    Seen { etag: &container.etag, last_modified: container.last_modified, tags: NO_TAGS }
}
