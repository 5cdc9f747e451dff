//! One file for each operation of the REST interface: its builder, its request, its response.

use std::{fmt, sync::Arc};

use time::OffsetDateTime;
use url::Url;

use crate::{
    error::{Error, Result},
    models::{
        AccessTier, ImmutabilityPolicyMode, LeaseId, ServiceVersion, Tags, headers, http_date,
    },
    pipeline::{
        request::{CallOptions, Prepared, Repeat},
        response::Answer,
        send::{Kind, Pipeline, Tries},
    },
    wire::redaction,
};

pub(crate) mod abort_copy;
pub(crate) mod append_block;
pub(crate) mod blob_tags;
pub(crate) mod checksum;
pub(crate) mod clear_pages;
pub(crate) mod commit_block_list;
pub(crate) mod content;
pub(crate) mod copy_blob;
pub(crate) mod copy_from_uri;
pub(crate) mod create_append_blob;
pub(crate) mod create_container;
pub(crate) mod create_page_blob;
pub(crate) mod create_snapshot;
pub(crate) mod delete_blob;
pub(crate) mod delete_container;
pub(crate) mod download;
pub(crate) mod encryption;
pub(crate) mod exists;
pub(crate) mod get_block_list;
pub(crate) mod get_container_properties;
pub(crate) mod get_page_ranges;
pub(crate) mod get_page_ranges_diff;
pub(crate) mod get_properties;
pub(crate) mod get_user_delegation_key;
pub(crate) mod incremental_copy_blob;
pub(crate) mod lease;
pub(crate) mod list_blobs;
pub(crate) mod list_containers;
#[cfg(test)]
pub(crate) mod offline;
mod paging;
mod pieces;
pub(crate) mod sequence_number;
pub(crate) mod set_metadata;
pub(crate) mod set_page_blob_properties;
pub(crate) mod set_tier;
pub(crate) mod stage_block;
pub(crate) mod stage_block_from_uri;
mod stored;
pub(crate) mod upload_blob;
pub(crate) mod upload_blob_from_uri;
pub(crate) mod upload_pages;
pub(crate) mod upload_pages_from_uri;
pub(crate) mod url_source;
mod versions;

/// Where a call goes and what its caller set for it: the part that every builder has.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) target: Target,
    pub(crate) options: CallOptions,
}

/// The URL of a container or blob, or the rule that its name breaks.
pub(crate) type Target = std::result::Result<Url, BadName>;

/// A name that no container or blob can have; told when a call is made with it.
#[derive(Debug, Clone)]
pub(crate) struct BadName {
    what: &'static str,
    why: String,
}

impl BadName {
    /// Keeps the refusal of a name for the first call that is made with it.
    pub(crate) fn target(url: Result<Url>) -> Target {
        url.map_err(Self::from)
    }
}

impl From<Error> for BadName {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidInput { what, why } => Self { what, why },
            other => Self { what: "name", why: other.to_string() },
        }
    }
}

impl From<BadName> for Error {
    fn from(name: BadName) -> Self {
        Self::InvalidInput { what: name.what, why: name.why }
    }
}

/// One operation of the REST interface, as two pure functions.
pub(crate) trait Operation {
    /// What a successful answer says.
    type Output;

    /// The operation's name in the REST reference.
    const NAME: &'static str;

    /// What a repeat of it may do.
    const REPEAT: Repeat;

    /// Whether the body of its answer is left to be read piece by piece.
    const STREAMS: bool = false;

    /// The request for the blob or container at `url`; refuses what the service would refuse.
    fn request(&self, url: Url) -> Result<Prepared>;

    /// Reads a successful answer.
    fn parse(&self, answer: Answer) -> Result<Self::Output>;
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.target {
            Ok(url) => write!(f, "{:?} {:?}", redaction::Shown(url), self.options),
            Err(name) => write!(f, "{name:?}"),
        }
    }
}

impl Call {
    /// Makes the call.
    pub(crate) async fn run<O: Operation>(&self, operation: &O) -> Result<O::Output> {
        let mut tries = Tries::default();
        let request = self.prepare(operation)?;
        let answer = self.send(operation, &request, &mut tries).await?;
        operation.parse(answer)
    }

    /// Makes a call that may find its work done: `is_done` tells so of an error, which counts as
    /// success when an earlier try's answer was lost.
    pub(crate) async fn run_to_end<O: Operation<Output = ()>>(
        &self,
        operation: &O,
        is_done: fn(&Error) -> bool,
    ) -> Result<()> {
        let mut tries = Tries::default();
        let request = self.prepare(operation)?;
        match self.send(operation, &request, &mut tries).await {
            Err(error) if tries.ambiguous && is_done(&error) => Ok(()),
            other => other.and_then(|answer| operation.parse(answer)),
        }
    }

    /// The same call, for what must be read as it is now: never from the secondary.
    pub(crate) fn at_primary(mut self) -> Self {
        self.options.primary_only = true;
        self
    }

    /// Refuses `what` with service versions that do not know it.
    pub(crate) fn since(&self, since: ServiceVersion, what: &str) -> Result<()> {
        let version = self.pipeline.version();
        if version >= since {
            return Ok(());
        }
        let rule = format!("must be {since} or later for {what}");
        Err(Error::invalid("service version", version, &rule))
    }

