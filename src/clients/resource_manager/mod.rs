//! Azure Resource Manager: the snapshots of a managed disk, and the access to them.

mod answers;
mod builder;

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use http::{HeaderValue, header};
use serde::de::DeserializeOwned;
use time::OffsetDateTime;
use url::Url;

pub(crate) use self::answers::SnapshotResource;
use self::answers::{Access, Page};
pub use self::builder::ResourceManagerBuilder;
use crate::{
    error::{Error, Result},
    pipeline::{
        request::{Effect, Prepared, Target, with_parameter},
        response::Answer,
        retry,
        send::{Kind, Pipeline},
        tries::Tries,
    },
    wire::{clock, excerpt::place},
};

/// The version of the API of disks and snapshots.
const API_VERSION: &str = "2025-01-02";

/// How long an operation may take that Resource Manager has accepted.
const LONGEST_OPERATION: Duration = Duration::from_secs(600);

/// The longest wait between two questions whether an operation is done.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// More pages than a subscription can have snapshots for.
const MOST_PAGES: usize = 10_000;

/// The snapshots of a managed disk in Azure Resource Manager: lists them, and grants and revokes
/// access to them.
///
/// It is what [`ManagedSnapshots`](crate::disks::ManagedSnapshots) needs to mirror a managed disk.
/// All requests carry a bearer token for `https://management.azure.com/.default` and go over https.
/// They are retried as the [options](ResourceManagerBuilder::options) say, and when Resource
/// Manager throttles them (429).
///
/// The identity needs these permissions on the resource group of the snapshots, such as the role
/// *Disk Snapshot Contributor* has them, and on the subscription the right to read the operations:
///
/// - `Microsoft.Compute/snapshots/read`
/// - `Microsoft.Compute/snapshots/beginGetAccess/action`
/// - `Microsoft.Compute/snapshots/endGetAccess/action`
/// - `Microsoft.Compute/locations/DiskOperations/read`
///
/// From [Snapshots](https://learn.microsoft.com/rest/api/compute/snapshots), version 2025-01-02. It
/// rests on public documents alone and was never tried on the service.
///
/// ```
/// use blobcopy::{
///     ClientOptions, Credential, ResourceManager,
///     disks::{GrantAccess, ManagedSnapshots},
/// };
/// # use blobcopy::{AccessToken, CredentialError, TokenProvider, transport::BoxFuture};
/// # use blobcopy_simulator::Simulator;
/// # #[derive(Debug)]
/// # struct Login;
/// # impl TokenProvider for Login {
/// #     fn token<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<AccessToken, CredentialError>> {
/// #         let end = time::OffsetDateTime::now_utc() + time::Duration::hours(1);
/// #         Box::pin(async move { Ok(AccessToken::new("token", end)) })
/// #     }
/// # }
///
/// # blobcopy_simulator::example(async |_| {
/// # let sim = Simulator::builder().accept_bearer(|_| true).build();
/// # let disk = sim.managed_disks().create("production", "disk0", 1 << 30);
/// # disk.snapshot("disk0-1");
/// # let subscription = sim.managed_disks().subscription();
/// # let (credential, options) = (Credential::token(Login), sim.client_options());
/// // let credential = Credential::from_token_credential(DeveloperToolsCredential::new(None)?);
/// let snapshots = ResourceManager::builder(subscription, "production", "disk0")
///     .credential(credential)
///     .options(options)
///     .build()?;
/// for snapshot in snapshots.list().await? {
///     println!("{} of {}", snapshot.id, snapshot.time);
/// }
/// let source = ManagedSnapshots::new(snapshots);
/// # let _ = source;
/// # Ok(()) });
/// ```
#[derive(Debug, Clone)]
pub struct ResourceManager {
    pipeline: Arc<Pipeline>,
    /// `https://management.azure.com/`.
    endpoint: Url,
    /// The collection of snapshots, as resource ids begin: with `/` at its end.
    collection: String,
    /// The resource id of the disk.
    disk: String,
    /// The ids, in lower case, of snapshots of which a request for access got no answer: it may
    /// still be granted.
    lost: Arc<Mutex<BTreeSet<String>>>,
}

impl ResourceManager {
    /// The snapshots in the resource group `group` that are of `disk`: its name, if it is in the
    /// same group, or its resource id.
    ///
    /// A disk that was made again under its name has another unique id. If snapshots of both are
    /// there, [`ManagedSnapshots::disk`](crate::disks::ManagedSnapshots::disk) says which to use.
    pub fn builder(
        subscription: impl Into<String>,
        group: impl Into<String>,
        disk: impl Into<String>,
    ) -> ResourceManagerBuilder {
        ResourceManagerBuilder::new(subscription.into(), group.into(), disk.into())
    }

