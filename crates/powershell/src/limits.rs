//! The meter of a run, for code that has no evaluator at hand: conversions, members of types, formatting.
//!
//! The evaluator counts its own steps; everything that builds a text or a collection, or works through one, reports here. A limit that
//! was hit stays hit: whoever drops the error that says so has won nothing, because the next step of the evaluator ends the run. That is
//! what makes limits impossible to swallow. Each run evaluates on a thread of its own, and so has a meter of its own; code that runs
//! outside any run is bound by the sizes of [`Limits::default`] alone.

use std::cell::{Cell, RefCell};
use std::sync::{Arc, Weak};

use crate::error::LimitError;
use crate::session::Limits;
use crate::value::Elements;

/// Bytes of text that are handled in the time of one step.
const BYTES_PER_STEP: usize = 1024;
/// Elements that are handled in the time of one step.
const ITEMS_PER_STEP: usize = 128;
/// Bytes from which on a value is watched while it lives.
const LARGE_VALUE: usize = 32 << 10;
/// Stack that is left for what lies between two looks at it.
const STACK_RESERVE: usize = 96 << 20;

thread_local! {
    static HIT: Cell<Option<LimitError>> = const { Cell::new(None) };
    static STRING: Cell<usize> = const { Cell::new(64 << 20) };
    static COLLECTION: Cell<usize> = const { Cell::new(10_000_000) };
    /// Steps that are left, and how many there were.
    static WORK: Cell<(u64, u64)> = const { Cell::new((u64::MAX, u64::MAX)) };
    /// What of the larger values may still be alive.
    static LARGE: RefCell<Large> = const { RefCell::new(Large { texts: Vec::new(), collections: Vec::new(), noted: 0, look_at: 1 << 30, most: usize::MAX }) };
    /// Seconds of virtual time that are left, and how many there were.
    static TIME: Cell<(u64, u64)> = const { Cell::new((u64::MAX, u64::MAX)) };
    /// Address of the first frame, and how many bytes lie below it; nothing outside of runs.
    static STACK: Cell<Option<(usize, usize)>> = const { Cell::new(None) };
}

/// Starts the meter of a run on this thread, whose stack has so many bytes.
pub(crate) fn start(limits: &Limits, stack: usize) {
    HIT.set(None);
    STRING.set(limits.string_size);
    COLLECTION.set(limits.collection_size);
    WORK.set((limits.steps, limits.steps));
    TIME.set((limits.virtual_time, limits.virtual_time));
    LARGE.with_borrow_mut(|large| {
        *large = Large { texts: Vec::new(), collections: Vec::new(), noted: 0, look_at: limits.memory / 4, most: limits.memory };
    });
    STACK.set(Some((here(), stack)));
}

/// The larger values of a run. They alone are watched: what many small ones take is bound by steps and by the sizes of collections.
struct Large {
    texts: Vec<Weak<str>>,
    collections: Vec<Weak<Elements>>,
    /// Bytes of those that were alive at the last look, and of those that came since.
    noted: usize,
    /// At so many bytes the next look is due.
    look_at: usize,
    most: usize,
}

impl Large {
    fn note(&mut self, bytes: usize) {
        self.noted += bytes;
        if self.noted < self.look_at {
            return;
        }
        self.texts.retain(|text| text.strong_count() > 0);
        self.collections.retain(|items| items.strong_count() > 0);
        let texts = self.texts.iter().filter_map(Weak::upgrade).map(|text| text.len());
        let collections =
            self.collections.iter().filter_map(Weak::upgrade).map(|items| items.read().map_or(0, |items| bytes_of(items.len())));
        self.noted = texts.chain(collections).fold(0, usize::saturating_add);
        self.look_at = self.noted.saturating_add(self.most / 4);
        if self.noted > self.most {
            self.texts.clear();
            self.collections.clear();
            hit(LimitError::Memory(self.most));
        }
    }
}

/// What so many elements take, with something for what they hold.
fn bytes_of(count: usize) -> usize {
    count.saturating_mul(64)
}

/// A text was made. Whoever made it too long cannot hide it.
pub(crate) fn made_text(made: &Arc<str>) {
    if made.len() < BYTES_PER_STEP {
        return;
    }
    let _ = text(made.len());
    if made.len() >= LARGE_VALUE {
        LARGE.with_borrow_mut(|large| {
            large.texts.push(Arc::downgrade(made));
            large.note(made.len());
        });
    }
}

/// A collection was made.
pub(crate) fn made_items(made: &Arc<Elements>, count: usize) {
    let _ = items(count);
    if bytes_of(count) >= LARGE_VALUE {
        LARGE.with_borrow_mut(|large| {
            large.collections.push(Arc::downgrade(made));
            large.note(bytes_of(count));
        });
    }
}

