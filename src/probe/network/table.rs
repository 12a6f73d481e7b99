//! The text of `/proc/net/tcp` and `/proc/net/tcp6`, row by row.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::facts::{Bind, Gap};
use crate::probe::procfs::nonsense;
use crate::world::READ_LIMIT;

/// The state column of a listening socket.
const LISTEN: &str = "0A";

/// One listening socket.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// Port.
    pub port: u16,
    /// Address; an IPv4 address mapped into IPv6 is given as IPv4.
    pub address: IpAddr,
    /// User that made the socket.
    pub uid: u32,
    /// Inode of the socket.
    pub inode: u64,
}

impl Row {
    /// From where the address can be reached. Whether `::` takes IPv4 too is not in the table, so it counts as any.
    pub fn bind(&self) -> Bind {
        if self.address.is_unspecified() {
            Bind::Any
        } else if self.address.is_loopback() {
            Bind::Loopback
        } else {
            Bind::Specific
        }
    }
}

/// The listening rows of a table. A row that makes no sense spoils the table: it may have been a listener.
pub fn listening(text: &str, path: &str) -> Result<Vec<Row>, Gap> {
    let mut lines = text.lines();
    if !lines.next().is_some_and(|head| head.contains("local_address")) {
        return Err(nonsense(path, "no header"));
    }
    // The kernel lists listening sockets before connections, so a table that was cut still has them all if a
    // connection was seen before the cut.
    let was_cut = text.len() as u64 >= READ_LIMIT;
    let mut seen_connection = false;
    let mut rows = Vec::new();
    for line in lines.filter(|line| !line.trim().is_empty()) {
        match row(line) {
            Line::Listening(row) => rows.push(row),
            Line::Other => seen_connection = true,
            Line::Nonsense if was_cut && seen_connection => break,
            Line::Nonsense => return Err(nonsense(path, line)),
        }
    }
    if was_cut && !seen_connection { Err(nonsense(path, "longer than is read")) } else { Ok(rows) }
}

/// What a line of the table is.
enum Line {
    Listening(Row),
    Other,
    Nonsense,
}

fn row(line: &str) -> Line {
    let mut columns = line.split_ascii_whitespace().skip(1);
    let (Some(local), Some(state)) = (columns.next(), columns.nth(1)) else { return Line::Nonsense };
    if state != LISTEN {
        return Line::Other;
    }
    let mut listening = || {
        let (address, port) = local.split_once(':')?;
        Some(Row {
            port: u16::from_str_radix(port, 16).ok()?,
            address: parse_address(address)?,
            uid: columns.nth(3)?.parse().ok()?,
            inode: columns.nth(1)?.parse().ok()?,
        })
    };
    listening().map_or(Line::Nonsense, Line::Listening)
}

/// The kernel prints an address as 32-bit words in the byte order of the machine.
fn parse_address(hex: &str) -> Option<IpAddr> {
    if !hex.is_ascii() {
        return None;
    }
    let word = |at: usize| -> Option<[u8; 4]> {
        let digits = hex.get(at * 8..at * 8 + 8)?;
        u32::from_str_radix(digits, 16).ok().map(u32::to_ne_bytes)
    };
    match hex.len() {
        8 => word(0).map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
        32 => {
            let mut bytes = [0_u8; 16];
            for (at, chunk) in bytes.chunks_exact_mut(4).enumerate() {
                chunk.copy_from_slice(&word(at)?);
            }
            Some(IpAddr::V6(Ipv6Addr::from(bytes)).to_canonical())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str =
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

    fn line(local: &str, state: &str) -> String {
        format!(
            "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000  33        0 77 1 0 100 0 0 10 0\n"
        )
    }

    #[test]
    fn addresses_are_classed_by_where_they_can_be_reached_from() {
        let cases = [
            ("00000000:22B8", "0.0.0.0", Bind::Any),
            ("0100007F:22B8", "127.0.0.1", Bind::Loopback),
            ("3500007F:22B8", "127.0.0.53", Bind::Loopback),
            ("0500000A:22B8", "10.0.0.5", Bind::Specific),
            ("00000000000000000000000000000000:22B8", "::", Bind::Any),
            ("00000000000000000000000001000000:22B8", "::1", Bind::Loopback),
            ("0000000000000000FFFF00000100007F:22B8", "127.0.0.1", Bind::Loopback),
            ("0000000000000000FFFF00000500000A:22B8", "10.0.0.5", Bind::Specific),
            ("000080FE00000000FF005450B6AD1DFE:22B8", "fe80::5054:ff:fe1d:adb6", Bind::Specific),
        ];
        for (local, address, bind) in cases {
            let rows = listening(&format!("{HEAD}{}", line(local, "0A")), "t").expect(local);
            assert_eq!((rows[0].address.to_string().as_str(), rows[0].bind(), rows[0].port), (address, bind, 8888));
            assert_eq!((rows[0].uid, rows[0].inode), (33, 77));
        }
    }

    #[test]
    fn connections_are_no_listeners() {
        let text = format!("{HEAD}{}{}", line("0100007F:22B8", "01"), line("0100007F:0016", "06"));
        assert_eq!(listening(&text, "t"), Ok(Vec::new()));
    }

    #[test]
    fn a_row_that_makes_no_sense_is_not_taken_for_silence() {
        for bad in ["   0: 0100:22B8 x 0A\n", "   0:\n", "0: ÄÖÜÄ:1 0:0 0A a b c 0 0 1\n", &line("0100007F:ZZZZ", "0A")]
        {
            let gap = listening(&format!("{HEAD}{bad}"), "/proc/net/tcp").expect_err("no sense");
            assert!(gap.detail.starts_with("/proc/net/tcp"), "{gap}");
        }
    }

    #[test]
    fn a_table_cut_among_connections_still_has_every_listener() {
        let limit = usize::try_from(READ_LIMIT).expect("fits");
        let mut text = format!("{HEAD}{}", line("0100007F:22B8", "0A"));
        while text.len() < limit {
            text.push_str(&line("0100007F:FFFF", "01"));
        }
        text.truncate(limit);
        assert_eq!(listening(&text, "t").expect("listeners").len(), 1);
        let mut text = HEAD.to_owned();
        while text.len() < limit {
            text.push_str(&line("0100007F:22B8", "0A"));
        }
        text.truncate(limit);
        assert!(listening(&text, "t").is_err());
    }
}
