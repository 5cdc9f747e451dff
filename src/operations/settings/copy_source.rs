//! The source of a copy, and what authorizes the service to read it.

use std::{fmt, sync::Arc, time::Duration};

use http::HeaderValue;
use percent_encoding::percent_decode_str;
use time::OffsetDateTime;
use url::Url;

use crate::{
    auth::{
        credential::Proof,
        sas::{self, SasToken, SasUrl},
    },
    error::{Error, Result},
    models::{
        SnapshotId,
        address::{self, BlobUrl},
        endpoint::{self, Endpoint},
    },
    operations::{blob_ref::BlobRef, settings::delegation},
    wire::{
        clock,
        excerpt::place,
        redaction::{redact, without_user_info},
    },
};

/// The longest source that the service accepts, in bytes.
const LONGEST: usize = 2048;

/// The source of a copy: any URL that the service can read, or a blob client.
///
/// A `Url` is sent as it is, with its query. A blob client authorizes the source itself:
///
/// - a client with a SAS passes the SAS on, byte for byte;
/// - a client with a shared key signs a read-only SAS for this blob, snapshot or version. For an
///   incremental copy the SAS is for the base blob, since the service also reads the previous
///   snapshot. An ordinary copy within one account needs no SAS, and none is made;
/// - a client with bearer tokens requests a [user delegation
///   key](crate::BlobServiceClient::get_user_delegation_key), keeps it until it expires (up to
///   seven days), and signs such a SAS with it. Synchronous operations, such as
///   [`copy_from_uri`](crate::BlobClient::copy_from_uri), send a token for the source instead (from
///   version 2020-10-02). An ordinary copy within one account needs neither (from version
///   2017-11-09);
/// - with an anonymous client, the blob must be public.
///
/// A generated SAS has no start time, is https-only if the source's endpoint is https, and uses the
/// oldest service version that knows its fields. [`sas_lifetime`](CopySource::sas_lifetime) sets
/// how long it is valid.
///
/// **Who can see the SAS.** The destination's properties hold the URL of its last copy source, and
/// anyone who may read or list the destination can see them. Since 2021 the service returns that
/// URL without the signature of its SAS, so it is of no use; in 2019 it returned the whole SAS.
///
/// Before service version 2012-02-12 the source is sent as a path, `/account/container/blob`, with
/// its snapshot if it has one. It must be in the destination's account and carries no SAS.
///
/// The source may be at most 2 KiB long, SAS included. `Debug` never shows the signature.
///
/// ```
/// # blobcopy_simulator::example(async |service| {
/// use blobcopy::CopySource;
///
/// let from_client = CopySource::from(&service.container_client("vhds").blob_client("notes.txt"));
/// let from_url = CopySource::from("https://example.com/public.iso".parse::<url::Url>()?);
/// # let _ = (from_client, from_url);
/// # Ok(()) });
/// ```
#[derive(Clone)]
pub struct CopySource {
    place: Place,
    sas_lifetime: Option<Duration>,
}

#[derive(Clone)]
enum Place {
    Url(Url),
    Blob(BlobRef),
}

/// When the service reads a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// From the start until the copy has ended.
    InBackground,
    /// While the service works on the request.
    AtOnce,
}

impl Reading {
    /// How long a SAS for it is valid by default.
    fn lifetime(self) -> Duration {
        match self {
            Self::InBackground => Duration::from_secs(7 * 24 * 3600),
            Self::AtOnce => Duration::from_secs(3600),
        }
    }

    /// The shortest acceptable validity, if the key that signs the SAS ends sooner.
    fn shortest(self) -> Duration {
        match self {
            Self::InBackground => Duration::from_secs(6 * 24 * 3600),
            Self::AtOnce => self.lifetime(),
        }
    }
}

impl CopySource {
    const LONGEST_SAS: Duration = Duration::from_secs(14 * 24 * 3600);

    /// The blob of a client.
    pub(crate) fn of_blob(blob: &BlobRef) -> Self {
        Self::new(Place::Blob(blob.clone()))
    }

    fn new(place: Place) -> Self {
        Self { place, sas_lifetime: None }
    }

