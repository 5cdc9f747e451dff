//! How the service encrypts what a request writes and decrypts what it reads.

use crate::{
    error::{Error, Result},
    models::CustomerProvidedKey,
    pipeline::request::{Prepared, Settings},
    wire::{headers, redaction},
};

/// A customer-provided key, an encryption scope, or neither.
#[derive(Clone, Default)]
pub(crate) struct Encryption {
    pub(crate) customer_key: Option<CustomerProvidedKey>,
    pub(crate) scope: Option<String>,
}

redaction::debug_redacted!(Encryption { customer_key, scope: text });

impl Settings for Encryption {
    fn write(&self, request: Prepared) -> Prepared {
        request
            .check(self.check())
            .text(headers::ENCRYPTION_SCOPE, "encryption scope", self.scope.as_deref())
            .settings(&self.customer_key)
    }
}

impl Encryption {
    fn check(&self) -> Result<()> {
        match (&self.scope, &self.customer_key) {
            (Some(scope), Some(_)) => {
                let rule = "must not be combined with a customer-provided key";
                Err(Error::invalid("encryption scope", scope, rule))
            }
            _ => Ok(()),
        }
    }
}

impl Settings for CustomerProvidedKey {
    fn write(&self, request: Prepared) -> Prepared {
        request.only_https("customer-provided key").headers(|to| self.write(to))
    }
}

/// `customer_key` for a builder.
macro_rules! with_customer_key {
    ($builder:ident, $($at:ident).+) => {
        impl $builder {
            /// The customer-provided key that encrypts the content (from version 2019-02-02). Https
            /// only.
            pub fn customer_key(mut self, key: crate::models::CustomerProvidedKey) -> Self {
                self.$($at.)+customer_key = Some(key);
                self
            }
        }
    };
}
pub(crate) use with_customer_key;

/// `encryption_scope` for a builder.
macro_rules! with_encryption_scope {
    ($builder:ident, $($at:ident).+) => {
        impl $builder {
            /// The encryption scope that encrypts the content (from version 2019-07-07; for a copy
            /// from 2020-12-06). Cannot be combined with a customer-provided key.
            pub fn encryption_scope(mut self, name: impl Into<String>) -> Self {
                self.$($at.)+scope = Some(name.into());
                self
            }
        }
    };
}
pub(crate) use with_encryption_scope;
