//! Answers from an intermediary in place of the service: they say nothing about a blob.

use blobcopy::{BlobClient, CopyFromUriOperation, Error, transport::TransportErrorKind};
use futures_util::TryStreamExt;

use crate::support::script::{Script, Step, answer, properties, refusal};

/// The page of a gateway that does not know the host, and that of a captive portal.
fn gateway(status: u16) -> Step {
    answer(status, "Server: nginx\nContent-Type: text/html\nContent-Length: 153")
}

fn blob(script: &Script) -> BlobClient {
    script.service().container_client("backups").blob_client("disk0.vhd")
}

fn watched(polls: impl IntoIterator<Item = Step>) -> (CopyFromUriOperation, Script) {
    let script = Script::new(polls);
    (blob(&script).resume_copy("ours".parse::<blobcopy::CopyId>().expect("an id")), script)
}

#[tokio::test(start_paused = true)]
async fn they_do_not_end_a_wait() {
    for status in [404, 403, 407, 200, 302] {
        let polls = || {
            let success = properties("ours", "success", "");
            [properties("ours", "pending", ""), gateway(status), gateway(status), success]
        };
        let (mut copy, script) = watched(polls());
        assert!(copy.wait().await.is_ok(), "{status}");
        assert_eq!(script.seen().len(), 4);
        let states: Vec<_> = watched(polls()).0.progress_stream().try_collect().await.expect("ok");
        assert_eq!(states.len(), 2, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn they_end_a_wait_as_any_outage_does() {
    let (mut copy, _) = watched([properties("ours", "pending", ""), gateway(404)]);
    let error = copy.wait().await.expect_err("for an hour");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404), "{error:?}");
    assert!(error.to_string().contains("proxy or gateway"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn a_poll_tells_them_as_what_they_are() {
    let (mut copy, _) = watched([gateway(404), gateway(200)]);
    let error = copy.poll().await.expect_err("no blob's");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404), "{error:?}");
    let error = copy.poll().await.expect_err("no blob's");
    assert!(matches!(error, Error::UnexpectedResponse { .. }), "{error:?}");
    assert!(error.to_string().contains("proxy or gateway"), "{error}");
}

#[tokio::test(start_paused = true)]
async fn an_abort_does_not_take_the_destination_for_gone() {
    let (mut copy, _) = watched([gateway(404)]);
    let error = copy.abort().await.expect_err("not aborted");
    assert_eq!(error.status().map(|status| status.as_u16()), Some(404), "{error:?}");
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_was_lost_is_not_sent_again_on_their_word() {
    let lost = Step::Fault(TransportErrorKind::Interrupted);
    let script = Script::new([lost, gateway(404)]);
    let source = script.service().container_client("vhds").blob_client("notes.txt");
    let error = blob(&script).start_copy_from_uri(&source).await.expect_err("unknown");
    assert!(error.may_have_been_applied(), "{error:?}");
    assert_eq!(script.methods(), ["PUT", "HEAD", "HEAD", "HEAD", "HEAD"]);
}

#[tokio::test(start_paused = true)]
async fn a_start_whose_answer_was_lost_is_looked_for_behind_them() {
    for status in [404, 403, 200, 302] {
        let lost = Step::Fault(TransportErrorKind::Interrupted);
        let source = "x-ms-copy-source: https://acct.blob.core.windows.net/vhds/notes.txt";
        let script = Script::new([lost, gateway(status), properties("ours", "pending", source)]);
        let source = script.service().container_client("vhds").blob_client("notes.txt");
        let copy = blob(&script).start_copy_from_uri(&source).await.expect("found");
        assert!(copy.was_adopted() && *copy.id() == "ours");
        assert_eq!(script.methods(), ["PUT", "HEAD", "HEAD"], "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn whether_a_blob_exists_is_for_the_service_to_say() {
    let script = Script::new([refusal(404, "BlobNotFound"), gateway(404)]);
    let blob = blob(&script);
    assert!(!blob.exists().await.expect("no"));
    let error = blob.exists().await.expect_err("unknown");
    assert!(error.to_string().contains("proxy or gateway"), "{error}");
}
