//! Leases on blobs and containers: their states over time, and their effect on other requests.

use std::time::Duration;

use time::OffsetDateTime;

use crate::wire::{
    answer::Answer,
    call::Call,
    error::{Code, Refusal},
    xml::Xml,
};

/// A lease that was acquired and not released. It may have ended by now.
#[derive(Debug, Clone)]
pub(crate) struct Lease {
    pub(crate) id: String,
    /// `None` for an infinite lease.
    pub(crate) duration: Option<Duration>,
    pub(crate) expires: Option<OffsetDateTime>,
    /// When it becomes broken, once a break was requested.
    pub(crate) breaks: Option<OffsetDateTime>,
}

/// The state of a lease.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeaseState {
    Available,
    Leased,
    Expired,
    Breaking,
    Broken,
}

impl LeaseState {
    pub(crate) fn of(lease: Option<&Lease>, now: OffsetDateTime) -> Self {
        match lease {
            None => Self::Available,
            Some(Lease { breaks: Some(end), .. }) if now < *end => Self::Breaking,
            Some(Lease { breaks: Some(_), .. }) => Self::Broken,
            Some(Lease { expires: Some(end), .. }) if now >= *end => Self::Expired,
            Some(_) => Self::Leased,
        }
    }

    /// Whether writers need the lease's id.
    pub(crate) fn locked(self) -> bool {
        matches!(self, Self::Leased | Self::Breaking)
    }

    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Available => "available",
            Self::Leased => "leased",
            Self::Expired => "expired",
            Self::Breaking => "breaking",
            Self::Broken => "broken",
        }
    }

    fn status(self) -> &'static str {
        if self.locked() { "locked" } else { "unlocked" }
    }
}

/// Forgets a lease that has ended: its blob or container has been written without it.
pub(crate) fn drop_ended(lease: &mut Option<Lease>, now: OffsetDateTime) {
    if !LeaseState::of(lease.as_ref(), now).locked() {
        *lease = None;
    }
}

/// A lease id in canonical form, from any form of a GUID.
pub(crate) fn guid(text: &str) -> Option<String> {
    let brackets = [('{', '}'), ('(', ')')];
    let inner = brackets.into_iter().find_map(|(open, close)| {
        let inner = text.strip_prefix(open)?;
        inner.strip_suffix(close)
    });
    let inner = inner.unwrap_or(text);
    let lengths: Vec<usize> = inner.split('-').map(str::len).collect();
    let bare = inner.replace('-', "").to_ascii_lowercase();
    let formed = matches!(lengths[..], [32] | [8, 4, 4, 4, 12]);
    if !formed || !bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let parts = [&bare[..8], &bare[8..12], &bare[12..16], &bare[16..20], &bare[20..]];
    Some(parts.join("-"))
}

/// Whether the request names the active lease.
pub(crate) fn is_held(lease: Option<&Lease>, call: &Call) -> bool {
    lease.is_some() && call.header("x-ms-lease-id").is_some() && check_write(lease, call).is_ok()
}

/// Checks the lease id of a write, which must name the active lease, if there is one.
pub(crate) fn check_write(lease: Option<&Lease>, call: &Call) -> Result<(), Refusal> {
    check_named(lease, call, "x-ms-lease-id")
}

/// Checks the lease id of a copy's source; it is optional.
pub(crate) fn check_source(lease: Option<&Lease>, call: &Call) -> Result<(), Refusal> {
    const NAME: &str = "x-ms-source-lease-id";
    match call.header(NAME) {
        None => Ok(()),
        Some(_) => check_named(lease, call, NAME),
    }
}

fn check_named(lease: Option<&Lease>, call: &Call, name: &str) -> Result<(), Refusal> {
    let given = call.header(name);
    let on_blob = call.route.blob.is_some();
    let active = lease.filter(|lease| LeaseState::of(Some(*lease), call.now).locked());
    match (active, given) {
        (None, None) => Ok(()),
        (Some(_), None) => Err(Code::LeaseIdMissing.into()),
        (Some(lease), Some(given)) if guid(given).as_ref() == Some(&lease.id) => Ok(()),
        (Some(_), Some(_)) if on_blob => Err(Code::LeaseIdMismatchWithBlobOperation.into()),
        (Some(_), Some(_)) => Err(Code::LeaseIdMismatchWithContainerOperation.into()),
        (None, Some(_)) if lease.is_some() => Err(Code::LeaseLost.into()),
        (None, Some(_)) if on_blob => Err(Code::LeaseNotPresentWithBlobOperation.into()),
        (None, Some(_)) => Err(Code::LeaseNotPresentWithContainerOperation.into()),
    }
}

/// Checks the lease id of a read; it is optional.
pub(crate) fn check_read(lease: Option<&Lease>, call: &Call) -> Result<(), Refusal> {
    match call.header("x-ms-lease-id") {
        None => Ok(()),
        Some(_) => check_write(lease, call),
    }
}

/// The headers that describe a lease.
pub(crate) fn describe(answer: &mut Answer, lease: Option<&Lease>, now: OffsetDateTime) {
    let state = LeaseState::of(lease, now);
    answer.set("x-ms-lease-status", state.status());
    answer.set("x-ms-lease-state", state.as_str());
    if let Some(duration) = duration(lease, state) {
        answer.set("x-ms-lease-duration", duration);
    }
}

/// The list elements that describe a lease.
pub(crate) fn list(xml: &mut Xml, lease: Option<&Lease>, now: OffsetDateTime) {
    let state = LeaseState::of(lease, now);
    xml.text_element("LeaseStatus", state.status());
    xml.text_element("LeaseState", state.as_str());
    if let Some(duration) = duration(lease, state) {
        xml.text_element("LeaseDuration", duration);
    }
}

/// Only reported while a lease is active.
fn duration(lease: Option<&Lease>, state: LeaseState) -> Option<&'static str> {
    let lease = lease.filter(|_| state == LeaseState::Leased)?;
    Some(if lease.duration.is_some() { "fixed" } else { "infinite" })
}
