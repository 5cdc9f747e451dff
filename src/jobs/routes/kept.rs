//! What a route keeps of the source, beside the content.

use super::mark::Mark;
use crate::{AccessTier, BlobItem, BlobType, Error, Metadata};

/// The source's metadata as a request can carry it, and the names of what it cannot.
///
/// HTTP carries names in lower case and values of ASCII. Copy Blob and Put Blob From URL let the
/// service copy the metadata itself; every other route changes the case of such names and leaves
/// out such values, and says so for the blob.
pub(crate) fn metadata(item: &BlobItem) -> (Metadata, Vec<String>) {
    let (mut kept, mut changed) = (Metadata::new(), item.invalid_metadata_names.clone());
    for (name, value) in item.properties.metadata.iter().filter(|(name, _)| !Mark::has(name)) {
        let lower = name.to_ascii_lowercase();
        if lower != name || !is_carried(name, value) {
            changed.push(name.to_owned());
        }
        if is_carried(name, value) {
            kept.insert(lower, value);
        }
    }
    (kept, changed)
}

/// Whether a header can carry the pair, whatever happens to the case of its name.
fn is_carried(name: &str, value: &str) -> bool {
    let mut letters = name.bytes();
    let named = letters.next().is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_')
        && letters.all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let plain = value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    named && plain && value.trim() == value
}

/// The tier to set at the destination: one that was set on the source, not inherited from its
/// account, and that blobs of its type can have.
pub(crate) fn tier(item: &BlobItem) -> Option<AccessTier> {
    let of = &item.properties;
    let tier = of.access_tier.clone().filter(|_| of.is_access_tier_inferred != Some(true))?;
    let is_premium = tier
        .as_str()
        .strip_prefix('P')
        .is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_digit()));
    let fits = match of.blob_type {
        Some(BlobType::BlockBlob) => !is_premium,
        Some(BlobType::PageBlob) => is_premium,
        _ => false,
    };
    fits.then_some(tier)
}

/// Whether the destination refused a write for its tier. Which tiers there are depends on the kind
/// of the account, which no listing tells.
pub(crate) fn is_about_tier(error: &Error) -> bool {
    let Error::Service(refusal) = error else { return false };
    let named = |name: &String| name.eq_ignore_ascii_case("x-ms-access-tier");
    // Such as `InvalidBlobTier`; or a code for any header, which is named beside it.
    refusal.status.is_client_error()
        && (refusal.code.as_str().contains("Tier")
            || refusal.details.get("HeaderName").is_some_and(named))
}

/// Sets the content headers of the source on the builder of a write.
macro_rules! with_content_headers {
    ($write:expr, $of:expr) => {{
        let (mut write, of) = ($write, $of);
        if let Some(value) = &of.content_type {
            write = write.content_type(value);
        }
        if let Some(value) = &of.content_encoding {
            write = write.content_encoding(value);
        }
        if let Some(value) = &of.content_language {
            write = write.content_language(value);
        }
        if let Some(value) = &of.content_disposition {
            write = write.content_disposition(value);
        }
        if let Some(value) = &of.cache_control {
            write = write.cache_control(value);
        }
        if let Some(md5) = of.content_md5 {
            write = write.stored_md5(md5);
        }
        write
    }};
}
pub(crate) use with_content_headers;

#[cfg(test)]
mod tests {
    use super::*;

    fn item(pairs: &[(&str, &str)]) -> BlobItem {
        let mut item = BlobItem::default();
        item.properties.metadata = pairs.iter().copied().collect();
        item
    }

    #[test]
    fn what_http_changes_is_told_and_what_it_cannot_carry_is_left_out() {
        let mut item = item(&[
            ("plain", "1"),
            ("Owner", "team a"),
            ("city", "Köln"),
            ("padded", " x"),
            ("empty", ""),
            (Mark::NAME, "\"0x1\""),
        ]);
        item.invalid_metadata_names.push("1st".to_owned());
        let (kept, mut changed) = metadata(&item);
        assert_eq!(kept, Metadata::from([("plain", "1"), ("owner", "team a"), ("empty", "")]));
        changed.sort();
        assert_eq!(changed, ["1st", "Owner", "city", "padded"]);
    }

    #[test]
    fn a_tier_is_kept_where_it_was_set_and_the_type_has_it() {
        let tiers = |kind: BlobType, name: &str, inferred: Option<bool>| {
            let mut item = item(&[]);
            item.properties.blob_type = Some(kind);
            item.properties.access_tier = Some(AccessTier::from(name));
            item.properties.is_access_tier_inferred = inferred;
            tier(&item).map(|tier| tier.as_str().to_owned())
        };
        assert_eq!(tiers(BlobType::BlockBlob, "Cool", None).as_deref(), Some("Cool"));
        assert_eq!(tiers(BlobType::BlockBlob, "Hot", Some(true)), None);
        assert_eq!(tiers(BlobType::BlockBlob, "P10", None), None);
        assert_eq!(tiers(BlobType::PageBlob, "P10", Some(false)).as_deref(), Some("P10"));
        assert_eq!(tiers(BlobType::PageBlob, "Hot", None), None);
        assert_eq!(tiers(BlobType::AppendBlob, "Hot", None), None);
    }
}
