//! User delegation keys: derived from the account's key and the key's own fields, so none need to
//! be stored to recognise one later.

use super::shared_key::sign;
use crate::model::account::Account;

/// The fields of a key, named as in the query of a SAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DelegationKey<'a> {
    /// `skoid`, `sktid`: the user and the tenant.
    pub(crate) object_id: &'a str,
    pub(crate) tenant_id: &'a str,
    /// `skt`, `ske`: start and expiry.
    pub(crate) start: &'a str,
    pub(crate) expiry: &'a str,
    /// `sks`: always `b`.
    pub(crate) service: &'a str,
    /// `skv`: the service version of the request for the key.
    pub(crate) version: &'a str,
    /// `skdutid`: the tenant of the users who may use the SAS, if it names one.
    pub(crate) delegated_tenant_id: &'a str,
}

impl DelegationKey<'_> {
    /// The key itself, in base64.
    pub(crate) fn value(&self, account: &Account) -> String {
        let Self { object_id, tenant_id, start, expiry, service, version, .. } = self;
        let delegated = self.delegated_tenant_id;
        let text = [object_id, tenant_id, start, expiry, service, version, delegated].join("\n");
        sign(account.keys.first().map_or(&[], Vec::as_slice), &text)
    }
}
