//! Pages that are written by as many requests as it takes.

use futures_util::{StreamExt, TryStreamExt, stream};

use crate::{
    error::{Error, Result},
    models::WrittenPages,
};

/// The most that one request may write, in bytes.
pub(super) const PIECE: u32 = 4 << 20;

/// How many requests are on their way at a time, unless the caller says.
pub(super) const CONCURRENCY: usize = 4;

/// Refuses to cut what only a single request can do.
pub(super) fn check(length: u64, is_single: bool, concurrency: usize) -> Result<()> {
    if !(1..=64).contains(&concurrency) {
        return Err(Error::invalid("concurrency", concurrency, "must be 1 to 64"));
    }
    if length > u64::from(PIECE) && is_single {
        let rule = "must be at most 4 MiB with conditions or a checksum, as each request is one of \
                    several";
        return Err(Error::invalid("page content", format!("{length} bytes"), rule));
    }
    Ok(())
}

/// Sends all pieces, `concurrency` at a time, each of them not before its turn; tells what the answer
/// that came last says.
pub(super) async fn write<P: Future<Output = Result<WrittenPages>>>(
    pieces: impl Iterator<Item = P>,
    concurrency: usize,
) -> Result<WrittenPages> {
    stream::iter(pieces)
        .buffer_unordered(concurrency)
        .try_fold(None, async |before: Option<WrittenPages>, last| {
            Ok(Some(if before.is_some() { last.one_of_several() } else { last }))
        })
        .await
        .map(Option::unwrap_or_default)
}
