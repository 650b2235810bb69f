"""What schemathesis does beside what it does by itself: calls with ids that there are, and what an answer must not be."""

import json
import os
import random

import schemathesis

SECRETS = json.loads(os.environ["SECRETS"])
ENVIRONMENTS = json.loads(os.environ["ENVIRONMENTS"])
POOLS = json.loads(os.environ["POOLS"])
CHOICE = random.Random(os.environ["SEED"])
# Who holds an environment is shown its secrets, in these.
SHOWN_TO_HOLDERS = {
    "POST /allocations",
    "GET /allocations/{id}",
    "POST /allocations/{id}/credentials",
    "POST /allocations/{id}/extend",
    "POST /allocations/{id}/hold",
    "GET /reservations/{id}",
    "POST /reservations/{id}",
}
# What the HTTP server refuses before it is known which call was meant.
OF_THE_SERVER = {}
PATHS = {}
ids = []


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """Takes out what is true of every call, so that an answer that is not described of this one is told from it."""
    for path, operations in raw_schema["paths"].items():
        for method, operation in operations.items():
            described = operation["responses"].pop("default", None)
            OF_THE_SERVER.update(dict.fromkeys(described["description"].split(", ")) if described else {})
            PATHS[f"{method.upper()} {path}"] = operation["responses"]


@schemathesis.hook
def before_call(context, case, kwargs):
    spare(case)
    if case.meta is not None and case.meta.generation.mode.is_positive:
        meet(case)


def spare(case):
    """Takes out what would leave nothing to call, and what would wait for long."""
    label = case.operation.label
    if label.endswith("/retire"):
        case.path_parameters["name"] = "no-such-board"
    if isinstance(case.body, dict) and case.body.get("action") == "retire":
        case.body["pool"] = "no-such-pool"
    if label == "PUT /config" and case.query:
        case.query.pop("allow-removals", None)
    if case.headers and "Prefer" in case.headers:
        case.headers["Prefer"] = CHOICE.choice(["wait=0", "wait=1", "wait=x", "respond-async"])


def meet(case):
    """Calls with names that there are, and with durations that are some."""
    label = case.operation.label
    parameters = case.path_parameters or {}
    if "id" in parameters and ids and CHOICE.random() < 0.6:
        parameters["id"] = CHOICE.choice(ids)
    if "name" in parameters and not label.endswith("/retire") and CHOICE.random() < 0.6:
        parameters["name"] = CHOICE.choice(POOLS if "/pools" in label else ENVIRONMENTS)
    body = case.body
    if isinstance(body, dict):
        if isinstance(body.get("pool"), str) and body.get("action") != "retire" and CHOICE.random() < 0.7:
            body["pool"] = CHOICE.choice(POOLS)
        if label == "POST /tokens" and isinstance(body.get("principal"), str) and CHOICE.random() < 0.5:
            body["principal"] = "guest"
        for field in ("duration", "keepalive", "maxWait", "for", "expires"):
            if isinstance(body.get(field), str) and CHOICE.random() < 0.5:
                body[field] = CHOICE.choice(["1s", "10s", "5m", "1h30m", "9999d", "0s"])


@schemathesis.hook
def after_call(context, case, response):
    if response.status_code in (200, 202) and case.operation.label.startswith("POST /allocations"):
        id = (json_of(response) or {}).get("id")
        if isinstance(id, str) and id not in ids:
            ids.append(id)
            del ids[:-20]


def json_of(response):
    try:
        return json.loads(response.content)
    except ValueError:
        return None


@schemathesis.check
def every_error_is_described(ctx, response, case):
    if response.status_code < 400:
        return
    body = json_of(response)
    if case.operation.path.startswith("/reservations") and isinstance(body, dict) and set(body) == {"error"}:
        return
    assert isinstance(body, dict), f"{response.status_code} without a problem"
    assert response.headers["content-type"] == ["application/problem+json"], response.headers["content-type"]
    assert body["status"] == response.status_code and body["message"] == body["detail"], body
    described = PATHS[case.operation.label].get(str(response.status_code), {}).get("description", "")
    codes = set(described.split(", ")) | set(OF_THE_SERVER) | {"no-such-resource", "method-not-allowed"}
    assert body["code"] in codes, f"{response.status_code} {body['code']} is not described"


@schemathesis.check
def no_secret_is_told(ctx, response, case):
    text = response.content.decode("utf-8", "replace") + str(response.headers)
    for name, secret in SECRETS.items():
        if not (name.startswith("environment") and case.operation.label in SHOWN_TO_HOLDERS):
            assert secret not in text, f"{name} is in the answer"
    # What is sent may be made of the words of this file, and an answer may name the parameter that it does not know.
    sent = repr([case.path_parameters, case.query, case.headers, case.body])
    for inside in ("Exception", "dev.berth.", "java.lang", "org.sqlite", "\tat "):
        assert inside not in text or repr(inside)[1:-1] in sent, f"{inside} is in the answer"
