//! `Where-Object` and `ForEach-Object`.

use std::sync::Arc;

use super::input_of;
use super::properties::{has_wildcard, read};
use crate::command::BoundParameters;
use crate::convert::{self, Comparison, equals, shared_text, to_bool};
use crate::error::{ErrorRecord, Flow};
use crate::eval::{like, regex_for};
use crate::pipeline::{BlockCall, Context, Stage};
use crate::types;
use crate::value::{ScriptBlock, Value};

/// The comparison that `Where-Object Property -op Value` asks for.
enum Test {
    Block(Arc<ScriptBlock>),
    Truth,
    Not,
    Compare(Comparison, bool),
    Like(bool, bool),
    Match(std::sync::Arc<crate::types::regexes::Pattern>, bool),
    Contains(bool, bool),
    In(bool, bool),
    Is(bool),
}

/// `Where-Object`.
pub(super) struct Where {
    parameters: BoundParameters,
    property: Arc<str>,
    value: Value,
    test: Option<Test>,
}

impl Where {
    pub(super) fn boxed(parameters: BoundParameters) -> Box<dyn Stage> {
        let property = parameters.text("Property").unwrap_or_else(|| "".into());
        let value = parameters.get("Value").cloned().unwrap_or(Value::Null);
        Box::new(Self { parameters, property, value, test: None })
    }

    fn choose(&self) -> Result<Test, Flow> {
        if let Some(Value::Script(block)) = self.parameters.get("FilterScript") {
            return Ok(Test::Block(block.clone()));
        }
        let on = |name: &str| self.parameters.switch(name);
        for (name, op) in [
            ("EQ", Comparison::Eq),
            ("NE", Comparison::Ne),
            ("GT", Comparison::Gt),
            ("GE", Comparison::Ge),
            ("LT", Comparison::Lt),
            ("LE", Comparison::Le),
        ] {
            if on(name) {
                return Ok(Test::Compare(op, false));
            }
            if on(&format!("C{name}")) {
                return Ok(Test::Compare(op, true));
            }
        }
        for (prefix, case) in [("", false), ("C", true)] {
            if on(&format!("{prefix}Like")) {
                return Ok(Test::Like(true, case));
            }
            if on(&format!("{prefix}NotLike")) {
                return Ok(Test::Like(false, case));
            }
            if on(&format!("{prefix}Match")) || on(&format!("{prefix}NotMatch")) {
                let regex = regex_for(&shared_text(&self.value), case)?;
                return Ok(Test::Match(regex, on(&format!("{prefix}Match"))));
            }
            if on(&format!("{prefix}Contains")) {
                return Ok(Test::Contains(true, case));
            }
            if on(&format!("{prefix}NotContains")) {
                return Ok(Test::Contains(false, case));
            }
            if on(&format!("{prefix}In")) {
                return Ok(Test::In(true, case));
            }
            if on(&format!("{prefix}NotIn")) {
                return Ok(Test::In(false, case));
            }
        }
        if on("Is") || on("IsNot") {
            return Ok(Test::Is(on("Is")));
        }
        if on("Not") {
            return Ok(Test::Not);
        }
        if self.parameters.get("Value").is_some() {
            return Err(ErrorRecord::new(
                "The specified operator requires both the -Property and -Value parameters. Provide values for both parameters, and then try again.",
                "OperatorNotSpecified",
                "InvalidArgument",
                "System.Management.Automation.PSArgumentException",
            )
            .into());
        }
        Ok(Test::Truth)
    }

    fn holds(&self, test: &Test, object: &Value, cx: &mut dyn Context) -> Result<bool, Flow> {
        if let Test::Block(block) = test {
            let (mut count, mut last) = (0, false);
            cx.call_block(BlockCall::each(block, object.clone()), &mut |value| {
                count += 1;
                last = to_bool(&value);
                Ok(())
            })?;
            return Ok(count > 1 || last);
        }
        let property = read(object, &self.property, cx)?.unwrap_or(Value::Null);
        Ok(match test {
            Test::Block(_) => false,
            Test::Truth => to_bool(&property),
            Test::Not => !to_bool(&property),
            Test::Compare(op, case) => match convert::compare(*op, &property, &self.value, *case) {
                Ok(value) => to_bool(&value),
                Err(record) => {
                    cx.write_error(record)?;
                    false
                }
            },
            Test::Like(wanted, case) => {
                let pattern = shared_text(&self.value);
                let hit = match property.items() {
                    Some(items) => items.iter().any(|i| like(&shared_text(i), &pattern, *case)),
                    None => like(&shared_text(&property), &pattern, *case),
                };
                hit == *wanted
            }
            Test::Match(regex, wanted) => {
                let mut hit = false;
                for item in property.items().unwrap_or_else(|| vec![property.clone()]) {
                    hit |= regex.is_match(&shared_text(&item))?;
                }
                hit == *wanted
            }
            Test::Contains(wanted, case) => {
                let items = property.items().unwrap_or_else(|| vec![property.clone()]);
                items.iter().any(|i| equals(i, &self.value, *case)) == *wanted
            }
            Test::In(wanted, case) => {
                let items = self.value.items().unwrap_or_else(|| vec![self.value.clone()]);
                items.iter().any(|i| equals(&property, i, *case)) == *wanted
            }
            Test::Is(wanted) => {
                let name = match &self.value {
                    Value::Type(full) => full.clone(),
                    other => types::resolve(&shared_text(other)).unwrap_or_else(|| shared_text(other)),
                };
                types::is_type(&property, &name) == *wanted
            }
        })
    }
}

