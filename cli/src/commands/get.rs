//! `blobcopy get`: downloads a blob or a snapshot.

use std::{io, path::Path};

use blobcopy::{BlobClient, Conditions, ETag};
use clap::Args;
use futures_util::TryStreamExt;
use serde::Serialize;
use tokio::{
    fs::{self, File, OpenOptions},
    io::{AsyncSeekExt, AsyncWrite, AsyncWriteExt},
};

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs},
    chosen,
    context::Contexts,
    failure::{Failure, Result, without_query},
    interrupt::Onward,
    limits::Limited,
    output::pairs,
    quoted::quoted,
    wait,
};

const EXAMPLES: &str = "\
Examples:
  blobcopy get backups/disk0.vhd@latest disk.img
  blobcopy get backups/disk0.vhd@latest disk.img --resume
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
    /// The file, which is overwritten; - is standard output
    file: String,
    /// Goes on where an earlier download ended
    #[arg(long)]
    resume: bool,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

#[derive(Serialize)]
struct Got {
    url: String,
    file: String,
    size: u64,
    /// How many bytes an earlier download had brought.
    resumed_at: u64,
}

impl Get {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer)?;
        let address = Address::parse(&self.blob)?.blob("BLOB")?;
        let mut blob = contexts.blob(&address)?;
        if let Some(when) = &address.when {
            let snapshot = chosen::existing(&blob, when, &self.calls).await?;
            blob = blob.with_snapshot(snapshot);
        }
        let url = blob.url()?;
        if self.file == "-" {
            let mut out = tokio::io::stdout();
            let sent = self.through(&blob, &mut out, Failure::output).await;
            return sent.map(|_| ()).map_err(|failure| failure.at(&url));
        }
        let (size, resumed_at) = self
            .to_file(session, &blob, &address.shown())
            .await
            .map_err(|failure| failure.at(&url))?;
        let at = blob.snapshot().map(|snapshot| format!("?snapshot={snapshot}"));
        let url = format!("{}{}", without_query(&url), at.unwrap_or_default());
        let got = Got { url, file: self.file, size, resumed_at };
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
        out: &mut (impl AsyncWrite + Unpin),
        failed: impl Fn(&io::Error) -> Failure,
    ) -> Result<u64> {
        let mut content = blob.download().limited(&self.calls).await?;
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
        shown: &str,
    ) -> Result<(u64, u64)> {
        // A device or a named pipe is written as it is: nothing may take its place.
        if fs::metadata(&self.file).await.is_ok_and(|found| !found.is_file()) {
            let failed = |error: &io::Error| Failure::file(&self.file, error);
            let mut device =
                OpenOptions::new().write(true).open(&self.file).await.map_err(|e| failed(&e))?;
            return Ok((self.through(blob, &mut device, failed).await?, 0));
        }
        let part = format!("{}.part", self.file);
        let tag = format!("{part}.etag");
        let properties = blob.get_properties().limited(&self.calls).await?;
        let (etag, size) = (properties.etag, properties.content_length);
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
        let bar = session.printer.draws_bars().then(|| {
            let bar = wait::bar(&session.printer);
            bar.set_prefix(self.file.clone());
            bar.set_length(size);
            bar.set_position(from);
            bar
        });
        session.interrupt.goes_on(Onward {
            what: format!("{part} has what has come"),
            resume: format!(
                "blobcopy get {} {} --resume{}",
                quoted(shown),
                quoted(&self.file),
                self.account.repeated()
            ),
            abort: format!("rm {}", quoted(&part)),
        });
        let mut at = from;
        if from < size {
            let mut download = blob.download().limited(&self.calls);
            if let Some(etag) = &etag {
                download = download.conditions(Conditions::new().if_match(etag.clone()));
            }
            if from > 0 {
                download = download.range(from..);
            }
            let mut content = download.await?;
            while let Some(piece) = content.try_next().await? {
                write(&mut file, at, &piece).await.map_err(unwritable)?;
                at += piece.len() as u64;
                if let Some(bar) = &bar {
                    bar.set_position(at);
                }
            }
        }
        file.flush().await.map_err(unwritable)?;
        file.set_len(at).await.map_err(unwritable)?;
        file.sync_all().await.map_err(unwritable)?;
        drop(file);
        if let Some(bar) = bar {
            bar.finish_and_clear();
        }
        let named = fs::rename(&part, &self.file).await;
        named.map_err(|error| Failure::file(&self.file, &error))?;
        // It has served; a later download writes its own.
        let _ = fs::remove_file(&tag).await;
        Ok((at, from))
    }
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
