//! A user delegation key that is kept while it lasts, or until the service refuses what it has
//! signed.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use time::OffsetDateTime;
use tokio::sync::Mutex as Turn;

use super::sas::UserDelegationKey;
use crate::error::{Error, Result};

/// The key of one account, and whose turn it is to ask for the next.
#[derive(Debug, Default)]
pub(crate) struct KeptKey {
    key: Mutex<Option<UserDelegationKey>>,
    /// How many calls for a key have ended.
    ended: AtomicU64,
    /// The last call that failed, by its number. Held by the call that is under way.
    failed: Turn<Option<(u64, Error)>>,
}

impl KeptKey {
    /// The key that is kept if it lasts until `expiry`, or else what `ask` gives. Of many that need
    /// a key, one asks; those that waited for it share what it met.
    pub(crate) async fn until(
        &self,
        expiry: OffsetDateTime,
        ask: impl Future<Output = Result<UserDelegationKey>>,
    ) -> Result<UserDelegationKey> {
        let begun = self.ended.load(Ordering::Acquire);
        if let Some(key) = self.lasting(expiry) {
            return Ok(key);
        }
        let mut failed = self.failed.lock().await;
        if let Some(key) = self.lasting(expiry) {
            return Ok(key);
        }
        if let Some((_, error)) = failed.as_ref().filter(|(number, _)| *number > begun) {
            return Err(error.clone());
        }
        let asked = ask.await;
        let number = self.ended.fetch_add(1, Ordering::AcqRel) + 1;
        *failed = None;
        match &asked {
            Ok(key) => *self.kept() = Some(key.clone()),
            Err(error) => *failed = Some((number, error.clone())),
        }
        asked
    }

    /// Forgets the key if it has signed `sas`.
    pub(crate) fn forget_signer_of(&self, sas: &str) {
        let mut kept = self.kept();
        if kept.as_ref().is_some_and(|key| key.has_signed(sas)) {
            *kept = None;
        }
    }

    fn lasting(&self, expiry: OffsetDateTime) -> Option<UserDelegationKey> {
        self.kept().as_ref().filter(|key| key.expires_on() >= expiry).cloned()
    }

    fn kept(&self) -> MutexGuard<'_, Option<UserDelegationKey>> {
        self.key.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
