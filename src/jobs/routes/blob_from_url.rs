//! Put Blob From URL: one request, which the service answers when it has copied the blob.

use super::{NotCarried, kept};
use crate::jobs::task::{Carried, Cost, Piece, Sum, Task};

/// What it takes: one request.
pub(crate) fn cost(task: &Task) -> Cost {
    Cost { requests: 1, bytes: task.item.properties.content_length }
}

/// Copies the blob with its content headers and metadata, which the service copies itself.
pub(crate) async fn carry(task: &Task) -> Result<Carried, NotCarried> {
    let (settings, item) = (&task.shared.settings, &task.item);
    let of = &item.properties;
    let mut put = task
        .destination()
        .block_blob_client()
        .upload_from_uri(&task.source())
        .source_conditions(task.source_conditions())
        .conditions(task.destination_conditions())
        .client_request_id(task.client_request_id());
    if settings.tags && !item.tags.is_empty() {
        put = put.tags(item.tags.clone());
    }
    if let Some(tier) = kept::tier(item).filter(|_| settings.tier) {
        put = put.tier(tier);
    }
    let md5 = of.content_md5.filter(|_| settings.proved);
    if let Some(md5) = md5 {
        put = put.source_content_md5(md5);
    }
    let length = of.content_length;
    // The budget's bytes go by it, and the time limit of an attempt.
    let written = put.source_length(length).await?;
    // Only what the service has checked or computed: it stores any other MD5 as it is told.
    let sum = Sum::of(written.content_crc64, md5);
    Ok(Carried {
        source_etag: of.etag.clone(),
        destination_etag: written.etag,
        length,
        data: length,
        bytes: length,
        copy_id: None,
        pieces: sum.map(|sum| Piece { offset: 0, length, sum }).into_iter().collect(),
        is_adopted: false,
        is_found: false,
        changed_metadata: Vec::new(),
        left_behind: None,
    })
}
