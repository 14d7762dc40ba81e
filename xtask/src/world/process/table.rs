//! What the operating system knows about a process and everything it has started: who is
//! alive, and who listens where.
//!
//! Linux only (`/proc`, see proc(5)); elsewhere [`KNOWN`] says that nothing is known. Nothing
//! here starts a process.

use std::net::SocketAddr;

/// One process. The start time tells it from a later one with the same id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub id: u32,
    /// When it started, in clock ticks since boot.
    pub started: u64,
    /// Its command line, words separated by blanks.
    pub command: String,
}

/// Whether this system can say which processes descend from one.
pub const KNOWN: bool = cfg!(target_os = "linux");

/// A process with everything it has started, as far as it still runs: descendants, members of
/// its process group or session, and processes that carry `marker` (`NAME=VALUE`) in their
/// environment, which also finds those that have cut themselves loose.
///
/// Empty where [`KNOWN`] is false.
#[cfg(target_os = "linux")]
pub fn family(leader: u32, marker: &str) -> Vec<Process> {
    linux::family(leader, marker)
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub fn family(_leader: u32, _marker: &str) -> Vec<Process> {
    Vec::new()
}

/// Whether this very process still runs. A zombie does not.
#[cfg(target_os = "linux")]
pub fn is_alive(process: &Process) -> bool {
    linux::stat(process.id).is_some_and(|stat| stat.started == process.started && !stat.is_dead)
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub fn is_alive(_process: &Process) -> bool {
    false
}

/// The addresses on which these processes listen (TCP), sorted; an IPv4 address in IPv6
/// clothes comes out as the IPv4 address it is.
#[cfg(target_os = "linux")]
pub fn listeners(processes: &[Process]) -> Vec<SocketAddr> {
    linux::listeners(processes)
}

/// See the Linux version.
#[cfg(not(target_os = "linux"))]
pub fn listeners(_processes: &[Process]) -> Vec<SocketAddr> {
    Vec::new()
}

#[cfg(target_os = "linux")]
mod linux {
    use std::collections::{BTreeMap, BTreeSet};
    use std::fs;
    use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

    use super::Process;

    #[derive(Debug, PartialEq, Eq)]
    pub struct Stat {
        pub parent: u32,
        pub group: u32,
        pub session: u32,
        pub started: u64,
        pub is_dead: bool,
    }

    pub fn family(leader: u32, marker: &str) -> Vec<Process> {
        let all: BTreeMap<u32, Stat> = all_ids()
            .into_iter()
            .filter_map(|id| Some((id, stat(id)?)))
            .collect();
        let mut members: BTreeSet<u32> = all
            .iter()
            .filter(|(id, stat)| {
                [**id, stat.group, stat.session].contains(&leader) || is_marked(**id, marker)
            })
            .map(|(id, _)| *id)
            .collect();
        loop {
            let more: Vec<u32> = all
                .iter()
                .filter(|(id, stat)| members.contains(&stat.parent) && !members.contains(*id))
                .map(|(id, _)| *id)
                .collect();
            if more.is_empty() {
                break;
            }
            members.extend(more);
        }
        let alive = members.into_iter().filter(|id| !all[id].is_dead);
        alive
            .map(|id| Process {
                id,
                started: all[&id].started,
                command: command(id),
            })
            .collect()
    }

    fn all_ids() -> Vec<u32> {
        let Ok(entries) = fs::read_dir("/proc") else {
            return Vec::new();
        };
        let id = |entry: fs::DirEntry| entry.file_name().to_str()?.parse().ok();
        entries.flatten().filter_map(id).collect()
    }

    pub fn stat(id: u32) -> Option<Stat> {
        parse_stat(&fs::read_to_string(format!("/proc/{id}/stat")).ok()?)
    }

    /// proc_pid_stat(5): the name in parentheses may hold anything, so fields are counted
    /// from its last closing one.
    pub fn parse_stat(text: &str) -> Option<Stat> {
        let (_, fields) = text.rsplit_once(')')?;
        let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
        Some(Stat {
            is_dead: matches!(*fields.first()?, "Z" | "X" | "x"),
            parent: fields.get(1)?.parse().ok()?,
            group: fields.get(2)?.parse().ok()?,
            session: fields.get(3)?.parse().ok()?,
            started: fields.get(19)?.parse().ok()?,
        })
    }

    fn is_marked(id: u32, marker: &str) -> bool {
        fs::read(format!("/proc/{id}/environ")).is_ok_and(|environment| {
            environment
                .split(|byte| *byte == 0)
                .any(|variable| variable == marker.as_bytes())
        })
    }

    fn command(id: u32) -> String {
        let words = fs::read(format!("/proc/{id}/cmdline")).unwrap_or_default();
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        words.trim_end().to_owned()
    }

    pub fn listeners(processes: &[Process]) -> Vec<SocketAddr> {
        let mut found = BTreeSet::new();
        for process in processes {
            let sockets = socket_inodes(process.id);
            for table in ["tcp", "tcp6"] {
                let path = format!("/proc/{}/net/{table}", process.id);
                let text = fs::read_to_string(path).unwrap_or_default();
                let listening = text.lines().skip(1).filter_map(parse_listener);
                found.extend(
                    listening
                        .filter(|(_, inode)| sockets.contains(inode))
                        .map(|(address, _)| address),
                );
            }
        }
        found.into_iter().collect()
    }

    fn socket_inodes(id: u32) -> BTreeSet<u64> {
        let Ok(entries) = fs::read_dir(format!("/proc/{id}/fd")) else {
            return BTreeSet::new();
        };
        let inode = |entry: fs::DirEntry| {
            let target = fs::read_link(entry.path()).ok()?;
            let digits = target.to_str()?.strip_prefix("socket:[")?;
            digits.strip_suffix(']')?.parse().ok()
        };
        entries.flatten().filter_map(inode).collect()
    }

    /// A line of proc_net_tcp(5) in the state LISTEN (0A): its address and its inode.
    pub fn parse_listener(line: &str) -> Option<(SocketAddr, u64)> {
        let fields: Vec<&str> = line.split_ascii_whitespace().collect();
        if *fields.get(3)? != "0A" {
            return None;
        }
        let (address, port) = fields.get(1)?.split_once(':')?;
        let port = u16::from_str_radix(port, 16).ok()?;
        let address = SocketAddr::new(parse_address(address)?.to_canonical(), port);
        Some((address, fields.get(9)?.parse().ok()?))
    }

    /// The kernel prints each 32-bit word of an address in the machine's byte order.
    fn parse_address(digits: &str) -> Option<IpAddr> {
        let word = |at: usize| u32::from_str_radix(digits.get(at..at + 8)?, 16).ok();
        match digits.len() {
            8 => Some(Ipv4Addr::from(word(0)?.to_ne_bytes()).into()),
            32 => {
                let mut bytes = [0; 16];
                for (index, part) in bytes.chunks_mut(4).enumerate() {
                    part.copy_from_slice(&word(index * 8)?.to_ne_bytes());
                }
                Some(Ipv6Addr::from(bytes).into())
            }
            _ => None,
        }
    }
}

#[cfg(all(test, target_os = "linux", target_endian = "little"))]
mod tests {
    use super::linux::*;

    #[test]
    fn a_listening_socket_is_read_in_both_families() {
        let check = |line: &str, expected: Option<(&str, u64)>| {
            let expected = expected.map(|(address, inode)| (address.parse().unwrap(), inode));
            assert_eq!(parse_listener(line), expected, "{line}");
        };
        check(
            "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 4711 1 0",
            Some(("127.0.0.1:8080", 4711)),
        );
        check(
            "   1: 00000000000000000000000001000000:0050 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 12 1 0",
            Some(("[::1]:80", 12)),
        );
        check(
            "   2: 0100007F:1F90 0100007F:A1B2 01 00000000:00000000 00:00000000 00000000  1000        0 4712 1 0",
            None,
        );
        check("  sl  local_address rem_address   st", None);
    }

    #[test]
    fn a_process_may_have_any_name() {
        let text = "42 (a) R (b)) S 7 40 41 0 -1 4194304 1 0 0 0 0 0 0 0 20 0 1 0 98765 1 2 3";
        let expected = Stat {
            parent: 7,
            group: 40,
            session: 41,
            started: 98765,
            is_dead: false,
        };
        assert_eq!(parse_stat(text), Some(expected));
    }
}
