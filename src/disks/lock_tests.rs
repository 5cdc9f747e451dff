use super::*;

#[test]
fn the_marker_is_small_json() {
    let content = Content { granted: vec!["a".into(), "ä\"".into()], ..Content::default() };
    let json = content.to_json().expect("JSON");
    assert_eq!(json, r#"{"version":1,"granted":["a","ä\""]}"#);
    assert_eq!(Content::read("m", json.as_bytes()).expect("read"), content);
}

#[test]
fn what_is_no_marker_is_refused() {
    for json in ["", "notes", "{}", r#"{"version":2,"granted":[]}"#, r#"{"version":1}"#] {
        let error = Content::read("disk.blobcopy", json.as_bytes()).expect_err(json).to_string();
        assert!(error.contains("disk.blobcopy") && error.contains("not the marker"), "{error}");
    }
}
