//! A user delegation key, kept until it expires or the service refuses a SAS that it signed.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use time::OffsetDateTime;
use tokio::sync::Mutex as Turn;

use super::sas::UserDelegationKey;
use crate::error::{Error, Result};

/// The key of one account, and a lock so that one call at a time requests the next.
#[derive(Debug, Default)]
pub(crate) struct KeptKey {
    key: Mutex<Option<UserDelegationKey>>,
    /// How many requests for a key have ended.
    ended: AtomicU64,
    /// The last request that failed, with its number. Locked while a request is in flight.
    failed: Turn<Option<(u64, Error)>>,
}

impl KeptKey {
    /// The kept key if it is valid until `expiry`, else the result of `ask`. Of many callers that
    /// need a key, one requests it; the others wait and share its result.
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

    /// Forgets the key if it signed `sas`.
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
