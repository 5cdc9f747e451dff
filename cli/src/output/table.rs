//! Columns without lines around them: what fits is a table, what does not is a list.

use console::{measure_text_width, pad_str};

/// Where a column's cells stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Align {
    Left,
    Right,
}

/// A table. A cell is one line of text.
#[derive(Debug)]
pub(crate) struct Table {
    columns: Vec<(&'static str, Align)>,
    rows: Vec<Vec<String>>,
}

const GAP: usize = 2;

impl Table {
    pub(crate) fn new<const N: usize>(columns: [(&'static str, Align); N]) -> Self {
        Self { columns: columns.to_vec(), rows: Vec::new() }
    }

    pub(crate) fn row<const N: usize>(&mut self, cells: [String; N]) {
        self.rows.push(cells.into_iter().map(|cell| cell.replace(['\n', '\r'], " ")).collect());
    }

    /// Renders `narrow` in place of this where that alone fits side by side.
    pub(crate) fn render_or(&self, narrow: &Self, width: Option<usize>) -> String {
        match !self.fits(width) && narrow.fits(width) {
            true => narrow.render(width),
            false => self.render(width),
        }
    }

    /// Whether it fits side by side.
    fn fits(&self, width: Option<usize>) -> bool {
        width.is_none_or(|width| self.columns_wide() <= width)
    }

    fn widths(&self) -> Vec<usize> {
        let widest = |at: usize| {
            let head = measure_text_width(self.columns[at].0);
            let cells = self.rows.iter().map(|row| measure_text_width(&row[at]));
            cells.chain([head]).max().unwrap_or(head)
        };
        (0..self.columns.len()).map(widest).collect()
    }

    fn columns_wide(&self) -> usize {
        self.widths().iter().sum::<usize>() + GAP * self.columns.len().saturating_sub(1)
    }

    /// Side by side where `width` allows; where it does not, each row as lines of its own, so that
    /// nothing is cut or torn and all can be copied.
    pub(crate) fn render(&self, width: Option<usize>) -> String {
        match self.fits(width) {
            true => self.as_columns(&self.widths()),
            false => self.as_records(),
        }
    }

    fn as_columns(&self, widths: &[usize]) -> String {
        let head: Vec<String> = self.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        let mut text = String::new();
        for row in [&head].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for ((cell, width), (_, align)) in row.iter().zip(widths).zip(&self.columns) {
                if !line.is_empty() {
                    line.push_str(&" ".repeat(GAP));
                }
                let align = match align {
                    Align::Left => console::Alignment::Left,
                    Align::Right => console::Alignment::Right,
                };
                line.push_str(&pad_str(cell, *width, align, None));
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }

    fn as_records(&self) -> String {
        let records = self.rows.iter().map(|row| {
            let cells = self.columns.iter().zip(row).filter(|(_, cell)| !cell.is_empty());
            pairs(cells.map(|((name, _), cell)| (*name, cell.clone())))
        });
        records.collect::<Vec<_>>().join("\n")
    }
}

/// A line for each name and its value.
pub(crate) fn pairs<'a>(pairs: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let pairs: Vec<_> = pairs.into_iter().collect();
    let widest = pairs.iter().map(|(name, _)| name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for (name, value) in pairs {
        let value = value.replace(['\n', '\r'], " ");
        text.push_str(format!("{name:widest$}  {value}").trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Table {
        let mut table = Table::new([("SNAPSHOT", Align::Left), ("BYTES", Align::Right)]);
        table.row(["2026-01-01".to_owned(), "512".to_owned()]);
        table.row(["ü\nb".to_owned(), "1048576".to_owned()]);
        table
    }

    #[test]
    fn columns_stand_below_their_heads() {
        let expected = "\
SNAPSHOT      BYTES
2026-01-01      512
ü b         1048576
";
        assert_eq!(table().render(None), expected);
        assert_eq!(table().render(Some(19)), expected);
    }

    #[test]
    fn what_is_too_wide_is_a_list_that_keeps_every_character() {
        let expected = "\
SNAPSHOT  2026-01-01
BYTES     512

SNAPSHOT  ü b
BYTES     1048576
";
        assert_eq!(table().render(Some(18)), expected);
    }
}
