//! The spoilt servers: one change of the sound one each, and what is said about it.

use super::servers::{Case, NO_HTTP, NO_STDIO, QUICK_START, QUICK_STOP, fails};

/// What the sound server shows, after the two lines about its imports.
pub const EVIDENCE: [&str; 20] = [
    "stdio-handshake: protocol 2025-11-25, 1 tool",
    "stdio-sockets: listens nowhere",
    "stdio-call: ping answered",
    "stdio-stdout: nothing but MCP messages",
    "stdio-stop: ended by SIGTERM",
    "stdio-children: none left behind",
    "stdio-stateless: protocol 2026-07-28",
    "stdio-end-of-input: ends when its input ends",
    "http-health: /health answers 200",
    "http-ready: /ready answers 200",
    "http-token: 401 with no token, 401 with a wrong token",
    "http-origin: 403 with a foreign Origin",
    "http-handshake: protocol 2025-11-25, 1 tool",
    "http-sockets: listens where it was asked to and nowhere else",
    "http-call: ping answered",
    "http-session: ended by DELETE, then 404",
    "http-stateless: protocol 2026-07-28",
    "http-stdout: empty",
    "http-stop: exit code 0 after SIGTERM, with a client listening",
    "http-children: none left behind",
];

/// Servers of one protocol era only; nothing is wrong with them.
pub const SOUND_VARIANTS: [(&str, (&str, &str)); 2] = [
    (
        "knows_only_the_handshake",
        ("method == \"server/discover\"", "method == \"never\""),
    ),
    (
        "has_given_up_the_handshake",
        ("method == \"initialize\":", "method == \"never\":"),
    ),
];

/// Each line makes a case and the test that runs it:
/// name, old text => new text, settings, check => message.
macro_rules! cases {
    ($($name:ident, $old:literal => $new:literal, $settings:expr, $check:literal => $message:literal;)*) => {
        /// Every spoilt server.
        pub const CASES: &[Case] = &[$(Case {
            name: stringify!($name),
            change: ($old, $new),
            settings: &$settings,
            expected: ($check, $message),
        }),*];

        $(#[test]
        fn $name() {
            fails(stringify!($name));
        })*
    };
}

