//! One request and one answer of HTTP/1.1, read and written. Nothing is kept open between them.
//!
//! Sources: RFC 9110 on the meaning, RFC 9112 on the form.

use std::io::{BufRead, Error, ErrorKind, Read, Result, Write};

use serde_json::Value;

/// Header fields in their order; names are in lower case.
pub type Headers = Vec<(String, String)>;

/// A request.
#[derive(Debug, Clone, Default)]
pub struct Asked {
    pub method: String,
    /// Path and query as they were sent.
    pub target: String,
    pub headers: Headers,
    /// The body without its framing.
    pub body: Vec<u8>,
}

/// An answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub status: u16,
    /// The reason phrase, where a registry says something in it.
    pub reason: Option<String>,
    pub headers: Headers,
    pub body: Vec<u8>,
}

impl Asked {
    /// The first field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        field(&self.headers, name)
    }

    /// The address under which the client found the server.
    pub fn base(&self) -> String {
        format!("http://{}", self.header("host").unwrap_or_default())
    }

    /// The path with its escapes taken out.
    pub fn path(&self) -> String {
        decoded(self.target.split('?').next().unwrap_or_default())
    }

    /// The parts of the path; an escaped slash does not part anything.
    pub fn segments(&self) -> Vec<String> {
        let path = self.target.split('?').next().unwrap_or_default();
        path.trim_matches('/').split('/').map(decoded).collect()
    }

    /// A value of the query.
    pub fn query(&self, name: &str) -> Option<String> {
        let (_, query) = self.target.split_once('?')?;
        query.split('&').find_map(|pair| {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(key) == name).then(|| decoded(&value.replace('+', " ")))
        })
    }

    /// The body as JSON; what is no JSON is null.
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// What comes after the scheme in `Authorization`, whatever the case of the scheme.
    pub fn credential(&self, scheme: &str) -> Option<&str> {
        let (found, value) = self.header("authorization")?.split_once(' ')?;
        found.eq_ignore_ascii_case(scheme).then(|| value.trim())
    }

    /// User and password of basic authentication.
    pub fn basic(&self) -> Option<(String, String)> {
        use base64::Engine as _;
        let engine = base64::engine::general_purpose::STANDARD;
        let bytes = engine.decode(self.credential("basic")?).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (user, password) = text.split_once(':')?;
        Some((user.to_owned(), password.to_owned()))
    }
}

impl Reply {
    pub fn new(status: u16, body: impl Into<Vec<u8>>) -> Reply {
        Reply {
            status,
            body: body.into(),
            ..Reply::default()
        }
    }

    pub fn json(status: u16, value: &Value) -> Reply {
        Reply::new(status, value.to_string()).with("content-type", "application/json")
    }

    pub fn bytes(body: &[u8]) -> Reply {
        Reply::new(200, body).with("content-type", "application/octet-stream")
    }

    /// The same with this field in the place of any other of its name.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Reply {
        let name = name.to_ascii_lowercase();
        self.headers.retain(|(field, _)| *field != name);
        self.headers.push((name, value.into()));
        self
    }

    /// The first field of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        field(&self.headers, name)
    }

    /// The body as JSON; what is no JSON is null.
    pub fn value(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The head as it is sent. What a HEAD request asks for has its length without its body.
    pub fn head(&self) -> String {
        let reason = self.reason.as_deref().unwrap_or("x");
        let mut head = format!("HTTP/1.1 {} {reason}\r\nconnection: close\r\n", self.status);
        if self.header("content-length").is_none() && !matches!(self.status, 204 | 304) {
            head.push_str(&format!("content-length: {}\r\n", self.body.len()));
        }
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        head
    }
}

/// Reads a request. `answer` is where the client is told to go on when it waits for that.
pub fn read_request(reader: &mut impl BufRead, answer: &mut impl Write) -> Result<Asked> {
    let line = line(reader)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let (Some(method), Some(target)) = (words.next(), words.next()) else {
        return Err(broken("no request"));
    };
    let mut asked = Asked {
        method,
        target,
        headers: read_headers(reader)?,
        body: Vec::new(),
    };
    let waits = asked.header("expect");
    if waits.is_some_and(|value| value.eq_ignore_ascii_case("100-continue")) {
        answer.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
    }
    asked.body = read_body(reader, &asked.headers, Some(0))?;
    Ok(asked)
}

/// Reads the answer to a request of this method.
pub fn read_reply(reader: &mut impl BufRead, method: &str) -> Result<Reply> {
    loop {
        let line = line(reader)?;
        let mut words = line.splitn(3, ' ');
        let (version, status) = (words.next(), words.next());
        if !version.is_some_and(|version| version.starts_with("HTTP/1.")) {
            return Err(broken("no answer"));
        }
        let status = status.and_then(|status| status.parse().ok());
        let status: u16 = status.ok_or_else(|| broken("no status"))?;
        let reason = words.next().map(str::to_owned);
        let headers = read_headers(reader)?;
        if (100..200).contains(&status) {
            continue;
        }
        let bodiless = method == "HEAD" || matches!(status, 204 | 304);
        let body = match bodiless {
            true => Vec::new(),
            false => read_body(reader, &headers, None)?,
        };
        return Ok(Reply {
            status,
            reason,
            headers,
            body,
        });
    }
}

fn read_headers(reader: &mut impl BufRead) -> Result<Headers> {
    let mut headers = Vec::new();
    loop {
        let line = line(reader)?;
        if line.is_empty() {
            return Ok(headers);
        }
        let (name, value) = line.split_once(':').ok_or_else(|| broken("no header"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
}

/// The body; where the headers do not tell its length, it has this one, or all that comes.
fn read_body(
    reader: &mut impl BufRead,
    headers: &Headers,
    otherwise: Option<u64>,
) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    let coding = field(headers, "transfer-encoding");
    if coding.is_some_and(|coding| coding.eq_ignore_ascii_case("chunked")) {
        loop {
            let line = line(reader)?;
            let length = line.split(';').next().unwrap_or_default().trim();
            let length = usize::from_str_radix(length, 16).map_err(|_| broken("no chunk"))?;
            if length == 0 {
                read_headers(reader)?;
                return Ok(body);
            }
            let start = body.len();
            body.resize(start + length, 0);
            reader.read_exact(&mut body[start..])?;
            reader.read_exact(&mut [0; 2])?;
        }
    }
    let stated = field(headers, "content-length").map(str::parse);
    let length = stated.transpose().map_err(|_| broken("no length"))?;
    match length.or(otherwise) {
        Some(length) => {
            reader.take(length).read_to_end(&mut body)?;
            if (body.len() as u64) < length {
                return Err(Error::new(ErrorKind::UnexpectedEof, "the body is cut"));
            }
        }
        None => drop(reader.read_to_end(&mut body)?),
    }
    Ok(body)
}

fn line(reader: &mut impl BufRead) -> Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(Error::new(ErrorKind::UnexpectedEof, "closed"));
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

fn broken(what: &str) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

fn field<'headers>(headers: &'headers Headers, name: &str) -> Option<&'headers str> {
    let found = headers.iter().find(|(key, _)| key == name);
    found.map(|(_, value)| value.as_str())
}

/// A text with its percent escapes taken out; what is no escape stays.
pub fn decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let escaped = (*first == b'%').then(|| after.get(..2)).flatten();
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A text as one part of a path.
pub fn encoded(text: &str) -> String {
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-._~".contains(byte);
    let escape = |byte: u8| match plain(&byte) {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}
