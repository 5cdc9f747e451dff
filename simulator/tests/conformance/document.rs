//! `docs/simulator-conformance.md`, read as what it promises.

use std::{collections::BTreeSet, fmt};

use crate::live_check::rule::HeaderRule;

/// The heading of the part that is not about Azurite.
const RECORDINGS: &str = "## Beside recorded answers of the live service";

/// The differences that are explained.
#[derive(Debug)]
pub(super) struct Document {
    /// Differences of one header, wherever it comes.
    pub(super) headers: Vec<HeaderRule>,
    /// Differences of one answer.
    pub(super) rows: BTreeSet<Row>,
}

/// A row of the table: a request, and what the two answer.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) case: String,
    pub(super) azurite: String,
    pub(super) simulator: String,
}

impl Document {
    /// # Panics
    ///
    /// When a row does not say what the service's documentation says, and where.
    pub(super) fn read() -> Self {
        let (mut headers, mut rows) = (Vec::new(), BTreeSet::new());
        let text = include_str!("../../../docs/simulator-conformance.md");
        // What comes after that is about recordings of the live service, and read by their test.
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

/// As a row of the document, with its last cell still to be written.
impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "| {} | `{}` | `{}` | ? |", self.case, self.azurite, self.simulator)
    }
}
