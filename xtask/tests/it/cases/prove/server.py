"""A sound MCP server in plain Python, which the cases of `prove` spoil one line at a time."""

import json
import os
import signal
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

TOOLS = [{"name": "ping", "inputSchema": {"type": "object"}}]
VERSIONS = ["2025-11-25"]
TOKEN = os.environ.get("CASE_TOKEN")


class Complaint(Exception):
    """Becomes a JSON-RPC error: its code and its message."""


def result(method, params):
    if method == "initialize":
        return {
            "protocolVersion": VERSIONS[0],
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "case", "version": "1"},
        }
    if method == "tools/list":
        return {"tools": TOOLS}
    if method == "tools/call":
        return {"content": [{"type": "text", "text": "pong"}]}
    if method == "server/discover":
        return {"supportedVersions": ["2026-07-28"], "capabilities": {"tools": {}}}
    raise Complaint(-32601, f"no method {method}")


def response(message):
    """The answer to a message; nothing for a notification."""
    if "id" not in message:
        return None
    answer = {"jsonrpc": "2.0", "id": message["id"]}
    try:
        return {**answer, "result": result(message["method"], message.get("params", {}))}
    except Complaint as complaint:
        code, text = complaint.args
        return {**answer, "error": {"code": code, "message": text}}


def say(message):
    print(json.dumps(message), flush=True)


def serve_stdio():
    for line in sys.stdin:
        answer = response(json.loads(line))
        if answer:
            say(answer)


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    sessions = set()
    forever = threading.Event()

    def log_message(self, *words):
        print(*words, file=sys.stderr)

    def reply(self, status, body=b"", kind="application/json", **headers):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def refusal(self):
        """The status with which a request is turned away; nothing for a good one."""
        if TOKEN and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            return 401
        if "Origin" in self.headers:
            return 403
        if self.path != "/mcp":
            return 404
        return None

    def is_stateless(self, message):
        """Whether a request says all about itself, as those of MCP 2026-07-28 do."""
        params = message.get("params", {})
        version = params.get("_meta", {}).get("io.modelcontextprotocol/protocolVersion")
        said = [self.headers.get(f"Mcp-{it}") for it in ("Protocol-Version", "Method", "Name")]
        return version and said == [version, message["method"], params.get("name")]

    def do_GET(self):
        if self.path in ("/health", "/ready"):
            self.reply(200, b"{}")
        elif status := self.refusal():
            self.reply(status)
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.end_headers()
            self.wfile.flush()
            self.forever.wait()

    def do_POST(self):
        message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        session = self.headers.get("Mcp-Session-Id")
        if status := self.refusal():
            self.reply(status)
        elif message["method"] == "initialize":
            session = f"session-{len(self.sessions)}"
            self.sessions.add(session)
            body = json.dumps(response(message)).encode()
            self.reply(200, body, Mcp_Session_Id=session)
        elif session not in self.sessions and not self.is_stateless(message):
            self.reply(404)
        elif answer := response(message):
            body = f"event: message\ndata: {json.dumps(answer)}\n\n".encode()
            self.reply(200, body, "text/event-stream")
        else:
            self.reply(202)

    def do_DELETE(self):
        self.sessions.discard(self.headers.get("Mcp-Session-Id"))
        self.reply(200)


def serve_http(host, port):
    server = ThreadingHTTPServer((host, port), Handler)
    stop = threading.Thread(target=server.shutdown)
    signal.signal(signal.SIGTERM, lambda *_: stop.start())
    server.serve_forever(poll_interval=0.02)
    server.server_close()


def main():
    if sys.argv[1:]:
        serve_http(sys.argv[1], int(sys.argv[2]))
    else:
        serve_stdio()
