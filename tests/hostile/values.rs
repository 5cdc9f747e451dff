//! Hostile values: what a caller may pass to a public function by mistake, or because of an
//! attacker.

use std::{
    cell::Cell,
    fmt,
    ops::{Range, RangeInclusive},
    time::Duration,
};

use blobcopy::{Conditions, ETag, LeaseId, Metadata, SnapshotId, Tags, VersionId};
use proptest::{collection::vec, prelude::*, sample::select};
use time::{Date, OffsetDateTime, PrimitiveDateTime, Time, UtcOffset, macros::datetime};
use url::Url;

pub(super) const SNAPSHOT: &str = "2026-01-01T00:00:00.1234567Z";
pub(super) const LEASE: &str = "11111111-2222-3333-4444-555555555555";
/// The initial time of the clocks in these tests.
pub(super) const NOW: OffsetDateTime = datetime!(2026-01-01 00:00 UTC);

/// A supply of hostile values of every kind, used in turn.
#[derive(Clone)]
pub(super) struct Values {
    texts: Vec<String>,
    numbers: Vec<u64>,
    durations: Vec<Duration>,
    dates: Vec<OffsetDateTime>,
    bytes: Vec<Vec<u8>>,
    turn: Cell<usize>,
}

impl Values {
    fn next<'a, T>(&self, of: &'a [T]) -> &'a T {
        let turn = self.turn.get();
        self.turn.set(turn + 1);
        &of[turn % of.len()]
    }

    pub(super) fn text(&self) -> String {
        self.next(&self.texts).clone()
    }

    pub(super) fn number(&self) -> u64 {
        *self.next(&self.numbers)
    }

    pub(super) fn small(&self) -> u32 {
        u32::try_from(self.number()).unwrap_or(u32::MAX)
    }

    pub(super) fn duration(&self) -> Duration {
        *self.next(&self.durations)
    }

    pub(super) fn date(&self) -> OffsetDateTime {
        *self.next(&self.dates)
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        self.next(&self.bytes).clone()
    }

    /// The longest generated text.
    pub(super) fn longest(&self) -> usize {
        self.texts.iter().map(String::len).max().unwrap_or(0)
    }

    pub(super) fn range(&self) -> Range<u64> {
        self.number()..self.number()
    }

    pub(super) fn inclusive(&self) -> RangeInclusive<u64> {
        self.number()..=self.number()
    }

    pub(super) fn array<const N: usize>(&self) -> [u8; N] {
        let bytes = self.bytes();
        std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0xff))
    }

    /// URLs that parse from the texts, with odd schemes and hosts too.
    pub(super) fn url(&self) -> Url {
        let (host, path, query) = (self.text(), self.text(), self.text());
        [
            path.clone(),
            format!("https://acct.blob.core.windows.net/{path}?{query}"),
            format!("https://acct.blob.core.windows.net/vhds/{path}?snapshot={query}&sig={host}"),
            format!("http://127.0.0.1:10000/acct/vhds/{path}"),
            format!("https://{host}/{path}"),
            format!("http://[::1]:65535/{path}?{query}#{host}"),
            format!("https://user:{query}@{host}.example.com/"),
            format!("data:{path}"),
        ]
        .iter()
        .cycle()
        .skip(self.turn.get())
        .take(8)
        .find_map(|text| text.parse().ok())
        .unwrap_or_else(|| "https://acct.blob.core.windows.net/vhds/b".parse().expect("a URL"))
    }

    pub(super) fn etag(&self) -> ETag {
        self.text().parse().unwrap_or(ETag::ANY)
    }

    pub(super) fn lease(&self) -> LeaseId {
        self.text().parse().unwrap_or_else(|_| LEASE.parse().expect("a GUID"))
    }

    pub(super) fn snapshot(&self) -> SnapshotId {
        self.text().parse().unwrap_or_else(|_| SNAPSHOT.parse().expect("a snapshot"))
    }

    pub(super) fn version_id(&self) -> VersionId {
        self.text().parse().unwrap_or_else(|_| SNAPSHOT.parse().expect("a version"))
    }

    /// One or several conditions, each perhaps hostile.
    pub(super) fn conditions(&self) -> Conditions {
        let new = Conditions::new();
        match self.turn.get() % 5 {
            0 => new.if_match(self.etag()),
            1 => new.if_none_match(self.etag()),
            2 => new.if_modified_since(self.date()),
            3 => new.if_unmodified_since(self.date()),
            _ => new.if_tags(self.text()),
        }
    }

    pub(super) fn metadata(&self) -> Metadata {
        match self.turn.get() % 3 {
            0 => Metadata::from([(self.text(), self.text())]),
            1 => Metadata::from([("name".to_owned(), self.text())]),
            _ => (0..self.number() % 2000).map(|number| (format!("n{number}"), "")).collect(),
        }
    }

    pub(super) fn tags(&self) -> Tags {
        match self.turn.get() % 3 {
            0 => Tags::from([(self.text(), self.text())]),
            1 => Tags::from([("key".to_owned(), self.text())]),
            _ => (0..self.number() % 2000).map(|number| (number.to_string(), "")).collect(),
        }
    }
}

