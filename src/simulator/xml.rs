//! Writes the service's XML: with a byte-order mark, as the service does.

use bytes::Bytes;

/// An XML document that grows by appending.
#[derive(Debug)]
pub(crate) struct Xml(String);

impl Xml {
    pub(crate) fn new() -> Self {
        Self("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_owned())
    }

    /// Writes `<name>`, then what `content` writes, then `</name>`.
    pub(crate) fn element(&mut self, name: &str, content: impl FnOnce(&mut Self)) {
        self.0.push('<');
        self.0.push_str(name);
        self.0.push('>');
        content(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
    }

    pub(crate) fn text_element(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.text(text));
    }

    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\t' | '\n' | '\r' => self.0.push(character),
                // Not allowed in XML 1.0, however it is written.
                c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                    self.0.push('\u{fffd}')
                }
                c => self.0.push(c),
            }
        }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.0.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_is_escaped_and_the_mark_comes_first() {
        let mut xml = Xml::new();
        xml.element("A", |xml| {
            xml.text_element("B", "a<b>&\"c\"\u{1}");
        });
        let written = String::from_utf8(xml.into_bytes().to_vec()).unwrap();
        assert!(written.starts_with("\u{feff}<?xml "));
        assert!(written.ends_with("<A><B>a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}</B></A>"));
    }
}
