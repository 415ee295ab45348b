//! Loops and `switch`.

use std::sync::Arc;

use super::operators::{enumerate, like};
use super::{Evaluator, Sink};
use crate::ast::*;
use crate::convert;
use crate::error::Flow;
use crate::value::Value;

/// What a loop does after its body.
enum Next {
    Go,
    Stop,
}

impl Evaluator<'_> {
    fn after_body(result: Result<(), Flow>, label: Option<&Arc<str>>) -> Result<Next, Flow> {
        let mine = |wanted: &Option<Arc<str>>| match (wanted, label) {
            (None, _) => true,
            (Some(wanted), Some(label)) => wanted.eq_ignore_ascii_case(label),
            (Some(_), None) => false,
        };
        match result {
            Ok(()) => Ok(Next::Go),
            Err(Flow::Break(wanted)) if mine(&wanted) => Ok(Next::Stop),
            Err(Flow::Continue(wanted)) if mine(&wanted) => Ok(Next::Go),
            Err(other) => Err(other),
        }
    }

    pub(crate) fn looping(&mut self, looping: &Loop, sink: &mut dyn Sink) -> Result<(), Flow> {
        let label = looping.label.as_ref();
        match &looping.kind {
            LoopKind::While(condition, body) => {
                while self.condition(condition)? {
                    self.step()?;
                    if let Next::Stop = Self::after_body(self.block(body, sink), label)? {
                        break;
                    }
                }
                Ok(())
            }
            LoopKind::DoWhile(body, condition) => self.do_loop(body, condition, true, label, sink),
            LoopKind::DoUntil(body, condition) => self.do_loop(body, condition, false, label, sink),
            LoopKind::For { initializer, condition, iterator, body } => {
                let mut nowhere = super::Nowhere;
                if let Some(initializer) = initializer {
                    self.statement(initializer, &mut nowhere)?;
                }
                loop {
                    self.step()?;
                    if let Some(condition) = condition
                        && !self.condition(condition)?
                    {
                        return Ok(());
                    }
                    if let Next::Stop = Self::after_body(self.block(body, sink), label)? {
                        return Ok(());
                    }
                    if let Some(iterator) = iterator {
                        self.statement(iterator, &mut nowhere)?;
                    }
                }
            }
            LoopKind::ForEach { variable, collection, body } => {
                let (value, _) = self.statement_value(collection)?;
                if let Some(expression) = super::statements::single_expression(collection) {
                    self.use_up_input(expression);
                }
                let items = match value {
                    Value::Null => return Ok(()),
                    other => enumerate(&other),
                };
                for item in items {
                    self.step()?;
                    self.assign_variable(variable, item, false)?;
                    if let Next::Stop = Self::after_body(self.block(body, sink), label)? {
                        break;
                    }
                }
                Ok(())
            }
            LoopKind::Switch { matching, case_sensitive, file, condition, clauses, default } => {
                let (value, nothing) = self.statement_value(condition)?;
                let items = if *file {
                    self.switch_file(&value)?
                } else if nothing {
                    return Ok(());
                } else {
                    enumerate(&value)
                };
                for item in items {
                    self.step()?;
                    let before = self.swap_underscore(Some(item.clone()));
                    let result = self.switch_item(&item, *matching, *case_sensitive, clauses, default.as_ref(), sink);
                    self.restore_underscore(before);
                    if let Next::Stop = Self::after_body(result, label)? {
                        break;
                    }
                }
                Ok(())
            }
        }
    }

    fn do_loop(
        &mut self,
        body: &StatementBlock,
        condition: &Statement,
        go_on_when: bool,
        label: Option<&Arc<str>>,
        sink: &mut dyn Sink,
    ) -> Result<(), Flow> {
        loop {
            self.step()?;
            if let Next::Stop = Self::after_body(self.block(body, sink), label)? {
                return Ok(());
            }
            if self.condition(condition)? != go_on_when {
                return Ok(());
            }
        }
    }

    fn switch_file(&mut self, path: &Value) -> Result<Vec<Value>, Flow> {
        let path = self.text(path);
        match self.world.read_file(&path) {
            Some(bytes) => Ok(super::text::decode(&bytes).lines().map(Value::str).collect()),
            None => {
                Err(crate::error::ErrorRecord::runtime(format!("Could not find file '{path}'."), "FileOpenFailure", "ObjectNotFound")
                    .into())
            }
        }
    }

    fn switch_item(
        &mut self,
        item: &Value,
        matching: SwitchMatching,
        case_sensitive: bool,
        clauses: &[(Expression, StatementBlock)],
        default: Option<&StatementBlock>,
        sink: &mut dyn Sink,
    ) -> Result<(), Flow> {
        let mut matched = false;
        for (test, body) in clauses {
            let hit = match &test.kind {
                ExpressionKind::ScriptBlock(block) => {
                    let mut values = Vec::new();
                    if let Some(end) = &block.end {
                        self.block(end, &mut values)?;
                    }
                    let (value, _) = super::collapse(values);
                    convert::to_bool(&value)
                }
                _ => {
                    let wanted = self.value(test)?;
                    self.switch_matches(item, &wanted, matching, case_sensitive)?
                }
            };
            if hit {
                matched = true;
                self.block(body, sink)?;
            }
        }
        match default {
            Some(body) if !matched => self.block(body, sink),
            _ => Ok(()),
        }
    }

    fn switch_matches(&mut self, item: &Value, wanted: &Value, matching: SwitchMatching, case_sensitive: bool) -> Result<bool, Flow> {
        if let Value::Script(block) = wanted {
            let call = crate::pipeline::BlockCall::each(block, item.clone());
            let mut values = Vec::new();
            self.call_block(&call, &mut values)?;
            return Ok(convert::to_bool(&super::collapse(values).0));
        }
        match matching {
            // `switch` compares texts: 1 is not `$true`, `$null` is the empty text.
            SwitchMatching::Exact => match (item, wanted) {
                (Value::Int(a), Value::Int(b)) => Ok(a == b),
                (Value::Str(_), Value::Str(_)) => Ok(convert::equals(item, wanted, case_sensitive)),
                _ => {
                    let texts = (Value::str(self.text(item)), Value::str(self.text(wanted)));
                    Ok(convert::equals(&texts.0, &texts.1, case_sensitive))
                }
            },
            SwitchMatching::Wildcard => Ok(like(&self.text(item), &self.text(wanted), case_sensitive)),
            SwitchMatching::Regex => {
                let pattern = self.text(wanted);
                let pattern = self.pattern(&pattern, case_sensitive, crate::types::regexes::Asker::Language)?;
                let subject = self.text(item);
                self.match_into_matches(&pattern, &subject)
            }
        }
    }
}
