//! A stand-in for OSV's archives and interface on the loopback interface. It keeps their
//! documented rules, and fails in the ways that tests ask for.
//!
//! Sources: OSV's pages on data dumps and on `querybatch`; RFC 9110 on ranges and conditions.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Cursor, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;

use serde_json::{Value, json};
use xtask::world::remote::checksum;

/// How an answer fails.
#[derive(Debug, Clone, Copy)]
pub enum Fault {
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// The body stops coming after so many bytes, and the connection stays.
    Silent(usize),
    /// This status, and what `Retry-After` says.
    Status(u16, Option<&'static str>),
    /// The checksum is that of something else.
    WrongHash,
    /// A page of a proxy, with status 200.
    Html,
    /// This body instead.
    Body(&'static [u8]),
}

/// What is published.
#[derive(Debug, Default)]
pub struct State {
    /// Records by id.
    pub records: BTreeMap<String, Value>,
    /// Ids that are listed and that nobody has.
    pub hollow: BTreeSet<String>,
    /// The archive, made by [`Osv::publish`].
    archive: Vec<u8>,
    /// Faults by the end of the path, each for so many requests.
    faults: Vec<(String, Fault, usize)>,
    /// What was asked for: path, and the headers for ranges and conditions.
    pub log: Vec<String>,
    /// How many records a page of the interface has.
    pub page: usize,
    /// Whether answers name their state.
    pub etags: bool,
}

/// The stand-in; it ends with the value.
pub struct Osv {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    ended: Arc<AtomicBool>,
    accepting: Option<JoinHandle<()>>,
}

struct Asked {
    method: String,
    path: String,
    headers: BTreeMap<String, String>,
    body: Vec<u8>,
}

struct Reply {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: Vec<u8>,
}

impl Osv {
    pub fn start() -> Osv {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let state = State {
            page: 1000,
            etags: true,
            ..State::default()
        };
        let (state, ended) = (
            Arc::new(Mutex::new(state)),
            Arc::new(AtomicBool::new(false)),
        );
        let accepting = std::thread::spawn({
            let (state, ended) = (Arc::clone(&state), Arc::clone(&ended));
            move || {
                for stream in listener.incoming() {
                    if ended.load(Ordering::SeqCst) {
                        break;
                    }
                    let state = Arc::clone(&state);
                    // A client that goes away in the middle is no fault of the server.
                    std::thread::spawn(move || stream.map(|stream| serve(stream, &state)));
                }
            }
        });
        Osv {
            address,
            state,
            ended,
            accepting: Some(accepting),
        }
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// Adds or replaces a record.
    pub fn put(&self, record: Value) {
        let id = record["id"].as_str().unwrap().to_owned();
        self.state().records.insert(id, record);
    }

    /// Makes the archive of what there is now.
    pub fn publish(&self) {
        let mut writer = zip::ZipWriter::new(Cursor::new(Vec::new()));
        let mut state = self.state();
        for (id, record) in &state.records {
            let options = zip::write::SimpleFileOptions::default();
            writer.start_file(format!("{id}.json"), options).unwrap();
            writer.write_all(record.to_string().as_bytes()).unwrap();
        }
        state.archive = writer.finish().unwrap().into_inner();
    }

    pub fn archive(&self) -> Vec<u8> {
        self.state().archive.clone()
    }

    pub fn fail(&self, path_end: &str, fault: Fault, times: usize) {
        self.state()
            .faults
            .push((path_end.to_owned(), fault, times));
    }

    /// What was asked for since the last call.
    pub fn asked(&self) -> Vec<String> {
        let mut log = std::mem::take(&mut self.state().log);
        log.sort();
        log
    }
}

impl Drop for Osv {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        self.accepting.take().unwrap().join().unwrap();
    }
}

fn serve(stream: TcpStream, state: &Mutex<State>) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let asked = read(&mut reader)?;
    let (reply, fault) = {
        let mut state = state.lock().unwrap();
        let mut line = asked.path.clone();
        for name in ["range", "if-range", "if-none-match"] {
            if let Some(value) = asked.headers.get(name) {
                line.push_str(&format!(" {name}={value}"));
            }
        }
        state.log.push(line);
        let fault = state.take_fault(&asked.path);
        (state.answer(&asked), fault)
    };
    send(stream, reader, reply, fault)
}

fn read(reader: &mut impl BufRead) -> std::io::Result<Asked> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (method, path) = (
        words.next().unwrap_or_default(),
        words.next().unwrap_or_default(),
    );
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            break;
        };
        headers.insert(name.to_ascii_lowercase(), value.to_owned());
    }
    let length = headers
        .get("content-length")
        .map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    Ok(Asked {
        method,
        path,
        headers,
        body,
    })
}

