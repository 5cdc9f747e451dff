//! Walks the service's XML once, from front to back, borrowing from the bytes.

use std::{borrow::Cow, io::BufRead, str::Utf8Error};

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
};

/// An XML document that is being read.
///
/// A byte-order mark is passed over; comments, instructions and declarations are too.
pub(crate) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    /// The tag that was opened last, without its angle brackets.
    tag: &'a [u8],
    /// Whether that element has no content: `<Element/>`.
    empty: bool,
}

/// What comes next within an element.
pub(crate) enum Node<'a> {
    /// An element within it, by its name.
    Open(&'a [u8]),
    /// A piece of its text, unescaped.
    Text(Cow<'a, str>),
    /// Its end.
    Close,
}

/// Why a document cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Malformed(Cow<'static, str>);

impl<'a> Xml<'a> {
    /// Enters the outermost element, which must be `name`.
    pub(crate) fn enter(body: &'a [u8], name: &str) -> Result<Self, Malformed> {
        let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body);
        let mut xml = Self { reader: Reader::from_reader(body), tag: b"", empty: false };
        loop {
            match xml.next()? {
                Node::Open(root) if root == name.as_bytes() => return Ok(xml),
                Node::Open(root) => {
                    let found: String = String::from_utf8_lossy(root).chars().take(40).collect();
                    return Err(Malformed::new(format!("<{found}> stands where <{name}> must")));
                }
                Node::Text(text) if text.trim().is_empty() => {}
                Node::Text(_) | Node::Close => return Err(Malformed::new("it is not XML")),
            }
        }
    }

    /// The name of the next element within the one that is open; it must then be read with
    /// [`text`](Self::text), [`skip`](Self::skip) or this. `None` at the end of the open one.
    pub(crate) fn child(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        if std::mem::take(&mut self.empty) {
            return Ok(None);
        }
        loop {
            let rest = *self.reader.get_ref();
            match self.reader.read_event()? {
                Event::Start(element) => return Ok(Some(self.opened(rest, &element))),
                Event::Empty(element) => {
                    self.empty = true;
                    return Ok(Some(self.opened(rest, &element)));
                }
                Event::End(_) => return Ok(None),
                Event::Eof => return Err(Malformed::CUT_SHORT),
                _ => {}
            }
        }
    }

    /// Remembers a tag that has just been read from the front of `rest`, and gives its name.
    ///
    /// The event's own name would not outlive the event, and copying events about is what takes
    /// most of the time beside reading them.
    fn opened(&mut self, rest: &'a [u8], element: &BytesStart<'_>) -> &'a [u8] {
        self.tag = &rest[1..=element.len()];
        &self.tag[..element.name().0.len()]
    }

    /// An attribute of the element that was just opened.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let tag = str::from_utf8(self.tag).ok()?;
        let (element, _) = tag.split_once(|c: char| c.is_ascii_whitespace())?;
        let tag = BytesStart::from_content(tag, element.len());
        let attribute = tag.try_get_attribute(name).ok()??;
        Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned().into())
    }

    /// The text of the element that was just opened, up to and with its end.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        if std::mem::take(&mut self.empty) {
            return Ok(Cow::Borrowed(""));
        }
        // Most text is in one piece that stands as it is; taking it here saves the reader an event.
        let rest: &'a [u8] = self.reader.get_ref();
        let plain = memchr::memchr3(b'<', b'&', b'\r', rest).unwrap_or(0);
        let mut text = Cow::Borrowed(str::from_utf8(&rest[..plain])?);
        self.reader.stream().consume(plain);
        loop {
            let piece = match self.reader.read_event()? {
                Event::End(_) => return Ok(text),
                Event::Text(piece) => piece.xml10_content(),
                Event::CData(piece) => piece.xml10_content(),
                Event::GeneralRef(reference) => resolve(&reference)?,
                Event::Start(_) => {
                    self.skip()?;
                    continue;
                }
                Event::Eof => return Err(Malformed::CUT_SHORT),
                _ => continue,
            };
            match text.is_empty() {
                true => text = piece,
                false => text.to_mut().push_str(&piece),
            }
        }
    }

    /// Passes over the element that was just opened, with all it holds.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        if std::mem::take(&mut self.empty) {
            return Ok(());
        }
        let mut open = 1;
        while open > 0 {
            match self.reader.read_event()? {
                Event::Start(_) => open += 1,
                Event::End(_) => open -= 1,
                Event::Eof => return Err(Malformed::CUT_SHORT),
                _ => {}
            }
        }
        Ok(())
    }

    /// What comes next, whatever it is.
    pub(crate) fn next(&mut self) -> Result<Node<'a>, Malformed> {
        if std::mem::take(&mut self.empty) {
            return Ok(Node::Close);
        }
        loop {
            let rest = *self.reader.get_ref();
            match self.reader.read_event()? {
                Event::Start(element) => return Ok(Node::Open(self.opened(rest, &element))),
                Event::Empty(element) => {
                    self.empty = true;
                    return Ok(Node::Open(self.opened(rest, &element)));
                }
                Event::End(_) => return Ok(Node::Close),
                Event::Text(text) => return Ok(Node::Text(text.xml10_content())),
                Event::CData(text) => return Ok(Node::Text(text.xml10_content())),
                Event::GeneralRef(reference) => return Ok(Node::Text(resolve(&reference)?)),
                Event::Eof => return Err(Malformed::CUT_SHORT),
                Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
            }
        }
    }
}

