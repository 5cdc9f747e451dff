//! Settings of a read or write: conditions, encryption, lease.

use super::encryption::Encryption;
use crate::{
    models::{Conditions, LeaseId},
    pipeline::request::{Prepared, Settings},
    wire::headers,
};

/// Conditions, encryption and lease of a read or write.
#[derive(Debug, Clone, Default)]
pub(crate) struct Access {
    pub(crate) conditions: Conditions,
    pub(crate) encryption: Encryption,
    pub(crate) lease_id: Option<LeaseId>,
}

impl Settings for Access {
    fn write(&self, request: Prepared) -> Prepared {
        let allowed = match request.reads() {
            true => Ok(()),
            false => self.conditions.check_write("conditions"),
        };
        request
            .check(allowed)
            .settings(&self.conditions)
            .settings(&self.encryption)
            .settings(&self.lease_id)
    }
}

impl Settings for Conditions {
    fn write(&self, request: Prepared) -> Prepared {
        request.headers(|to| self.write("conditions", to))
    }
}

impl Settings for LeaseId {
    fn write(&self, request: Prepared) -> Prepared {
        request.text(headers::LEASE_ID, "lease id", self.as_str())
    }
}

/// `conditions` for a builder.
macro_rules! with_conditions {
    ($builder:ident $(, $($at:ident).+)?) => {
        impl $builder {
            /// Conditions on the blob (`if_tags` from version 2019-12-12). If they are not met, the
            /// service answers 412, or 304 to a read on condition that the blob has changed.
            pub fn conditions(mut self, conditions: crate::models::Conditions) -> Self {
                self.$($($at.)+)?conditions = conditions;
                self
            }
        }
    };
}
pub(crate) use with_conditions;

/// `lease_id` for a builder.
macro_rules! with_lease {
    ($builder:ident $(, $($at:ident).+)?) => {
        impl $builder {
            /// The id of the active lease. Required to write to a leased blob; checked on a read.
            pub fn lease_id(mut self, id: impl Into<crate::models::LeaseId>) -> Self {
                self.$($($at.)+)?lease_id = Some(id.into());
                self
            }
        }
    };
}
pub(crate) use with_lease;

/// All of [`Access`] for a builder that writes.
macro_rules! with_access {
    ($builder:ident, $($at:ident).+) => {
        crate::operations::settings::access::with_conditions!($builder, $($at).+);
        crate::operations::settings::access::with_lease!($builder, $($at).+);
        crate::operations::settings::encryption::with_customer_key!($builder, $($at).+.encryption);
        crate::operations::settings::encryption::with_encryption_scope!(
            $builder,
            $($at).+.encryption
        );
    };
}
pub(crate) use with_access;
