//! The way of the requests of one process, which dies at one of them.
#![allow(clippy::disallowed_methods, reason = "no time passes: it is paused")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use blobcopy::{
    Clock,
    transport::{BoxFuture, Request, Response, Transport, TransportError, TransportErrorKind},
};
use blobcopy_simulator::{Simulator, SimulatorTransport};

/// What becomes of the request at which the process dies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Death {
    /// It is not sent.
    Unsent,
    /// It is applied, and its answer is lost.
    Applied,
    /// It is applied a minute and a half later.
    Late,
}

pub(super) const DEATHS: [Death; 3] = [Death::Unsent, Death::Applied, Death::Late];

/// A transport that passes a number of requests and fails all later ones.
#[derive(Debug, Clone)]
pub(super) struct Gate {
    sim: SimulatorTransport,
    sent: Arc<AtomicU64>,
    passes: u64,
    death: Death,
}

impl Gate {
    pub(super) fn new(sim: &Simulator, passes: u64, death: Death) -> Self {
        Self { sim: sim.transport(), sent: Arc::default(), passes, death }
    }

    /// Whether the process has died.
    pub(super) fn is_shut(&self) -> bool {
        self.sent.load(Ordering::Relaxed) > self.passes
    }
}

impl Transport for Gate {
    fn send(&self, request: Request) -> BoxFuture<'_, Result<Response, TransportError>> {
        let number = self.sent.fetch_add(1, Ordering::Relaxed);
        if number < self.passes {
            return self.sim.send(request);
        }
        Box::pin(async move {
            match self.death {
                _ if number > self.passes => {}
                Death::Unsent => {}
                Death::Applied => drop(self.sim.send(request).await),
                Death::Late => {
                    let sim = self.sim.clone();
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_secs(90)).await;
                        drop(sim.send(request).await);
                    });
                }
            }
            let why = "the process is dead";
            Err(TransportError::with_message(TransportErrorKind::Unusable, why))
        })
    }

    fn clock(&self) -> Option<Clock> {
        self.sim.clock()
    }
}
