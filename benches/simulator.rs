//! What a request to the simulator costs.

fn main() {}
