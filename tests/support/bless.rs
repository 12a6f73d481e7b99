//! Committed files that come from the source: compared, or written anew with `BLESS=1`.
//!
//! The tests that compare one end in `_current`, so that `just bless` can run them and no others.

use std::path::{Path, PathBuf};

/// Whether what is committed is to be written anew.
pub fn is_asked() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

/// Holds `text` against the committed file, or replaces it when asked to.
#[track_caller]
pub fn compare(file: impl AsRef<Path>, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file.as_ref());
    if is_asked() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(&path, text).expect("the file can be written");
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    if committed != text {
        let differs = committed.lines().zip(text.lines()).position(|(a, b)| a != b);
        let line = differs.unwrap_or_else(|| committed.lines().count().min(text.lines().count()));
        panic!(
            "{} is not what the source gives, from line {}:\n  committed: {}\n  now:       {}\n\
             `just bless` writes it anew; then read the difference.",
            file.as_ref().display(),
            line + 1,
            committed.lines().nth(line).unwrap_or("(the end)"),
            text.lines().nth(line).unwrap_or("(the end)"),
        );
    }
}

/// Holds `text` against the part of a file that is written by hand elsewhere: between the lines `<!-- NAME: … -->` and
/// `<!-- end of NAME -->`.
#[track_caller]
pub fn compare_section(file: &str, name: &str, text: &str) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(file);
    let whole = std::fs::read_to_string(&path).expect("the file");
    let (before, rest) = whole.split_once(&format!("<!-- {name}: ")).expect("the line where it begins");
    let (words, rest) = rest.split_once('\n').expect("a line");
    let end = format!("<!-- end of {name} -->");
    let (_, after) = rest.split_once(&end).expect("the line where it ends");
    compare(file, &format!("{before}<!-- {name}: {words}\n\n{text}\n{end}{after}"));
}
