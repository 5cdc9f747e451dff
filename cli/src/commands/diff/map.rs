//! A small map of a disk that shows where it changed.

/// What a cell of the map stands for.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Cell {
    Same,
    Cleared,
    Written,
}

const WIDEST: usize = 64;
const MOST_ROWS: usize = 8;
/// The least that a cell stands for: a page.
const PAGE: u64 = 512;

/// Draws the map: a cell is written if anything in it is.
pub(super) fn drawn(
    size: u64,
    changes: impl IntoIterator<Item = (u64, u64, bool)>,
    width: Option<usize>,
) -> String {
    let columns = width.map_or(WIDEST, |width| width.saturating_sub(2).clamp(8, WIDEST));
    let most = u64::try_from(columns * MOST_ROWS).unwrap_or(u64::MAX);
    let bytes = size.div_ceil(most).max(PAGE).next_multiple_of(PAGE);
    let count = usize::try_from(size.div_ceil(bytes)).unwrap_or(0).max(1);
    let mut cells = vec![Cell::Same; count];
    for (offset, length, cleared) in changes {
        let kind = if cleared { Cell::Cleared } else { Cell::Written };
        let end = offset.saturating_add(length).saturating_sub(1);
        let place = |byte: u64| usize::try_from(byte / bytes).unwrap_or(usize::MAX).min(count - 1);
        for cell in &mut cells[place(offset)..=place(end)] {
            *cell = kind.max(*cell);
        }
    }
    let mut text = String::new();
    for row in cells.chunks(columns) {
        text.push_str("  ");
        text.extend(row.iter().map(|cell| match cell {
            Cell::Same => '.',
            Cell::Cleared => 'o',
            Cell::Written => '#',
        }));
        text.push('\n');
    }
    text.push_str(&format!("  # written  o cleared  . as before; each is {bytes} bytes\n"));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_shows_the_most_that_happened_in_it() {
        let changes = [(512, 1024, false), (2048, 512, true), (3584, 512, false)];
        let map = drawn(4096, changes, None);
        assert!(map.starts_with("  .##.o..#\n"), "{map}");
        assert!(map.contains("each is 512 bytes"), "{map}");
    }

    #[test]
    fn a_large_disk_fits_a_narrow_terminal() {
        let map = drawn(8 << 40, [(0, 512, true), ((8 << 40) - 512, 512, false)], Some(40));
        let rows: Vec<&str> = map.lines().filter(|line| !line.contains("written")).collect();
        assert_eq!(rows.len(), 8, "{map}");
        assert!(rows.iter().all(|row| row.len() <= 40));
        assert!(rows[0].starts_with("  o.") && rows[7].ends_with('#'), "{map}");
    }
}
