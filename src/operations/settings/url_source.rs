//! The source of a synchronous operation: its authorization, conditions, checksum and key.

use http::HeaderValue;
use zeroize::Zeroizing;

use super::{
    checksum::{self, Checksum},
    copy_source::CopySource,
};
use crate::{
    error::{Error, Result},
    models::{Conditions, CustomerProvidedKey, endpoint::Endpoint, since},
    operations::operation::Call,
    pipeline::request::{Prepared, Settings},
    wire::headers,
};

/// The source of a builder, and its settings.
#[derive(Debug, Clone)]
pub(crate) struct UrlSource {
    source: CopySource,
    /// The source's URL and bearer token, once they are known.
    resolved: Option<(HeaderValue, Option<HeaderValue>)>,
    pub(crate) authorization: Option<Bearer>,
    pub(crate) file_backup_intent: bool,
    pub(crate) conditions: Conditions,
    pub(crate) checksum: Checksum,
    pub(crate) customer_key: Option<CustomerProvidedKey>,
    pub(crate) length: Option<u64>,
}

impl UrlSource {
    pub(crate) fn new(source: CopySource) -> Self {
        Self {
            source,
            resolved: None,
            authorization: None,
            file_backup_intent: false,
            conditions: Conditions::new(),
            checksum: Checksum::default(),
            customer_key: None,
            length: None,
        }
    }

    /// Whether [`resolve`](Self::resolve) may send a request.
    pub(crate) fn may_request(&self) -> bool {
        self.source.may_request()
    }

    /// Finds the URL and the authorization with which the service may read the source.
    pub(crate) async fn resolve(&mut self, call: &Call) -> Result<()> {
        let bearer = self.authorization.as_ref().map(Bearer::header).transpose()?;
        let carries_tokens = since::SOURCE_AUTHORIZATION.is_known_to(call.pipeline.version())
            && call.url.as_ref().is_ok_and(|url| url.scheme() == "https");
        self.resolved = Some(self.source.resolve_at_once(bearer, carries_tokens).await?);
        Ok(())
    }

    /// Resolves the source to a path in the account of the destination's `endpoint`, as before
    /// version 2012-02-12.
    pub(crate) fn resolve_path(&mut self, endpoint: &Endpoint) -> Result<()> {
        self.resolved = Some((self.source.resolve_path(endpoint)?, None));
        Ok(())
    }

    /// Passes on the result of a call, and drops a key that the service refused for the source.
    pub(crate) fn judged<T>(&self, result: Result<T>) -> Result<T> {
        match &self.resolved {
            Some((source, _)) => self.source.judged(source, result),
            None => result,
        }
    }

    /// Adds the source and what authorizes the service to read it.
    fn write_authorization(&self, request: Prepared) -> Prepared {
        let given = self.authorization.as_ref().map(Bearer::header);
        let (source, found) = match &self.resolved {
            None => (None, None),
            Some((source, bearer)) => (Some(source.clone()), bearer.clone()),
        };
        let bearer = given.transpose().map(|given| given.or(found));
        let is_open = matches!(&bearer, Ok(None)) && self.resolved.is_some();
        let intent = self.file_backup_intent.then_some(HeaderValue::from_static("backup"));
        let request = match bearer {
            Err(refusal) => request.check(Err(refusal)),
            Ok(None) => request,
            Ok(Some(bearer)) => request
                .only_https("source authorization")
                .header(headers::COPY_SOURCE_AUTHORIZATION, bearer),
        };
        let unread = match intent.is_some() && is_open {
            true => {
                let rule = "needs a bearer token that lets the service read the source: see \
                            source_authorization";
                Err(Error::invalid("source file backup intent", "backup", rule))
            }
            false => Ok(()),
        };
        request
            .header(headers::COPY_SOURCE, source)
            .since(intent.as_ref().map(|_| since::FILE_REQUEST_INTENT))
            .check(unread)
            .header(headers::FILE_REQUEST_INTENT, intent)
    }

    /// Refuses a condition on the source's tags, which only few operations support.
    pub(crate) fn check_no_tags(&self) -> Result<()> {
        match self.conditions.tags() {
            None => Ok(()),
            Some(tags) => {
                let rule = "must not hold if_tags: this operation does not support it";
                Err(Error::invalid("source conditions", tags, rule))
            }
        }
    }
}

impl Settings for UrlSource {
    fn write(&self, request: Prepared) -> Prepared {
        let request = self
            .write_authorization(request.source_length(self.length))
            .headers(|to| self.conditions.write_source("source conditions", to));
        let request = self.checksum.write_of(&checksum::SOURCE, request);
        match &self.customer_key {
            None => request,
            Some(key) => request
                .only_https("source customer-provided key")
                .headers(|to| key.write_source(to)),
        }
    }
}

