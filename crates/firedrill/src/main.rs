//! The command line of Firedrill.
fn main() {}
