//! A disk into a page blob, in place.

use blobcopy::{
    BlobClient, BlobProperties, BlobType, Conditions, LeaseId, PageBlobClient, SequenceNumberAction,
};
use futures_util::{TryStreamExt, stream};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};

use super::{
    Put, Sent,
    runs::{Request, requests},
    shown, unreadable,
};
use crate::{
    Session,
    args::metadata,
    exit::Exit,
    failure::{Failure, Result},
    limits::Limited,
    listing,
    wait::FileBar,
};

/// How much of the file is read at once, and the most that one request writes.
const PIECE: u64 = 4 << 20;
const PAGE: u64 = 512;

pub(super) async fn put(
    args: &Put,
    session: &Session,
    blob: &BlobClient,
    lease: Option<LeaseId>,
) -> Result<Option<Sent>> {
    let file = File::open(&args.file).await.map_err(|error| unreadable(&args.file, &error))?;
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
    let (place, held) = (shown(blob)?, existing.as_ref().map(|found| found.content_length));
    let what = match (how, held) {
        ("written in place", Some(held)) if held != size => {
            format!("Put Page to {place} in place, resized from {held} to {size} bytes")
        }
        ("written in place", _) => format!("Put Page to {place} in place"),
        (_, Some(held)) => {
            format!("Put Blob {place} as a page blob of {size} bytes, over one of {held} bytes")
        }
        (_, None) => format!("Put Blob {place} as a page blob of {size} bytes"),
    };
    // Said before the question, and where nothing is sent too.
    if how == "recreated" {
        session.printer.note(
            "warning: a blob that is created again breaks its incremental series: its copies need \
             a new destination",
        );
    } else if let Some(held) = held.filter(|held| *held > size) {
        session.printer.note(&format!(
            "warning: the blob shrinks from {held} to {size} bytes: what is behind is lost"
        ));
    }
    if !args.changes.allows(&session.printer, &what).await? {
        return Ok(None);
    }
    let (guard, held) = match existing.filter(|_| !args.recreate) {
        None => (target.create(size).await?, Vec::new()),
        Some(found) => target.open(&found, size).await?,
    };
    let bar = &FileBar::new(&session.printer, &args.file, Some(size));
    let target = &target;
    let pieces = stream::try_unfold((file, 0), |(mut file, offset)| async move {
        let piece = piece(&mut file, offset, size).await;
        let piece = piece.map_err(|error| unreadable(&args.file, &error))?;
        let end = offset + piece.len() as u64;
        Ok::<_, Failure>((!piece.is_empty()).then_some(((offset, piece), (file, end))))
    });
    // Read one after another, and sent so many at once.
    let writes = pieces.map_ok(|(offset, piece)| {
        let end = offset + piece.len() as u64;
        let mut at = offset;
        let requests = requests(offset, &piece, &held).into_iter().map(move |request| {
            let Request::Write { offset: from, length } = request else { return (request, None) };
            let within = |at: u64| usize::try_from(at - offset).expect("within the piece");
            (request, Some(piece[within(from)..within(from + length)].to_vec()))
        });
        let requests: Vec<_> = requests.collect();
        let last = requests.len();
        let requests = requests.into_iter().enumerate().map(move |(number, (request, data))| {
            let (Request::Write { offset, length } | Request::Clear { offset, length }) = request;
            let until = if number + 1 == last { end } else { offset + length };
            let covered = until - std::mem::replace(&mut at, until);
            Ok::<_, Failure>((offset, length, data, covered))
        });
        if last == 0 {
            bar.add(end - offset);
        }
        stream::iter(requests)
    });
    let writes = writes.try_flatten().map_ok(|(offset, length, data, covered)| async move {
        let wrote = data.is_some();
        target.write(guard, offset, length, data).await?;
        bar.add(covered);
        Ok(if wrote { (length, 0) } else { (0, length) })
    });
    let writes = writes.try_buffer_unordered(usize::from(args.concurrency));
    let all = writes
        .try_fold((0, 0), |sum: (u64, u64), one| async move { Ok((sum.0 + one.0, sum.1 + one.1)) });
    let (written_bytes, cleared_bytes) = all.await?;
    Ok(Some(Sent { how, size, written_bytes, cleared_bytes, ..Sent::default() }))
}

/// The next piece of the disk; at its end nothing.
async fn piece(file: &mut File, offset: u64, size: u64) -> std::io::Result<Vec<u8>> {
    let length = PIECE.min(size - offset);
    let mut piece = vec![0; usize::try_from(length).expect("a piece fits")];
    file.seek(std::io::SeekFrom::Start(offset)).await?;
    file.read_exact(&mut piece).await?;
    Ok(piece)
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
        let held = listing::ranges(&self.pages, Conditions::new(), &self.args.calls).await?;
        Ok((guard, held))
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
