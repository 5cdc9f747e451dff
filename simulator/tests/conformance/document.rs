//! Parses `docs/simulator-conformance.md`.

use std::{collections::BTreeSet, fmt};

use crate::live_check::rule::HeaderRule;

/// The heading of the part that is not about Azurite.
const RECORDINGS: &str = "## Beside recorded answers of the live service";

/// The explained differences.
#[derive(Debug)]
pub(super) struct Document {
    /// Differences of one header, wherever it occurs.
    pub(super) headers: Vec<HeaderRule>,
    /// Differences of one answer.
    pub(super) rows: BTreeSet<Row>,
}

/// A row of the table: a request, and both answers.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) case: String,
    pub(super) azurite: String,
    pub(super) simulator: String,
}

impl Document {
    /// # Panics
    ///
    /// If a row does not quote the service's documentation and name the page.
    pub(super) fn read() -> Self {
        let (mut headers, mut rows) = (Vec::new(), BTreeSet::new());
        let text = include_str!("../../../docs/simulator-conformance.md");
        // The rest is about recordings of the live service; another test reads it.
        let (text, _) = text.split_once(RECORDINGS).expect("the page has both parts");
        for line in text.lines().filter(|line| line.starts_with("| ")) {
            let cells: Vec<_> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [what, azurite, simulator, why] = cells[..] else {
                panic!("not four cells: {line}")
            };
            if azurite == "Azurite" || what.starts_with("---") {
                continue;
            }
            assert!(why.contains("](https://learn.microsoft.com/"), "no page is named: {line}");
            let plain = |cell: &str| cell.replace('`', "");
            let (azurite, simulator) = (plain(azurite), plain(simulator));
            if what.starts_with('`') {
                headers.push(HeaderRule { header: plain(what), theirs: azurite, ours: simulator });
            } else {
                rows.insert(Row { case: what.to_owned(), azurite, simulator });
            }
        }
        Self { headers, rows }
    }
}

/// Prints a row for the document, whose last cell is still to be written.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} | `{}` | `{}` | ? |", self.case, self.azurite, self.simulator)
    }
}
