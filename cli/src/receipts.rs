//! Receipts in the files of `copy --report`, and of `mirror --receipts`.

use std::{
    collections::HashSet,
    fs::File,
    io::{self, Read as _, Write},
};

use blobcopy::{
    disks::{MirrorReceipt, MirrorReceipts},
    jobs::{Receipt, Receipts},
};
use serde_json::Value;

use crate::{
    failure::{Failure, Result},
    input::{self, reading},
};

/// A file with the receipts of mirrors' snapshots, a line of JSON each.
#[derive(Debug)]
pub(crate) struct ReceiptFile {
    path: String,
    lines: HashSet<String>,
    known: MirrorReceipts,
    file: File,
    /// What a run that was killed has left of its last line: it is cut off before more is added.
    torn: bool,
    /// The length of all whole lines.
    whole: u64,
}

impl ReceiptFile {
    /// Reads a file, or makes a new one.
    pub(crate) async fn open(path: &str) -> Result<Self> {
        if path == "-" {
            return Err(Failure::usage("--receipts takes a file, and - is none", "name a file"));
        }
        let opened = path.to_owned();
        let opened = reading(move || {
            let mut file = File::options().create(true).read(true).append(true).open(opened)?;
            let mut text = String::new();
            file.read_to_string(&mut text).map(|_| (file, text))
        });
        let (file, text) = opened.await.map_err(|error| Failure::file(path, &error))?;
        let Read { known, torn, whole } = Read::of(&text).map_err(|why| {
            Failure::usage(
                format!("{path} is not a file of receipts: {why}"),
                "give a file that `blobcopy mirror --verify --receipts` wrote, or a new one",
            )
        })?;
        let lines = text.get(..whole).unwrap_or_default().lines().map(str::to_owned).collect();
        let whole = whole.try_into().unwrap_or(u64::MAX);
        Ok(Self { path: path.to_owned(), lines, known, file, torn, whole })
    }

    /// The receipts that it had when it was opened.
    pub(crate) fn known(&self) -> &MirrorReceipts {
        &self.known
    }

    /// Adds receipts at the end, but none that it has.
    pub(crate) fn add(&mut self, receipts: &[MirrorReceipt]) -> Result {
        let line = |receipt| serde_json::to_string(receipt).expect("receipts are made of strings");
        let mut text = String::new();
        for line in receipts.iter().map(line) {
            if self.lines.insert(line.clone()) {
                text.push_str(&line);
                text.push('\n');
            }
        }
        let written = self.write(&text);
        written.map_err(|error| Failure::file(&self.path, &error))
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        if std::mem::take(&mut self.torn) {
            self.file.set_len(self.whole)?;
        }
        self.file.write_all(text.as_bytes())
    }
}

/// What a file of receipts says.
#[derive(Debug)]
struct Read {
    known: MirrorReceipts,
    torn: bool,
    whole: usize,
}

impl Read {
    /// Reads all whole lines. What comes after the last one was torn.
    fn of(text: &str) -> std::result::Result<Self, String> {
        let whole = text.rfind('\n').map_or(0, |last| last + 1);
        let lines = text.get(..whole).unwrap_or_default();
        let receipts = serde_json::Deserializer::from_str(lines).into_iter::<MirrorReceipt>();
        let known = receipts.collect::<std::result::Result<MirrorReceipts, _>>();
        let known = known.map_err(|error| error.to_string())?;
        // A file of something else has no whole line either.
        let rest = text.get(whole..).unwrap_or_default();
        if !rest.is_empty() && !rest.starts_with('{') {
            return Err("its last line is no JSON".to_owned());
        }
        Ok(Self { known, torn: !rest.is_empty(), whole })
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"destination":"https://a.example/backups/disk","snapshot":"2026-01-01T00:00:09.0000000Z","source_snapshot":"2026-01-01T00:00:00.0000000Z","time":"2026-01-01T00:00:00Z","length":512,"crc64":"iJh5CoYUi64="}"#;

    #[test]
    fn a_last_line_that_was_torn_is_passed_over() {
        for (text, known, torn) in [
            (String::new(), 0, false),
            (format!("{LINE}\n"), 1, false),
            (format!("{LINE}\n{}", &LINE[..40]), 1, true),
            (LINE[..1].to_owned(), 0, true),
        ] {
            let read = Read::of(&text).expect("good");
            assert_eq!((read.known.len(), read.torn), (known, torn), "{text}");
        }
        for bad in ["no JSON", "no JSON\n", &format!("{}\n{LINE}\n", &LINE[..40]), "{}\n"] {
            assert!(Read::of(bad).is_err(), "{bad}");
        }
    }

    #[tokio::test]
    async fn receipts_are_added_once_and_never_behind_half_a_line() {
        let folder = std::env::temp_dir().join(format!("blobcopy-receipts-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("made");
        let path = folder.join("proved.jsonl").to_str().expect("UTF-8").to_owned();
        std::fs::write(&path, &LINE[..50]).expect("written");
        let receipt: MirrorReceipt = serde_json::from_str(LINE).expect("a receipt");
        for _ in 0..2 {
            let mut file = ReceiptFile::open(&path).await.expect("opened");
            file.add(&[receipt.clone(), receipt.clone()]).expect("added");
        }
        assert_eq!(std::fs::read_to_string(&path).expect("read"), format!("{LINE}\n"));
        std::fs::remove_dir_all(&folder).expect("removed");
        assert!(ReceiptFile::open(&path).await.is_err(), "its folder is gone");
        assert!(ReceiptFile::open("-").await.is_err());
    }
}
