"""Signs one file for a Python package index with the identity of the CI that runs this.

The tool starts this file in its private environment (`attest.txt`), before the first upload: an
index keeps attestations only when they come with the file. Prints one line of JSON.

    python attest.py FILE --out FILE

It asks for no identity where the CI offers none, and never opens a browser.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Signs, and prints what came of it."""
    parser = argparse.ArgumentParser(prog="attest.py", allow_abbrev=False)
    parser.add_argument("file", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parsed = parser.parse_args(arguments)
    try:
        answer = sign(parsed.file, parsed.out)
    except ImportError as error:
        answer = {"error": "missing", "message": f"{error.name} is not installed"}
    except Exception as error:
        answer = {"error": "attestation", "message": f"{type(error).__name__}: {error}"}
    print(json.dumps(answer), flush=True)
    return 0


def sign(file: Path, out: Path) -> dict[str, str]:
    """Writes the attestation of one file; the certificate in it names who signed."""
    # Imported here, so that an environment without them gets an answer.
    from pypi_attestations import Attestation, Distribution
    from sigstore.models import ClientTrustConfig
    from sigstore.oidc import IdentityError, IdentityToken, detect_credential
    from sigstore.sign import SigningContext

    try:
        token = detect_credential()
        if token is None:
            return {"error": "credentials", "message": "the CI offers no identity to sign with"}
        identity = IdentityToken(token)
    except IdentityError as error:
        return {"error": "credentials", "message": str(error)}
    trust = ClientTrustConfig.production()
    # Indexes verify entries of the first kind of log only, as the signer's own command knows.
    trust.force_tlog_version = 1
    with SigningContext.from_trust_config(trust).signer(identity, cache=True) as signer:
        attestation = Attestation.sign(signer, Distribution.from_file(file))
    out.write_text(attestation.model_dump_json(), encoding="utf-8")
    return {"attestation": str(out), "identity": identity.identity}


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
