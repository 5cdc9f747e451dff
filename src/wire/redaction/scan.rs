//! Finds the secrets in a text, in one pass.
//!
//! A secret is recognized by what precedes it: the name of a parameter, header or field, or a
//! scheme such as `Bearer`. In a query every value is secret unless its name is known to be
//! harmless. Keys and JSON web tokens are also recognized by their form.
//!
//! Percent-encoding and JSON escapes are decoded first, at any depth: a URL in a parameter of
//! another URL is read as a URL.

use std::{borrow::Cow, ops::Range};

use base64::{Engine, engine::general_purpose::STANDARD};

use super::{
    REDACTED,
    names::{
        is_harmless_parameter, is_no_token, is_secret_field, is_secret_header, is_secret_name,
    },
};

/// The longest name that is checked, in bytes.
const LONGEST_NAME: usize = 64;

/// The fewest base64 digits, without `=`, that may be a key: those of 32 bytes.
const KEY_DIGITS: usize = 43;

/// The base64 digits of an account key, without `==`.
const ACCOUNT_KEY_DIGITS: usize = 86;

/// The shortest JSON web token: its header alone is longer.
const SHORTEST_JWT: usize = 40;

/// Text without percent-encoding and JSON escapes, and the origin of each byte.
pub(super) struct View<'a> {
    bytes: Cow<'a, [u8]>,
    /// For each byte its position in the text, and how often it was encoded. Empty if nothing is
    /// encoded.
    places: Vec<(usize, u8)>,
    length: usize,
    #[cfg(test)]
    pub(super) steps: std::cell::Cell<usize>,
}

impl<'a> View<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        let raw = text.as_bytes();
        let mut view = Self {
            bytes: Cow::Borrowed(raw),
            places: Vec::new(),
            length: raw.len(),
            #[cfg(test)]
            steps: std::cell::Cell::new(0),
        };
        if raw.contains(&b'%') {
            view.undo(decoded);
        }
        if view.bytes.contains(&b'\\') {
            view.undo(unescaped);
        }
        view
    }

    /// Removes one kind of encoding; `one` decodes one byte.
    fn undo(&mut self, one: fn(&[u8], usize) -> (u8, usize, u8)) {
        let mut bytes = Vec::with_capacity(self.bytes.len());
        let mut places = Vec::with_capacity(self.bytes.len());
        let mut at = 0;
        while at < self.bytes.len() {
            let (byte, next, depth) = one(&self.bytes, at);
            bytes.push(byte);
            places.push((self.place(at), depth.saturating_add(self.depth(next - 1))));
            at = next;
        }
        (self.bytes, self.places) = (Cow::Owned(bytes), places);
    }

    /// The position of a byte in the text; the end of the text after the last byte.
    pub(super) fn place(&self, at: usize) -> usize {
        match self.places.is_empty() {
            true => at,
            false => self.places.get(at).map_or(self.length, |(place, _)| *place),
        }
    }

    /// How often a byte was encoded.
    fn depth(&self, at: usize) -> u8 {
        self.places.get(at).map_or(0, |(_, depth)| *depth)
    }

    fn byte(&self, at: usize) -> Option<u8> {
        #[cfg(test)]
        self.steps.set(self.steps.get() + 1);
        self.bytes.get(at).copied()
    }

    /// The first position from `at` on for which `goes_on` is false, or the end.
    fn skip(&self, mut at: usize, goes_on: impl Fn(u8, usize) -> bool) -> usize {
        while self.byte(at).is_some_and(|byte| goes_on(byte, at)) {
            at += 1;
        }
        at
    }

    fn skip_spaces(&self, at: usize) -> usize {
        self.skip(at, |byte, _| byte == b' ' || byte == b'\t')
    }
}

/// Decodes one byte; returns it, the position of the next, and how often it was encoded.
fn decoded(raw: &[u8], at: usize) -> (u8, usize, u8) {
    let (mut digits, mut depth) = (at + 1, 1_u8);
    if raw[at] != b'%' || pair(raw, digits).is_none() {
        return (raw[at], at + 1, 0);
    }
    // `%253D` is `%3D` encoded, and that is `=` encoded.
    while raw[digits..].starts_with(b"25") && pair(raw, digits + 2).is_some() {
        digits += 2;
        depth = depth.saturating_add(1);
    }
    (pair(raw, digits).unwrap_or(b'%'), digits + 2, depth)
}

