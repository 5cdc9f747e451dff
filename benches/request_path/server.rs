//! A server with canned responses over loopback, in its own process so that its work is not
//! counted.

use std::{
    env,
    io::{BufRead, BufReader},
    process::{Child, ChildStdout, Command, Stdio},
};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::Builder,
};

use crate::answers;

/// With this argument the bench runs the server.
pub(crate) const ARGUMENT: &str = "serve-canned-answers";

/// The process of the server; it ends when this is dropped.
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    _out: BufReader<ChildStdout>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let program = env::current_exe().unwrap();
        let mut child = Command::new(program)
            .arg(ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        Self { child, port: line.trim().parse().unwrap(), _out: out }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Serves until standard input ends, at the latest with the parent process.
pub(crate) fn run() {
    let runtime = Builder::new_current_thread().enable_io().build().unwrap();
    std::thread::spawn(|| {
        let _ = std::io::stdin().lines().count();
        std::process::exit(0);
    });
    runtime.block_on(async {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        println!("{}", listener.local_addr().unwrap().port());
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            stream.set_nodelay(true).unwrap();
            tokio::spawn(answer(stream));
        }
    });
}

/// Answers requests without a body until the connection ends.
async fn answer(mut stream: TcpStream) {
    let mut buffer = vec![0; 16 << 10];
    let mut held = 0;
    loop {
        match stream.read(&mut buffer[held..]).await {
            Ok(0) | Err(_) => return,
            Ok(read) => held += read,
        }
        if !buffer[..held].ends_with(b"\r\n\r\n") {
            continue;
        }
        let answer = match buffer[0] {
            b'H' => answers::PROPERTIES,
            _ => answers::STARTED,
        };
        held = 0;
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}
