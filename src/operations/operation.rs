//! What an operation is, and how a call of one is made.

use std::{fmt, sync::Arc};

use url::Url;

use super::settings::versions;
use crate::{
    error::{Error, Result},
    models::ServiceVersion,
    pipeline::{
        request::{CallOptions, Prepared, Repeat},
        response::Answer,
        send::{Kind, Pipeline},
        tries::Tries,
    },
    wire::{excerpt::place, redaction},
};

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

    /// Where it goes, as errors show it.
    pub(crate) fn place(&self) -> String {
        self.target.as_ref().map(place).unwrap_or_default()
    }

    /// The error of a success to `operation` that the documentation does not allow.
    pub(crate) fn unexpected(&self, operation: &'static str, why: impl fmt::Display) -> Error {
        match &self.target {
            Ok(url) => Error::unexpected(operation, url, why),
            Err(name) => name.clone().into(),
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
