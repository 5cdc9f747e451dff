//! The permissions of a SAS.

use std::fmt;

use crate::error::{Error, Result};

/// The permissions of one kind of SAS: a set of letters, written in the order that the service
/// requires.
///
/// Sealed: only the permission types of this crate implement it.
pub trait Permissions: fmt::Display + sealed::Sealed {}

pub(super) mod sealed {
    /// Keeps [`Permissions`](super::Permissions) to the types of this module.
    pub trait Sealed {
        /// Every letter, in order, and the first version that knows it.
        const LETTERS: &'static [(char, &'static str)];
    }
}

/// Refuses letters that `version` does not know.
pub(super) fn check(letters: &str, known: &[(char, &str)], version: &str) -> Result<()> {
    for (letter, since) in known {
        if version < *since && letters.contains(*letter) {
            let rule = format!(
                "has {letter:?}, which needs service version {since} or later, not {version}"
            );
            return Err(Error::invalid("SAS permissions", letters, &rule));
        }
    }
    Ok(())
}

/// Defines a set of letters in the service's order, each with a setter.
macro_rules! letters {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$setter_doc:meta])* $setter:ident = $letter:literal $(since $since:literal)?,)+
    }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub struct $name(u32);

        impl $name {
            /// An empty set.
            pub const fn new() -> Self {
                Self(0)
            }

            $(
                $(#[$setter_doc])*
                #[must_use]
                pub const fn $setter(self) -> Self {
                    Self(self.0 | 1 << ($letter as u32 - 'a' as u32))
                }
            )+
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                use fmt::Write;
                let held = |letter: char| self.0 & 1 << (letter as u32 - 'a' as u32) != 0;
                <Self as sealed::Sealed>::LETTERS
                    .iter()
                    .filter(|(letter, _)| held(*letter))
                    .try_for_each(|(letter, _)| f.write_char(*letter))
            }
        }

        impl sealed::Sealed for $name {
            const LETTERS: &'static [(char, &'static str)] =
                &[$(($letter, concat!("" $(, $since)?)),)+];
        }
    };
}

impl Permissions for BlobSasPermissions {}
impl Permissions for ContainerSasPermissions {}
impl Permissions for AccountSasPermissions {}

letters! {
    /// The permissions of a SAS for one blob, snapshot or version.
    ///
    /// ```
    /// use blobcopy::sas::BlobSasPermissions;
    ///
    /// let permissions = BlobSasPermissions::new().write().read();
    /// assert_eq!(permissions.to_string(), "rw"); // in the service's order
    /// ```
    BlobSasPermissions {
        /// Read content, properties and page ranges; read as the source of a copy.
        read = 'r',
        /// Add blocks to an append blob.
        add = 'a',
        /// Write a new blob, snapshot a blob, copy to a new blob.
        create = 'c',
        /// Write content and properties; write as the destination of a copy, and abort the copy.
        write = 'w',
        /// Delete the blob; from version 2017-07-29 also break its lease.
        delete = 'd',
        /// Delete a version (2019-12-12).
        delete_version = 'x' since "2019-12-12",
        /// Delete a snapshot or version for good (2020-02-10).
        permanent_delete = 'y' since "2020-02-10",
        /// Read and write tags (2019-12-12).
        tags = 't' since "2019-12-12",
        /// Move to another path, with a hierarchical namespace (2020-02-10).
        move_blob = 'm' since "2020-02-10",
        /// Read system properties and the access control list (2020-02-10).
        execute = 'e' since "2020-02-10",
        /// Set the owner and the owning group (2020-02-10).
        manage_ownership = 'o' since "2020-02-10",
        /// Set POSIX permissions and access control lists (2020-02-10).
        manage_access_control = 'p' since "2020-02-10",
        /// Set an immutability policy or a legal hold (2020-06-12).
        set_immutability_policy = 'i' since "2020-06-12",
    }
}

