//! Control over copies.

use std::sync::Arc;

use crate::{
    doors::shared::Shared,
    model::{
        blob::Blob,
        copies::{self, job::Failure},
        stamps::Stamps,
        state::State,
    },
    wire::route::BlobAddress,
};

/// Controls the copies of a simulator: see [`Simulator::copies`](crate::Simulator::copies).
///
/// ```
/// use blobcopy_simulator::Simulator;
///
/// let sim = Simulator::builder().build();
/// sim.copies().hold(); // every copy stays pending until it is released
/// sim.copies().fail_next(4096, "500 InternalServerError \"Copy failed.\"");
/// assert_eq!(sim.copies().started(), 0);
/// ```
#[derive(Debug, Clone)]
pub struct Copies(pub(crate) Arc<Shared>);

/// Controls the pending copy into one blob.
///
/// Each method returns whether a copy was pending.
#[derive(Debug, Clone)]
pub struct CopyInto {
    shared: Arc<Shared>,
    at: BlobAddress,
}

impl Copies {
    /// How many copies were accepted so far, ordinary and incremental.
    pub fn started(&self) -> u64 {
        self.0.service().state.copies.started
    }

    /// How many copies are pending.
    ///
    /// A copy from another server stays pending until the first request after its end, when the
    /// simulator checks the source once more.
    pub fn pending(&self) -> usize {
        self.0.settled().state.copies.len()
    }

    /// Stops every pending copy where it is, and every later copy at its start.
    pub fn hold(&self) {
        self.set_held(true);
    }

    /// Undoes [`hold`](Self::hold): every copy continues.
    pub fn release(&self) {
        self.set_held(false);
    }

    /// Makes the next copy fail with `description` after `at` bytes. Several calls apply to as many
    /// copies, in order.
    ///
    /// `x-ms-copy-status-description` returns `description`: a status, a code and a quoted text.
    pub fn fail_next(&self, at: u64, description: &str) {
        let description = description.to_owned();
        self.0.service().state.copies.failures.push_back(Failure { at, description });
    }

    /// Selects the copy into a blob of the first account.
    pub fn into_blob(&self, container: &str, blob: &str) -> CopyInto {
        self.into_blob_of(self.0.first_account(), container, blob)
    }

    /// Selects the copy into a blob of any account.
    pub fn into_blob_of(&self, account: &str, container: &str, blob: &str) -> CopyInto {
        let at = BlobAddress {
            account: account.to_owned(),
            container: container.to_owned(),
            blob: blob.to_owned(),
        };
        CopyInto { shared: self.0.clone(), at }
    }

    fn set_held(&self, held: bool) {
        let mut service = self.0.settled();
        let state = &mut service.state;
        state.copies.hold_new = held;
        for at in state.copies.all() {
            if let Ok(blob) = state.accounts.blob_mut(&at) {
                set_held(blob, held);
            }
            copies::reschedule(state, &at);
        }
    }
}

impl CopyInto {
    /// Stops the copy where it is.
    pub fn hold(&self) -> bool {
        self.change(|blob, _, _| set_held(blob, true))
    }

    /// Lets the copy continue.
    pub fn release(&self) -> bool {
        self.change(|blob, _, _| set_held(blob, false))
    }

    /// Completes the copy now.
    pub fn complete(&self) -> bool {
        self.change(copies::finish)
    }

    /// Fails the copy now, with `at` bytes copied.
    pub fn fail(&self, at: u64, description: &str) -> bool {
        self.change(|blob, stamps, now| {
            if let Some(record) = &mut blob.current.copy {
                record.copied = at.min(record.total);
            }
            copies::fail(blob, stamps, now, description.to_owned());
        })
    }

    /// Sets the status description of the pending copy, as the service does for a transient
    /// problem.
    pub fn describe(&self, description: &str) -> bool {
        self.change(|blob, _, _| {
            if let Some(record) = &mut blob.current.copy {
                record.description = Some(description.to_owned());
            }
        })
    }

    fn change(&self, change: impl FnOnce(&mut Blob, &mut Stamps, time::OffsetDateTime)) -> bool {
        let now = self.shared.clock.now();
        let mut service = self.shared.settled();
        let now = service.faults.skewed(now);
        let state = &mut service.state;
        let State { accounts, stamps, .. } = state;
        let Ok(blob) = accounts.blob_mut(&self.at) else { return false };
        if blob.job.is_none() {
            return false;
        }
        change(blob, stamps, now);
        match blob.job {
            Some(_) => copies::reschedule(state, &self.at),
            None => copies::leave(state, &self.at, now),
        }
        true
    }
}

fn set_held(blob: &mut Blob, held: bool) {
    if let Some(job) = &mut blob.job {
        job.held = held;
    }
}
