//! Receipts in the files of `copy --report`.

use blobcopy::jobs::{Receipt, Receipts};
use serde::Deserialize;

use crate::{
    failure::{Failure, Result},
    input,
};

/// A line of such a file. Others than receipts are passed over.
#[derive(Deserialize)]
struct Line {
    receipt: Option<Receipt>,
}

/// Reads the receipts of a file; - is standard input.
pub(crate) async fn read(path: &str) -> Result<Receipts> {
    let text = input::text(path).await?;
    let lines = serde_json::Deserializer::from_str(&text).into_iter::<Line>();
    let receipts = lines.filter_map(|line| line.map(|line| line.receipt).transpose());
    receipts.collect::<std::result::Result<Receipts, _>>().map_err(|error| {
        Failure::usage(
            format!("{path} is not a file of receipts: {error}"),
            "give a file that `blobcopy copy -r --report` wrote",
        )
    })
}
