//! One bounded HTTP request to our own loopback.
//!
//! Just enough of HTTP/1.1 to read a status, a few headers and a short body; `httparse` reads the head and the sizes of
//! chunks. The other side is not trusted: it may be silent, slow, endless or no HTTP at all.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use crate::world::World;

/// How long one answer may take: a busy machine delays it.
pub const PATIENCE: Duration = Duration::from_secs(2);
/// The same from whoever is seen to be something else, so that little depends on it.
pub const SHORT_PATIENCE: Duration = Duration::from_millis(300);
/// Bytes of an answer that are read at most.
const ANSWER_LIMIT: usize = 16 << 10;
/// Headers of an answer that are read at most; Jupyter sends about ten.
const HEADERS_MAX: usize = 128;

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
    headers: Vec<(String, String)>,
    /// Body, as far as it came.
    pub body: Vec<u8>,
}

impl Response {
    /// The first value of a header.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    fn is_chunked(&self) -> bool {
        self.header("transfer-encoding").is_some_and(|how| how.to_ascii_lowercase().contains("chunked"))
    }

    /// Whether the body ends within these bytes.
    fn ends_in(&self, body: &[u8]) -> bool {
        if self.is_chunked() {
            return joined(body).1;
        }
        let length = self.header("content-length").and_then(|text| text.parse::<usize>().ok());
        length.is_some_and(|length| body.len() >= length)
    }
}

/// Sends `GET path` with the host header `localhost:<port>`.
///
/// Jupyter answers 403 to any other host name when it is bound to loopback, which would look like authentication.
pub fn get(world: &World, address: SocketAddr, path: &str, patience: Duration) -> Answer {
    get_up_to(world, address, path, patience, ANSWER_LIMIT)
}

/// The same for an answer of which more is read.
pub fn get_up_to(world: &World, address: SocketAddr, path: &str, patience: Duration, limit: usize) -> Answer {
    let until = Instant::now() + patience.min(world.time_left());
    let mut stream = match world.connect(address, patience) {
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
                if bytes.len() >= limit || is_whole(&bytes) {
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

/// What the first bytes of an answer are.
enum Start<'a> {
    /// A head, and as much of its body as came; the response has no body yet.
    Head(Response, &'a [u8]),
    /// Such as a head begins with.
    Part,
    /// No HTTP.
    Other,
}

fn start(bytes: &[u8]) -> Start<'_> {
    // `httparse` passes over empty lines in front; a service that greets with one is not about to speak HTTP.
    if bytes.starts_with(b"\r") || bytes.starts_with(b"\n") {
        return Start::Other;
    }
    let mut headers = [httparse::EMPTY_HEADER; HEADERS_MAX];
    let mut head = httparse::Response::new(&mut headers);
    // As browsers do: a header that is no header makes no answer less true.
    let read = httparse::ParserConfig::default()
        .allow_spaces_after_header_name_in_responses(true)
        .ignore_invalid_headers_in_responses(true)
        .parse_response(&mut head, bytes);
    match read {
        Ok(httparse::Status::Complete(length)) => {
            let text = |value: &[u8]| String::from_utf8_lossy(value).trim().to_owned();
            let headers = head.headers.iter().map(|header| (header.name.to_owned(), text(header.value))).collect();
            let response = Response { status: head.code.unwrap_or_default(), headers, body: Vec::new() };
            Start::Head(response, bytes.get(length..).unwrap_or_default())
        }
        Ok(httparse::Status::Partial) => Start::Part,
        Err(_) => Start::Other,
    }
}

fn is_whole(bytes: &[u8]) -> bool {
    matches!(start(bytes), Start::Head(response, body) if response.ends_in(body))
}

/// A body that came in chunks, as proxies send it, and whether its end has come.
fn joined(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        // `httparse` takes a line without any digit for the size 0, which would be the end.
        let has_size = rest.first().is_some_and(u8::is_ascii_hexdigit);
        let Ok(httparse::Status::Complete((line, size))) = httparse::parse_chunk_size(rest) else {
            return (body, false);
        };
        let data = rest.get(line..).unwrap_or_default();
        match usize::try_from(size) {
            Ok(0) if has_size => return (body, true),
            Ok(size) if has_size && size <= data.len() => {
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
    match start(bytes) {
        Start::Head(response, body) => {
            // An answer that says yes and is cut off says nothing yet.
            if response.status == 200 && end == End::Deadline && !response.ends_in(body) {
                return Answer::Silent;
            }
            let body = if response.is_chunked() { joined(body).0 } else { body.to_vec() };
            Answer::Http(Response { body, ..response })
        }
        Start::Part if end == End::Deadline => Answer::Silent,
        Start::Part if end == End::Closed && bytes.is_empty() => Answer::Closed,
        Start::Part | Start::Other => Answer::NotHttp,
    }
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
        for nonsense in
            ["x\r\n", "ffffffffffffffff\r\nab", "ffffffffffffffffffff\r\n", "-1\r\n", "\r\n", ";x\r\n", "0\n"]
        {
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
        assert_eq!(parse(b"\r\n", End::Deadline), Answer::NotHttp);
        assert_eq!(parse(b"HTTP/2 200\r\n\r\n", End::Closed), Answer::NotHttp);
    }

    #[test]
    fn a_sloppy_head_is_still_read() {
        let text = "HTTP/1.1 200\nno header\r\nSp\u{e4}t: 1\r\n folded: 2\r\n: 3\r\nServer : caf\u{e9} \r\nserver: z\r\n\r\n{}";
        let Answer::Http(response) = parse(text.as_bytes(), End::Closed) else { panic!("HTTP") };
        assert_eq!((response.status, response.header("SERVER")), (200, Some("caf\u{e9}")));
        assert_eq!(response.body, b"{}");
        for never in ["A: b\0c", "A: b\rc"] {
            let text = format!("HTTP/1.1 200 OK\r\n{never}\r\n\r\n");
            assert_eq!(parse(text.as_bytes(), End::Closed), Answer::NotHttp, "{never:?}");
        }
    }

    #[test]
    fn no_head_costs_more_than_its_bounds() {
        let with = |count: usize| format!("HTTP/1.1 200 OK\r\n{}\r\n", "A: b\r\n".repeat(count));
        assert!(matches!(parse(with(HEADERS_MAX).as_bytes(), End::Closed), Answer::Http(_)));
        assert_eq!(parse(with(HEADERS_MAX + 1).as_bytes(), End::Closed), Answer::NotHttp);
        let endless = format!("HTTP/1.1 200 OK\r\nA: {}", "b".repeat(ANSWER_LIMIT));
        assert_eq!(parse(endless.as_bytes(), End::Enough), Answer::NotHttp);
    }

    #[test]
    fn no_byte_of_an_answer_makes_it_panic() {
        let good = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nServer: x\r\n\r\n3\r\n{}\n\r\n0\r\n\r\n";
        for at in 0..good.len() {
            let _ = parse(&good[..at], End::Closed);
            for value in [b'\0', b'\r', b'\n', b' ', b':', b'f', 0xff] {
                let mut damaged = good.to_vec();
                damaged[at] = value;
                for end in [End::Closed, End::Enough, End::Deadline] {
                    let _ = (parse(&damaged, end), is_whole(&damaged));
                }
            }
        }
    }
}
