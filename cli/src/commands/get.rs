//! `blobcopy get`: downloads a blob or a snapshot.

use std::{io, path::Path};

use blobcopy::{BlobClient, BlobProperties, BlobType, Conditions, CopyStatus, ETag};
use clap::Args;
use futures_util::TryStreamExt;
use serde::Serialize;
use tokio::{
    fs::{self, File, OpenOptions},
    io::{AsyncSeekExt, AsyncWrite, AsyncWriteExt},
};
use url::Url;

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs},
    chosen,
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result, without_query},
    interrupt::Onward,
    limits::Limited,
    listing,
    output::pairs,
    quoted::quoted,
    wait::FileBar,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy get backups/disk0.vhd@latest disk.img
  blobcopy get backups/disk0.vhd@latest disk.img --resume
  blobcopy get backups/disk0.vhd@latest .
  blobcopy get docs/notes.txt -";

/// Downloads a blob or a snapshot
///
/// What has come is in FILE.part until all has; --resume goes on from there if the blob is still
/// the same.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Get {
    /// The blob, with @TIME or @latest for a snapshot
    blob: String,
    /// The file, which is overwritten, or a folder, where it gets the blob's name; - is standard
    /// output
    file: String,
    /// Goes on where an earlier download ended
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

#[derive(Debug, Default, Serialize)]
struct Got {
    url: String,
    file: String,
    size: u64,
    /// How many bytes an earlier download had brought.
    resumed_at: u64,
    /// How many bytes this download has brought. What a disk does not hold is not downloaded.
    downloaded_bytes: u64,
}

impl Get {
    pub(crate) async fn run(mut self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let address = Address::parse(&self.blob)?.blob("BLOB")?;
        self.file = file_in(self.file, &address.name)?;
        let mut blob = contexts.blob(&address)?;
        if let Some(when) = &address.when {
            let snapshot = chosen::existing(&blob, when, &self.calls).await?;
            blob = blob.with_snapshot(snapshot);
        }
        let url = blob.url()?;
        let told = |failure: Failure| failure.at(&url).changed_meanwhile();
        let properties = blob.get_properties().limited(&self.calls).await;
        let properties = properties.map_err(|error| told(error.into()))?;
        whole(&properties, session, &url, &address)?;
        if self.file == "-" {
            let mut out = tokio::io::stdout();
            let sent = self.through(&blob, &properties, &mut out, Failure::output).await;
            return sent.map(|_| ()).map_err(told);
        }
        let got = self.to_file(session, &blob, &properties, &address.in_command()).await;
        let got = got.map_err(told)?;
        let at = blob.snapshot().map(|snapshot| format!("?snapshot={snapshot}"));
        let url = format!("{}{}", without_query(&url), at.unwrap_or_default());
        let got = Got { url, file: self.file, ..got };
        printer.record(&got, || {
            pairs([
                ("blob", got.url.clone()),
                ("file", got.file.clone()),
                ("size", format!("{} bytes", got.size)),
            ])
        })
    }

    /// Downloads into what takes bytes in order: a pipe or a device.
    async fn through(
        &self,
        blob: &BlobClient,
        properties: &BlobProperties,
        out: &mut (impl AsyncWrite + Unpin),
        failed: impl Fn(&io::Error) -> Failure,
    ) -> Result<u64> {
        let download = blob.download().limited(&self.calls);
        let mut content = download.conditions(unchanged(properties)).await?;
        let mut size = 0;
        while let Some(piece) = content.try_next().await? {
            out.write_all(&piece).await.map_err(|error| failed(&error))?;
            size += piece.len() as u64;
        }
        out.flush().await.map_err(|error| failed(&error))?;
        Ok(size)
    }

    /// Downloads to the part file, and gives it its name when all is there.
    async fn to_file(
        &self,
        session: &Session,
        blob: &BlobClient,
        properties: &BlobProperties,
        shown: &str,
    ) -> Result<Got> {
        // A device or a named pipe is written as it is: nothing may take its place.
        if fs::metadata(&self.file).await.is_ok_and(|found| !found.is_file()) {
            let failed = |error: &io::Error| Failure::file(&self.file, error);
            let mut device =
                OpenOptions::new().write(true).open(&self.file).await.map_err(|e| failed(&e))?;
            let size = self.through(blob, properties, &mut device, failed).await?;
            return Ok(Got { size, downloaded_bytes: size, ..Got::default() });
        }
        let part = format!("{}.part", self.file);
        let tag = format!("{part}.etag");
        let (etag, size) = (properties.etag.clone(), properties.content_length);
        let from = match self.resume {
            true => resumable(&part, &tag, etag.as_ref(), size).await,
            false => 0,
        };
        let unwritable = |error: io::Error| Failure::file(&part, &error);
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(from == 0)
            .open(&part)
            .await
            .map_err(unwritable)?;
        if let Some(etag) = &etag {
            fs::write(&tag, etag.as_str()).await.map_err(|error| Failure::file(&tag, &error))?;
        }
        let filled = self.fill(session, blob, shown, &mut file, properties, from).await;
        let fetched = match filled {
            Ok(fetched) => fetched,
            Err(failure) => {
                // What has come stays; where nothing has, nothing is to stay.
                if file.metadata().await.is_ok_and(|info| info.len() == 0) {
                    let _ = fs::remove_file(&part).await;
                    let _ = fs::remove_file(&tag).await;
                }
                return Err(failure);
            }
        };
        drop(file);
        let named = fs::rename(&part, &self.file).await;
        named.map_err(|error| Failure::file(&self.file, &error))?;
        // It has served; a later download writes its own.
        let _ = fs::remove_file(&tag).await;
        Ok(Got { size, resumed_at: from, downloaded_bytes: fetched, ..Got::default() })
    }

