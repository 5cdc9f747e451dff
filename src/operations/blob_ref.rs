//! The blob that a call is about, and the pipeline that reaches it. Every blob client, copy and
//! source holds one.

use std::{fmt, ops::Deref, sync::Arc};

use url::Url;

use super::operation::{BadName, Call, NamedUrl};
use crate::{
    error::Result,
    models::{SnapshotId, VersionId, endpoint::Endpoint},
    pipeline::{budget::Budget, request::with_parameter, send::Pipeline},
    wire::{excerpt::place, redaction},
};

/// A blob, or one snapshot or version of it. Cheap to clone.
#[derive(Clone)]
pub(crate) struct BlobRef(Arc<Parts>);

#[derive(Clone)]
struct Parts {
    pipeline: Arc<Pipeline>,
    endpoint: Endpoint,
    container: String,
    name: String,
    snapshot: Option<SnapshotId>,
    version: Option<VersionId>,
    named: NamedUrl,
}

/// Where a blob's name comes from.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Naming {
    /// From the caller, as text: the service may store it under another name.
    Given,
    /// From the service, or from a URL by the service's rules.
    Stored,
}

impl BlobRef {
    pub(crate) fn new(
        pipeline: Arc<Pipeline>,
        endpoint: Endpoint,
        container: &str,
        name: &str,
        naming: Naming,
    ) -> Self {
        let named = BadName::url(match naming {
            Naming::Given => endpoint.blob_url(container, name),
            Naming::Stored => endpoint.stored_blob_url(container, name),
        });
        let (container, name) = (container.to_owned(), name.to_owned());
        let (snapshot, version) = (None, None);
        Self(Arc::new(Parts { pipeline, endpoint, container, name, snapshot, version, named }))
    }

    /// The same blob, or a snapshot or version of it.
    pub(crate) fn at(&self, snapshot: Option<SnapshotId>, version: Option<VersionId>) -> Self {
        let mut parts = (*self.0).clone();
        parts.named = parts.named.map(|url| {
            let mut url = Arc::unwrap_or_clone(url);
            url.set_query(None);
            if let Some(snapshot) = &snapshot {
                url = with_parameter(url, "snapshot", snapshot.as_str());
            }
            if let Some(version) = &version {
                url = with_parameter(url, "versionid", version.as_str());
            }
            Arc::new(url)
        });
        (parts.snapshot, parts.version) = (snapshot, version);
        Self(Arc::new(parts))
    }

    /// The same blob, with calls that draw from `budget`.
    pub(crate) fn with_budget(&self, budget: &Budget) -> Self {
        let pipeline = self.0.pipeline.with_budget(budget);
        Self(Arc::new(Parts { pipeline, ..(*self.0).clone() }))
    }

    pub(crate) fn name(&self) -> &str {
        &self.0.name
    }

    pub(crate) fn container_name(&self) -> &str {
        &self.0.container
    }

    /// Its URL, with its snapshot or version and without a SAS.
    pub(crate) fn url(&self) -> Result<Url> {
        Ok(self.0.named.clone().map(Arc::unwrap_or_clone)?)
    }

    /// Its URL, as errors show it.
    pub(crate) fn place(&self) -> String {
        self.0.named.as_ref().map(|url| place(url)).unwrap_or_default()
    }

    pub(crate) fn snapshot(&self) -> Option<&SnapshotId> {
        self.0.snapshot.as_ref()
    }

    pub(crate) fn version_id(&self) -> Option<&VersionId> {
        self.0.version.as_ref()
    }

    /// A call about this blob.
    pub(crate) fn call(&self) -> Call {
        let (pipeline, url) = (Arc::clone(&self.0.pipeline), self.0.named.clone());
        Call { pipeline, url, options: Default::default() }
    }

    /// A call about its container. Refuses a bad blob name too.
    pub(crate) fn container_call(&self) -> Call {
        let Parts { endpoint, container, named, .. } = self.0.deref();
        let container = || BadName::url(endpoint.container_url(container));
        Call { url: named.clone().and_then(|_| container()), ..self.call() }
    }

    pub(crate) fn pipeline(&self) -> &Pipeline {
        &self.0.pipeline
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.0.endpoint
    }
}

impl fmt::Debug for BlobRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { endpoint, container, name, snapshot, version, .. } = self.0.deref();
        let base = endpoint.url().as_str().trim_end_matches('/');
        let place = format!("{base}/{container}/{name}");
        write!(f, "BlobClient({}", redaction::redact(&place))?;
        if let Some(snapshot) = snapshot {
            write!(f, ", snapshot {snapshot}")?;
        }
        if let Some(version) = version {
            write!(f, ", version {version}")?;
        }
        f.write_str(")")
    }
}
