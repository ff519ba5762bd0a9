//! The formats of Knossos, Elle and Porcupine.

use serde_json::json;
use tribunal_history::import::{self, Format};

use crate::{check, events, read, read_as, refuse, refuse_as, remarks, shown};

#[test]
fn knossos_reads_of_nil_say_nothing() {
    let knossos = "[{:process 0, :type :invoke, :f :write, :value 1}
                    {:process 0, :type :ok, :f :write, :value 1}
                    {:process 1, :type :invoke, :f :read, :value nil}
                    {:process 1, :type :ok, :f :read, :value nil}
                    {:process 1, :type :invoke, :f :cas, :value [2 3]}
                    {:process 1, :type :fail, :f :cas, :value [2 3]}]";
    let imported = check(
        knossos,
        Format::Knossos,
        &[
            "p0 invoke write 1",
            "p0 ok write 1",
            "p1 invoke read null",
            "p1 fail read null",
            "p1 invoke cas [2,3]",
            "p1 fail cas [2,3]",
        ],
    );
    assert_eq!(
        remarks(&imported),
        ["reads of nil (1) were taken as unanswered, as Knossos takes them; \
        --format edn takes them as reads of an absent value"]
    );
    assert_eq!(shown(&read_as(knossos, Some(Format::Edn)))[3], "p1 ok read null");

    // Jepsen's own have times: there nil is an answer.
    let jepsen = knossos.replace(":process", ":time 3, :process");
    let imported = read(&jepsen);
    assert_eq!(imported.format, Format::Edn);
    assert_eq!(shown(&imported)[3], "p1 ok read null");
    assert_eq!(shown(&read_as(&jepsen, Some(Format::Knossos)))[3], "p1 fail read null");
}