/// Like [`decoded`], for JSON: escapes of quotes, slashes, line ends and ASCII characters. Other
/// runs of backslashes count as one.
fn unescaped(raw: &[u8], at: usize) -> (u8, usize, u8) {
    if raw[at] != b'\\' {
        return (raw[at], at + 1, 0);
    }
    let run = raw[at..].iter().take_while(|byte| **byte == b'\\').count();
    let end = at + run;
    let (byte, length) = match raw.get(end) {
        Some(byte @ (b'"' | b'\'' | b'/')) => (*byte, 1),
        Some(b'n') => (b'\n', 1),
        Some(b'r') => (b'\r', 1),
        Some(b'u') if raw[end + 1..].starts_with(b"00") => match pair(raw, end + 3) {
            Some(byte) if byte.is_ascii() => (byte, 5),
            _ => return (b'\\', end, 0),
        },
        _ => return (b'\\', end, 0),
    };
    match run % 2 {
        // `\\\"` is `\"` escaped, and that is `"` escaped.
        1 => (byte, end + length, u8::try_from(run.ilog2() + 1).unwrap_or(u8::MAX)),
        _ => (b'\\', end, 0),
    }
}

/// The byte of two hexadecimal digits.
fn pair(raw: &[u8], at: usize) -> Option<u8> {
    let digit = |at: usize| char::from(*raw.get(at)?).to_digit(16);
    u8::try_from(digit(at)? << 4 | digit(at + 1)?).ok()
}

/// What a text starts as.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Start {
    Text,
    Query,
}

/// The ranges of all secrets in the view, in order, without overlap.
pub(super) fn secrets(view: &View<'_>, start: Start) -> Vec<Range<usize>> {
    let begins = (start == Start::Query).then_some(0);
    let query = begins.map(|_| 0);
    let (found, authority) = (Vec::new(), None);
    let mut scan = Scan { view, found, query, name_from: begins, authority, nested: false };
    let mut at = 0;
    while at < view.bytes.len() {
        let word = at..view.skip(at, |byte, _| is_word(byte));
        at = scan.forms(word.clone()).unwrap_or_else(|| scan.sign(word));
    }
    scan.found
}

/// The state of the scan at its position.
struct Scan<'v, 'a> {
    view: &'v View<'a>,
    found: Vec<Range<usize>>,
    /// Set in a query: how often the query's `?` was encoded.
    query: Option<u8>,
    /// The start of the current parameter name.
    name_from: Option<usize>,
    /// The start of the current authority of a URL.
    authority: Option<usize>,
    /// Whether it is in a URL that is wholly encoded.
    nested: bool,
}

impl Scan<'_, '_> {
    /// Finds secrets in a word by their form. Returns where to continue, if a key ends after the
    /// word.
    fn forms(&mut self, word: Range<usize>) -> Option<usize> {
        if word.len() < SHORTEST_JWT {
            return None;
        }
        let (mut token, mut digits) = (word.start, word.start);
        for at in word.start..=word.end {
            let byte = if at < word.end { self.view.byte(at) } else { None };
            if !byte.is_some_and(is_name) {
                self.web_token(token..at);
                token = at + 1;
            }
            if !byte.is_some_and(is_base64) {
                let run = digits..at;
                digits = at + 1;
                if at == word.end {
                    return self.key(run);
                }
                self.bare_key(run);
            }
        }
        None
    }

    /// Hides `header.payload.signature`.
    fn web_token(&mut self, run: Range<usize>) {
        let text = &self.view.bytes[run.clone()];
        if text.len() >= SHORTEST_JWT
            && text[..3].eq_ignore_ascii_case(b"eyj")
            && text.iter().filter(|byte| **byte == b'.').count() >= 2
        {
            self.hide(run);
        }
    }

    /// Hides a key in base64 at the end of a word, with its padding. Returns where to continue.
    fn key(&mut self, run: Range<usize>) -> Option<usize> {
        let end = self.view.skip(run.end, |byte, at| byte == b'=' && at < run.end + 2);
        let goes_on = |byte| byte != b'/' && (is_base64(byte) || byte == b'=');
        let ends = !self.view.byte(end).is_some_and(goes_on);
        if run.len() < KEY_DIGITS || end == run.end || !ends || self.is_number(run.start..end) {
            self.bare_key(run);
            return None;
        }
        self.hide(run.start..end);
        Some(end)
    }

    /// Whether it is a number in base64: Microsoft's SDK for Python makes such block ids.
    fn is_number(&self, base64: Range<usize>) -> bool {
        let bytes = STANDARD.decode(&self.view.bytes[base64]);
        bytes.is_ok_and(|bytes| bytes.iter().all(u8::is_ascii_digit))
    }

