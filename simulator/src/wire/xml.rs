//! Writes the service's XML, with a byte-order mark as the service does.

use bytes::Bytes;

/// An XML document that grows by appending.
#[derive(Debug)]
pub(crate) struct Xml(String);

impl Xml {
    pub(crate) fn new() -> Self {
        Self("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_owned())
    }

    /// Writes `<name>`, then what `content` writes, then `</name>`.
    pub(crate) fn element<T>(&mut self, name: &str, content: impl FnOnce(&mut Self) -> T) -> T {
        self.element_with(name, &[], content)
    }

    /// The same with attributes.
    pub(crate) fn element_with<T>(
        &mut self,
        name: &str,
        attributes: &[(&str, &str)],
        content: impl FnOnce(&mut Self) -> T,
    ) -> T {
        self.0.push('<');
        self.0.push_str(name);
        for (attribute, value) in attributes {
            self.0.push(' ');
            self.0.push_str(attribute);
            self.0.push_str("=\"");
            self.text(value);
            self.0.push('"');
        }
        self.0.push('>');
        let written = content(self);
        self.0.push_str("</");
        self.0.push_str(name);
        self.0.push('>');
        written
    }

    pub(crate) fn text_element(&mut self, name: &str, text: &str) {
        self.element(name, |xml| xml.text(text));
    }

    /// Writes a text element, or `<name />` if there is no text.
    pub(crate) fn maybe_element(&mut self, name: &str, text: Option<&str>) {
        match text.filter(|text| !text.is_empty()) {
            Some(text) => self.text_element(name, text),
            None => {
                self.0.push('<');
                self.0.push_str(name);
                self.0.push_str(" />");
            }
        }
    }

    pub(crate) fn text(&mut self, text: &str) {
        let plain =
            |byte| matches!(byte, b' '..=b'~') && !matches!(byte, b'&' | b'<' | b'>' | b'"');
        if text.bytes().all(plain) {
            return self.0.push_str(text);
        }
        for character in text.chars() {
            match character {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                // An XML parser would turn it into a line feed.
                '\r' => self.0.push_str("&#xD;"),
                c if is_allowed(c) => self.0.push(c),
                _ => self.0.push('\u{fffd}'),
            }
        }
    }

    pub(crate) fn into_bytes(self) -> Bytes {
        self.0.into()
    }
}

/// Whether XML 1.0 can represent a character at all.
pub(crate) fn is_allowed(character: char) -> bool {
    match character {
        '\t' | '\n' | '\r' => true,
        c => c >= ' ' && !matches!(c, '\u{fffe}' | '\u{ffff}'),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_in_text_is_escaped_and_the_mark_comes_first() {
        let mut xml = Xml::new();
        xml.element("A", |xml| {
            xml.text_element("B", "a<b>&\"c\"\u{1}\r");
            xml.maybe_element("C", Some(""));
        });
        let written = String::from_utf8(xml.into_bytes().to_vec()).unwrap();
        assert!(written.starts_with("\u{feff}<?xml "));
        assert!(written.ends_with("<A><B>a&lt;b&gt;&amp;&quot;c&quot;\u{fffd}&#xD;</B><C /></A>"));
    }
}
