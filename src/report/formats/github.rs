//! Annotations of GitHub Actions: workflow commands on standard output, which the runner takes out of the log.
//!
//! It shows ten of a kind and step, and drops the others in silence. So we give nine, and say in the tenth how many more
//! there are. The whole table goes to the step's summary; see [`super::step_summary`].

use super::place::{Place, place};
use super::{Finding, Level, Report, level, line, told, words};
use crate::check::Outcome;
use crate::text::{Shown, plain, plain_long};
use crate::weigh::remedy;

/// Findings that are annotated.
const ANNOTATED: usize = 9;

/// A command a line.
pub fn render(report: &Report, anchor: &Place) -> Shown {
    let groups: Vec<&[Finding]> =
        told(report).into_iter().filter(|group| group.iter().all(|finding| finding.waived.is_none())).collect();
    let verdict = report.verdict.title();
    if groups.is_empty() {
        return command("notice", None, "gpu-preflight", &format!("{verdict}: {}", line::reason(report)));
    }
    let annotated = groups.iter().take(ANNOTATED).filter_map(|group| Some((group.first()?, group)));
    let annotated = annotated.map(|(first, group)| {
        let kind = match level(first) {
            Level::Error => "error",
            Level::Warning => "warning",
            Level::Note => "notice",
        };
        let message = plain_long(&words(group));
        let message = match first.outcome {
            Outcome::Fails => format!("{message}\n{}: {}", first.owner, &*Shown::line(&remedy(first, &report.facts))),
            _ => message,
        };
        command(kind, Some(&place(first, anchor)), &plain(&first.check), &message)
    });
    let more = groups.len().saturating_sub(ANNOTATED);
    let rest = (more > 0).then(|| {
        let message = format!("{more} more; the summary of this step has them all");
        command("notice", None, &format!("gpu-preflight: {verdict}"), &message)
    });
    annotated.chain(rest).fold(Shown::default(), |page, next| page + &next)
}

/// `::error file=Dockerfile,line=1,title=T::M`. The line feed is the end of a command, so one in a message is `%0A`.
fn command(kind: &str, place: Option<&Place>, title: &str, message: &str) -> Shown {
    let place =
        place.map_or(String::new(), |place| format!("file={},line={},", property(&plain(&place.file)), place.line));
    let text = format!("::{kind} {place}title={}::{}", property(title), data(message));
    [Shown::line(&text)].into_iter().collect()
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_ends_its_command_or_begins_another() {
        let place = Place { file: "a,b:c".to_owned(), line: 3 };
        let said = command("error", Some(&place), "x::y,%", "1%0A\n::error::2");
        assert_eq!(&*said, "::error file=a%2Cb%3Ac,line=3,title=x%3A%3Ay%2C%25::1%250A%0A::error::2\n");
    }
}
