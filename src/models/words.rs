//! The service's words, as enums that keep unknown words.

use std::{convert::Infallible, fmt, str::FromStr};

use serde::{Deserialize, Serialize, Serializer};

/// Defines an enum of known words that keeps unknown words in `Other`.
macro_rules! open_enum {
    ($(#[$doc:meta])* $name:ident {
        $($(#[$word_doc:meta])* $variant:ident = $word:literal $(| $alias:literal)*,)+
    }) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, Hash, Deserialize)]
        #[serde(from = "String")]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$word_doc])* $variant,)+
            /// A word that this version of the crate does not know, unchanged.
            Other(String),
        }

        impl $name {
            /// The word as the service writes it.
            pub fn as_str(&self) -> &str {
                match self {
                    $(Self::$variant => $word,)+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $($word $(| $alias)* => Self::$variant,)+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl From<String> for $name {
            fn from(word: String) -> Self {
                Self::from(word.as_str())
            }
        }

        impl From<$name> for String {
            fn from(word: $name) -> Self {
                word.as_str().to_owned()
            }
        }

        impl FromStr for $name {
            type Err = Infallible;

            fn from_str(word: &str) -> Result<Self, Infallible> {
                Ok(Self::from(word))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&$crate::wire::redaction::redact(self.as_str()))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant => f.write_str(stringify!($variant)),)+
                    Self::Other(word) => {
                        f.debug_tuple("Other").field(&$crate::wire::redaction::redact(word)).finish()
                    }
                }
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&$crate::wire::redaction::redact(self.as_str()))
            }
        }
    };
}
pub(crate) use open_enum;

open_enum! {
    /// The status of a copy: the value of `x-ms-copy-status`.
    ///
    /// ```
    /// use blobcopy::CopyStatus;
    ///
    /// assert_eq!(CopyStatus::from("pending"), CopyStatus::Pending);
    /// assert!(!CopyStatus::from("thinking").is_final());
    /// ```
    CopyStatus {
        /// The service is copying, or waiting to begin.
        Pending = "pending",
        /// The copy is complete.
        Success = "success",
        /// The copy was aborted. The destination is empty.
        Aborted = "aborted",
        /// The copy failed. The destination is empty.
        Failed = "failed",
    }
}

impl CopyStatus {
    /// Whether the copy has ended. An unknown status does not count as an end.
    pub fn is_final(&self) -> bool {
        matches!(self, Self::Success | Self::Aborted | Self::Failed)
    }
}

open_enum! {
    /// The type of a blob: the value of `x-ms-blob-type`.
    BlobType {
        /// A block blob: blocks are uploaded and then committed.
        BlockBlob = "BlockBlob",
        /// A page blob: 512-byte pages with random access, for disks.
        PageBlob = "PageBlob",
        /// An append blob: blocks are only added at the end, for logs.
        AppendBlob = "AppendBlob",
    }
}

open_enum! {
    /// Whether a lease is active: the value of `x-ms-lease-status`.
    LeaseStatus {
        /// A lease is active.
        Locked = "locked",
        /// No lease is active.
        Unlocked = "unlocked",
    }
}

open_enum! {
    /// The state of a lease: the value of `x-ms-lease-state` (from version 2012-02-12).
    LeaseState {
        /// There is no lease; one can be acquired.
        Available = "available",
        /// A lease is active.
        Leased = "leased",
        /// The lease has expired.
        Expired = "expired",
        /// The lease is being broken, and still active until the break period ends.
        Breaking = "breaking",
        /// The lease is broken.
        Broken = "broken",
    }
}

open_enum! {
    /// The kind of duration of a lease: the value of `x-ms-lease-duration`.
    LeaseDuration {
        /// Until it is released or broken.
        Infinite = "infinite",
        /// For 15 to 60 seconds, unless renewed.
        Fixed = "fixed",
    }
}

open_enum! {
    /// The access tier of a blob: the value of `x-ms-access-tier`.
    AccessTier {
        /// For blobs that are read often (block blobs; on a copy from version 2018-11-09).
        Hot = "Hot",
        /// For blobs that are kept at least 30 days (block blobs; on a copy from version
        /// 2018-11-09).
        Cool = "Cool",
        /// For blobs that are kept at least 90 days (block blobs; from version 2021-12-02).
        Cold = "Cold",
        /// Offline: must be rehydrated before it can be read (block blobs; on a copy from version
        /// 2018-11-09).
        Archive = "Archive",
        /// The service chooses the tier by how the blob is used (block blobs; from version
        /// 2026-06-06).
        Smart = "Smart",
        /// Block blobs in a premium account.
        Premium = "Premium",
        /// Premium page blob of up to 32 GiB (all `P` tiers from version 2017-04-17).
        P4 = "P4",
        /// Premium page blob of up to 64 GiB.
        P6 = "P6",
        /// Premium page blob of up to 128 GiB.
        P10 = "P10",
        /// Premium page blob of up to 256 GiB.
        P15 = "P15",
        /// Premium page blob of up to 512 GiB.
        P20 = "P20",
        /// Premium page blob of up to 1 TiB.
        P30 = "P30",
        /// Premium page blob of up to 2 TiB.
        P40 = "P40",
        /// Premium page blob of up to 4 TiB.
        P50 = "P50",
        /// Premium page blob of up to 8 TiB.
        P60 = "P60",
        /// Premium page blob of up to 16 TiB.
        P70 = "P70",
        /// Premium page blob of up to 32 TiB.
        P80 = "P80",
    }
}

open_enum! {
    /// A rehydration in progress: the value of `x-ms-archive-status` (from version 2017-04-17).
    ArchiveStatus {
        /// Being rehydrated to the hot tier.
        RehydratePendingToHot = "rehydrate-pending-to-hot",
        /// Being rehydrated to the cool tier.
        RehydratePendingToCool = "rehydrate-pending-to-cool",
        /// Being rehydrated to the cold tier (from version 2021-12-02).
        RehydratePendingToCold = "rehydrate-pending-to-cold",
        /// Being rehydrated to the smart tier (from version 2026-06-06).
        RehydratePendingToSmart = "rehydrate-pending-to-smart",
    }
}

open_enum! {
    /// The priority for rehydrating an archived blob (from version 2019-02-02).
    RehydratePriority {
        /// Within about 15 hours: the service's default.
        Standard = "Standard",
        /// Often within an hour, at a higher price.
        High = "High",
    }
}

open_enum! {
    /// Whether an immutability policy can still be changed (from version 2020-06-12).
    ImmutabilityPolicyMode {
        /// It can be shortened or removed.
        Unlocked = "unlocked" | "Unlocked",
        /// It can only be extended.
        Locked = "locked" | "Locked",
    }
}

open_enum! {
    /// What anonymous requests may read in a container.
    PublicAccessType {
        /// The container's blobs, by name.
        Blob = "blob",
        /// The container's blobs and their list.
        Container = "container",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_that_is_not_known_survives() {
        let status = CopyStatus::from("thinking");
        assert_eq!(status, CopyStatus::Other("thinking".into()));
        assert_eq!(status.to_string(), "thinking");
        let json = serde_json::to_string(&status).expect("serializes");
        assert_eq!(serde_json::from_str::<CopyStatus>(&json).expect("reads back"), status);
    }

    #[test]
    fn only_the_three_documented_words_end_a_copy() {
        let ends = ["success", "aborted", "failed"];
        for word in ["pending", "success", "aborted", "failed", "Success", "", "paused"] {
            assert_eq!(CopyStatus::from(word).is_final(), ends.contains(&word), "{word}");
        }
    }
}
