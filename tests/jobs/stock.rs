//! Blobs of every kind, and all that a job keeps of them.

use std::{collections::BTreeMap, fmt};

use blobcopy::{
    AccessTier, BlobContainerClient, BlobInclude, BlobItem, BlobType, ContentMd5, CopyStatus,
    Metadata, Tags,
};
use crc::{CRC_64_NVME, Crc};
use fastrand::Rng;

/// Block blobs of another account that are longer are copied in blocks, where a job says so.
pub(super) const SINGLE: u64 = 6_000;

/// The length of such blocks.
pub(super) const BLOCK: u64 = 2_500;

/// All that a job keeps of a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Whole {
    blob_type: Option<BlobType>,
    content: Content,
    headers: [Option<String>; 5],
    md5: Option<ContentMd5>,
    metadata: Metadata,
    tags: Tags,
    /// If it was set on the blob.
    tier: Option<AccessTier>,
}

#[derive(Clone, PartialEq, Eq)]
struct Content(Vec<u8>);

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} bytes, CRC {:x}",
            self.0.len(),
            Crc::<u64>::new(&CRC_64_NVME).checksum(&self.0)
        )
    }
}

impl Whole {
    /// Whether no copy by ranges into it is under way.
    pub(super) fn is_finished(&self) -> bool {
        self.metadata.get("blobcopy_partial").is_none()
    }
}

/// Writes so many blobs of all kinds, in turn.
pub(super) async fn fill(container: &BlobContainerClient, rng: &mut Rng, count: usize) {
    for number in 0..count {
        let name = format!("{}{number:02}", ["a/", "a-", "b/c/", ""][rng.usize(..4)]);
        match number % 5 {
            0 => block_blob(container, &name, rng, 0..=SINGLE).await,
            1 => block_blob(container, &name, rng, SINGLE + 1..=5 * SINGLE).await,
            2 => append_blob(container, &name, rng).await,
            _ => page_blob(container, &name, rng).await,
        }
    }
}

async fn block_blob(
    container: &BlobContainerClient,
    name: &str,
    rng: &mut Rng,
    lengths: std::ops::RangeInclusive<u64>,
) {
    let content = noise(rng.u64(lengths), rng);
    let mut upload = container
        .block_blob_client(name)
        .upload(content)
        .content_type(["text/plain", "application/x-tar"][rng.usize(..2)])
        .cache_control("no-store")
        .content_language("en")
        .metadata(metadata(rng))
        .tags(tags(rng));
    if rng.bool() {
        upload = upload.content_encoding("gzip").content_disposition("inline");
    }
    if rng.bool() {
        upload = upload.tier([AccessTier::Cool, AccessTier::Hot][rng.usize(..2)].clone());
    }
    upload.await.expect("uploaded");
}

async fn append_blob(container: &BlobContainerClient, name: &str, rng: &mut Rng) {
    let blob = container.append_blob_client(name);
    let create = blob.create().content_type("text/csv").metadata(metadata(rng)).tags(tags(rng));
    create.await.expect("created");
    for _ in 0..rng.usize(..4) {
        let length = rng.u64(1..3_000);
        blob.append_block(noise(length, rng)).await.expect("appended");
    }
}

/// A page blob with runs of data in some places.
async fn page_blob(container: &BlobContainerClient, name: &str, rng: &mut Rng) {
    let blob = container.page_blob_client(name);
    let pages = rng.u64(0..200);
    let create = blob.create(pages * 512).sequence_number(rng.u64(..9)).metadata(metadata(rng));
    create.tags(tags(rng)).await.expect("created");
    for _ in 0..rng.usize(..8).min(usize::try_from(pages).expect("few")) {
        let start = rng.u64(..pages);
        let length = rng.u64(1..=20).min(pages - start);
        blob.upload_pages(start * 512, noise(length * 512, rng)).await.expect("written");
    }
}

fn noise(length: u64, rng: &mut Rng) -> Vec<u8> {
    (0..length).map(|_| rng.u8(..)).collect()
}

fn metadata(rng: &mut Rng) -> Metadata {
    ["owner", "stage"].iter().take(rng.usize(..3)).map(|name| (*name, rng.u8(..))).fold(
        Metadata::new(),
        |mut all, (name, value)| {
            all.insert(name, value.to_string());
            all
        },
    )
}

fn tags(rng: &mut Rng) -> Tags {
    let mut tags = Tags::new();
    for name in ["a b", "project"].iter().take(rng.usize(..3)) {
        tags.insert(*name, rng.u8(..).to_string());
    }
    tags
}

/// All blobs of a container, without those to which a copy has not ended.
pub(super) async fn whole(container: &BlobContainerClient) -> BTreeMap<String, Whole> {
    use BlobInclude::{Copy, Metadata, Tags};
    let mut blobs = BTreeMap::new();
    let items = container.list_blobs().include([Copy, Metadata, Tags]).collect_all().await;
    for item in items.expect("listed") {
        if item.properties.copy.as_ref().is_none_or(|copy| copy.status == CopyStatus::Success) {
            blobs.insert(item.name.clone(), read(container, item).await);
        }
    }
    blobs
}

async fn read(container: &BlobContainerClient, item: BlobItem) -> Whole {
    let download = container.blob_client_of(&item).download().await.expect("there");
    let content = download.bytes().await.expect("read").to_vec();
    let BlobItem { properties: of, tags, .. } = item;
    let tier = of.access_tier.filter(|_| of.is_access_tier_inferred != Some(true));
    let headers = [
        of.content_type,
        of.content_encoding,
        of.content_language,
        of.content_disposition,
        of.cache_control,
    ];
    Whole {
        blob_type: of.blob_type,
        content: Content(content),
        headers,
        md5: of.content_md5,
        metadata: of.metadata,
        tags,
        tier,
    }
}

/// The names of the snapshots in a container, and of the blobs that have only staged blocks.
pub(super) async fn litter(container: &BlobContainerClient) -> Vec<String> {
    let include = [BlobInclude::Snapshots, BlobInclude::UncommittedBlobs];
    let items = container.list_blobs().include(include).collect_all().await.expect("listed");
    let is_litter = |item: &BlobItem| item.snapshot.is_some() || item.properties.etag.is_none();
    items.into_iter().filter(is_litter).map(|item| item.name).collect()
}
