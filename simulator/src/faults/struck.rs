//! What a fault does to a request, to its answer and to the connection.

use std::time::Duration;

use http::{HeaderName, Response, StatusCode};

use crate::wire::{error::Refusal, payload::Payload};

/// What a rule does to the requests that it strikes.
#[derive(Debug, Clone)]
pub(crate) enum Fault {
    Answer(StatusCode, String),
    Reset,
    LoseAnswer,
    LandLate(Duration),
    Stall(Duration),
    Truncate(u64),
    Garble,
    Duplicate(HeaderName),
    Drop(HeaderName),
    Throttle(u32),
}

/// A fault chosen for a request.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(super) fault: Fault,
    pub(super) headers: Vec<(String, String)>,
    pub(super) seed: u64,
}

/// How to deliver an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    /// The connection breaks instead.
    Broken,
    /// After this delay.
    Late(Duration),
    /// The connection breaks after this many bytes of the body.
    CutAfter(u64),
}

/// What to change in an answer before it is sent.
#[derive(Debug)]
pub(crate) enum Spoil {
    Garble(u64),
    Duplicate(HeaderName),
    Drop(HeaderName),
}

impl Chosen {
    /// The answer that replaces applying the request.
    pub(crate) fn instead(&self) -> Option<Refusal> {
        let headers = self.headers.clone();
        match &self.fault {
            Fault::Answer(status, code) => Some(Refusal::chosen(*status, code.clone(), headers)),
            Fault::Throttle(_) => {
                let wait = [("retry-after".to_owned(), "1".to_owned())];
                let headers = wait.into_iter().chain(headers).collect();
                let status = StatusCode::SERVICE_UNAVAILABLE;
                Some(Refusal::chosen(status, "ServerBusy".to_owned(), headers))
            }
            // Never delivered.
            Fault::Reset | Fault::LandLate(_) => {
                Some(Refusal::chosen(StatusCode::BAD_GATEWAY, "Reset".to_owned(), Vec::new()))
            }
            _ => None,
        }
    }

    /// The delay after which the request is applied, if not now.
    pub(crate) fn lands_late(&self) -> Option<Duration> {
        match self.fault {
            Fault::LandLate(delay) => Some(delay),
            _ => None,
        }
    }

    pub(crate) fn delivery(&self) -> Delivery {
        match self.fault {
            Fault::Reset | Fault::LoseAnswer | Fault::LandLate(_) => Delivery::Broken,
            Fault::Stall(wait) => Delivery::Late(wait),
            Fault::Truncate(bytes) => Delivery::CutAfter(bytes),
            _ => Delivery::Whole,
        }
    }

    pub(crate) fn spoil(&self) -> Option<Spoil> {
        match &self.fault {
            Fault::Garble => Some(Spoil::Garble(self.seed)),
            Fault::Duplicate(name) => Some(Spoil::Duplicate(name.clone())),
            Fault::Drop(name) => Some(Spoil::Drop(name.clone())),
            _ => None,
        }
    }
}

impl Spoil {
    pub(crate) fn apply(self, response: &mut Response<Payload>) {
        match self {
            Self::Garble(seed) => {
                let body = std::mem::replace(response.body_mut(), Payload::empty());
                *response.body_mut() = body.garbled(seed);
            }
            Self::Duplicate(name) => {
                if let Some(value) = response.headers().get(&name).cloned() {
                    response.headers_mut().append(name, value);
                }
            }
            Self::Drop(name) => {
                response.headers_mut().remove(name);
            }
        }
    }
}
