//! The page in a real browser: Chromium, asked by `tests/outside/page.py` with axe, on all the reports of [`crate::formats`].
//!
//! `PREFLIGHT_TEST_FORMATS` names a Python that drives it.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use gpu_preflight::report::formats::Format;

use crate::formats::{HOSTILE, rendered, reports};
use crate::support::docker::text;
use crate::support::real_parts::{part, skip};

/// Where Debian puts it.
const CHROMIUM: &str = "/usr/bin/chromium";

/// The Python, where there is a browser too.
fn browser() -> Option<PathBuf> {
    let python = part("PREFLIGHT_TEST_FORMATS")?;
    let there = Path::new(CHROMIUM).exists() || skip(&format!("nothing at {CHROMIUM}: run tests/containers/build"));
    there.then_some(python)
}

/// What the browser makes of these pages. `PREFLIGHT_TEST_PICTURES` names a folder for what it looks like.
fn look(python: &Path, files: &[PathBuf]) -> Output {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/outside/page.py");
    let pictures = std::env::var_os("PREFLIGHT_TEST_PICTURES").unwrap_or_else(|| "-".into());
    Command::new(python).arg(script).arg(pictures).args(files).output().expect("Python starts")
}

#[test]
fn every_page_stands_in_a_browser_and_hostile_words_stay_words() {
    let Some(python) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let page = |(name, report): (String, _)| {
        let page = rendered(&report, Format::Html);
        // As people have them: a machine or an image, some dozen findings.
        let print = if name.starts_with("hostile") || name == "64-gpus" { "" } else { "-two-pages" };
        if name.starts_with("hostile") {
            assert!(page.contains("&lt;script&gt;alert(1)") || page.contains("&#60;script&#62;alert(1)"), "{name}");
            assert!(HOSTILE.contains("<script>alert(1)") && !page.contains("<script>alert"), "{name}");
        }
        let file = folder.path().join(format!("{name}{print}.html"));
        std::fs::write(&file, page).expect("written");
        file
    };
    let files: Vec<PathBuf> = reports().into_iter().map(page).collect();
    let output = look(&python, &files);
    assert!(output.status.success(), "{}{}", text(&output.stdout), text(&output.stderr));
}

#[test]
fn a_page_that_does_not_stand_is_seen() {
    let Some(python) = browser() else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let (_, report) = reports().remove(3);
    let whole = rendered(&report, Format::Html);
    let policy = whole.find("<meta http-equiv").expect("a policy");
    let end = policy + whole[policy..].find('>').expect("its end") + 1;
    let open = format!("{}{}", &whole[..policy], &whole[end..]);
    let broken = [
        ("policy", whole.replacen("</main>", "<script>alert(1)</script></main>", 1), "scripts"),
        ("request", open.replacen("</main>", "<img src=http://127.0.0.1:9/x alt=x></main>", 1), "asked for"),
        ("console", open.replacen("</main>", "<script>throw new Error('x')</script></main>", 1), "said"),
        ("headings", whole.replacen("<h1 class=\"good\">", "<h1>x</h1><h1 hidden>", 1), "headings"),
        (
            "wide",
            whole.replacen("<footer>", "<footer><svg width=2000 height=2 role=img aria-label=x></svg>", 1),
            "wide",
        ),
        ("unnamed", whole.replacen("<footer>", "<footer><button type=button></button>", 1), "axe: button-name"),
    ];
    let file = |name: &str| folder.path().join(format!("{name}.html"));
    for (name, page, _) in &broken {
        assert_ne!(page, &whole, "{name}");
        std::fs::write(file(name), page).expect("written");
    }
    let output = look(&python, &broken.each_ref().map(|(name, ..)| file(name)));
    let said = text(&output.stdout);
    assert_eq!(output.status.code(), Some(1), "{said}{}", text(&output.stderr));
    for (name, _, words) in broken {
        let of_page = |line: &&str| line.starts_with(&format!("{name}.html")) && line.contains(words);
        assert!(said.lines().any(|line| of_page(&line)), "{name}, {words}: {said}");
    }
}
