//! Standard streams, and files that are replaced whole or not at all. They take what may be [`Shown`], and an archive of it.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::handover::was_closed;
use super::packed::Packed;
use crate::text::Shown;

/// A stream that text goes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// Columns of the terminal behind a stream; `COLUMNS` where there is none and it is set.
pub fn width(stream: Stream) -> Option<u16> {
    let size = match stream {
        Stream::Stdout => rustix::termios::tcgetwinsize(io::stdout()),
        Stream::Stderr => rustix::termios::tcgetwinsize(io::stderr()),
    };
    let asked = size.ok().map(|size| size.ws_col).filter(|columns| *columns > 0);
    asked.or_else(|| std::env::var("COLUMNS").ok()?.parse().ok())
}

/// Whether a stream is a terminal.
pub fn is_terminal(stream: Stream) -> bool {
    match stream {
        Stream::Stdout => io::IsTerminal::is_terminal(&io::stdout()),
        Stream::Stderr => io::IsTerminal::is_terminal(&io::stderr()),
    }
}

/// Whether colour is welcome: on a terminal that is not dumb, unless `NO_COLOR` says otherwise.
pub fn may_color(stream: Stream) -> bool {
    let set = |name: &str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    is_terminal(stream) && !set("NO_COLOR") && !is_dumb
}

/// Writes all of it.
pub fn write(stream: Stream, text: &Shown) -> io::Result<()> {
    match stream {
        Stream::Stdout => write_out(text.as_bytes()),
        Stream::Stderr => io::stderr().lock().write_all(text.as_bytes()),
    }
}

/// Writes an archive to standard output.
pub fn write_packed(archive: &Packed) -> io::Result<()> {
    write_out(archive.as_bytes())
}

fn write_out(bytes: &[u8]) -> io::Result<()> {
    // What nobody opened nobody reads; the runtime's `/dev/null` there would take it.
    if was_closed(1) {
        return Err(io::Error::from_raw_os_error(libc::EBADF));
    }
    let mut out = io::stdout().lock();
    out.write_all(bytes)?;
    out.flush()
}

/// Whether somebody may still read standard output: of a pipe whose reader has gone the kernel says so.
pub fn is_heard() -> bool {
    let stdout = io::stdout();
    let mut asked = [PollFd::new(&stdout, PollFlags::empty())];
    let now = Timespec { tv_sec: 0, tv_nsec: 0 };
    // Who may not ask has to write to find out.
    poll(&mut asked, Some(&now)).map_or(true, |_| !asked[0].revents().intersects(PollFlags::ERR | PollFlags::HUP))
}

/// Puts `text` in place of the line that the cursor stands on, on the terminal behind standard error.
pub fn write_over_line(text: &Shown) -> io::Result<()> {
    write!(io::stderr().lock(), "\r\u{1b}[K{text}")
}

/// Puts `text` in place of a file. Until it is all on disk the old file stays, and when that fails it stays for good.
///
/// A file that is mounted by itself, or whose folder is closed to us, cannot be replaced: it is written over, after its
/// room has been set aside.
pub fn replace_file(path: &Path, text: &Shown) -> io::Result<()> {
    replace(path, text.as_bytes())
}

/// Puts an archive in place of a file, in the same way.
pub fn replace_archive(path: &Path, archive: &Packed) -> io::Result<()> {
    replace(path, archive.as_bytes())
}

/// Writes an archive to a file that is not there yet. What could not be written whole is taken away again.
pub fn create_archive(path: &Path, archive: &Packed) -> io::Result<()> {
    let mut file = File::create_new(path)?;
    let written = file.write_all(archive.as_bytes()).and_then(|()| file.sync_all());
    written.inspect_err(|_| drop(std::fs::remove_file(path)))
}

fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if leads_to_a_stream(path) {
        return Err(io::Error::other("is a link to a stream, and the one of whoever opens it: name the stream itself"));
    }
    let path = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_path_buf());
    let is_special = std::fs::metadata(&path).is_ok_and(|meta| !meta.is_file());
    if is_special {
        // A pipe, /dev/stdout: nothing to keep. Nobody is waited for who might read it.
        let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
        return File::options().write(true).custom_flags(flags).open(&path)?.write_all(bytes);
    }
    let mut name = path.file_name().ok_or_else(|| io::Error::from(io::ErrorKind::InvalidInput))?.to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let beside = path.with_file_name(name);
    let written = create_like(&path, &beside).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()?;
        std::fs::rename(&beside, &path)
    });
    let Err(error) = written else { return Ok(()) };
    let _ = std::fs::remove_file(&beside);
    let closed = [io::ErrorKind::ResourceBusy, io::ErrorKind::ReadOnlyFilesystem, io::ErrorKind::PermissionDenied];
    if closed.contains(&error.kind()) && path.exists() { write_over(&path, bytes) } else { Err(error) }
}

/// Whether a path leads to a descriptor of whoever opens it. Files are written by a copy of ourselves, whose standard output
/// is not the one that was meant.
fn leads_to_a_stream(path: &Path) -> bool {
    const LINKS: usize = 40; // as many as the kernel follows
    let mut path = path.to_path_buf();
    for _ in 0..LINKS {
        let folder = path.parent().unwrap_or(Path::new(""));
        if folder == Path::new("/proc/self/fd") || folder == Path::new("/dev/fd") {
            return true;
        }
        let Ok(target) = std::fs::read_link(&path) else { return false };
        path = folder.join(target);
    }
    false
}

/// Makes a folder where none is, and those above it.
pub fn make_folder(path: &Path) -> io::Result<()> {
    std::fs::create_dir_all(path)
}

/// Puts `text` behind what a file holds, as many whole lines as leave it at most `limit` bytes. No line is an error.
pub fn append_to_file(path: &Path, text: &Shown, limit: u64) -> io::Result<()> {
    let flags = libc::O_NONBLOCK | libc::O_NOCTTY;
    let mut file = File::options().append(true).create(true).custom_flags(flags).open(path)?;
    let room = usize::try_from(limit.saturating_sub(file.metadata()?.len())).unwrap_or(usize::MAX);
    let fitting = match text.as_bytes().get(..room) {
        None => text.len(),
        Some(bytes) => bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |last| last + 1),
    };
    if fitting == 0 && !text.is_empty() {
        return Err(io::Error::other(format!("has no room left of {limit} bytes")));
    }
    file.write_all(&text.as_bytes()[..fitting])
}

/// A new file beside `path` that belongs to whom the old one did, and is open to nobody else.
fn create_like(path: &Path, beside: &Path) -> io::Result<File> {
    let Ok(old) = std::fs::metadata(path) else { return File::create_new(beside) };
    let file = File::options().write(true).create_new(true).mode(0o600).open(beside)?;
    let new = file.metadata()?;
    if (old.uid(), old.gid()) != (new.uid(), new.gid()) {
        std::os::unix::fs::fchown(&file, Some(old.uid()), Some(old.gid()))?;
    }
    file.set_permissions(old.permissions())?;
    Ok(file)
}

fn write_over(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::options().write(true).open(path)?;
    match rustix::fs::fallocate(&file, rustix::fs::FallocateFlags::empty(), 0, bytes.len() as u64) {
        Ok(()) | Err(rustix::io::Errno::OPNOTSUPP) => {}
        Err(errno) => return Err(errno.into()),
    }
    file.write_all(bytes)?;
    file.set_len(bytes.len() as u64)
}
