//! Receipts in the files of `copy --report`, and of `mirror --receipts`.

use std::io::Write;

use blobcopy::{
    disks::{MirrorReceipt, MirrorReceipts},
    jobs::{Receipt, Receipts},
};
use serde_json::Value;

use crate::{
    failure::{Failure, Result},
    input::{self, reading},
};

/// Reads the receipts of a mirror's snapshots; of a file that is not there yet, none.
pub(crate) async fn of_mirror(path: &str) -> Result<MirrorReceipts> {
    if path == "-" {
        return Err(Failure::usage("--receipts takes a file, and - is none", "name a file"));
    }
    if !std::path::Path::new(path).exists() {
        return Ok(MirrorReceipts::new());
    }
    let text = input::text(path).await?;
    let lines = serde_json::Deserializer::from_str(&text).into_iter::<MirrorReceipt>();
    lines.collect::<std::result::Result<_, _>>().map_err(|error| {
        Failure::usage(
            format!("{path} is not a file of receipts: {error}"),
            "give a file that `blobcopy mirror --verify --receipts` wrote, or a new one",
        )
    })
}

/// Adds receipts to the end of a file, but none that it has.
pub(crate) async fn add(path: &str, receipts: &[MirrorReceipt]) -> Result {
    let line = |receipt| serde_json::to_string(receipt).expect("receipts are made of strings");
    let lines: Vec<String> = receipts.iter().map(line).collect();
    let file = path.to_owned();
    let written = reading(move || {
        let known = std::fs::read_to_string(&file).unwrap_or_default();
        let new = lines.iter().filter(|line| !known.lines().any(|known| known == line.as_str()));
        let new: String = new.map(|line| format!("{line}\n")).collect();
        let mut file = std::fs::File::options().create(true).append(true).open(file)?;
        file.write_all(new.as_bytes())
    });
    written.await.map_err(|error| Failure::file(path, &error))
}

/// Reads the receipts of a file; - is standard input.
pub(crate) async fn read(path: &str) -> Result<Receipts> {
    let text = input::text(path).await?;
    let lines = serde_json::Deserializer::from_str(&text).into_iter::<Value>();
    let receipts = lines.filter_map(|line| {
        line.map_err(|error| error.to_string()).and_then(receipt_in).transpose()
    });
    receipts.collect::<std::result::Result<Receipts, _>>().map_err(|why| {
        Failure::usage(
            format!("{path} is not a file of receipts: {why}"),
            "give a file that `blobcopy copy -r --report` wrote",
        )
    })
}

/// The receipt of a line, or of an event. Failures, reports and other events are passed over.
fn receipt_in(mut line: Value) -> std::result::Result<Option<Receipt>, String> {
    match line.get_mut("receipt").map(Value::take).filter(|receipt| !receipt.is_null()) {
        None if ["failure", "report", "event", "error"]
            .iter()
            .any(|key| line.get(key).is_some()) =>
        {
            Ok(None)
        }
        None => Err("a line has neither a receipt, nor a failure, nor a report".to_owned()),
        Some(receipt) => serde_json::from_value(receipt).map_err(|error| error.to_string()),
    }
}
