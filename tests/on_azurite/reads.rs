//! Downloads: whole, in part, in pieces.

use blobcopy::{BlobType, Download};
use futures_util::TryStreamExt;

use super::fixture::{assert_refused, container};
use crate::support::azurite::{ACCOUNT, Azurite};

tests![
    ranges_are_read_as_asked,
    a_stream_brings_every_byte_in_order,
    an_empty_blob_has_nothing_to_read,
    a_missing_blob_is_missing,
];

async fn ranges_are_read_as_asked(azurite: &Azurite) {
    let container = container(azurite, &ACCOUNT).await;
    let blob = container.block_blob_client("alphabet");
    blob.upload("abcdefghijklmnopqrstuvwxyz").content_type("text/plain").await.unwrap();

    let check = async |download: Download, offset: u64, content: &str| {
        assert_eq!(download.offset, offset);
        assert_eq!(download.properties.content_length, content.len() as u64);
        assert_eq!(download.properties.content_type.as_deref(), Some("text/plain"));
        assert_eq!(download.properties.blob_type, Some(BlobType::BlockBlob));
        assert_eq!(download.bytes().await.unwrap(), content);
    };
    check(blob.download().await.unwrap(), 0, "abcdefghijklmnopqrstuvwxyz").await;
    check(blob.download().range(0..1).await.unwrap(), 0, "a").await;
    check(blob.download().range(3..=5).await.unwrap(), 3, "def").await;
    check(blob.download().range(..2).await.unwrap(), 0, "ab").await;
    check(blob.download().range(24..).await.unwrap(), 24, "yz").await;
    // A range beyond the end is shortened.
    check(blob.download().range(25..1000).await.unwrap(), 25, "z").await;
    // Azurite accepts a range that starts at the end; the service refuses it.
    assert_refused(blob.download().range(27..).await, &[(416, "InvalidRange")]);
}

async fn a_stream_brings_every_byte_in_order(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("long");
    let content: Vec<u8> = (0..1_000_000_u32).flat_map(u32::to_le_bytes).collect();
    blob.upload(content.clone()).await.unwrap();

    let mut stream = blob.download().range(1_000..).await.unwrap();
    let (mut all, mut pieces) = (Vec::new(), 0);
    while let Some(piece) = stream.try_next().await.unwrap() {
        all.extend_from_slice(&piece);
        pieces += 1;
    }
    assert!(all == content[1_000..], "other bytes came, {} of them", all.len());
    assert!(pieces > 1, "4 MB came as one piece");
}

async fn an_empty_blob_has_nothing_to_read(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.block_blob_client("empty");
    blob.upload("").await.unwrap();
    let mut download = blob.download().await.unwrap();
    assert_eq!(download.properties.content_length, 0);
    assert_eq!(download.try_next().await.unwrap(), None);
    assert_refused(blob.download().range(1..).await, &[(416, "InvalidRange")]);
}

async fn a_missing_blob_is_missing(azurite: &Azurite) {
    let blob = container(azurite, &ACCOUNT).await.blob_client("missing");
    let missing = [(404, "BlobNotFound")];
    assert!(!blob.exists().await.unwrap());
    let error = assert_refused(blob.download().await, &missing);
    // It has a body, unlike the answer to a HEAD.
    assert!(error.to_string().contains("The specified blob does not exist."), "{error}");
    assert_refused(blob.get_properties().await, &missing);
    assert_refused(blob.create_snapshot().await, &missing);
    assert_refused(blob.delete().await, &missing);
}
