//! Reading a blob's content and properties, and deleting it.

use super::BlobClient;
use crate::operations::{
    delete_blob::{Delete, DeleteBlob},
    download::{DownloadBlob, GetBlob},
    exists::{Exists, Head},
    get_properties::{GetBlobProperties, GetProperties},
};

/// # Content and properties
impl BlobClient {
    /// Reads the blob's properties, its metadata, and the state of the last copy into it.
    ///
    /// Awaiting it gives [`BlobProperties`](crate::BlobProperties).
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let properties = notes.get_properties().await?;
    /// println!("{} bytes, {:?}", properties.content_length, properties.blob_type);
    /// # Ok(()) });
    /// ```
    #[doc(alias(
        "GetProperties",
        "get_blob_properties",
        "Get Blob Properties",
        "GetBlobProperties"
    ))]
    pub fn get_properties(&self) -> GetProperties {
        GetProperties::new(self.call(), GetBlobProperties::default())
    }

    /// Whether the blob exists.
    ///
    /// Awaiting it gives a `bool`.
    ///
    /// ```
    /// # blobcopy_simulator::example(async |service| {
    /// let vhds = service.container_client("vhds");
    /// assert!(vhds.blob_client("notes.txt").exists().await?);
    /// assert!(!vhds.blob_client("no such blob").exists().await?);
    /// # Ok(()) });
    /// ```
    #[doc(alias = "Exists")]
    pub fn exists(&self) -> Exists {
        Exists::new(self.call(), Head::Blob)
    }

    /// Downloads the whole content, or a range of it, as a stream.
    ///
    /// Awaiting it gives [`Download`](crate::Download).
    ///
    /// ```
    /// use futures_util::TryStreamExt;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let notes = service.container_client("vhds").blob_client("notes.txt");
    /// let whole = notes.download().await?.bytes().await?;
    ///
    /// let mut pieces = notes.download().range(4..).await?;
    /// let mut length = 0;
    /// while let Some(piece) = pieces.try_next().await? {
    ///     length += piece.len();
    /// }
    /// assert_eq!(length, whole.len() - 4);
    /// # Ok(()) });
    /// ```
    #[doc(alias("DownloadStreaming", "download_blob", "Get Blob", "GetBlob"))]
    pub fn download(&self) -> DownloadBlob {
        DownloadBlob::new(self.call(), GetBlob::default())
    }

    /// Deletes the blob. With a client of a snapshot or version, deletes only that.
    ///
    /// Awaiting it gives `()`.
    ///
    /// ```
    /// use blobcopy::DeleteSnapshots;
    ///
    /// # blobcopy_simulator::example(async |service| {
    /// let disk = service.container_client("vhds").blob_client("disk0.vhd");
    /// let taken = disk.create_snapshot().await?;
    /// disk.with_snapshot(&taken.snapshot).delete().await?;
    /// disk.delete().snapshots(DeleteSnapshots::Include).await?;
    /// # Ok(()) });
    /// ```
    #[doc(alias("Delete", "delete_blob", "Delete Blob", "DeleteBlob"))]
    pub fn delete(&self) -> DeleteBlob {
        DeleteBlob::new(self.call(), Delete::default())
    }
}
