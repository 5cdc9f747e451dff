//! `blobcopy diff`: what changed in a disk between two snapshots.

mod map;

use clap::Args;
use serde::Serialize;

use crate::{
    Session,
    address::{Address, When},
    args::{AccountArgs, CallArgs},
    chosen,
    context::Contexts,
    failure::{Failure, Result, without_query},
    limits::Limited,
    listing,
    output::{Align, Table, pairs},
};

const EXAMPLES: &str = "\
Examples:
  blobcopy diff vhds/disk0.vhd@2026-01-01T00:00:00.1234567Z vhds/disk0.vhd@latest
  blobcopy diff vhds/disk0.vhd@latest vhds/disk0.vhd
  blobcopy diff vhds/disk0.vhd@latest vhds/disk0.vhd --output json";

/// Says what changed in a page blob since a snapshot: ranges, bytes, and where on the disk
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Diff {
    /// The earlier snapshot: BLOB@TIME or BLOB@latest
    before: String,
    /// The later one: BLOB@TIME, BLOB@latest, or BLOB as it is now
    after: String,
    /// Lists all ranges, however many there are
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    account: AccountArgs,
    #[command(flatten)]
    calls: CallArgs,
}

#[derive(Serialize)]
struct Changes {
    url: String,
    before: String,
    /// The later snapshot; absent for the blob as it is now.
    after: Option<String>,
    size: u64,
    written_bytes: u64,
    cleared_bytes: u64,
    ranges: Vec<Change>,
}

#[derive(Serialize)]
struct Change {
    offset: u64,
    length: u64,
    cleared: bool,
}

/// How many ranges are listed unless all are.
const SOME: usize = 20;

impl Diff {
    pub(crate) async fn run(self, session: &Session) -> Result {
        let printer = &session.printer;
        let contexts = Contexts::new(&self.account, None, &self.calls, printer).await?;
        let before = Address::parse(&self.before)?.blob("BLOB@A")?;
        let after = Address::parse(&self.after)?.blob("BLOB@B")?;
        if (&before.place, &before.container, &before.name)
            != (&after.place, &after.container, &after.name)
            && contexts.blob(&before)?.url()? != contexts.blob(&after)?.url()?
        {
            return Err(Failure::usage(
                "the two are snapshots of different blobs",
                "compare two snapshots of one blob",
            ));
        }
        let Some(earlier) = &before.when else {
            return Err(Failure::usage(
                format!("{} names no snapshot", before.shown()),
                "write BLOB@TIME or BLOB@latest",
            ));
        };
        let blob = contexts.blob(&before)?;
        let earlier = chosen::existing(&blob, earlier, &self.calls).await?;
        let later = match &after.when {
            None => None,
            Some(When::At(at)) if *at == earlier => Some(at.clone()),
            Some(when) => Some(chosen::existing(&blob, when, &self.calls).await?),
        };
        if later.as_ref().is_some_and(|later| later.as_str() < earlier.as_str()) {
            return Err(Failure::usage(
                "the first snapshot is later than the second",
                "write the earlier one first",
            ));
        }
        let at = match &later {
            Some(later) => blob.with_snapshot(later),
            None => blob.clone(),
        };
        let url = at.url()?;
        let properties = at.get_properties().limited(&self.calls).await;
        let size = properties.map_err(|error| Failure::from(error).at(&url))?.content_length;
        let found = listing::changes(&at.page_blob_client(), &earlier, &self.calls).await;
        let found = found.map_err(|failure| failure.at(&url))?;
        let change =
            |&(offset, length, cleared): &(u64, u64, bool)| Change { offset, length, cleared };
        let sum =
            |kind: bool| found.iter().filter(|(.., c)| *c == kind).map(|(_, len, _)| len).sum();
        let changes = Changes {
            url: without_query(&url),
            before: earlier.to_string(),
            after: later.map(|later| later.to_string()),
            size,
            written_bytes: sum(false),
            cleared_bytes: sum(true),
            ranges: found.iter().map(change).collect(),
        };
        printer.record(&changes, || self.text(&changes, printer.width()))
    }

    fn text(&self, changes: &Changes, width: Option<usize>) -> String {
        let mut text = pairs([
            ("blob", changes.url.clone()),
            ("from", changes.before.clone()),
            ("to", changes.after.clone().unwrap_or_else(|| "now".to_owned())),
            ("size", format!("{} bytes", changes.size)),
            ("written", format!("{} bytes", changes.written_bytes)),
            ("cleared", format!("{} bytes", changes.cleared_bytes)),
        ]);
        if changes.ranges.is_empty() {
            text.push_str("\nnothing changed\n");
            return text;
        }
        let ranges = changes.ranges.iter().map(|c| (c.offset, c.length, c.cleared));
        text.push_str(&format!("\n{}\n", map::drawn(changes.size, ranges, width)));
        let shown = if self.all { changes.ranges.len() } else { SOME };
        let mut table = Table::new([
            ("OFFSET", Align::Right),
            ("BYTES", Align::Right),
            ("CHANGE", Align::Left),
        ]);
        for change in changes.ranges.iter().take(shown) {
            let kind = if change.cleared { "cleared" } else { "written" };
            table.row([change.offset.to_string(), change.length.to_string(), kind.to_owned()]);
        }
        text.push_str(&table.render(width));
        let more = changes.ranges.len().saturating_sub(shown);
        if more > 0 {
            text.push_str(&format!("… and {more} more: --all lists them\n"));
        }
        text
    }
}
