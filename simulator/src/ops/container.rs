//! Create, Delete and Get Properties of containers.

use std::collections::btree_map::Entry;

use http::StatusCode;

use crate::{
    model::{
        blobs::Blobs,
        conditions::Conditions,
        container::{Container, PublicAccess},
        copies, leases, metadata,
        settings::Settings,
        state::State,
    },
    wire::{
        answer::Answer,
        call::Call,
        error::{Code, Refusal},
    },
};

pub(super) const PUBLIC_ACCESS: &str = "x-ms-blob-public-access";

/// [Create Container](https://learn.microsoft.com/rest/api/storageservices/create-container).
pub(super) fn create(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let public_access = public_access(call, &state.settings)?;
    let account = state.accounts.0.get_mut(&call.route.account).ok_or(Code::ResourceNotFound)?;
    let container = Container {
        etag: state.stamps.etag(),
        last_modified: call.now,
        metadata: metadata::metadata(call)?,
        public_access,
        policies: Vec::new(),
        lease: None,
        blobs: Blobs::new(account.order),
        staged: Default::default(),
    };
    let answer = Answer::new(StatusCode::CREATED).dated(&container.etag, container.last_modified);
    match account.containers.entry(call.container()?.to_owned()) {
        Entry::Occupied(_) => Err(Code::ContainerAlreadyExists.into()),
        Entry::Vacant(place) => {
            place.insert(container);
            Ok(answer)
        }
    }
}

/// The public access level that a request sets, if the account permits any.
pub(super) fn public_access(call: &Call, settings: &Settings) -> Result<PublicAccess, Refusal> {
    let level = match call.header(PUBLIC_ACCESS) {
        None => PublicAccess::None,
        Some("blob") => PublicAccess::Blob,
        Some("container") => PublicAccess::Container,
        Some(other) => return Err(Refusal::bad_header(PUBLIC_ACCESS, other)),
    };
    match level {
        PublicAccess::None => Ok(level),
        _ if settings.public_access => Ok(level),
        _ => Err(Code::PublicAccessNotPermitted.into()),
    }
}

/// [Set Container Metadata](https://learn.microsoft.com/rest/api/storageservices/set-container-metadata).
pub(super) fn set_metadata(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let given = metadata::metadata(call)?;
    let container = state.accounts.container_mut(&call.route.account, call.container()?)?;
    Conditions::of(call)?.check_write(Some((&*container).into()))?;
    leases::check_read(container.lease.as_ref(), call)?;
    container.metadata = given;
    container.touch(&mut state.stamps, call.now);
    Ok(Answer::new(StatusCode::OK).dated(&container.etag, container.last_modified))
}

/// [Delete Container](https://learn.microsoft.com/rest/api/storageservices/delete-container), with
/// all its blobs. Its name is free again at once; in the service that takes about 30 seconds.
pub(super) fn delete(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let name = call.container()?;
    let container = state.accounts.container(&call.route.account, name)?;
    Conditions::of(call)?.check_write(Some(container.into()))?;
    leases::check_write(container.lease.as_ref(), call)?;
    if let Some(account) = state.accounts.0.get_mut(&call.route.account) {
        account.containers.remove(name);
    }
    copies::forget(state, &call.route.account, name, call.now);
    Ok(Answer::new(StatusCode::ACCEPTED))
}

/// [Get Container Properties](https://learn.microsoft.com/rest/api/storageservices/get-container-properties).
pub(super) fn properties(state: &mut State, call: &Call) -> Result<Answer, Refusal> {
    let container = state.accounts.container(&call.route.account, call.container()?)?;
    Conditions::of(call)?.check_read(container.into())?;
    leases::check_read(container.lease.as_ref(), call)?;
    let mut answer = Answer::new(StatusCode::OK)
        .dated(&container.etag, container.last_modified)
        .maybe(PUBLIC_ACCESS, container.public_access.as_str())
        .header("x-ms-has-immutability-policy", "false")
        .header("x-ms-has-legal-hold", "false")
        .header("x-ms-default-encryption-scope", "$account-encryption-key")
        .header("x-ms-deny-encryption-scope-override", "false");
    leases::describe(&mut answer, container.lease.as_ref(), call.now);
    metadata::show_metadata(&container.metadata, &mut answer.headers);
    Ok(answer)
}
