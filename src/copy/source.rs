//! Where a copy takes its content from, and how the service is allowed to read it.

use std::{fmt, time::Duration};

use http::HeaderValue;
use percent_encoding::percent_decode_str;
use url::Url;

use super::{delegation, token::without_user_info};
use crate::{
    auth::{
        credential::Proof,
        sas::{self, SasUrl},
    },
    clients::{AppendBlobClient, BlobClient, BlockBlobClient, PageBlobClient},
    error::{Error, Result},
    models::{
        SnapshotId,
        address::{self, BlobUrl},
    },
    wire::redaction::redact,
};

/// The longest source that the service takes, in bytes.
const LONGEST: usize = 2048;

/// The source of a copy: any URL that the service can read, or a blob of a client.
///
/// A `Url` is used as it is, with all that its query holds. A client's blob authorizes itself:
///
/// - a client with a SAS lends it, byte for byte;
/// - a client with a shared key mints a SAS for this one blob, snapshot or version, with read
///   permission only and for [24 hours](CopySource::sas_lifetime); for an ordinary copy within one
///   account none is needed, and none is made;
/// - a client with bearer tokens asks for a
///   [user delegation key](crate::BlobServiceClient::get_user_delegation_key), keeps it while it lasts
///   (up to seven days), and mints such a SAS with it; the operations that read the source at once, such
///   as [`copy_from_uri`](crate::BlobClient::copy_from_uri), are given a token instead (from version
///   2020-10-02); an ordinary copy within one account needs neither (from version 2017-11-09);
/// - an anonymous client's blob must be public.
///
/// With a service version before 2012-02-12 the source is sent as the path `/account/container/blob`, with
/// its snapshot if it has one. It must be in the destination's account, and no SAS goes with it.
///
/// The source may be 2 KiB long, SAS included. No form of it shows the signature.
///
/// ```
/// # blobcopy::simulator::example(async |service| {
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
    sas_lifetime: Duration,
}

#[derive(Clone)]
enum Place {
    Url(Url),
    Blob(BlobClient),
}

impl CopySource {
    const LONGEST_SAS: Duration = Duration::from_secs(14 * 24 * 3600);

    fn new(place: Place) -> Self {
        Self { place, sas_lifetime: Duration::from_secs(24 * 3600) }
    }

    /// For how long the SAS is good that is minted: 1 minute to 14 days, with bearer tokens less than 7
    /// days, by default 24 hours. The service reads the source until the copy has ended, which takes at most
    /// 14 days; if the SAS expires before, the copy fails.
    pub fn sas_lifetime(mut self, lifetime: Duration) -> Self {
        self.sas_lifetime = lifetime;
        self
    }

    /// The source of an incremental copy to `destination`: `snapshot`, in place of any that the
    /// source itself names. The service takes nothing on trust here, even within one account.
    pub(crate) async fn resolve_snapshot(&self, snapshot: &SnapshotId) -> Result<HeaderValue> {
        match &self.place {
            Place::Url(url) => resolved(url, Some(snapshot), None),
            Place::Blob(blob) => {
                let blob = blob.with_snapshot(snapshot);
                self.authorized(&blob, None).await
            }
        }
    }

    /// The source of an ordinary copy to `destination`.
    pub(crate) async fn resolve(&self, destination: &BlobClient) -> Result<HeaderValue> {
        match &self.place {
            Place::Url(url) => resolved(url, None, None),
            Place::Blob(blob) => self.authorized(blob, Some(destination)).await,
        }
    }

    /// The source of an ordinary copy with a version before 2012-02-12: a path, and so in the account of
    /// `destination`, whose request authorizes it.
    pub(crate) fn resolve_path(&self, destination: &BlobClient) -> Result<HeaderValue> {
        let url = match &self.place {
            Place::Url(url) => url.clone(),
            Place::Blob(blob) => blob.url()?,
        };
        let refuse = |rule| Err(Error::invalid("source", &url, rule));
        let source = BlobUrl::parse("source", &url)?;
        if source.version.is_some() || source.query.is_some() {
            return refuse(
                "must have no query but a snapshot: before version 2012-02-12 a source is named by its \
                 path, and authorized by the request itself",
            );
        }
        let endpoint = destination.endpoint();
        let account = match (&destination.pipeline().credential().0, endpoint.account()) {
            (_, Some(account)) => account,
            (Proof::SharedKey(key), None) => key.account(),
            _ => return refuse("must be in an account whose name is known"),
        };
        // Of a custom domain it is not known in which cloud the account is.
        let same_cloud = endpoint.account().is_none() || source.endpoint.is_beside(endpoint);
        let same_account = source.endpoint.account() == Some(account) && same_cloud;
        if !same_account && source.endpoint != *endpoint {
            return refuse("must be in the destination's account before version 2012-02-12");
        }
        header(&source.path(account))
    }

