//! Starts a program in surroundings that nobody would wish for: `launch SETTING... -- PROGRAM ARGUMENT...`
//!
//! | setting | what it does |
//! |---|---|
//! | `limit NUMBER VALUE` | sets a limit, `RLIMIT_…` by its number |
//! | `gone FOLDER` | changes into a folder and removes it |
//! | `user ID` | goes on as this user and group, with no other |
//! | `close STREAM` | closes a descriptor |
//! | `refuse CALL ERRNO` | the kernel answers this call, by its number, with this errno |
//!
//! `launch workload PIPE CODE` is a workload that is easy to watch: it writes which descriptors it was given into the
//! pipe, in one line, and ends with the code. `launch jupyter ...` says on which port it listens and answers like a
//! Jupyter that asks for its token.

use std::ffi::{c_int, c_uint, c_ulong, c_void};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::process::{Command, exit};

unsafe extern "C" {
    fn setrlimit(resource: c_int, limits: *const [u64; 2]) -> c_int;
    fn setgroups(count: usize, groups: *const c_uint) -> c_int;
    fn setgid(id: c_uint) -> c_int;
    fn setuid(id: c_uint) -> c_int;
    fn close(descriptor: c_int) -> c_int;
    fn fcntl(descriptor: c_int, command: c_int, ...) -> c_int;
    fn prctl(option: c_int, ...) -> c_int;
}

const F_GETFD: c_int = 1;
const O_NONBLOCK: i32 = 0o4000;
const PR_SET_NO_NEW_PRIVS: c_int = 38;
const PR_SET_SECCOMP: c_int = 22;
const SECCOMP_MODE_FILTER: c_ulong = 2;
const SECCOMP_RET_ALLOW: u32 = 0x7fff_0000;
const SECCOMP_RET_ERRNO: u32 = 0x0005_0000;
/// Load a word of `struct seccomp_data`, compare it, end with a value.
const LOAD: u16 = 0x20;
const EQUALS: u16 = 0x15;
const RETURN: u16 = 0x06;

/// `struct sock_filter` and `struct sock_fprog`.
#[repr(C)]
struct Step(u16, u8, u8, u32);
#[repr(C)]
struct Program(u16, *const Step);

/// The end of a program that could not be started: no code of ours, and none of a shell's.
fn fail(what: &str) -> ! {
    eprintln!("launch: {what}: {}", std::io::Error::last_os_error());
    exit(99)
}

fn number<T: std::str::FromStr>(text: Option<String>) -> T {
    text.and_then(|text| text.parse().ok()).unwrap_or_else(|| fail("a number"))
}

/// Which descriptors are open.
fn descriptors() -> String {
    let open = (0..256).filter(|descriptor| unsafe { fcntl(*descriptor, F_GETFD) } >= 0);
    open.map(|descriptor| descriptor.to_string()).collect::<Vec<_>>().join(",")
}

fn workload(mut words: impl Iterator<Item = String>) -> ! {
    let line = format!("{}\n", descriptors());
    let pipe = words.next().unwrap_or_default();
    // Nobody is waited for who might read it.
    let opened = std::fs::File::options().write(true).custom_flags(O_NONBLOCK).open(pipe);
    if opened.and_then(|mut pipe| pipe.write_all(line.as_bytes())).is_err() {
        fail("the pipe");
    }
    exit(number(words.next()))
}

fn jupyter() -> ! {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap_or_else(|_| fail("a port"));
    println!("{}", listener.local_addr().unwrap_or_else(|_| fail("an address")).port());
    for mut stream in listener.incoming().flatten() {
        let mut request = [0; 4096];
        let length = stream.read(&mut request).unwrap_or(0);
        let (status, body) = if request[..length].starts_with(b"GET /api HTTP") {
            ("200 OK", "{\"version\": \"2.14.0\"}")
        } else {
            ("403 Forbidden", "{\"message\": \"Forbidden\"}")
        };
        let head = format!("HTTP/1.1 {status}\r\nServer: TornadoServer/6.4\r\nContent-Type: application/json\r\n");
        let _ = write!(stream, "{head}Content-Length: {}\r\nConnection: close\r\n\r\n{body}", body.len());
    }
    exit(0)
}

/// Lets the kernel answer these calls with an errno.
fn refuse(calls: &[(u32, u32)]) {
    let mut steps = vec![Step(LOAD, 0, 0, 0)];
    for (call, errno) in calls {
        steps.extend([Step(EQUALS, 0, 1, *call), Step(RETURN, 0, 0, SECCOMP_RET_ERRNO | errno)]);
    }
    steps.push(Step(RETURN, 0, 0, SECCOMP_RET_ALLOW));
    let program = Program(steps.len() as u16, steps.as_ptr());
    let installed = unsafe {
        prctl(PR_SET_NO_NEW_PRIVS, 1 as c_ulong, 0 as c_ulong, 0 as c_ulong, 0 as c_ulong) == 0
            && prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, (&raw const program).cast::<c_void>()) == 0
    };
    if !installed {
        fail("refuse");
    }
}

fn main() {
    let mut words = std::env::args().skip(1);
    let (mut refused, mut closed) = (Vec::new(), Vec::new());
    let mut words = loop {
        match words.next().as_deref() {
            Some("workload") => workload(words),
            Some("jupyter") => jupyter(),
            Some("--") => break words,
            Some("limit") => {
                let (resource, value) = (number(words.next()), number(words.next()));
                if unsafe { setrlimit(resource, &[value, value]) } != 0 {
                    fail("limit");
                }
            }
            Some("gone") => {
                let folder = words.next().unwrap_or_default();
                if std::env::set_current_dir(&folder).and_then(|()| std::fs::remove_dir(&folder)).is_err() {
                    fail("gone");
                }
            }
            Some("user") => {
                let id = number(words.next());
                if unsafe { setgroups(0, std::ptr::null()) != 0 || setgid(id) != 0 || setuid(id) != 0 } {
                    fail("user");
                }
            }
            Some("close") => closed.push(number(words.next())),
            Some("refuse") => refused.push((number(words.next()), number(words.next()))),
            _ => fail("a setting"),
        }
    };
    let mut command = Command::new(words.next().unwrap_or_else(|| fail("a program")));
    command.args(words);
    for stream in closed {
        unsafe { close(stream) };
    }
    if !refused.is_empty() {
        refuse(&refused);
    }
    let _ = command.exec();
    fail("exec");
}