fn send(
    mut stream: TcpStream,
    mut reader: impl Read,
    mut reply: Reply,
    fault: Option<Fault>,
) -> std::io::Result<()> {
    match fault {
        Some(Fault::Status(status, after)) => {
            let after = after.map(|after| ("retry-after", after.to_owned()));
            reply = Reply::new(status, Vec::new());
            reply.headers.extend(after);
        }
        Some(Fault::WrongHash) => {
            reply.headers.retain(|(name, _)| *name != "x-goog-hash");
            reply
                .headers
                .push(("x-goog-hash", checksum::header(b"something else")));
        }
        Some(Fault::Html) => {
            reply = Reply::new(200, b"<!doctype html><title>Log in</title>\n".to_vec());
            reply
                .headers
                .push(("content-type", "text/html; charset=utf-8".to_owned()));
        }
        Some(Fault::Body(body)) => reply = Reply::new(200, body.to_vec()),
        Some(Fault::Cut(_) | Fault::Silent(_)) | None => {}
    }
    let mut head = format!("HTTP/1.1 {} x\r\nconnection: close\r\n", reply.status);
    if reply.status != 304 {
        head.push_str(&format!("content-length: {}\r\n", reply.body.len()));
    }
    for (name, value) in &reply.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes())?;
    match fault {
        Some(Fault::Cut(length)) => stream.write_all(&reply.body[..length.min(reply.body.len())]),
        Some(Fault::Silent(length)) => {
            stream.write_all(&reply.body[..length.min(reply.body.len())])?;
            // Until the client goes away.
            reader.read_to_end(&mut Vec::new()).map(drop)
        }
        _ => stream.write_all(&reply.body),
    }
}

impl Reply {
    fn new(status: u16, body: Vec<u8>) -> Reply {
        Reply {
            status,
            headers: Vec::new(),
            body,
        }
    }

    fn json(value: &Value) -> Reply {
        Reply::new(200, value.to_string().into_bytes())
    }
}

impl State {
    fn take_fault(&mut self, path: &str) -> Option<Fault> {
        let mut faults = self.faults.iter_mut();
        let (_, fault, times) =
            faults.find(|(end, _, times)| path.ends_with(&**end) && *times > 0)?;
        *times -= 1;
        Some(*fault)
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let parts: Vec<&str> = asked.path.trim_start_matches('/').split('/').collect();
        match (asked.method.as_str(), parts.as_slice()) {
            ("POST", ["v1", "querybatch"]) => self.query(&asked.body),
            ("GET", ["v1", "vulns", id]) => match self.records.get(*id) {
                Some(record) => Reply::json(record),
                None => Reply::new(404, Vec::new()),
            },
            ("GET", [_, "all.zip"]) => self.object(asked, self.archive.clone()),
            ("GET", [_, "modified_id.csv"]) => self.object(asked, self.listing().into_bytes()),
            ("GET", [_, name]) => {
                let id = name.strip_suffix(".json").unwrap_or_default();
                match self.records.get(id).filter(|_| !self.hollow.contains(id)) {
                    Some(record) => self.object(asked, record.to_string().into_bytes()),
                    None => Reply::new(404, b"<Error/>".to_vec()),
                }
            }
            _ => Reply::new(404, Vec::new()),
        }
    }

    /// A line for each record, newest first.
    fn listing(&self) -> String {
        let mut lines: Vec<String> = self
            .records
            .iter()
            .map(|(id, record)| format!("{},{id}\n", record["modified"].as_str().unwrap()))
            .collect();
        lines.sort();
        lines.reverse();
        lines.concat()
    }

    /// An object of the storage, or the part of it that was asked for.
    fn object(&self, asked: &Asked, body: Vec<u8>) -> Reply {
        let etag = format!("\"{:08x}\"", checksum::Crc32c::of(&body));
        let mut reply = Reply::new(200, Vec::new());
        let modified = "Fri, 20 Nov 2026 00:00:00 GMT".to_owned();
        reply.headers.push(("x-goog-hash", checksum::header(&body)));
        reply.headers.push(("last-modified", modified));
        if self.etags {
            reply.headers.push(("etag", etag.clone()));
            if asked.headers.get("if-none-match") == Some(&etag) {
                reply.status = 304;
                return reply;
            }
        }
        let range = asked.headers.get("range");
        let condition = asked.headers.get("if-range");
        let range = range.filter(|_| condition.is_none_or(|condition| *condition == etag));
        let Some(range) = range else {
            reply.body = body;
            return reply;
        };
        let start = range.trim_start_matches("bytes=").trim_end_matches('-');
        let (start, length) = (start.parse::<usize>().unwrap(), body.len());
        match body.get(start..).filter(|part| !part.is_empty()) {
            Some(part) => {
                let shown = format!("bytes {start}-{}/{length}", length - 1);
                reply.status = 206;
                reply.headers.push(("content-range", shown));
                reply.body = part.to_vec();
            }
            None => reply.status = 416,
        }
        reply
    }

    fn query(&self, body: &[u8]) -> Reply {
        let body: Value = serde_json::from_slice(body).unwrap();
        let queries = body["queries"].as_array().unwrap();
        if queries.len() > 1000 {
            return Reply::new(
                400,
                b"{\"code\":3,\"message\":\"Too many queries.\"}".to_vec(),
            );
        }
        let results = queries.iter().map(|query| {
            let (name, ecosystem) = (&query["package"]["name"], &query["package"]["ecosystem"]);
            let start: usize = match &query["page_token"] {
                Value::String(token) => token.strip_prefix("page-").unwrap().parse().unwrap(),
                _ => 0,
            };
            let affected = self.records.values().filter(|record| {
                let package = &record["affected"][0]["package"];
                package["name"] == *name && package["ecosystem"] == *ecosystem
            });
            let affected: Vec<&Value> = affected.collect();
            let named = affected.iter().skip(start).take(self.page);
            let named = named.map(|one| json!({ "id": one["id"], "modified": one["modified"] }));
            let named: Vec<Value> = named.collect();
            let mut result = json!({});
            if !named.is_empty() {
                result["vulns"] = Value::Array(named);
            }
            if start + self.page < affected.len() {
                result["next_page_token"] = json!(format!("page-{}", start + self.page));
            }
            result
        });
        let results: Vec<Value> = results.collect();
        Reply::json(&json!({ "results": results }))
    }
}
