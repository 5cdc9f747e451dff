//! The permissions of a SAS.

use std::{fmt, str::FromStr};

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

/// The place of each letter of `text` among `known`. Refuses letters that `kind` does not have.
fn places(
    what: &'static str,
    kind: &str,
    text: &str,
    known: &[(char, &str)],
) -> Result<Vec<usize>> {
    let place = |letter: char| known.iter().position(|(candidate, _)| *candidate == letter);
    let found = text.chars().map(|letter| {
        place(letter).ok_or_else(|| {
            let all: String = known.iter().map(|(letter, _)| letter).collect();
            let rule = format!("has {letter:?}, which {kind} does not have: its letters are {all}");
            Error::invalid(what, text, &rule)
        })
    });
    found.collect()
}

/// Defines a set of letters in the service's order, each with a setter. Errors call the set `$what`
/// and what holds it `$kind`.
macro_rules! letters {
    ($(#[$doc:meta])* $name:ident: $what:literal of $kind:literal {
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

        /// Reads the letters in any order, as the service writes them. Refuses every other letter.
        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let known = <Self as sealed::Sealed>::LETTERS;
                let held = places($what, $kind, text, known)?.into_iter();
                Ok(Self(held.fold(0, |set, at| set | 1 << (known[at].0 as u32 - 'a' as u32))))
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
    ///
    /// // From letters, such as a user gives them, in any order.
    /// assert_eq!("wr".parse::<BlobSasPermissions>()?, permissions);
    /// let error = "rl".parse::<BlobSasPermissions>().unwrap_err();
    /// assert!(error.to_string().contains("'l'"), "a blob cannot be listed");
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    BlobSasPermissions: "SAS permissions" of "a SAS for a blob" {
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
    /// let permissions = ContainerSasPermissions::new().list().read();
    /// assert_eq!(permissions.to_string(), "rl");
    /// assert_eq!("rl".parse::<ContainerSasPermissions>()?, permissions);
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    ContainerSasPermissions: "SAS permissions" of "a SAS for a container" {
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
    /// let permissions = AccountSasPermissions::new().create().list().write();
    /// assert_eq!(permissions.to_string(), "wlc");
    /// assert_eq!("wlc".parse::<AccountSasPermissions>()?, permissions);
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    AccountSasPermissions: "SAS permissions" of "an account SAS" {
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
    AccountSasServices: "services of a SAS" of "an account SAS" {
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
    AccountSasResourceTypes: "resource types of a SAS" of "an account SAS" {
        /// Service-level operations, such as listing containers.
        service = 's',
        /// Container-level operations, such as creating a container or listing blobs.
        container = 'c',
        /// Blob-level operations, such as reading, writing or copying a blob.
        object = 'o',
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every letter of a set, read one by one and all together, in any order.
    fn reads_its_letters<T>(letters: &str)
    where
        T: FromStr<Err = Error> + fmt::Display + fmt::Debug + PartialEq + Default,
    {
        let all: T = letters.parse().expect(letters);
        assert_eq!(all.to_string(), letters);
        let backwards: String = letters.chars().rev().chain(letters.chars()).collect();
        assert_eq!(backwards.parse::<T>().expect(letters), all);
        for letter in letters.chars().map(String::from) {
            assert_eq!(letter.parse::<T>().expect(&letter).to_string(), letter);
        }
        assert_eq!("".parse::<T>().expect("an empty set"), T::default());
    }

    #[test]
    fn every_letter_is_read_and_written_in_the_services_order() {
        reads_its_letters::<BlobSasPermissions>("racwdxytmeopi");
        reads_its_letters::<ContainerSasPermissions>("racwdxyltfmeopi");
        reads_its_letters::<AccountSasPermissions>("rwdxylacuptfi");
        reads_its_letters::<AccountSasServices>("bqtf");
        reads_its_letters::<AccountSasResourceTypes>("sco");
    }

    #[test]
    fn letters_have_the_meaning_of_their_setters() {
        let read = |letters: &str| letters.parse::<BlobSasPermissions>().expect(letters);
        assert_eq!(read("rw"), BlobSasPermissions::new().read().write());
        assert_eq!(read("p"), BlobSasPermissions::new().manage_access_control());
        let process = "p".parse::<AccountSasPermissions>().expect("a letter");
        assert_eq!(process, AccountSasPermissions::new().process());
    }

    #[test]
    fn a_letter_that_this_kind_of_sas_does_not_have_is_named() {
        let told = |error: Option<Error>| error.expect("refused").to_string();
        assert_eq!(
            told("rl".parse::<BlobSasPermissions>().err()),
            "SAS permissions: \"rl\" has 'l', which a SAS for a blob does not have: its letters \
             are racwdxytmeopi"
        );
        assert_eq!(
            told("u".parse::<ContainerSasPermissions>().err()),
            "SAS permissions: \"u\" has 'u', which a SAS for a container does not have: its \
             letters are racwdxyltfmeopi"
        );
        assert_eq!(
            told("bx".parse::<AccountSasServices>().err()),
            "services of a SAS: \"bx\" has 'x', which an account SAS does not have: its letters \
             are bqtf"
        );
        for text in ["R", "r ", "r,w", "é", "z", "\u{1F600}", "\0", "{", "`"] {
            assert!(text.parse::<BlobSasPermissions>().is_err(), "{text:?}");
            assert!(text.parse::<AccountSasPermissions>().is_err(), "{text:?}");
        }
        // Whoever gives a whole SAS in place of its letters does not see it again.
        let error = "sv=2026-10-06&sig=SECRET%2B".parse::<AccountSasPermissions>().err();
        assert!(!told(error).contains("SECRET"));
    }
}
