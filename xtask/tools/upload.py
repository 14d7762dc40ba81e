"""Sends one file to a Python package index through twine and says what the index answered.

The tool starts this file in its private environment (`publish.txt`) and reads one line of JSON
from standard output; what goes to standard error is for the user. Where the indexes are, which
credentials are used and what is in the form is twine's knowledge alone: no host is named here.

    python upload.py describe (--repository NAME | --url ADDRESS)
    python upload.py upload FILE [--attestation FILE ...] (--repository NAME | --url ADDRESS)
    python upload.py check FILE ...

It decides nothing: it sends one request for one file, and the tool reads back what is there
before it sends another. Secrets come from where twine finds them, never from the arguments, and
none is in an answer.
"""

from __future__ import annotations

import argparse
import base64
import configparser
import contextlib
import ipaddress
import json
import logging
import os
import sys
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import id as identity
import requests
from requests.adapters import HTTPAdapter
from twine import auth, exceptions, repository, utils
from twine.commands import check
from twine.package import PackageFile
from twine.settings import Settings
from urllib3.util.retry import Retry

Answer = dict[str, Any]

# How many characters of an index's answer are kept.
BODY_LIMIT = 2000
# A server that does not take a connection within this many seconds does not take it at all.
CONNECT_SECONDS = 30.0
# Names under which servers give a request its number.
REQUEST_IDS = ("x-request-id", "x-pypi-request-id", "x-amzn-requestid", "x-correlation-id")
# Errors come as JSON from an index that can write JSON, and as text from the others.
ACCEPT = "application/json;q=0.9, text/plain;q=0.8, text/html;q=0.7"


class RefusedError(Exception):
    """Nothing was sent, or what was sent is not an upload; carries the answer to print."""

    def __init__(self, kind: str, message: str, **more: object) -> None:
        """Names the kind of refusal, says why, and adds what else the answer holds."""
        super().__init__(message)
        self.answer: Answer = {"error": kind, "message": message, **more}


class OneRequest(HTTPAdapter):
    """Sends each request once and within time limits.

    Twine's own session sends an upload again after some TLS failures, when nobody knows whether
    the first one arrived, and waits for an answer without a limit.
    """

    def __init__(self, seconds: float) -> None:
        """Keeps the longest silence of the server that is waited for."""
        self.limits = (min(seconds, CONNECT_SECONDS), seconds)
        super().__init__(max_retries=Retry(0, read=False))

    def send(self, request: requests.PreparedRequest, *args: Any, **named: Any) -> Any:
        """Sends with the time limits where the caller gives none."""
        if named.get("timeout") is None:
            named["timeout"] = self.limits
        return super().send(request, *args, **named)


def main(arguments: list[str]) -> int:
    """Runs one mode with standard output kept for the answer, and prints the answer."""
    parsed = parser().parse_args(arguments)
    # Twine warns of retries that are none here; what matters of it is in the answer.
    logging.disable(logging.WARNING)
    with Path(os.devnull).open("w") as nowhere, contextlib.redirect_stdout(nowhere):
        answer = answer_of(parsed)
    print(json.dumps(answer), flush=True)
    return 0


def parser() -> argparse.ArgumentParser:
    """The modes and their arguments."""
    described = argparse.ArgumentParser(prog="upload.py", allow_abbrev=False)
    modes = described.add_subparsers(required=True)
    where = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    target = where.add_mutually_exclusive_group(required=True)
    target.add_argument("--repository", metavar="NAME")
    target.add_argument("--url", metavar="ADDRESS")
    mode = modes.add_parser("describe", parents=[where], allow_abbrev=False)
    mode.set_defaults(run=describe)
    mode = modes.add_parser("upload", parents=[where], allow_abbrev=False)
    mode.add_argument("file", type=Path)
    mode.add_argument("--attestation", type=Path, action="append", default=[])
    mode.add_argument("--timeout", type=float, default=300.0, metavar="SECONDS")
    mode.set_defaults(run=upload)
    mode = modes.add_parser("check", allow_abbrev=False)
    mode.add_argument("files", type=Path, nargs="+")
    mode.set_defaults(run=check_files)
    return described


def answer_of(parsed: argparse.Namespace) -> Answer:
    """Runs the mode; what goes wrong is an answer too, so that no traceback can show a value."""
    try:
        answer: Answer = parsed.run(parsed)
    except RefusedError as refused:
        return refused.answer
    except Exception as error:
        return {"error": "internal", "message": without_secrets(f"{type(error).__name__}: {error}")}
    return answer


def describe(parsed: argparse.Namespace) -> Answer:
    """Where the index is and who would upload; asks nobody but the keyring."""
    settings = settings_for(parsed)
    address = without_user(str(settings.repository_config["repository"]))
    username, credential = credential_of(settings)
    web = web_address(address)
    return {
        "upload": address,
        "simple": web and f"{web}simple/",
        "json": web and f"{web}pypi/",
        "files": None,
        "username": username,
        "credential": credential,
    }