/// About where the stack ends now.
#[inline(never)]
fn here() -> usize {
    let marker = 0u8;
    std::ptr::from_ref(std::hint::black_box(&marker)).addr()
}

/// Whether so many nested calls have used up the stack before they reached the limit on depth.
pub(crate) fn stack(depth: usize) -> Result<(), LimitError> {
    match STACK.get() {
        Some((first, size)) if first.abs_diff(here()) > size.saturating_sub(STACK_RESERVE) => Err(hit(LimitError::CallDepth(depth))),
        _ => Ok(()),
    }
}

/// Notes that a limit was hit; the first one counts.
pub(crate) fn hit(limit: LimitError) -> LimitError {
    match HIT.get() {
        Some(first) => first,
        None => {
            HIT.set(Some(limit));
            limit
        }
    }
}

/// The limit that was hit in this run.
pub(crate) fn check() -> Result<(), LimitError> {
    HIT.get().map_or(Ok(()), Err)
}

/// Takes so many steps.
pub(crate) fn work(steps: usize) -> Result<(), LimitError> {
    check()?;
    let (left, all) = WORK.get();
    match left.checked_sub(steps as u64) {
        Some(left) => {
            WORK.set((left, all));
            Ok(())
        }
        None => Err(hit(LimitError::Steps(all))),
    }
}

/// A text of so many bytes is made, or read from end to end.
pub(crate) fn text(bytes: usize) -> Result<(), LimitError> {
    if bytes > STRING.get() {
        return Err(hit(LimitError::StringSize(STRING.get())));
    }
    if bytes < BYTES_PER_STEP { Ok(()) } else { work(bytes / BYTES_PER_STEP) }
}

/// Most bytes that a text may have.
pub(crate) fn longest() -> usize {
    STRING.get()
}

/// A text in the making has grown to so many bytes.
pub(crate) fn longer(bytes: usize) -> Result<(), LimitError> {
    if bytes > STRING.get() {
        return Err(hit(LimitError::StringSize(STRING.get())));
    }
    work(1)
}

/// The run lets so many nanoseconds of virtual time go by.
pub(crate) fn time(nanoseconds: i64) -> Result<(), LimitError> {
    let (left, all) = TIME.get();
    match left.checked_sub(u64::try_from(nanoseconds).unwrap_or(0) / 1_000_000_000) {
        Some(left) => {
            TIME.set((left, all));
            check()
        }
        None => Err(hit(LimitError::VirtualTime(all))),
    }
}

/// A collection of so many elements is made, or gone through.
pub(crate) fn items(count: usize) -> Result<(), LimitError> {
    size(count)?;
    if count < ITEMS_PER_STEP { Ok(()) } else { work(count / ITEMS_PER_STEP) }
}

/// A collection has grown to so many elements.
pub(crate) fn size(count: usize) -> Result<(), LimitError> {
    if count > COLLECTION.get() {
        return Err(hit(LimitError::CollectionSize(COLLECTION.get())));
    }
    Ok(())
}

/// An operator or method works through its operands.
pub(crate) fn operand(value: &crate::value::Value) -> Result<(), LimitError> {
    match value {
        crate::value::Value::Str(text) if text.len() >= BYTES_PER_STEP => work(text.len() / BYTES_PER_STEP),
        value => match value.collection_len() {
            Some(count) if count >= ITEMS_PER_STEP => work(count / ITEMS_PER_STEP),
            _ => Ok(()),
        },
    }
}

/// A collection that a method or an assignment may have made longer.
pub(crate) fn grown(value: &crate::value::Value) -> Result<(), LimitError> {
    let count = match value {
        crate::value::Value::Hash(table) => table.read().map_or(0, |table| table.entries.len()),
        value => value.collection_len().unwrap_or(0),
    };
    size(count)
}

/// A text repeated, unless it would be too long.
pub(crate) fn repeat(piece: &str, times: usize) -> Result<String, LimitError> {
    text(piece.len().saturating_mul(times))?;
    Ok(piece.repeat(times))
}

/// Joins texts, and stops where the result becomes too long: the limit is then hit, whoever reads the result.
pub(crate) fn joined(parts: impl IntoIterator<Item = impl AsRef<str>>, separator: &str) -> String {
    let mut out = String::new();
    for (at, part) in parts.into_iter().enumerate() {
        if at > 0 {
            out.push_str(separator);
        }
        out.push_str(part.as_ref());
        if out.len() > STRING.get() {
            hit(LimitError::StringSize(STRING.get()));
            break;
        }
    }
    out
}
