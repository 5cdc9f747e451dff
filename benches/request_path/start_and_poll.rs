//! A whole start and poll, with nothing but the client at work.

use blobcopy::transport::Transport;
use tokio::runtime::Builder;

use crate::{
    clients::{self, Blobs, CannedTransport, Noting, Shared},
    measure::{Report, Row, for_each_call, interleave},
};

const TURNS: usize = 200;
const CALLS: usize = 1000;

/// A start and one poll, beside the same two requests, signed once and sent again and again through
/// the same transport, boxed futures and all, with a look at the status of each answer.
pub(crate) fn canned(report: &Report) {
    let row = Row { name: "start and poll", floor: "prebuilt requests", target: Some(1.5) };
    if !report.wants(row.name) {
        return;
    }
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let Blobs { source, destination } = Blobs::canned(clients::key());
    let start_and_poll = async || {
        let mut copy = destination.start_copy_from_uri(&source).await.unwrap();
        assert!(copy.poll().await.unwrap().status.is_final());
    };

    let [start, poll] = runtime.block_on(prebuilt());
    let transport: Box<dyn Transport> = Box::new(CannedTransport::new());
    let send_both = async || {
        assert_eq!(transport.send(start.clone()).await.unwrap().status, 202);
        assert_eq!(transport.send(poll.clone()).await.unwrap().status, 200);
    };

    let calls = report.calls(CALLS);
    let [ours, floor] = interleave(
        report.turns(TURNS),
        [
            &mut || {
                for_each_call(calls, || {
                    runtime.block_on(async {
                        for _ in 0..calls {
                            start_and_poll().await;
                        }
                    })
                })
            },
            &mut || {
                for_each_call(calls, || {
                    runtime.block_on(async {
                        for _ in 0..calls {
                            send_both().await;
                        }
                    })
                })
            },
        ],
    );
    report.row(&row, &ours, &floor);
}

/// The two requests, as the client makes them.
async fn prebuilt() -> [blobcopy::transport::Request; 2] {
    let noting = std::sync::Arc::new(Noting::new(CannedTransport::new()));
    let options = blobcopy::ClientOptions::new().transport(Shared(std::sync::Arc::clone(&noting)));
    let Blobs { source, destination } = Blobs::new(clients::endpoint(), clients::key(), options);
    let mut copy = destination.start_copy_from_uri(&source).await.unwrap();
    let start = noting.take().request;
    copy.poll().await.unwrap();
    [start, noting.take().request]
}