/// The character that a reference such as `&amp;` or `&#65;` stands for.
fn resolve(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, Malformed> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(Cow::Owned(character.to_string()));
    }
    resolve_predefined_entity(reference)
        .map(Cow::Borrowed)
        .ok_or_else(|| Malformed::new("it names an entity that XML has not"))
}

impl Malformed {
    const CUT_SHORT: Self = Self(Cow::Borrowed("it ends before its last element does"));

    pub(crate) fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self(why.into())
    }
}

impl From<Utf8Error> for Malformed {
    fn from(error: Utf8Error) -> Self {
        Self(error.to_string().into())
    }
}

impl From<quick_xml::Error> for Malformed {
    fn from(error: quick_xml::Error) -> Self {
        Self(error.to_string().into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(body: &[u8]) -> Result<Vec<String>, Malformed> {
        let mut xml = Xml::enter(body, "R")?;
        let mut texts = Vec::new();
        while let Some(element) = xml.child()? {
            match element {
                b"T" => texts.push(xml.text()?.into_owned()),
                _ => xml.skip()?,
            }
        }
        Ok(texts)
    }

    #[test]
    fn texts_are_unescaped_and_what_is_not_asked_for_is_passed_over() {
        let cases: [(&str, &[&str]); 8] = [
            ("<R/>", &[]),
            ("\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>\r\n<R><T>a</T></R>", &["a"]),
            ("\u{feff}\n<R><T/><T></T><T> b </T></R>\n", &["", "", " b "]),
            ("<R><T>a&amp;b&lt;c&#x41;&#66;&quot;</T></R>", &["a&b<cAB\""]),
            ("<R><T><![CDATA[<&>]]>!</T><T>é</T></R>", &["<&>!", "é"]),
            ("<R>x<U><T>no</T><U/><U><T>no</T></U></U>y<T>yes</T></R>", &["yes"]),
            ("<R><!-- <T>no</T> --><T>a<U>no</U>b<!-- c -->c</T></R>", &["abc"]),
            ("<!DOCTYPE R><R a='1'><T x=\"2>\">a</T></R>", &["a"]),
        ];
        for (body, expected) in cases {
            assert_eq!(texts(body.as_bytes()).expect(body), expected, "{body}");
        }
    }

    #[test]
    fn what_is_cut_short_or_not_xml_is_an_error() {
        let cases: [&[u8]; 16] = [
            b"",
            b"   ",
            b"not xml",
            b"{\"error\":1}",
            b"<R>",
            b"<R><T>a</T>",
            b"<R><T>a",
            b"<R><T",
            b"<R></T></R>",
            b"<R><T>a</R>",
            b"<R><T>&nbsp;</T></R>",
            b"<R><T>&amp</T></R>",
            b"<R><T>&#xD800;</T></R>",
            b"<R><T>\xff</T></R>",
            b"</R>",
            b"<html><R/></html>",
        ];
        for body in cases {
            assert!(texts(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
    }
}
