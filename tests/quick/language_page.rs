//! `docs/language.md`: everything that the language of checks has, taken from the code, and what it answers to those who
//! write another one. And that a check file is told all its mistakes at once.

use std::fmt::Write as _;

use gpu_preflight::check::load::{CHECKS, read_of_site};
use gpu_preflight::check::template::Filter;
use gpu_preflight::check::{CheckFile, Room};
use gpu_preflight::facts::Facts;
use gpu_preflight::facts::shape::{Shape, Shaped, text};
use gpu_preflight::lang::sign::{Comparison, Connective, Function, described};
use gpu_preflight::lang::{check, parse};

use crate::support::bless;

/// What people write, and what the answer has to name.
const SLIPS: &[(&str, &str)] = &[
    ("container.kind.startsWith('dock')", "compared whole"),
    ("contains(driver.kernel_version, '550')", "compared whole"),
    ("driver.kernel_version.matches('5.*')", "there are size, has, version, exists, all"),
    ("limits.memory_bytes >= 16 * 1024 * 1024", "write 16777216 for 16 * 1024 * 1024"),
    ("limits.shm_bytes / 2 > 1024", "there is no arithmetic"),
    ("identity.uid = 0", "`=` is written `==`"),
    ("identity.uid <> 0", "`<>` is written `!=`"),
    ("run.gpu_expected and identity.uid == 0", "`and` is written `&&`"),
    ("run.gpu_expected & identity.uid == 0", "`&` is written `&&`"),
    ("not run.gpu_expected", "`not` is written `!`"),
    ("driver.kernel_version == null", "asked with `has(path)`"),
    ("run.gpu_expected == True", "did you mean `true`?"),
    ("driver.kernel_version >= '550.54'", "write `version(driver.kernel_version) >= version('550.54')`"),
    ("version(driver.kernel_version) >= '550.54'", "write `version(…) >= version('550.54')`"),
    ("container.kind == docker", "text stands in quotes"),
    ("container.kind > 'docker'", "words have no order"),
    ("limits.memory_bytes > '32g'", "a number stands without quotes"),
    ("limits.memory_bytes > 32Gi", "without a unit"),
    ("len(gpus) > 0", "did you mean `size`?"),
    ("gpus.size() > 0", "write `size(…)` around it"),
    ("gpus[0].mig_enabled", "ask them with `list.exists(item, …)`"),
    ("gpus.any(gpu, gpu.mig_enabled)", "did you mean `exists`?"),
    ("environment.secret_names == 'A'", "write `'A' in environment.secret_names`"),
    ("run.gpu_expected ? identity.uid == 0 : true", "there is no `a ? b : c`"),
    ("limits", "expected a condition, found a record of memory_bytes"),
    ("limits.memory_byte > 0", "did you mean `memory_bytes`?"),
];

fn answer(expression: &str) -> Option<String> {
    let read = parse(expression).and_then(|expr| check(&expr, Facts::SHAPE, &[]));
    read.err().map(|mistake| mistake.message)
}

#[test]
fn whoever_writes_another_language_is_told_what_there_is() {
    for (expression, part) in SLIPS {
        let answer = answer(expression).unwrap_or_else(|| panic!("{expression} is taken"));
        assert!(answer.contains(part), "{expression}: {answer}");
    }
}

/// The expression in the description of a sign: the first that stands between backticks and uses it.
fn example<'a>(sign: &str, says: &'a str) -> &'a str {
    let quoted = says.split('`').skip(1).step_by(2);
    quoted.into_iter().find(|quoted| quoted.contains(sign)).unwrap_or_else(|| panic!("{sign} has an example: {says}"))
}

#[test]
fn every_sign_has_an_example_that_the_language_takes() {
    let signs = [described::<Comparison>(), described::<Connective>(), described::<Function>()].concat();
    assert_eq!(signs.len(), Comparison::ALL.len() + Connective::ALL.len() + Function::ALL.len());
    for (sign, says) in signs {
        let example = example(sign, &says);
        assert_eq!(answer(example), None, "{example}");
    }
}