    /// [Snapshots, list by resource
    /// group](https://learn.microsoft.com/rest/api/compute/snapshots/list-by-resource-group): those
    /// of the disk.
    pub(crate) async fn snapshots(&self) -> Result<Vec<SnapshotResource>> {
        const NAME: &str = "Snapshots - List By Resource Group";
        let mut url = self.url(self.collection.trim_end_matches('/'));
        let mut found = Vec::new();
        for _ in 0..MOST_PAGES {
            let answer = self.send(NAME, Effect::Read, &self.target(&url).get()).await?;
            let page: Page = read(&answer)?;
            found.extend(page.value);
            match page.next_link.filter(|next| !next.is_empty()) {
                None => {
                    found.retain(|snapshot: &SnapshotResource| snapshot.is_of(&self.disk));
                    return Ok(found);
                }
                Some(next) => url = self.same_host(&answer, "nextLink", &next)?,
            }
        }
        let why = format_args!("more than {MOST_PAGES} pages");
        Err(Error::unexpected(NAME, &url, false, why))
    }

    /// [Snapshots, get](https://learn.microsoft.com/rest/api/compute/snapshots/get): `None` if it
    /// is not there, or not of this group and disk.
    pub(crate) async fn snapshot(&self, id: &str) -> Result<Option<SnapshotResource>> {
        const NAME: &str = "Snapshots - Get";
        let Some(name) = self.name_of(id) else { return Ok(None) };
        let url = self.url(&format!("{}{name}", self.collection));
        match self.send(NAME, Effect::Read, &self.target(&url).get()).await {
            Ok(answer) => {
                let found: SnapshotResource = read(&answer)?;
                Ok(Some(found).filter(|found| found.is_of(&self.disk)))
            }
            Err(error) if error.is_not_found() => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// What time it is.
    pub(crate) fn now(&self) -> OffsetDateTime {
        self.pipeline.clock().now()
    }

    /// Whether a request for access to the snapshot got no answer.
    pub(crate) fn has_lost(&self, snapshot: &str) -> bool {
        self.lost().contains(&snapshot.to_ascii_lowercase())
    }

    fn lost(&self) -> MutexGuard<'_, BTreeSet<String>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// [Snapshots, grant
    /// access](https://learn.microsoft.com/rest/api/compute/snapshots/grant-access): reading, in the
    /// format VHD.
    pub(crate) async fn grant_access(&self, snapshot: &str, duration: Duration) -> Result<Url> {
        const NAME: &str = "Snapshots - Grant Access";
        let (access, format, seconds) = ("Read", "VHD", duration.as_secs().max(1));
        let body = serde_json::json!({
            "access": access,
            "durationInSeconds": seconds,
            "fileFormat": format,
        });
        let json = HeaderValue::from_static("application/json");
        let request = self.action(snapshot, "beginGetAccess")?;
        let request = request.header(header::CONTENT_TYPE, json);
        let mut tries = Tries::default();
        let answer = self.finish(NAME, request.body(body.to_string().into()), &mut tries).await;
        if tries.ambiguous {
            self.lost().insert(snapshot.to_ascii_lowercase());
        }
        let answer = answer?;
        let access: Access = read(&answer)?;
        let url = access.url().ok_or_else(|| answer.unexpected("no accessSAS"))?;
        // A message could show the URL, which is a secret.
        let url = Url::parse(url).ok().filter(|url| url.has_host());
        let url = url.ok_or_else(|| answer.unexpected("accessSAS is not a URL"))?;
        match url.scheme() {
            "https" => Ok(url),
            _ => Err(answer.unexpected("accessSAS is not https")),
        }
    }

    /// [Snapshots, revoke
    /// access](https://learn.microsoft.com/rest/api/compute/snapshots/revoke-access): of everybody.
    pub(crate) async fn revoke_access(&self, snapshot: &str) -> Result<()> {
        const NAME: &str = "Snapshots - Revoke Access";
        let request = self.action(snapshot, "endGetAccess")?;
        let request = request.body(Bytes::new());
        self.finish(NAME, request, &mut Tries::default()).await.map(|_| ())
    }

    /// Sends a request for an operation that Resource Manager may work on for longer, and waits for
    /// its end.
    ///
    /// From [Track asynchronous Azure
    /// operations](https://learn.microsoft.com/azure/azure-resource-manager/management/async-operations):
    /// 202 with `Location`, which answers 202 until the operation has ended.
    async fn finish(
        &self,
        name: &'static str,
        request: Prepared,
        tries: &mut Tries,
    ) -> Result<Answer> {
        let begun = clock::instant();
        let kind = Kind { name, effect: Effect::Repeatable, streams: false, primary_only: true };
        let mut answer = self.pipeline.send(kind, &request, tries).await?;
        let mut polls = 0;
        let mut url = None;
        while answer.status == http::StatusCode::ACCEPTED {
            let wait = retry::retry_after(&answer.headers, self.pipeline.clock().now());
            if begun.elapsed() > LONGEST_OPERATION {
                return Err(Error::Timeout {
                    operation: name,
                    url: place(&request.url),
                    limit: LONGEST_OPERATION,
                    attempts: polls + 1,
                    ambiguous: true,
                });
            }
            // Without a hint at once, and then less and less often.
            let least = Duration::from_secs(u64::from(polls > 0));
            let own = least.saturating_mul(1 << polls.min(4));
            clock::sleep(wait.unwrap_or(own).clamp(least, LONGEST_WAIT)).await;
            if let Some(location) = answer.text(&header::LOCATION) {
                url = Some(self.same_host(&answer, "Location", location)?);
            }
            let Some(url) = &url else {
                return Err(answer.unexpected("status 202 without Location"));
            };
            polls += 1;
            let poll = self.target(url).get();
            let polled = self.send(name, Effect::Repeatable, &poll).await;
            answer = polled.map_err(accepted_before)?;
        }
        Ok(answer)
    }

    async fn send(&self, name: &'static str, effect: Effect, request: &Prepared) -> Result<Answer> {
        let kind = Kind { name, effect, streams: false, primary_only: true };
        self.pipeline.send(kind, request, &mut Tries::default()).await
    }

    /// The request for an action on a snapshot of this group.
    fn action(&self, snapshot: &str, action: &str) -> Result<Prepared> {
        let Some(name) = self.name_of(snapshot) else {
            let rule = format!("must be the resource id of a snapshot under {}", self.collection);
            return Err(Error::invalid("snapshot", snapshot, &rule));
        };
        let url = self.url(&format!("{}{name}/{action}", self.collection));
        Ok(self.target(&url).post())
    }

    /// The name of a snapshot of this group.
    fn name_of<'a>(&self, id: &'a str) -> Option<&'a str> {
        let own = id.get(..self.collection.len())?;
        let name = own.eq_ignore_ascii_case(&self.collection).then(|| &id[own.len()..])?;
        (!name.is_empty() && !name.contains('/') && !is_dots(name)).then_some(name)
    }

