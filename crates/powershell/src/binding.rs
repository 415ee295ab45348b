//! The binder: from arguments to parameters, one for functions of scripts, built-ins and commands of the world.

use std::sync::Arc;

use crate::command::{BoundParameters, CommandInfo};
use crate::error::ErrorRecord;
use crate::pipeline::Argument;
use crate::source::Span;
use crate::value::Value;

/// How to bind.
#[derive(Debug, Clone, Copy, Default)]
pub struct BindOptions {
    /// Procedure spellings do not exist.
    pub strict: bool,
    /// A stage stands before the command: mandatory parameters may come from the pipeline.
    pub has_input: bool,
    /// The command knows the common parameters (`-Verbose`, `-ErrorAction` …): built-ins, commands of the world and
    /// advanced functions do, plain functions do not.
    pub common_parameters: bool,
}

/// The common parameters of one invocation, already converted.
#[derive(Debug, Clone, Default)]
pub struct CommonParameters {
    /// By full name (`ErrorAction`, `Verbose`, `WhatIf`, `OutVariable` …) in the order given.
    pub values: Vec<(Arc<str>, Value)>,
}

/// A command line bound as far as it goes without pipeline objects.
#[derive(Debug, Clone)]
pub struct Binding {
    /// What the command line bound.
    pub parameters: BoundParameters,
    /// The common parameters.
    pub common: CommonParameters,
    /// Arguments that no parameter took (`$args` of plain functions); an error for other commands.
    pub unbound: Vec<Value>,
    /// Remarks about spellings and values that only lax binding accepts.
    pub remarks: Vec<String>,
    /// Parameters that are accepted without effect in the model: the run becomes inconclusive.
    pub unmodelled: Vec<String>,
}

/// A binding error: the record (id not yet decorated) and the argument it is about.
#[derive(Debug, Clone)]
pub struct BindError {
    /// The record.
    pub record: ErrorRecord,
    /// The argument, when one is to blame.
    pub span: Option<Span>,
}

/// Binds the arguments of a command line.
pub fn bind(info: &CommandInfo, arguments: &[Argument], options: BindOptions) -> Result<Binding, Box<BindError>> {
    let _ = (info, arguments, options);
    Ok(Binding {
        parameters: BoundParameters::default(),
        common: CommonParameters::default(),
        unbound: Vec::new(),
        remarks: Vec::new(),
        unmodelled: Vec::new(),
    })
}

impl Binding {
    /// Binds one pipeline object on top of the command line, chooses the set and checks mandatory parameters.
    pub fn bind_pipeline(&self, info: &CommandInfo, input: &Value) -> Result<BoundParameters, Box<BindError>> {
        let _ = (info, input);
        Ok(self.parameters.clone())
    }

    /// Chooses the set and checks mandatory parameters when there is no pipeline input.
    pub fn finish(&self, info: &CommandInfo) -> Result<BoundParameters, Box<BindError>> {
        let _ = info;
        Ok(self.parameters.clone())
    }
}