    /// Downloads what is missing into the part file, and says how much that was.
    async fn fill(
        &self,
        session: &Session,
        blob: &BlobClient,
        shown: &str,
        file: &mut File,
        properties: &BlobProperties,
        from: u64,
    ) -> Result<u64> {
        let part = format!("{}.part", self.file);
        let unwritable = |error: io::Error| Failure::file(&part, &error);
        let size = properties.content_length;
        let bar = FileBar::new(&session.printer, &self.file, Some(size));
        bar.at(from);
        session.interrupt.goes_on(Onward {
            what: format!("{part} has what has come"),
            resume: format!(
                "blobcopy get {} {} --resume{}",
                quoted(shown),
                quoted(&self.file),
                self.account.repeated("")
            ),
            abort: format!("rm {} {}", quoted(&part), quoted(&format!("{part}.etag"))),
        });
        let unchanged = unchanged(properties);
        let mut fetched = 0;
        for (start, end) in self.parts(blob, properties, &unchanged).await? {
            let start = start.max(from);
            if start >= end {
                continue;
            }
            let mut download = blob.download().limited(&self.calls).conditions(unchanged.clone());
            if (start, end) != (0, size) {
                download = download.range(start..end);
            }
            let (mut content, mut at) = (download.await?, start);
            while let Some(piece) = content.try_next().await? {
                write(file, at, &piece).await.map_err(unwritable)?;
                at += piece.len() as u64;
                fetched += piece.len() as u64;
                bar.at(at);
            }
        }
        file.flush().await.map_err(unwritable)?;
        file.set_len(size).await.map_err(unwritable)?;
        file.sync_all().await.map_err(unwritable)?;
        Ok(fetched)
    }

    /// Where there is something to download: of a disk only what holds data, as the rest is zero.
    async fn parts(
        &self,
        blob: &BlobClient,
        properties: &BlobProperties,
        unchanged: &Conditions,
    ) -> Result<Vec<(u64, u64)>> {
        if properties.blob_type != Some(BlobType::PageBlob) {
            return Ok(vec![(0, properties.content_length)]);
        }
        let pages = blob.page_blob_client();
        let held = listing::ranges(&pages, unchanged.clone(), &self.calls).await?;
        Ok(joined(held))
    }
}

/// Only as long as the blob is what it was.
fn unchanged(properties: &BlobProperties) -> Conditions {
    match &properties.etag {
        Some(etag) => Conditions::new().if_match(etag.clone()),
        None => Conditions::new(),
    }
}

/// Insists that no copy into the blob is pending: what it holds until then is not what was copied,
/// and may be nothing at all. Warns of one that did not succeed.
fn whole(properties: &BlobProperties, session: &Session, url: &Url, address: &Address) -> Result {
    let Some(copy) = &properties.copy else { return Ok(()) };
    match &copy.status {
        CopyStatus::Success => {}
        CopyStatus::Failed | CopyStatus::Aborted => session.printer.note(&format!(
            "warning: the last copy into {} is {}: the blob may not be whole",
            without_query(url),
            copy.status
        )),
        _ => {
            let status = format!("blobcopy status {} --wait", quoted(&address.in_command()));
            return Err(Failure::new(
                Exit::Refused,
                format!("a copy into {} is {}", without_query(url), copy.status),
                format!("wait for it, and get the blob then: `{status}`"),
            ));
        }
    }
    Ok(())
}

/// The file itself or, in a folder, one with the blob's name.
fn file_in(file: String, name: &str) -> Result<String> {
    let is_folder = file.ends_with(std::path::is_separator) || Path::new(&file).is_dir();
    if !is_folder {
        return Ok(file);
    }
    let last = Path::new(name).file_name().map(|last| Path::new(&file).join(last));
    last.and_then(|path| path.to_str().map(str::to_owned)).ok_or_else(|| {
        Failure::usage(
            format!("{name} is not a name that a file may have"),
            "name the file, and not its folder",
        )
    })
}

/// The least zeros that are worth a request of their own: fewer come with what is around them.
const GAP: u64 = 1 << 20;

/// The same ranges, given as offsets and lengths, as beginnings and ends, with few gaps.
fn joined(ranges: Vec<(u64, u64)>) -> Vec<(u64, u64)> {
    let mut parts: Vec<(u64, u64)> = Vec::new();
    for (start, length) in ranges {
        match parts.last_mut() {
            Some((_, end)) if start - *end < GAP => *end = start + length,
            _ => parts.push((start, start + length)),
        }
    }
    parts
}

/// Writes a piece where it belongs. Zeros become a hole.
async fn write(file: &mut File, at: u64, piece: &[u8]) -> io::Result<()> {
    if piece.iter().any(|byte| *byte != 0) {
        file.seek(io::SeekFrom::Start(at)).await?;
        file.write_all(piece).await?;
    }
    Ok(())
}

/// How many bytes of this very blob an earlier download has brought.
async fn resumable(part: &str, tag: &str, etag: Option<&ETag>, size: u64) -> u64 {
    let known = fs::read_to_string(Path::new(tag)).await.ok();
    let same = known.is_some() && known.as_deref() == etag.map(ETag::as_str);
    match fs::metadata(part).await {
        Ok(info) if same && info.len() <= size => info.len(),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_joined_over_small_gaps() {
        assert_eq!(joined(vec![]), []);
        let ranges = vec![(512, 512), (GAP, 512), (2 * GAP + 512, 512)];
        assert_eq!(joined(ranges), [(512, GAP + 512), (2 * GAP + 512, 2 * GAP + 1024)]);
    }
}