    /// The request, with all that its caller set.
    pub(crate) fn prepare<O: Operation>(&self, operation: &O) -> Result<Prepared> {
        let request = operation.request(self.target.clone()?)?;
        versions::check(self, &request)?;
        self.options.apply(request)
    }

    pub(crate) async fn send<O: Operation>(
        &self,
        _: &O,
        request: &Prepared,
        tries: &mut Tries,
    ) -> Result<Answer> {
        let kind = Kind {
            name: O::NAME,
            repeat: O::REPEAT,
            streams: O::STREAMS,
            primary_only: self.options.primary_only,
        };
        self.pipeline.send(kind, request, tries).await
    }
}

/// The settings that every builder has.
macro_rules! call_options {
    ($builder:ident $(<$of:ident>)?) => {
        impl $(<$of>)? $builder $(<$of>)? {
            /// The time that the service may take, in whole seconds; it lowers what is above its
            /// own limit for the operation (30 seconds for most). Past it, it answers 500
            /// `OperationTimedOut`.
            pub fn server_timeout(mut self, limit: std::time::Duration) -> Self {
                self.call.options.server_timeout = Some(limit);
                self
            }

            /// An id for this call, which the service logs and echoes (from version 2019-02-02): 1
            /// to 1024 visible ASCII characters. By default a new GUID; every attempt of a call has
            /// the same.
            pub fn client_request_id(mut self, id: &str) -> Self {
                self.call.options.client_request_id = Some(id.to_owned());
                self
            }
        }
    };
}
pub(crate) use call_options;

/// Lets a builder that is itself an operation be awaited.
macro_rules! awaitable {
    ($builder:ident -> $output:ty) => {
        impl std::future::IntoFuture for $builder {
            type Output = crate::error::Result<$output>;
            type IntoFuture =
                crate::wire::transport::BoxFuture<'static, crate::error::Result<$output>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(async move { self.call.run(&self).await })
            }
        }
    };
}
pub(crate) use awaitable;

/// `conditions` for a builder that has them.
macro_rules! with_conditions {
    ($builder:ident) => {
        impl $builder {
            /// Conditions on the blob (`if_tags` from version 2019-12-12). Not met: 412, or 304 for
            /// a read that asks for a change.
            pub fn conditions(mut self, conditions: crate::models::Conditions) -> Self {
                self.conditions = conditions;
                self
            }
        }
    };
}
pub(crate) use with_conditions;

/// `lease_id` for a builder that takes one.
macro_rules! with_lease {
    ($builder:ident) => {
        impl $builder {
            /// The id of the blob's active lease: needed to write a leased blob, checked on a read.
            pub fn lease_id(mut self, id: crate::models::LeaseId) -> Self {
                self.lease_id = Some(id);
                self
            }
        }
    };
}
pub(crate) use with_lease;

/// `metadata` for a builder that sets it.
macro_rules! with_metadata {
    ($builder:ident) => {
        impl $builder {
            /// Names and values to keep with it, in place of any that are there.
            pub fn metadata(mut self, metadata: impl Into<crate::models::Metadata>) -> Self {
                self.metadata = metadata.into();
                self
            }
        }
    };
}
pub(crate) use with_metadata;

/// `tags` for a builder that takes some.
macro_rules! with_tags {
    ($builder:ident) => {
        impl $builder {
            /// Index tags for what is written (from version 2019-12-12).
            pub fn tags(mut self, tags: impl Into<crate::models::Tags>) -> Self {
                self.tags = tags.into();
                self
            }
        }
    };
}
pub(crate) use with_tags;

/// Writes the lease id, if there is one.
pub(crate) fn write_lease(request: Prepared, lease: Option<&LeaseId>) -> Result<Prepared> {
    match lease {
        None => Ok(request),
        Some(id) => request.text(headers::LEASE_ID, "lease id", id.as_str()),
    }
}

/// Writes the tier, if there is one.
pub(crate) fn write_tier(request: Prepared, tier: Option<&AccessTier>) -> Result<Prepared> {
    match tier {
        None => Ok(request),
        Some(tier) => request.text(headers::ACCESS_TIER, "tier", tier.as_str()),
    }
}

/// Writes the tags, if there are any.
pub(crate) fn write_tags(request: Prepared, tags: &Tags) -> Result<Prepared> {
    match tags.is_empty() {
        true => Ok(request),
        false => Ok(request.header(headers::TAGS, tags.header_value()?)),
    }
}

/// Writes what keeps a blob from being changed: until a date, and until a hold is lifted.
pub(crate) fn write_immutability(
    mut request: Prepared,
    policy: Option<&(OffsetDateTime, ImmutabilityPolicyMode)>,
    hold: Option<bool>,
) -> Result<Prepared> {
    if let Some((until, mode)) = policy {
        let what = "immutability policy";
        let date = http_date::value(what, *until)?;
        request = request.header(headers::IMMUTABILITY_POLICY_UNTIL_DATE, date).text(
            headers::IMMUTABILITY_POLICY_MODE,
            what,
            mode.as_str(),
        )?;
    }
    if let Some(hold) = hold {
        request = request.header(headers::LEGAL_HOLD, headers::flag(hold));
    }
    Ok(request)
}
