use super::*;
use crate::{
    error::Error,
    operations::offline::{self, Answers},
    wire::transport::Request,
};

const WHOLE: &str = "Content-Length: 10\nETag: \"0x1\"";

/// Downloads the blob, or a range of it.
async fn read(answers: &Answers, range: Option<std::ops::Range<u64>>) -> Result<String> {
    let download = answers.blob().download();
    let download = match range {
        None => download.await?,
        Some(range) => download.range(range).await?,
    };
    let length = download.properties.content_length;
    let bytes = download.bytes().await?;
    assert_eq!(bytes.len() as u64, length);
    Ok(String::from_utf8(bytes.to_vec()).expect("text"))
}

fn unexpected(result: Result<String>, why: &str) {
    let error = result.expect_err(why);
    assert!(matches!(error, Error::UnexpectedResponse { .. }), "{error:?}");
    assert!(error.to_string().contains(why), "{error} does not say {why}");
}

fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers.get(name).map(|value| value.to_str().expect("text"))
}

#[test]
fn only_the_range_that_was_asked_for_is_taken() {
    let (ok, partial) = (200, 206);
    let range = |text: &str| format!("Content-Range: {text}");
    let length = |length: u64| format!("Content-Length: {length}");
    let taken = [
        (None, ok, length(10), Some((0, Some(10)))),
        (None, ok, length(u64::MAX), Some((0, Some(u64::MAX)))),
        (None, partial, range("bytes 0-9/10"), Some((0, Some(10)))),
        (None, partial, range("bytes 0-4/10"), None),
        (None, partial, range("bytes 5-9/10"), None),
        (None, partial, range("bytes 0-9/*"), None),
        (None, 204, String::new(), None),
        (None, 203, length(10), None),
        (Some((2, Some(3))), ok, length(10), None),
        (Some((2, None)), ok, length(10), None),
        (Some((0, Some(3))), ok, length(10), None),
        (Some((0, Some(9))), ok, length(10), Some((0, Some(10)))),
        (Some((0, Some(99))), ok, length(10), Some((0, Some(10)))),
        (Some((0, None)), ok, length(10), Some((0, Some(10)))),
        (Some((0, Some(9))), ok, length(0), Some((0, Some(0)))),
        (Some((2, Some(3))), partial, range("bytes 2-3/10"), Some((2, Some(2)))),
        (Some((2, Some(3))), partial, range("bytes 2-3/*"), Some((2, Some(2)))),
        (Some((2, Some(99))), partial, range("bytes 2-9/10"), Some((2, Some(8)))),
        (Some((2, Some(99))), partial, range("bytes 2-9/*"), None),
        (Some((2, None)), partial, range("bytes 2-9/10"), Some((2, Some(8)))),
        (Some((2, None)), partial, range("bytes 2-8/10"), None),
        (Some((2, None)), partial, range("bytes 2-9/*"), None),
        (Some((2, Some(3))), partial, range("bytes 3-4/10"), None),
        (Some((2, Some(3))), partial, range("bytes 2-4/10"), None),
        (Some((2, Some(3))), partial, range("bytes 2-2/10"), None),
        (Some((2, Some(3))), partial, range("bytes */10"), None),
        (Some((2, Some(3))), partial, range("bytes 2-3"), None),
        (Some((2, Some(3))), partial, length(2), None),
        (Some((2, Some(3))), partial, format!("{}\n{}", range("bytes 2-3/10"), length(3)), None),
        (Some((0, None)), partial, range("bytes 0-18446744073709551615/*"), None),
        (Some((u64::MAX - 1, None)), partial, range("bytes 18446744073709551614-5/*"), None),
    ];
    for (asked, status, headers, expected) in taken {
        let answer = offline::answer(status, &headers, "");
        let got = part(asked, &answer).ok().map(|part| (part.offset, part.length));
        assert_eq!(got, expected, "{asked:?} {status} {headers}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_range_that_is_answered_by_another_is_an_error() {
    let headers = "Content-Range: bytes 2-3/10\nETag: \"0x1\"";
    let answers = Answers::new([(206, headers, &["23"][..])]);
    assert_eq!(read(&answers, Some(2..4)).await.expect("as asked"), "23");
    for (status, headers, body) in [
        (200, WHOLE, "0123456789"),
        (206, "Content-Range: bytes 4-5/10", "45"),
        (206, "Content-Range: bytes 2-4/10", "234"),
    ] {
        let answers = Answers::new([(status, headers, &[body][..])]);
        unexpected(read(&answers, Some(2..4)).await, "requested bytes 2-3, got");
    }
}

#[tokio::test(start_paused = true)]
async fn the_length_that_an_answer_lacks_is_asked_for() {
    let lacks = "ETag: \"0x1\"\nTransfer-Encoding: chunked";
    for (pieces, range) in [(&["01234", "56789"][..], None), (&["0123456789"], Some(0..99))] {
        let head = (200, "Content-Length: 10\nETag: \"0x1\"", &[][..]);
        let answers = Answers::new([(200, lacks, pieces), head]);
        let asked = read(&answers, range.clone()).await;
        match range {
            None => assert_eq!(asked.expect("whole"), "0123456789"),
            Some(_) => unexpected(asked, "got the whole blob"),
        }
        if let Some(head) = answers.seen().get(1) {
            assert_eq!(
                (&head.method, header(head, "if-match")),
                (&http::Method::HEAD, Some("\"0x1\""))
            );
        }
    }
    // Without any length, a body that is cut short would look complete.
    let answers = Answers::new([(200, lacks, &["01234"][..]), (200, "ETag: \"0x1\"", &[])]);
    unexpected(read(&answers, None).await, "does not say how long the blob is");
}

#[tokio::test(start_paused = true)]
async fn an_answer_without_a_length_that_ends_early_is_taken_up_again() {
    let answers = Answers::new([
        (200, "ETag: \"0x1\"", &["01234"][..]),
        (200, WHOLE, &[]),
        (206, "ETag: \"0x1\"\nContent-Range: bytes 5-9/10", &["567", "", "89"]),
    ]);
    assert_eq!(read(&answers, None).await.expect("whole"), "0123456789");
    let rest = &answers.seen()[2];
    assert_eq!(header(rest, "x-ms-range"), Some("bytes=5-9"));
    assert_eq!(header(rest, "if-match"), Some("\"0x1\""));
}

#[tokio::test(start_paused = true)]
async fn a_body_that_is_longer_than_announced_is_an_error() {
    for pieces in [&["0123456789a"][..], &["0123456789", "a"], &["0123456789", "", "a"]] {
        let answers = Answers::new([(200, WHOLE, pieces)]);
        unexpected(read(&answers, None).await, "longer than announced");
    }
    let empty = "Content-Length: 0\nETag: \"0x1\"";
    unexpected(
        read(&Answers::new([(200, empty, &["a"][..])]), None).await,
        "longer than announced",
    );
    // A break after the last byte is no error.
    let answers = Answers::new([(200, WHOLE, &["0123456789", "!"][..])]);
    assert_eq!(read(&answers, None).await.expect("whole"), "0123456789");
}

#[tokio::test(start_paused = true)]
async fn a_broken_download_goes_on_only_with_the_rest_of_the_same_blob() {
    let rest = "Content-Range: bytes 5-9/10\nETag: \"0x1\"";
    let after = |first: &'static str, status, headers: &'static str, rest: &'static [&str]| {
        Answers::new([(200, first, &["01234", "!"][..]), (status, headers, rest)])
    };
    let whole = read(&after(WHOLE, 206, rest, &["56789"]), None).await;
    assert_eq!(whole.expect("whole"), "0123456789");
    for (status, headers, why) in [
        (200, WHOLE, "requested bytes 5-9, got the whole blob"),
        (206, "Content-Range: bytes 4-9/10\nETag: \"0x1\"", "got Content-Range \"bytes 4-9/10\""),
        (206, "Content-Range: bytes 5-8/9\nETag: \"0x1\"", "another length"),
        (206, "Content-Range: bytes 5-9/10\nETag: \"0x2\"", "its ETag differs"),
        (206, "Content-Range: bytes 5-9/10", "its ETag differs"),
    ] {
        unexpected(read(&after(WHOLE, status, headers, &["56789"]), None).await, why);
    }
    // Without an ETag nothing shows that the blob is unchanged.
    let answers = after("Content-Length: 10", 206, rest, &["56789"]);
    let error = read(&answers, None).await.expect_err("broken");
    assert!(error.is_retryable() && answers.seen().len() == 1, "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn no_length_takes_memory_before_its_bytes_come() {
    for length in [1 << 40, 1 << 62, u64::MAX] {
        let headers = format!("Content-Length: {length}\nETag: \"0x1\"");
        let answers = Answers::new([(200, headers.as_str(), &["01234", "56", "!"][..])]);
        let download = answers.blob().download().await.expect("the head");
        assert_eq!(download.properties.content_length, length);
        let error = download.bytes().await.expect_err("they never come");
        assert!(matches!(error, Error::Transport { .. }), "{error:?}");
        let next = format!("bytes=7-{}", length - 1);
        assert_eq!(header(&answers.seen()[1], "x-ms-range"), Some(next.as_str()));
    }
}

#[tokio::test(start_paused = true)]
async fn properties_without_a_length_are_an_error() {
    let properties = async |headers: &str| {
        let blob = Answers::new([(200, headers, &[][..])]).blob();
        blob.get_properties().await.map(|properties| properties.content_length)
    };
    assert_eq!(properties("Content-Length: 0").await.expect("told"), 0);
    assert_eq!(properties("x-ms-blob-content-length: 512").await.expect("told"), 512);
    for headers in ["ETag: \"0x1\"", "Transfer-Encoding: chunked"] {
        let error = properties(headers).await.expect_err("not told");
        assert!(matches!(error, Error::UnexpectedResponse { .. }), "{error:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_again_and_again_is_told_with_all_attempts() {
    let rest = "Content-Range: bytes 5-9/10\nETag: \"0x1\"";
    let breaks: [(u16, &str, &[&str]); 4] =
        [(200, WHOLE, &["01234", "!"]), (206, rest, &["!"]), (206, rest, &[]), (206, rest, &["!"])];
    let error = read(&Answers::new(breaks), None).await.expect_err("half a blob");
    let Error::Transport { attempts: 4, .. } = error else { panic!("{error:?}") };
    assert!(!error.may_have_been_applied());
}
