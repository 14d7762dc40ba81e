//! The proof over stdio: the server speaks MCP on its standard streams, and nothing else.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::conversation::{self, Answer, Transport};
use super::message::{self, Message, STATELESS};
use super::server::{Filling, Server};
use super::{Checked, Failure, Record, Subject, sockets};
use crate::config::Launch;
use crate::error::{Error, Result};
use crate::world::process::stream::Next;

const STDOUT: &str = "stdio-stdout";

/// Proves the server over stdio and notes what held.
///
/// # Errors
/// The first check that does not hold.
pub fn prove(subject: &Subject<'_>, launch: &Launch, record: &mut Record) -> Checked<()> {
    std::thread::scope(|scope| {
        let second = scope.spawn(|| second_conversation(subject, launch));
        let first = first_conversation(subject, launch, record);
        let second = second
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        // What is wrong already with the first conversation need not be said twice.
        first?;
        record.checks.extend(second?.checks);
        Ok(())
    })
}

/// Handshake, tools, call, and the end by SIGTERM.
fn first_conversation(subject: &Subject<'_>, launch: &Launch, record: &mut Record) -> Checked<()> {
    let call = &subject.prove.call;
    let mut session = Session::start(subject, launch)?;
    let version = conversation::open(&mut session)?;
    let tools = conversation::tools(&mut session, &call.tool)?;
    record.hold(
        "stdio-handshake",
        format!("protocol {version}, {}", super::count(tools.len(), "tool")),
    );
    record.tools = tools;
    let sockets = sockets::none(&mut session.server, "stdio")?;
    record.hold("stdio-sockets", sockets);
    conversation::call(&mut session, call)?;
    record.hold("stdio-call", format!("{} answered", call.tool));
    sockets::nothing_exposed(&mut session.server, "stdio")?;
    let Session {
        server, awaited, ..
    } = &mut session;
    let how = server.stop(subject.stop_limit(), &mut |line| {
        judge(line, awaited).map(|_| ())
    })?;
    record.hold(STDOUT, "nothing but MCP messages");
    record.hold("stdio-stop", how);
    record.hold("stdio-children", sockets::children());
    Ok(())
}

/// The conversation without a handshake, for a server that offers it, and the end of a server
/// whose client closes its input. The specification asks clients to do just that; a server
/// that stays is a process too many on its user's machine, which is worth a warning.
fn second_conversation(subject: &Subject<'_>, launch: &Launch) -> Checked<Record> {
    let mut record = Record::default();
    let mut session = Session::start(subject, launch)?;
    if conversation::without_handshake(&mut session, &subject.prove.call)? {
        record.hold("stdio-stateless", format!("protocol {STATELESS}"));
    } else {
        // The question may have upset an older server; a new one knows nothing of it.
        session = Session::start(subject, launch)?;
        conversation::open(&mut session)?;
    }
    session.server.streams.close_input();
    let ended = session.server.wait(subject.stop_limit())?;
    let seconds = subject.prove.stop_seconds;
    record.hold(
        "stdio-end-of-input",
        match ended {
            Some(_) => "ends when its input ends".to_owned(),
            None => format!("warning: it still runs {seconds} s after its input has ended"),
        },
    );
    Ok(record)
}

/// The handshake and the list of tools alone, for a server that something else has installed.
///
/// # Errors
/// It does not answer as a server does.
pub fn answers(subject: &Subject<'_>, launch: &Launch, limit: Duration) -> Checked<String> {
    let mut session = Session::start(subject, launch)?;
    session.limit = limit;
    let version = conversation::open(&mut session)?;
    let tools = conversation::tools(&mut session, &subject.prove.call.tool)?;
    session.server.streams.close_input();
    session.server.wait(subject.stop_limit())?;
    Ok(format!(
        "protocol {version}, {}",
        super::count(tools.len(), "tool")
    ))
}

struct Session<'world> {
    server: Server<'world>,
    limit: Duration,
    asked: u64,
    awaited: BTreeSet<u64>,
    is_stateless: bool,
}

impl<'world> Session<'world> {
    fn start(subject: &Subject<'world>, launch: &Launch) -> Result<Session<'world>> {
        Ok(Session {
            server: Server::start(subject, "stdio", launch, &Filling::new(None))?,
            limit: subject.answer_limit(),
            asked: 0,
            awaited: BTreeSet::new(),
            is_stateless: false,
        })
    }

    fn send(&self, message: &Value) {
        let mut bytes = message.to_string().into_bytes();
        bytes.push(b'\n');
        self.server.streams.send(bytes);
    }
}

impl Transport for Session<'_> {
    fn name(&self) -> &'static str {
        "stdio"
    }

    fn become_stateless(&mut self) {
        self.is_stateless = true;
    }

    fn request(&mut self, method: &str, params: &Value) -> Checked<Answer> {
        self.asked += 1;
        let asked = self.asked;
        self.awaited.insert(asked);
        self.send(&if self.is_stateless {
            message::request(asked, method, &message::stateless_params(params))
        } else {
            message::request(asked, method, params)
        });
        let deadline = Instant::now() + self.limit;
        loop {
            let line = match self.server.streams.next(deadline) {
                Next::Line(line) => line,
                Next::Silence | Next::End => {
                    let awaited = format!("its answer to {method}");
                    let failure = self.server.silence(
                        conversation::check_of(method),
                        &awaited,
                        self.limit,
                    )?;
                    return Err(failure);
                }
            };
            match judge(&line, &mut self.awaited)? {
                Message::Response { outcome, .. } => return Ok(outcome),
                Message::Request { id, method } => self.send(&message::reply(&id, &method)),
                Message::Notification => {}
            }
        }
    }

    fn notify(&mut self, method: &str) -> Checked<()> {
        self.send(&message::notification(method));
        Ok(())
    }
}

/// Requires that a line is a message, and that a response answers an open request.
fn judge(line: &[u8], awaited: &mut BTreeSet<u64>) -> Checked<Message> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    let shown = super::shorten(&String::from_utf8_lossy(line));
    let refuse = |what: String| Err(Failure::new(STDOUT, Error::refused(what).hint(PRINT_HINT)));
    let message = match message::read(line) {
        Ok(message) => message,
        Err(why) => {
            return refuse(format!(
                "over stdio: the server printed to standard output what is no MCP message (it \
                 {why}):\n    | {shown}"
            ));
        }
    };
    if let Message::Response { id, .. } = &message
        && !id.as_u64().is_some_and(|id| awaited.remove(&id))
    {
        return refuse(format!(
            "over stdio: the server answered a request that was not open (id {id}); each request \
             is answered once:\n    | {shown}"
        ));
    }
    Ok(message)
}

const PRINT_HINT: &str = "standard output belongs to the protocol: print and log to standard error";
