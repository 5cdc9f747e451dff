//! Checksums of content.

use std::{fmt, str::FromStr};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::error::{Error, Result};

/// Defines a checksum of `$length` bytes, which is sent and serialized as base64.
macro_rules! content_hash {
    ($(#[$doc:meta])* $name:ident, $what:literal, $length:literal, $rule:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $length]);

        impl $name {
            /// The bytes of the checksum.
            pub const fn as_bytes(&self) -> &[u8; $length] {
                &self.0
            }
        }

        impl From<[u8; $length]> for $name {
            fn from(bytes: [u8; $length]) -> Self {
                Self(bytes)
            }
        }

        impl From<$name> for [u8; $length] {
            fn from(hash: $name) -> Self {
                hash.0
            }
        }

        impl FromStr for $name {
            type Err = Error;

            fn from_str(text: &str) -> Result<Self> {
                let bytes = STANDARD.decode(text).ok();
                let bytes = bytes.and_then(|bytes| bytes.try_into().ok());
                bytes.map(Self).ok_or_else(|| Error::invalid($what, text, $rule))
            }
        }

        /// Base64, as the service writes it.
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&STANDARD.encode(self.0))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(self)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                text.parse().map_err(de::Error::custom)
            }
        }
    };
}

content_hash! {
    /// The MD5 of content: 16 bytes, written as base64.
    ///
    /// ```
    /// use blobcopy::ContentMd5;
    ///
    /// let md5: ContentMd5 = "XUFAKrxLKna5cZ2REBfFkg==".parse()?;
    /// assert_eq!(md5.as_bytes()[..2], [0x5d, 0x41]);
    /// assert_eq!(ContentMd5::from(*md5.as_bytes()).to_string(), "XUFAKrxLKna5cZ2REBfFkg==");
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    ContentMd5, "MD5", 16, "must be the base64 of 16 bytes"
}

content_hash! {
    /// The CRC-64 of content, as the service computes it (CRC-64/NVME): 8 bytes, little-endian,
    /// written as base64.
    ///
    /// ```
    /// use blobcopy::ContentCrc64;
    ///
    /// let crc64 = ContentCrc64::from(0x0123_4567_89ab_cdef_u64.to_le_bytes());
    /// assert_eq!(crc64.to_string(), "782riWdFIwE=");
    /// assert_eq!("782riWdFIwE=".parse::<ContentCrc64>()?, crc64);
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    ContentCrc64, "CRC-64", 8, "must be the base64 of 8 bytes"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_base64_of_the_right_length_and_nothing_else() {
        let md5 = ContentMd5::from([1; 16]);
        assert_eq!(md5.to_string(), "AQEBAQEBAQEBAQEBAQEBAQ==");
        assert_eq!(format!("{md5:?}"), "ContentMd5(AQEBAQEBAQEBAQEBAQEBAQ==)");
        assert_eq!("AQEBAQEBAQEBAQEBAQEBAQ==".parse::<ContentMd5>().expect("an MD5"), md5);
        for text in ["", "AQEBAQEBAQE=", "AQEBAQEBAQEBAQEBAQEBAQ", "bWQ1", "not base64"] {
            let error = text.parse::<ContentMd5>().expect_err(text).to_string();
            assert!(error.starts_with("MD5: ") && error.contains("16 bytes"), "{error}");
        }
        assert!("AQEBAQEBAQEBAQEBAQEBAQ==".parse::<ContentCrc64>().is_err());
    }

    #[test]
    fn they_are_stored_as_text() {
        let crc64 = ContentCrc64::from([1; 8]);
        let json = serde_json::to_string(&crc64).expect("text");
        assert_eq!(json, "\"AQEBAQEBAQE=\"");
        assert_eq!(serde_json::from_str::<ContentCrc64>(&json).expect("read"), crc64);
        assert!(serde_json::from_str::<ContentCrc64>("\"crc\"").is_err());
    }
}
