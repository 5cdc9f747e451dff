//! `blobcopy status`: how copies stand, and how they end.

use clap::Args;
use url::Url;

use crate::{
    Session,
    address::Address,
    args::{AccountArgs, CallArgs, WaitArgs},
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result, without_query},
    limits::Limited,
    listing,
    record::CopyRecord,
    wait::{self, Watched},
};

const EXAMPLES: &str = "\
Examples:
  blobcopy status backups/disk0.vhd
  blobcopy status backups/disk0.vhd --wait --timeout 2h
  blobcopy status backups/ --output jsonl";

/// Says how the last copy into a blob stands; of a container or a prefix, all copies
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Status {
    /// The destination: container/blob, or container/ or container/prefix/ for all copies there
    dest: String,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

impl Status {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let contexts = Contexts::new(&self.account, None, &self.calls, &session.printer)?;
        let address = Address::parse(&self.dest)?;
        match address.is_folder() {
            true => self.all(session, &contexts, &address).await,
            false => self.one(session, &contexts, &address).await,
        }
    }

    async fn one(self, session: &Session, contexts: &Contexts, address: &Address) -> Result {
        let mut blob = contexts.blob(address)?;
        if let Some(when) = &address.when {
            let snapshot = crate::chosen::existing(&blob, when, &self.calls).await?;
            blob = blob.with_snapshot(snapshot);
        }
        let url = blob.url()?;
        let found = blob.get_properties().limited(&self.calls).await;
        let found = found.map_err(|error| Failure::from(error).at(&url))?;
        let state = found.copy.ok_or_else(|| no_copy(&url))?;
        let mut record = CopyRecord::of_state(&url, &state);
        if self.wait.wait && !state.status.is_final() {
            session.interrupt.goes_on(wait::onward(address, contexts.flags()));
            let copy = blob.resume_copy(state.copy_id.clone());
            let watched = Watched { name: address.shown(), copy };
            let done = wait::one(session, watched, self.wait.timeout()).await;
            let onward = || wait::onward(address, contexts.flags());
            let done = done.map_err(|failure| wait::given_up(failure, onward()))?;
            record = record.completed(&done);
        }
        session.printer.record(&record, || record.text())?;
        if self.wait.wait { ended(&record, &url) } else { Ok(()) }
    }

    async fn all(self, session: &Session, contexts: &Contexts, address: &Address) -> Result {
        let container = contexts.container(address)?;
        let found = listing::blobs(&container, &address.name, &self.calls).await?;
        let (mut records, mut watched, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for item in &found {
            let Some(state) = &item.properties.copy else { continue };
            let blob = container.blob_client_of(item);
            if self.wait.wait && !state.status.is_final() {
                places.push(records.len());
                let copy = blob.resume_copy(state.copy_id.clone());
                watched.push(Watched { name: item.name.clone(), copy });
            }
            records.push(CopyRecord::of_state(&blob.url()?, state));
        }
        if !watched.is_empty() {
            session.interrupt.goes_on(wait::onward(address, contexts.flags()));
        }
        let mut first = None;
        let endings = wait::all(session, watched, self.wait.timeout()).await;
        for (at, ending) in places.into_iter().zip(endings) {
            match ending {
                Ok(done) => records[at] = records[at].clone().completed(&done),
                Err(failure) => {
                    records[at].status = failure.as_status().to_owned();
                    first = first.or(Some(failure));
                }
            }
        }
        let nothing = format!("no copies in {}", address.shown());
        session.printer.list(&records, &nothing, CopyRecord::table)?;
        match first {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }
}

fn no_copy(url: &Url) -> Failure {
    Failure::new(
        Exit::CopyLost,
        format!("{} tells of no copy", without_query(url)),
        "check the name: nothing was copied there, or the blob was written since",
    )
}

/// The ending of a copy that was over before the wait began.
fn ended(record: &CopyRecord, url: &Url) -> Result {
    let (exit, advice) = match record.status.as_str() {
        "failed" => (Exit::CopyFailed, "mend what the service names, and start the copy again"),
        "aborted" => (Exit::CopyLost, "start the copy again, if it is still wanted"),
        _ => return Ok(()),
    };
    let because = record.description.as_deref().map(|text| format!(": {text}"));
    let message = format!("the copy is {}{}", record.status, because.unwrap_or_default());
    Err(Failure::new(exit, message, advice).at(url).of_copy(&record.copy_id))
}
