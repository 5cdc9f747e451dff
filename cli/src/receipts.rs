//! Receipts in the files of `copy --report`.

use blobcopy::jobs::{Receipt, Receipts};
use serde_json::Value;

use crate::{
    failure::{Failure, Result},
    input,
};

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
