//! With what the service encrypts what a request writes, and decrypts what it reads.

use crate::{
    error::{Error, Result},
    models::{CustomerProvidedKey, ServiceVersion},
    operations::{operation::Call, settings::url_source::only_https},
    pipeline::request::Prepared,
    wire::{headers, redaction},
};

/// A customer's key, or the name of an encryption scope, or neither.
#[derive(Clone, Default)]
pub(crate) struct Encryption {
    pub(crate) customer_key: Option<CustomerProvidedKey>,
    pub(crate) scope: Option<String>,
}

redaction::debug_redacted!(Encryption { customer_key, scope: text });

impl Encryption {
    /// Adds the headers to a request; refuses what the service would refuse.
    pub(crate) fn write(&self, call: &Call, mut request: Prepared) -> Result<Prepared> {
        if let Some(scope) = &self.scope {
            call.since(ServiceVersion::ENCRYPTION_SCOPES, "an encryption scope")?;
            if self.customer_key.is_some() {
                let rule = "must not be set beside a customer-provided key";
                return Err(Error::invalid("encryption scope", scope, rule));
            }
            request = request.text(headers::ENCRYPTION_SCOPE, "encryption scope", scope)?;
        }
        if let Some(key) = &self.customer_key {
            call.since(ServiceVersion::CUSTOMER_KEYS, "a customer-provided key")?;
            only_https(&request, "customer-provided key")?;
            key.write(&mut request.headers)?;
        }
        Ok(request)
    }
}

/// `customer_key` for a builder that takes one.
macro_rules! with_customer_key {
    ($builder:ident) => {
        impl $builder {
            /// The customer's own key that encrypts the content (from version 2019-02-02); https
            /// only.
            pub fn customer_key(mut self, key: crate::models::CustomerProvidedKey) -> Self {
                self.encryption.customer_key = Some(key);
                self
            }
        }
    };
}
pub(crate) use with_customer_key;

/// `encryption_scope` for a builder that takes one.
macro_rules! with_encryption_scope {
    ($builder:ident) => {
        impl $builder {
            /// The name of the encryption scope that encrypts the content (from version 2019-07-07,
            /// of a copy from 2020-12-06); not together with a customer's key.
            pub fn encryption_scope(mut self, name: &str) -> Self {
                self.encryption.scope = Some(name.to_owned());
                self
            }
        }
    };
}
pub(crate) use with_encryption_scope;