cases! {
    prints_before_it_answers,
        "def serve_stdio():\n" => "def serve_stdio():\n    print('starting', flush=True)\n",
        [NO_HTTP],
        "stdio-stdout" => "over stdio: the server printed to standard output what is no MCP message (it is not JSON: …):\n    | starting";
    prints_as_it_ends,
        "    else:\n        serve_stdio()" => "    else:\n        signal.signal(signal.SIGTERM, lambda *_: sys.exit(print('bye', flush=True)))\n        serve_stdio()",
        [NO_HTTP],
        "stdio-stdout" => "over stdio: the server printed to standard output what is no MCP message (it is not JSON: …):\n    | bye";
    answers_twice,
        "            say(answer)" => "            say(answer)\n            say(answer)",
        [NO_HTTP],
        "stdio-stdout" => "over stdio: the server answered a request that was not open (id 1); each request is answered once:\n    | …";
    prints_while_it_serves_http,
        "file=sys.stderr" => "flush=True",
        [NO_STDIO],
        "http-stdout" => "over http: the server printed to standard output:\n    | …";
    never_answers,
        "        answer = response(json.loads(line))" => "        answer = print('waiting for a database', file=sys.stderr)",
        [NO_HTTP, QUICK_START],
        "stdio-handshake" => "over stdio: the server is silent: 2 s without its answer to initialize\n    | waiting for a database";
    crashes_at_start,
        "TOKEN = os.environ.get(\"CASE_TOKEN\")" => "sys.exit('no database')",
        [NO_HTTP],
        "stdio-handshake" => "over stdio: the server ended (exit status: 1) before its answer to initialize\n    | no database";
    crashes_at_start_over_http,
        "    server = ThreadingHTTPServer((host, port), Handler)\n" => "    import absent_module\n",
        [NO_STDIO],
        "http-sockets" => "over http: the server ended (exit status: 1) before listening on 127.0.0.1:…\n    | ModuleNotFoundError: No module named 'absent_module'";
    crashes_in_the_call,
        "        return {\"content\": [{\"type\": \"text\", \"text\": \"pong\"}]}" => "        os._exit(7)",
        [NO_STDIO],
        "http-call" => "over http: the server ended (exit status: 7) before its answer to tools/call…";
    complains_about_initialize,
        "    if method == \"initialize\":\n" => "    if method == \"initialize\":\n        raise Complaint(-32603, 'no database')\n",
        [NO_HTTP],
        "stdio-handshake" => "over stdio: the server answered initialize with JSON-RPC error -32603: no database";
    fails_without_a_handshake,
        "self.headers.get(f\"Mcp-{it}\")" => "self.headers.get(f\"Mcp-{it}\") if message['method'] == 'server/discover' else 0",
        [NO_STDIO],
        "http-stateless" => "without a handshake (protocol 2026-07-28), over http: tools/list, a POST to /mcp, is answered 404…";
    chooses_an_unknown_version,
        "VERSIONS = [\"2025-11-25\"]" => "VERSIONS = [\"1999-01-01\"]",
        [NO_HTTP],
        "stdio-handshake" => "over stdio: asked for protocol 2025-11-25, the server chose \"1999-01-01\", which is none of …";
    hides_its_tools,
        "\"capabilities\": {\"tools\": {}},\n" => "\"capabilities\": {},\n",
        [NO_HTTP],
        "stdio-handshake" => "over stdio: the server does not declare the capability \"tools\"…";
    has_a_tool_without_a_schema,
        "TOOLS = [{\"name\": \"ping\", \"inputSchema\": {\"type\": \"object\"}}]" => "TOOLS = [{\"name\": \"ping\"}]",
        [NO_HTTP],
        "stdio-handshake" => "over stdio: the tool ping has no inputSchema…";
    has_other_tools,
        "TOOLS = [{\"name\": \"ping\"" => "TOOLS = [{\"name\": \"other\"",
        [NO_HTTP],
        "stdio-call" => "over stdio: there is no tool \"ping\"; the server has: other";
    reports_an_error_of_the_tool,
        "{\"content\": [{\"type\": \"text\", \"text\": \"pong\"}]}" => "{\"isError\": True, \"content\": [{\"type\": \"text\", \"text\": \"no kernel\"}]}",
        [NO_HTTP],
        "stdio-call" => "over stdio: the tool ping reports an error: no kernel";
    ignores_sigterm,
        "    else:\n        serve_stdio()" => "    else:\n        signal.signal(signal.SIGTERM, signal.SIG_IGN)\n        serve_stdio()",
        [NO_HTTP, QUICK_STOP],
        "stdio-stop" => "over stdio: the server still runs 1 s after SIGTERM";
    waits_for_its_clients,
        "    server.server_close()" => "    Handler.forever.wait()",
        [NO_STDIO, QUICK_STOP],
        "http-stop" => "over http: the server still runs 1 s after SIGTERM…";
    fails_on_sigterm,
        "    server.server_close()" => "    sys.exit('cannot save')",
        [NO_STDIO],
        "http-stop" => "over http: SIGTERM made the server fail (exit status: 1)\n…    | cannot save";
    leaves_a_child,
        "    else:\n        serve_stdio()" => "    else:\n        import subprocess\n        subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600) # left behind by leaves_a_child'], start_new_session=True)\n        serve_stdio()",
        [NO_HTTP, QUICK_STOP],
        "stdio-children" => "over stdio: 1 s after SIGTERM the server has ended, but left behind:\n    | …# left behind by leaves_a_child";
    leaves_a_daemon,
        "    server = ThreadingHTTPServer((host, port), Handler)\n" => "    if os.fork() == 0:\n        os.setsid()\n        if os.fork() == 0:\n            os.execv(sys.executable, [sys.executable, '-c', 'import time; time.sleep(600) # left behind by leaves_a_daemon'])\n        os._exit(0)\n    os.wait()\n    server = ThreadingHTTPServer((host, port), Handler)\n",
        [NO_STDIO, QUICK_STOP],
        "http-children" => "over http: 1 s after SIGTERM the server has ended, but left behind:\n    | …# left behind by leaves_a_daemon";
    binds_another_address,
        "ThreadingHTTPServer((host, port), Handler)" => "ThreadingHTTPServer(('127.0.0.2', port), Handler)",
        [NO_STDIO],
        "http-sockets" => "over http: the server was asked to listen on 127.0.0.1:…, but listens on 127.0.0.2:…";
    binds_another_port,
        "ThreadingHTTPServer((host, port), Handler)" => "ThreadingHTTPServer((host, 0), Handler)",
        [NO_STDIO],
        "http-sockets" => "over http: the server was asked to listen on 127.0.0.1:…, but listens on 127.0.0.1:…";
    opens_a_second_port,
        "    stop = threading.Thread(target=server.shutdown)\n" => "    stop = threading.Thread(target=server.shutdown)\n    import socket\n    extra = socket.create_server((host, 0))\n",
        [NO_STDIO],
        "http-sockets" => "over http: the server was asked to listen on 127.0.0.1:…, but listens on 127.0.0.1:…";
    listens_although_it_speaks_stdio,
        "def serve_stdio():\n" => "def serve_stdio():\n    import socket\n    extra = socket.create_server(('127.0.0.1', 0))\n",
        [NO_HTTP],
        "stdio-sockets" => "over stdio: the server listens on 127.0.0.1:…, although nobody asked it to";
    listens_in_a_child,
        "def serve_stdio():\n" => "def serve_stdio():\n    import subprocess\n    code = 'import socket, time; s = socket.create_server((\"127.0.0.1\", 0)); print(1, flush=True); time.sleep(600)'\n    subprocess.Popen([sys.executable, '-c', code], stdout=subprocess.PIPE).stdout.readline()\n",
        [NO_HTTP],
        "stdio-sockets" => "over stdio: the server listens on 127.0.0.1:…, although nobody asked it to";
    has_no_health_page,
        "(\"/health\", \"/ready\")" => "(\"/healthz\", \"/ready\")",
        [NO_STDIO, ("environment = { CASE_TOKEN = \"{token}\" }\n", "")],
        "http-health" => "over http: GET /health answers 404, not 200";
    wants_a_token_for_its_health_page,
        "(\"/health\", \"/ready\")" => "()",
        [NO_STDIO],
        "http-health" => "over http: GET /health answers 401, not 200";
    is_never_ready,
        "            self.reply(200, b\"{}\")" => "            self.reply(200 if self.path == '/health' else 503, b'no kernel')",
        [NO_STDIO, QUICK_START],
        "http-ready" => "over http: GET /ready answers 503, not 200: no kernel";
    asks_for_no_token,
        "if TOKEN and self.headers" => "if not TOKEN and self.headers",
        [NO_STDIO],
        "http-token" => "over http: a request with no token is answered 200, not 401";
    has_another_endpoint,
        "self.path != \"/mcp\"" => "self.path != \"/other\"",
        [NO_STDIO],
        "http-handshake" => "over http: initialize, a POST to /mcp, is answered 404 (application/json): ";
    answers_with_a_web_page,
        "self.reply(200, body, \"text/event-stream\")" => "self.reply(200, body, \"text/html\")",
        [NO_STDIO],
        "http-handshake" => "over http: the answer to tools/list has the type \"text/html\", neither application/json nor text/event-stream";
    ends_its_stream_too_early,
        "f\"event: message\\ndata: {json.dumps(answer)}\\n\\n\"" => "f\": nothing\\n\\n\"",
        [NO_STDIO],
        "http-handshake" => "over http: the event stream for tools/list ends without a response";
    serves_sessions_that_have_ended,
        "self.sessions.discard(self.headers.get(\"Mcp-Session-Id\"))" => "pass",
        [NO_STDIO],
        "http-session" => "over http: a session is still served after its DELETE";
}
