//! The language, end to end.

mod support;

use firedrill_powershell::session::{Limits, Options, Session, render};
use support::TestWorld;

fn run(text: &str) -> String {
    let mut world = TestWorld::default();
    let mut session = Session::new(Limits::default(), Options::default());
    render(&session.run(&mut world, "", text), 120)
}

#[test]
fn prints_from_environment() {
    if let Ok(path) = std::env::var("FD_SCRIPT") {
        println!("{}", run(&std::fs::read_to_string(path).unwrap()));
    }
}
