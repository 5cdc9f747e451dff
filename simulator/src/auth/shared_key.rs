//! [Authorize with Shared Key](https://learn.microsoft.com/rest/api/storageservices/authorize-with-shared-key),
//! from the service's side.

use std::{cmp::Ordering, collections::BTreeMap};

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use super::access::Principal;
use crate::{
    model::account::Account,
    wire::{call::Call, error::Refusal},
};

/// The base64 of the HMAC-SHA256 of `text`.
pub(super) fn sign(key: &[u8], text: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key may have any length");
    mac.update(text.as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// Whether one of the account's keys signed `text`.
pub(super) fn signed_by(account: &Account, text: &str, signature: &str) -> bool {
    account.keys.iter().any(|key| sign(key, text) == signature)
}

pub(super) fn verify(
    call: &Call,
    account: &Account,
    credential: &str,
) -> Result<Principal, Refusal> {
    let (name, signature) = credential.split_once(':').unwrap_or((credential, ""));
    if name != account.name {
        let why = format!("The request is signed by account '{name}', not by '{}'", account.name);
        return Err(Refusal::unauthenticated(why));
    }
    let to_sign = string_to_sign(call, &account.name, &call.path);
    if signed_by(account, &to_sign, signature) {
        return Ok(Principal::Owner);
    }
    // A path-style request to the secondary may be signed with the primary's path.
    if call.route.secondary {
        let path = call.path.replacen(&format!("{name}-secondary"), name, 1);
        let to_sign = string_to_sign(call, &account.name, &path);
        if signed_by(account, &to_sign, signature) {
            return Ok(Principal::Owner);
        }
    }
    Err(Refusal::unauthenticated(format!(
        "The MAC signature found in the HTTP request '{signature}' is not the same as any computed \
         signature. Server used following string to sign: '{to_sign}'."
    )))
}

fn string_to_sign(call: &Call, account: &str, path: &str) -> String {
    let version = call.version();
    let header = |name| call.header(name).unwrap_or("");
    let length = match header("content-length") {
        "0" if version >= "2015-02-21" => "",
        length => length,
    };
    let date = if call.header("x-ms-date").is_some() { "" } else { header("date") };
    let mut text = [
        call.method.as_str(),
        header("content-encoding"),
        header("content-language"),
        length,
        header("content-md5"),
        header("content-type"),
        date,
        header("if-modified-since"),
        header("if-match"),
        header("if-none-match"),
        header("if-unmodified-since"),
        header("range"),
        "",
    ]
    .join("\n");

    let mut signed: Vec<&str> = call
        .headers
        .keys()
        .map(|name| name.as_str())
        .filter(|name| name.starts_with("x-ms-"))
        .collect();
    signed.sort_by(|a, b| service_order(a, b));
    for name in signed {
        let value = header(name).trim();
        if !value.is_empty() || version >= "2016-05-31" {
            text.extend([name, ":", value, "\n"]);
        }
    }

    text.extend(["/", account, if path.is_empty() { "/" } else { path }]);
    let mut parameters: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for (name, value) in &call.query.0 {
        parameters.entry(name.to_lowercase()).or_default().push(value);
    }
    for (name, mut values) in parameters {
        values.sort_unstable();
        text.extend(["\n", &name, ":", &values.join(",")]);
    }
    text
}

/// The order in which the service sorts header names: by its own weights, where hyphens only break
/// ties.
fn service_order(a: &str, b: &str) -> Ordering {
    const WEIGHTS: &str = "!#$%&*.^_`|~+0123456789abcdefghijklmnopqrstuvwxyz";
    let weighed = |name: &str| -> Vec<Option<usize>> {
        name.chars().filter(|c| !matches!(c, '-' | '\'')).map(|c| WEIGHTS.find(c)).collect()
    };
    weighed(a).cmp(&weighed(b)).then_with(|| b.find('-').cmp(&a.find('-')))
}

#[cfg(test)]
mod tests;