def settings_for(parsed: argparse.Namespace) -> Settings:
    """Twine's settings for the named repository or the address, checked before any use."""
    if parsed.url and urlsplit(parsed.url).username is not None:
        raise RefusedError("configuration", "the address must not hold credentials")
    if parsed.repository and parsed.repository not in (known := known_names()):
        raise RefusedError(
            "unknown", f"{parsed.repository} is not a repository of twine", known=known
        )
    try:
        settings = Settings(
            repository_name=parsed.repository or "",
            repository_url=parsed.url,
            username=os.environ.get("TWINE_USERNAME"),
            password=os.environ.get("TWINE_PASSWORD"),
            cacert=os.environ.get("TWINE_CERT"),
            non_interactive=True,
            disable_progress_bar=True,
        )
        settings.check_repository_url()
    except KeyError as error:
        message = f"{utils.DEFAULT_CONFIG_FILE} gives no address for {parsed.repository}"
        raise RefusedError("configuration", message) from error
    except exceptions.TwineException as error:
        raise RefusedError("configuration", first_line(error)) from error
    address = urlsplit(str(settings.repository_config["repository"]))
    if address.scheme == "http" and not is_loopback(address.hostname):
        message = f"{address.hostname} is asked over plain http, which would show the credential"
        raise RefusedError("configuration", message)
    return settings


def known_names() -> list[str]:
    """Every name twine knows, by itself or from the user's file."""
    path = utils.DEFAULT_CONFIG_FILE
    try:
        return sorted(utils.get_config(path))
    except (configparser.Error, OSError, exceptions.TwineException) as error:
        # The text of a parser's error can hold a line of the file, and a password is on one.
        raise RefusedError("configuration", f"{path} cannot be read as twine reads it") from error


def is_loopback(host: str | None) -> bool:
    """Whether a host is this machine, so that plain http shows nothing to anybody."""
    if host is None:
        return False
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def web_address(upload_address: str) -> str | None:
    """The readable side of an index that twine itself knows, as twine pairs the two."""
    if upload_address.startswith(repository.WAREHOUSE):
        return repository.WAREHOUSE_WEB
    if upload_address.startswith(repository.TEST_WAREHOUSE):
        return repository.TEST_WAREHOUSE
    return None


def credential_of(settings: Settings) -> tuple[str | None, str | None]:
    """Who would upload, and where the secret is, in twine's own order; nothing is spent."""
    resolver = settings.auth
    try:
        username = resolver.username
    except exceptions.NonInteractive:
        return None, None
    if resolver.input.password is not None:
        return username, "environment"
    if resolver.config.get("password") is not None:
        return username, "pypirc"
    if resolver.get_password_from_keyring():
        return username, "keyring"
    if resolver.is_pypi() and username == auth.TOKEN_USERNAME and has_identity():
        return username, "trusted-publishing"
    return username, "pypirc" if settings.client_cert else None


def has_identity() -> bool:
    """Whether the CI offers an identity; only looks, since an identity can be used once."""
    if os.environ.get("GITHUB_ACTIONS"):
        names = ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_URL")
        return all(os.environ.get(name) for name in names)
    if os.environ.get("GITLAB_CI"):
        return any(name.endswith("_ID_TOKEN") for name in os.environ)
    others = ("BUILDKITE", "CIRCLECI", "GOOGLE_SERVICE_ACCOUNT_NAME")
    return any(os.environ.get(name) for name in others)


def upload(parsed: argparse.Namespace) -> Answer:
    """Sends one request with one file and tells what came back, whatever it was."""
    settings = settings_for(parsed)
    package = package_of(parsed.file, parsed.attestation)
    username, credential = credential_of(settings)
    if credential is None:
        raise RefusedError("credentials", missing_credential(settings, username))
    secrets: list[str] = []
    try:
        if credential == "trusted-publishing":
            mint(settings)
        secrets.extend(secrets_of(username, settings.password))
        response = sender_for(settings, parsed.timeout).upload(package, max_redirects=1)
    except requests.exceptions.InvalidURL as error:
        raise RefusedError("configuration", without_secrets(str(error), secrets)) from error
    except requests.RequestException as error:
        return trouble(error, secrets)
    return told(response, secrets)


def package_of(file: Path, attestations: list[Path]) -> PackageFile:
    """The file with its metadata, as twine reads them, and the attestations to send with it."""
    try:
        package = PackageFile.from_filename(str(file), comment=None)
        if attestations:
            package.add_attestations([str(path) for path in attestations])
    except Exception as error:  # a broken file breaks its readers in many ways
        raise RefusedError("distribution", f"{file.name}: {error}") from error
    return package


def missing_credential(settings: Settings, username: str | None) -> str:
    """Says which credential is missing, and for whom."""
    address = without_user(str(settings.repository_config["repository"]))
    if username is None:
        return f"no user name for {address}"
    return f"no password or token of {username or 'anybody'} for {address}"


