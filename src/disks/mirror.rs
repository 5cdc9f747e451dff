//! A mirror of a disk's snapshots.

use super::{Chain, MirrorError, MirrorPlan, MirrorRoute, MirrorSource};
use crate::{PageBlobClient, jobs::Budget};

/// Keeps a destination's snapshots equal to a source's.
#[derive(Debug, Clone)]
pub struct SnapshotMirror {
    pub(crate) source: MirrorSource,
    pub(crate) destination: PageBlobClient,
    pub(crate) settings: MirrorSettings,
}

/// The settings of a mirror.
#[derive(Debug, Clone)]
pub(crate) struct MirrorSettings {
    pub(crate) route: Option<MirrorRoute>,
    pub(crate) new_generation: bool,
    pub(crate) take_lock: bool,
    pub(crate) wait: bool,
    pub(crate) in_flight: usize,
    pub(crate) budget: Option<Budget>,
}

impl SnapshotMirror {
    /// A mirror from the snapshots of `source` to the page blob `destination`.
    pub fn new(source: impl Into<MirrorSource>, destination: &PageBlobClient) -> Self {
        Self {
            source: source.into(),
            destination: destination.clone(),
            settings: MirrorSettings {
                route: None,
                new_generation: false,
                take_lock: false,
                wait: false,
                in_flight: 16,
                budget: None,
            },
        }
    }

    /// The route of the first copy. By default Incremental Copy Blob where it can be. A destination
    /// that exists keeps its route: asking for the other is refused.
    pub fn route(mut self, route: MirrorRoute) -> Self {
        self.settings.route = Some(route);
        self
    }

    /// If the series of incremental copies is broken, goes on in a new blob, `<name>.g2`, then
    /// `<name>.g3` and so on.
    pub fn new_generation(mut self) -> Self {
        self.settings.new_generation = true;
        self
    }

    /// Breaks the lock of a run that is known to be dead.
    pub fn take_lock(mut self) -> Self {
        self.settings.take_lock = true;
        self
    }

    /// Waits while another run holds the lock, in place of ending as [`MirrorError::Busy`].
    pub fn wait_for_lock(mut self) -> Self {
        self.settings.wait = true;
        self
    }

    /// How many requests are in flight at a time, by default 16.
    pub fn in_flight(mut self, requests: usize) -> Self {
        self.settings.in_flight = requests;
        self
    }

    /// The budget that all requests draw from.
    pub fn budget(mut self, budget: &Budget) -> Self {
        self.settings.budget = Some(budget.clone());
        self
    }

    /// What is at the destination.
    pub async fn chain(&self) -> Result<Chain, MirrorError> {
        Chain::read(&self.destination).await
    }

    /// What a run would do now. Nothing is changed.
    pub async fn plan(&self) -> Result<MirrorPlan, MirrorError> {
        Err(MirrorError::refused(self.destination.name(), "cannot be planned yet"))
    }
}
