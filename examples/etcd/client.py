#!/usr/bin/env python3
"""Tribunal's client protocol in Python: registers with compare-and-set, on etcd's HTTP gateway."""
import base64, json, sys, urllib.request

etcd = urllib.request.build_opener(urllib.request.ProxyHandler({}))

def b64(value):
    return base64.b64encode(json.dumps(value).encode()).decode()

def value_of(answer):
    return json.loads(base64.b64decode(answer["kvs"][0]["value"])) if answer.get("kvs") else None

def perform(f, key, value, timeout):
    get, put = {"key": key}, lambda value: {"key": key, "value": b64(value)}
    if f == "cas":
        body = {"compare": [{**put(value[0]), "target": "VALUE", "result": "EQUAL"}],
                "success": [{"requestPut": put(value[1])}], "failure": [{"requestRange": get}]}
    else:
        body = get if f == "read" else put(value)
    url = f"{base}/v3/kv/{ {'read': 'range', 'write': 'put', 'cas': 'txn'}[f] }"
    answer = json.load(etcd.open(url, json.dumps(body).encode(), timeout))
    ext = {"revision": int(answer["header"]["revision"])}
    if f == "cas" and not answer.get("succeeded"):
        ext.update(swapped=False, found=value_of(answer["responses"][0]["response_range"]))
    return {"type": "ok", "value": value_of(answer) if f == "read" else value, "ext": ext}

for line in sys.stdin:
    request = json.loads(line)
    answer = {"type": "ok"}
    if request["type"] == "hello":
        answer = {"type": "ready", "protocol": 1, "workloads": ["cas-register"]}
    elif request["type"] == "open":
        base = f"http://{request['node']['ip']}:{request['node']['ports']['client']}"
    elif request["type"] == "op":
        try:
            answer = perform(request["f"], b64(request.get("key")), request.get("value"),
                             request.get("timeout_ms", 5000) / 1000)
        except Exception as error:  # nobody knows, unless nobody was there to hear it
            refused = isinstance(getattr(error, "reason", None), ConnectionRefusedError)
            answer = {"type": "fail" if refused else "info", "error": repr(error)}
    print(json.dumps({"id": request["id"], **answer}), flush=True)
    if request["type"] == "quit":
        break
