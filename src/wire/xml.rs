//! Reads the service's XML in one pass, borrowing from the bytes.

use std::borrow::Cow;

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesRef, BytesStart, Event},
};

use super::malformed::Malformed;

/// A reader of an XML document.
///
/// It skips a byte-order mark, comments, processing instructions and declarations.
pub(crate) struct Xml<'a> {
    reader: Reader<&'a [u8]>,
    open: Vec<&'a [u8]>,
    /// The last opened tag, without its angle brackets.
    tag: &'a [u8],
    /// Whether that element is empty: `<Element/>`.
    empty: bool,
}

/// What was read: a tag, or another event.
enum Step<'a> {
    Open(&'a [u8]),
    Close,
    Other(Event<'a>),
}

/// The next part of an element.
pub(crate) enum Node<'a> {
    /// A child element, by its name.
    Open(&'a [u8]),
    /// A piece of its text, unescaped.
    Text(Cow<'a, str>),
    /// Its end.
    Close,
}

/// The most open elements: far more than the service ever nests.
const DEEPEST: usize = 64;

impl<'a> Xml<'a> {
    /// Enters the root element, which must be `name`.
    pub(crate) fn enter(body: &'a [u8], name: &str) -> Result<Self, Malformed> {
        let document = str::from_utf8(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body))?;
        let mut reader = Reader::from_str(document);
        let config = reader.config_mut();
        (config.check_end_names, config.allow_unmatched_ends) = (false, true);
        let (open, tag, empty) = (Vec::new(), &b""[..], false);
        let mut xml = Self { reader, open, tag, empty };
        loop {
            match xml.next()? {
                Node::Open(root) if root == name.as_bytes() => return Ok(xml),
                Node::Open(root) => {
                    let found: String = String::from_utf8_lossy(root).chars().take(40).collect();
                    return Err(Malformed::new(format!("<{found}> instead of <{name}>")));
                }
                Node::Text(text) if text.trim().is_empty() => {}
                Node::Text(_) | Node::Close => return Err(Malformed::new("it is not XML")),
            }
        }
    }

    /// How many bytes are left.
    pub(crate) fn remaining(&self) -> usize {
        self.reader.get_ref().len()
    }

    /// The name of the next child of the open element; `None` at its end. Read the child with
    /// [`text`](Self::text), [`skip`](Self::skip) or this.
    pub(crate) fn child(&mut self) -> Result<Option<&'a [u8]>, Malformed> {
        loop {
            match self.step()? {
                Step::Open(element) => return Ok(Some(element)),
                Step::Close => return Ok(None),
                Step::Other(Event::Eof) => return Err(cut_short()),
                Step::Other(_) => {}
            }
        }
    }

    fn step(&mut self) -> Result<Step<'a>, Malformed> {
        if std::mem::take(&mut self.empty) {
            return Ok(Step::Close);
        }
        let rest = *self.reader.get_ref();
        let event = self.reader.read_event()?;
        match event {
            Event::Start(element) => {
                let (tag, name) = (element.len(), element.name().0.len());
                self.opened(&rest[1..=tag], name)
            }
            Event::Empty(element) => {
                self.empty = true;
                self.tag = &rest[1..=element.len()];
                Ok(Step::Open(&self.tag[..element.name().0.len()]))
            }
            Event::End(element) => self.closed(element.name().0.as_bytes()),
            other => Ok(Step::Other(other)),
        }
    }

    fn opened(&mut self, tag: &'a [u8], name: usize) -> Result<Step<'a>, Malformed> {
        if self.open.len() >= DEEPEST {
            return Err(Malformed::new("its elements are nested too deeply"));
        }
        self.tag = tag;
        self.open.push(&tag[..name]);
        Ok(Step::Open(&tag[..name]))
    }

    fn closed(&mut self, name: &[u8]) -> Result<Step<'a>, Malformed> {
        if self.open.pop() == Some(name) {
            return Ok(Step::Close);
        }
        let name: String = String::from_utf8_lossy(name).chars().take(40).collect();
        Err(Malformed::new(format!("</{name}> ends another element")))
    }

    /// An attribute of the last opened element.
    pub(crate) fn attribute(&self, name: &str) -> Option<Cow<'a, str>> {
        let tag = str::from_utf8(self.tag).ok()?;
        let (element, _) = tag.split_once(|c: char| c.is_ascii_whitespace())?;
        let tag = BytesStart::from_content(tag, element.len());
        let attribute = tag.try_get_attribute(name).ok()??;
        Some(attribute.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned().into())
    }

    /// The text of the last opened element. Reads past its end.
    pub(crate) fn text(&mut self) -> Result<Cow<'a, str>, Malformed> {
        if std::mem::take(&mut self.empty) {
            return Ok(Cow::Borrowed(""));
        }
        let mut text = Cow::Borrowed("");
        loop {
            let piece = match self.step()? {
                Step::Close => return Ok(text),
                Step::Open(_) => {
                    self.skip()?;
                    continue;
                }
                Step::Other(event) => match read(event)? {
                    None => continue,
                    Some(piece) => piece,
                },
            };
            match text.is_empty() {
                true => text = piece,
                false => text.to_mut().push_str(&piece),
            }
        }
    }

    /// Skips the last opened element with its content.
    pub(crate) fn skip(&mut self) -> Result<(), Malformed> {
        let mut open = 1;
        while open > 0 {
            match self.step()? {
                Step::Open(_) => open += 1,
                Step::Close => open -= 1,
                Step::Other(Event::Eof) => return Err(cut_short()),
                Step::Other(_) => {}
            }
        }
        Ok(())
    }

    /// The next part, of any kind.
    pub(crate) fn next(&mut self) -> Result<Node<'a>, Malformed> {
        loop {
            match self.step()? {
                Step::Open(name) => return Ok(Node::Open(name)),
                Step::Close => return Ok(Node::Close),
                Step::Other(event) => {
                    if let Some(text) = read(event)? {
                        return Ok(Node::Text(text));
                    }
                }
            }
        }
    }
}

