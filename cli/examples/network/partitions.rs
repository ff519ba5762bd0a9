//! How long a partition of all nodes takes: until it holds and was seen to, and until it is healed.

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::bail;
use serde_json::{Value, json};
use tribunal_generator::Seed;
use tribunal_harness::cluster::Cluster;
use tribunal_harness::database::{Absent, Daemons};
use tribunal_harness::nemesis::{Nemesis, NemesisReply};
use tribunal_history::{Call, FaultNote, Name, Stage};
use tribunal_nemesis::{Injector, faults};

const ROUNDS: usize = 10;
const LEASE: Duration = Duration::from_secs(10);

/// What was measured, as a table.
pub async fn table(cluster: &Cluster) -> anyhow::Result<String> {
    let sessions = cluster.connect().await?;
    let (agent, wire) = (std::env::current_exe()?, cluster.wire.as_deref());
    let (daemons, database) = (Arc::new(Daemons::default()), Arc::new(Absent));
    let injector = Injector::connect(&sessions, daemons, database, &agent, wire, LEASE);
    let mut injector = injector.await?;
    let nodes: Vec<Name> = cluster.nodes.iter().map(|node| node.id.clone()).collect();
    let mut table = format!(
        "\n{} nodes, both families of addresses, {ROUNDS} rounds, in ms: median (worst)\n\
         {:<44}{:>18}{:>18}\n",
        nodes.len(),
        "",
        "made and seen",
        "healed"
    );
    let ports = json!({"ports": [2379, 2380]});
    let kinds = [
        ("partition-halves", Value::Null),
        ("partition-halves", ports),
        ("partition-ring", Value::Null),
        ("partition-primaries", json!({"with": 1})),
        ("partition-non-transitive", Value::Null),
    ];
    let mut id = 0;
    for (name, options) in kinds {
        let (mut made, mut healed) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            let call = call(&nodes, id, name, &options)?;
            made.push(timed(&mut injector, &call).await?);
            let mut heal = call;
            heal.value["stage"] = json!("heal");
            healed.push(timed(&mut injector, &heal).await?);
            id += 1;
        }
        let what = if options.is_null() { name.to_owned() } else { format!("{name} {options}") };
        let _ = writeln!(table, "{what:<44}{:>18}{:>18}", told(made), told(healed));
    }
    Ok(table)
}

fn call(nodes: &[Name], id: u64, name: &str, options: &Value) -> anyhow::Result<Call> {
    let options = options.as_object().cloned().unwrap_or_default();
    let mut rng = Seed(id).stream(name);
    let plan = faults::plan(faults::find(name)?, nodes, &options, &mut rng)?;
    let (nodes, summary, plan) = (plan.nodes, plan.summary, plan.data);
    let note = FaultNote { id, stage: Stage::Inject, nodes, summary, plan, effect: None };
    Ok(Call::new(name).value(json!(note)))
}

/// One call. One that fails, or whose effect was not seen, was not quick but idle.
async fn timed(injector: &mut Injector, call: &Call) -> anyhow::Result<Duration> {
    let begun = Instant::now();
    let NemesisReply { note, error } = injector.invoke(call).await;
    let took = begun.elapsed();
    match (error, note.effect) {
        (None, Some(effect)) if effect.observed => Ok(took),
        (error, effect) => bail!("{}: {error:?}, {effect:?}", call.f),
    }
}

fn told(mut took: Vec<Duration>) -> String {
    took.sort();
    let millis = |duration: Duration| duration.as_secs_f64() * 1e3;
    format!("{:.1} ({:.1})", millis(took[took.len() / 2]), millis(took[took.len() - 1]))
}
