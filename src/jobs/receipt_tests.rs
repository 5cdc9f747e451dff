use crc::{CRC_64_NVME, Crc};

use super::*;
use crate::Credential;

fn blob(url: &str) -> BlobClient {
    BlobClient::new(url.parse().expect("a URL"), Credential::anonymous()).expect("a client")
}

fn source() -> BlobClient {
    blob("https://one.blob.core.windows.net/from/a%20b.txt?sv=2026-04-06&sr=b&sp=r&sig=c2VjcmV0")
}

fn destination() -> BlobClient {
    blob("https://two.blob.core.windows.net/dest/a%20b.txt")
}

fn etag(text: &str) -> ETag {
    text.parse().expect("an ETag")
}

fn receipt(proof: Proof) -> Receipt {
    let found: IdenticalContent = serde_json::from_str(
        r#"{"length":3,"crc64":"AQEBAQEBAQE=","source_etag":"0x1","destination_etag":"0x2"}"#,
    )
    .expect("complete");
    let receipt = Receipt::of_identical(&source(), &destination(), &found).expect("legal");
    Receipt { proof, ..receipt }
}

fn crc64(bytes: &[u8]) -> ContentCrc64 {
    Crc::<u64>::new(&CRC_64_NVME).checksum(bytes).to_le_bytes().into()
}

fn piece(offset: u64, bytes: &[u8]) -> Piece {
    Piece { offset, length: bytes.len() as u64, sum: Sum::Crc64(crc64(bytes)) }
}

#[test]
fn a_receipt_is_one_line_that_is_read_back() {
    let md5 = RangeChecksum::Md5([1; 16].into());
    let crc64 = RangeChecksum::Crc64([2; 8].into());
    let ranges = [(0..512, md5), (1024..1536, crc64)]
        .map(|(range, checksum)| ProvenRange { range: range.into(), checksum });
    let proofs = [Proof::Crc64([1; 8].into()), Proof::Ranges(ranges.into()), Proof::ServiceOnly];
    let written = [
        r#"{"crc64":"AQEBAQEBAQE="}"#,
        r#"{"ranges":[{"start":0,"end":512,"md5":"AQEBAQEBAQEBAQEBAQEBAQ=="},{"start":1024,"end":1536,"crc64":"AgICAgICAgI="}]}"#,
        r#""service-only""#,
    ];
    for (proof, written) in proofs.into_iter().zip(written) {
        let receipt = receipt(proof);
        let line = serde_json::to_string(&receipt).expect("written");
        assert!(
            !line.contains('\n') && line.ends_with(&format!("\"proof\":{written}}}")),
            "{line}"
        );
        assert_eq!(serde_json::from_str::<Receipt>(&line).expect("read"), receipt);
    }
}

#[test]
fn it_holds_no_secret_even_if_the_file_does() {
    let line = serde_json::to_string(&receipt(Proof::ServiceOnly)).expect("written");
    assert!(line.contains(r#""source":"https://one.blob.core.windows.net/from/a%20b.txt""#));
    assert!(!line.contains("sig") && !line.contains("c2VjcmV0"), "{line}");
    let secret = line.replace("from/a%20b.txt", "from/a%20b.txt?sig=c2VjcmV0#c2VjcmV0");
    let secret = secret.replace("https://two", "https://me:c2VjcmV0@two");
    let read: Receipt = serde_json::from_str(&secret).expect("read");
    assert_eq!(read, receipt(Proof::ServiceOnly));
    assert!(!format!("{read:?}").contains("c2VjcmV0"));
    let malformed = line.replace("https://two", "two");
    let error = serde_json::from_str::<Receipt>(&malformed).expect_err("no URL").to_string();
    assert!(error.contains("URL") && !error.contains("two."), "{error}");
}

#[test]
fn what_a_later_version_adds_is_ignored() {
    let line = serde_json::to_string(&receipt(Proof::ServiceOnly)).expect("written");
    let later = line.replace("\"length\"", "\"more\":[1],\"length\"");
    assert_eq!(serde_json::from_str::<Receipt>(&later).ok(), Some(receipt(Proof::ServiceOnly)));
}

#[test]
fn a_receipt_is_used_only_while_both_etags_hold() {
    let receipts: Receipts = [receipt(Proof::ServiceOnly)].into_iter().collect();
    let (from, to) = (source(), destination());
    let (one, two) = (etag("0x1"), etag("0x2"));
    let holds = |source: (&BlobClient, &ETag), destination: (&BlobClient, &ETag)| {
        receipts.holding(source, destination).is_some()
    };
    assert!(holds((&from, &one), (&to, &two)));
    assert!(!holds((&from, &two), (&to, &two)));
    assert!(!holds((&from, &one), (&to, &one)));
    // Another source, another snapshot, another destination.
    assert!(!holds((&to, &one), (&to, &two)));
    let snapshot = "2026-01-01T00:00:00.1234567Z".parse::<SnapshotId>().expect("a snapshot");
    assert!(!holds((&from.with_snapshot(snapshot), &one), (&to, &two)));
    assert!(!holds((&from, &one), (&from, &two)));
    assert_eq!((receipts.len(), receipts.is_empty()), (1, false));
}

#[test]
fn the_last_receipt_of_a_destination_counts() {
    let later = receipt(Proof::Crc64([9; 8].into()));
    let receipts: Receipts = [receipt(Proof::ServiceOnly), later.clone()].into_iter().collect();
    assert_eq!(receipts.get(&destination()), Some(&later));
    assert_eq!(receipts.len(), 1);
}

#[test]
fn pieces_prove_the_whole_if_they_cover_it() {
    let content = b"0123456789";
    let pieces = [piece(0, b"0123"), piece(4, b"456"), piece(7, b"789")];
    assert_eq!(Proof::of(&pieces, 10, false), Proof::Crc64(crc64(content)));
    // The end, the middle or the beginning is missing, or there is too much.
    for (pieces, length) in [
        (&pieces[..2], 10),
        (&pieces[1..], 10),
        (&[pieces[0], pieces[2]][..], 10),
        (&pieces[..], 9),
        (&[pieces[0], pieces[0]][..], 8),
        (&[][..], 0),
    ] {
        assert_eq!(Proof::of(pieces, length, false), Proof::ServiceOnly, "{pieces:?}");
    }
}

#[test]
fn what_a_page_blob_has_between_its_ranges_is_zeros() {
    let pages = [piece(512, &[1; 512]), piece(2048, &[2; 1024])];
    let content = [vec![0; 512], vec![1; 512], vec![0; 1024], vec![2; 1024], vec![0; 512]].concat();
    assert_eq!(Proof::of(&pages, 3584, true), Proof::Crc64(crc64(&content)));
    assert_eq!(Proof::of(&pages, 3584, false), Proof::ServiceOnly);
}

#[test]
fn an_md5_proves_its_range_alone() {
    let md5 = Piece { offset: 4, length: 6, sum: Sum::Md5([1; 16].into()) };
    let proof = Proof::of(&[piece(0, b"0123"), md5], 10, false);
    let Proof::Ranges(ranges) = proof else { panic!("{proof:?}") };
    assert_eq!(
        ranges.iter().map(|proven| proven.range).collect::<Vec<_>>(),
        [PageRange::from(0..4), PageRange::from(4..10)]
    );
    assert_eq!(ranges[1].checksum, RangeChecksum::Md5([1; 16].into()));
}
