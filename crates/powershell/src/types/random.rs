//! `System.Random`: the subtractive generator of the .NET Framework, so that numbers from a given seed are the genuine ones.
//! Without a seed, the seed of the run gives one.

use std::sync::{Arc, Mutex};

use super::call::{Call, Found, RANGE, gives, void};
use crate::error::Flow;
use crate::pipeline::Context;
use crate::value::{Number, PropertySource, PsObject, Value};

const BIG: i32 = i32::MAX;

/// Knuth's subtractive generator as `System.Random` has it, with its slip in the second index.
#[derive(Debug)]
struct Generator {
    numbers: [i32; 56],
    at: usize,
    ahead: usize,
}

impl Generator {
    fn new(seed: i32) -> Self {
        let mut numbers = [0; 56];
        let mut current = 161_803_398 - if seed == i32::MIN { i32::MAX } else { seed.abs() };
        numbers[55] = current;
        let mut next = 1;
        let mut place = 0;
        for _ in 1..55 {
            place = (place + 21) % 55;
            numbers[place] = next;
            next = current - next;
            if next < 0 {
                next += BIG;
            }
            current = numbers[place];
        }
        for _ in 1..5 {
            for at in 1..56 {
                numbers[at] = i32::wrapping_sub(numbers[at], numbers[1 + (at + 30) % 55]);
                if numbers[at] < 0 {
                    numbers[at] += BIG;
                }
            }
        }
        Self { numbers, at: 0, ahead: 21 }
    }

    fn sample(&mut self) -> i32 {
        self.at = self.at % 55 + 1;
        self.ahead = self.ahead % 55 + 1;
        let mut number = i32::wrapping_sub(self.numbers[self.at], self.numbers[self.ahead]);
        if number == BIG {
            number -= 1;
        }
        if number < 0 {
            number += BIG;
        }
        self.numbers[self.at] = number;
        number
    }

    fn unit(&mut self) -> f64 {
        f64::from(self.sample()) * (1.0 / f64::from(BIG))
    }

    /// A unit with more bits, for ranges beyond 31 bits.
    fn wide_unit(&mut self) -> f64 {
        let mut number = self.sample();
        if self.sample() % 2 == 0 {
            number = -number;
        }
        (f64::from(number) + f64::from(BIG - 1)) / (2.0 * f64::from(BIG) - 1.0)
    }
}

#[derive(Debug)]
struct Source(Mutex<Generator>);

impl PropertySource for Source {
    fn names(&self) -> Vec<Arc<str>> {
        Vec::new()
    }

    fn get(&self, _: &str) -> Option<Value> {
        None
    }

    fn as_any(&self) -> Option<&dyn std::any::Any> {
        Some(self)
    }
}

/// `[random]::new(…)`.
pub(super) fn construct(call: &Call<'_>, cx: &mut dyn Context) -> Result<Option<Value>, Flow> {
    #[allow(clippy::cast_possible_truncation)]
    let seed = match call.count() {
        0 => (cx.world().guid() >> 32) as u32 as i32 & i32::MAX,
        _ => i32::try_from(call.int(0, "Seed")?).unwrap_or(0),
    };
    let mut object = PsObject::new("System.Random").with_text("System.Random");
    object.source = Some(Arc::new(Source(Mutex::new(Generator::new(seed)))));
    Ok(Some(object.into()))
}

/// Methods of `[random]`.
pub(super) fn methods(object: &PsObject, call: &Call<'_>) -> Found {
    let Some(source) = object.source.as_ref().and_then(|s| s.as_any()).and_then(|s| s.downcast_ref::<Source>()) else { return Ok(None) };
    let Ok(mut generator) = source.0.lock() else { return Ok(None) };
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)]
    match (call.lower, call.count()) {
        ("next", 0) => gives(generator.sample()),
        ("next", 1) => match call.int(0, "maxValue")? {
            most if most < 0 => Err(call.threw("'maxValue' must be greater than zero.\r\nParameter name: maxValue", RANGE)),
            most => gives((generator.unit() * most as f64) as i32),
        },
        ("next", 2) => {
            let (least, most) = (call.int(0, "minValue")?, call.int(1, "maxValue")?);
            if least > most {
                return Err(call.threw("'minValue' cannot be greater than maxValue.\r\nParameter name: minValue", RANGE));
            }
            let range = most - least;
            let unit = if range <= i64::from(BIG) { generator.unit() } else { generator.wide_unit() };
            gives((unit * range as f64) as i64 + least).map(|found| found.map(|v| v.map(small)))
        }
        ("nextdouble", 0) => gives(generator.unit()),
        ("nextbytes", 1) => {
            if let Value::List(list) = call.value(0)
                && let Ok(mut items) = list.items.write()
            {
                for item in items.iter_mut() {
                    *item = Value::Number(Number::Byte((generator.sample() % 256) as u8));
                }
            }
            void()
        }
        _ => Ok(None),
    }
}

fn small(value: Value) -> Value {
    match value {
        Value::Long(n) => i32::try_from(n).map_or(Value::Long(n), Value::Int),
        other => other,
    }
}
