//! The service, for the transport and the listener.

use super::{late::Late, requests::RequestLog};
use crate::{faults::FaultBook, model::state::State};

/// The stored state, the faults and the recorded requests.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) state: State,
    pub(crate) faults: FaultBook,
    pub(crate) late: Late,
    pub(crate) requests: RequestLog,
}
