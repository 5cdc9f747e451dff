//! Shared by the two lists: the parameters, and the XML around the entries.

use base64::{Engine, engine::general_purpose::URL_SAFE};
use time::OffsetDateTime;

use crate::wire::{
    call::Call,
    error::{Code, Refusal},
    route,
    xml::Xml,
};

/// The largest page size, which is also the default.
const MOST: usize = 5000;

/// The parameters of a list.
pub(super) struct Asked<'a> {
    pub(super) prefix: &'a str,
    pub(super) marker: Option<Marker>,
    pub(super) now: OffsetDateTime,
    most: usize,
    include: Vec<&'a str>,
}

/// The entry that a page begins with; opaque to the client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Marker {
    pub(super) name: String,
    pub(super) snapshot: Option<String>,
}

impl<'a> Asked<'a> {
    /// `known` lists the values of `include`, with the version that added each.
    pub(super) fn of(call: &'a Call, known: &[(&str, &str)]) -> Result<Self, Refusal> {
        let query = |name| call.query.get(name).filter(|text: &&str| !text.is_empty());
        let most = match query("maxresults") {
            None => MOST,
            Some(text) => match text.parse::<i64>() {
                Ok(..=0) => {
                    return Err(Refusal::from(Code::OutOfRangeQueryParameterValue)
                        .detail("QueryParameterName", "maxresults")
                        .detail("QueryParameterValue", text));
                }
                Ok(most) => usize::try_from(most).unwrap_or(MOST).min(MOST),
                Err(_) => {
                    return Err(Refusal::bad_query("maxresults", text, "It must be a number"));
                }
            },
        };
        let include: Vec<_> = query("include").unwrap_or("").split(',').map(str::trim).collect();
        for word in include.iter().filter(|word| !word.is_empty()) {
            let found = known.iter().find(|(name, _)| name == word);
            if !found.is_some_and(|(_, since)| call.since(since)) {
                return Err(Refusal::bad_query("include", word, "Invalid query parameter value."));
            }
        }
        let marker = query("marker").map(|text| {
            Marker::read(text).ok_or_else(|| {
                Refusal::bad_query("marker", text, "It was not given out by this service")
            })
        });
        let prefix = query("prefix").unwrap_or("");
        Ok(Self { prefix, marker: marker.transpose()?, now: call.now, most, include })
    }

    pub(super) fn includes(&self, word: &str) -> bool {
        self.include.contains(&word)
    }

    /// Writes the list: the parameters, then the entries. `entries` receives the page size and
    /// returns where the next page begins.
    pub(super) fn write(
        &self,
        call: &Call,
        container: Option<&str>,
        delimiter: Option<&str>,
        entries: impl FnOnce(&mut Xml, usize) -> Option<Marker>,
    ) -> Xml {
        let mut xml = Xml::new();
        let endpoint = service_endpoint(call);
        let url = container.map(|name| format!("{}/{name}", endpoint.trim_end_matches('/')));
        let mut attributes = Vec::new();
        match (container, &url) {
            (Some(name), Some(url)) => {
                if call.since("2013-08-15") {
                    attributes.extend([("ServiceEndpoint", &*endpoint), ("ContainerName", name)]);
                } else {
                    attributes.push(("ContainerName", &**url));
                }
            }
            _ => attributes.push(("ServiceEndpoint", &endpoint)),
        }
        let asked = |name| call.query.get(name).filter(|text: &&str| !text.is_empty());
        xml.element_with("EnumerationResults", &attributes, |xml| {
            for (element, text) in [
                ("Prefix", asked("prefix")),
                ("Marker", asked("marker")),
                ("MaxResults", asked("maxresults")),
                ("Delimiter", delimiter),
            ] {
                if let Some(text) = text {
                    xml.text_element(element, text);
                }
            }
            let next = entries(xml, self.most).map(|marker| marker.write());
            xml.maybe_element("NextMarker", next.as_deref());
        });
        xml
    }
}

impl Marker {
    fn write(&self) -> String {
        URL_SAFE.encode(format!("{}\0{}", self.snapshot.as_deref().unwrap_or(""), self.name))
    }

    fn read(text: &str) -> Option<Self> {
        let text = String::from_utf8(URL_SAFE.decode(text).ok()?).ok()?;
        let (snapshot, name) = text.split_once('\0')?;
        let snapshot = (!snapshot.is_empty()).then(|| snapshot.to_owned());
        Some(Self { name: name.to_owned(), snapshot })
    }
}

/// The account's address, as the request used it.
fn service_endpoint(call: &Call) -> String {
    let scheme = if call.peer.https { "https" } else { "http" };
    let host = call.authority.as_ref().map_or("localhost", |authority| authority.as_str());
    match call.authority.as_ref().and_then(|authority| route::account_in_host(authority.host())) {
        Some(_) => format!("{scheme}://{host}/"),
        None => format!("{scheme}://{host}/{}", call.route.account),
    }
}
