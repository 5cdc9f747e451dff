//! A disk into a page blob, in place.

use blobcopy::{
    BlobClient, BlobProperties, BlobType, LeaseId, PageBlobClient, SequenceNumberAction,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use indicatif::ProgressBar;
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};

use super::{
    Put, Sent, done,
    runs::{Run, covered, runs},
    shown, unreadable,
};
use crate::{
    Session,
    args::metadata,
    exit::Exit,
    failure::{Failure, Result},
    limits::Limited,
    listing,
};

/// How much of the file is read at once, and the most that one request writes.
const PIECE: u64 = 4 << 20;
const PAGE: u64 = 512;

pub(super) async fn put(
    args: &Put,
    session: &Session,
    blob: &BlobClient,
    lease: Option<LeaseId>,
    bar: Option<&ProgressBar>,
) -> Result<Option<Sent>> {
    let mut file = File::open(&args.file).await.map_err(|error| unreadable(&args.file, &error))?;
    let size = file.metadata().await.map_err(|error| unreadable(&args.file, &error))?.len();
    if size == 0 || !size.is_multiple_of(PAGE) {
        return Err(Failure::usage(
            format!("{} has {size} bytes, and a page blob is a multiple of 512", args.file),
            "extend the file: truncate --size %512 FILE",
        ));
    }
    let found = blob.get_properties().limited(&args.calls).await.map_err(Failure::from);
    let existing = match found {
        Ok(found) => Some(found),
        Err(failure) if failure.is_not_found() => None,
        Err(failure) => return Err(failure),
    };
    refuse_other_types(existing.as_ref())?;
    let target = Target { args, pages: blob.page_blob_client(), lease };
    let how = match (&existing, args.recreate) {
        (None, _) => "created",
        (Some(_), true) => "recreated",
        (Some(_), false) => "written in place",
    };
    let what = match how {
        "written in place" => format!("Put Page to {} in place", shown(blob)?),
        _ => format!("Put Blob {} as a page blob of {size} bytes", shown(blob)?),
    };
    if !args.changes.allows(&session.printer, &what)? {
        return Ok(None);
    }
    if how == "recreated" {
        session.printer.warn(
            "warning: a blob that is created again breaks its incremental series: its copies need \
             a new destination",
        );
    }
    let (guard, held) = match existing.filter(|_| !args.recreate) {
        None => (target.create(size).await?, Vec::new()),
        Some(found) => target.open(&found, size).await?,
    };
    if let Some(bar) = bar {
        bar.set_length(size);
    }
    let mut sent = Sent { how, size, ..Sent::default() };
    let mut offset = 0;
    while offset < size {
        let length = PIECE.min(size - offset);
        let mut piece = vec![0; usize::try_from(length).expect("a piece fits")];
        let read = async {
            file.seek(std::io::SeekFrom::Start(offset)).await?;
            file.read_exact(&mut piece).await.map(|_| ())
        };
        read.await.map_err(|error: std::io::Error| unreadable(&args.file, &error))?;
        let mut work = Vec::new();
        for run in runs(offset, &piece) {
            match run {
                Run::Data { offset: at, length } => {
                    let start = usize::try_from(at - offset).expect("within the piece");
                    let end = start + usize::try_from(length).expect("within the piece");
                    sent.written_bytes += length;
                    work.push((at, length, Some(piece[start..end].to_vec())));
                }
                // What holds nothing need not be cleared.
                Run::Zero { offset: at, length } => {
                    for (at, length) in covered(&held, at, length) {
                        sent.cleared_bytes += length;
                        work.push((at, length, None));
                    }
                }
            }
        }
        let writes =
            stream::iter(work).map(|(at, length, data)| target.write(guard, at, length, data));
        let writes = writes.buffer_unordered(usize::from(args.concurrency.max(1)));
        writes.try_collect::<Vec<()>>().await?;
        done(bar, length);
        offset += length;
    }
    Ok(Some(sent))
}

fn refuse_other_types(existing: Option<&BlobProperties>) -> Result {
    let Some(found) = existing else { return Ok(()) };
    if found.is_incremental_copy {
        return Err(Failure::new(
            Exit::Refused,
            "the blob is made by incremental copies, and nothing else may be written there",
            "write to the source of those copies, or to another blob",
        ));
    }
    match &found.blob_type {
        Some(BlobType::PageBlob) | None => Ok(()),
        Some(other) => Err(Failure::new(
            Exit::Refused,
            format!("the blob is a {other}, not a page blob"),
            "name another blob, or delete this one first",
        )),
    }
}

/// The page blob that is written.
struct Target<'a> {
    args: &'a Put,
    pages: PageBlobClient,
    lease: Option<LeaseId>,
}

impl Target<'_> {
    /// Makes it anew; the number guards the writes.
    async fn create(&self, size: u64) -> Result<u64> {
        let mut create = self.pages.create(size).limited(&self.args.calls);
        create = create.metadata(metadata(&self.args.metadata));
        if let Some(id) = &self.lease {
            create = create.lease_id(id.clone());
        }
        create.await?;
        Ok(0)
    }

    /// Takes it over, with a new sequence number, so that the writes of whoever took it over before
    /// are refused from here on; gives it the size, and says where it holds data.
    async fn open(&self, found: &BlobProperties, size: u64) -> Result<(u64, Vec<(u64, u64)>)> {
        let mut claim = self.pages.set_sequence_number(SequenceNumberAction::Increment);
        claim = claim.limited(&self.args.calls);
        if let Some(id) = &self.lease {
            claim = claim.lease_id(id.clone());
        }
        let claimed = claim.await?;
        let guard = claimed.sequence_number.ok_or_else(|| {
            Failure::new(
                Exit::Unreachable,
                "the service did not tell the blob's sequence number",
                "run the command again",
            )
        })?;
        if found.content_length != size {
            let mut resize = self.pages.resize(size).limited(&self.args.calls);
            if let Some(id) = &self.lease {
                resize = resize.lease_id(id.clone());
            }
            resize.await?;
        }
        Ok((guard, listing::ranges(&self.pages, &self.args.calls).await?))
    }

    async fn write(
        &self,
        guard: u64,
        offset: u64,
        length: u64,
        data: Option<Vec<u8>>,
    ) -> Result<()> {
        match data {
            Some(data) => {
                let mut write = self.pages.upload_pages(offset, data).limited(&self.args.calls);
                write = write.if_sequence_number_equal(guard);
                if let Some(id) = &self.lease {
                    write = write.lease_id(id.clone());
                }
                write.await?;
            }
            None => {
                let mut clear =
                    self.pages.clear_pages(offset..offset + length).limited(&self.args.calls);
                clear = clear.if_sequence_number_equal(guard);
                if let Some(id) = &self.lease {
                    clear = clear.lease_id(id.clone());
                }
                clear.await?;
            }
        }
        Ok(())
    }
}
