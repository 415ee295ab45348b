//! Arrays, `ArrayList`, `List[T]`, `HashSet[T]`, `Queue`, `Stack`.

use std::cmp::Ordering;
use std::sync::Arc;

use super::call::{Call, Found, INVALID, RANGE, gives, len, void};
use super::{method_not_found, type_name};
use crate::convert::{cast_resolved, compare_order, equals, shared_text, to_bool};
use crate::error::Flow;
use crate::limits;
use crate::pipeline::{BlockCall, BlockScope, Context};
use crate::value::{List, ListKind, ScriptBlock, Value};

const OUT_OF_RANGE: &str =
    "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: index";

/// `Equals` of .NET: the same type and the same value, case included.
fn same(a: &Value, b: &Value) -> bool {
    type_name(a) == type_name(b) && equals(a, b, true)
}

/// Index of a value in a collection, -1 when it is not there.
pub(super) fn position_of(items: &[Value], wanted: &Value) -> Value {
    items.iter().position(|i| same(i, wanted)).map_or(Value::Int(-1), len)
}

fn order(a: &Value, b: &Value) -> Ordering {
    compare_order(a, b, true).unwrap_or(Ordering::Equal)
}

/// Runs a script block as a delegate: its arguments are positional, `$_` is not set.
fn delegate(block: &ScriptBlock, arguments: Vec<Value>, cx: &mut dyn Context) -> Result<Value, Flow> {
    let mut results = Vec::new();
    cx.call_block(BlockCall { block, underscore: None, arguments, scope: BlockScope::Child }, &mut |value| {
        results.push(value);
        Ok(())
    })?;
    Ok(match results.len() {
        1 => results.pop().unwrap_or(Value::Null),
        _ => Value::array(results),
    })
}

/// Methods of everything that `Value::items` enumerates.
pub(super) fn methods(value: &Value, call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let items = value.items().unwrap_or_default();
    let fixed = matches!(value, Value::Array(_)) || matches!(value, Value::List(l) if matches!(l.kind, ListKind::TypedArray(_)));
    if let Some(found) = shared_methods(value, &items, call, cx)? {
        return Ok(Some(found));
    }
    let own = match value {
        _ if fixed => fixed_methods(value, &items, call)?,
        Value::List(list) => match &list.kind {
            ListKind::HashSet { .. } => set_methods(list, call)?,
            ListKind::Queue(_) | ListKind::Stack(_) => queue_methods(list, call)?,
            ListKind::Collection(_) => None,
            _ => match predicate_methods(list, call, cx)? {
                Some(found) => Some(found),
                None => list_methods(list, call)?,
            },
        },
        _ => None,
    };
    if own.is_some() {
        return Ok(own);
    }
    // A method that the collection does not have is called on each element.
    if items.is_empty() || call.lower == "compareto" {
        return Err(method_not_found(&type_name(value), call.name).into());
    }
    let mut out = Vec::new();
    for item in &items {
        match super::call_method(item, call.name, call.arguments, cx) {
            Ok(result) => out.extend(result),
            Err(Flow::Error(failure)) if &*failure.record.id == "MethodNotFound" => {
                return Err(method_not_found(&type_name(item), call.name).into());
            }
            Err(other) => return Err(other),
        }
    }
    Ok(Some(match out.len() {
        0 => None,
        1 => out.pop(),
        _ => Some(Value::array(out)),
    }))
}

/// `Where`, `ForEach`, and what all collections share.
fn shared_methods(value: &Value, items: &[Value], call: &Call<'_>, cx: &mut dyn Context) -> Found {
    match (call.lower, call.count()) {
        ("where", 1..=3) if matches!(call.value(0), Value::Script(_)) => filter(items, call, cx),
        ("foreach", 1..) if !generic(value) => each(items, call, cx),
        ("contains", 1) if !matches!(value, Value::List(l) if matches!(l.kind, ListKind::HashSet { .. })) => {
            gives(items.iter().any(|i| same(i, call.value(0))))
        }
        ("indexof", 1) => gives(position_of(items, call.value(0))),
        ("lastindexof", 1) => gives(items.iter().rposition(|i| same(i, call.value(0))).map_or(Value::Int(-1), len)),
        ("getvalue" | "item" | "get_item", 1) => gives(super::index(value, &call.arguments[..1])?),
        ("set_item", 2) => {
            super::set_index(value, &call.arguments[..1], call.value(1).clone())?;
            void()
        }
        ("getenumerator", 0) => gives(items.to_vec()),
        ("tostring", 0) => gives(crate::convert::display(value)),
        ("copyto", 2) => {
            let start = usize::try_from(call.int(1, "index")?).unwrap_or(usize::MAX);
            if call.value(0).collection_len().is_none_or(|n| n < start.saturating_add(items.len())) {
                let reason = "Destination array was not long enough. Check destIndex and length, and the array's lower bounds.";
                return Err(call.threw(reason, super::call::ARGUMENT));
            }
            for (at, item) in items.iter().enumerate() {
                super::set_index(call.value(0), &[len(start + at)], item.clone())?;
            }
            void()
        }
        _ => Ok(None),
    }
}

