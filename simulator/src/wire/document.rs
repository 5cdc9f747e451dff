//! Parses the XML body of a request.

use quick_xml::{Reader, escape::resolve_predefined_entity, events::Event};

use super::{
    call::Call,
    error::{Code, Refusal},
};

/// No body of the service nests elements more deeply than this.
const DEEPEST: usize = 8;

/// An element and its content.
#[derive(Debug, Default)]
pub(crate) struct Element {
    pub(crate) name: String,
    pub(crate) text: String,
    pub(crate) children: Vec<Element>,
}

impl Element {
    /// The body of a request, whose root element must be `name`.
    pub(crate) fn of(call: &Call, name: &str) -> Result<Self, Refusal> {
        let found = Self::read(&call.body).filter(|element| element.name == name);
        Ok(found.ok_or(Code::InvalidXmlDocument)?)
    }

    pub(crate) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The text of a child, unless it is empty.
    pub(crate) fn child_text(&self, name: &str) -> Option<&str> {
        self.child(name).map(|child| child.text.trim()).filter(|text| !text.is_empty())
    }

    /// The root element of a document.
    pub(crate) fn read(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let mut reader = Reader::from_reader(text.trim_start_matches('\u{feff}').as_bytes());
        // The first of these represents the document.
        let mut open = vec![Self::default()];
        loop {
            match reader.read_event().ok()? {
                Event::Start(start) if open.len() <= DEEPEST => {
                    open.push(Self { name: start.name().0.to_owned(), ..Self::default() });
                }
                Event::Start(_) | Event::DocType(_) => return None,
                Event::Empty(start) => {
                    let name = start.name().0.to_owned();
                    open.last_mut()?.children.push(Self { name, ..Self::default() });
                }
                Event::End(_) => {
                    let done = open.pop()?;
                    open.last_mut()?.children.push(done);
                }
                Event::Text(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
                Event::CData(text) => open.last_mut()?.text.push_str(&text.xml10_content()),
                Event::GeneralRef(reference) => match reference.resolve_char_ref().ok()? {
                    Some(character) => open.last_mut()?.text.push(character),
                    None => {
                        open.last_mut()?.text.push_str(resolve_predefined_entity(&reference)?);
                    }
                },
                Event::Eof => break,
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            }
        }
        let document = open.pop().filter(|_| open.is_empty())?;
        if !document.text.trim().is_empty() || document.children.len() != 1 {
            return None;
        }
        document.children.into_iter().next()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_texts_and_references_are_read() {
        let body = "\u{feff}<?xml version=\"1.0\"?>\n<A>\n<B>x&amp;&#65;</B><C/><!-- no --></A>\n";
        let read = Element::read(body.as_bytes()).unwrap();
        assert_eq!(read.name, "A");
        assert_eq!(read.child_text("B"), Some("x&A"));
        assert_eq!((read.child("C").is_some(), read.child_text("C")), (true, None));
    }

    #[test]
    fn what_is_no_document_is_not_read() {
        let deep = "<a>".repeat(10_000);
        for body in ["", "text", "<A>", "<A></B>", "<A/><B/>", "<A>&unknown;</A>", &deep] {
            assert!(Element::read(body.as_bytes()).is_none(), "{body:.40}");
        }
        assert!(Element::read(b"<A>\xff</A>").is_none());
    }
}
