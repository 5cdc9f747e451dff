//! The JSON of Azure Resource Manager: small documents, so this is all that is needed.

use std::{fmt, iter::Peekable, str::Chars};

/// No document of a request nests values more deeply than this.
const DEEPEST: usize = 16;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    Null,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Json>),
    /// Fields in the order in which they are written.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// An object with these fields.
    pub(crate) fn object<const N: usize>(fields: [(&str, Json); N]) -> Self {
        Self::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    /// The only value of a text.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let mut rest = Reader(text.chars().peekable());
        let value = rest.value(0)?;
        rest.skip_space();
        rest.0.next().is_none().then_some(value)
    }

    /// A field of an object. Resource Manager ignores the case of names.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Object(fields) = self else { return None };
        let found = fields.iter().find(|(other, _)| other.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value).filter(|value| **value != Self::Null)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            _ => None,
        }
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Number(number) => write!(f, "{number}"),
            Self::Text(text) => quote(f, text),
            Self::List(values) => {
                f.write_str("[")?;
                for (at, value) in values.iter().enumerate() {
                    let comma = if at == 0 { "" } else { "," };
                    write!(f, "{comma}{value}")?;
                }
                f.write_str("]")
            }
            Self::Object(fields) => {
                f.write_str("{")?;
                for (at, (name, value)) in fields.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { "," })?;
                    quote(f, name)?;
                    write!(f, ":{value}")?;
                }
                f.write_str("}")
            }
        }
    }
}

fn quote(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            c if c < ' ' => write!(f, "\\u{:04x}", u32::from(c))?,
            c => write!(f, "{c}")?,
        }
    }
    f.write_str("\"")
}

struct Reader<'a>(Peekable<Chars<'a>>);

impl Reader<'_> {
    fn skip_space(&mut self) {
        while self.0.next_if(|c| matches!(c, ' ' | '\t' | '\r' | '\n')).is_some() {}
    }

    /// Steps over this character, after any space.
    fn eat(&mut self, wanted: char) -> Option<()> {
        self.skip_space();
        self.0.next_if_eq(&wanted).map(|_| ())
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        self.skip_space();
        if depth > DEEPEST {
            return None;
        }
        match self.0.peek()? {
            '"' => self.string().map(Json::Text),
            '{' => self
                .items('{', '}', |it| {
                    it.skip_space();
                    let name = it.string()?;
                    it.eat(':')?;
                    Some((name, it.value(depth + 1)?))
                })
                .map(Json::Object),
            '[' => self.items('[', ']', |it| it.value(depth + 1)).map(Json::List),
            _ => self.word(),
        }
    }

    fn items<T>(
        &mut self,
        open: char,
        close: char,
        mut item: impl FnMut(&mut Self) -> Option<T>,
    ) -> Option<Vec<T>> {
        self.eat(open)?;
        let mut items = Vec::new();
        if self.eat(close).is_some() {
            return Some(items);
        }
        loop {
            items.push(item(self)?);
            if self.eat(close).is_some() {
                return Some(items);
            }
            self.eat(',')?;
        }
    }

    fn word(&mut self) -> Option<Json> {
        let mut word = String::new();
        while let Some(c) = self.0.next_if(|c| c.is_ascii_alphanumeric() || "+-.".contains(*c)) {
            word.push(c);
        }
        match word.as_str() {
            "null" => Some(Json::Null),
            "true" => Some(Json::Flag(true)),
            "false" => Some(Json::Flag(false)),
            number => number.parse().ok().filter(|it: &f64| it.is_finite()).map(Json::Number),
        }
    }

    fn string(&mut self) -> Option<String> {
        self.0.next_if_eq(&'"')?;
        let mut text = String::new();
        loop {
            match self.0.next()? {
                '"' => return Some(text),
                '\\' => match self.0.next()? {
                    'n' => text.push('\n'),
                    't' => text.push('\t'),
                    'r' => text.push('\r'),
                    'u' => {
                        let digits: String = self.0.by_ref().take(4).collect();
                        text.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    c @ ('"' | '\\' | '/') => text.push(c),
                    _ => return None,
                },
                c => text.push(c),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read_and_written() {
        let text = "{\"a\":[1,2.5,-3],\"b\":{\"c\":\"x\\\"\\\\y\\u0001é\"},\"d\":true,\"e\":null,\"f\":[]}";
        let read = Json::read(text).unwrap();
        assert_eq!(read.to_string(), text);
        assert_eq!(read.field("A").unwrap().to_string(), "[1,2.5,-3]");
        assert_eq!(read.field("b").and_then(|b| b.field("C")?.text()), Some("x\"\\y\u{1}é"));
        assert!(read.field("e").is_none() && read.field("g").is_none());
        let spaced = Json::read(" { \"access\" : \"Read\" ,\n\"duration\": 300 } ").unwrap();
        assert_eq!(spaced.field("duration").and_then(Json::number), Some(300.0));
    }

    #[test]
    fn what_is_no_json_is_not_read() {
        let deep = "[".repeat(10_000);
        for text in ["", "{", "{\"a\"}", "[1,]", "nothing", "1 2", "\"a", "{\"a\":1,}", &deep] {
            assert_eq!(Json::read(text), None, "{text:.20}");
        }
    }
}