def mint(settings: Settings) -> None:
    """Exchanges the CI's identity for a token of the index, and hides the token from its log."""
    claims: Answer = {}

    def remembered(audience: str) -> str | None:
        token = identity.detect_credential(audience)
        if token is not None:
            claims.update(claims_of(token))
        return token

    # Twine does not show the identity, and its claims are what a user must compare.
    auth.detect_credential = remembered  # type: ignore[attr-defined]
    answered_badly = (requests.HTTPError, requests.exceptions.InvalidJSONError)
    try:
        token = settings.password
    except (exceptions.TwineException, identity.IdentityError, *answered_badly) as error:
        raise RefusedError("oidc", without_secrets(str(error)), claims=claims) from error
    except LookupError as error:
        message = f"the index answered without {error}, where twine looks for it"
        raise RefusedError("oidc", message, claims=claims) from error


def claims_of(token: str) -> Answer:
    """What an identity says of itself, without the number that makes it this one identity."""
    claims = json.loads(identity.decode_oidc_token(token)[1])
    return {name: claim for name, claim in claims.items() if name != "jti"}


def sender_for(settings: Settings, seconds: float) -> repository.Repository:
    """Twine's uploader, made to send once, and to leave a long answer unread."""
    sender = settings.create_repository()
    for scheme in ("http://", "https://"):
        sender.session.mount(scheme, OneRequest(seconds))
    sender.session.stream = True
    sender.session.headers["Accept"] = ACCEPT
    # Plain http is for this machine only, and no proxy stands between it and itself.
    sender.session.trust_env = not sender.url.startswith("http:")
    return sender


def told(response: requests.Response, secrets: list[str]) -> Answer:
    """An index's answer as plain data."""
    headers = response.headers
    request_id = next((headers[name] for name in REQUEST_IDS if name in headers), None)
    answer: Answer = {
        "status": response.status_code,
        "reason": without_secrets(response.reason or "", secrets),
        "body": without_secrets(body_of(response), secrets)[:BODY_LIMIT],
        "request_id": request_id,
        "retry_after": headers.get("retry-after"),
    }
    if response.is_redirect:
        location = without_user(headers["location"])
        answer |= {"error": "redirect", "message": f"the index sends uploads on to {location}"}
    return answer


def body_of(response: requests.Response) -> str:
    """The start of the body; the status stands even when the connection is cut after it."""
    try:
        start: bytes = response.raw.read(4 * BODY_LIMIT, decode_content=True)
    except Exception:
        return ""
    finally:
        response.close()
    return start.decode("utf-8", "replace")


def trouble(error: requests.RequestException, secrets: list[str]) -> Answer:
    """A failure without an answer: what was sent may or may not have arrived."""
    causes = list(causes_of(error))
    if isinstance(error, requests.exceptions.SSLError):
        kind = "tls"
    elif isinstance(error, requests.Timeout) or any(isinstance(c, TimeoutError) for c in causes):
        kind = "timeout"
    else:
        kind = "connection"
    return {"trouble": kind, "message": without_secrets(str(causes[-1]), secrets)}


def causes_of(error: BaseException) -> list[BaseException]:
    """An error and those inside of it, the innermost last."""
    causes = [error]
    while True:
        inner = [getattr(causes[-1], "reason", None), *causes[-1].args]
        found = next((cause for cause in inner if isinstance(cause, BaseException)), None)
        if found is None:
            return causes
        causes.append(found)


def secrets_of(username: str | None, password: str | None) -> list[str]:
    """A credential as it is, and as it stands in a request that a server may send back."""
    pair = f"{username or ''}:{password or ''}"
    return [base64.b64encode(pair.encode()).decode(), password or ""]


def without_secrets(text: str, secrets: list[str] | None = None) -> str:
    """A text with every known secret replaced; one too short to be one is left alone."""
    names = ("TWINE_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN")
    known = [os.environ.get(name, "") for name in names] + (secrets or [])
    for secret in known:
        if len(secret) >= 4:
            text = text.replace(secret, "***")
    return text


def without_user(address: str) -> str:
    """An address without user name and password."""
    parts = urlsplit(address)
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))


def first_line(error: Exception) -> str:
    """The first line of an error's text."""
    return next(iter(str(error).splitlines()), type(error).__name__)


def check_files(parsed: argparse.Namespace) -> Answer:
    """What `twine check --strict` says, for all files."""
    return {"problems": [problem for file in parsed.files for problem in problems_of(file)]}


def problems_of(file: Path) -> list[str]:
    """The problems of one file; the public function prints them instead of returning them."""
    stream = check._WarningStream()
    try:
        warnings, renders = check._check_file(str(file), stream)
    except Exception as error:  # a broken file breaks its readers in many ways
        return [f"{file.name}: {error}"]
    problems = [f"{file.name}: {warning}" for warning in warnings]
    if not renders:
        problems.append(f"{file.name}: the description cannot be rendered: {stream}")
    return problems


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
