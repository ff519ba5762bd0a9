//! Test files for short trials: the examples' own with a few settings changed,
//! and small ones for databases that do not exist.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::scene::Scene;

/// A fault, the seconds at which it begins and ends, and its options.
pub type Scripted<'a> = (&'a str, u32, u32, &'a [(&'a str, &'a str)]);

/// A test file in the making.
pub struct TestFile(Table);

impl TestFile {
    /// One of the examples', by its path in their folder.
    pub fn example(path: &str) -> Self {
        let path = examples().join(path);
        let text = std::fs::read_to_string(&path).unwrap();
        let folder = path.parent().unwrap().display().to_string();
        let mut table: Table = text.replace("{{dir}}", &folder).parse().unwrap();
        // It will be written somewhere else, and what it extends stays where it is.
        if let Some(Value::String(other)) = table.get_mut("extends") {
            *other = format!("{folder}/{other}");
        }
        Self(table)
    }

    /// One of a daemon that does nothing, and of this client.
    pub fn idle(client: &[&str]) -> Self {
        let text = r#"
            name = "idle"
            [db]
            start = "exec sleep 1000"
            ready = "true"
            [client]
            command = []
            timeout = "500ms"
            [run]
            workload = "register"
            nodes = 1
            time = "2s"
            rate = 20
            concurrency = 2
            quiesce = "0s"
            [workload.register]
            final_seconds = 1
        "#;
        let words = client.iter().map(|word| Value::from(*word)).collect::<Vec<_>>();
        Self(text.parse().unwrap()).set("client.command", words)
    }

    /// The same with another value in one place: `faults.pause.target`.
    pub fn set(mut self, place: &str, value: impl Into<Value>) -> Self {
        let (tables, key) = place.rsplit_once('.').unwrap();
        let mut table = &mut self.0;
        for name in tables.split('.') {
            let inner = table.entry(name).or_insert_with(|| Table::new().into());
            table = inner.as_table_mut().unwrap();
        }
        table.insert(key.to_owned(), value.into());
        self
    }

    /// The same with these faults alone, each with the seconds at which it begins and ends.
    pub fn script(self, faults: &[Scripted]) -> Self {
        let entry = |(name, from, to, options): &Scripted| {
            let own = [("fault", (*name).to_owned()), ("at", format!("{from}s"))];
            let length = ("for", format!("{}s", to - from));
            let options = options.iter().map(|(key, value)| (*key, (*value).to_owned()));
            let all = own.into_iter().chain([length]).chain(options);
            Value::from(Table::from_iter(all.map(|(key, value)| (key.to_owned(), value.into()))))
        };
        let script: Vec<Value> = faults.iter().map(entry).collect();
        self.set("run.faults", Vec::<String>::new()).set("faults.script", script)
    }

    /// What stands in one place.
    pub fn text(&self, place: &str) -> String {
        let mut names = place.split('.');
        let first = &self.0[names.next().unwrap()];
        names.fold(first, |value, name| &value[name]).as_str().unwrap().to_owned()
    }

    /// The same with faults of `duration`, `interval` apart.
    pub fn faults(self, interval: &str, duration: &str) -> Self {
        self.set("faults.interval", interval).set("faults.duration", duration)
    }

    /// Written into the scene's folder.
    pub fn write(&self, scene: &Scene, name: &str) -> PathBuf {
        let path = scene.state.path().join(format!("{name}.toml"));
        std::fs::write(&path, self.0.to_string()).unwrap();
        path
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).with_file_name("examples")
}

/// A program beside the command, if it is built.
pub fn beside(program: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_BIN_EXE_tribunal")).with_file_name(program);
    path.is_file().then_some(path)
}

/// The bundled databases must be there: without them these tests prove nothing.
pub fn demand_databases() {
    for program in ["lww-store", "lease-store", "quorum-store", "txn-store", "counter"] {
        let there = beside(program).is_some();
        assert!(there, "{program} is not built: cargo build --workspace");
    }
}
