//! A chain of snapshots whose access was granted by other means: JSON lines with URLs.

use std::{collections::BTreeMap, fmt, time::Duration};

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};
use url::{Host, Url};

use super::{GrantAccess, ManagedSnapshot, ids::why_not};
use crate::{Error, Result, transport::BoxFuture, wire::redaction::redact};

/// The snapshots of a managed disk to which access has been granted already, such as by `az
/// snapshot grant-access`: one JSON object a line.
///
/// | field | |
/// | --- | --- |
/// | `snapshot` | the snapshot's name or resource id, in words of your own: the mirror knows it by this, and notes it, so it must not be a URL with a SAS |
/// | `created` | when it was taken (`timeCreated`), such as `2026-01-01T00:00:00.1234567+00:00` |
/// | `disk` | the disk's unique id (`creationData.sourceUniqueId`), the same in all lines |
/// | `url` | the https URL with its SAS (`accessSAS`), another one in each line |
/// | `size` | the size of the disk in bytes (`diskSizeBytes`), if you know it |
/// | `completion` | how much of it is there, in percent (`completionPercent`), by default 100 |
/// | `dataAccessAuthMode` | `AzureActiveDirectory` if a bearer token must be sent beside the SAS |
///
/// Other fields are ignored, and so are empty lines. All snapshots must be incremental, and access
/// to them must last until the mirror has ended: it cannot be renewed. The mirror revokes nothing.
/// The service grants access to at most five snapshots of a disk at a time: give the newest one
/// that was mirrored, and those after it.
///
/// `Debug` shows no URL. Nothing of managed disks was ever tried on the service: it rests on public
/// documents.
///
/// ```
/// use blobcopy::disks::{DiskSnapshotList, ManagedSnapshots};
///
/// let lines = r#"
/// {"snapshot": "disk0-1", "created": "2026-01-01T00:00:00Z", "disk": "d-1", "url": "https://md-a.z01.blob.storage.azure.net/x/abcd?sv=2018-03-28&sr=b&sig=c2VjcmV0"}
/// {"snapshot": "disk0-2", "created": "2026-01-02T00:00:00Z", "disk": "d-1", "url": "https://md-a.z01.blob.storage.azure.net/y/abcd?sv=2018-03-28&sr=b&sig=c2VjcmV0"}
/// "#;
/// let list: DiskSnapshotList = lines.parse()?;
/// assert_eq!(list.disk(), "d-1");
/// assert!(!format!("{list:?}").contains("c2VjcmV0"));
/// let source = ManagedSnapshots::new(list);
/// # let _ = source;
///
/// let error = "{\"snapshot\": \"disk0-1\"}".parse::<DiskSnapshotList>().unwrap_err();
/// assert_eq!(error.to_string(), "snapshots: line 1: \"created\" is missing");
/// # Ok::<(), blobcopy::Error>(())
/// ```
#[derive(Clone)]
pub struct DiskSnapshotList {
    snapshots: Vec<ManagedSnapshot>,
    urls: BTreeMap<String, Url>,
}

impl DiskSnapshotList {
    /// The disk's unique id.
    pub fn disk(&self) -> &str {
        self.snapshots.first().map_or("", |first| &first.disk)
    }

    /// Whether some snapshot needs a bearer token beside the SAS: see
    /// [`ManagedSnapshots::credential`](super::ManagedSnapshots::credential).
    ///
    /// ```
    /// # use blobcopy::disks::DiskSnapshotList;
    /// let line = r#"{"snapshot": "disk0-1", "created": "2026-01-01T00:00:00Z", "disk": "d-1",
    ///     "url": "https://md-a.z01.blob.storage.azure.net/x/abcd?sr=b&sig=c2VjcmV0",
    ///     "dataAccessAuthMode": "AzureActiveDirectory"}"#;
    /// let list: DiskSnapshotList = line.replace('\n', " ").parse()?;
    /// assert!(list.needs_token());
    /// # Ok::<(), blobcopy::Error>(())
    /// ```
    pub fn needs_token(&self) -> bool {
        self.snapshots.iter().any(|snapshot| snapshot.needs_token == Some(true))
    }

