//! One incremental copy, from the choice of its snapshot to its end.

use blobcopy::{BlobClient, BlobType, CopyFromUriOperation, CopySource, SnapshotId};

use super::{Incremental, Which};
use crate::{
    Session,
    address::{Address, When},
    args::WaitArgs,
    change::Decision,
    chosen,
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result, without_query},
    limits::Limited,
    quoted::quoted,
    record::CopyRecord,
    wait::{self, Watched},
};

/// What is to be copied, and where to.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) source: Address,
    pub(super) which: Which,
    pub(super) dest: Address,
}

/// What became of the start of a copy.
#[derive(Debug)]
pub(super) enum Start {
    Made(Box<Started>),
    /// What would be sent, with `--what-if`.
    WouldSend(String),
    /// It was not confirmed.
    Declined,
}

/// A copy that was started.
#[derive(Debug)]
pub(super) struct Started {
    dest: Address,
    copy: CopyFromUriOperation,
    record: CopyRecord,
}

/// Starts the copy, unless `--what-if` or `--confirm` prevent it.
pub(super) async fn start(
    args: &Incremental,
    session: &Session,
    contexts: &Contexts,
    job: &Job,
) -> Result<Start> {
    let source = contexts.source(&job.source)?;
    let dest = contexts.unmistakable(job.dest.clone().or_below(&job.source.name)?)?;
    let blob = contexts.blob(&dest)?;
    let url = blob.url()?;
    let (from, to) = (without_query(&source.url), without_query(&url));
    let client = || {
        source.client.clone().ok_or_else(|| {
            Failure::usage(
                format!("{from} is in no account that is known, so its snapshots are not either"),
                "give its credential with --source-…, or name the snapshot: SOURCE?snapshot=TIME",
            )
        })
    };
    let (snapshot, taken) = match &job.which {
        Which::New => {
            let what =
                format!("Snapshot Blob {from}, and Incremental Copy Blob of that snapshot to {to}");
            let client = client()?;
            // A snapshot that cannot be copied would be left behind.
            let found = client.get_properties().limited(&args.calls).await;
            let found =
                found.map_err(|error| Failure::from(error).at(&source.url).reading_source())?;
            if let Some(other) = found.blob_type.filter(|kind| *kind != BlobType::PageBlob) {
                return Err(Failure::new(
                    Exit::Refused,
                    format!("{from} is a {other}, and incremental copies are of page blobs"),
                    "copy it as a whole: blobcopy copy SOURCE DEST",
                ));
            }
            match args.changes.decide(&session.printer, &what).await? {
                Decision::Make => {}
                Decision::Tell => return Ok(Start::WouldSend(what)),
                Decision::Leave => return Ok(Start::Declined),
            }
            (take(args, &client).await?, true)
        }
        Which::Existing(When::At(snapshot)) if source.client.is_none() => (snapshot.clone(), false),
        Which::Existing(when) => {
            let found = chosen::existing(&client()?, when, &args.calls).await;
            (found.map_err(Failure::reading_source)?, false)
        }
    };
    if !taken {
        let what = format!("Incremental Copy Blob {from}?snapshot={snapshot} to {to}");
        match args.changes.decide(&session.printer, &what).await? {
            Decision::Make => {}
            Decision::Tell => return Ok(Start::WouldSend(what)),
            Decision::Leave => return Ok(Start::Declined),
        }
    }
    let copy = begin(args, &blob, source.copy, &snapshot).await.map_err(|failure| {
        let failure = failure.between(&source.url, &url);
        if !taken {
            return failure;
        }
        // No repetition would mend these.
        if failure.is_code("BlobOverwritten") || failure.is_code("IncrementalCopyBlobMismatch") {
            return failure.kept(snapshot.as_str());
        }
        let taken = Address { when: Some(When::At(snapshot.clone())), ..job.source.clone() };
        let again = format!(
            "`blobcopy incremental {} {}{}`",
            quoted(&taken.in_command()),
            quoted(&dest.in_command()),
            contexts.all_flags()
        );
        failure.keeping(snapshot.as_str(), &again)
    })?;
    let record = CopyRecord::started(&url, &copy, &source.url, Some(snapshot.as_str()));
    Ok(Start::Made(Box::new(Started { dest, copy, record })))
}

async fn take(args: &Incremental, source: &BlobClient) -> Result<SnapshotId> {
    let taken = source.create_snapshot().limited(&args.calls).await;
    let url = source.url()?;
    Ok(taken.map_err(|error| Failure::from(error).at(&url))?.snapshot)
}

async fn begin(
    args: &Incremental,
    dest: &BlobClient,
    source: CopySource,
    snapshot: &SnapshotId,
) -> Result<CopyFromUriOperation> {
    let dest = dest.page_blob_client();
    Ok(dest.start_copy_incremental(source, snapshot).limited(&args.calls).await?)
}

/// Waits for the end, with `--wait`.
pub(super) async fn follow(
    args: &Incremental,
    session: &Session,
    contexts: &Contexts,
    started: Started,
) -> Result<CopyRecord> {
    follow_with(&args.wait, session, contexts, started).await
}

/// Waits for the end, where `wait` says so.
pub(super) async fn follow_with(
    wait: &WaitArgs,
    session: &Session,
    contexts: &Contexts,
    started: Started,
) -> Result<CopyRecord> {
    let Started { dest, copy, record } = started;
    if !wait.wait {
        return Ok(record);
    }
    let under_way = session.interrupt.goes_on(wait::onward(&dest, contexts.flags()));
    let watched = Watched { name: dest.shown(), copy };
    let done = wait::one(session, watched, wait.timeout()).await;
    session.interrupt.is_over(under_way);
    let onward = || wait::onward(&dest, contexts.flags());
    let done = done.map_err(|failure| wait::given_up(failure, onward()))?;
    Ok(record.completed(&done))
}