/// A bearer token that lets the service read a source.
#[derive(Clone)]
pub(crate) struct Bearer(Zeroizing<String>);

impl Bearer {
    pub(crate) fn new(token: String) -> Self {
        Self(Zeroizing::new(token))
    }

    fn header(&self) -> Result<HeaderValue> {
        let legal = !self.0.is_empty() && self.0.bytes().all(|byte| byte.is_ascii_graphic());
        let text = Zeroizing::new(format!("Bearer {}", *self.0));
        let mut value = HeaderValue::from_str(&text).ok().filter(|_| legal).ok_or_else(|| {
            let rule = "must be a bearer token, visible ASCII text without the word Bearer";
            Error::invalid_secret("source authorization", rule)
        })?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl std::fmt::Debug for Bearer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Bearer(..)")
    }
}

/// The settings of the source that every such builder has.
macro_rules! from_uri_settings {
    ($builder:ident) => {
        impl $builder {
            /// A bearer token that lets the service read the source, without the word `Bearer`
            /// (from version 2020-10-02). No SAS is generated for the source then. Https only.
            pub fn source_authorization(mut self, token: impl Into<String>) -> Self {
                self.operation.source.authorization =
                    Some(crate::operations::settings::url_source::Bearer::new(token.into()));
                self
            }

            /// For a source in Azure Files that is read with a bearer token: reads the file for
            /// backup, regardless of its own permissions (from version 2025-07-05). An error
            /// without a token.
            pub fn source_file_backup_intent(mut self) -> Self {
                self.operation.source.file_backup_intent = true;
                self
            }

            /// Conditions on the source; `if_tags` only for Put Blob From URL. If they are not met,
            /// the service answers 412 `SourceConditionNotMet`.
            pub fn source_conditions(mut self, conditions: crate::models::Conditions) -> Self {
                self.operation.source.conditions = conditions;
                self
            }

            /// The MD5 of the content to read from the source. If it differs, the service answers
            /// 400 `Md5Mismatch`.
            pub fn source_content_md5(mut self, md5: impl Into<crate::models::ContentMd5>) -> Self {
                self.operation.source.checksum.md5 = Some(md5.into());
                self
            }
        }
    };
}
pub(crate) use from_uri_settings;

/// `source_length` for a builder.
macro_rules! with_source_length {
    ($builder:ident) => {
        impl $builder {
            /// The length of what the service reads from the source, if you know it. Each attempt
            /// then gets a second more for every MiB, as it does for a range of the source.
            pub fn source_length(mut self, bytes: u64) -> Self {
                self.operation.source.length = Some(bytes);
                self
            }
        }
    };
}
pub(crate) use with_source_length;

/// The same, and `IntoFuture`, for a builder that sends one request.
macro_rules! from_uri {
    ($builder:ident -> $output:ty) => {
        crate::operations::settings::url_source::from_uri_settings!($builder);
        crate::operations::settings::url_source::with_source_length!($builder);

        impl std::future::IntoFuture for $builder {
            type Output = crate::error::Result<$output>;
            type IntoFuture =
                crate::wire::transport::BoxFuture<'static, crate::error::Result<$output>>;

            fn into_future(mut self) -> Self::IntoFuture {
                Box::pin(async move {
                    // Refuses a bad request before it requests a key or token for the source.
                    let Self { call, operation } = &mut self;
                    call.prepare(operation)?;
                    operation.source.resolve(call).await?;
                    operation.source.judged(call.run(operation).await)
                })
            }
        }
    };
}
pub(crate) use from_uri;

/// `source_content_crc64` for a builder.
macro_rules! with_source_crc64 {
    ($builder:ident) => {
        impl $builder {
            /// The CRC-64 of the content to read from the source, instead of an MD5 (from version
            /// 2019-02-02). If it differs, the service answers 400 `Crc64Mismatch`.
            pub fn source_content_crc64(
                mut self,
                crc64: impl Into<crate::models::ContentCrc64>,
            ) -> Self {
                self.operation.source.checksum.crc64 = Some(crc64.into());
                self
            }
        }
    };
}
pub(crate) use with_source_crc64;

/// `source_customer_key` for a builder.
macro_rules! with_source_customer_key {
    ($builder:ident) => {
        impl $builder {
            /// The customer-provided key that the source is encrypted with (from version
            /// 2026-04-06).
            pub fn source_customer_key(mut self, key: crate::models::CustomerProvidedKey) -> Self {
                self.operation.source.customer_key = Some(key);
                self
            }
        }
    };
}
pub(crate) use with_source_customer_key;
