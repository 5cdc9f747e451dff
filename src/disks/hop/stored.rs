//! What is stored with a disk besides its pages: content headers and metadata.

use crate::{
    BlobProperties, ContentMd5, Metadata,
    builders::{CreatePageBlob, SetProperties},
    disks::lineage::Lineage,
};

/// The most bytes of metadata that a blob can have, names and values.
const MOST_METADATA: usize = 8 << 10;

/// The content headers of a blob.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Headers {
    kind: Option<String>,
    encoding: Option<String>,
    language: Option<String>,
    disposition: Option<String>,
    cache: Option<String>,
    md5: Option<ContentMd5>,
}

impl From<&BlobProperties> for Headers {
    fn from(blob: &BlobProperties) -> Self {
        let text = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        Self {
            kind: text(&blob.content_type),
            encoding: text(&blob.content_encoding),
            language: text(&blob.content_language),
            disposition: text(&blob.content_disposition),
            cache: text(&blob.cache_control),
            md5: blob.content_md5,
        }
    }
}

macro_rules! written {
    ($headers:ident to $request:ident) => {{
        let mut request = $request;
        if let Some(value) = &$headers.kind {
            request = request.content_type(value);
        }
        if let Some(value) = &$headers.encoding {
            request = request.content_encoding(value);
        }
        if let Some(value) = &$headers.language {
            request = request.content_language(value);
        }
        if let Some(value) = &$headers.disposition {
            request = request.content_disposition(value);
        }
        if let Some(value) = &$headers.cache {
            request = request.cache_control(value);
        }
        if let Some(md5) = $headers.md5 {
            request = request.stored_md5(md5);
        }
        request
    }};
}

impl Headers {
    /// A blob that is created with these.
    pub(super) fn create(&self, request: CreatePageBlob) -> CreatePageBlob {
        written!(self to request)
    }

    /// Sets these in place of those of a blob.
    pub(super) fn set(&self, request: SetProperties) -> SetProperties {
        written!(self to request)
    }

    /// As the service stores them for a new blob.
    pub(super) fn of_new(mut self) -> Self {
        self.kind.get_or_insert_with(|| "application/octet-stream".to_owned());
        self
    }
}

/// The lineage of a destination's snapshot with the metadata of the source's beside it, and the
/// names of those that it cannot have.
pub(super) fn with_lineage(lineage: &Lineage, source: &Metadata) -> (Metadata, Vec<String>) {
    let mut all = lineage.with(&Metadata::new());
    let size = |name: &str, value: &str| name.len() + value.len();
    let mut room = MOST_METADATA
        - all.iter().map(|(name, value)| size(name, value)).sum::<usize>().min(MOST_METADATA);
    let mut left = Vec::new();
    // Not those of another mirror, whose destination the source may be.
    for (name, value) in Lineage::without(source).iter() {
        match room.checked_sub(size(name, value)).filter(|_| is_legal(name, value)) {
            Some(rest) => {
                room = rest;
                all.insert(name, value);
            }
            None => left.push(name.to_owned()),
        }
    }
    (all, left)
}

/// Whether a request can carry the pair. Blobs that were written with old service versions may have
/// other names.
fn is_legal(name: &str, value: &str) -> bool {
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    name.bytes().next().is_some_and(starts)
        && name.bytes().all(|byte| starts(byte) || byte.is_ascii_digit())
        && value.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
        && value.trim_matches(' ') == value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn metadata_that_do_not_fit_are_left_out_and_named() {
        let lineage = Lineage {
            source: "https://a/b".into(),
            equals: None,
            hop: None,
            sealed: true,
            lease: None,
        };
        let long = "x".repeat(5000);
        let source = Metadata::from([
            ("a", "1"),
            ("b-c", "no identifier"),
            ("blobcopy_mirror_source", "another mirror"),
            ("long", &long),
            ("longer", &long),
            ("z", "2"),
        ]);
        let (kept, left) = with_lineage(&lineage, &source);
        assert_eq!(left, ["b-c", "longer"]);
        let names: Vec<_> = kept.iter().map(|(name, _)| name).collect();
        let expected = ["a", "blobcopy_mirror_sealed", "blobcopy_mirror_source", "long", "z"];
        assert_eq!(names, expected);
        assert_eq!(kept.get("blobcopy_mirror_source"), Some("https://a/b"));
    }
}