fn generic(value: &Value) -> bool {
    matches!(value, Value::List(l) if matches!(l.kind, ListKind::Generic(_)))
}

/// `.Where({…}, mode, number)`.
fn filter(items: &[Value], call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let Value::Script(block) = call.value(0) else { return Ok(None) };
    let mode = if call.count() > 1 { call.text(1).to_ascii_lowercase() } else { "default".into() };
    let number = if call.count() > 2 { usize::try_from(call.int(2, "numberToReturn")?).unwrap_or(0) } else { 0 };
    let most = if number == 0 { usize::MAX } else { number };
    let mut test = |item: &Value| -> Result<bool, Flow> {
        let mut results = Vec::new();
        cx.call_block(BlockCall::each(block, item.clone()), &mut |value| {
            results.push(value);
            Ok(())
        })?;
        Ok(to_bool(&Value::array(results)))
    };
    let (mut kept, mut others, mut met) = (Vec::new(), Vec::new(), false);
    for item in items {
        let hit = (met && matches!(&*mode, "skipuntil" | "until")) || test(item)?;
        met |= hit;
        match &*mode {
            "skipuntil" if met && kept.len() < most => kept.push(item.clone()),
            "until" if hit => break,
            "until" if kept.len() < most => kept.push(item.clone()),
            "split" if hit && kept.len() < most => kept.push(item.clone()),
            "split" => others.push(item.clone()),
            "default" | "first" | "last" if hit => kept.push(item.clone()),
            _ => {}
        }
        if (mode == "first" && kept.len() == number.max(1)) || (mode == "default" && kept.len() == most) {
            break;
        }
    }
    match &*mode {
        "split" => gives(vec![Value::array(kept), Value::array(others)]),
        "last" => gives(kept.split_off(kept.len().saturating_sub(number.max(1)))),
        "default" | "first" | "skipuntil" | "until" => gives(kept),
        _ => Err(call.overload()),
    }
}

/// `.ForEach({…})`, `.ForEach('Name', …)`, `.ForEach([type])`.
fn each(items: &[Value], call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let mut out = Vec::new();
    for item in items {
        match call.value(0) {
            Value::Script(block) => {
                let run = BlockCall {
                    underscore: Some(item.clone()),
                    arguments: call.arguments[1..].to_vec(),
                    ..BlockCall::each(block, Value::Null)
                };
                cx.call_block(run, &mut |value| {
                    out.push(value);
                    Ok(())
                })?;
            }
            Value::Type(target) => out.push(cast_resolved(item, target)?),
            name => {
                let name = shared_text(name);
                match (super::property(item, &name), &call.arguments[1..]) {
                    (Some(found), []) => out.push(found),
                    (Some(_), [new]) => super::set_property(item, &name, new.clone())?,
                    (_, arguments) => out.extend(super::call_method(item, &name, arguments, cx)?),
                }
            }
        }
    }
    gives(out)
}

/// Methods of arrays, which keep their size.
fn fixed_methods(value: &Value, items: &[Value], call: &Call<'_>) -> Found {
    match (call.lower, call.count()) {
        ("add" | "remove" | "removeat", 1) | ("insert", 2) => {
            Err(call.threw("Collection was of a fixed size.", "System.NotSupportedException"))
        }
        ("clear", 0) => {
            for at in 0..items.len() {
                let empty = match value {
                    Value::List(list) => match &list.kind {
                        ListKind::TypedArray(element) if &**element != "System.String" => {
                            cast_resolved(&Value::Null, element).unwrap_or(Value::Null)
                        }
                        _ => Value::Null,
                    },
                    _ => Value::Null,
                };
                store(value, at, empty);
            }
            void()
        }
        ("setvalue", 2) => {
            super::set_index(value, &call.arguments[1..2], call.value(0).clone())?;
            void()
        }
        ("clone", 0) => gives(match value {
            Value::List(list) => Value::List(List::new(list.kind.clone(), items.to_vec())),
            _ => Value::array(items.to_vec()),
        }),
        ("getlength" | "getlonglength", 1) => gives(len(items.len())),
        ("getupperbound", 1) => gives(Value::Int(i32::try_from(items.len()).unwrap_or(i32::MAX) - 1)),
        ("getlowerbound", 1) => gives(0),
        _ => Ok(None),
    }
}