impl Stage for Where {
    fn begin(&mut self, _cx: &mut dyn Context) -> Result<(), Flow> {
        self.test = Some(self.choose()?);
        Ok(())
    }

    fn process(&mut self, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
        let Some(object) = input_of(&self.parameters, input) else { return Ok(()) };
        let Some(test) = self.test.take() else { return Ok(()) };
        let kept = self.holds(&test, &object, cx);
        self.test = Some(test);
        if kept? { cx.emit(object) } else { Ok(()) }
    }
}

/// `ForEach-Object`.
pub(super) struct ForEach {
    parameters: BoundParameters,
    begin: Vec<Arc<ScriptBlock>>,
    process: Vec<Arc<ScriptBlock>>,
    end: Vec<Arc<ScriptBlock>>,
}

impl ForEach {
    pub(super) fn boxed(parameters: BoundParameters) -> Box<dyn Stage> {
        let blocks = |name: &str| -> Vec<Arc<ScriptBlock>> {
            super::list(&parameters, name)
                .into_iter()
                .filter_map(|v| if let Value::Script(block) = v { Some(block) } else { None })
                .collect()
        };
        let (mut begin, mut process, mut end) = (blocks("Begin"), blocks("Process"), blocks("End"));
        process.extend(blocks("RemainingScripts"));
        // Several blocks without names are begin, process and end.
        if begin.is_empty() && process.len() > 1 {
            begin = vec![process.remove(0)];
            if end.is_empty()
                && process.len() > 1
                && let Some(last) = process.pop()
            {
                end = vec![last];
            }
        }
        Box::new(Self { begin, process, end, parameters })
    }
}

fn block_call<'a>(block: &'a ScriptBlock, underscore: Option<Value>) -> BlockCall<'a> {
    BlockCall { block, underscore, arguments: Vec::new(), scope: crate::pipeline::BlockScope::Current }
}

impl Stage for ForEach {
    fn begin(&mut self, cx: &mut dyn Context) -> Result<(), Flow> {
        for block in &self.begin {
            cx.run_block(block_call(block, None))?;
        }
        Ok(())
    }

    fn process(&mut self, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
        let object = input_of(&self.parameters, input);
        let Some(member) = self.parameters.text("MemberName") else {
            for block in &self.process {
                cx.run_block(block_call(block, Some(object.clone().unwrap_or(Value::Null))))?;
            }
            return Ok(());
        };
        let Some(object) = object else { return Ok(()) };
        let arguments = super::list(&self.parameters, "ArgumentList");
        let name = if has_wildcard(&member) {
            types::property_names(&object).into_iter().find(|n| like(n, &member, false)).unwrap_or(member)
        } else {
            member
        };
        if let Value::Hash(table) = &object {
            let found = table.read().ok().and_then(|t| t.get_str(&name).cloned());
            if let Some(value) = found {
                return cx.emit(value);
            }
        }
        if arguments.is_empty()
            && let Some(value) = read(&object, &name, cx)?
        {
            return match value.items() {
                Some(items) => items.into_iter().try_for_each(|item| cx.emit(item)),
                None => cx.emit(value),
            };
        }
        match types::call_method(&object, &name, &arguments, cx) {
            Ok(Some(value)) => match value.items() {
                Some(items) => items.into_iter().try_for_each(|item| cx.emit(item)),
                None => cx.emit(value),
            },
            Ok(None) => Ok(()),
            Err(Flow::Error(failure)) if &*failure.record.id == "MethodNotFound" => cx.emit(Value::Null),
            Err(other) => Err(other),
        }
    }

    fn end(&mut self, cx: &mut dyn Context) -> Result<(), Flow> {
        for block in &self.end {
            cx.run_block(block_call(block, None))?;
        }
        Ok(())
    }
}
