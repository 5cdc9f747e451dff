//! The user delegation key that signs SAS for clients with bearer tokens: requested once and kept.

use std::sync::Arc;

use http::{HeaderValue, StatusCode};
use time::{Duration, OffsetDateTime};

use crate::{
    auth::sas::UserDelegationKey,
    error::{Error, Result},
    models::{ErrorCode, endpoint::Endpoint},
    operations::blob_ref::BlobRef,
    operations::{
        get_user_delegation_key::{GetKey, GetUserDelegationKey},
        operation::Call,
    },
};

/// How long before now a key starts, in case the clock of the service is behind.
const BACK: Duration = Duration::minutes(15);

/// How long after now a key may end. The service refuses more than seven days by its own clock,
/// which may be behind.
const AHEAD: Duration = Duration::hours(7 * 24 - 1);

/// The name of the account at `endpoint`, and a key that is valid until `expiry`.
pub(crate) async fn key<'a>(
    call: &Call,
    endpoint: &'a Endpoint,
    expiry: OffsetDateTime,
) -> Result<(&'a str, UserDelegationKey)> {
    let left = expiry - call.pipeline.clock().now();
    if left > AHEAD {
        let value = format!("{:?}", left.unsigned_abs());
        let rule = "must be at most 6 days and 23 hours for a user delegation SAS: its key is \
                    valid for 7 days at most, and clocks differ";
        return Err(Error::invalid("SAS lifetime", value, rule));
    }
    let account = endpoint.account().ok_or_else(|| {
        let rule = "names no account, but a user delegation SAS needs one: set account_name of the \
                    service client's builder, or use a URL that has a SAS";
        Error::invalid("endpoint", endpoint.url(), rule)
    })?;
    let asked = Call { url: Ok(Arc::new(endpoint.url().clone())), ..call.clone() };
    Ok((account, kept(asked, expiry).await?))
}

/// A key that is valid until `expiry`. Requests a new one only if the kept one ends sooner.
async fn kept(call: Call, expiry: OffsetDateTime) -> Result<UserDelegationKey> {
    let keys = call.pipeline.clone();
    // A SAS and its key end on a whole second.
    let expiry = expiry.truncate_to_second();
    let asked = async move {
        let now = call.pipeline.clock().now();
        let (start, end) = (now.saturating_sub(BACK), now.saturating_add(AHEAD));
        let key = GetUserDelegationKey::new(call.clone(), GetKey::new(start, end)).await?;
        if key.expires_on() < expiry {
            let why = format!("the key ends at {}, before {expiry}", key.expires_on());
            return Err(call.unexpected("Get User Delegation Key", why));
        }
        Ok(key)
    };
    keys.delegation_key().until(expiry, asked).await
}

/// Forgets the key that signed `source` if `error` says that the service could not read the source
/// with it. The next source is signed with a new key.
pub(super) fn forget_refused(blob: &BlobRef, source: &HeaderValue, error: &Error) {
    let Error::Service(refusal) = error else { return };
    let status = refusal.source_status.unwrap_or(refusal.status);
    let refused = matches!(status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        && refusal.code == ErrorCode::CannotVerifyCopySource;
    if let (true, Ok(source)) = (refused, source.to_str()) {
        blob.pipeline().delegation_key().forget_signer_of(source);
    }
}