/// The unescaped text of an event, if it has any.
fn read(event: Event<'_>) -> Result<Option<Cow<'_, str>>, Malformed> {
    Ok(match event {
        Event::Text(text) => Some(text.xml10_content()),
        Event::CData(text) => Some(text.xml10_content()),
        Event::GeneralRef(reference) => Some(resolve(&reference)?),
        Event::Eof => return Err(cut_short()),
        _ => None,
    })
}

/// The character that a reference such as `&amp;` or `&#65;` stands for.
fn resolve(reference: &BytesRef<'_>) -> Result<Cow<'static, str>, Malformed> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(Cow::Owned(character.to_string()));
    }
    resolve_predefined_entity(reference)
        .map(Cow::Borrowed)
        .ok_or_else(|| Malformed::new("it has an unknown entity"))
}

/// The error of a document that ends too early.
fn cut_short() -> Malformed {
    Malformed::new("it ends before its last element does")
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

    #[test]
    fn elements_nest_only_so_deep() {
        let nested = |deep: usize| format!("<R>{}{}</R>", "<U>".repeat(deep), "</U>".repeat(deep));
        assert!(texts(nested(DEEPEST - 1).as_bytes()).is_ok());
        let attributes = nested(DEEPEST).replace("<U>", "<U a='1'>");
        for deep in [nested(DEEPEST), attributes, nested(1_000_000)] {
            let error = texts(deep.as_bytes()).expect_err("too deep").to_string();
            assert!(error.contains("nested too deeply"), "{error}");
        }
    }

    /// The same as `texts`, by the inner reader alone.
    fn texts_of_the_reader(body: &[u8]) -> Result<Vec<String>, Malformed> {
        let mut reader = Reader::from_reader(body);
        let (mut texts, mut depth, mut wanted) = (Vec::new(), 0, false);
        loop {
            let event = reader.read_event()?;
            match &event {
                Event::Start(element) => {
                    depth += 1;
                    if depth == 2 {
                        wanted = element.name().0 == "T";
                        texts.extend(wanted.then(String::new));
                    }
                }
                Event::Empty(element) if depth == 1 && element.name().0 == "T" => {
                    texts.push(String::new());
                }
                Event::End(_) if depth == 1 => return Ok(texts),
                Event::End(_) => depth -= 1,
                Event::Eof => return Err(cut_short()),
                _ => {}
            }
            if depth == 2
                && wanted
                && let (Some(piece), Some(text)) = (read(event)?, texts.last_mut())
            {
                text.push_str(&piece);
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_taken_past_the_reader_is_what_it_would_have_read(
            pieces in proptest::collection::vec(
                proptest::sample::select(vec![
                    "<T>", "</T>", "<T>a</T>", "<T>", "</T>", "<U>", "</U>", "<T/>", "<U />", "<T\n>",
                    "</T >", "<T a='>'>", "<U b=\"</U>\"/>", "x", " ", "\r\n", "é", "&amp;", "&#65;", ">",
                    "=", "<!-- <T> -->", "<![CDATA[</T>]]>", "<?T > ?>",
                ]),
                0..12,
            )
        ) {
            let body = format!("<R>{}</R>", pieces.concat());
            let (ours, theirs) = (texts(body.as_bytes()), texts_of_the_reader(body.as_bytes()));
            proptest::prop_assert_eq!(ours.ok(), theirs.ok(), "{}", body);
        }
    }
}
