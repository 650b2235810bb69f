"""Moto on a free port, and in front of it what moto leaves out: who was denied by `berth-revoked-…` gets nothing but who they are."""

import fnmatch
import json
import re

from moto.core import DEFAULT_ACCOUNT_ID
from moto.iam.models import get_account_id_from, iam_backends
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from moto.sts.models import sts_backends
from werkzeug.serving import run_simple

KEY = re.compile(r"Credential=([^/]+)/")


def session(key):
    account = get_account_id_from(key)
    return sts_backends[account]["aws"].get_assumed_role_from_access_key(key) if account != DEFAULT_ACCOUNT_ID else None


def denied(key):
    role = session(key)
    if role is None:
        return False
    policies = [
        json.loads(document)
        for one in iam_backends[role.account_id]["aws"].get_roles()
        if one.arn == role.role_arn
        for name, document in one.policies.items()
        if name.startswith("berth-revoked-")
    ]
    return any(
        fnmatch.fnmatchcase(f"AROA:{role.session_name}", pattern)
        for policy in policies
        for statement in policy["Statement"]
        for pattern in statement["Condition"]["StringLike"]["aws:userid"]
    )


class Strict:
    def __init__(self, moto):
        self.moto = moto

    def __call__(self, environ, start_response):
        signed = KEY.search(environ.get("HTTP_AUTHORIZATION", ""))
        if signed is None or "/sts/" in environ["HTTP_AUTHORIZATION"] or not denied(signed.group(1)):
            return self.moto(environ, start_response)
        error = "<Error><Code>AccessDenied</Code><Message>with an explicit deny in an identity-based policy</Message></Error>"
        if "/s3/" not in environ["HTTP_AUTHORIZATION"]:
            error = f"<ErrorResponse>{error}<RequestId>r</RequestId></ErrorResponse>"
        start_response("403 Forbidden", [("Content-Type", "text/xml")])
        return [error.encode()]


run_simple("127.0.0.1", 0, Strict(DomainDispatcherApplication(create_backend_app)), threaded=True)
