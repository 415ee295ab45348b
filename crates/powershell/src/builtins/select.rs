//! `Select-Object`.

use std::collections::VecDeque;
use std::sync::Arc;

use super::properties::{Expression, Spec, read, specs};
use super::{input_of, list, number, texts};
use crate::command::BoundParameters;
use crate::convert::equals;
use crate::error::{ErrorRecord, Flow};
use crate::eval::like;
use crate::pipeline::{Context, Stage};
use crate::types;
use crate::value::{PsObject, Value};

/// `Select-Object`.
pub(super) struct Select {
    parameters: BoundParameters,
    specs: Vec<Spec>,
    exclude: Vec<Arc<str>>,
    expand: Option<Arc<str>>,
    seen: usize,
    passed: usize,
    unique: Vec<Value>,
    held: VecDeque<Value>,
}

impl Select {
    pub(super) fn boxed(parameters: BoundParameters) -> Box<dyn Stage> {
        let exclude = texts(&parameters, "ExcludeProperty");
        let expand = parameters.text("ExpandProperty");
        Box::new(Self { parameters, specs: Vec::new(), exclude, expand, seen: 0, passed: 0, unique: Vec::new(), held: VecDeque::new() })
    }

    fn count(&self, name: &str) -> Option<usize> {
        number(&self.parameters, name).map(|n| usize::try_from(n).unwrap_or(0))
    }

    /// Shapes one object and lets it go.
    fn pass(&mut self, object: &Value, cx: &mut dyn Context) -> Result<(), Flow> {
        if self.specs.is_empty() && self.expand.is_none() {
            return self.out(object.clone(), cx);
        }
        let mut results = Vec::new();
        let selected = if self.specs.is_empty() { None } else { Some(self.shape(object, cx)?) };
        match &self.expand {
            None => results.extend(selected.map(Value::from)),
            Some(name) => {
                let found = match types::property_names(object).iter().find(|n| like(n, name, false)) {
                    Some(full) => read(object, full, cx)?,
                    None => read(object, name, cx)?,
                };
                let Some(value) = found else {
                    return cx.write_error(
                        ErrorRecord::new(
                            format!("Property \"{name}\" cannot be found."),
                            "ExpandPropertyNotFound",
                            "InvalidArgument",
                            "System.Management.Automation.PSArgumentException",
                        )
                        .with_target(object.clone()),
                    );
                };
                for item in value.items().unwrap_or_else(|| vec![value.clone()]) {
                    match (&item, &selected) {
                        (Value::Object(inner), Some(extra)) => {
                            let copy = PsObject::clone(inner);
                            let properties = inner.properties.read().map(|p| p.clone()).unwrap_or_default();
                            let copy = PsObject { properties: Arc::new(std::sync::RwLock::new(properties)), ..copy };
                            for name in extra.names() {
                                copy.set(&name, extra.get(&name).unwrap_or(Value::Null));
                            }
                            results.push(copy.into());
                        }
                        _ => results.push(item),
                    }
                }
            }
        }
        for result in results {
            self.out(result, cx)?;
        }
        Ok(())
    }

    fn shape(&self, object: &Value, cx: &mut dyn Context) -> Result<PsObject, Flow> {
        let first = types::type_names(object).first().cloned().unwrap_or_else(|| "System.Object".into());
        let first = first.trim_start_matches("Selected.").to_string();
        let mut made = PsObject::custom();
        made.type_names.insert(0, format!("Selected.{first}").into());
        for spec in &self.specs {
            for spec in spec.expand(object) {
                let by_wildcard = matches!(&spec.expression, Expression::Name(_));
                if by_wildcard && self.exclude.iter().any(|e| like(&spec.label, e, false)) {
                    continue;
                }
                let value = spec.value(object, cx)?;
                // The name is written as the object has it.
                let label = match &spec.expression {
                    Expression::Name(name) if *name == spec.label => types::property_names(object)
                        .into_iter()
                        .find(|n| n.eq_ignore_ascii_case(name))
                        .unwrap_or_else(|| spec.label.clone()),
                    _ => spec.label.clone(),
                };
                made.set(&label, value.unwrap_or(Value::Null));
            }
        }
        Ok(made)
    }

    fn out(&mut self, value: Value, cx: &mut dyn Context) -> Result<(), Flow> {
        if self.parameters.switch("Unique") {
            crate::limits::work(self.unique.len() / 8)?;
            if self.unique.iter().any(|seen| same(seen, &value)) {
                return Ok(());
            }
            self.unique.push(value.clone());
        }
        cx.emit(value)
    }
}

/// Whether two results are the same for `-Unique`: equal values, or objects with equal properties. Case counts.
pub(super) fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Object(x), Value::Object(y)) => {
            let names = x.names();
            names.len() == y.names().len()
                && names.iter().all(|n| match (x.get(n), y.get(n)) {
                    (Some(p), Some(q)) => same(&p, &q) || (p.is_null() && q.is_null()),
                    _ => false,
                })
                && (x.text == y.text)
        }
        (a, b) => types::type_name(a) == types::type_name(b) && equals(a, b, true),
    }
}

impl Stage for Select {
    fn begin(&mut self, _cx: &mut dyn Context) -> Result<(), Flow> {
        self.specs = specs(&list(&self.parameters, "Property"))?;
        if self.specs.is_empty() && !self.exclude.is_empty() {
            self.specs = vec![Spec::name("*")];
        }
        Ok(())
    }

    fn process(&mut self, input: Option<Value>, cx: &mut dyn Context) -> Result<(), Flow> {
        let Some(object) = input_of(&self.parameters, input) else { return Ok(()) };
        let at = self.seen;
        self.seen += 1;
        let indices = list(&self.parameters, "Index");
        if !indices.is_empty() {
            if indices.iter().any(|i| matches!(i, Value::Int(n) if usize::try_from(*n) == Ok(at))) {
                self.pass(&object, cx)?;
            }
            return Ok(());
        }
        let (skip, first) = (self.count("Skip").unwrap_or(0), self.count("First"));
        if let Some(last) = self.count("Last") {
            // -First and -Last together take both ends.
            if at >= skip && first.is_some_and(|f| self.passed < f) {
                self.passed += 1;
                return self.pass(&object, cx);
            }
            self.held.push_back(object);
            if self.held.len() > last + skip {
                self.held.pop_front();
            }
            return Ok(());
        }
        if let Some(skip_last) = self.count("SkipLast") {
            self.held.push_back(object);
            if self.held.len() > skip_last
                && let Some(object) = self.held.pop_front()
            {
                self.pass(&object, cx)?;
            }
            return Ok(());
        }
        if at < skip {
            return Ok(());
        }
        match first {
            None => self.pass(&object, cx),
            Some(first) => {
                if self.passed < first {
                    self.passed += 1;
                    self.pass(&object, cx)?;
                }
                if self.passed >= first && !self.parameters.switch("Wait") && cx.has_input() { Err(cx.stop_upstream()) } else { Ok(()) }
            }
        }
    }

    fn end(&mut self, cx: &mut dyn Context) -> Result<(), Flow> {
        if self.count("Last").is_some() {
            let skip = if self.count("First").is_some() { 0 } else { self.count("Skip").unwrap_or(0) };
            let last = self.count("Last").unwrap_or(0);
            let keep = self.held.len().saturating_sub(skip).min(last);
            let held: Vec<Value> = self.held.drain(..).collect();
            let end = held.len().saturating_sub(skip);
            for object in &held[end - keep..end] {
                self.pass(object, cx)?;
            }
        }
        Ok(())
    }
}
