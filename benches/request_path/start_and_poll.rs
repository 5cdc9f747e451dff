//! A start and a poll, with the client and an in-process transport only.

use std::sync::Arc;

use blobcopy::{
    BlobServiceClient, ClientOptions,
    transport::{Request, Transport},
};
use blobcopy_simulator::Simulator;
use tokio::runtime::{Builder, Runtime};

use crate::{
    clients::{self, Blobs, CannedTransport, Noting, Shared},
    measure::{Report, Row, for_each_call, interleave},
};

const TURNS: usize = 120;
const CALLS: usize = 500;

/// With a transport that answers at once, only the client's work is left. The floor does almost
/// nothing; it does not even sign.
pub(crate) fn canned(report: &Report) {
    let row = Row { name: "start and poll, canned", floor: "prebuilt requests", target: Some(1.5) };
    if report.wants(row.name) {
        let blobs = |transport| {
            let options = ClientOptions::new().transport(Shared(transport));
            Blobs::new(clients::endpoint(), clients::key(), options)
        };
        compare(report, &row, &runtime(), Arc::new(CannedTransport::new()), blobs);
    }
}

/// With the simulator, which checks signatures and stores blobs like the service.
pub(crate) fn simulated(report: &Report) {
    let row =
        Row { name: "start and poll, simulator", floor: "prebuilt requests", target: Some(1.5) };
    if !report.wants(row.name) {
        return;
    }
    let simulator = Simulator::builder().build();
    let runtime = runtime();
    runtime.block_on(async {
        let service = simulator.service_client().unwrap();
        let vhds = service.container_client("vhds");
        vhds.create().await.unwrap();
        service.container_client("backups").create().await.unwrap();
        vhds.page_blob_client("disks/disk0.vhd").create(1 << 20).await.unwrap();
    });
    let blobs = |transport| {
        let text = simulator.connection_string();
        let options = ClientOptions::new().transport(Shared(transport));
        let service = BlobServiceClient::builder_from_connection_string(&text).unwrap();
        Blobs::of(&service.options(options).build().unwrap())
    };
    compare(report, &row, &runtime, Arc::new(simulator.transport()), blobs);
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

/// A start and a poll, against the same two requests, signed once and sent repeatedly through the
/// same transport with boxed futures; only the status of each response is checked.
fn compare<T: Transport>(
    report: &Report,
    row: &Row,
    runtime: &Runtime,
    transport: Arc<T>,
    blobs: impl Fn(Arc<dyn Transport>) -> Blobs,
) {
    let noting = Arc::new(Noting::new(Shared(transport.clone() as Arc<dyn Transport>)));
    let [start, poll] = runtime.block_on(async {
        let Blobs { source, destination } = blobs(noting.clone());
        let mut copy = destination.start_copy_from_uri(&source).await.unwrap();
        let start: Request = noting.take().request;
        copy.poll().await.unwrap();
        [start, noting.take().request]
    });

    let Blobs { source, destination } = blobs(transport.clone());
    let by_client = async || {
        let mut copy = destination.start_copy_from_uri(&source).await.unwrap();
        copy.poll().await.unwrap();
    };
    let bare = async || {
        assert_eq!(transport.send(start.clone()).await.unwrap().status(), 202);
        assert_eq!(transport.send(poll.clone()).await.unwrap().status(), 200);
    };
    let calls = report.calls(CALLS);
    let [ours, floor] = interleave(
        report.turns(TURNS),
        [&mut || one_by_one(runtime, calls, by_client), &mut || one_by_one(runtime, calls, bare)],
    );
    report.row(row, &ours, &floor);
}

fn one_by_one(runtime: &Runtime, calls: usize, call: impl AsyncFn()) -> f64 {
    for_each_call(calls, || {
        runtime.block_on(async {
            for _ in 0..calls {
                call().await;
            }
        });
    })
}