letters! {
    /// The permissions of a SAS for a container or directory and everything in it.
    ///
    /// ```
    /// use blobcopy::sas::ContainerSasPermissions;
    ///
    /// assert_eq!(ContainerSasPermissions::new().list().read().to_string(), "rl");
    /// ```
    ContainerSasPermissions {
        /// Read content, properties and page ranges; read as the source of a copy.
        read = 'r',
        /// Add blocks to append blobs.
        add = 'a',
        /// Write new blobs, snapshot blobs, copy to new blobs.
        create = 'c',
        /// Write content and properties; write as the destination of a copy, and abort the copy.
        write = 'w',
        /// Delete blobs; from version 2017-07-29 also break their leases.
        delete = 'd',
        /// Delete versions (2019-12-12).
        delete_version = 'x' since "2019-12-12",
        /// Delete snapshots and versions for good (2020-02-10).
        permanent_delete = 'y' since "2020-02-10",
        /// List blobs.
        list = 'l',
        /// Read and write tags (2019-12-12).
        tags = 't' since "2019-12-12",
        /// Find blobs by their tags (2019-12-12).
        filter_by_tags = 'f' since "2019-12-12",
        /// Move to another path, with a hierarchical namespace (2020-02-10).
        move_blob = 'm' since "2020-02-10",
        /// Read system properties and access control lists (2020-02-10).
        execute = 'e' since "2020-02-10",
        /// Set the owner and the owning group (2020-02-10).
        manage_ownership = 'o' since "2020-02-10",
        /// Set POSIX permissions and access control lists (2020-02-10).
        manage_access_control = 'p' since "2020-02-10",
        /// Set immutability policies and legal holds (2020-06-12).
        set_immutability_policy = 'i' since "2020-06-12",
    }
}

letters! {
    /// The permissions of an account SAS, for its services and resource types.
    ///
    /// The service ignores a permission for resource types that do not have it.
    ///
    /// ```
    /// use blobcopy::sas::AccountSasPermissions;
    ///
    /// assert_eq!(AccountSasPermissions::new().create().list().write().to_string(), "wlc");
    /// ```
    AccountSasPermissions {
        /// Read content, properties and metadata.
        read = 'r',
        /// Write content and properties; create containers; copy to existing blobs.
        write = 'w',
        /// Delete containers and blobs.
        delete = 'd',
        /// Delete versions (2019-12-12).
        delete_version = 'x' since "2019-12-12",
        /// Delete snapshots and versions for good (2020-02-10).
        permanent_delete = 'y' since "2020-02-10",
        /// List containers and blobs.
        list = 'l',
        /// Add blocks to append blobs, messages to queues, entities to tables.
        add = 'a',
        /// Create containers and new blobs; copy to new blobs.
        create = 'c',
        /// Update messages and table entities.
        update = 'u',
        /// Process messages of queues.
        process = 'p',
        /// Read and write tags (2019-12-12).
        tags = 't' since "2019-12-12",
        /// Find blobs by their tags (2019-12-12).
        filter_by_tags = 'f' since "2019-12-12",
        /// Set immutability policies and legal holds (2020-06-12).
        set_immutability_policy = 'i' since "2020-06-12",
    }
}

letters! {
    /// The services of an account SAS.
    ///
    /// ```
    /// use blobcopy::sas::AccountSasServices;
    ///
    /// assert_eq!(AccountSasServices::new().file().blob().to_string(), "bf");
    /// ```
    AccountSasServices {
        /// Blob Storage.
        blob = 'b',
        /// Queue Storage.
        queue = 'q',
        /// Table Storage.
        table = 't',
        /// Azure Files.
        file = 'f',
    }
}

letters! {
    /// The resource types of an account SAS.
    ///
    /// ```
    /// use blobcopy::sas::AccountSasResourceTypes;
    ///
    /// assert_eq!(AccountSasResourceTypes::new().object().container().to_string(), "co");
    /// ```
    AccountSasResourceTypes {
        /// Service-level operations, such as listing containers.
        service = 's',
        /// Container-level operations, such as creating a container or listing blobs.
        container = 'c',
        /// Blob-level operations, such as reading, writing or copying a blob.
        object = 'o',
    }
}