    /// Hides an account key without its `==`, alone or in a path.
    fn bare_key(&mut self, run: Range<usize>) {
        let view = self.view;
        let mut start = run.start;
        while start + ACCOUNT_KEY_DIGITS <= run.end {
            let end = start + ACCOUNT_KEY_DIGITS;
            let ends = end == run.end || view.byte(end) == Some(b'/');
            let key = ends && is_random((start..end).map_while(|at| view.byte(at)));
            if key {
                self.hide(start..end);
                start = end;
            }
            start = view.skip(start, |byte, at| at < run.end && byte != b'/') + 1;
        }
    }

    /// Handles the byte after a word. Returns where to continue.
    fn sign(&mut self, word: Range<usize>) -> usize {
        let at = word.end;
        let Some(byte) = self.view.byte(at) else { return at };
        match byte {
            b'?' | b'#' => {
                let depth = self.view.depth(at);
                // A query inside a parameter belongs to the outer query, and an encoded `?` is part
                // of a name, unless the whole URL is encoded.
                if byte == b'?' && self.query.is_none() && (depth == 0 || self.nested) {
                    self.query = Some(depth);
                }
                self.name_from = self.query.map(|_| at + 1);
                self.authority = None;
            }
            b'&' => self.name_from = self.query.map(|_| at + 1),
            b'=' => return self.value(word),
            b':' => return self.header(word),
            b'@' => self.user_info(at),
            b'"' | b'\'' => {
                self.leave_query(at);
                return self.quoted(word);
            }
            _ if ends_url(byte) => {
                self.leave_query(at);
                return self.scheme(word);
            }
            _ => {}
        }
        at + 1
    }

    fn leave_query(&mut self, at: usize) {
        if self.query.is_some_and(|depth| self.view.depth(at) <= depth) {
            (self.query, self.name_from) = (None, None);
        }
        self.authority = None;
        self.nested &= self.view.depth(at) > 0;
    }

    /// `name=value`.
    fn value(&mut self, word: Range<usize>) -> usize {
        let at = word.end;
        let secret = match self.name_from.take() {
            Some(from) if at - from <= LONGEST_NAME => {
                !is_harmless_parameter(&self.view.bytes[from..at])
            }
            Some(_) => true,
            None => is_secret_name(self.name(&word)),
        };
        if !secret {
            return at + 1;
        }
        let quote = self.view.byte(at + 1).is_some_and(|byte| matches!(byte, b'"' | b'\''));
        let start = at + 1 + usize::from(quote);
        let in_query = self.query.is_some();
        let end = self.end(start, start - 1, |byte| match in_query {
            true => ends_value(byte),
            false => ends_value(byte) || matches!(byte, b',' | b';' | b')'),
        });
        self.hide(start..end);
        end
    }

    /// `name: value` of a header or field; and `://`, after which a user and password may follow.
    fn header(&mut self, word: Range<usize>) -> usize {
        let at = word.end;
        let bytes = &self.view.bytes;
        if bytes[at + 1..].starts_with(b"//") {
            self.authority = Some(at + 3);
            self.nested = self.view.depth(at) > 0;
            return at + 1;
        }
        let name = self.name(&word);
        let start = self.view.skip_spaces(at + 1);
        if !std::str::from_utf8(name).is_ok_and(is_secret_header) {
            return match is_secret_field(name) {
                true => self.field(start),
                false => at + 1,
            };
        }
        let first = self.end(start, at, ends_word);
        if is_scheme(&bytes[start..first]) {
            let start = self.view.skip_spaces(first);
            let end = self.end(start, at, ends_word);
            self.hide(start..end);
            return end;
        }
        let end = self.end(first, at, |byte| matches!(byte, b'\r' | b'\n' | b',' | b'"' | b'<'));
        self.hide(start..end);
        end
    }

    /// The value of a field, with or without quotes.
    fn field(&mut self, start: usize) -> usize {
        let quote = self.view.byte(start).filter(|byte| matches!(byte, b'"' | b'\''));
        let (start, end) = match quote {
            Some(quote) => (start + 1, self.end(start + 1, start, |byte| byte == quote)),
            None => (start, self.end(start, start - 1, |byte| ends_word(byte) || byte == b'}')),
        };
        self.hide(start..end);
        end
    }

