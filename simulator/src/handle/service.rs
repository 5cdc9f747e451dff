//! The service as the doors see it.

use super::{late::Late, requests::RequestLog};
use crate::{faults::FaultBook, model::state::State};

/// What the service remembers, what it does wrong, and what it was asked.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) state: State,
    pub(crate) faults: FaultBook,
    pub(crate) late: Late,
    pub(crate) requests: RequestLog,
}