    /// The source of an operation that reads it while the call goes on: its URL, and a bearer token to
    /// send beside it. The service takes nothing on trust here, even within one account. A token that
    /// is given stands in place of all that the source could show itself; a source of a client with
    /// tokens comes with one where the operation can carry it.
    pub(crate) async fn resolve_at_once(
        &self,
        given: Option<HeaderValue>,
        carries_tokens: bool,
    ) -> Result<(HeaderValue, Option<HeaderValue>)> {
        let (source, bearer) = match (&self.place, given) {
            (Place::Url(url), given) => (resolved(url, None, None)?, given),
            (Place::Blob(blob), Some(given)) => (resolved(&blob.url()?, None, None)?, Some(given)),
            (Place::Blob(blob), None) => match &blob.pipeline().credential().0 {
                Proof::Token(token) if carries_tokens => {
                    let url = blob.url()?;
                    let bearer = token.header(&url, blob.pipeline().clock().now()).await?;
                    (resolved(&url, None, None)?, Some(bearer))
                }
                _ => (self.authorized(blob, None).await?, None),
            },
        };
        if bearer.is_some() && !source.as_bytes().starts_with(b"https://") {
            let url = source.to_str().unwrap_or_default();
            let rule = "must be https: a bearer token must not travel in the open";
            return Err(Error::invalid("source", url, rule));
        }
        Ok((source, bearer))
    }

    /// A client's blob with what lets the service read it. Where the destination is given, and in
    /// the same account, the request's own key or token covers the source.
    async fn authorized(
        &self,
        blob: &BlobClient,
        destination: Option<&BlobClient>,
    ) -> Result<HeaderValue> {
        let url = blob.url()?;
        let covered = destination.is_some_and(|destination| {
            let by = &destination.pipeline().credential().0;
            destination.endpoint() == blob.endpoint()
                && matches!(by, Proof::SharedKey(_) | Proof::Token(_))
        });
        match &blob.pipeline().credential().0 {
            Proof::Sas(sas) => resolved(&url, None, Some(sas.expose())),
            Proof::Anonymous => resolved(&url, None, None),
            _ if covered => resolved(&url, None, None),
            Proof::SharedKey(key) => {
                let sas = self.to_read(blob)?.sign(key)?;
                resolved(&url, None, Some(sas.expose()))
            }
            Proof::Token(_) => {
                let sas = delegation::sign(blob, &self.to_read(blob)?).await?;
                resolved(&url, None, Some(sas.expose()))
            }
        }
    }

    /// What a SAS that is made for the source grants.
    fn to_read<'a>(&self, blob: &'a BlobClient) -> Result<sas::ReadOnly<'a>> {
        let lifetime = self.sas_lifetime;
        if !(Duration::from_secs(60)..=Self::LONGEST_SAS).contains(&lifetime) {
            let rule = "must be 1 minute to 14 days";
            return Err(Error::invalid("SAS lifetime", format!("{lifetime:?}"), rule));
        }
        Ok(sas::ReadOnly {
            container: blob.container_name(),
            blob: blob.name(),
            snapshot: blob.snapshot(),
            version_id: blob.version_id(),
            expiry: blob.pipeline().clock().now() + lifetime,
            service_version: blob.pipeline().version(),
        })
    }
}

/// Puts the parts together as text, so that no byte of a SAS is touched.
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
    let snapshot = snapshot.map(|snapshot| format!("snapshot={snapshot}"));
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

impl From<&BlobClient> for CopySource {
    fn from(blob: &BlobClient) -> Self {
        Self::new(Place::Blob(blob.clone()))
    }
}

impl From<&PageBlobClient> for CopySource {
    fn from(blob: &PageBlobClient) -> Self {
        Self::from(&**blob)
    }
}

impl From<&AppendBlobClient> for CopySource {
    fn from(blob: &AppendBlobClient) -> Self {
        Self::from(&**blob)
    }
}

impl From<&BlockBlobClient> for CopySource {
    fn from(blob: &BlockBlobClient) -> Self {
        Self::from(&**blob)
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

/// Which blob a source is, whatever the form of its URL.
///
/// The service echoes a source with another scheme, with a port, with other case in percent triplets,
/// and with or without the SAS, so sources are compared by account, container, blob, snapshot and
/// version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SourceIdentity {
    /// The account; for a host that names none, the host.
    account: String,
    /// `container/blob`, decoded.
    path: String,
    snapshot: Option<String>,
    version: Option<String>,
}

impl SourceIdentity {
    /// `None` for what is not the URL of a host.
    pub(crate) fn of(url: &str) -> Option<Self> {
        let url = Url::parse(url).ok()?;
        let host = url.host_str()?.to_owned();
        let parameter = |wanted: &str| {
            let mut pairs = url.query_pairs();
            pairs.find(|(name, _)| name.eq_ignore_ascii_case(wanted)).map(|(_, v)| v.into_owned())
        };
        let (snapshot, version) = (parameter("snapshot"), parameter("versionid"));
        let mut bare = url.clone();
        bare.set_query(None);
        let (account, path) = match BlobUrl::parse("source", &bare) {
            Ok(parts) => {
                let account = parts.endpoint.account().map_or(host, str::to_owned);
                (account, format!("{}/{}", parts.container, parts.blob))
            }
            Err(_) => {
                let path = percent_decode_str(url.path()).decode_utf8_lossy().into_owned();
                (host, path)
            }
        };
        Some(Self { account, path, snapshot, version })
    }

    /// Whether the source can never change: a snapshot or a version.
    pub(crate) fn is_immutable(&self) -> bool {
        self.snapshot.is_some() || self.version.is_some()
    }
}

#[cfg(test)]
#[path = "source_tests.rs"]
mod tests;
