//! A load generator with next to no cost: requests are prepared beforehand, answers only counted.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::{Duration, Instant},
};

use crate::processor;

/// Open connections, each with the requests that it sends repeatedly.
pub(crate) struct Load {
    lanes: Vec<Lane>,
    depth: usize,
    buffer: Vec<u8>,
}

struct Lane {
    stream: TcpStream,
    requests: Vec<u8>,
}

pub(crate) struct Rate {
    pub(crate) per_second: f64,
    /// Processor time per request, over all threads of this process.
    pub(crate) processor: Duration,
}

impl Load {
    /// Spreads `requests` over `connections`, `depth` each.
    pub(crate) fn new(
        address: &str,
        connections: usize,
        depth: usize,
        requests: &[Vec<u8>],
    ) -> Self {
        assert_eq!(requests.len(), connections * depth);
        let lane = |requests: &[Vec<u8>]| {
            let stream = TcpStream::connect(address).unwrap();
            stream.set_nodelay(true).unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
            Lane { stream, requests: requests.concat() }
        };
        let lanes = requests.chunks(depth).map(lane).collect();
        Self { lanes, depth, buffer: vec![0; 1 << 16] }
    }

    /// Sends at least `count` requests and waits for all answers.
    pub(crate) fn turn(&mut self, count: usize) -> Rate {
        let rounds = count.div_ceil(self.lanes.len() * self.depth);
        let (begun, before) = (Instant::now(), processor::time());
        for lane in &mut self.lanes {
            lane.send();
        }
        for round in 1..=rounds {
            for lane in &mut self.lanes {
                lane.receive(self.depth, &mut self.buffer);
                if round < rounds {
                    lane.send();
                }
            }
        }
        let sent = u32::try_from(rounds * self.lanes.len() * self.depth).unwrap();
        let (took, processor) = (begun.elapsed(), processor::time() - before);
        Rate { per_second: f64::from(sent) / took.as_secs_f64(), processor: processor / sent }
    }
}

impl Lane {
    fn send(&mut self) {
        self.stream.write_all(&self.requests).unwrap();
    }

    /// Reads `count` answers without bodies: each head ends in an empty line. The requests are
    /// alike, so checking the first answer is enough.
    fn receive(&mut self, count: usize, buffer: &mut [u8]) {
        let (mut heads, mut matched, mut first) = (0, 0, true);
        while heads < count {
            let length = self.stream.read(buffer).unwrap();
            assert_ne!(length, 0, "the connection was closed");
            if first {
                let head = String::from_utf8_lossy(&buffer[..length.min(400)]);
                assert!(head.starts_with("HTTP/1.1 200 "), "{head}");
                first = false;
            }
            for byte in &buffer[..length] {
                matched = match (byte, matched) {
                    (b'\r', 0 | 2) | (b'\n', 1) => matched + 1,
                    (b'\n', 3) => {
                        heads += 1;
                        0
                    }
                    (b'\r', _) => 1,
                    _ => 0,
                };
            }
        }
        assert_eq!(heads, count);
    }
}

/// Sends one request on a new connection; it must succeed.
pub(crate) fn once(address: &str, request: &[u8]) {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request).unwrap();
    let mut head = [0; 400];
    let length = stream.read(&mut head).unwrap();
    let head = String::from_utf8_lossy(&head[..length]);
    assert!(head.starts_with("HTTP/1.1 201 "), "{head}");
}