    /// How long a generated SAS is valid: 1 minute to 14 days; with bearer tokens at most 6 days
    /// and 23 hours.
    ///
    /// The default is 7 days for an asynchronous copy and 1 hour for a synchronous call. A SAS that
    /// is signed with a user delegation key ends with the key at the latest, after 6 to 7 days. The
    /// service reads the source until the copy ends, which takes at most 14 days; if the SAS
    /// expires earlier, the copy fails.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// use std::time::Duration;
    /// use blobcopy::CopySource;
    ///
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let source = CopySource::from(&notes).sas_lifetime(Duration::from_secs(5 * 24 * 3600));
    /// let backup = service.container_client("backups").blob_client("notes.txt");
    /// backup.start_copy_from_uri(source).await?.wait().await?;
    /// # Ok(()) });
    /// ```
    pub fn sas_lifetime(mut self, lifetime: Duration) -> Self {
        self.sas_lifetime = Some(lifetime);
        self
    }

    /// Whether a key or a token for it may have to be requested.
    pub(crate) fn may_request(&self) -> bool {
        match &self.place {
            Place::Url(_) => false,
            Place::Blob(blob) => matches!(blob.pipeline().credential().0, Proof::Token(..)),
        }
    }

    /// The source of an incremental copy: `snapshot` replaces one in the URL of the source. The
    /// service requires authorization here even within one account.
    pub(crate) async fn resolve_snapshot(&self, snapshot: &SnapshotId) -> Result<HeaderValue> {
        let url = match &self.place {
            Place::Url(url) => url.clone(),
            Place::Blob(blob) => blob.at(Some(snapshot.clone()), None).url()?,
        };
        if endpoint::is_managed_disk(&url) {
            let rule = "is a managed disk, which the service cannot copy incrementally: list the \
                        changes with get_managed_disk_page_ranges_diff, and copy them with \
                        upload_pages_from_uri";
            return Err(Error::invalid("source", url, rule));
        }
        match &self.place {
            Place::Url(url) => resolved(url, Some(snapshot), None),
            Place::Blob(blob) => {
                // The SAS is for the base blob: the service reads an earlier snapshot too.
                let base = blob.at(None, None);
                let sas = self.sas_of(&base, None, Reading::InBackground).await?;
                resolved(&url, None, sas.as_deref().map(SasToken::expose))
            }
        }
    }

    /// The source of an ordinary copy to `destination`.
    pub(crate) async fn resolve(&self, destination: &BlobRef) -> Result<HeaderValue> {
        match &self.place {
            Place::Url(url) => resolved(url, None, None),
            Place::Blob(blob) => {
                let sas = self.sas_of(blob, Some(destination), Reading::InBackground).await?;
                resolved(&blob.url()?, None, sas.as_deref().map(SasToken::expose))
            }
        }
    }

    /// The source of an ordinary copy before version 2012-02-12: a path in the account of the
    /// destination's `endpoint`. The request itself authorizes it.
    pub(crate) fn resolve_path(&self, endpoint: &Endpoint) -> Result<HeaderValue> {
        let (url, own) = match &self.place {
            Place::Url(url) => (url.clone(), endpoint),
            Place::Blob(blob) => (blob.url()?, blob.endpoint()),
        };
        let refuse = |rule| Err(Error::invalid("source", &url, rule));
        let source =
            BlobUrl::behind(own, &url).unwrap_or_else(|| BlobUrl::parse("source", &url, None))?;
        if source.version.is_some() || source.query.is_some() {
            return refuse(
                "must have no query other than a snapshot: before version 2012-02-12 a source is a \
                 path, and the request itself authorizes it",
            );
        }
        let Some(account) = endpoint.account() else {
            return refuse("must be in an account whose name is known");
        };
        // A custom domain does not show the cloud of its account.
        let same_cloud = !endpoint.names_its_cloud() || source.endpoint.is_beside(endpoint);
        let same_account = source.endpoint.account() == Some(account) && same_cloud;
        if !same_account && !source.endpoint.is_same_account(endpoint) {
            return refuse("must be in the destination's account before version 2012-02-12");
        }
        header(&source.path(account))
    }

