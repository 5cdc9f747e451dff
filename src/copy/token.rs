//! What to store about a copy, to watch it from another process.

use serde::{Deserialize, Serialize, Serializer, ser};
use url::Url;

use super::operation::CopyFromUriOperation;
use crate::{
    models::{CopyId, SnapshotId},
    wire::redaction,
};

/// # Resuming in another process
impl CopyFromUriOperation {
    /// A token to store, for watching the copy later or elsewhere with
    /// [`BlobServiceClient::resume`](crate::BlobServiceClient::resume). It contains no secret.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// # let source = service.container_client("vhds").blob_client("notes.txt");
    /// # let blob = service.container_client("backups").blob_client("notes.txt");
    /// let copy = blob.start_copy_from_uri(&source).await?;
    /// let mut again = service.resume(&copy.token())?;
    /// again.wait().await?;
    /// # Ok(()) });
    /// ```
    pub fn token(&self) -> CopyToken {
        // `resume` rejects a name that no blob can have.
        let destination = self
            .destination()
            .url()
            .unwrap_or_else(|_| self.destination().endpoint().url().clone());
        let token = CopyToken::new(destination, self.id().clone());
        CopyToken { source_snapshot: self.source_snapshot(), ..token }
    }
}

/// Identifies a copy: its destination and its id, without any secret.
///
/// Serializing fails if the id or the destination's name looks like a secret, which happens if the
/// caller mixed up values: without the value the copy could not be found again, and with it the
/// token would be a secret.
///
/// Store it, and pass it to [`BlobServiceClient::resume`](crate::BlobServiceClient::resume).
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// # let backups = service.container_client("backups");
/// # let source = service.container_client("vhds").blob_client("notes.txt");
/// let copy = backups.blob_client("notes.txt").start_copy_from_uri(&source).await?;
/// let stored = serde_json::to_string(&copy.token())?;
///
/// // Later, elsewhere:
/// let done = service.resume(&serde_json::from_str(&stored)?)?.wait().await?;
/// assert_eq!(done.copy_id, *copy.id());
/// # Ok(()) });
/// ```
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Stored")]
#[non_exhaustive]
pub struct CopyToken {
    /// The destination's URL, without its query.
    #[serde(serialize_with = "stored_url")]
    pub destination: Url,
    /// The copy's id.
    #[serde(serialize_with = "stored_id")]
    pub copy_id: CopyId,
    /// The source snapshot, if the source is known to be one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_snapshot: Option<SnapshotId>,
}

redaction::debug_redacted!(CopyToken { destination: text, copy_id, source_snapshot });

fn stored_url<S: Serializer>(url: &Url, to: S) -> Result<S::Ok, S::Error> {
    // Callers can set the fields to anything.
    stored("destination", redaction::bare(url.clone()).as_str(), to)
}

fn stored_id<S: Serializer>(id: &CopyId, to: S) -> Result<S::Ok, S::Error> {
    stored("copy id", id.as_str(), to)
}

fn stored<S: Serializer>(what: &str, text: &str, to: S) -> Result<S::Ok, S::Error> {
    if redaction::holds_secret(text) {
        let why = format_args!("the {what} of a copy token looks like a secret, and is not stored");
        return Err(ser::Error::custom(why));
    }
    to.serialize_str(text)
}

impl CopyToken {
    /// Makes a token. The URL's query, which might hold a SAS, is removed, and so are its user info
    /// and fragment.
    ///
    /// ```
    /// use blobcopy::{CopyId, CopyToken};
    ///
    /// let url = "https://account.blob.core.windows.net/backups/notes.txt?sv=2026-04-06&sig=abc";
    /// let id: CopyId = "6f3b4b1e-0f6c-4f0f-8f27-4f5d7a8a3a10".parse()?;
    /// let token = CopyToken::new(url.parse()?, &id);
    /// assert_eq!(token.destination.query(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn new(destination: Url, copy_id: impl Into<CopyId>) -> Self {
        Self {
            destination: redaction::bare(destination),
            copy_id: copy_id.into(),
            source_snapshot: None,
        }
    }
}

/// The stored form of a token, which others may have written.
#[derive(Deserialize)]
struct Stored {
    destination: Url,
    copy_id: CopyId,
    #[serde(default)]
    source_snapshot: Option<SnapshotId>,
}

impl From<Stored> for CopyToken {
    fn from(Stored { destination, copy_id, source_snapshot }: Stored) -> Self {
        Self { source_snapshot, ..Self::new(destination, copy_id) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_from_a_store_holds_no_secret_either() {
        let stored = r#"{
            "destination": "https://name:SECRET@acct.blob.core.windows.net/c/b?sig=SECRET#SECRET",
            "copy_id": "id-1"
        }"#;
        let token: CopyToken = serde_json::from_str(stored).expect("a token");
        assert_eq!(token.destination.as_str(), "https://acct.blob.core.windows.net/c/b");
        assert_eq!(token.copy_id, "id-1");
        let again = serde_json::to_string(&token).expect("text");
        assert_eq!(serde_json::from_str::<CopyToken>(&again).expect("a token"), token);
    }

    #[test]
    fn what_looks_like_a_secret_is_neither_stored_nor_shown() {
        let key = "kC0a8w+RkUZf1yGmV7/oWcN4sT9qXbJ2eLhD5iPz3uE6vYtMnHrB0gAjSxKdQFpO8lU2aVw1mXc5RzTyNi7fGg==";
        let url = |text: &str| text.parse::<Url>().expect("a URL");
        let id = || "id-1".parse::<CopyId>().expect("an id");
        let plain = url("https://acct.blob.core.windows.net/c/b");
        let mut open = CopyToken::new(plain.clone(), id());
        open.destination = url("https://acct.blob.core.windows.net/c/b?sv=1&sig=SECRET");
        assert!(!serde_json::to_string(&open).expect("text").contains("sig"));
        for token in [
            CopyToken::new(plain, key.parse::<crate::CopyId>().expect("an id")),
            CopyToken::new(url(&format!("https://acct.blob.core.windows.net/c/{key}")), id()),
        ] {
            let error = serde_json::to_string(&token).expect_err("refused").to_string();
            let shown = format!("{token:?} {error}");
            assert!(
                error.contains("looks like a secret") && !shown.contains(&key[..30]),
                "{shown}"
            );
        }
    }
}