#[test]
fn everything_that_a_file_lacks_is_said_at_once() {
    let text = "expect = \"driver.kernel_version >= '5'\"\nmessage = 'uid {identity.uidd}'\nowner = 'pod'\n";
    let told = read_of_site("rule.toml", "site.rule", text, &Room::default()).expect_err("refused").to_string();
    for part in [
        "`title`",
        "`severity`: critical, high",
        "`why`",
        "`detect`",
        "`dimension`",
        "`phases`",
        "docker or kubernetes",
    ] {
        assert!(told.contains(part), "{part}: {told}");
    }
    for part in ["then = \"holds\"", "then = \"fails\"", "rule.toml:1:36: text cannot be", "rule.toml:2:"] {
        assert!(told.contains(part), "{part}: {told}");
    }
}

#[test]
fn language_page_is_current() {
    let mut page = String::from(
        "<!-- Made from the source by `just bless`; a test compares it. -->\n# The language of checks\n\n",
    );
    page.push_str(
        "A check is a TOML file that says what should hold as one expression over [facts](facts.md). `--checks DIR` adds \
         yours, `DIR/ROOM/STATE.toml`: the path is the check's name, `ROOM.STATE`. They are held to the rules of our own, \
         and a mistake is told with its file, line and column, and with what could have been meant.\n\n## A complete check\n\n",
    );
    let (_, example) = CHECKS.iter().find(|(id, _)| *id == "limits.memory-limited").expect("a check");
    write!(page, "`checks/limits/memory-limited.toml`:\n\n```toml\n{example}```\n\n").expect("memory");
    page.push_str(
        "An example gives the facts that matter; all others are unknown. `{ absent = true }` is a fact that was looked for \
         and is not there, `{ unknown = \"not-permitted\" }` one that could not be had. One that holds \
         and one that fails have to be there; `given = {}`, a machine of which nothing is known, shows when it is unknown.\n\n## What a file says\n\n",
    );
    page.push_str("| key | what it says |\n|---|---|\n");
    for field in CheckFile::SHAPE.fields() {
        writeln!(page, "| `{}` | {} |", field.name, field.text().replace('|', "\\|")).expect("memory");
    }
    page.push_str("\n## Expressions\n\n");
    page.push_str(
        "- a fact by its path: `limits.memory_bytes`; with `each = \"gpus\"` the item that is judged is `it`: `it.name`\n\
         - a number: `16`, `-1`, `0.5`, always digits; text or a word in quotes: `'docker'` or `\"docker\"`; `true` and `false`; \
         a list: `['docker', 'podman']`\n- brackets: `(a || b) && c`\n\n",
    );
    for (title, signs) in [
        ("Comparisons", described::<Comparison>()),
        ("What joins conditions, those that bind tighter first", described::<Connective>()),
        ("Functions", described::<Function>()),
    ] {
        write!(page, "{title}:\n\n| | |\n|---|---|\n").expect("memory");
        for (sign, says) in signs {
            writeln!(page, "| `{}` | {} |", sign.replace('|', "\\|"), says.replace("||", "\\|\\|")).expect("memory");
        }
        page.push('\n');
    }
    page.push_str(
        "That is all. There is no arithmetic, and text is not taken apart: what needs either is a fact that has it.\n\n\
         ## Not known is not false\n\n\
         A fact is known, absent (looked for, not there) or unknown (could not look). Comparing what is absent is false, \
         and `!=` is true; an absent list is empty; `has(path)` asks. Whatever needs something unknown is unknown, unless \
         another part settles it: `false && unknown` is false, `true || unknown` is true. A check that is unknown neither \
         accuses nor acquits.\n\n## Messages\n\n\
         `message`, `subject` quote facts in braces, `{identity.uid}`, and through a filter, `{host.memory_bytes|bytes}`:\n\n\
         | filter | what it writes |\n|---|---|\n",
    );
    let Shape::Word(filters) = Filter::SHAPE else { panic!("filters are words") };
    for filter in *filters {
        writeln!(page, "| `{}` | {} |", filter.name, text(filter.doc)).expect("memory");
    }
    page.push_str("\n## What people write, and the answer\n\n| expression | answer |\n|---|---|\n");
    for (expression, _) in SLIPS {
        let cell = |text: &str| text.replace('|', "\\|");
        let answer = answer(expression).expect("refused");
        writeln!(page, "| `{}` | {} |", cell(expression), cell(&answer)).expect("memory");
    }
    bless::compare("docs/language.md", &page);
}