    /// The source of a synchronous operation: its URL, and a bearer token to send with it. The
    /// service requires authorization here even within one account. A `given` token replaces what
    /// the source has itself; a client with tokens adds one if the operation `carries_tokens`.
    pub(crate) async fn resolve_at_once(
        &self,
        given: Option<HeaderValue>,
        carries_tokens: bool,
    ) -> Result<(HeaderValue, Option<HeaderValue>)> {
        let (source, bearer) = match (&self.place, given) {
            (Place::Url(url), given) => (resolved(url, None, None)?, given),
            (Place::Blob(blob), given) => {
                let url = blob.url()?;
                match (&blob.pipeline().credential().0, given) {
                    // A SAS that the client needs beside its token goes with any token.
                    (Proof::Token(_, Some(sas)), Some(given)) => {
                        (resolved(&url, None, Some(sas.expose()))?, Some(given))
                    }
                    (_, Some(given)) => (resolved(&url, None, None)?, Some(given)),
                    (Proof::Token(token, sas), None) if carries_tokens => {
                        let bearer = token.header(&url, blob.pipeline().clock().now()).await;
                        let bearer = bearer.map_err(|cause| Error::Credential {
                            operation: "Get Blob",
                            url: place(&url),
                            cause,
                            attempts: 0,
                            ambiguous: false,
                        })?;
                        let sas = sas.as_deref().map(SasToken::expose);
                        (resolved(&url, None, sas)?, Some(bearer))
                    }
                    (_, None) => {
                        let sas = self.sas_of(blob, None, Reading::AtOnce).await?;
                        (resolved(&url, None, sas.as_deref().map(SasToken::expose))?, None)
                    }
                }
            }
        };
        if bearer.is_some() && !source.as_bytes().starts_with(b"https://") {
            let url = source.to_str().unwrap_or_default();
            let rule = "must be https: a bearer token must not be sent unencrypted";
            return Err(Error::invalid("source", url, rule));
        }
        Ok((source, bearer))
    }

    /// Passes on the result of a call that used `source`, and drops a key that the service refused.
    pub(crate) fn judged<T>(&self, source: &HeaderValue, result: Result<T>) -> Result<T> {
        if let (Place::Blob(blob), Err(error)) = (&self.place, &result) {
            delegation::forget_refused(blob, source, error);
        }
        result
    }

    /// The SAS that lets the service read a client's blob, if it needs one. If the destination is
    /// given and in the same account, the request's own key or token covers the source.
    async fn sas_of(
        &self,
        blob: &BlobRef,
        destination: Option<&BlobRef>,
        reading: Reading,
    ) -> Result<Option<Arc<SasToken>>> {
        let covered = destination.is_some_and(|destination| {
            let by = &destination.pipeline().credential().0;
            destination.endpoint().is_same_account(blob.endpoint())
                && matches!(by, Proof::SharedKey(_) | Proof::Token(..))
        });
        let now = blob.pipeline().clock().now();
        let minted = match &blob.pipeline().credential().0 {
            Proof::Sas(sas) | Proof::Token(_, Some(sas)) => return Ok(Some(Arc::clone(sas))),
            Proof::Anonymous => return Ok(None),
            _ if covered => return Ok(None),
            Proof::SharedKey(key) => {
                to_read(blob, clock::later(now, self.lifetime(reading)?)).sign(key)?
            }
            Proof::Token(_, None) => {
                let longest = self.lifetime(reading)?;
                let shortest = self.sas_lifetime.unwrap_or_else(|| reading.shortest());
                let (account, key) =
                    delegation::key(&blob.call(), blob.endpoint(), clock::later(now, shortest))
                        .await?;
                let expiry = clock::later(now, longest).min(key.expires_on());
                to_read(blob, expiry).sign_as_user(account, &key)?
            }
        };
        Ok(Some(Arc::new(minted)))
    }

    fn lifetime(&self, reading: Reading) -> Result<Duration> {
        let lifetime = self.sas_lifetime.unwrap_or_else(|| reading.lifetime());
        if !(Duration::from_secs(60)..=Self::LONGEST_SAS).contains(&lifetime) {
            let rule = "must be 1 minute to 14 days";
            return Err(Error::invalid("SAS lifetime", format!("{lifetime:?}"), rule));
        }
        Ok(lifetime)
    }
}

/// The fields of a SAS for the source.
fn to_read(blob: &BlobRef, expiry: OffsetDateTime) -> sas::ReadOnly<'_> {
    sas::ReadOnly {
        container: blob.container_name(),
        blob: blob.name(),
        snapshot: blob.snapshot(),
        version_id: blob.version_id(),
        expiry,
        https: blob.endpoint().is_https(),
        newest: blob.pipeline().version(),
    }
}

