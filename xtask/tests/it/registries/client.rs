//! A plain client: one request on one connection, with nothing added and nothing sent again.

use std::io::{BufReader, Result, Write};
use std::net::TcpStream;
use std::time::Duration;

use super::message::{Asked, Headers, Reply, read_reply};

/// Asks the server at an `http://HOST:PORT` address.
pub fn ask(base: &str, method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
    try_ask(base, method, target, headers, body).unwrap()
}

/// The same, where no answer is an answer too.
pub fn try_ask(
    base: &str,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Result<Reply> {
    let authority = base.trim_start_matches("http://");
    let owned = |(name, value): &(&str, &str)| (name.to_ascii_lowercase(), (*value).to_owned());
    let mut fields: Headers = vec![("host".to_owned(), authority.to_owned())];
    fields.extend(headers.iter().map(owned));
    let asked = Asked {
        method: method.to_owned(),
        target: target.to_owned(),
        headers: fields,
        body: body.to_owned(),
    };
    send(authority, &asked)
}

/// Sends a request as it is to a server, with the length of its body.
pub fn send(authority: &str, asked: &Asked) -> Result<Reply> {
    let mut stream = TcpStream::connect(authority)?;
    stream.set_read_timeout(Some(Duration::from_secs(120)))?;
    let mut head = format!("{} {} HTTP/1.1\r\n", asked.method, asked.target);
    for (name, value) in &asked.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    if !asked.body.is_empty() || !matches!(asked.method.as_str(), "GET" | "HEAD") {
        head.push_str(&format!("content-length: {}\r\n", asked.body.len()));
    }
    head.push_str("connection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(&asked.body)?;
    read_reply(&mut BufReader::new(stream), &asked.method)
}
