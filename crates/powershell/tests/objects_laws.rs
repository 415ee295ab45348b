//! Laws of conversion, comparison and sorting.

mod support;

use firedrill_powershell::Value;
use firedrill_powershell::convert::{cast, compare_order, equals, order_text, to_text};
use firedrill_powershell::session::{Limits, Options, Session};
use proptest::prelude::*;
use support::TestWorld;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    /// A number survives its own text.
    #[test]
    fn whole_numbers_round_trip(n in any::<i32>()) {
        let text = Value::str(to_text(&Value::Int(n), " "));
        let back = cast(&text, "int").unwrap();
        prop_assert!(matches!(back, Value::Int(m) if m == n));
    }

    /// Swapping the operands of one type swaps the answer.
    #[test]
    fn order_is_antisymmetric(a in ".{0,12}", b in ".{0,12}", x in any::<i64>(), y in any::<i64>()) {
        prop_assert_eq!(order_text(&a, &b, false), order_text(&b, &a, false).reverse());
        let (l, r) = (Value::Long(x), Value::Long(y));
        prop_assert_eq!(compare_order(&l, &r, false).unwrap(), compare_order(&r, &l, false).unwrap().reverse());
    }

    /// What is equal without regard to case stays equal in another case.
    #[test]
    fn case_does_not_matter(a in "[a-zA-Z0-9 .-]{0,16}") {
        prop_assert!(equals(&Value::str(a.to_ascii_uppercase()), &Value::str(a.to_ascii_lowercase()), false));
    }

    /// No text makes the conversions panic.
    #[test]
    fn conversions_never_panic(text in ".{0,24}") {
        for target in ["int", "double", "decimal", "datetime", "timespan", "guid", "version", "char", "uint16", "System.DayOfWeek"] {
            let _ = cast(&Value::str(text.as_str()), target);
        }
    }

    /// No format makes formatting panic.
    #[test]
    fn formats_never_panic(format in "[{}0-9:,#.%'\\\\a-zA-Z-]{0,16}") {
        for value in [Value::Int(-42), Value::Double(1234.5678), Value::str("x")] {
            let _ = firedrill_powershell::convert::format_operator(&format, &[value]);
        }
        let moment = Value::DateTime(firedrill_powershell::value::DateTime::from_nanoseconds(1_780_000_000_123_456_700));
        let _ = firedrill_powershell::convert::format_value(&moment, &format);
        let _ = firedrill_powershell::convert::format_value(&Value::Double(0.5), &format);
    }
}

/// Elements with equal keys keep their order, up and down.
#[test]
fn sorting_is_stable() {
    let mut world = TestWorld::default();
    let mut session = Session::new(Limits::default(), Options::default());
    let script = "$o = 1..40 | % { [pscustomobject]@{K=$_ % 3;N=$_} }
        ($o | Sort-Object K | % N) -join ','
        ($o | Sort-Object K -Descending | % N) -join ','";
    let output = session.run(&mut world, "", script);
    let lines: Vec<String> = output.objects().map(|v| to_text(v, " ")).collect();
    let keyed = |order: [i32; 3]| -> String {
        order.iter().flat_map(|k| (1..=40).filter(move |n| n % 3 == *k)).map(|n| n.to_string()).collect::<Vec<_>>().join(",")
    };
    assert_eq!(lines, [keyed([0, 1, 2]), keyed([2, 1, 0])]);
}