    fn target(&self, url: &Url) -> Target {
        Target { url: Arc::new(url.clone()), version: self.pipeline.version() }
    }

    /// The URL of a resource.
    fn url(&self, id: &str) -> Url {
        let mut url = self.endpoint.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().extend(id.split('/').filter(|part| !part.is_empty()));
        }
        with_parameter(url, "api-version", API_VERSION)
    }

    /// A URL from an answer, which must stay on the host, since the token is sent to it.
    fn same_host(&self, answer: &Answer, what: &str, url: &str) -> Result<Url> {
        let found = answer.url.join(url).ok();
        found.filter(|found| found.origin() == self.endpoint.origin()).ok_or_else(|| {
            answer.unexpected(format_args!("{what} is not on the host {}", self.endpoint))
        })
    }
}

/// The error of a question how an operation ended that was accepted before: it may have been
/// applied, whatever the error.
fn accepted_before(error: Error) -> Error {
    match error {
        Error::Service(mut refusal) => {
            refusal.ambiguous = true;
            Error::Service(refusal)
        }
        Error::Credential { operation, url, cause, attempts, .. } => {
            Error::Credential { operation, url, cause, attempts, ambiguous: true }
        }
        Error::Transport { operation, url, fault, attempts, .. } => {
            Error::Transport { operation, url, fault, attempts, ambiguous: true }
        }
        other => other,
    }
}

/// Reads an answer. An error shows nothing of it but where it is wrong.
fn read<T: DeserializeOwned>(answer: &Answer) -> Result<T> {
    serde_json::from_slice(answer.body.as_bytes()).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let length = answer.body.as_bytes().len();
        answer.unexpected(format_args!(
            "the JSON of {length} bytes cannot be read at line {line}, column {column}"
        ))
    })
}

/// Whether it is a path segment that means another one.
fn is_dots(name: &str) -> bool {
    matches!(name, "." | "..")
}
