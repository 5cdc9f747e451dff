//! What an operation is, and how a call of one is made.

use std::{fmt, sync::Arc};

use url::Url;

use crate::{
    error::{Error, Result},
    models::since::Since,
    pipeline::{
        request::{CallOptions, Effect, Prepared, Target},
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
    pub(crate) url: NamedUrl,
    pub(crate) options: CallOptions,
}

/// The URL of a container or blob, or the rule that its name breaks.
pub(crate) type NamedUrl = std::result::Result<Url, BadName>;

/// A name that no container or blob can have; told when a call is made with it.
#[derive(Debug, Clone)]
pub(crate) struct BadName {
    what: &'static str,
    why: String,
}

impl BadName {
    /// Keeps the refusal of a name for the first call that is made with it.
    pub(crate) fn url(url: Result<Url>) -> NamedUrl {
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

    /// What it does to the service's state.
    const EFFECT: Effect;

    /// Whether the body of its answer is left to be read piece by piece.
    const STREAMS: bool = false;

    /// The request for a blob, container or service; refuses what the service would refuse.
    fn request(&self, to: &Target) -> Result<Prepared>;

    /// Reads a successful answer.
    fn parse(&self, answer: Answer) -> Result<Self::Output>;
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.url {
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
        self.url.as_ref().map(place).unwrap_or_default()
    }

    /// The error of a success to `operation`, which reads, that the documentation does not allow.
    pub(crate) fn unexpected(&self, operation: &'static str, why: impl fmt::Display) -> Error {
        match &self.url {
            Ok(url) => Error::unexpected(operation, url, false, why),
            Err(name) => name.clone().into(),
        }
    }

    /// The same call, for what must be read as it is now: never from the secondary.
    pub(crate) fn at_primary(mut self) -> Self {
        self.options.primary_only = true;
        self
    }

    /// Refuses a service version that does not have `what`.
    pub(crate) fn since(&self, what: Since) -> Result<()> {
        what.check(self.pipeline.version())
    }

    /// The request, with all that its caller set.
    pub(crate) fn prepare<O: Operation>(&self, operation: &O) -> Result<Prepared> {
        let to = Target { url: self.url.clone()?, version: self.pipeline.version() };
        operation.request(&to)?.settings(&self.options).done()
    }

    pub(crate) async fn send<O: Operation>(
        &self,
        _: &O,
        request: &Prepared,
        tries: &mut Tries,
    ) -> Result<Answer> {
        let kind = Kind {
            name: O::NAME,
            effect: O::EFFECT,
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

/// A builder: an operation, and the call that makes it. With `-> Output` it can be awaited.
macro_rules! builder {
    ($(#[$doc:meta])* $builder:ident of $operation:ident $(-> $output:ty)?) => {
        $(#[$doc])*
        #[must_use = "nothing is sent until it is awaited"]
        #[derive(Debug, Clone)]
        pub struct $builder {
            pub(crate) call: crate::operations::operation::Call,
            pub(crate) operation: $operation,
        }

        impl $builder {
            pub(crate) fn new(
                call: crate::operations::operation::Call,
                operation: $operation,
            ) -> Self {
                Self { call, operation }
            }

            /// The request that it would send.
            #[cfg(test)]
            #[allow(dead_code)]
            pub(crate) fn prepared(
                &self,
            ) -> crate::error::Result<crate::pipeline::request::Prepared> {
                self.call.prepare(&self.operation)
            }
        }

        crate::operations::operation::call_options!($builder);
        $(crate::operations::operation::awaitable!($builder -> $output);)?
    };
}
pub(crate) use builder;

/// Lets a builder be awaited.
macro_rules! awaitable {
    ($builder:ident -> $output:ty) => {
        impl std::future::IntoFuture for $builder {
            type Output = crate::error::Result<$output>;
            type IntoFuture =
                crate::wire::transport::BoxFuture<'static, crate::error::Result<$output>>;

            fn into_future(self) -> Self::IntoFuture {
                Box::pin(async move { self.call.run(&self.operation).await })
            }
        }
    };
}
pub(crate) use awaitable;
