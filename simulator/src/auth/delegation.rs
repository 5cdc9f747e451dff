//! User delegation keys: made from the account's key and from whom and when they are for, so that
//! nothing needs to be kept to know one again.

use super::shared_key::sign;
use crate::model::account::Account;

/// What a key was issued for, in the words of the query of a SAS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct DelegationKey<'a> {
    /// `skoid`, `sktid`: the user and the tenant.
    pub(crate) object_id: &'a str,
    pub(crate) tenant_id: &'a str,
    /// `skt`, `ske`: from when to when.
    pub(crate) start: &'a str,
    pub(crate) expiry: &'a str,
    /// `sks`: always `b`.
    pub(crate) service: &'a str,
    /// `skv`: the version of the request that asked for it.
    pub(crate) version: &'a str,
    /// `skdutid`: the tenant of those who may use a SAS, if it names one.
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
