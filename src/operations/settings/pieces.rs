//! Writes pages in as many requests as needed.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    error::{Error, Result},
    models::PageInfo,
};

/// The most bytes that one request may write.
pub(crate) const PIECE: u32 = 4 << 20;

/// How many requests are in flight at a time by default.
pub(crate) const CONCURRENCY: usize = 4;

/// Refuses to split content that only a single request can write.
pub(crate) fn check(length: u64, is_single: bool, concurrency: usize) -> Result<()> {
    if !(1..=64).contains(&concurrency) {
        return Err(Error::invalid("concurrency", concurrency, "must be 1 to 64"));
    }
    if length > u64::from(PIECE) && is_single {
        let rule = "must be at most 4 MiB with conditions or a checksum, which cover one request";
        return Err(Error::invalid("page content", format!("{length} bytes"), rule));
    }
    Ok(())
}

/// Sends all pieces, `concurrency` at a time, and merges their responses.
pub(crate) async fn write<P: Future<Output = Result<PageInfo>>>(
    pieces: impl Iterator<Item = P>,
    concurrency: usize,
) -> Result<PageInfo> {
    let answered = AtomicUsize::new(0);
    let counted = |piece: P| {
        let answered = &answered;
        async move {
            // Runs when the piece is sent, not when it is built.
            let before = answered.load(Ordering::Relaxed);
            let written = piece.await?;
            answered.fetch_add(1, Ordering::Relaxed);
            Ok::<_, Error>((before, written))
        }
    };
    let (written, _) = stream::iter(pieces)
        .map(counted)
        .buffer_unordered(concurrency)
        .try_fold((None, 0), async |(all, count), (before, written): (usize, PageInfo)| {
            let all = match all {
                None => written,
                // Sent after all others had a response, so applied after them.
                Some(all) => written.together_with(all, before == count),
            };
            Ok((Some(all), count + 1))
        })
        .await?;
    Ok(written.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::OffsetDateTime;

    use super::*;
    use crate::wire::clock;

    /// A piece whose response comes after `millis` and says that it was applied at `second`.
    async fn piece(number: usize, millis: u64, second: i64) -> Result<PageInfo> {
        clock::sleep(Duration::from_millis(millis)).await;
        Ok(PageInfo {
            etag: format!("\"{number}\"").parse().ok(),
            last_modified: OffsetDateTime::from_unix_timestamp(second).ok(),
            sequence_number: Some(7),
            content_md5: Some([7; 16].into()),
            is_server_encrypted: Some(true),
            ..PageInfo::default()
        })
    }

    async fn written(millis: &[u64], concurrency: usize) -> PageInfo {
        let pieces = millis.iter().enumerate();
        let pieces = pieces.map(|(number, millis)| piece(number, *millis, 100 - number as i64));
        write(pieces, concurrency).await.expect("written")
    }

    fn etag(of: &PageInfo) -> Option<&str> {
        of.etag.as_ref().map(|etag| etag.as_str())
    }

    #[tokio::test(start_paused = true)]
    async fn the_etag_is_given_only_where_it_is_that_of_the_piece_applied_last() {
        let cases: [(&[u64], usize, Option<&str>); 6] = [
            (&[5], 4, Some("\"0\"")),
            // One after the other.
            (&[5, 5, 5], 1, Some("\"2\"")),
            // At the same time, whichever responds last.
            (&[5, 9], 2, None),
            (&[9, 5], 2, None),
            // The last is sent while the first is in flight, and responds before or after it.
            (&[9, 1, 1], 2, None),
            (&[9, 1, 20], 2, None),
        ];
        for (millis, concurrency, expected) in cases {
            let written = written(millis, concurrency).await;
            assert_eq!(etag(&written), expected, "{millis:?} by {concurrency}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_all_pieces_agree_on_is_kept() {
        let one = written(&[5], 4).await;
        assert_eq!(one.content_md5, Some([7; 16].into()));
        let several = written(&[1, 5, 9], 3).await;
        assert_eq!(several.content_md5, None);
        assert_eq!((several.sequence_number, several.is_server_encrypted), (Some(7), Some(true)));
        // The first was applied last, though it responded first.
        assert_eq!(several.last_modified, OffsetDateTime::from_unix_timestamp(100).ok());
    }

    #[tokio::test(start_paused = true)]
    async fn what_they_do_not_agree_on_is_not_told() {
        let with = |number: u64| async move {
            let sequence_number = Some(number);
            Ok(PageInfo { sequence_number, ..piece(0, number, 0).await? })
        };
        let moved = write([1, 2].map(with).into_iter(), 2).await.expect("written");
        assert_eq!((moved.sequence_number, moved.is_server_encrypted), (None, Some(true)));
    }
}
