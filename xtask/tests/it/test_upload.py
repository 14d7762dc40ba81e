"""Tests of `upload.py` that no server on loopback can stand for: Trusted Publishing.

Twine asks only the indexes it knows for a token, and only over TLS, so the answers come from an
adapter under its session. Run with the interpreter of the environment in `publish.txt`:

    PYTHONPATH=xtask/tools python xtask/tests/it/test_upload.py
"""

from __future__ import annotations

import base64
import contextlib
import io
import json
import os
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

import id as ambient
import requests
import upload
from requests.adapters import BaseAdapter
from twine import auth, utils

TOKEN = "minted-secret-token"
CLAIMS = {"aud": "index", "sub": "repo:owner/name:environment:release", "jti": "only-once"}
MINT = "/_/oidc/mint-token"
ANSWERS: dict[str, tuple[int, Any]] = {
    "/_/oidc/audience": (200, {"audience": "index"}),
    MINT: (200, {"success": True, "token": TOKEN, "expires": 4102444800}),
    "/legacy/": (400, {"message": f"File already exists, {TOKEN}"}),
}
ENVIRONMENT = {
    "GITHUB_ACTIONS": "true",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-secret",
    "ACTIONS_ID_TOKEN_REQUEST_URL": "http://127.0.0.1:9/",
    "PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring",
}


class Index(BaseAdapter):
    """An index of prepared answers that remembers what it was asked."""

    def __init__(self, answers: dict[str, tuple[int, Any]]) -> None:
        super().__init__()
        self.answers = answers
        self.asked: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: Any, **__: Any) -> requests.Response:
        path = urlsplit(str(request.url)).path
        self.asked.append(path)
        status, body = self.answers[path]
        response = requests.Response()
        response.status_code = status
        response.url = str(request.url)
        response.raw = mock.Mock(read=lambda *_, **__: json.dumps(body).encode())
        response._content = json.dumps(body).encode()
        return response

    def close(self) -> None:
        pass


def identity() -> str:
    """An identity of the shape that CI systems give out."""
    parts = [{"alg": "none"}, CLAIMS]
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([part.rstrip("=") for part in encoded] + ["signature-secret"])


def run(index: Index, *arguments: str) -> tuple[upload.Answer, str]:
    """Runs the driver against the index; the answer, and everything printed."""
    out, err = io.StringIO(), io.StringIO()
    with tempfile.TemporaryDirectory() as home, contextlib.ExitStack() as stack:
        environment = ENVIRONMENT | {"HOME": home, "USERPROFILE": home}
        stack.enter_context(mock.patch.dict(os.environ, environment, clear=True))
        session = requests.Session()
        session.mount("https://", index)
        stack.enter_context(mock.patch.object(utils, "make_requests_session", lambda: session))
        stack.enter_context(mock.patch.object(upload, "OneRequest", lambda _: index))
        found = mock.patch.object(ambient, "detect_credential", lambda _: identity())
        stack.enter_context(found)
        stack.enter_context(mock.patch.object(auth, "detect_credential"))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(err))
        upload.main([*arguments, "--repository", "testpypi"])
    return json.loads(out.getvalue()), out.getvalue() + err.getvalue()


def wheel(folder: str) -> str:
    """The smallest wheel that twine reads."""
    path = Path(folder, "demo-1.0-py3-none-any.whl")
    with zipfile.ZipFile(path, "w") as archive:
        metadata = "Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"
        archive.writestr("demo-1.0.dist-info/METADATA", metadata)
        archive.writestr("demo-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
    return str(path)


class TrustedPublishing(unittest.TestCase):
    """The identity of a CI, exchanged for a token of the index."""

    def test_describing_spends_no_identity(self) -> None:
        index = Index(ANSWERS)
        answer, _ = run(index, "describe")
        self.assertEqual(answer["credential"], "trusted-publishing")
        self.assertEqual(index.asked, [])
        web = answer["upload"].removesuffix("legacy/")
        self.assertEqual((answer["simple"], answer["json"]), (f"{web}simple/", f"{web}pypi/"))

    def test_one_token_and_one_upload_and_the_token_only_in_the_line_that_hides_it(self) -> None:
        index = Index(ANSWERS)
        with tempfile.TemporaryDirectory() as folder:
            answer, printed = run(index, "upload", wheel(folder))
        self.assertEqual(answer["status"], 400)
        self.assertIn("File already exists, ***", answer["body"])
        self.assertEqual(index.asked, ["/_/oidc/audience", MINT, "/legacy/"])
        self.assertEqual(printed.count(f"::add-mask::{TOKEN}\n"), 1)
        self.assertEqual(printed.count(TOKEN), 1)
        self.assertNotIn("signature-secret", printed)

    def test_a_refused_identity_is_shown_by_its_claims(self) -> None:
        errors = [{"code": "invalid-publisher", "description": "no such publisher"}]
        answers = ANSWERS | {MINT: (422, {"message": "failed", "errors": errors})}
        index = Index(answers)
        with tempfile.TemporaryDirectory() as folder:
            answer, printed = run(index, "upload", wheel(folder))
        self.assertEqual(answer["error"], "oidc")
        self.assertIn("invalid-publisher", answer["message"])
        self.assertEqual(answer["claims"], {"aud": CLAIMS["aud"], "sub": CLAIMS["sub"]})
        self.assertEqual(index.asked, ["/_/oidc/audience", MINT])
        for secret in ("signature-secret", "only-once", "request-secret"):
            self.assertNotIn(secret, printed)

    def test_a_mint_that_breaks_is_an_answer_too(self) -> None:
        index = Index(ANSWERS | {MINT: (503, {"message": "later"})})
        with tempfile.TemporaryDirectory() as folder:
            answer, _ = run(index, "upload", wheel(folder))
        self.assertEqual(answer["error"], "oidc")
        self.assertNotIn("/legacy/", index.asked)


if __name__ == "__main__":
    unittest.main()