#[test]
fn elle_json() {
    check(
        r#"[{"type":"invoke","f":"txn","value":[["w","x",2]],"process":0,"index":1,"extra":{"a":[]}},
            {"type":"ok","f":"txn","value":[["w","x",2]],"process":0,"index":2} , {"type":"info","f":"kill","process":"nemesis"}]"#,
        Format::ElleJson,
        &[r#"p0 invoke txn [["w","x",2]]"#, r#"p0 ok txn [["w","x",2]]"#, "nemesis info kill null"],
    );
    let value = |json: &str| {
        let text = format!(r#"[{{"type":"invoke","f":"w","process":0,"value":{json}}}]"#);
        import::read_from(text.as_bytes(), Some(Format::ElleJson))
            .map(|imported| events(&imported).remove(0).value)
            .map_err(|error| error.to_string().split_once(": ").expect("a place").1.to_owned())
    };
    assert_eq!(
        value(r#"[1, -2.5e1, "\u00e9\/\ud83d\ude00", {}, [], {"a": null}, true, false]"#),
        Ok(json!([1, -25.0, "é/\u{1f600}", {}, [], {"a": null}, true, false]))
    );
    // To round a number would make two values one.
    assert_eq!(value("123456789012345678901"), Ok(json!("123456789012345678901")));
    let refused = |json: &str, why: &str| assert_eq!(value(json), Err(why.to_owned()), "{json}");
    refused("[1 2]", "`2` is not expected here; a comma or a closing bracket is");
    refused("{a:1}", "`a` is not expected here; a key in double quotes is");
    refused(r#"{"a" 1}"#, "the key `a` has no value");
    refused(r#"{"a":1,"a":2}"#, "the key `a` occurs twice in this map; delete one");
    refused("nil", "`nil` is not a number");
    refused("[,]", "`,` is not expected here; a value is");
    refused("1N", "`1N` is not a number");
    refused(
        &"[".repeat(5_000),
        "more than 100 collections are nested in each other; no history needs that many",
    );
    // The rules of EDN can be asked for here, too.
    let pair = r#"[{"type":"invoke","f":"write","process":0,"value":[1,2]}]"#;
    assert_eq!(shown(&read(pair)), ["p0 invoke write [1,2]"]);
    assert_eq!(shown(&read_as(pair, Some(Format::EdnKeyed))), ["p0 invoke write 1: 2"]);
    let cut = r#"[{"type":"invoke","f":"w","process":0},"#;
    refuse(
        cut,
        "line 1, column 40: the file ends in the middle of an event, which began at line 1; \
                 it was cut off: fetch it again, or delete the torn end",
    );
    refuse(
        &cut[..cut.len() - 1],
        "line 1, column 39: the file ends in the middle of the history, which began at line 1; \
                 it was cut off: fetch it again, or delete the torn end",
    );
    assert_eq!(read_as(" [ ] ", Some(Format::ElleJson)).history.len(), 0);
}

#[test]
fn etcd_logs() {
    let imported = check(
        "WARN  some.logger - starting\n\
         INFO  jepsen.util - 0\t:invoke\t:read\tnil\n\
         INFO  jepsen.util - 0\t:ok\t:read\tnil\n\
         INFO  jepsen.util - :nemesis\t:info\t:start\tcutting [n1 n2]\n\
         INFO  jepsen.util - 1   :invoke :cas    [1 4]\n\
         INFO  jepsen.util - 1   :fail   :cas    [1 4]\n\
         INFO  jepsen.util - 2\t:invoke\t:write\t3\n\
         INFO  jepsen.util - 2\t:info\t:write\t:timed-out\n\
         INFO  jepsen.util - 0\t:invoke\t:read\tnil\n\
         INFO  jepsen.util - 0\t:fail\t:read\t:timed-out\n\
         INFO  jepsen.util - 0\t:invoke\t:cas\t[3 4]\n\
         INFO  jepsen.util - 0\t:ok\t:cas\t[3 4]\n\
         INFO  jepsen.util - 0\t:invoke\t:cas\t[3 4]\n\
         INFO  jepsen.util - 0\t:fail\t:cas\t:timed-out\n",
        Format::Porcupine,
        &[
            "p0 invoke read null",
            "p0 ok read null",
            "nemesis info start \"cutting [n1 n2]\"",
            "p1 invoke cas [1,4]",
            "p1 ok cas [1,4] {\"swapped\":false}",
            "p2 invoke write 3",
            "p2 info write null",
            "p0 invoke read null",
            "p0 fail read null",
            "p0 invoke cas [3,4]",
            "p0 ok cas [3,4]",
            "p0 invoke cas [3,4]",
            "p0 info cas null",
        ],
    );
    assert_eq!(remarks(&imported), ["lines that are no events (1) were passed over"]);
    assert_eq!(events(&imported)[6].error, json!("timed-out"));
    let line = "INFO  jepsen.util - 0\t:invoke\t:read\tnil\n";
    for bad in [
        "1 :invoke :read",
        "1 :begin :read nil",
        "x :invoke :read nil",
        "1 :invoke read nil",
        "1 :ok",
        "1 :invoke :cas [1",
    ] {
        refuse(
            &format!("{line}INFO  jepsen.util - {bad}\n"),
            "line 2, column 1: this line begins like an event but is none; it reads `process :type :f value`",
        );
    }
    refuse(
        &format!("{line}INFO  jepsen.util - 0\t:ok"),
        "line 2, column 1: the file ends in the middle of this line, which began at line 2; \
         it was cut off: fetch it again, or delete the torn end",
    );
}

#[test]
fn key_value_files() {
    let text = "{:process 0, :type :invoke, :f :append, :key \"4\", :value \"x 0 1 y\"}
                {:process 0, :type :ok, :f :append, :key \"4\", :value \"x 0 1 y\"}
                {:process 0, :type :invoke, :f :get, :key \"5\", :value nil}
                {:process 0, :type :ok, :f :get, :key \"5\", :value \"\"}";
    check(
        text,
        Format::KeyValue,
        &[
            "p0 invoke append \"4\": \"x 0 1 y\"",
            "p0 ok append \"4\": \"x 0 1 y\"",
            "p0 invoke get \"5\": null",
            "p0 ok get \"5\": \"\"",
        ],
    );
    assert_eq!(read(&text.replace(":key", ":other")).format, Format::Edn);
    let other = text.replace(":get", ":read");
    assert_eq!(read(&other).format, Format::Edn);
    refuse_as(
        &other,
        Some(Format::KeyValue),
        "line 3, column 17: `read` is not a call of a key-value file; its calls are get, put and append, each with a key",
    );
}
