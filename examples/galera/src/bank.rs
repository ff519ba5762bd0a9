//! `transfer` between accounts and `read` of all of them: a row for each account.
//!
//! A transfer reads both balances and writes the new ones, within its transaction.

use async_trait::async_trait;
use tribunal_client::{Call, Failure, Map, Outcome, Reply, Value};

use crate::session::{Calls, Session, column, unknown};

const ACCOUNTS: u64 = 8;
const BALANCE: i64 = 10;

/// Accounts.
pub struct Bank;

#[async_trait]
impl Calls for Bank {
    fn tables(&self) -> Vec<String> {
        let rows: Vec<String> =
            (0..ACCOUNTS).map(|account| format!("('{account}', {BALANCE})")).collect();
        vec![
            "CREATE TABLE IF NOT EXISTS tribunal.accounts (k VARCHAR(64) PRIMARY KEY, v BIGINT NOT NULL)".into(),
            format!("INSERT IGNORE INTO tribunal.accounts VALUES {}", rows.join(", ")),
        ]
    }

    async fn perform(&mut self, session: &mut Session, call: &Call) -> Outcome {
        match &*call.f {
            "read" => Ok(Reply::of(Value::Object(balances(session).await?))),
            "transfer" => transfer(session, call).await,
            _ => Err(unknown(call)),
        }
    }
}

async fn balances(session: &mut Session) -> Result<Map<String, Value>, Failure> {
    let rows = session.rows("SELECT k, v FROM tribunal.accounts", ()).await?;
    let account = |mut row| Ok((column(&mut row, 0)?, Value::from(column::<i64>(&mut row, 1)?)));
    rows.into_iter().map(account).collect()
}

async fn transfer(session: &mut Session, call: &Call) -> Outcome {
    let text = |name: &str| match &call.value[name] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let amount = call.value["amount"].as_i64().ok_or_else(|| unknown(call))?;
    for (account, change) in [(text("from"), -amount), (text("to"), amount)] {
        let rows = session.rows("SELECT v FROM tribunal.accounts WHERE k = ?", (&account,)).await?;
        let mut row = rows.into_iter().next().ok_or_else(|| unknown(call))?;
        let balance = column::<i64>(&mut row, 0)? + change;
        if balance < 0 {
            return Err(Failure::fail(format!("{account} has not got it")));
        }
        session.run("UPDATE tribunal.accounts SET v = ? WHERE k = ?", (balance, &account)).await?;
    }
    Ok(Reply::of(call.value.clone()))
}