/// Stores without converting.
fn store(value: &Value, at: usize, new: Value) {
    let place = |items: &mut Vec<Value>| {
        if let Some(slot) = items.get_mut(at) {
            *slot = new;
        }
    };
    match value {
        Value::Array(items) => items.write().map(|mut items| place(&mut items)).unwrap_or_default(),
        Value::List(list) => list.items.write().map(|mut items| place(&mut items)).unwrap_or_default(),
        _ => {}
    }
}

/// Methods of `List[T]` that ask a script block.
fn predicate_methods(list: &Arc<List>, call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let Value::Script(block) = call.value(0) else { return Ok(None) };
    let ListKind::Generic(element) = &list.kind else { return Ok(None) };
    let items = list.items.read().map(|items| items.clone()).unwrap_or_default();
    let mut hits = Vec::with_capacity(items.len());
    if matches!(call.lower, "find" | "findall" | "findindex" | "findlast" | "findlastindex" | "exists" | "trueforall" | "removeall") {
        for item in &items {
            hits.push(to_bool(&delegate(block, vec![item.clone()], cx)?));
        }
    }
    let first = hits.iter().position(|hit| *hit);
    let last = hits.iter().rposition(|hit| *hit);
    let at = |place: Option<usize>| place.map_or(Value::Int(-1), len);
    let item =
        |place: Option<usize>| place.map_or_else(|| cast_resolved(&Value::Null, element).unwrap_or(Value::Null), |at| items[at].clone());
    match call.lower {
        "find" => gives(item(first)),
        "findlast" => gives(item(last)),
        "findindex" => gives(at(first)),
        "findlastindex" => gives(at(last)),
        "exists" => gives(first.is_some()),
        "trueforall" => gives(hits.iter().all(|hit| *hit)),
        "findall" => {
            let kept = items.iter().zip(&hits).filter(|(_, hit)| **hit).map(|(item, _)| item.clone()).collect();
            gives(Value::List(List::new(list.kind.clone(), kept)))
        }
        "removeall" => {
            let mut flags = hits.iter();
            if let Ok(mut held) = list.items.write() {
                held.retain(|_| !flags.next().copied().unwrap_or(false));
            }
            gives(len(hits.iter().filter(|hit| **hit).count()))
        }
        "foreach" => {
            // The method of the list itself: an action without result.
            for item in &items {
                delegate(block, vec![item.clone()], cx)?;
            }
            void()
        }
        "sort" => {
            let mut sorted: Vec<Value> = Vec::with_capacity(items.len());
            for item in items {
                let mut place = sorted.len();
                while place > 0 {
                    let order = delegate(block, vec![sorted[place - 1].clone(), item.clone()], cx)?;
                    if !matches!(cast_resolved(&order, "System.Int32")?, Value::Int(n) if n > 0) {
                        break;
                    }
                    place -= 1;
                }
                sorted.insert(place, item);
            }
            if let Ok(mut held) = list.items.write() {
                *held = sorted;
            }
            void()
        }
        _ => Ok(None),
    }
}

