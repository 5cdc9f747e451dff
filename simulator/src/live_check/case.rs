//! The requests sent to both servers: cases of one or more requests, in the files below `cases/`.
//!
//! A case is a line with its name, then its requests, each with its headers and body:
//!
//! ```text
//! a page is written
//!     PUT {c}/b?comp=page
//!         x-ms-page-write: update
//!         x-ms-range: bytes=0-511
//!         = a*512
//! ```
//!
//! `{c}` is a container created for the case, and `{missing}` one that does not exist; `{url}` is
//! the address of the account, `{other}` that of another account, and `{sas}` is a SAS to read
//! `{c}`. `{etag}`, `{snapshot}`, `{lease}`, `{copy}` and `{modified}` are the latest values that
//! were returned, and `{etag2}` is that of the second answer. A request begins with `anonymous` if
//! it is not signed, and with `forged` if it is signed with another key. Lines that begin with `#`
//! are comments.

/// The files of cases, in the order in which they run.
const FILES: [&str; 7] = [
    include_str!("cases/containers.txt"),
    include_str!("cases/blobs.txt"),
    include_str!("cases/pages.txt"),
    include_str!("cases/snapshots.txt"),
    include_str!("cases/leases.txt"),
    include_str!("cases/lists.txt"),
    include_str!("cases/copies.txt"),
];

/// One case.
#[derive(Debug)]
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) requests: Vec<Request>,
}

/// One request, with its variables not yet replaced.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) signed: Signed,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// The key that a request is signed with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signed {
    Right,
    Wrong,
    Not,
}

impl Case {
    /// Every case, in file order.
    pub(crate) fn all() -> Vec<Self> {
        FILES.iter().flat_map(|file| read(file)).collect()
    }
}

/// The cases of a file.
pub(crate) fn read(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#')) {
        let content = line.trim_start();
        match line.len() - content.len() {
            0 => cases.push(Case { name: content.to_owned(), requests: Vec::new() }),
            4 => last(&mut cases).requests.push(Request::read(content)),
            8 => last(&mut last(&mut cases).requests).add(content),
            other => panic!("indented by {other}: {line}"),
        }
    }
    cases
}

fn last<T>(items: &mut [T]) -> &mut T {
    items.last_mut().expect("a case begins with its name, and then with a request")
}

impl Request {
    fn read(line: &str) -> Self {
        let (signed, line) = match line.split_once(' ') {
            Some(("anonymous", rest)) => (Signed::Not, rest),
            Some(("forged", rest)) => (Signed::Wrong, rest),
            _ => (Signed::Right, line),
        };
        let (method, target) = line.split_once(' ').expect("a method and a target");
        let (method, target) = (method.to_owned(), target.to_owned());
        Self { signed, method, target, headers: Vec::new(), body: String::new() }
    }

    /// Whether the variable `name` occurs in its target or in a header.
    pub(crate) fn mentions(&self, name: &str) -> bool {
        let mut values = self.headers.iter().map(|(_, value)| value);
        self.target.contains(name) || values.any(|value| value.contains(name))
    }

    /// Adds a header, or the body.
    fn add(&mut self, line: &str) {
        match line.strip_prefix("= ") {
            Some(body) => self.body = fill(body),
            None => {
                let (name, value) = line.split_once(':').expect("a header and its value");
                self.headers.push((name.to_owned(), value.trim().to_owned()));
            }
        }
    }
}

/// `a*512` is 512 times `a`.
fn fill(body: &str) -> String {
    let filled = |(letter, times): (&str, &str)| Some(letter.repeat(times.parse().ok()?));
    body.split_once('*').and_then(filled).unwrap_or_else(|| body.to_owned())
}
