//! The clause of `x-ms-if-tags`: comparisons of tags with literals, joined by `AND` and `OR`.

use std::collections::BTreeMap;

use super::metadata;

/// Whether `tags` satisfy `clause`; `None` if the clause is invalid.
pub(crate) fn matches(clause: &str, tags: &BTreeMap<String, String>) -> Option<bool> {
    let mut rest = clause.trim();
    // `AND` binds more tightly than `OR`.
    let (mut any, mut all) = (false, true);
    loop {
        let (met, after) = comparison(rest, tags)?;
        all &= met;
        let after = after.trim_start();
        if after.is_empty() {
            return Some(any | all);
        }
        if let Some(next) = keyword(after, "AND") {
            rest = next;
        } else {
            rest = keyword(after, "OR")?;
            any |= std::mem::replace(&mut all, true);
        }
    }
}

/// Whether `clause` is valid.
pub(crate) fn is_readable(clause: &str) -> bool {
    matches(clause, &BTreeMap::new()).is_some()
}

/// Parses one `"key" <operator> 'value'`. A missing tag satisfies `<>` only.
fn comparison<'a>(text: &'a str, tags: &BTreeMap<String, String>) -> Option<(bool, &'a str)> {
    const OPERATORS: [&str; 6] = ["<>", ">=", "<=", "=", ">", "<"];
    let (key, rest) = match text.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"')?,
        None => text.split_at(text.find(|c: char| !c.is_alphanumeric() && c != '_')?),
    };
    let rest = rest.trim_start();
    if !metadata::is_tag(key, "") {
        return None;
    }
    let operator = OPERATORS.into_iter().find(|operator| rest.starts_with(operator))?;
    let (value, rest) = rest[operator.len()..].trim_start().strip_prefix('\'')?.split_once('\'')?;
    if !metadata::is_tag(key, value) {
        return None;
    }
    let met = match tags.get(key) {
        None => operator == "<>",
        Some(tag) => match operator {
            "=" => tag == value,
            "<>" => tag != value,
            ">" => tag.as_str() > value,
            ">=" => tag.as_str() >= value,
            "<" => tag.as_str() < value,
            _ => tag.as_str() <= value,
        },
    };
    Some((met, rest))
}

fn keyword<'a>(text: &'a str, word: &str) -> Option<&'a str> {
    let (head, rest) = text.split_at_checked(word.len())?;
    (head.eq_ignore_ascii_case(word) && rest.starts_with(' ')).then(|| rest.trim_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clauses_are_evaluated() {
        let tags =
            BTreeMap::from([("a".to_owned(), "1".to_owned()), ("b c".to_owned(), "x".to_owned())]);
        for (clause, expected) in [
            ("\"a\" = '1'", Some(true)),
            ("a='2'", Some(false)),
            ("a = '1' AND \"b c\" <> 'y'", Some(true)),
            ("a = '2' OR a >= '1' and \"b c\" < 'z'", Some(true)),
            ("missing = ''", Some(false)),
            ("a = ", None),
            ("a = '1' XOR b = '2'", None),
            ("", None),
        ] {
            assert_eq!(matches(clause, &tags), expected, "{clause}");
        }
    }
}
