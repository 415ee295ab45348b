//! Calls of script blocks, and text that is run.

use std::sync::Arc;

use super::{Env, Evaluator, Frame, Scope, ScopeKind, Sink, Variable};
use crate::ast::ScriptBlockAst;
use crate::error::{ErrorRecord, Flow};
use crate::pipeline::{BlockCall, BlockScope};
use crate::source::Source;
use crate::value::Value;

impl Evaluator<'_> {
    /// Runs a script block for a stage or an operator.
    pub(crate) fn call_block(&mut self, call: &BlockCall<'_>, sink: &mut dyn Sink) -> Result<(), Flow> {
        self.deeper(|ev| {
            let ast = &call.block.ast;
            let simple = call.scope == BlockScope::Current && ast.parameters.is_empty() && call.block.closure.is_none();
            if simple {
                let before = ev.swap_underscore(call.underscore.clone());
                let result = ev.run_blocks_here(ast, sink);
                ev.restore_underscore(before);
                return result;
            }
            let scope = ev.block_scope(call);
            let remote = call.scope == BlockScope::Remote;
            let using = if remote { Some(ev.env.scope.clone()) } else { ev.using.clone() };
            let using = std::mem::replace(&mut ev.using, using);
            let env = Env { scope, ..ev.env.clone() };
            let result = ev.within(env, |ev| {
                ev.positional_parameters(ast, &call.arguments)?;
                ev.run_blocks_here(ast, sink)
            });
            ev.using = using;
            result
        })
    }

    fn block_scope(&mut self, call: &BlockCall<'_>) -> Arc<Scope> {
        let mut parent = self.env.scope.clone();
        if call.scope == BlockScope::Remote {
            // A session of its own: of the caller's variables only `$using:` knows.
            parent = Scope::new(ScopeKind::Global, None);
            super::automatic::initial(&parent, &self.state.errors);
        }
        if let Some(captured) = &call.block.closure {
            let scope = Scope::new(ScopeKind::Local, Some(parent));
            if let Ok(captured) = captured.read() {
                for (name, value) in captured.iter() {
                    scope.set(&name.0.to_lowercase(), Variable::new(&name.0, value.clone()));
                }
            }
            parent = scope;
        }
        let scope = Scope::new(ScopeKind::Local, Some(parent));
        scope.set("args", Variable::new("args", Value::array(call.arguments.clone())));
        if let Some(value) = &call.underscore {
            scope.set("_", Variable::new("_", value.clone()));
        }
        scope
    }

    /// `param` of a block that is called with positional arguments.
    pub(super) fn positional_parameters(&mut self, ast: &Arc<ScriptBlockAst>, arguments: &[Value]) -> Result<(), Flow> {
        let mut arguments = arguments.iter();
        for parameter in &ast.parameters {
            let value = match (arguments.next(), &parameter.default) {
                (Some(value), _) => value.clone(),
                (None, Some(default)) => self.value(default)?,
                (None, None) => Value::Null,
            };
            self.set_parameter(parameter, value)?;
        }
        if !ast.parameters.is_empty() {
            self.env.scope.set("args", Variable::new("args", Value::array(arguments.cloned().collect())));
        }
        Ok(())
    }

    /// All blocks of a script block, in the current scope.
    pub(super) fn run_blocks_here(&mut self, ast: &Arc<ScriptBlockAst>, sink: &mut dyn Sink) -> Result<(), Flow> {
        let source = ast.source.clone();
        let other_text = !Arc::ptr_eq(&source, &self.env.frame.source);
        let mut body = |ev: &mut Self| {
            for block in [&ast.begin, &ast.process, &ast.end].into_iter().flatten() {
                match ev.block(block, sink) {
                    Err(Flow::Return) => return Ok(()),
                    other => other?,
                }
            }
            Ok(())
        };
        if !other_text {
            return body(self);
        }
        let frame = Arc::new(Frame { source, ..self.frame_like() });
        let env = Env { frame, ..self.env.clone() };
        self.within(env, body)
    }

    /// The current frame, to be changed a little.
    pub(crate) fn frame_like(&self) -> Frame {
        let frame = &self.env.frame;
        Frame {
            name: frame.name.clone(),
            position: frame.position.clone(),
            source: frame.source.clone(),
            function: frame.function.clone(),
            invoked: frame.invoked.clone(),
            bound: frame.bound.clone(),
            unbound: frame.unbound.clone(),
            script: frame.script,
            parent: frame.parent.clone(),
        }
    }

    /// Parses text at run time; a syntax error is a terminating error.
    pub(crate) fn parse_text(&mut self, name: &str, text: &str) -> Result<Arc<ScriptBlockAst>, Flow> {
        self.check_text(text.len())?;
        let source = Arc::new(Source::new(name, text));
        let (ast, errors) = crate::parse::parse(&source);
        match errors.into_iter().next() {
            None => Ok(Arc::new(ast)),
            Some(error) if error.id == "NestingLimit" => Err(crate::error::LimitError::Nesting(crate::parse::NESTING_LIMIT).into()),
            Some(error) => {
                let mut record = ErrorRecord::new(error.message, error.id, "ParserError", "System.Management.Automation.ParseException");
                record.decorated = true;
                record.position = Some(crate::source::Position { source, span: error.span });
                Err(record.into())
            }
        }
    }

    /// Runs text in the current scope (`Invoke-Expression`).
    pub(crate) fn run_text(&mut self, text: &str, sink: &mut dyn Sink) -> Result<(), Flow> {
        let ast = self.parse_text("", text)?;
        self.hoist_types(&ast)?;
        self.deeper(|ev| ev.run_blocks_here(&ast, sink))
    }
}
