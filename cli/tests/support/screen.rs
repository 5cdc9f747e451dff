//! What a terminal shows in the end of all that was written to it.

/// The lines that stay on a screen, however wide it is.
pub(crate) fn screen(written: &str) -> String {
    let mut lines = vec![Vec::new()];
    let (mut row, mut column) = (0usize, 0usize);
    let mut rest = written.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\n' => {
                (row, column) = (row + 1, 0);
                if row == lines.len() {
                    lines.push(Vec::new());
                }
            }
            '\r' => column = 0,
            '\u{1b}' if rest.next_if_eq(&'[').is_some() => {
                let mut number = String::new();
                while let Some(digit) = rest.next_if(|c| c.is_ascii_digit() || *c == '?') {
                    number.push(digit);
                }
                let count = number.parse().unwrap_or(1);
                match rest.next() {
                    Some('A') => row = row.saturating_sub(count),
                    Some('D') => column = column.saturating_sub(count),
                    Some('K') if number == "2" => lines[row].clear(),
                    Some('K') => lines[row].truncate(column),
                    Some('J') => {
                        lines[row].truncate(column);
                        lines.truncate(row + 1);
                    }
                    _ => {}
                }
            }
            character => {
                let line: &mut Vec<char> = &mut lines[row];
                if line.len() <= column {
                    line.resize(column + 1, ' ');
                }
                line[column] = character;
                column += 1;
            }
        }
    }
    let lines = lines.into_iter().map(|line| line.into_iter().collect::<String>());
    let lines: Vec<String> = lines.map(|line| line.trim_end().to_owned()).collect();
    format!("{}\n", lines.join("\n").trim_end())
}

#[test]
fn what_was_cleared_is_not_seen() {
    let written = "\r\u{1b}[2K 10% [=> ]\r\u{1b}[2Kdone\r\nab\rc";
    assert_eq!(screen(written), "done\ncb\n");
    assert_eq!(
        screen("one\r\ntwo\u{1b}[1A\r\u{1b}[2K\u{1b}[32mgreen\u{1b}[0m\r\n"),
        "green\ntwo\n"
    );
}
