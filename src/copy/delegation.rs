//! Sources of clients with bearer tokens: signed with a key that is asked for once and kept.

use std::sync::Arc;

use time::{Duration, OffsetDateTime};

use crate::{
    auth::sas::UserDelegationKey,
    error::{Error, Result},
    models::endpoint::Endpoint,
    operations::{
        Call,
        get_user_delegation_key::{GetUserDelegationKey, LONGEST},
    },
};

/// How far a key's start lies before, and its end within, what this clock says: clocks differ.
const SKEW: Duration = Duration::minutes(5);

/// The name of the account at `endpoint`, and a key of it that signs what ends at `expiry`, for `call`
/// of a client with bearer tokens.
pub(crate) async fn key<'a>(
    call: &Call,
    endpoint: &'a Endpoint,
    expiry: OffsetDateTime,
) -> Result<(&'a str, UserDelegationKey)> {
    let left = expiry - call.pipeline.clock().now();
    if left > LONGEST - SKEW * 2 {
        let value = format!("{:?}", left.unsigned_abs());
        let rule = "must be less than 7 days for a SAS that is signed by an Entra identity";
        return Err(Error::invalid("SAS lifetime", value, rule));
    }
    let account = endpoint.account().ok_or_else(|| {
        let rule = "names no account, which a user delegation SAS must: give the service client's builder \
                    its account_name, or use a URL that has a SAS already";
        Error::invalid("endpoint", endpoint.url(), rule)
    })?;
    let asked = Call { target: Ok(endpoint.url().clone()), ..call.clone() };
    Ok((account, kept(asked, expiry).await?))
}

/// A key that is good until `expiry`; asks for a new one only when the one that is kept is not.
async fn kept(call: Call, expiry: OffsetDateTime) -> Result<UserDelegationKey> {
    let pipeline = Arc::clone(&call.pipeline);
    let mut held = pipeline.delegation_key().lock().await;
    if let Some(key) = held.as_ref().filter(|key| key.expires_on() >= expiry) {
        return Ok(key.clone());
    }
    let now = pipeline.clock().now();
    let (start, end) = (now.saturating_sub(SKEW), now.saturating_add(LONGEST - SKEW * 2));
    let key = GetUserDelegationKey::new(call, start, end).await?;
    if key.expires_on() < expiry {
        let why = format!("the key ends at {}, before {expiry}", key.expires_on());
        return Err(Error::unexpected("Get User Delegation Key", why));
    }
    Ok(held.insert(key).clone())
}