/// Methods of `ArrayList` and `List[T]`.
fn list_methods(list: &Arc<List>, call: &Call<'_>) -> Found {
    let element = match &list.kind {
        ListKind::Generic(element) => Some(element.clone()),
        _ => None,
    };
    let convert = |at: usize| -> Result<Value, Flow> {
        match &element {
            Some(element) => call.cast(at, "item", element),
            None => Ok(call.value(at).clone()),
        }
    };
    let several = |at: usize| -> Result<Vec<Value>, Flow> {
        call.items(at)
            .iter()
            .map(|item| element.as_ref().map_or_else(|| Ok(item.clone()), |e| cast_resolved(item, e)).map_err(Flow::from))
            .collect()
    };
    let index = |at: usize| -> Result<usize, Flow> { Ok(usize::try_from(call.int(at, "index")?).unwrap_or(usize::MAX)) };
    let added: Vec<Value> = match (call.lower, call.count()) {
        ("add", 1) => vec![convert(0)?],
        ("addrange", 1) => several(0)?,
        ("insert", 2) => vec![convert(1)?],
        ("insertrange", 2) => several(1)?,
        _ => Vec::new(),
    };
    let Ok(mut held) = list.items.write() else { return Ok(None) };
    limits::size(held.len() + added.len())?;
    let out_of_range = || call.threw(OUT_OF_RANGE, RANGE);
    let range = |held: &[Value]| -> Result<std::ops::Range<usize>, Flow> {
        let (at, count) = (index(0)?, index(1)?);
        let end = at.saturating_add(count);
        if end <= held.len() {
            return Ok(at..end);
        }
        let reason = "Offset and length were out of bounds for the array or count is greater than the number of elements from index to the end of \
                      the source collection.";
        Err(call.threw(reason, super::call::ARGUMENT))
    };
    match (call.lower, call.count()) {
        ("add", 1) => {
            held.extend(added);
            Ok(Some(if element.is_some() { None } else { Some(len(held.len() - 1)) }))
        }
        ("addrange", 1) => {
            held.extend(added);
            void()
        }
        ("insert" | "insertrange", 2) => {
            let at = index(0)?;
            if at > held.len() {
                return Err(out_of_range());
            }
            held.splice(at..at, added);
            void()
        }
        ("remove", 1) => {
            let wanted = if element.is_some() { convert(0)? } else { call.value(0).clone() };
            let at = held.iter().position(|i| same(i, &wanted));
            if let Some(at) = at {
                held.remove(at);
            }
            Ok(Some(element.is_some().then_some(Value::Bool(at.is_some()))))
        }
        ("removeat", 1) => {
            let at = index(0)?;
            if at >= held.len() {
                return Err(out_of_range());
            }
            held.remove(at);
            void()
        }
        ("removerange", 2) => {
            let range = range(&held)?;
            held.drain(range);
            void()
        }
        ("getrange", 2) => {
            let range = range(&held)?;
            gives(Value::List(List::new(list.kind.clone(), held[range].to_vec())))
        }
        ("clear", 0) => {
            held.clear();
            void()
        }
        ("sort", 0) => {
            held.sort_by(order);
            void()
        }
        ("reverse", 0) => {
            held.reverse();
            void()
        }
        ("binarysearch", 1) => gives(match held.binary_search_by(|i| order(i, call.value(0))) {
            Ok(at) => len(at),
            Err(at) => Value::Int(-1 - i32::try_from(at).unwrap_or(0)),
        }),
        ("toarray", 0) => gives(match &element {
            Some(element) if &**element != "System.Object" => Value::typed_array(element, held.clone()),
            _ => Value::array(held.clone()),
        }),
        ("toarray", 1) => match super::type_of(call.value(0)) {
            Some(target) => gives(Value::typed_array(&target, held.iter().map(|i| cast_resolved(i, &target)).collect::<Result<_, _>>()?)),
            None => Err(call.overload()),
        },
        ("clone", 0) if element.is_none() => gives(Value::List(List::new(list.kind.clone(), held.clone()))),
        ("trimtosize" | "trimexcess", 0) => void(),
        ("add" | "remove" | "removeat" | "insert" | "addrange" | "clear", _) => Err(call.overload()),
        _ => Ok(None),
    }
}

