//! Values as EDN writes them.

use serde_json::json;

use crate::{bad_value, value};

#[test]
fn values_of_every_kind() {
    assert_eq!(value("[:append 1 \"x\"]"), json!(["append", 1, "x"]));
    assert_eq!(value("#{3 1 2 -1 \"b\" :a nil}"), json!([null, -1, 1, 2, 3, "a", "b"]));
    assert_eq!(value("#{18446744073709551615 -3 2.5 9}"), json!([2.5, -3, 9, u64::MAX]));
    assert_eq!(
        value("{0 100, :from 1, \"to\" 2, [1 2] x, :a/b true}"),
        json!({"0": 100, "from": 1, "to": 2, "[1,2]": "x", "a/b": true})
    );
    assert_eq!(value("#:user{:name 1, :other/name 2}"), json!({"user/name": 1, "other/name": 2}));
    assert_eq!(value("#object[java.lang.Foo 0x1f \"x@1f\"]"), json!(["java.lang.Foo", 31, "x@1f"]));
    assert_eq!(value("#inst \"2026-01-01\""), json!("2026-01-01"));
    assert_eq!(value("#jepsen.Op{:a #uuid \"7\"}"), json!({"a": "7"}));
    assert_eq!(
        value("#<Timeout java.util.Map<K,V>: \"}\">"),
        json!("#<Timeout java.util.Map<K,V>: \"}\">")
    );
    assert_eq!(value("^{:line 3} [^:x 1 #^String y]"), json!([1, "y"]));
    assert_eq!(value("#\"a\\d\\\"b\""), json!("a\\d\\\"b"));
    assert_eq!(value("(quote 'x @y #'z #(inc 1))"), json!(["quote", "x", "y", "z", ["inc", 1]]));
    assert_eq!(value("[1 #_2 #_ [3 #_ 4] 5 #_ #_ 6 7]"), json!([1, 5]));
    assert_eq!(
        value("[true false nil truely -x + - +x]"),
        json!([true, false, null, "truely", "-x", "+", "-", "+x"])
    );
}

#[test]
fn characters_and_strings() {
    assert_eq!(
        value(r#"[\a \newline \space \u00e9 \( \; \\ \u \é]"#),
        json!(["a", "\n", " ", "é", "(", ";", "\\", "u", "é"])
    );
    assert_eq!(
        value(r#""a\n\t\"\\\u00e9\ud83d\ude00é""#),
        json!("a\n\t\"\\éé\u{1f600}é".replacen("éé", "é", 1))
    );
    assert_eq!(value("\"two\nlines\""), json!("two\nlines"));
    assert_eq!(value(r#""\ud83d""#), json!("\u{fffd}"));
    assert_eq!(bad_value(r#""\q""#), "`\\q` is not an escape that EDN knows");
    assert_eq!(bad_value(r#""\u00g0""#), "`\\u` is not an escape that EDN knows");
    assert_eq!(bad_value(r"\nosuch"), "`\\nosuch` is not an escape that EDN knows");
}

/// Different numbers stay different values, whatever their size.
#[test]
fn numbers() {
    assert_eq!(
        value("[0 -1 +2 9223372036854775807 18446744073709551615 7N 5M]"),
        json!([0, -1, 2, i64::MAX, u64::MAX, 7, 5])
    );
    assert_eq!(
        value("[18446744073709551616 -9223372036854775809 123456789012345678901N]"),
        json!(["18446744073709551616", "-9223372036854775809", "123456789012345678901"])
    );
    assert_eq!(
        value("[1.5 -2e3 1.50M 0.1234567890123456789M 1e999 ##Inf ##NaN]"),
        json!([1.5, -2000.0, 1.5, "0.1234567890123456789", "1e999", "##Inf", "##NaN"])
    );
    assert_eq!(
        value("[1/3 -22/7 0x1F -0xff 2r101 36rZZ]"),
        json!(["1/3", "-22/7", 31, -255, 5, 1295])
    );
    for bad in ["12abc", "1.2.3", "1/", "0x", "0xg", "99r1", "1-2", "0x+1"] {
        assert_eq!(bad_value(bad), format!("`{bad}` is not a number"));
    }
}

#[test]
fn unbalanced_and_odd_text() {
    assert_eq!(bad_value("[1 2}"), "`}` is not expected here; this bracket closes nothing");
    assert_eq!(bad_value("{:a}"), "the key `a` has no value");
    assert_eq!(bad_value("{:a 1 :a 2}"), "the key `a` occurs twice in this map; delete one");
    assert_eq!(bad_value("{:a 1 \"a\" 2}"), "the key `a` occurs twice in this map; delete one");
    assert_eq!(
        bad_value("[1 2 ...]"),
        "`...` stands where Clojure left elements out; print the history with *print-length* nil"
    );
    assert_eq!(bad_value("#?(:clj 1)"), "`?` is not expected here after a #");
    assert_eq!(bad_value(": x"), "` ` is not expected here after a colon");
    let deep = "[".repeat(10_000);
    assert_eq!(
        bad_value(&deep),
        "more than 100 collections are nested in each other; no history needs that many"
    );
    for prefix in ["#_ ", "'", "^", "#x ", "{:a ", "#{", "#'"] {
        let error = bad_value(&prefix.repeat(1_000_000));
        assert!(error.starts_with("more than 100 collections are nested"), "{prefix}: {error}");
    }
}
