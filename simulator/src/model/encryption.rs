//! Customer-provided keys and encryption scopes: how a blob is encrypted, and who may read it.
//!
//! From [Encryption
//! scopes](https://learn.microsoft.com/azure/storage/blobs/encryption-scope-overview) and [Provide
//! an encryption key on a
//! request](https://learn.microsoft.com/azure/storage/blobs/encryption-customer-provided-keys).
//! Nothing is actually encrypted; the simulator refuses what the service would refuse.

use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use crate::wire::{
    answer::Answer,
    call::Call,
    error::{Code, Refusal},
};

/// How a blob is encrypted, if not with the account's own key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Encryption {
    /// A customer-provided key: its SHA-256, in base64.
    Key(String),
    /// An encryption scope: its name.
    Scope(String),
}

const KEY: &str = "x-ms-encryption-key";
const SCOPE: &str = "x-ms-encryption-scope";
const HASH: &str = "x-ms-encryption-key-sha256";

/// The encryption that a request asks for, or the key that it sends to read a blob. The SAS may
/// name the scope.
pub(crate) fn asked(call: &Call) -> Result<Option<Encryption>, Refusal> {
    let key = key(call, [KEY, HASH, "x-ms-encryption-algorithm"])?;
    match (key, scope(call)) {
        (None, None) => Ok(None),
        (Some(key), None) => Ok(Some(key)),
        (None, Some(scope)) => Ok(Some(Encryption::Scope(scope.to_owned()))),
        (Some(_), Some(scope)) => Err(Refusal::bad_header(SCOPE, scope)),
    }
}

/// The scope only, for operations that accept no key.
pub(crate) fn asked_scope(call: &Call) -> Option<Encryption> {
    scope(call).map(|scope| Encryption::Scope(scope.to_owned()))
}

fn scope(call: &Call) -> Option<&str> {
    call.header(SCOPE).or_else(|| call.query.get("ses").filter(|_| !call.op.reads()))
}

/// The key to read the source of a copy with.
pub(crate) fn of_source(call: &Call) -> Result<Option<Encryption>, Refusal> {
    key(call, ["x-ms-source-encryption-key", "x-ms-source-encryption-key-sha256", SOURCE_ALGORITHM])
}

const SOURCE_ALGORITHM: &str = "x-ms-source-encryption-algorithm";

/// A key of 256 bits, its hash and its algorithm: all or none.
fn key(call: &Call, names: [&'static str; 3]) -> Result<Option<Encryption>, Refusal> {
    if names.iter().all(|name| call.header(name).is_none()) {
        return Ok(None);
    }
    let [key_name, hash_name, algorithm_name] = names;
    let (key, hash) = (call.required(key_name)?, call.required(hash_name)?);
    match call.required(algorithm_name)? {
        "AES256" => {}
        other => return Err(Refusal::bad_header(algorithm_name, other)),
    }
    let key = STANDARD.decode(key).ok().filter(|key| key.len() == 32);
    let key = key.ok_or_else(|| Refusal::bad_header(key_name, ""))?;
    if STANDARD.encode(Sha256::digest(key)) != hash {
        return Err(Refusal::bad_header(hash_name, hash));
    }
    Ok(Some(Encryption::Key(hash.to_owned())))
}

/// Refuses to read, or partly overwrite, a blob that is encrypted with another key than the one
/// sent, or in another scope than the one named; no scope need be named.
pub(crate) fn check(own: Option<&Encryption>, asked: Option<&Encryption>) -> Result<(), Refusal> {
    match (own, asked) {
        (None | Some(Encryption::Scope(_)), None) => Ok(()),
        (Some(own), Some(asked)) if own == asked => Ok(()),
        _ => Err(Code::BlobUsesCustomerSpecifiedEncryption.into()),
    }
}

impl Encryption {
    /// Whether the content is readable only with the customer's key.
    pub(crate) fn hides(&self) -> bool {
        matches!(self, Self::Key(_))
    }
}

impl Answer {
    /// The headers of a write's answer: that the content is encrypted, and how.
    pub(crate) fn written_with(self, encryption: Option<&Encryption>) -> Self {
        self.header("x-ms-request-server-encrypted", "true").encrypted_with(encryption)
    }

    /// The headers that report how a blob is encrypted.
    pub(crate) fn encrypted_with(self, encryption: Option<&Encryption>) -> Self {
        match encryption {
            None => self,
            Some(Encryption::Key(hash)) => self.header(HASH, hash),
            Some(Encryption::Scope(scope)) => self.header(SCOPE, scope),
        }
    }
}
