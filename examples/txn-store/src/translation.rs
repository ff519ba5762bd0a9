//! From the calls of Tribunal's workloads to programs, and from what those found to
//! the values of the calls.

use tribunal_client::{Call, Failure, Map, Value};

use crate::client::Bank;
use crate::program::{MicroOp, Program};

/// What a call asks for.
pub fn program(call: &Call, bank: &Bank) -> Result<Program, Failure> {
    let program = match &*call.f {
        "txn" => transaction(&call.value),
        "read" => {
            Some(Program::Operations(accounts(bank).map(|key| read(&account(&key))).collect()))
        }
        "transfer" => transfer(&call.value),
        "insert" => call.key.as_ref().and_then(|key| insert(key, &call.value)),
        _ => None,
    };
    program.ok_or_else(|| Failure::fail(format!("txn-store has no `{}` of {}", call.f, call.value)))
}

/// The value of the call, when its reads have found this.
pub fn answer(call: &Call, found: Vec<Value>) -> Value {
    match (&*call.f, &call.value) {
        ("txn", Value::Array(micros)) => filled(micros, found),
        ("read", _) => {
            let names = (0..found.len()).map(|number| number.to_string());
            Value::Object(names.zip(found).collect::<Map<String, Value>>())
        }
        _ => call.value.clone(),
    }
}

/// Opens all accounts of a bank.
pub fn opening(bank: &Bank) -> Program {
    let open = |name: String| MicroOp::Write { key: account(&name), value: bank.balance.into() };
    Program::Operations(accounts(bank).map(open).collect())
}

fn accounts(bank: &Bank) -> impl Iterator<Item = String> + use<> {
    (0..bank.accounts).map(|number| number.to_string())
}

fn account(name: &str) -> String {
    format!("account {name}")
}

fn transaction(value: &Value) -> Option<Program> {
    value.as_array()?.iter().map(micro).collect::<Option<_>>().map(Program::Operations)
}

fn micro(micro: &Value) -> Option<MicroOp> {
    let [f, key, value] = micro.as_array()?.as_slice() else { return None };
    let (key, value) = (name(key), value.clone());
    match f.as_str()? {
        "r" => Some(MicroOp::Read { key }),
        "w" => Some(MicroOp::Write { key, value }),
        "append" => Some(MicroOp::Append { key, value }),
        _ => None,
    }
}

fn read(key: &str) -> MicroOp {
    MicroOp::Read { key: key.to_owned() }
}

fn transfer(value: &Value) -> Option<Program> {
    let party = |which: &str| Some(account(&name(value.get(which)?)));
    let (from, to, amount) = (party("from")?, party("to")?, value.get("amount")?.as_i64()?);
    Some(Program::Transfer { from, to, amount })
}

/// Two rows exclude each other: the row of the first table and that of the second.
fn insert(key: &Value, value: &Value) -> Option<Program> {
    let row = |table: usize| format!("row {} {table}", name(key));
    let [first, second] = value.as_array()?.as_slice() else { return None };
    let (keys, value) = match (first.is_null(), second.is_null()) {
        (false, true) => ([row(0), row(1)], first),
        (true, false) => ([row(1), row(0)], second),
        _ => return None,
    };
    Some(Program::Insert { keys: keys.to_vec(), value: value.clone() })
}

/// A key, which may be a text or a number.
fn name(key: &Value) -> String {
    key.as_str().map_or_else(|| key.to_string(), str::to_owned)
}

/// The micro-operations, each read with what it found.
fn filled(micros: &[Value], found: Vec<Value>) -> Value {
    let mut found = found.into_iter();
    let fill = |micro: &Value| match micro.as_array().map(Vec::as_slice) {
        Some([f, key, _]) if f == "r" => {
            Value::Array(vec![f.clone(), key.clone(), found.next().unwrap_or_default()])
        }
        _ => micro.clone(),
    };
    Value::Array(micros.iter().map(fill).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const BANK: Bank = Bank { accounts: 2, balance: 10 };

    #[test]
    fn reads_of_a_transaction_are_filled_in() {
        let call =
            Call::new("txn").value(json!([["r", 1, null], ["append", "1", 7], ["r", "2", null]]));
        let key = |key: &str| key.to_owned();
        let operations = vec![
            MicroOp::Read { key: key("1") },
            MicroOp::Append { key: key("1"), value: 7.into() },
            MicroOp::Read { key: key("2") },
        ];
        assert_eq!(program(&call, &BANK), Ok(Program::Operations(operations)));
        let found = vec![json!([5]), Value::Null];
        let expected = json!([["r", 1, [5]], ["append", "1", 7], ["r", "2", null]]);
        assert_eq!(answer(&call, found), expected);
    }

    #[test]
    fn a_bank_s_read_names_its_accounts() {
        let found = vec![json!(3), json!(17)];
        assert_eq!(answer(&Call::new("read"), found), json!({"0": 3, "1": 17}));
    }

    #[test]
    fn rows_of_one_key_exclude_each_other() {
        let insert = |row: Value| program(&Call::new("insert").key("k").value(row), &BANK);
        let of = |keys: [&str; 2]| {
            let keys = keys.map(str::to_owned).to_vec();
            Ok(Program::Insert { keys, value: 4.into() })
        };
        assert_eq!(insert(json!([4, null])), of(["row k 0", "row k 1"]));
        assert_eq!(insert(json!([null, 4])), of(["row k 1", "row k 0"]));
        assert!(insert(json!([4, 4])).is_err());
    }
}