/// Methods of `HashSet[T]`.
fn set_methods(list: &Arc<List>, call: &Call<'_>) -> Found {
    let ListKind::HashSet { element, ignore_case } = &list.kind else { return Ok(None) };
    let equal = |a: &Value, b: &Value| match (a, b) {
        (Value::Str(_), Value::Str(_)) => equals(a, b, !ignore_case),
        _ => same(a, b),
    };
    let within = |items: &[Value], wanted: &Value| items.iter().any(|i| equal(i, wanted));
    let one = || call.cast(0, "item", element);
    let others = || -> Result<Vec<Value>, Flow> { Ok(call.items(0).iter().map(|i| cast_resolved(i, element)).collect::<Result<_, _>>()?) };
    let Ok(mut held) = list.items.write() else { return Ok(None) };
    match (call.lower, call.count()) {
        ("add", 1) => {
            let item = one()?;
            let new = !within(&held, &item);
            limits::items(held.len() + 1)?;
            if new {
                held.push(item);
            }
            gives(new)
        }
        ("remove", 1) => {
            let item = one()?;
            let at = held.iter().position(|i| equal(i, &item));
            if let Some(at) = at {
                held.remove(at);
            }
            gives(at.is_some())
        }
        ("contains", 1) => gives(within(&held, &one()?)),
        ("clear", 0) => {
            held.clear();
            void()
        }
        ("unionwith", 1) => {
            for other in others()? {
                if !within(&held, &other) {
                    held.push(other);
                }
            }
            void()
        }
        ("intersectwith", 1) => {
            let others = others()?;
            held.retain(|i| within(&others, i));
            void()
        }
        ("exceptwith", 1) => {
            let others = others()?;
            held.retain(|i| !within(&others, i));
            void()
        }
        ("symmetricexceptwith", 1) => {
            let others = others()?;
            let fresh: Vec<Value> = others.iter().filter(|o| !within(&held, o)).cloned().collect();
            held.retain(|i| !within(&others, i));
            held.extend(fresh);
            void()
        }
        ("issubsetof", 1) => {
            let others = others()?;
            gives(held.iter().all(|i| within(&others, i)))
        }
        ("issupersetof", 1) => gives(others()?.iter().all(|o| within(&held, o))),
        ("overlaps", 1) => gives(others()?.iter().any(|o| within(&held, o))),
        ("setequals", 1) => {
            let others = others()?;
            gives(held.iter().all(|i| within(&others, i)) && others.iter().all(|o| within(&held, o)))
        }
        _ => Ok(None),
    }
}

/// Methods of queues and stacks; the end that gives stands first.
fn queue_methods(list: &Arc<List>, call: &Call<'_>) -> Found {
    let (element, stack) = match &list.kind {
        ListKind::Queue(element) => (element, false),
        ListKind::Stack(element) => (element, true),
        _ => return Ok(None),
    };
    let one = || -> Result<Value, Flow> {
        match element {
            Some(element) => call.cast(0, "item", element),
            None => Ok(call.value(0).clone()),
        }
    };
    let Ok(mut held) = list.items.write() else { return Ok(None) };
    let empty = || call.threw(if stack { "Stack empty." } else { "Queue empty." }, INVALID);
    match (call.lower, call.count()) {
        ("enqueue", 1) if !stack => {
            held.push(one()?);
            void()
        }
        ("push", 1) if stack => {
            held.insert(0, one()?);
            void()
        }
        ("dequeue", 0) if !stack => {
            if held.is_empty() {
                Err(empty())
            } else {
                gives(held.remove(0))
            }
        }
        ("pop", 0) if stack => {
            if held.is_empty() {
                Err(empty())
            } else {
                gives(held.remove(0))
            }
        }
        ("peek", 0) => gives(held.first().cloned().ok_or_else(empty)?),
        ("clear", 0) => {
            held.clear();
            void()
        }
        ("toarray", 0) => gives(match element {
            Some(element) => Value::typed_array(element, held.clone()),
            None => Value::array(held.clone()),
        }),
        ("trimexcess" | "trimtosize", 0) => void(),
        ("clone", 0) => gives(Value::List(List::new(list.kind.clone(), held.clone()))),
        _ => Ok(None),
    }
}