/// Joins the parts as text, so that no byte of a SAS changes.
fn resolved(url: &Url, snapshot: Option<&SnapshotId>, sas: Option<&str>) -> Result<HeaderValue> {
    address::check("source", url)?;
    let is_snapshot = |parameter: &&str| {
        let name = parameter.split('=').next().unwrap_or_default();
        name.eq_ignore_ascii_case("snapshot")
    };
    let own = url.query().unwrap_or_default().split('&').filter(|part| !part.is_empty());
    let mut query: Vec<&str> = match snapshot {
        None => own.collect(),
        Some(_) => own.filter(|parameter| !is_snapshot(parameter)).collect(),
    };
    let snapshot = snapshot.map(|snapshot| format!("snapshot={}", snapshot.as_str()));
    query.splice(0..0, snapshot.as_deref());
    query.extend(sas);
    let base = url.as_str().split('?').next().unwrap_or_default();
    let text =
        if query.is_empty() { base.to_owned() } else { format!("{base}?{}", query.join("&")) };
    header(&text)
}

/// The value of `x-ms-copy-source`.
fn header(text: &str) -> Result<HeaderValue> {
    if text.len() > LONGEST {
        let size = format!("{text} ({} bytes)", text.len());
        return Err(Error::invalid("source", size, "must be at most 2 KiB long, SAS included"));
    }
    let mut header = HeaderValue::from_str(text)
        .map_err(|_| Error::invalid("source", text, "must be visible ASCII characters"))?;
    header.set_sensitive(true);
    Ok(header)
}

impl From<Url> for CopySource {
    fn from(url: Url) -> Self {
        Self::new(Place::Url(url))
    }
}

impl From<&Url> for CopySource {
    fn from(url: &Url) -> Self {
        Self::from(url.clone())
    }
}

impl From<&SasUrl> for CopySource {
    fn from(url: &SasUrl) -> Self {
        Self::from(Url::from(url))
    }
}

impl fmt::Debug for CopySource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Url(url) => {
                let mut shown = url.clone();
                without_user_info(&mut shown);
                write!(f, "CopySource({})", redact(shown.as_str()))
            }
            Place::Blob(blob) => write!(f, "CopySource({blob:?})"),
        }
    }
}

/// The identity of a source, whatever the form of its URL.
///
/// The service may return a source with another scheme, with a port, with percent triplets in
/// another case, and with or without the SAS. So sources are compared by account, container, blob,
/// snapshot and version, and by the names that the service stores.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceIdentity {
    /// The account and its cloud; for a host that names no account, the host.
    server: String,
    /// The path after the host, decoded.
    path: String,
    snapshot: Option<String>,
    version: Option<String>,
    /// The query of a host that is not an account, since it may choose the file; without the
    /// parameters that authorize.
    query: Vec<(String, String)>,
}

impl SourceIdentity {
    /// `None` if `url` is not a URL with a host.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let server = endpoint::server(&url)?;
        let parameter = |wanted: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, v)| v.into_owned())
        };
        let (snapshot, version) = (parameter("snapshot"), parameter("versionid"));
        let mut bare = url.clone();
        bare.set_query(None);
        let (path, of_account) = match BlobUrl::parse("source", &bare, None) {
            Ok(BlobUrl { endpoint, container, blob, .. }) => {
                let account = endpoint.account();
                (format!("{}/{container}/{blob}", account.unwrap_or_default()), account.is_some())
            }
            Err(_) => (percent_decode_str(url.path()).decode_utf8_lossy().into_owned(), false),
        };
        let own = url.query_pairs().filter(|(name, _)| !of_account && !signs(name));
        let query = own.map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        Some(Self { server, path, snapshot, version, query })
    }

    /// Whether the source can never change: a snapshot or a version.
    pub(crate) fn is_immutable(&self) -> bool {
        self.snapshot.is_some() || self.version.is_some()
    }
}

/// Whether a query parameter authorizes, and so may be missing in what the service returns: part of
/// a SAS behind a custom domain, or of a presigned URL. Snapshot and version are compared
/// separately.
fn signs(name: &str) -> bool {
    const SAS: [&str; 27] = [
        "sv", "sr", "sig", "se", "sp", "st", "spr", "sip", "ss", "srt", "si", "sdd", "ses",
        "skoid", "sktid", "skt", "ske", "sks", "skv", "saoid", "suoid", "scid", "rscc", "rscd",
        "rsce", "rscl", "rsct",
    ];
    let name = name.to_ascii_lowercase();
    let others = ["snapshot", "versionid"];
    SAS.contains(&&*name)
        || others.contains(&&*name)
        || name.starts_with("x-amz-")
        || name.starts_with("x-goog-")
}

#[cfg(test)]
#[path = "copy_source_tests.rs"]
mod tests;
