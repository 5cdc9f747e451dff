//! `blobcopy status`: how copies stand, and how they end.

use blobcopy::BlobItem;
use clap::Args;
use url::Url;

use crate::{
    Session,
    address::{Address, Place},
    args::{AccountArgs, CallArgs, WaitArgs},
    context::Contexts,
    exit::Exit,
    failure::{Failure, Result, without_query},
    interrupt::Onward,
    limits::Limited,
    listing, names,
    record::CopyRecord,
    wait::{self, Watched},
};

const EXAMPLES: &str = "\
Examples:
  blobcopy status backups/disk0.vhd
  blobcopy status backups/disk0.vhd --wait --timeout 2h
  blobcopy status backups/ --output jsonl

A blob that was never copied to, or was written since, tells of no copy: that is 4.
With --wait, a copy that has failed is 3, and one that was aborted is 4, however long ago.";

/// Says how the last copy into a blob stands; of a container or a prefix, all copies
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Status {
    /// The destination: container/blob, or container/ or container/prefix/ for all copies there
    dest: String,
    /// How many copies of a container or prefix are followed at once
    #[arg(long, value_name = "NUMBER", default_value_t = 10,
        value_parser = clap::value_parser!(u16).range(1..))]
    concurrency: u16,
    #[command(flatten)]
    wait: WaitArgs,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

impl Status {
    pub(crate) async fn run(self, session: &Session) -> Result {
        self.wait.checked()?;
        let contexts = Contexts::new(&self.account, None, &self.calls, &session.printer).await?;
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
        let found = found.map_err(|error| not_found(Failure::from(error).at(&url)))?;
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
        let (mut records, mut endings) = (Vec::new(), Vec::new());
        let (mut watched, mut places, mut onward) = (Vec::new(), Vec::new(), Vec::new());
        for item in &found {
            let Some(state) = &item.properties.copy else { continue };
            let blob = container.blob_client_of(item);
            let Ok(url) = blob.url() else {
                let url = container.url()?;
                let name = format!("{}/{}", without_query(&url), names::shown(&item.name));
                session.printer.note(&format!("warning: no request can name the blob {name}"));
                let mut record = CopyRecord::of_state(&url, state);
                record.destination = name;
                records.push(record);
                endings.push(None);
                continue;
            };
            let one = listed(contexts, address, item, &url);
            let record = CopyRecord::of_state(&url, state).shown_as(&one.shown());
            endings.push(if self.wait.wait { ended(&record, &url).err() } else { None });
            if self.wait.wait && !state.status.is_final() {
                places.push(records.len());
                // Followed together, and aborted one by one.
                let all = wait::onward(address, contexts.flags());
                onward.push(Onward { resume: all.resume, ..wait::onward(&one, contexts.flags()) });
                let copy = blob.resume_copy(state.copy_id.clone());
                watched.push(Watched { name: item.name.clone(), copy });
            }
            records.push(record);
        }
        let under_way: Vec<_> =
            onward.iter().map(|onward| session.interrupt.goes_on(onward.clone())).collect();
        let over = |at: usize| session.interrupt.is_over(under_way[at]);
        let timeout = self.wait.timeout();
        let waits = wait::all(session, watched, timeout, self.concurrency, over).await;
        let mut pending = Vec::new();
        for ((at, ending), onward) in places.into_iter().zip(waits).zip(onward) {
            match ending {
                Ok(done) => records[at] = records[at].clone().completed(&done),
                Err(failure) => {
                    if let Some(ending) = failure.ended() {
                        records[at] = records[at].clone().ended(ending);
                    }
                    if failure.exit_code() == Exit::Pending.code() {
                        pending.push(onward.abort);
                    }
                    endings[at] = Some(failure);
                }
            }
        }
        let nothing = format!("no copies in {}", address.shown());
        session.printer.list(&records, &nothing, CopyRecord::table)?;
        let Some(failure) = endings.into_iter().flatten().next() else { return Ok(()) };
        let all = wait::onward(address, contexts.flags());
        Err(wait::given_up(failure, Onward { abort: pending.join("; "), ..all }))
    }
}

/// A blob of a listing, as a command takes it.
fn listed(contexts: &Contexts, folder: &Address, item: &BlobItem, url: &Url) -> Address {
    let named = folder.clone().named(&item.name);
    named.and_then(|address| contexts.unmistakable(address)).unwrap_or_else(|_| {
        // The service may store a name that it does not take from a user.
        let mut url = url.clone();
        url.set_query(folder.container_url().as_ref().and_then(Url::query));
        Address { place: Place::Url(url), name: item.name.clone(), ..folder.clone() }
    })
}

/// Where no blob is, there may be blobs below.
fn not_found(failure: Failure) -> Failure {
    match failure.is_code("BlobNotFound") {
        true => failure.or_else_do("for all copies below it, end it with /"),
        false => failure,
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
