//! Sessions on computers of a fixture deployment.
#![allow(dead_code, unreachable_pub, missing_docs, reason = "shared by test binaries, each of which uses its own part")]

use std::sync::Arc;

use firedrill_cmdlets::signatures::Binding;
use firedrill_cmdlets::{Shell, ShellState};
use firedrill_fabric::{Fabric, Options as FabricOptions, SimTime};
use firedrill_powershell::session::{self, Limits, Options, RunOutput, Session};
use firedrill_powershell::value::Value;
use firedrill_topology::{Topology, load_bytes};

/// A deployment with one session on one of its computers.
pub struct Rig {
    pub fabric: Fabric,
    pub state: ShellState,
    pub session: Session,
    pub computer: String,
}

/// A fixture of the repository.
pub fn fixture(name: &str) -> Topology {
    let path = format!("{}/../../fixtures/{name}.yaml", env!("CARGO_MANIFEST_DIR"));
    let bytes = std::fs::read(&path).expect("the fixture can be read");
    load_bytes(name, &bytes).into_result().expect("the fixture is valid")
}

impl Rig {
    pub fn new(name: &str, computer: &str, binding: Binding) -> Self {
        // 2026-01-05T08:00:00Z.
        let options = FabricOptions { seed: 7, start: SimTime(1_767_600_000_000_000_000) };
        Self {
            fabric: Fabric::new(Arc::new(fixture(name)), options),
            state: ShellState { binding, ..ShellState::default() },
            session: Session::new(Limits::default(), Options { strict_binding: binding == Binding::Strict, ..Options::default() }),
            computer: computer.to_owned(),
        }
    }

    /// Contoso, from a Front End of pool 2.
    pub fn contoso() -> Self {
        Self::new("contoso", "pool2-fe1.contoso.com", Binding::Procedures)
    }

    pub fn run(&mut self, text: &str) -> RunOutput {
        let computer = self.fabric.topology().find_computer(&self.computer).expect("the computer exists");
        let mut shell = Shell::new(&mut self.fabric, computer, &mut self.state);
        self.session.run(&mut shell, "", text)
    }

    /// What the console shows.
    pub fn console(&mut self, text: &str) -> String {
        session::render(&self.run(text), 200)
    }

    /// The objects of a command that must not fail, as far as they are objects.
    pub fn objects(&mut self, text: &str) -> Vec<Arc<firedrill_powershell::PsObject>> {
        let output = self.run(text);
        assert!(output.errors().next().is_none(), "{text}: {}", session::render(&output, 200));
        output
            .objects()
            .filter_map(|value| match value {
                Value::Object(object) => Some(object.clone()),
                _ => None,
            })
            .collect()
    }
}
