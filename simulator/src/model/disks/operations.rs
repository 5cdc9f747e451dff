//! The operations of Resource Manager that were accepted, and what they end with.

use std::collections::BTreeMap;

use time::OffsetDateTime;

/// For how long an operation can be asked for.
const KEPT: time::Duration = time::Duration::hours(24);

/// An operation that was accepted.
#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) begun: OffsetDateTime,
    pub(crate) ready: OffsetDateTime,
    /// The URL that it grants; none if it revokes.
    pub(crate) access: Option<String>,
}

/// The operations by id.
#[derive(Debug, Default)]
pub(crate) struct Operations(BTreeMap<String, Operation>);

impl Operations {
    pub(crate) fn add(&mut self, id: String, operation: Operation) {
        let begun = operation.begun;
        self.0.retain(|_, old| begun - old.begun < KEPT);
        self.0.insert(id, operation);
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Operation> {
        self.0.get(id)
    }
}