    /// `"name": "value"`, and the quoted signature in the service's message about a wrong one.
    fn quoted(&mut self, word: Range<usize>) -> usize {
        const FOUND: &[u8] = b"signature found in the http request";
        let at = word.end;
        let quote = self.view.bytes[at];
        let before = self.view.bytes[..at].trim_ascii_end();
        let found = before.len().checked_sub(FOUND.len()).map(|from| &before[from..]);
        let same_quote = |byte| byte == quote || matches!(byte, b'<' | b'\n');
        if word.is_empty() && found.is_some_and(|found| found.eq_ignore_ascii_case(FOUND)) {
            let end = self.end(at + 1, at, same_quote);
            self.hide(at + 1..end);
            return end;
        }
        let name = self.name(&word);
        let named = is_secret_name(name) || std::str::from_utf8(name).is_ok_and(is_secret_header);
        if !named {
            return at + 1;
        }
        let sign = self.view.skip_spaces(at + 1);
        let start = self.view.skip_spaces(sign + 1);
        let assigns = matches!(self.view.byte(sign), Some(b':' | b'=' | b','));
        if !assigns || !matches!(self.view.byte(start), Some(b'"' | b'\'')) {
            return at + 1;
        }
        self.field(start)
    }

    /// `Bearer token` and `SharedKey account:signature`.
    fn scheme(&mut self, word: Range<usize>) -> usize {
        let at = word.end;
        let next = at + 1;
        let name = self.name(&word);
        if !is_scheme(name) {
            return next;
        }
        let start = self.view.skip_spaces(next);
        let end = self.end(start, at, ends_word);
        let text = &self.view.bytes[start..end];
        let proof = match name.eq_ignore_ascii_case(b"bearer") {
            true => !is_no_token(text),
            false => text.contains(&b':'),
        };
        if !proof {
            return next;
        }
        self.hide(start..end);
        end
    }

    /// `user:password@`, in a URL.
    fn user_info(&mut self, at: usize) {
        let Some(from) = self.authority.take() else { return };
        if from < at && !self.view.bytes[from..at].contains(&b'/') {
            while self.found.last().is_some_and(|last| last.end > from) {
                self.found.pop();
            }
            self.hide(from..at);
        }
    }

    /// The end of a value from `start` on: its end is encoded no deeper than the `sign` before it.
    fn end(&self, start: usize, sign: usize, ends: impl Fn(u8) -> bool) -> usize {
        let depth = self.view.depth(sign);
        self.view.skip(start, |byte, at| !ends(byte) || self.view.depth(at) > depth)
    }

    /// The name at the end of a word, at most `LONGEST_NAME` bytes.
    fn name(&self, word: &Range<usize>) -> &[u8] {
        let from = word.start.max(word.end.saturating_sub(LONGEST_NAME));
        let word = &self.view.bytes[from..word.end];
        let begins = word.iter().rposition(|byte| !is_name(*byte)).map_or(0, |before| before + 1);
        &word[begins..]
    }

    /// Records a secret. Text that is redacted already stays as it is.
    fn hide(&mut self, secret: Range<usize>) {
        if secret.is_empty() || self.view.bytes[secret.clone()] == *REDACTED.as_bytes() {
            return;
        }
        match self.found.last_mut() {
            Some(last) if secret.start < last.end => last.end = last.end.max(secret.end),
            _ => self.found.push(secret),
        }
    }
}

/// Whether a byte is part of a name or of a JSON web token.
fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.')
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Whether digits look random, as those of a key do, and not like words. Gives up early on a path
/// with many parts, so that no part is read often.
fn is_random(digits: impl Iterator<Item = u8>) -> bool {
    let (mut upper, mut lower, mut numbers, mut slashes) = (0, 0, 0, 0);
    for digit in digits {
        let count = match digit {
            b'A'..=b'Z' => &mut upper,
            b'a'..=b'z' => &mut lower,
            b'0'..=b'9' => &mut numbers,
            _ => &mut slashes,
        };
        *count += usize::from(digit != b'+');
        if slashes > 6 {
            return false;
        }
    }
    upper >= 16 && lower >= 16 && numbers >= 4
}

fn is_word(byte: u8) -> bool {
    is_name(byte) || is_base64(byte) || byte == b'~'
}

/// Whether a URL inside other text ends here.
fn ends_url(byte: u8) -> bool {
    byte <= b' ' || matches!(byte, b'"' | b'\'' | b'<' | b'>' | b'`')
}

fn ends_value(byte: u8) -> bool {
    ends_url(byte) || matches!(byte, b'&' | b'#')
}

fn ends_word(byte: u8) -> bool {
    ends_value(byte) || matches!(byte, b',' | b';' | b')')
}

fn is_scheme(word: &[u8]) -> bool {
    [&b"bearer"[..], b"sharedkey", b"sharedkeylite"]
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
}