impl fmt::Debug for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let texts: Vec<String> = self.texts.iter().map(|text| shortened(text)).collect();
        f.debug_struct("Values")
            .field("texts", &texts)
            .field("numbers", &self.numbers)
            .field("durations", &self.durations)
            .field("dates", &self.dates)
            .field("bytes", &self.bytes.iter().map(Vec::len).collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A text in the form that a failing test prints.
pub(super) fn shortened(text: &str) -> String {
    let cut: String = text.chars().take(200).collect();
    if cut.len() == text.len() { cut } else { format!("{cut}... ({} bytes)", text.len()) }
}

pub(super) fn values() -> impl Strategy<Value = Values> {
    let parts = (
        vec(text(), 7),
        vec(number(), 5),
        vec(duration(), 4),
        vec(date(), 3),
        vec(vec(any::<u8>(), 0..200), 3),
        0..100_usize,
    );
    parts.prop_map(|(texts, numbers, durations, dates, bytes, turn)| Values {
        texts,
        numbers,
        durations,
        dates,
        bytes,
        turn: Cell::new(turn),
    })
}

/// Texts that some function accepts: hostile ones are derived from these too.
const LEGAL: [&str; 19] = [
    "disk0.vhd",
    "a/b/c",
    "vhds",
    "$root",
    "acct",
    "c2VjcmV0",
    "sv=2026-04-06&sr=b&sp=r&se=2030-01-01T00%3A00%3A00Z&sig=abc%2B%3D",
    "AccountName=acct;AccountKey=c2VjcmV0",
    "BlobEndpoint=https://acct.blob.core.windows.net/;SharedAccessSignature=sig=abc",
    "UseDevelopmentStorage=true;DevelopmentStorageProxyUri=http://127.0.0.1",
    SNAPSHOT,
    LEASE,
    "\"0x8D\"",
    "2026-04-06",
    "10/20",
    "https://acct.blob.core.windows.net/vhds/disk0.vhd?sig=abc",
    "\"@project\"='x' AND size > '1'",
    "text/plain; charset=utf-8",
    "{\"destination\":\"https://a.blob.core.windows.net/c/b\",\"copy_id\":\"x\"}",
];

const NASTY: [&str; 34] = [
    "",
    " ",
    "\0",
    "\r\n",
    "\r\nx-ms-injected: 1\r\n\r\n",
    "\n",
    "\t",
    "\u{7f}",
    "\u{85}",
    "%",
    "%0",
    "%zz",
    "%00",
    "%0d%0a",
    "%2e%2e/",
    "%ff%fe",
    ".",
    "..",
    "../",
    "/../../etc",
    "\\",
    "//",
    "a.",
    "?x=1#y",
    "\u{202e}gpj.exe",
    "e\u{301}",
    "\u{d7ff}\u{e000}",
    "\u{fffe}",
    "\u{feff}",
    "\u{10ffff}",
    "größe",
    "'\"<>&;`",
    "sig=",
    "\u{1b}[31m",
];

pub(super) fn text() -> impl Strategy<Value = String> {
    let legal = || select(&LEGAL[..]).prop_map(str::to_owned);
    let nasty = || select(&NASTY[..]).prop_map(str::to_owned);
    let damaged =
        (legal(), nasty(), any::<prop::sample::Index>()).prop_map(|(legal, nasty, at)| {
            let mut text = legal;
            text.insert_str(at.index(text.len() + 1), &nasty);
            text
        });
    let repeated = (nasty(), select(&[2, 63, 64, 65, 120, 1024, 1025, 8192][..]))
        .prop_map(|(nasty, times)| nasty.repeat(times));
    // Long enough to expose quadratic work, and short enough for linear work.
    let long = (nasty(), legal(), 100_000..400_000_usize).prop_map(|(nasty, legal, length)| {
        let unit = nasty + &legal;
        unit.repeat(length / unit.len())
    });
    prop_oneof![
        6 => legal(),
        6 => nasty(),
        12 => damaged,
        4 => repeated,
        4 => vec(any::<char>(), 0..40).prop_map(String::from_iter),
        1 => long,
    ]
}

pub(super) fn number() -> impl Strategy<Value = u64> {
    const EDGE: u64 = i64::MAX.unsigned_abs();
    const EDGES: [u64; 21] = [
        0,
        1,
        2,
        511,
        512,
        513,
        1024,
        5000,
        5001,
        4 << 20,
        (4 << 20) + 512,
        8 << 40,
        (8 << 40) + 512,
        u32::MAX as u64,
        u32::MAX as u64 + 1,
        EDGE - 511,
        EDGE,
        EDGE + 1,
        u64::MAX - 511,
        u64::MAX - 1,
        u64::MAX,
    ];
    prop_oneof![8 => select(&EDGES[..]), 1 => any::<u64>(), 1 => 0..10_000_u64]
}

fn duration() -> impl Strategy<Value = Duration> {
    let edges = [
        Duration::ZERO,
        Duration::from_nanos(1),
        Duration::from_millis(1),
        Duration::from_millis(999),
        Duration::from_secs(1),
        Duration::from_secs(15),
        Duration::from_millis(15_500),
        Duration::from_secs(60),
        Duration::from_secs(61),
        Duration::from_secs(24 * 3600),
        Duration::from_secs(365 * 24 * 3600),
        Duration::from_secs(i64::MAX.unsigned_abs()),
        Duration::from_secs(u64::MAX),
        Duration::MAX,
    ];
    prop_oneof![6 => select(edges.to_vec()), 1 => any::<Duration>()]
}

fn date() -> impl Strategy<Value = OffsetDateTime> {
    let offset = |hours| UtcOffset::from_hms(hours, 59, 59).expect("a legal offset");
    let last = PrimitiveDateTime::new(Date::MAX, Time::MAX);
    let first = PrimitiveDateTime::new(Date::MIN, Time::MIDNIGHT);
    let edges = [
        last.assume_utc(),
        last.assume_offset(UtcOffset::from_hms(-25, -59, -59).expect("a legal offset")),
        last.assume_offset(offset(25)),
        first.assume_utc(),
        first.assume_offset(offset(25)),
        first.assume_offset(UtcOffset::from_hms(-25, -59, -59).expect("a legal offset")),
        OffsetDateTime::UNIX_EPOCH,
        datetime!(1969-12-31 23:59:59 UTC),
        datetime!(1970-01-01 00:30 +1),
        datetime!(0000-01-01 00:00 UTC),
        datetime!(-0001-12-31 23:59:59 UTC),
        datetime!(9999-12-31 23:59:59 -1),
        datetime!(9999-12-31 23:59:59.999999999 UTC),
        NOW,
        datetime!(2026-01-01 00:20 UTC),
        datetime!(2026-01-06 00:00:00.5 +13:45),
        datetime!(2030-01-01 00:00 UTC),
    ];
    let seconds = first.assume_utc().unix_timestamp()..=last.assume_utc().unix_timestamp();
    let any = seconds.prop_map(|seconds| {
        OffsetDateTime::from_unix_timestamp(seconds).expect("within the range of dates")
    });
    prop_oneof![4 => select(edges.to_vec()), 1 => any]
}