    /// Adds a line. `seen` are the ids and the blobs of the lines before.
    fn add(&mut self, number: usize, line: &str, seen: &mut Seen) -> Result<(), String> {
        let fields: Map<String, Value> =
            serde_json::from_str(line).map_err(|error| match error.classify() {
                serde_json::error::Category::Data => "is not a JSON object".to_owned(),
                _ => format!("is not valid JSON at column {}", error.column()),
            })?;
        let text = |name: &str| match fields.get(name) {
            Some(Value::String(text)) if !text.is_empty() => Ok(text.as_str()),
            Some(_) => Err(format!("{name:?} must be text that is not empty")),
            None => Err(format!("{name:?} is missing")),
        };
        let id = text("snapshot")?;
        let time = OffsetDateTime::parse(text("created")?, &Rfc3339)
            .map_err(|_| "\"created\" must be a time such as 2026-01-01T00:00:00Z".to_owned())?;
        let disk = text("disk")?;
        for (name, value) in [("snapshot", id), ("disk", disk)] {
            if let Some(why) = why_not(value) {
                return Err(format!("{name:?} {why}"));
            }
        }
        let url = Url::parse(text("url")?)
            .ok()
            .filter(|url| matches!(url.scheme(), "https" | "http") && url.has_host())
            .ok_or("\"url\" must be the URL of a snapshot, with its SAS")?;
        if url.scheme() == "http" && !is_of_this_machine(&url) {
            return Err("\"url\" must be https: its SAS is a secret".to_owned());
        }
        let size = match fields.get("size") {
            None | Some(Value::Null) => None,
            Some(size) => Some(size.as_u64().ok_or("\"size\" must be a number of bytes")?),
        };
        let completion = match fields.get("completion") {
            None | Some(Value::Null) => 100.0,
            Some(percent) => percent.as_f64().ok_or("\"completion\" must be a number")?,
        };
        let needs_token = match fields.get("dataAccessAuthMode") {
            None | Some(Value::Null) => None,
            Some(Value::String(mode)) => Some(mode.eq_ignore_ascii_case("AzureActiveDirectory")),
            Some(_) => return Err("\"dataAccessAuthMode\" must be text".to_owned()),
        };
        if !self.snapshots.is_empty() && !self.disk().eq_ignore_ascii_case(disk) {
            return Err(format!(
                "the snapshot is of the disk {}, and those before are of {}: a chain is of one disk",
                redact(disk),
                redact(self.disk())
            ));
        }
        if seen.ids.insert(id.to_ascii_lowercase(), number).is_some() {
            return Err(format!("the snapshot {} is there twice", redact(id)));
        }
        if let Some(before) = seen.blobs.insert(blob_of(&url), number) {
            return Err(format!("its \"url\" is that of line {before}: each snapshot has its own"));
        }
        self.urls.insert(id.to_owned(), url);
        self.snapshots.push(ManagedSnapshot {
            id: id.to_owned(),
            disk: disk.to_owned(),
            time,
            size,
            is_incremental: true,
            completion,
            is_granted: false,
            needs_token,
        });
        Ok(())
    }
}

/// What the lines have had so far, and which line it was.
#[derive(Debug, Default)]
struct Seen {
    ids: BTreeMap<String, usize>,
    blobs: BTreeMap<String, usize>,
}

/// Which blob or snapshot a URL leads to, whatever its SAS.
fn blob_of(url: &Url) -> String {
    let mut pairs = url.query_pairs();
    let snapshot = pairs.find(|(name, _)| name.eq_ignore_ascii_case("snapshot"));
    let snapshot = snapshot.map(|(_, id)| id.into_owned()).unwrap_or_default();
    let host = url.host_str().unwrap_or_default();
    format!("{host}:{:?}{}?{snapshot}", url.port_or_known_default(), url.path())
}

/// Whether what is sent there stays on this machine: to a simulator.
fn is_of_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl std::str::FromStr for DiskSnapshotList {
    type Err = Error;

    /// Reads the lines. An error names the line and the field, and shows no URL.
    fn from_str(text: &str) -> Result<Self> {
        const WHAT: &str = "snapshots";
        let mut list = Self { snapshots: Vec::new(), urls: BTreeMap::new() };
        let mut seen = Seen::default();
        // PowerShell 5 writes a byte order mark.
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let number = at + 1;
            let wrong =
                |why| Error::InvalidInput { what: WHAT, why: format!("line {number}: {why}") };
            list.add(number, line, &mut seen).map_err(wrong)?;
        }
        if list.snapshots.is_empty() {
            let why = "there is no line with a snapshot".to_owned();
            return Err(Error::InvalidInput { what: WHAT, why });
        }
        Ok(list)
    }
}

impl GrantAccess for DiskSnapshotList {
    fn list(&self) -> BoxFuture<'_, Result<Vec<ManagedSnapshot>>> {
        Box::pin(async { Ok(self.snapshots.clone()) })
    }

    /// Returns the URL of the line.
    fn grant<'a>(&'a self, snapshot: &'a str, _: Duration) -> BoxFuture<'a, Result<Url>> {
        let url = self.urls.get(snapshot).cloned();
        let none = move || Error::invalid("snapshot", snapshot, "is not in the list");
        Box::pin(async move { url.ok_or_else(none) })
    }

    /// Does nothing: others granted the access.
    fn revoke<'a>(&'a self, _: &'a str) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    fn grants_access(&self) -> bool {
        false
    }
}

