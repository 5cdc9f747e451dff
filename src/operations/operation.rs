//! The trait of every operation, and the call that runs one.

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

/// Where a call goes, and the options that every builder has.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) url: NamedUrl,
    pub(crate) options: CallOptions,
}

/// The URL of a container or blob, or the rule that its name breaks.
pub(crate) type NamedUrl = std::result::Result<Arc<Url>, BadName>;

/// An invalid name of a container or blob. The first call with it returns this error.
#[derive(Debug, Clone)]
pub(crate) struct BadName {
    what: &'static str,
    why: String,
}

impl BadName {
    /// Keeps the error of a bad name for the first call.
    pub(crate) fn url(url: Result<Url>) -> NamedUrl {
        url.map(Arc::new).map_err(Self::from)
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

/// One REST operation, as two pure functions.
pub(crate) trait Operation {
    /// What a successful response holds.
    type Output;

    /// The operation's name in the REST reference.
    const NAME: &'static str;

    /// What a repeat of it may do.
    const EFFECT: Effect;

    /// The same for this request, where it depends on its settings.
    fn effect(&self) -> Effect {
        Self::EFFECT
    }

    /// Whether its response body is streamed.
    const STREAMS: bool = false;

    /// The request for a blob, container or service; refuses what the service would refuse.
    fn request(&self, to: &Target) -> Result<Prepared>;

    /// Reads a successful response.
    fn parse(&self, answer: Answer) -> Result<Self::Output>;
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.url {
            Ok(url) => write!(f, "{:?} {:?}", redaction::Shown(&**url), self.options),
            Err(name) => write!(f, "{name:?}"),
        }
    }
}

impl Call {
    /// Runs the call.
    pub(crate) async fn run<O: Operation>(&self, operation: &O) -> Result<O::Output> {
        let mut tries = Tries::default();
        let request = self.prepare(operation)?;
        let answer = self.send(operation, &request, &mut tries).await?;
        operation.parse(answer)
    }

    /// Runs a call whose retry may find the work already done: if the response to an earlier
    /// attempt was lost, an error for which `is_done` holds counts as success.
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

    /// Its URL, as errors show it.
    pub(crate) fn place(&self) -> String {
        self.url.as_ref().map(|url| place(url)).unwrap_or_default()
    }

    /// The error for a successful response to a read that breaks the documentation.
    pub(crate) fn unexpected(&self, operation: &'static str, why: impl fmt::Display) -> Error {
        match &self.url {
            Ok(url) => Error::unexpected(operation, url, false, why),
            Err(name) => name.clone().into(),
        }
    }

    /// The same call, never sent to the secondary, whose data may be older.
    pub(crate) fn at_primary(mut self) -> Self {
        self.options.primary_only = true;
        self
    }

    /// Refuses a service version that does not know `what`.
    pub(crate) fn since(&self, what: Since) -> Result<()> {
        what.check(self.pipeline.version())
    }

    /// The request with the options of the call.
    pub(crate) fn prepare<O: Operation>(&self, operation: &O) -> Result<Prepared> {
        let to = Target { url: self.url.clone()?, version: self.pipeline.version() };
        let mut options = self.options.clone();
        options.server_timeout = options.server_timeout.or(self.pipeline.server_timeout());
        operation.request(&to)?.settings(&options).done()
    }

    pub(crate) async fn send<O: Operation>(
        &self,
        operation: &O,
        request: &Prepared,
        tries: &mut Tries,
    ) -> Result<Answer> {
        let kind = Kind {
            name: O::NAME,
            effect: operation.effect(),
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
            /// How long the service may work on one request, in whole seconds. The service lowers
            /// values above its own limit for the operation (30 seconds for most). When the time is
            /// over it answers 500 `OperationTimedOut`.
            pub fn server_timeout(mut self, limit: std::time::Duration) -> Self {
                self.call.options.server_timeout = Some(limit);
                self
            }

            /// The client request id: 1 to 1024 visible ASCII characters. The service logs it, and
            /// returns it from version 2019-02-02. By default a new GUID; all attempts of a call
            /// share it.
            pub fn client_request_id(mut self, id: impl Into<String>) -> Self {
                self.call.options.client_request_id = Some(id.into());
                self
            }
        }
    };
}
pub(crate) use call_options;

/// Declares a builder: an operation and its call. With `-> Output` it can be awaited.
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
            #[allow(dead_code, reason = "not every builder has a test of its request alone")]
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
