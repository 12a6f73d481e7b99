//! One bounded HTTP request to our own loopback.
//!
//! Just enough of HTTP/1.1 to read a status, a few headers and a short body. The
//! other side is not trusted: it may be silent, slow, endless or no HTTP at all.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::world::World;

/// How long one answer may take.
pub const PATIENCE: Duration = Duration::from_millis(300);
/// Bytes of an answer that are read at most.
const ANSWER_LIMIT: usize = 16 << 10;

/// What came back.
#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    /// An HTTP response.
    Http(Response),
    /// Bytes that are no HTTP.
    NotHttp,
    /// The connection was closed or reset without a byte, or answered with a TLS record: a TLS server does that
    /// when it is spoken to in the clear.
    Closed,
    /// Connected, and no whole answer came in time.
    Silent,
    /// No connection; the error in words.
    Refused(String),
}

/// An HTTP response, cut at the limit.
#[derive(Debug, Clone, PartialEq)]
pub struct Response {
    /// Status code.
    pub status: u16,
    headers: String,
    /// Body, as far as it came.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.lines().find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|how| how.to_ascii_lowercase().contains("chunked"))
    }
}

/// Sends `GET path` with the host header `localhost:<port>`.
///
/// Jupyter answers 403 to any other host name when it is bound to loopback, which would look like authentication.
pub fn get(world: &World, address: SocketAddr, path: &str) -> Answer {
    let until = Instant::now() + PATIENCE.min(world.time_left());
    let mut stream = match world.connect(address, PATIENCE) {
        Ok(stream) => stream,
        Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => return Answer::Silent,
        Err(error) => return Answer::Refused(format!("{address}: {error}")),
    };
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: localhost:{}\r\nAccept: application/json\r\nUser-Agent: gpu-preflight\r\n\
         Connection: close\r\n\r\n",
        address.port()
    );
    if stream.write_all(request.as_bytes()).is_err() {
        return Answer::Closed;
    }
    let mut bytes = Vec::new();
    let mut chunk = [0_u8; 4096];
    loop {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return parse(&bytes, End::Deadline);
        }
        let _ = stream.set_read_timeout(Some(left));
        match stream.read(&mut chunk) {
            Ok(0) => return parse(&bytes, End::Closed),
            Ok(count) => {
                bytes.extend_from_slice(chunk.get(..count).unwrap_or_default());
                if bytes.len() >= ANSWER_LIMIT || is_whole(&bytes) {
                    return parse(&bytes, End::Enough);
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock) => {}
            Err(_) => return parse(&bytes, End::Closed),
        }
    }
}

/// Why reading ended.
#[derive(Clone, Copy, PartialEq)]
enum End {
    Closed,
    Enough,
    Deadline,
}

fn split(bytes: &[u8]) -> Option<(String, &[u8])> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
    Some((String::from_utf8_lossy(bytes.get(..end)?).into_owned(), bytes.get(end + 4..)?))
}

fn is_whole(bytes: &[u8]) -> bool {
    let Some((head, body)) = split(bytes) else { return false };
    let response = Response { status: 0, headers: head, body: Vec::new() };
    if response.is_chunked() {
        return joined(body).1;
    }
    let length = response.header("content-length").and_then(|text| text.parse::<usize>().ok());
    length.is_some_and(|length| body.len() >= length)
}

/// A body that came in chunks, as proxies send it, and whether its end has come.
fn joined(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") else { return (body, false) };
        let size = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        // An extension may follow the size.
        let size = size.split(';').next().and_then(|size| usize::from_str_radix(size.trim(), 16).ok());
        let data = rest.get(end + 2..).unwrap_or_default();
        match size {
            Some(0) => return (body, true),
            Some(size) if size <= data.len() => {
                body.extend_from_slice(data.get(..size).unwrap_or_default());
                rest = data.get(size..).unwrap_or_default();
                rest = rest.strip_prefix(b"\r\n").unwrap_or(rest);
            }
            _ => return (body, false),
        }
    }
}

fn parse(bytes: &[u8], end: End) -> Answer {
    /// First bytes of a TLS alert and of a TLS handshake record.
    const TLS: [&[u8]; 2] = [&[0x15, 0x03], &[0x16, 0x03]];
    if TLS.iter().any(|mark| bytes.starts_with(mark)) {
        return Answer::Closed;
    }
    if !bytes.is_empty() && !b"HTTP/1.".starts_with(bytes.get(..7).unwrap_or(bytes)) {
        return Answer::NotHttp;
    }
    let unfinished = || match end {
        End::Deadline => Answer::Silent,
        End::Closed if bytes.is_empty() => Answer::Closed,
        End::Closed | End::Enough => Answer::NotHttp,
    };
    let Some((head, body)) = split(bytes) else { return unfinished() };
    let status = head.split_ascii_whitespace().nth(1).and_then(|text| text.parse().ok());
    let Some(status) = status else { return Answer::NotHttp };
    // An answer that says yes and is cut off says nothing yet.
    if status == 200 && matches!(end, End::Deadline) && !is_whole(bytes) {
        return Answer::Silent;
    }
    let headers = head.split_once("\r\n").map(|(_, rest)| rest.to_owned()).unwrap_or_default();
    let mut response = Response { status, headers, body: body.to_vec() };
    if response.is_chunked() {
        response.body = joined(body).0;
    }
    Answer::Http(response)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_response_is_read_with_its_headers() {
        let text = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nServer: x\r\n\r\n{}";
        assert!(is_whole(text));
        let Answer::Http(response) = parse(text, End::Enough) else { panic!("HTTP") };
        assert_eq!((response.status, response.body.as_slice()), (200, &b"{}"[..]));
        assert_eq!(response.header("server"), Some("x"));
        assert_eq!(response.header("location"), None);
    }

    #[test]
    fn a_body_in_chunks_is_put_together() {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        let whole = format!("{head}3;x=y\r\n{{\"a\r\n4\r\n\":1}}\r\n0\r\n\r\n");
        assert!(is_whole(whole.as_bytes()));
        let Answer::Http(response) = parse(whole.as_bytes(), End::Enough) else { panic!("HTTP") };
        assert_eq!(response.body, b"{\"a\":1}");
        let cut = format!("{head}3\r\n{{\"a\r\n4\r\n\":");
        assert!(!is_whole(cut.as_bytes()));
        assert_eq!(parse(cut.as_bytes(), End::Deadline), Answer::Silent);
        for nonsense in ["x\r\n", "ffffffffffffffff\r\nab", "ffffffffffffffffffff\r\n", "-1\r\n"] {
            assert!(!is_whole(format!("{head}{nonsense}").as_bytes()), "{nonsense}");
        }
    }

    #[test]
    fn what_is_no_http_is_told_apart_from_silence() {
        assert_eq!(parse(b"SSH-2.0-x\r\n", End::Deadline), Answer::NotHttp);
        assert_eq!(parse(b"", End::Deadline), Answer::Silent);
        assert_eq!(parse(b"", End::Closed), Answer::Closed);
        assert_eq!(parse(b"\x15\x03\x01\x00\x02", End::Closed), Answer::Closed);
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nA: b", End::Deadline), Answer::Silent);
        assert_eq!(parse(b"HTTP/1.1 200 OK\r\nA: b", End::Closed), Answer::NotHttp);
        assert_eq!(parse(b"HTTP/1.1 many\r\n\r\n", End::Closed), Answer::NotHttp);
        assert_eq!(parse(b"HT", End::Deadline), Answer::Silent);
    }
}