/// Static members of `[array]`.
pub(super) fn statics(call: &Call<'_>, cx: &mut dyn Context) -> Found {
    let edit = |change: &mut dyn FnMut(&mut Vec<Value>)| match call.value(0) {
        Value::Array(items) => items.write().map(|mut items| change(&mut items)).unwrap_or_default(),
        Value::List(list) => list.items.write().map(|mut items| change(&mut items)).unwrap_or_default(),
        _ => {}
    };
    match (call.lower, call.count()) {
        ("indexof", 2) => gives(position_of(&call.items(0), call.value(1))),
        ("lastindexof", 2) => gives(call.items(0).iter().rposition(|i| same(i, call.value(1))).map_or(Value::Int(-1), len)),
        ("reverse", 1) => {
            edit(&mut |items| items.reverse());
            void()
        }
        ("sort", 1) => {
            edit(&mut |items| items.sort_by(order));
            void()
        }
        ("clear", 3) => {
            let (start, count) = (call.int(1, "index")?, call.int(2, "length")?);
            for at in start..start.saturating_add(count) {
                store(call.value(0), usize::try_from(at).unwrap_or(usize::MAX), Value::Null);
            }
            void()
        }
        ("copy", 3) => {
            let count = usize::try_from(call.int(2, "length")?).unwrap_or(0);
            let from = call.items(0);
            if count > from.len() || call.value(1).collection_len().is_none_or(|n| n < count) {
                return Err(call.threw(
                    "Source array was not long enough. Check srcIndex and length, and the array's lower bounds.",
                    super::call::ARGUMENT,
                ));
            }
            for (at, item) in from.iter().take(count).enumerate() {
                super::set_index(call.value(1), &[len(at)], item.clone())?;
            }
            void()
        }
        ("resize", 2) => {
            let size = usize::try_from(call.int(1, "newSize")?).unwrap_or(0);
            limits::items(size)?;
            let current = super::property(call.value(0), "Value").unwrap_or(Value::Null);
            let mut items = current.items().unwrap_or_default();
            let made = match &current {
                Value::List(list) => {
                    let fill = match &list.kind {
                        ListKind::TypedArray(element) if &**element != "System.String" => {
                            cast_resolved(&Value::Null, element).unwrap_or(Value::Null)
                        }
                        _ => Value::Null,
                    };
                    items.resize(size, fill);
                    Value::List(List::new(list.kind.clone(), items))
                }
                _ => {
                    items.resize(size, Value::Null);
                    Value::array(items)
                }
            };
            super::references::assign(call.value(0), made)?;
            void()
        }
        ("createinstance", 2) => match super::type_of(call.value(0)) {
            Some(element) => gives(super::new_object(&format!("{element}[]"), &call.arguments[1..], cx)?),
            None => Err(call.overload()),
        },
        ("find" | "findall" | "findindex" | "exists" | "trueforall", 2) => {
            let Value::Script(block) = call.value(1) else { return Err(call.overload()) };
            let items = call.items(0);
            let mut hits = Vec::new();
            for item in &items {
                hits.push(to_bool(&delegate(block, vec![item.clone()], cx)?));
            }
            let first = hits.iter().position(|hit| *hit);
            match call.lower {
                "find" => gives(first.map_or(Value::Null, |at| items[at].clone())),
                "findindex" => gives(first.map_or(Value::Int(-1), len)),
                "exists" => gives(first.is_some()),
                "trueforall" => gives(hits.iter().all(|hit| *hit)),
                _ => gives(items.iter().zip(&hits).filter(|(_, hit)| **hit).map(|(i, _)| i.clone()).collect::<Vec<_>>()),
            }
        }
        ("asreadonly", 1) => gives(call.value(0).clone()),
        _ => Ok(None),
    }
}

/// `[ArrayList]::new(…)`, `[List[T]]::new(…)` and their like.
pub(super) fn construct(call: &Call<'_>) -> Result<Option<Value>, Flow> {
    let (class, parameters) = super::names::generic(call.class).unwrap_or((call.class, Vec::new()));
    let element = parameters.first().map(|p| Arc::<str>::from(*p));
    let start: Vec<Value> = match call.arguments.iter().find(|a| a.items().is_some()) {
        Some(first) => {
            let items = first.items().unwrap_or_default();
            match &element {
                Some(element) => items.iter().map(|item| cast_resolved(item, element)).collect::<Result<_, _>>()?,
                None => items,
            }
        }
        None => Vec::new(),
    };
    let kind = match (class, element) {
        ("System.Collections.ArrayList", _) => ListKind::ArrayList,
        ("System.Collections.Generic.List", Some(element)) => ListKind::Generic(element),
        ("System.Collections.Generic.HashSet", Some(element)) => {
            let ignore_case = call.arguments.iter().any(super::dictionaries::ignores_case);
            let set = List::new(ListKind::HashSet { element, ignore_case }, Vec::new());
            for item in start {
                set_methods(&set, &Call { lower: "add", arguments: &[item], ..*call })?;
            }
            return Ok(Some(Value::List(set)));
        }
        ("System.Collections.Queue" | "System.Collections.Generic.Queue", element) => ListKind::Queue(element),
        ("System.Collections.Stack" | "System.Collections.Generic.Stack", element) => {
            return Ok(Some(Value::List(List::new(ListKind::Stack(element), start.into_iter().rev().collect()))));
        }
        _ => return Ok(None),
    };
    Ok(Some(Value::List(List::new(kind, start))))
}
