//! A large block blob, to another account in pieces.

use crate::{client, server::Server};

pub(crate) fn row(measured: bool) {
    let bytes: usize = if measured { 4 << 30 } else { 8 << 20 };
    println!("\nA blob of {} MiB into another account by Put Block From URL", bytes >> 20);
    let mut server = Server::start(1, bytes);
    let before = server.requests();
    let ran = client::start("ranges", &server.accounts, &["copies"]);
    // Reading the source is a request of the destination's server, and counted too.
    let seen = server.requests() - before;
    assert_eq!(ran.figure("bytes"), bytes as f64);
    println!(
        "{:.2} s, {} requests of the client ({seen} with what the service itself reads), \
         CPU of the client {:.2} s",
        ran.wall,
        ran.figure("requests"),
        ran.cpu
    );
}
