'use strict';

// Loaded into vsce before it starts. vsce shows what a server says and not with which status, but
// whether something may be tried again depends on the status. Node.js tells on these channels what
// was answered; each answer becomes a line of JSON in a file. No address, no body and no header
// that could hold a secret is noted.

const { subscribe } = require('node:diagnostics_channel');
const { appendFileSync } = require('node:fs');

const file = process.env.XTASK_RESPONSES;

function note(line) {
	appendFileSync(file, JSON.stringify(line) + '\n');
}

function answered(method, status, header) {
	note({
		method,
		status,
		after: header('retry-after'),
		request: header('x-vss-e2eid') ?? header('activityid'),
	});
}

function failed(method, error) {
	note({ method, error: String(error?.code ?? error?.name ?? 'error') });
}

// http and https.
subscribe('http.client.response.finish', ({ request, response }) => {
	answered(request.method, response.statusCode, name => response.headers[name]);
});
subscribe('http.client.request.error', ({ request, error }) => {
	failed(request.method, error);
});

// fetch. Its headers are a list of names and values by turns.
subscribe('undici:request:headers', ({ request, response }) => {
	const texts = response.headers.map(String);
	const at = name => texts.findIndex((text, index) => index % 2 === 0 && text.toLowerCase() === name);
	answered(request.method, response.statusCode, name => (at(name) < 0 ? undefined : texts[at(name) + 1]));
});
subscribe('undici:request:error', ({ request, error }) => {
	failed(request.method, error);
});