impl fmt::Debug for DiskSnapshotList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DiskSnapshotList")
            .field("snapshots", &self.snapshots)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const URL: &str = "https://md-a.z01.blob.storage.azure.net/x/abcd?snapshot=2026-01-01T00:00:00.\
                       1234567Z&sv=2018-11-09&sr=bs&si=1&sig=U0VDUkVU%3D";

    /// A line with the URL of the snapshot: each has its own.
    fn line(id: &str, disk: &str) -> String {
        let url = URL.replace("abcd", if id == "a" { "abcd" } else { "other" });
        format!(
            r#"{{"snapshot":"{id}","created":"2026-01-01T00:00:00.1234567+00:00","disk":"{disk}","url":"{url}"}}"#
        )
    }

    fn wrong(lines: &str) -> String {
        lines.parse::<DiskSnapshotList>().expect_err(lines).to_string()
    }

    #[test]
    fn each_line_is_a_snapshot_with_a_url_that_stays_as_it_is() {
        let half = line("b", "d").replace("\"disk\"", "\"size\":1024,\"completion\":62.5,\"disk\"");
        let list: DiskSnapshotList =
            format!("\n{}\r\n\n{half}\n", line("a", "d")).parse().expect("two lines");
        let found = list.list().now_or_never().expect("at hand").expect("listed");
        assert_eq!((found[0].size, found[0].completion), (None, 100.0));
        assert_eq!((found[1].size, found[1].completion), (Some(1024), 62.5));
        assert_eq!(found[0].time.nanosecond(), 123_456_700);
        let hour = Duration::from_secs(3600);
        let url = list.grant("a", hour).now_or_never().expect("at hand").expect("granted");
        assert_eq!(url.as_str(), URL);
        list.revoke("a").now_or_never().expect("at hand").expect("nothing to do");
        let none = list.grant("c", hour).now_or_never().expect("at hand").expect_err("unknown");
        assert!(none.to_string().contains("is not in the list"), "{none}");
        assert!(!format!("{list:?}").contains("U0VDUkVU"));
    }

    #[test]
    fn a_byte_order_mark_the_case_of_the_disk_and_a_simulators_http_are_fine() {
        let local = line("b", "D").replace(
            "https://md-a.z01.blob.storage.azure.net",
            "http://md-a.z01.blob.localhost:10000",
        );
        let (first, third) = (line("a", "d"), line("c", "d"));
        let fourth = third.replace("\"c\"", "\"e\"").replace(".1234567Z", ".1234568Z");
        let lines = format!("\u{feff}{first}\r\n{local}\r\n{third}\n{fourth}\n");
        let list: DiskSnapshotList = lines.parse().expect("four lines");
        assert_eq!((list.disk(), list.snapshots.len()), ("d", 4));
    }

    #[test]
    fn errors_name_the_line_and_the_field_and_show_no_secret() {
        let good = line("a", "d");
        let without = |name: &str| good.replace(name, "other");
        let second = |text: &str| format!("{good}\n{text}");
        let cases = [
            (String::new(), "there is no line"),
            (second("[1]"), "line 2: is not a JSON object"),
            (second(&good[..good.len() - 1]), "line 2: is not valid JSON at column"),
            (second(&good.replace("\"b", "\"")), "line 2: the snapshot a is there twice"),
            (without("snapshot\""), "is not valid JSON"),
            (without("created"), "line 1: \"created\" is missing"),
            (without("disk"), "\"disk\" is missing"),
            (without("url"), "\"url\" is missing"),
            (without("https"), "\"url\" must be the URL"),
            (without("2026-01-01T00:00:00.1234567+00:00"), "\"created\" must be a time"),
            (good.replace("\"d\"", "7"), "\"disk\" must be text"),
            (good.replace("\"d\"", "\"d\",\"size\":\"1\""), "\"size\" must be"),
            (good.replace("\"d\"", "\"d\",\"completion\":\"1\""), "\"completion\" must be"),
            (good.replace("\"d\"", "\"d\",\"dataAccessAuthMode\":1"), "must be text"),
            (line(URL, "d"), "line 1: \"snapshot\" must be a name or a resource id"),
            (line("a", URL), "line 1: \"disk\" must be a name or a resource id"),
            (second(&line("b", "e")), "line 2: the snapshot is of the disk e, and those before"),
            (second(&line("A", "d")), "line 2: the snapshot A is there twice"),
            (second(&good.replace("\"a\"", "\"b\"")), "line 2: its \"url\" is that of line 1"),
            (
                second(&good.replace("\"a\"", "\"b\"").replace("sig=", "sr=b&sig=")),
                "line 2: its \"url\" is that of line 1",
            ),
            (good.replace("https:", "http:"), "line 1: \"url\" must be https"),
            (line("a", "  "), "line 1: \"disk\" must not be empty"),
            (line("a", "\\u001b[31m"), "line 1: \"disk\" must not have control characters"),
            (line(&"a".repeat(7000), "d"), "line 1: \"snapshot\" is 7000 bytes long"),
        ];
        for (lines, expected) in cases {
            let error = wrong(&lines);
            assert!(error.contains(expected), "{error}");
            assert!(!error.contains("U0VDUkVU"), "{error}");
        }
    }
}
