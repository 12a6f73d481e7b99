//! A page of metrics in the text format of Prometheus, or in `OpenMetrics`.

use std::collections::BTreeSet;

use crate::facts::MetricsFormat;

/// Names that are kept; a page with more is one all the same.
const NAMES: usize = 4096;
/// Parts of a name that say that it is of a GPU.
const GPU: [&str; 5] = ["gpu", "cuda", "dcgm", "nvidia", "nv_"];
/// Parts of a name that say that it is the time that requests take.
const LATENCY: [&str; 6] =
    ["latency", "duration", "request_seconds", "response_time", "time_to_first_token", "_time_us"];
/// How names begin that a language's runtime brings, whatever is served.
const OF_RUNTIMES: [&str; 4] = ["go_", "python_", "process_", "promhttp_"];

/// What a page says.
#[derive(Debug, PartialEq)]
pub struct Page {
    /// How it is written.
    pub format: MetricsFormat,
    /// Names of its samples.
    pub names: BTreeSet<String>,
}

impl Page {
    /// Reads a page; none where it is something else. Of one that was cut the last line does not count.
    pub fn read(bytes: &[u8], is_cut: bool) -> Option<Self> {
        let text = match std::str::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => std::str::from_utf8(bytes.get(..error.valid_up_to())?).ok()?,
        };
        let text = if is_cut { text.rsplit_once('\n').map_or("", |(whole, _)| whole) } else { text };
        let mut names = BTreeSet::new();
        for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
            let name = sample(line)?;
            if names.len() < NAMES {
                names.insert(name.to_owned());
            }
        }
        let ends = text.trim_end().ends_with("# EOF");
        let format = if ends { MetricsFormat::OpenMetrics } else { MetricsFormat::Prometheus };
        (!names.is_empty()).then_some(Self { format, names })
    }

    /// Whether one is of a GPU.
    pub fn has_gpu(&self) -> bool {
        self.has(&GPU)
    }

    /// Whether one is the time that requests take.
    pub fn has_latency(&self) -> bool {
        self.has(&LATENCY)
    }

    fn has(&self, parts: &[&str]) -> bool {
        let own = self.names.iter().filter(|name| !OF_RUNTIMES.iter().any(|start| name.starts_with(start)));
        own.map(|name| name.to_ascii_lowercase()).any(|name| parts.iter().any(|part| name.contains(part)))
    }
}

/// The name of the metric of a line such as `http_requests_total{method="post",code="200"} 1027 1395066363000`; none
/// where it is no such line.
fn sample(line: &str) -> Option<&str> {
    let end = line.find(|letter: char| !letter.is_ascii_alphanumeric() && !matches!(letter, '_' | ':'))?;
    let (name, rest) = line.split_at(end);
    if name.is_empty() || name.starts_with(|first: char| first.is_ascii_digit()) {
        return None;
    }
    let rest = match rest.strip_prefix('{') {
        Some(labels) => labels.get(end_of_labels(labels)?..)?,
        None => rest,
    };
    let value = rest.trim_start().split([' ', '\t']).next()?;
    // Rust reads NaN and infinities in every spelling that the formats have.
    value.parse::<f64>().ok().map(|_| name)
}

/// Where the labels have ended; a brace within quotes is part of a value.
fn end_of_labels(labels: &str) -> Option<usize> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    for (at, letter) in labels.char_indices() {
        match letter {
            _ if is_escaped => is_escaped = false,
            '\\' if is_quoted => is_escaped = true,
            '"' => is_quoted = !is_quoted,
            '}' if !is_quoted => return Some(at + 1),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# HELP vllm:e2e_request_latency_seconds x\n# TYPE vllm:e2e_request_latency_seconds histogram\n\
        vllm:e2e_request_latency_seconds_bucket{le=\"+Inf\",model_name=\"a} b\\\"c\"} 3.0\nvllm:gpu_cache_usage_perc 1e-2 17\n\
        process_cpu_seconds_total NaN\n";

    fn read(text: &str) -> Option<Page> {
        Page::read(text.as_bytes(), false)
    }

    #[test]
    fn both_formats_are_read_and_told_apart() {
        let page = read(PAGE).expect("a page");
        assert_eq!((page.format, page.names.len()), (MetricsFormat::Prometheus, 3));
        assert!(page.has_gpu() && page.has_latency());
        assert_eq!(read(&format!("{PAGE}# EOF\n")).map(|page| page.format), Some(MetricsFormat::OpenMetrics));
    }

    #[test]
    fn what_a_runtime_brings_is_no_metric_of_the_workload() {
        let page = read("go_gc_duration_seconds 1\nprocess_gpu 1\n").expect("a page");
        assert!(!page.has_gpu() && !page.has_latency());
    }

    #[test]
    fn anything_else_is_no_page_of_metrics() {
        for text in
            ["", "# only a comment\n", "<html>\n", "{\"a\": 1}", "a b\n", "1a 2\n", "a{b=\"c\" 1\n", "a\n", "a 1\nno\n"]
        {
            assert_eq!(read(text), None, "{text:?}");
        }
        assert!(Page::read(b"a 1\nb{c=\"d", true).is_some_and(|page| page.names.len() == 1), "the last line was cut");
        assert!(Page::read(b"a 1\nb\xff", true).is_some());
    }
}
